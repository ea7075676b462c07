//! The parts around the body: header, tabs and footer.

pub mod footer;
pub mod header;
pub mod narrowing;
pub mod tabs;

//! The full views.

pub mod object;
pub mod table;
pub mod triage;

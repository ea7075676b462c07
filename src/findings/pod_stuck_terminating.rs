//! The rule `pod-stuck-terminating`.

use super::{Found, View};

pub const PROSE: &str = "";

pub const fn evaluate(_view: &View<'_>, _found: &mut Found) {}

//! What a drain would mean, for all pods together.

use super::Options;
use crate::actions::preflight::Check;
use crate::actions::{Draft, Sight};

pub fn checks(_draft: &Draft, _options: &Options, _sight: &Sight<'_>) -> Vec<Check> {
    Vec::new()
}

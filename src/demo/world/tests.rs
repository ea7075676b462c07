//! The incident, second by second.

use super::*;

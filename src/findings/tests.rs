//! Tests of the rules together.

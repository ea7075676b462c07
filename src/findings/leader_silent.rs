//! What the rules about leaders share: a leader lease that stands still, since when, and who held it.

use super::{Evidence, Finding, RuleId, Severity, Subject, View};
use crate::cluster::Component;

/// A component that nobody leads; nothing where somebody does, or where it is not known.
pub fn finding(
    view: &View<'_>,
    component: Component,
    (rule, severity): (RuleId, Severity),
) -> Option<Finding> {
    let leader = view.cluster.leader(component).filter(|_| view.cluster.is_silent(component))?;
    let lease = &leader.last;
    let held = match lease.holder.non_empty() {
        Some(holder) => format!("its lease is held by {holder}, for {} s at a time", lease.seconds),
        None => "its lease was given up, and nobody has taken it".to_owned(),
    };
    let moved = match leader.moved {
        Some(moved) => Evidence::at("its lease was last seen to move", Some(moved)),
        None => Evidence::at("its lease has not moved since it is read", Some(leader.followed_since)),
    };
    Some(Finding {
        since: Some(leader.last_sign()),
        evidence: vec![
            moved,
            Evidence::new(held),
            Evidence::at("its lease was last read", Some(leader.read)),
        ],
        next: format!(
            "Look at {component} on the control plane: its log, and whether it reaches the API server."
        ),
        ..Finding::new(rule, severity, Subject::ControlPlane)
    })
}

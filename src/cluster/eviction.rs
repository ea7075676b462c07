//! When a pod will be told to go from a tainted node: an estimate from its own tolerations.
//!
//! The controller's timers live in its memory: a restart of it starts them again, so the moment is the earliest
//! at which it can happen, not a promise.

use super::{Cluster, Name, Pod, Since, Taint, Text, Toleration};
use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// Some taint is not tolerated, or no longer.
    Due,
    /// Not before then.
    NotBefore { at: Timestamp, is_exact: bool },
    /// It tolerates everything that the node carries, for ever.
    Never,
}

impl Cluster {
    /// What the NoExecute taints of its node will do to a pod; `None` where there are none, or it is going.
    pub fn eviction(&self, pod: &Pod, now: Timestamp) -> Option<Eviction> {
        if pod.meta.is_deleting() || pod.phase.is_terminal() {
            return None;
        }
        let node = self.nodes.get(&Name::cluster(pod.node.clone()))?;
        let since = self.no_execute_since(&node.meta.name)?;
        let taints: Vec<&Taint> = node.no_execute_taints().collect();
        Some(eviction(&taints, &pod.tolerations, since).unless_past(now))
    }
}

impl Eviction {
    fn unless_past(self, now: Timestamp) -> Self {
        match self {
            Self::NotBefore { at, .. } if at <= now => Self::Due,
            Self::Due | Self::NotBefore { .. } | Self::Never => self,
        }
    }
}

/// For each taint the first toleration that matches counts; the shortest of those that have an end decides.
fn eviction(taints: &[&Taint], tolerations: &[Toleration], since: Since) -> Eviction {
    let mut shortest: Option<i64> = None;
    for taint in taints {
        let Some(toleration) = tolerations.iter().find(|toleration| toleration.matches(taint)) else {
            return Eviction::Due;
        };
        if let Some(seconds) = toleration.seconds {
            shortest = Some(shortest.map_or(seconds, |known| known.min(seconds)));
        }
    }
    match shortest {
        None => Eviction::Never,
        Some(seconds) => {
            let wait = SignedDuration::from_secs(seconds.max(0));
            let at = since.at.checked_add(wait).unwrap_or(Timestamp::MAX);
            Eviction::NotBefore { at, is_exact: since.is_exact }
        }
    }
}

impl Toleration {
    fn matches(&self, taint: &Taint) -> bool {
        let is_effect = self.effect.is_empty() || self.effect == *taint.effect.word();
        let is_key = self.key.is_empty() || self.key == taint.key;
        let is_value = match self.operator.as_str() {
            "Exists" => true,
            "" | "Equal" => self.value == taint.value && self.key != Text::default(),
            _ => false,
        };
        is_effect && is_key && is_value
    }
}

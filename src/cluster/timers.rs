//! What the controllers are set to and the API does not tell: defaults by version, settable, shown as estimates.

use jiff::SignedDuration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Without a heartbeat for so long, the controller writes Unknown (`--node-monitor-grace-period`).
    pub grace: SignedDuration,
    /// After a pod has gone from a node that is not ready, its volume is detached by force.
    pub force_detach: SignedDuration,
    /// Time that a kubelet may need beyond a pod's deadline before it counts as stuck.
    pub deletion_slack: SignedDuration,
}

impl Timers {
    /// By the server's minor version: the grace grew from 40 s to 50 s in 1.32.
    pub const fn of_version(minor: u32) -> Self {
        Self {
            grace: SignedDuration::from_secs(if minor <= 31 { 40 } else { 50 }),
            force_detach: SignedDuration::from_mins(6),
            deletion_slack: SignedDuration::from_secs(30),
        }
    }

    /// The timers of controllers that run so many times as fast, as those of the demo can.
    pub fn hurried(self, times: u32) -> Self {
        let hurry = |duration: SignedDuration| duration / i32::try_from(times.max(1)).unwrap_or(i32::MAX);
        Self {
            grace: hurry(self.grace),
            force_detach: hurry(self.force_detach),
            deletion_slack: hurry(self.deletion_slack),
        }
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self::of_version(u32::MAX)
    }
}

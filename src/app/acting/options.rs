//! The options of a drain as they are filled in: kubectl's names, what each takes, and how it is changed by keys.
//!
//! What an option means is said in `actions::drain`; here is only how it is asked for.

use crate::actions::drain::Options;
use crate::app::time::short;
use jiff::SignedDuration;

/// Everything that can be set before a drain, in the order in which it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    IgnoreDaemonsets,
    DeleteEmptydirData,
    Force,
    DisableEviction,
    WaitForReplacements,
    GracePeriod,
    Timeout,
    SkipWaitForDeleteTimeout,
    PodSelector,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Flag,
    Seconds,
    Words,
}

impl Setting {
    pub const ALL: [Self; 9] = [
        Self::IgnoreDaemonsets,
        Self::DeleteEmptydirData,
        Self::Force,
        Self::DisableEviction,
        Self::WaitForReplacements,
        Self::GracePeriod,
        Self::Timeout,
        Self::SkipWaitForDeleteTimeout,
        Self::PodSelector,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::IgnoreDaemonsets => "ignore-daemonsets",
            Self::DeleteEmptydirData => "delete-emptydir-data",
            Self::Force => "force",
            Self::DisableEviction => "disable-eviction",
            Self::WaitForReplacements => "wait-for-replacements",
            Self::GracePeriod => "grace-period",
            Self::Timeout => "timeout",
            Self::SkipWaitForDeleteTimeout => "skip-wait-for-delete-timeout",
            Self::PodSelector => "pod-selector",
        }
    }

    /// What it does, in few words.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::IgnoreDaemonsets => "leave the pods of daemon sets",
            Self::DeleteEmptydirData => "LOSES what pods keep in an emptyDir",
            Self::Force => "pods that nothing makes anew go too",
            Self::DisableEviction => "deletes, and asks no budget",
            Self::WaitForReplacements => "done when what moved is ready again",
            Self::GracePeriod => "to end, for every pod",
            Self::Timeout => "for each node, then give up",
            Self::SkipWaitForDeleteTimeout => "for the overdue, then left",
            Self::PodSelector => "only pods with these labels",
        }
    }

    pub const fn takes(self) -> Takes {
        match self {
            Self::IgnoreDaemonsets
            | Self::DeleteEmptydirData
            | Self::Force
            | Self::DisableEviction
            | Self::WaitForReplacements => Takes::Flag,
            Self::GracePeriod | Self::Timeout | Self::SkipWaitForDeleteTimeout => Takes::Seconds,
            Self::PodSelector => Takes::Words,
        }
    }

    /// Whether a flag is set; false of what is no flag.
    pub const fn is_set(self, options: &Options) -> bool {
        match self {
            Self::IgnoreDaemonsets => options.ignore_daemonsets,
            Self::DeleteEmptydirData => options.delete_emptydir_data,
            Self::Force => options.force,
            Self::DisableEviction => options.disable_eviction,
            Self::WaitForReplacements => options.wait_for_replacements,
            Self::GracePeriod | Self::Timeout | Self::SkipWaitForDeleteTimeout | Self::PodSelector => false,
        }
    }

    /// Sets a flag or takes it back; what is no flag stays.
    pub const fn toggle(self, options: &mut Options) {
        let flag = match self {
            Self::IgnoreDaemonsets => &mut options.ignore_daemonsets,
            Self::DeleteEmptydirData => &mut options.delete_emptydir_data,
            Self::Force => &mut options.force,
            Self::DisableEviction => &mut options.disable_eviction,
            Self::WaitForReplacements => &mut options.wait_for_replacements,
            Self::GracePeriod | Self::Timeout | Self::SkipWaitForDeleteTimeout | Self::PodSelector => return,
        };
        *flag = !*flag;
    }

    /// As it is typed; empty where nothing is set, and for flags.
    pub fn text(self, options: &Options) -> String {
        let unless_none = |seconds: u64| if seconds == 0 { String::new() } else { seconds.to_string() };
        match self {
            Self::GracePeriod => options.grace_period.map(|grace| grace.to_string()).unwrap_or_default(),
            Self::Timeout => unless_none(options.timeout),
            Self::SkipWaitForDeleteTimeout => unless_none(options.skip_wait_for_delete_timeout.into()),
            Self::PodSelector => options.pod_selector.to_string(),
            Self::IgnoreDaemonsets
            | Self::DeleteEmptydirData
            | Self::Force
            | Self::DisableEviction
            | Self::WaitForReplacements => String::new(),
        }
    }

    /// Sets what is typed; what cannot be typed here changes nothing.
    pub fn set(self, options: &mut Options, text: &str) {
        let seconds = if text.is_empty() { Some(None) } else { text.parse::<u32>().ok().map(Some) };
        match (self, seconds) {
            (Self::GracePeriod, Some(seconds)) => options.grace_period = seconds,
            (Self::Timeout, Some(seconds)) => options.timeout = seconds.unwrap_or_default().into(),
            (Self::SkipWaitForDeleteTimeout, Some(seconds)) => {
                options.skip_wait_for_delete_timeout = seconds.unwrap_or_default();
            }
            (Self::PodSelector, _) => options.pod_selector = text.into(),
            (Self::GracePeriod | Self::Timeout | Self::SkipWaitForDeleteTimeout, None)
            | (
                Self::IgnoreDaemonsets
                | Self::DeleteEmptydirData
                | Self::Force
                | Self::DisableEviction
                | Self::WaitForReplacements,
                _,
            ) => {}
        }
    }

    /// What holds, in words.
    pub fn told(self, options: &Options) -> String {
        let text = self.text(options);
        match self {
            Self::GracePeriod if text.is_empty() => "each pod's own".to_owned(),
            Self::Timeout | Self::SkipWaitForDeleteTimeout if text.is_empty() => "no limit".to_owned(),
            Self::PodSelector if text.is_empty() => "all pods".to_owned(),
            Self::GracePeriod | Self::Timeout | Self::SkipWaitForDeleteTimeout => {
                let seconds = text.parse().unwrap_or_default();
                short(SignedDuration::from_secs(seconds))
            }
            Self::PodSelector => text,
            Self::IgnoreDaemonsets
            | Self::DeleteEmptydirData
            | Self::Force
            | Self::DisableEviction
            | Self::WaitForReplacements => (if self.is_set(options) { "yes" } else { "no" }).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_changes_the_options_and_goes_back() {
        for setting in Setting::ALL {
            let mut options = Options::default();
            match setting.takes() {
                Takes::Flag => setting.toggle(&mut options),
                Takes::Seconds => setting.set(&mut options, "30"),
                Takes::Words => setting.set(&mut options, "app=web"),
            }
            assert_ne!(options, Options::default(), "{setting:?}");
            match setting.takes() {
                Takes::Flag => setting.toggle(&mut options),
                Takes::Seconds | Takes::Words => setting.set(&mut options, ""),
            }
            assert_eq!(options, Options::default(), "{setting:?}");
        }
    }

    #[test]
    fn what_is_no_number_changes_nothing() {
        let mut options = Options::default();
        for typed in ["x", "-1", "4294967296", "1.5"] {
            Setting::GracePeriod.set(&mut options, typed);
            assert_eq!(options.grace_period, None, "{typed}");
        }
        Setting::GracePeriod.set(&mut options, "0");
        assert_eq!(options.grace_period, Some(0), "at once, which is not each pod's own");
    }
}

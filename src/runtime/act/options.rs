//! The options of an action, as the command line gives them.

use crate::actions::drain::Options;
use crate::actions::{Action, ActionKind};
use crate::cli::Drain;
use crate::cluster::Text;

/// The action with its options; or why they do not belong to it, or are none.
pub fn action(kind: ActionKind, given: &Drain) -> Result<Action, String> {
    match kind {
        ActionKind::Drain => {
            let options = drain(given);
            options.selector()?;
            Ok(Action::Drain { options })
        }
        ActionKind::Cordon | ActionKind::Uncordon if *given == Drain::default() => Ok(Action::from(kind)),
        ActionKind::Cordon | ActionKind::Uncordon => {
            Err(format!("{} takes no options of drain", kind.spec().id))
        }
    }
}

fn drain(given: &Drain) -> Options {
    let default = Options::default();
    let or = |given: Option<bool>, default| given.unwrap_or(default);
    Options {
        // Negative is each pod's own.
        grace_period: given.grace_period.and_then(|grace| u32::try_from(grace).ok()),
        // A part of a second is a second: 0 would be no end.
        timeout: given
            .timeout
            .map_or(default.timeout, |timeout| timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0)),
        force: or(given.force, default.force),
        ignore_daemonsets: or(given.ignore_daemonsets, default.ignore_daemonsets),
        delete_emptydir_data: or(given.delete_emptydir_data, default.delete_emptydir_data),
        disable_eviction: or(given.disable_eviction, default.disable_eviction),
        pod_selector: given.pod_selector.as_deref().map(Text::new).unwrap_or_default(),
        skip_wait_for_delete_timeout: given
            .skip_wait_for_delete_timeout
            .unwrap_or(default.skip_wait_for_delete_timeout),
        wait_for_replacements: or(given.wait_for_replacements, default.wait_for_replacements),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};
    use std::ffi::OsString;

    fn action_of(line: &str) -> Result<Action, String> {
        let arguments = parse(line.split(' ').map(OsString::from)).map_err(|error| error.to_string())?;
        let Some(Command::Plan(plan)) = arguments.command else { panic!("{line}") };
        action(ActionKind::by_id(&plan.action).unwrap(), &plan.drain)
    }

    #[test]
    fn kubectls_options_mean_what_they_mean_there() {
        let options = |line: &str| match action_of(line).unwrap() {
            Action::Drain { options } => options,
            other => panic!("{other:?}"),
        };
        assert_eq!(options("sickbay plan drain a"), Options::default());
        assert_eq!(
            options("sickbay plan drain a --grace-period=-1 --ignore-daemonsets=false --force --timeout 90s"),
            Options { ignore_daemonsets: false, force: true, timeout: 90, ..Options::default() }
        );
        assert_eq!(
            options("sickbay plan drain a --grace-period 0 --timeout=0s --delete-emptydir-data=true"),
            Options { grace_period: Some(0), delete_emptydir_data: true, ..Options::default() }
        );
        assert_eq!(
            options("sickbay plan drain a --pod-selector app!=web --skip-wait-for-delete-timeout 5"),
            Options {
                pod_selector: "app!=web".into(),
                skip_wait_for_delete_timeout: 5,
                ..Options::default()
            }
        );
    }

    #[test]
    fn what_is_no_option_of_an_action_is_refused() {
        assert_eq!(action_of("sickbay plan cordon a").unwrap(), Action::Cordon);
        assert_eq!(
            action_of("sickbay plan cordon a --force").unwrap_err(),
            "cordon takes no options of drain"
        );
        assert!(
            action_of("sickbay plan drain a --pod-selector =").unwrap_err().contains("no key of a label")
        );
        assert!(action_of("sickbay plan drain a --grace-period -2").is_err());
    }
}

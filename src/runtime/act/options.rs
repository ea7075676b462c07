//! The options of an action, as the command line gives them.

use crate::actions::drain::Options;
use crate::actions::rollback::Goal;
use crate::actions::{Action, ActionKind};
use crate::cli::{Drain, Single};
use crate::cluster::Text;

/// The action with its options; or why they do not belong to it, or are none.
pub fn action(kind: ActionKind, (given, single): (&Drain, &Single)) -> Result<Action, String> {
    let id = kind.spec().id;
    if kind != ActionKind::Drain && *given != Drain::default() {
        return Err(format!("{id} takes no options of drain"));
    }
    let Single { to, patch, replicas, image, finalizer } = single;
    let given_of = [
        (ActionKind::Rollback, "--to", to.is_some()),
        (ActionKind::Rollback, "--patch", *patch),
        (ActionKind::Scale, "--replicas", replicas.is_some()),
        (ActionKind::SetImage, "--image", image.is_some()),
        (ActionKind::RemoveFinalizer, "--finalizer", finalizer.is_some()),
    ];
    if let Some((of, option, _)) = given_of.iter().find(|(of, _, is_given)| *is_given && *of != kind) {
        return Err(format!("{id} takes no {option}: that is for {}", of.spec().id));
    }
    Ok(match kind {
        ActionKind::Drain => {
            let options = drain(given);
            options.selector()?;
            Action::Drain { options }
        }
        ActionKind::Rollback => Action::Rollback { goal: Goal { to: *to, ..Goal::default() } },
        ActionKind::Scale => Action::Scale { replicas: *replicas, back: Vec::new() },
        ActionKind::SetImage => {
            let image = image.as_deref().map(Text::new).unwrap_or_default();
            Action::SetImage { image, back: Vec::new() }
        }
        ActionKind::RemoveFinalizer => {
            Action::RemoveFinalizer { finalizer: finalizer.as_deref().map(Text::new).unwrap_or_default() }
        }
        ActionKind::Cordon
        | ActionKind::Uncordon
        | ActionKind::Restart
        | ActionKind::Pause
        | ActionKind::Resume
        | ActionKind::RestartKubelet
        | ActionKind::Fence
        | ActionKind::ReturnToService
        | ActionKind::ReplacePods
        | ActionKind::ForceDetach
        | ActionKind::Retire
        | ActionKind::ReleasePod
        | ActionKind::DetachVolume
        | ActionKind::DeleteAttachment
        | ActionKind::DeleteNode => Action::from(kind),
    })
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
        action(ActionKind::by_id(&plan.action).unwrap(), (&plan.drain, &plan.single))
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
    fn single_actions_are_told_what_they_need() {
        let Action::Rollback { goal } = action_of("sickbay plan rollback deploy/web --to 7").unwrap() else {
            panic!()
        };
        assert_eq!(goal.to, Some(7));
        let scaled = action_of("sickbay plan scale deploy/web --replicas 3").unwrap();
        assert_eq!(scaled, Action::Scale { replicas: Some(3), back: Vec::new() });
        let set = action_of("sickbay plan set-image deploy/web --image web=shop/web:2").unwrap();
        assert_eq!(set, Action::SetImage { image: "web=shop/web:2".into(), back: Vec::new() });
        assert_eq!(
            action_of("sickbay plan restart deploy/web --to 7").unwrap_err(),
            "restart takes no --to: that is for rollback"
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

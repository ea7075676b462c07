//! Any mixture of facts: what is bad for a request never becomes good because something else is bad too, and what is
//! cleared is what the rules allow, written down here a second time.

use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Changes of the facts that speak for nothing and against nothing.
const NEUTRAL: &[Change] = &[
    |facts| facts.speech = Some(Speech::NotKnown("forbidden".into())),
    |facts| facts.leadership = Leadership::NoLease,
    |facts| facts.unready = (2, 7),
    |facts| facts.object.is_stateful = true,
    |facts| facts.object.is_overdue = true,
    |facts| facts.object.exclusive.push(Name::new("shop", "data")),
    |facts| facts.deaths.push(Death::ShutDown),
    |facts| facts.deaths = vec![Death::Fenced { at: at(-60) }],
    |facts| facts.leases = Some((reading("5", 100, -600), reading("5", 700, 0))),
];

/// What a node says of itself, of which a pod that is to be released may need less.
const SPEAKING: &[Change] = &[
    |facts| {
        if let Some(seen) = &mut facts.node {
            seen.row.conditions = ready(Status::True, "KubeletReady");
        }
    },
    |facts| {
        if let Some(seen) = &mut facts.node {
            seen.row.conditions = ready(Status::False, "KubeletNotReady");
        }
    },
];

/// The changes of the table, which must not fail for facts that others have taken away.
fn against() -> Vec<Change> {
    let table = AGAINST.iter().filter(|(name, _, _)| *name != "a node that was not read");
    let mut changes: Vec<Change> = table.map(|(_, _, change)| *change).collect();
    // Last, because the others look at it.
    changes.push(|facts| facts.node = None);
    changes
}

fn changed(what: &Dangerous, changes: &[Change]) -> Facts {
    let mut facts = cleared(what.clone());
    for change in changes {
        change(&mut facts);
    }
    facts
}

/// What has to hold before a request, in the order in which it is listed for operators.
fn is_allowed(facts: &Facts) -> bool {
    let Some(node) = facts.what.node() else { return false };
    let (Some(seen), Some((first, last))) = (&facts.node, &facts.leases) else { return false };
    let five = SignedDuration::from_secs(5);
    let is_fresh = |at: Timestamp| at <= facts.now && facts.now.duration_since(at) <= five;
    let ready = seen.row.condition("Ready");
    let is_unknown =
        ready.is_some_and(|ready| ready.status == Status::Unknown && *ready.reason == *"NodeStatusUnknown");
    let is_one = seen.row.meta.uid == node.uid && is_fresh(seen.at);
    let is_still = first.lease == last.lease && facts.moved.is_none();
    let is_read_twice = last.asked - first.answered >= SignedDuration::from_secs(15) && is_fresh(last.at);
    let (unready, total) = facts.unready;
    let is_storm = (facts.are_all_zones_down && total > 1) || (unready > 1 && unready * 3 > total);
    let is_led = match &facts.leadership {
        Leadership::NoLease => true,
        Leadership::Leads { since } => since.is_some_and(|since| {
            let silent = ready.and_then(|ready| ready.changed);
            silent.is_some_and(|silent| since <= silent)
                || facts.now.duration_since(since) >= SignedDuration::from_secs(60)
        }),
        Leadership::NotAsked | Leadership::Quiet | Leadership::Unreadable(_) => false,
    };
    let is_silent = matches!(facts.speech, Some(Speech::Silence(_) | Speech::NotKnown(_)));
    let is_mute = matches!(facts.echo, Some(Speech::Silence(_) | Speech::NotKnown(_)));
    let is_free = facts.used_elsewhere.is_empty() && facts.detaching.is_empty();
    facts.staleness.is_none()
        && facts.object.is_there
        && is_unknown
        && is_one
        && is_still
        && is_read_twice
        && is_silent
        && is_mute
        && !is_storm
        && is_led
        && !facts.deaths.is_empty()
        && !facts.is_last_control_plane
        && is_free
        && facts.denied.is_empty()
        && facts.are_rights_known
        && facts.others.iter().all(|other| other.stage != Stage::Acting)
}

/// Some of the changes, in the order of their table; few of them most often, or nothing would ever be cleared.
fn some(changes: Vec<Change>) -> impl Strategy<Value = Vec<Change>> {
    let most = changes.len();
    (0..=most.min(4)).prop_flat_map(move |many| subsequence(changes.clone(), many))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_bad_is_made_good_by_anything_else(
        what in select(deadly()),
        neutral in some(NEUTRAL.to_vec()),
        bad in some(against()),
    ) {
        let changes: Vec<Change> = neutral.into_iter().chain(bad.iter().copied()).collect();
        prop_assert_eq!(clear(&changed(&what, &changes)).is_ok(), bad.is_empty());
    }

    #[test]
    fn what_is_cleared_is_what_may_be_done_and_each_objection_says_what_to_do(
        what in select(deadly()),
        neutral in some(NEUTRAL.to_vec()),
        speaking in some(SPEAKING.to_vec()),
        bad in some(against()),
    ) {
        let changes: Vec<Change> = neutral.into_iter().chain(speaking).chain(bad).collect();
        let facts = changed(&what, &changes);
        let result = clear(&facts);
        for Objection { reason, remedy, .. } in result.as_ref().err().into_iter().flatten() {
            prop_assert!(!reason.is_empty() && !remedy.is_empty());
        }
        if lesser(&facts).is_none() {
            prop_assert_eq!(result.is_ok(), is_allowed(&facts));
        } else if result.is_ok() {
            // A kubelet that speaks is asked for less, but never for what is at stake.
            let is_release = matches!(what, Dangerous::ReleasePod { .. });
            let ObjectState { is_stateful, exclusive, is_overdue, .. } = &facts.object;
            prop_assert!(is_release && *is_overdue && !is_stateful && exclusive.is_empty());
        }
    }
}

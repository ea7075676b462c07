//! No way through the program to a request that can ruin data but with all the evidence for it: every action, with
//! each single fact missing or against it, from the screen and from the command line, against an API that writes down
//! what it is asked for. And with all of it the request does arrive, or nothing here would prove anything.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "live/board.rs"]
mod board;
#[path = "dangerous/facts.rs"]
mod facts;
#[path = "dangerous/program.rs"]
mod program;
#[path = "dangerous/renewal.rs"]
mod renewal;
#[path = "dangerous/screen.rs"]
mod screen;
#[path = "dangerous/ward.rs"]
mod ward;

use facts::{FACTS, Fact};
use sickbay::actions::ActionKind;
use std::collections::BTreeSet;
use ward::{ATTEMPTS, Attempt, Ward};

/// What arrives of the attempts under a fact that is against all of them, and how they came to it.
async fn attempted((at, fact): (usize, &Fact)) -> Vec<String> {
    let ward = Ward::start().await;
    (fact.apply)(&ward);
    let mut arrived = Box::pin(screen::all(&ward, fact)).await;
    let ward = Ward::start().await;
    (fact.apply)(&ward);
    arrived.extend(program::all(&ward, fact, &dear(at)).await);
    for attempt in dear(at) {
        let ward = Ward::start().await;
        arrived.extend(Box::pin(screen::interrupted(&ward, fact, attempt)).await);
    }
    arrived
}

/// The attempts where each costs a program or a cluster of its own: for each fact others, and all with the feature
/// `slow`.
fn dear(at: usize) -> Vec<&'static Attempt> {
    let is_chosen = |n: usize| cfg!(feature = "slow") || n % 3 == at % 3;
    ATTEMPTS.iter().enumerate().filter(|(n, _)| is_chosen(*n)).map(|(_, attempt)| attempt).collect()
}

/// Several facts at a time, but not all: each has programs that run.
const AT_A_TIME: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_one_fact_missing_or_against_it_nothing_dangerous_is_sent_by_anyone() {
    use futures::StreamExt as _;
    let tried = futures::stream::iter(FACTS.iter().enumerate())
        .map(|(at, fact)| async move { (fact.name, Box::pin(attempted((at, fact))).await) });
    let arrived: Vec<(&str, Vec<String>)> = tried.buffer_unordered(AT_A_TIME).collect().await;
    let wrong: Vec<_> = arrived.iter().filter(|(_, arrived)| !arrived.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_all_the_evidence_each_of_them_arrives_from_the_screen_and_from_the_command_line() {
    use futures::StreamExt as _;
    let sent = futures::stream::iter(ATTEMPTS).map(|attempt| async move {
        let ward = Ward::start().await;
        let by_screen = Box::pin(screen::one(&ward, attempt)).await;
        let ward = Ward::start().await;
        (attempt.what, by_screen, program::one(&ward, attempt).await)
    });
    let sent: Vec<_> = sent.buffer_unordered(AT_A_TIME).collect().await;
    for (what, by_screen, by_program) in &sent {
        assert_eq!(by_screen.len(), 1, "{what}: {by_screen:?}");
        assert_eq!(by_screen, by_program, "{what}");
    }
    assert_eq!(sent.len(), ATTEMPTS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_other_actions_send_nothing_dangerous_wherever_they_are_done() {
    let ward = Ward::start().await;
    assert_eq!(Box::pin(screen::harmless(&ward)).await, [""; 0]);
    let asked = ward.demo.faults().received();
    let writes =
        asked.iter().filter(|request| ["PATCH", "DELETE", "POST"].contains(&request.method.as_str()));
    let deletions = writes.clone().filter(|request| request.method == "DELETE").count();
    assert!(deletions > 0 && writes.count() > 20, "they have done something");
}

#[test]
fn every_action_is_tried() {
    let tried: BTreeSet<ActionKind> = ATTEMPTS.iter().map(|attempt| attempt.action).collect();
    let others: BTreeSet<ActionKind> = screen::HARMLESS.iter().copied().collect();
    let all: BTreeSet<ActionKind> = ActionKind::ALL.iter().copied().collect();
    assert_eq!(tried.union(&others).copied().collect::<BTreeSet<_>>(), all);
}

//! What is done about a dead machine, on the screen: what is said first, what is stated, and what is still looked at.

use crate::harness::Board;
use insta::assert_snapshot;
use jiff::SignedDuration;
use sickbay::actions::evidence::Speech;
use sickbay::actions::evidence::inquiry::{Leader, Reading, Seen};
use sickbay::actions::others::Survey;
use sickbay::actions::{Answer, Probe};
use sickbay::app::Effect;
use sickbay::app::acting::{Asked, Told};
use sickbay::cluster::{Lease, ObjectRef, Row as _};

/// The dead node of the incident, and an API server that answers as it would.
struct Ward {
    board: Board,
}

impl Ward {
    /// With the review of this action on its node.
    fn review(keys: &str) -> Self {
        let mut ward = Self { board: Board::incident(80, 24) };
        ward.board.press("2");
        while !ward.board.selected().starts_with("worker-2") {
            ward.board.press("j");
        }
        let effects = ward.board.press(keys);
        ward.answer_all(effects);
        ward
    }

    fn answer_all(&mut self, mut effects: Vec<Effect>) {
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                let Effect::Acting(asked) = effect else { continue };
                let Asked::Probe { run, probe } = *asked else { panic!("something else is asked for") };
                let answer = self.answer(&probe);
                more.extend(self.board.tell(Told::Probed { run, probe, answer }.into()));
            }
            effects = more;
        }
    }

    fn answer(&self, probe: &Probe) -> Answer {
        let now = self.board.now;
        let steady = SignedDuration::from_secs(now.as_second() - 1_700_000_000);
        match probe {
            Probe::May(_) | Probe::DryRun(_) | Probe::Needed(_) => Answer::Yes,
            Probe::PodsOn(_) => Answer::Pods(Vec::new()),
            Probe::Lease(node) => Answer::Lease(Box::new(Reading {
                lease: self.lease(node),
                asked: steady,
                answered: steady,
                at: now,
            })),
            Probe::Node(node) => {
                let row = self.board.app.cluster.nodes.get(&node.name).unwrap().clone();
                Answer::Node(Box::new(Seen { row, at: now }))
            }
            Probe::Log { .. } => Answer::Speech(Speech::Silence("no answer within 3 s".into())),
            Probe::Leader => Answer::Leader(Leader {
                renewed: Some(now),
                acquired: now.checked_sub(SignedDuration::from_hours(9)).ok(),
                holder: "kcm-0".into(),
            }),
            Probe::Others(_) => Answer::Others(Survey { at: now, told: Vec::new() }),
            Probe::Autoscalers { .. } | Probe::Quotas { .. } | Probe::Errand(_) => {
                panic!("nothing of the kind is asked about a dead machine here: {probe:?}")
            }
        }
    }

    /// As the board has read it.
    fn lease(&self, node: &ObjectRef) -> Lease {
        self.board.app.cluster.heartbeat(&node.name.name).unwrap().last.clone()
    }

    fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.board.now += SignedDuration::from_secs(1);
            let effects = self.board.tell(sickbay::app::Msg::Tick);
            self.answer_all(effects);
        }
    }
}

#[test]
fn a_review_says_first_what_speaks_against_it_and_what_goes() {
    let mut ward = Ward::review("f d");
    assert_snapshot!("force_detach_unproved_80x24", ward.board.screen());
    ward.pass(6);
    assert!(ward.board.screen().contains("is read again in 9 s"), "{}", ward.board.screen());
    ward.pass(12);
    let screen = ward.board.screen();
    assert!(!screen.contains("is read again"), "{screen}");
    assert!(screen.contains("BLOCKED: one thing"), "{screen}");
}

#[test]
fn what_is_stated_is_weighed_as_it_is_typed_and_is_never_filled_in() {
    let mut ward = Ward::review("f d");
    ward.pass(18);
    // From the answer that is no, over the one that is yes and the reason.
    ward.board.press("tab tab tab");
    ward.board.type_text("worker-");
    assert!(ward.board.screen().contains("BLOCKED"), "{}", ward.board.screen());
    ward.board.type_text("2");
    let screen = ward.board.screen();
    assert!(screen.contains("Nothing speaks against it; all is read again right before"), "{screen}");
    assert!(screen.contains("journalled as the word of"), "{screen}");
    ward.board.type_text("2");
    let screen = ward.board.screen();
    assert!(
        screen.contains("BLOCKED") && screen.contains("no machine that this is about is called worker-22"),
        "{screen}"
    );
    ward.board.press("backspace tab");
    ward.board.type_text("worker-2");
    ward.board.press("tab tab");
    assert_snapshot!("force_detach_proved_80x24", ward.board.screen());
    let ward = Ward::review("f d");
    let review = ward.board.app.acting.review.as_ref().unwrap();
    assert!(review.draft.powered_off.is_empty());
}

#[test]
fn a_sign_of_life_while_somebody_reads_blocks_at_once() {
    let mut ward = Ward::review("f d");
    ward.pass(10);
    let node = ward.board.app.cluster.node("worker-2").unwrap().object();
    assert!(!ward.board.screen().contains("has moved"));
    let moved = Lease { renewed: Some("2026-03-01T03:22:05Z".parse().unwrap()), ..ward.lease(&node) };
    let change = sickbay::cluster::Change::Leases { leases: vec![moved], is_complete: false };
    ward.board.tell(sickbay::app::Msg::Changes(vec![change]));
    let screen = ward.board.screen();
    assert!(screen.contains("the lease of node worker-2 has moved"), "{screen}");
}

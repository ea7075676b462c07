//! What is asked live about the node whose case file is open: whether its kubelet answers, and who else acts on it.
//!
//! It is asked when the file opens, again while it lies open and the node is not ready, and when somebody wants it
//! anew; the answers are shown with their age. They are for the eyes: before anything dangerous is sent the evidence
//! asks for itself.

use super::acting::Asked;
use super::columns::RowId;
use super::{App, Effect};
use crate::actions::evidence::{Speech, inquiry};
use crate::actions::others::Survey;
use crate::actions::{Answer, Probe};
use crate::cluster::{Kind, Node, ObjectRef, Readiness, Row as _, Text};
use jiff::{SignedDuration, Timestamp};

/// Between two rounds of questions: an API server in trouble has other things to do.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// What is not answered by then has got lost.
const LOST: SignedDuration = SignedDuration::from_secs(20);

#[derive(Debug)]
pub struct Inquest {
    pub node: ObjectRef,
    /// The boot that it was in when it was opened.
    pub boot: Text,
    pub survey: Option<Survey>,
    pub speech: Option<(Timestamp, Speech)>,
    open: Vec<Probe>,
    asked: Option<Timestamp>,
}

impl Inquest {
    fn of(node: &Node) -> Self {
        Self {
            node: node.object(),
            boot: node.boot_id.clone(),
            survey: None,
            speech: None,
            open: Vec::new(),
            asked: None,
        }
    }

    /// Whether its kubelet is being asked for the first time.
    pub fn is_listening(&self) -> bool {
        self.speech.is_none() && self.open.iter().any(|probe| matches!(probe, Probe::Log { .. }))
    }

    fn is_due(&self, node: &Node, now: Timestamp) -> bool {
        let Some(asked) = self.asked else { return true };
        let passed = now.duration_since(asked);
        let is_worth_it = node.readiness() != Readiness::Ready;
        if self.open.is_empty() { is_worth_it && passed >= AGAIN } else { passed >= LOST }
    }
}

impl App {
    /// The node whose case file is open, while it is there.
    fn open_node(&self) -> Option<&Node> {
        match &self.open()?.target {
            RowId::Object(object) if object.kind == Kind::Node => self.cluster.nodes.same(object),
            RowId::Object(_) | RowId::Volume(_) | RowId::Case(_) => None,
        }
    }

    /// What was asked about a node, where it is the one that was opened last.
    pub fn inquest(&self, node: &Node) -> Option<&Inquest> {
        self.inquest.as_ref().filter(|inquest| inquest.node == node.object())
    }

    /// Asks what is due about the open node.
    pub(super) fn follow_node(&mut self) -> Vec<Effect> {
        let Some(node) = self.open_node() else { return Vec::new() };
        let known = self.inquest(node);
        if self.sight().outage.is_some() || known.is_some_and(|inquest| !inquest.is_due(node, self.now)) {
            return Vec::new();
        }
        let fresh = known.is_none().then(|| Inquest::of(node));
        let object = node.object();
        let mut probes = vec![Probe::Others(object.clone())];
        if node.readiness() == Readiness::Silent {
            probes.extend(inquiry::listened(&object, &self.cluster));
        }
        let now = self.now;
        if let Some(inquest) = fresh {
            self.inquest = Some(inquest);
        }
        let Some(inquest) = &mut self.inquest else { return Vec::new() };
        inquest.asked = Some(now);
        inquest.open.clone_from(&probes);
        probes.into_iter().map(|probe| Asked::Look { probe }.into()).collect()
    }

    /// Has it asked anew.
    pub(super) const fn reopen_inquest(&mut self) {
        if let Some(inquest) = &mut self.inquest {
            inquest.asked = None;
        }
    }

    pub(super) fn take_look(&mut self, probe: &Probe, answer: Answer) {
        let now = self.now;
        let Some(inquest) = &mut self.inquest else { return };
        let Some(at) = inquest.open.iter().position(|open| open == probe) else { return };
        inquest.open.remove(at);
        match answer {
            Answer::Others(survey) => inquest.survey = Some(survey),
            Answer::Speech(speech) => inquest.speech = Some((now, speech)),
            Answer::Failed(error) => {
                inquest.speech = Some((now, Speech::NotKnown(error.reason().into())));
            }
            Answer::Yes
            | Answer::No { .. }
            | Answer::Pods(_)
            | Answer::Written { .. }
            | Answer::Lease(_)
            | Answer::Node(_)
            | Answer::Leader(_)
            | Answer::Autoscalers(_)
            | Answer::Quotas(_)
            | Answer::Ran(_) => {}
        }
    }
}

//! The next safe step for a node: from what is known of it, the one thing that is right now, and what follows then.
//!
//! It advises and clears nothing: what may be sent is for the evidence to say, right before it is. So it may be wrong
//! on the side of waiting, and never names a dangerous action while anything speaks for life.

use super::errand::{Kit, Purpose};
use super::evidence::Speech;
use super::others::{Other, Stage};
use super::{ActionKind, Sight, dead_node};
use crate::cluster::{Cluster, Component, Cordon, Node, Pod, Readiness};

/// What is known of a node beside what is watched.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub node: &'a Node,
    /// What came back to the question for a pod's log.
    pub speech: Option<&'a Speech>,
    pub others: &'a [Other],
    /// Whether anything proves that the machine is off.
    pub is_off: bool,
    /// The commands that are configured for its machine.
    pub kit: &'a Kit,
}

/// One step, and the action that takes it where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub action: Option<ActionKind>,
    pub words: String,
}

fn look(words: impl Into<String>) -> Advice {
    Advice { action: None, words: words.into() }
}

fn act(action: ActionKind, words: impl Into<String>) -> Advice {
    Advice { action: Some(action), words: words.into() }
}

/// What to do, the first of it now. Nothing where nothing has to be done.
pub fn advice(known: &Known<'_>, sight: &Sight<'_>) -> Vec<Advice> {
    let node = known.node;
    match node.readiness() {
        Readiness::Ready => ready(node),
        Readiness::NotReady => not_ready(node),
        Readiness::New => vec![look("wait for its kubelet's first word; nothing of it is known yet")],
        Readiness::Silent => silent(known, sight),
    }
}

fn ready(node: &Node) -> Vec<Advice> {
    if node.is_out_of_service() {
        return vec![act(
            ActionKind::ReturnToService,
            "it lives, and its out-of-service mark has volumes detached under its processes",
        )];
    }
    if !node.is_cordoned() {
        return Vec::new();
    }
    vec![match node.cordoner() {
        _ if node.cordon().is_some_and(Cordon::is_of_detach) => {
            act(ActionKind::ReturnToService, "it is back, and still cordoned since its volumes were detached")
        }
        Some(tool) => look(format!("leave it to {}, which has cordoned it", tool.words())),
        None => act(ActionKind::Uncordon, "it is Ready and cordoned: once what it was cordoned for is done"),
    }]
}

/// A kubelet that speaks: nothing may be forced.
fn not_ready(node: &Node) -> Vec<Advice> {
    let mut steps = Vec::new();
    if node.is_out_of_service() {
        steps.push(act(
            ActionKind::ReturnToService,
            "it lives: its out-of-service mark has to come off before anything else",
        ));
    }
    steps.push(look("its kubelet speaks, so nothing on it may be forced: look at why it is not ready"));
    steps
}

fn silent(known: &Known<'_>, sight: &Sight<'_>) -> Vec<Advice> {
    let (node, cluster) = (known.node, sight.cluster);
    if let Some(life) = life(known, cluster) {
        let first = if node.is_out_of_service() {
            "take its out-of-service taint off now: its volumes are detached under it"
        } else {
            "force nothing: look at its kubelet, and at the network between it and the API server"
        };
        return vec![look(format!("{life}: {first}"))];
    }
    if let Some(other) = known.others.iter().find(|other| other.stage == Stage::Acting) {
        let words = format!("let {} finish, or pause it: two must not fence at once", other.party.word());
        return vec![look(words)];
    }
    if let Some(company) = company(cluster) {
        return vec![look(company)];
    }
    if cluster.is_silent(Component::ControllerManager) {
        let words = "bring the controller-manager back first: nobody releases or detaches anything now";
        return vec![look(words)];
    }
    if node.is_out_of_service() { marked(node, cluster) } else { unmarked(known, cluster) }
}

/// What speaks for life, although the controllers call it silent.
fn life(known: &Known<'_>, cluster: &Cluster) -> Option<&'static str> {
    if let Some(Speech::Life(_)) = known.speech {
        return Some("its kubelet answers");
    }
    let heartbeat = cluster.heartbeat(&known.node.meta.name.name)?;
    let after = heartbeat.moved_after?;
    known.node.ready_since().is_some_and(|since| after > since).then_some("its lease moves")
}

/// Machines rarely die in company.
fn company(cluster: &Cluster) -> Option<String> {
    let (unready, total) = (cluster.unready_nodes().count(), cluster.nodes.len());
    (unready > 1 && unready * 3 > total).then(|| {
        format!("look for what {unready} of {total} nodes share (network, control plane): force nothing")
    })
}

/// The controllers are at it: nothing more has to be sent.
fn marked(node: &Node, cluster: &Cluster) -> Vec<Advice> {
    let name = &node.meta.name.name;
    let going = cluster.pods_on(name).filter(|pod| pod.meta.is_deleting()).count();
    let attached = cluster.attachments_on(name).count();
    let refused = cluster.attachments_on(name).find(|row| row.detach_error.is_some());
    if let Some(row) = refused.filter(|_| going == 0) {
        let words =
            format!("see what {} needs: it refuses to detach, in the words below; keep it off", row.attacher);
        return vec![look(words)];
    }
    if going > 0 || attached > 0 {
        let words = format!(
            "wait: the controllers release its pods ({going} left) and detach its volumes ({attached} left); keep it off"
        );
        return vec![look(words)];
    }
    vec![
        act(
            ActionKind::ReturnToService,
            "when it is back: nothing old is left on it, and its mark has to come off",
        ),
        act(ActionKind::Retire, "if it never comes back"),
    ]
}

fn unmarked(known: &Known<'_>, cluster: &Cluster) -> Vec<Advice> {
    let name = &known.node.meta.name.name;
    let mut steps = Vec::new();
    let replaceable = cluster.pods_on(name).filter(|pod| dead_node::stays(pod, cluster).is_none()).count();
    if replaceable > 0 {
        let pods = if replaceable == 1 { "pod comes" } else { "pods come" };
        steps.push(act(
            ActionKind::ReplacePods,
            format!("{replaceable} stateless {pods} up elsewhere at once; needs no proof"),
        ));
    }
    if !is_held(name, cluster) {
        if replaceable == 0 {
            steps.push(look("bring it back: nothing on it waits to run elsewhere"));
            steps.push(act(ActionKind::Retire, "if it never comes back, and is proved to be off"));
        }
        return steps;
    }
    if known.is_off {
        steps.insert(0, act(ActionKind::ForceDetach, "the machine is off: release its pods and volumes"));
        return steps;
    }
    steps.extend(remedies(known));
    steps.push(act(ActionKind::ForceDetach, "only when it is off, as you state"));
    steps
}

/// What brings a machine back or proves that it is off: by the commands that are configured, or by hand.
fn remedies(known: &Known<'_>) -> Vec<Advice> {
    let mut steps = Vec::new();
    if known.kit.has(Purpose::RestartKubelet) {
        steps.push(act(ActionKind::RestartKubelet, "often all that it needs"));
    }
    match known.kit.fence() {
        Some(Purpose::SwitchOff) => {
            steps.push(act(ActionKind::Fence, "switches the machine off, which proves that it is"));
        }
        Some(_) => {
            steps.push(act(ActionKind::Fence, "starts the machine anew: it comes back by itself then"));
        }
        None if !steps.is_empty() => steps.push(look("or switch it off and see that it is off")),
        None if is_refused(known.speech) => steps.push(look(
            "restart its kubelet: the machine seems to be up; or switch it off and see that it is off",
        )),
        None => steps.push(look("restart its kubelet, or switch it off and see that it is off")),
    }
    steps
}

/// Whether the connection to its kubelet is refused rather than lost: then something at its address answers, which is
/// the machine without a kubelet more often than not.
pub fn is_refused(speech: Option<&Speech>) -> bool {
    matches!(speech, Some(Speech::Silence(reason)) if reason.contains("connection refused"))
}

/// Whether anything waits for a proof: volumes, or pods of which there may be one alone.
fn is_held(node: &str, cluster: &Cluster) -> bool {
    let is_one_alone = |pod: &Pod| !pod.phase.is_terminal() && pod.is_owned_by("StatefulSet");
    let lists_volumes = cluster.node(node).is_some_and(|row| !row.volumes_attached.is_empty());
    lists_volumes || cluster.attachments_on(node).next().is_some() || cluster.pods_on(node).any(is_one_alone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::errand::Template;
    use crate::actions::others::Party;
    use crate::cluster::sample::{at, attachment, node, pod};
    use crate::cluster::{Change, Delta, Effect};
    use jiff::SignedDuration;

    fn told(node: &Node, more: Vec<Change>, change: impl FnOnce(&mut Known<'_>)) -> Vec<Option<ActionKind>> {
        let well = (0..3).map(|number| {
            Change::Node(Delta::Apply(Box::new(crate::cluster::sample::node(&format!("well-{number}")))))
        });
        let mut cluster = Cluster::default();
        let own = Change::Node(Delta::Apply(Box::new(node.clone())));
        cluster.apply_all(well.chain([own]).chain(more), at(0));
        let sight = Sight { cluster: &cluster, now: at(100), outage: None, is_read_only: false };
        let kit = Kit::default();
        let mut known = Known { node, speech: None, others: &[], is_off: false, kit: &kit };
        change(&mut known);
        advice(&known, &sight).into_iter().map(|advice| advice.action).collect()
    }

    fn on(pod: Pod) -> Change {
        Change::Pod(Delta::Apply(Box::new(pod)))
    }

    fn held() -> Vec<Change> {
        vec![
            Change::VolumeAttachment(Delta::Apply(Box::new(attachment("pv-1", "dead")))),
            on(pod("shop/db-0", "dead").of("StatefulSet", "db")),
        ]
    }

    const FORCE: Option<ActionKind> = Some(ActionKind::ForceDetach);
    const RETURN: Option<ActionKind> = Some(ActionKind::ReturnToService);

    #[test]
    fn what_needs_no_proof_comes_first_and_forcing_comes_last() {
        let silent = node("dead").silent(0);
        assert_eq!(told(&silent, held(), |_| {}), [None, FORCE]);
        let mut more = held();
        more.push(on(pod("shop/web-1", "dead").of("ReplicaSet", "web")));
        assert_eq!(told(&silent, more, |_| {}), [Some(ActionKind::ReplacePods), None, FORCE]);
        assert_eq!(told(&silent, held(), |known| known.is_off = true), [FORCE]);
    }

    #[test]
    fn a_command_that_is_configured_is_named_before_the_operators_word() {
        let silent = node("dead").silent(0);
        let with = |purposes: &[Purpose]| {
            let template = || Template { argv: vec!["do".to_owned()], limit: SignedDuration::from_secs(30) };
            let commands = purposes.iter().map(|purpose| (*purpose, template())).collect();
            // Lives as long as the test.
            let kit: &'static Kit = Box::leak(Box::new(Kit { commands, ..Kit::default() }));
            move |known: &mut Known<'_>| known.kit = kit
        };
        let (restart, fence) = (Some(ActionKind::RestartKubelet), Some(ActionKind::Fence));
        assert_eq!(told(&silent, held(), with(&[Purpose::RestartKubelet])), [restart, None, FORCE]);
        assert_eq!(told(&silent, held(), with(&[Purpose::SwitchOff])), [fence, FORCE]);
        let both = with(&[Purpose::RestartKubelet, Purpose::Reset]);
        assert_eq!(told(&silent, held(), both), [restart, fence, FORCE]);
    }

    #[test]
    fn nothing_is_forced_on_what_shows_life_or_is_in_other_hands() {
        let silent = node("dead").silent(0);
        let life = Speech::Life("it gives a log".into());
        let speaks = |known: &mut Known<'_>| {
            // Lives as long as the test.
            known.speech = Some(Box::leak(Box::new(life.clone())));
            known.is_off = true;
        };
        assert_eq!(told(&silent, held(), speaks), [None]);
        let other =
            Other { party: Party::NodeHealthCheck, stage: Stage::Acting, words: String::new(), since: None };
        let in_hands = |known: &mut Known<'_>| known.others = Box::leak(Box::new([other]));
        assert_eq!(told(&silent, held(), in_hands), [None]);
        let company = (0..3)
            .map(|number| Change::Node(Delta::Apply(Box::new(node(&format!("gone-{number}")).silent(0)))));
        let company: Vec<Change> = held().into_iter().chain(company).collect();
        assert_eq!(told(&silent, company, |known| known.is_off = true), [None]);
        assert_eq!(told(&node("dead").not_ready(0, "disk"), held(), |known| known.is_off = true), [None]);
    }

    #[test]
    fn a_connection_that_is_refused_is_a_machine_without_its_kubelet() {
        let silence = |reason: &str| Speech::Silence(reason.into());
        assert!(is_refused(Some(&silence("dial tcp 10.0.0.7:10250: connect: connection refused"))));
        assert!(!is_refused(Some(&silence("dial tcp 10.0.0.7:10250: i/o timeout"))));
        assert!(!is_refused(None));
    }

    #[test]
    fn a_mark_is_waited_for_then_taken_off() {
        let mark = "node.kubernetes.io/out-of-service";
        let marked = |row: Node| row.tainted(mark, Effect::NoExecute, 0);
        assert_eq!(told(&marked(node("dead").silent(0)), held(), |_| {}), [None]);
        let clean = told(&marked(node("dead").silent(0)), Vec::new(), |_| {});
        assert_eq!(clean, [RETURN, Some(ActionKind::Retire)]);
        assert_eq!(told(&marked(node("dead")), held(), |_| {}), [RETURN]);
        assert_eq!(told(&marked(node("dead").not_ready(0, "disk")), held(), |_| {}), [RETURN, None]);
    }

    #[test]
    fn a_cordon_that_a_force_detach_left_ends_with_the_return_to_service() {
        let note = Cordon { why: "force-detach: the board is dead".into(), ..Cordon::default() };
        let back = Node { cordon_note: Some(Box::new(note)), ..node("dead").cordoned() };
        assert_eq!(told(&back, Vec::new(), |_| {}), [RETURN]);
    }

    #[test]
    fn a_node_that_is_well_needs_nothing_and_a_cordoned_one_is_remembered() {
        assert_eq!(told(&node("dead"), held(), |_| {}), []);
        assert_eq!(told(&node("dead").cordoned(), Vec::new(), |_| {}), [Some(ActionKind::Uncordon)]);
        let emptied = node("dead").cordoned().tainted("karpenter.sh/disrupted", Effect::NoSchedule, 0);
        assert_eq!(told(&emptied, Vec::new(), |_| {}), [None]);
    }
}

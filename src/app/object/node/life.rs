//! Whether a node lives, and by what that is known; the next safe step; its taints; what was done to it.

use super::cordon;
use crate::actions::audit;
use crate::actions::evidence::Speech;
use crate::actions::next::{Known, advice, is_refused};
use crate::actions::others::{Other, Stage};
use crate::app::App;
use crate::app::columns::nodes::tone;
use crate::app::columns::{Cell, Look, Tone};
use crate::app::inquest::Inquest;
use crate::app::object::{Line, Section};
use crate::app::time::{age, short};
use crate::cluster::{Feed, Node, ObjectRef, Readiness, Row as _, SignOfLife, Sync, Taint};
use crate::command::{Command, Context};
use jiff::Timestamp;

pub fn section(node: &Node, others: &[Other], app: &App) -> Section {
    let look = &app.look();
    let readiness = node.readiness();
    let since = age(node.ready_since(), look.now);
    let mut ready =
        Line::new("ready", Cell::new(format!("{} for {since}", readiness.word()), tone(readiness)));
    // What the controller writes of silence is always the same; what a kubelet writes of itself is worth its room.
    ready = match (readiness, node.condition("Ready")) {
        (Readiness::Silent, Some(told)) => ready.and(Cell::muted(told.reason.as_str())),
        (Readiness::NotReady | Readiness::New, Some(told)) => {
            ready.and(Cell::muted(super::super::join_words(&told.reason, &told.message)))
        }
        (Readiness::Ready, _) | (_, None) => ready,
    };
    let mut lines = vec![ready, Line::new("last life", lease(node, look))];
    let inquest = app.inquest(node);
    if readiness != Readiness::Ready {
        lines
            .extend(inquest.and_then(|inquest| speech(inquest, look)).map(|cell| Line::new("kubelet", cell)));
    }
    if readiness == Readiness::Silent {
        lines.push(Line::new("machine", machine(node, app)));
    }
    let has_booted = inquest.is_some_and(|inquest| {
        !inquest.boot.is_empty() && !node.boot_id.is_empty() && inquest.boot != node.boot_id
    });
    if has_booted {
        let words = "booted anew since this was opened: no process of before is left on it";
        lines.push(Line::new("boot", Cell::new(words, Tone::Notice)));
    }
    if !node.taints.is_empty() {
        lines.push(Line::new("taints", taint_words(node, look)));
    }
    if node.is_cordoned() {
        lines.push(Line::new("cordon", cordon(node, look)));
    }
    lines.extend(in_hands(others));
    Section { title: "Life".to_owned(), lines }
}

/// The last sign of life, timed by when it was seen: the node's clock may be wrong.
fn lease(node: &Node, look: &Look<'_>) -> Cell {
    let ago = |at| short(look.now.duration_since(at));
    let silent = tone(node.readiness());
    let Some(heartbeat) = look.cluster.heartbeat(&node.meta.name.name) else {
        let words = match look.cluster.feed(Feed::Leases).sync {
            Sync::Forbidden { .. } | Sync::Absent { .. } => "not known: node leases may not be read",
            Sync::Waiting | Sync::Listing { .. } | Sync::Live { .. } | Sync::Down { .. } => {
                "no lease was read"
            }
        };
        return Cell::muted(words);
    };
    match heartbeat.sign_of_life() {
        Some(SignOfLife::Seen(at)) => {
            let tone = if node.is_ready() { Tone::Plain } else { silent };
            Cell::new(format!("lease moved {} ago, as we saw it", ago(at)), tone)
        }
        Some(SignOfLife::Stamped(at)) => {
            let watched = ago(heartbeat.watched_since);
            let words =
                format!("no lease in the {watched} that we look; {} old by the node's clock", ago(at));
            Cell::new(words, if node.is_ready() { Tone::Plain } else { silent })
        }
        None => Cell::new("its lease was never renewed", silent),
    }
}

/// What the question for a pod's log says, which only the kubelet can answer.
fn speech(inquest: &Inquest, look: &Look<'_>) -> Option<Cell> {
    let Some((at, speech)) = &inquest.speech else {
        return inquest.is_listening().then(|| Cell::muted("asked for a pod's log"));
    };
    let ago = short(look.now.duration_since(*at));
    Some(match speech {
        Speech::Life(answer) => Cell::new(
            format!("ANSWERS ({ago} ago): {answer}; it lives, whatever the API says"),
            Tone::Critical,
        ),
        Speech::Silence(reason) => {
            // The address and the path come first, and say nothing new.
            let why = reason.rsplit(": ").next().unwrap_or_default();
            if is_refused(Some(speech)) {
                let words = format!(
                    "refuses connections ({ago} ago): the machine seems to be up, without its kubelet"
                );
                Cell::new(words, Tone::Warning)
            } else {
                Cell::plain(format!("no answer ({ago} ago), proves nothing: {why}"))
            }
        }
        Speech::NotKnown(reason) => Cell::muted(format!("not known: {reason}")),
    })
}

/// Whether anything proves that the machine is off.
fn machine(node: &Node, app: &App) -> Cell {
    if node.shut_down().is_some() {
        return Cell::new("off: the cloud says that it is stopped", Tone::Good);
    }
    if let Some(at) = switched_off(node, app) {
        let words =
            format!("switched off {} ago by a run, and not seen to boot since", age(Some(at), app.now));
        return Cell::new(words, Tone::Good);
    }
    let words = match stated(node, app) {
        Some(words) => words,
        None => "nothing proves that it is off: it may run, and write".to_owned(),
    };
    Cell::new(words, Tone::Warning)
}

/// When a run has fenced it, of this session or one before, in the boot in which it was last seen.
fn switched_off(node: &Node, app: &App) -> Option<Timestamp> {
    let fenced = audit::fenced(&app.acting.records, app.now);
    let of_it = fenced.iter().filter(|fenced| fenced.node == node.meta.uid && fenced.boot == node.boot_id);
    of_it.map(|fenced| fenced.at).max()
}

/// That somebody has said so in a run of this session. It holds for that run, and for no other.
fn stated(node: &Node, app: &App) -> Option<String> {
    let object = node.object();
    let run = app.acting.runs.iter().rfind(|run| run.attests(&object))?;
    let ago = age(Some(run.began), app.now);
    Some(format!("stated to be off {ago} ago, for run {}; it is asked anew for another", run.id))
}

fn in_hands(others: &[Other]) -> Option<Line> {
    let first = others.iter().find(|other| matches!(other.stage, Stage::Acting | Stage::Armed))?;
    let tone = if first.stage == Stage::Acting { Tone::Critical } else { Tone::Warning };
    let more = match others.iter().filter(|other| other.stage == first.stage).count() {
        0 | 1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    Some(Line::new("in hands", Cell::new(format!("{}{more}", first.sentence()), tone)))
}

/// The taints by their keys, each with its effects and the age of its oldest.
fn taint_words(node: &Node, look: &Look<'_>) -> Cell {
    let mut keys: Vec<&str> = Vec::new();
    for taint in &node.taints {
        if !keys.contains(&taint.key.as_str()) {
            keys.push(&taint.key);
        }
    }
    let words: Vec<String> = keys
        .into_iter()
        .map(|key| {
            let of = || node.taints.iter().filter(|taint| *taint.key == *key);
            let oldest = of().filter_map(|taint| taint.added).min();
            let ago =
                oldest.map_or_else(String::new, |at| format!(" {}", short(look.now.duration_since(at))));
            format!("{}{ago}", key.strip_prefix("node.kubernetes.io/").unwrap_or(key))
        })
        .collect();
    Cell::new(words.join(", "), if node.is_out_of_service() { Tone::Critical } else { Tone::Plain })
}

/// Each taint as it is written, with its age.
pub fn taints(node: &Node, look: &Look<'_>) -> Section {
    let line = |taint: &Taint| {
        let value = if taint.value.is_empty() { String::new() } else { format!("={}", taint.value) };
        let age = taint.added.map_or_else(
            || "its age is not told".to_owned(),
            |added| format!("since {}", short(look.now.duration_since(added))),
        );
        Line::cells(vec![
            Cell::plain(format!("{}{value}:{}", taint.key, taint.effect.word())),
            Cell::muted(age),
        ])
    };
    let lines: Vec<Line> = node.taints.iter().map(line).collect();
    Section { title: format!("Taints ({})", lines.len()), lines }
}

/// The next safe step, with its key where there is one.
pub fn next(node: &Node, others: &[Other], app: &App) -> Section {
    let speech = app.inquest(node).and_then(|inquest| inquest.speech.as_ref()).map(|(_, speech)| speech);
    let is_off = node.shut_down().is_some() || switched_off(node, app).is_some();
    let known = Known { node, speech, others, is_off, kit: &app.session.kit };
    let steps = advice(&known, &app.sight());
    let lines = steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| {
            let label = if at == 0 { "now" } else { "then" };
            let tone = if at == 0 { Tone::Notice } else { Tone::Plain };
            let words = match step.action {
                Some(action) => {
                    let spec = action.spec();
                    let key = app.keymap.keys(Context::Object, Command::Act(action)).next();
                    let key = key.map_or_else(|| format!(":{}", spec.id), ToString::to_string);
                    format!("{} ({key}): {}", spec.title, step.words)
                }
                None => step.words,
            };
            Line::new(label, Cell::new(words, tone))
        })
        .collect();
    Section { title: "Next step".to_owned(), lines }
}

/// What was done to it with this program, the newest first.
pub fn runs(object: &ObjectRef, app: &App) -> Section {
    const LISTED: usize = 5;
    let here = app.acting.runs.iter().rev().filter(|run| run.draft.targets.contains(object));
    let here = here.map(|run| {
        let state = if run.is_over() { run.summary().outcome.word() } else { "running" };
        (run.began, run.draft.action.kind().spec().id, state)
    });
    let before = app.acting.past.iter().rev().filter(|run| run.started.draft().targets.contains(object));
    let before = before.map(|run| (run.began, run.started.action.kind().spec().id, run.state()));
    let lines = here
        .chain(before)
        .take(LISTED)
        .map(|(began, action, state)| {
            let ago = format!("{:>8} ago", age(Some(began), app.now));
            Line::cells(vec![Cell::muted(ago), Cell::plain(action), Cell::plain(state)])
        })
        .collect();
    Section { title: "Runs".to_owned(), lines }
}

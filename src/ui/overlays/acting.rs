//! Guided actions on top of a screen: the review with its fields, the runs, the journal, the question before leaving.

mod draft;
mod entry;
mod machine;
mod rollout;
mod run;

use super::{boxed, visible};
use crate::actions::audit::StepResult;
use crate::actions::drain::Removal;
use crate::actions::edit::Change;
use crate::actions::history::PastRun;
use crate::actions::rollback::{self, Goal, Read};
use crate::actions::{Action, Call, Check, Phase, Plan, Preflight, Progress, Run, Verdict};
use crate::app::App;
use crate::app::acting::{Review, pods, record_words};
use crate::app::review::{Field, Form, Pane};
use crate::app::revisions::note_words;
use crate::app::time::{age, short};
use crate::app::wrap::wrap;
use crate::cluster::Text;
use crate::command::{Command, Context, Ui};
use crate::revision::summary;
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns, piece, split};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

pub fn draw(app: &App, pane: &Pane, canvas: &mut Canvas<'_>, area: Rect) {
    match pane {
        Pane::Draft(form) => {
            if let (Some(review), Some(entry)) = (&app.acting.review, &form.entry) {
                entry::draw((review, form, entry), canvas, area);
            } else if let Some(review) = &app.acting.review {
                draft::draw(app, (review, form), canvas, area);
            }
        }
        Pane::Run(pane) => run::draw(app, pane, canvas, area),
        Pane::Override(asked) => run::draw_override(asked, canvas, area),
        Pane::Review(form) => {
            if let Some(review) = &app.acting.review {
                review_pane(app, (review, form), canvas, area);
            }
        }
        Pane::Runs { at } => runs(app, *at, canvas, area),
        Pane::Journal { top } => journal(app, *top, canvas, area),
        Pane::Leave(field) => leave(app, *field, canvas, area),
    }
}

// -- review ---------------------------------------------------------------------------------------------------

fn review_pane(app: &App, (review, form): (&Review, &Form), canvas: &mut Canvas<'_>, area: Rect) {
    let title = title(review);
    let inside = boxed(canvas, area, (area.width, area.height), &title);
    let word = app.word_asked();
    let machines = app.machines();
    let fields = 3 + u16::from(word.is_some()) + u16::from(!machines.is_empty());
    let (above, below) = split(inside, inside.height.saturating_sub(fields));
    let mut lines = lines(app, review, usize::from(above.width));
    lines.splice(0..0, patch(app, review).map(|text| (text, Role::Muted)));
    lines.splice(0..0, outlook(app, review).map(|text| (text, Role::Heading)));
    lines.splice(0..0, hidden(app, form).map(|text| (text, Role::SeverityNotice)));
    for (y, (text, role)) in (above.y..).zip(visible(&lines, form.top, above.height)) {
        canvas.text(Rect { y, height: 1, ..above }, text, *role);
    }
    if lines.len() > usize::from(above.height) {
        let words = format!("{} lines: scroll with j and k ", lines.len());
        canvas.text_right(Rect { y: below.y, height: 1, ..below }, &words, Role::Muted);
    }
    let mut y = below.y;
    let mut next = || {
        y += 1;
        Rect { y: y - 1, height: 1, ..below }
    };
    line(("why: ", &form.why, form.field == Field::Why), canvas, next());
    if !machines.is_empty() {
        line((&machine::label(&machines), &form.off, form.field == Field::Off), canvas, next());
    }
    if let Some(word) = word {
        let label = format!("type {word} to confirm: ");
        line((&label, &form.typed, form.field == Field::Word), canvas, next());
    }
    let (agree, _) = title.split_once(" (").unwrap_or((&title, ""));
    buttons((form.field, "Cancel", agree), canvas, next());
    let typed = [form.typed.trim().to_owned()];
    if let Some((meaning, role)) = machine::meaning(app, form, &machines) {
        canvas.text(next(), &meaning, role);
        return;
    }
    match app.objection(&typed) {
        Some(objection) => canvas.text(next(), &format!("not yet: {objection}"), Role::NoticeWarning),
        None => canvas.text(next(), "tab goes to the next field, enter takes it", Role::Muted),
    };
}

fn title(review: &Review) -> String {
    let action = review.draft.action.kind().spec().title;
    match review.draft.targets.as_slice() {
        [one] => format!("{action} {one}"),
        many => {
            let kind = many.first().map_or("objects", |first| first.kind.plural());
            format!("{action} {} {kind}", many.len())
        }
    }
}

/// How many pods a drain moves.
fn outlook(app: &App, review: &Review) -> Option<String> {
    let options = review.draft.action.options()?;
    Some(pods::outlook(options, &review.draft.targets, (&app.cluster, app.now)))
}

/// The key that shows what brings the repository along.
fn patch(app: &App, review: &Review) -> Option<String> {
    rollback::patch(review.draft.goal()?)?;
    let key = app.keymap.keys(Context::Review, Command::Ui(Ui::Patch)).next()?;
    Some(format!("{key} shows the patch that brings a repository there"))
}

/// What the filter hides of what is marked, and the key that decides about it.
fn hidden(app: &App, form: &Form) -> Option<String> {
    let many = form.hidden.len();
    let key = app.keymap.keys(Context::Review, Command::Ui(Ui::IncludeHidden)).next();
    let key = key.map_or_else(|| "`include-hidden`".to_owned(), |key| key.to_string());
    let (outcome, offer) = if form.has_hidden {
        ("taken in", format!("{key} leaves them out"))
    } else {
        ("left out", format!("{key} takes them in"))
    };
    (many > 0).then(|| format!("{many} marked and hidden by the filter: {outcome}; {offer}"))
}

/// What a review says above its fields. Of what is dangerous first what speaks against it and what goes: who has three
/// seconds has read that.
fn lines(app: &App, review: &Review, width: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let preflight = &review.preflight;
    let is_dangerous = review.plan.dangerous().next().is_some();
    if is_dangerous {
        lines.push(machine::verdict(preflight));
    } else if preflight.open > 0 {
        lines.push((format!("asking the API server: {} answers awaited", preflight.open), Role::Muted));
    }
    let (against, fine): (Vec<&Check>, Vec<&Check>) = preflight.checks.iter().partition(|check| {
        if is_dangerous { check.verdict == Verdict::Block } else { check.verdict != Verdict::Ok }
    });
    if !is_dangerous {
        lines.push((count(preflight), role(preflight.worst())));
    }
    lines.extend(check_lines(against, width));
    // What is fine can be read after what it is about.
    if is_dangerous {
        lines.extend(machine::toll(app, review, width));
    } else {
        lines.extend(going_back(review, width));
    }
    lines.extend(check_lines(fine, width));
    lines.extend(planned_lines(review, width));
    lines
}

/// What a rollback changes in the template, before what is fine: whoever agrees to it has seen the image that it goes back to.
fn going_back(review: &Review, width: usize) -> Vec<(String, Role)> {
    let Action::Rollback { goal: Goal { read: Read::History(history), .. } } = &review.draft.action else {
        return Vec::new();
    };
    let edit = review.plan.calls().find_map(|call| match call.edit().map(|edit| &edit.change) {
        Some(Change::Revision(back)) => Some(back),
        Some(_) | None => None,
    });
    let Some(revision) = edit.and_then(|back| history.by_uid(&back.uid)) else { return Vec::new() };
    let mut lines = vec![(String::new(), Role::Text), ("What it changes".to_owned(), Role::Heading)];
    let notes = summary(&history.template, &revision.template);
    if notes.is_empty() {
        lines.push(("  nothing that matters: the difference shows it".to_owned(), Role::Muted));
    }
    for note in &notes {
        let wrapped = wrap(&note_words(note), width, ("  ", "            "));
        lines.extend(wrapped.into_iter().map(|line| (line, Role::Text)));
    }
    lines.push((String::new(), Role::Text));
    lines
}

/// The steps that the checks allow, as far as they are known.
fn planned_lines(review: &Review, width: usize) -> Vec<(String, Role)> {
    let heading = if review.plan.steps.is_empty() { "Nothing to do" } else { "Steps" };
    let mut lines = vec![(String::new(), Role::Text), (heading.to_owned(), Role::Heading)];
    for (at, (text, kubectl)) in steps(&review.plan).into_iter().enumerate() {
        let step = format!("{:>3}  {text}", at + 1);
        let beside = kubectl.as_ref().filter(|kubectl| step.width() + 3 + kubectl.width() <= width);
        if let Some(kubectl) = beside {
            lines.push((format!("{step}   {kubectl}"), Role::Text));
            continue;
        }
        lines.extend(wrap(&step, width, ("", "     ")).into_iter().map(|line| (line, Role::Text)));
        // A command that is cut off is of no use to whoever wants to compare or to copy it.
        let below = kubectl.map(|kubectl| wrap(&kubectl, width, ("     ", "       ")));
        lines.extend(below.into_iter().flatten().map(|line| (line, Role::Muted)));
    }
    lines
}

/// How many checks ended how: the first thing that one wants to know.
fn count(preflight: &Preflight) -> String {
    let words = Verdict::ALL.map(|verdict| (preflight.of_verdict(verdict).count(), verdict.word()));
    let words = words.into_iter().filter(|(many, _)| *many > 0);
    words.map(|(many, word)| format!("{many} {word}")).collect::<Vec<_>>().join(", ")
}

/// Some checks, each with what to do about it.
fn check_lines<'a>(checks: impl IntoIterator<Item = &'a Check>, width: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    for check in checks {
        let role = if check.is_open { Role::SeverityNotice } else { role(check.verdict) };
        let first = format!("{:<6}", check.word());
        let text = match &check.remedy {
            Some(remedy) => format!("{}; {remedy}", check.reason),
            None => check.reason.clone(),
        };
        lines.extend(wrap(&text, width.max(20), (&first, "      ")).into_iter().map(|line| (line, role)));
    }
    lines
}

/// The steps in their order, the pods of one node together: which they are, the checks have told.
fn steps(plan: &Plan) -> Vec<(String, Option<String>)> {
    let mut told: Vec<(String, Option<String>)> = Vec::new();
    let mut pods: Option<(&Removal, usize)> = None;
    let sum = |(first, many): (&Removal, usize)| match many {
        1 => (format!("have pod {} go", first.pod.name), None),
        many => (format!("have {many} pods of {} go", first.node), None),
    };
    for step in &plan.steps {
        let removal = step.call().and_then(Call::removal);
        match (removal, pods) {
            (Some(removal), Some((first, many))) if first.node == removal.node => {
                pods = Some((first, many + 1));
            }
            (Some(removal), before) => {
                told.extend(before.map(sum));
                pods = Some((removal, 1));
            }
            (None, before) => {
                told.extend(before.map(sum));
                pods = None;
                told.push((step.sentence(), step.kubectl()));
            }
        }
    }
    told.extend(pods.map(sum));
    told
}

const fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Ok => Role::StatusGood,
        Verdict::Skip => Role::SeverityNotice,
        Verdict::Warn => Role::SeverityWarning,
        Verdict::Block => Role::SeverityCritical,
    }
}

/// A line that takes text.
fn line((label, text, has_focus): (&str, &str, bool), canvas: &mut Canvas<'_>, area: Rect) {
    let (label_role, cursor) = if has_focus { (Role::Key, "_") } else { (Role::Muted, "") };
    canvas.pieces(area, &[piece(label, label_role), piece(text, Role::Prompt), piece(cursor, Role::Muted)]);
}

/// The two answers; the one with the focus is marked by more than its colour.
fn buttons((field, no, yes): (Field, &str, &str), canvas: &mut Canvas<'_>, area: Rect) {
    let button = |text: &str, has_focus: bool| {
        if has_focus {
            piece(format!("> [ {text} ] "), Role::RowSelected)
        } else {
            piece(format!("  [ {text} ] "), Role::Text)
        }
    };
    let pieces =
        [button(no, field == Field::Cancel), piece("  ", Role::Text), button(yes, field == Field::Agree)];
    canvas.pieces(area, &pieces);
}

fn leave(app: &App, field: Field, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = boxed(canvas, area, (72, 6), "Leave while something runs?");
    let runs: Vec<&str> = app.acting.under_way().map(|run| run.id.as_str()).collect();
    let row = |line: u16| Rect { y: inside.y + line, height: 1, ..inside };
    let words = format!("{} under way: leaving cuts it off where it is,", runs.join(", "));
    canvas.text(row(0), &words, Role::SeverityWarning);
    canvas.text(row(1), "and the next start tells what was done. Stop it first: `runs`.", Role::Text);
    buttons((field, "Stay", "Leave"), canvas, row(3));
}

// -- runs and journal -----------------------------------------------------------------------------------------

fn runs(app: &App, at: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = boxed(canvas, area, (area.width, area.height), "Runs");
    let mut lines: Vec<(String, Role, bool)> = Vec::new();
    let mut selected = 0;
    for (index, listed) in app.listed_runs().iter().enumerate() {
        if index == at {
            selected = lines.len();
        }
        let run = app.acting.run(&listed.id).filter(|_| listed.is_of_this_session);
        match run {
            Some(run) => {
                lines.push((heading(app, run), phase_role(run), index == at));
                if index == at {
                    lines.extend(step_lines(app, run, usize::from(inside.width)));
                }
            }
            None => {
                let Some(past) = app.acting.past.iter().find(|run| run.id == listed.id) else { continue };
                lines.push((past_heading(app, past), Role::SeverityWarning, index == at));
                if index == at {
                    lines.push((format!("    {}", offers(app, past)), Role::Muted, false));
                    lines.extend(past_steps(past).into_iter().map(|(text, role)| (text, role, false)));
                }
            }
        }
    }
    if lines.is_empty() {
        canvas.text(Rect { height: 1, ..inside }, "nothing runs, and nothing was run", Role::Muted);
    }
    let top = (selected + 1).saturating_sub(usize::from(inside.height) / 2);
    for (y, (text, role, is_selected)) in (inside.y..).zip(visible(&lines, top, inside.height)) {
        let row = Rect { y, height: 1, ..inside };
        canvas.text(row, text, *role);
        if *is_selected {
            canvas.fill(row, Role::RowSelected);
        }
    }
}

/// The steps of a run, those that are under way or failed in full.
fn step_lines(app: &App, run: &Run, width: usize) -> Vec<(String, Role, bool)> {
    let mut lines = Vec::new();
    for (at, (step, progress)) in run.steps().enumerate() {
        let reason = progress.reason().map_or_else(String::new, |reason| format!(": {reason}"));
        let due = run.due(at, app.timers.force_detach).map_or_else(String::new, |due| {
            let left = due.duration_since(app.now);
            if left.is_positive() { format!(" (in {})", short(left)) } else { " (now)".to_owned() }
        });
        let first = format!("    {:<9}  ", progress.word());
        let text = format!("{}{due}{reason}", step.sentence());
        let is_told = match progress {
            Progress::Waiting { .. } | Progress::Failed { .. } => true,
            Progress::Pending
            | Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. } => false,
        };
        let told = if is_told {
            wrap(&text, width.max(30), (&first, "               "))
        } else {
            vec![format!("{first}{text}")]
        };
        let role = progress_role(progress);
        lines.extend(told.into_iter().map(|line| (line, role, false)));
    }
    lines
}

fn past_heading(app: &App, run: &PastRun) -> String {
    let action = run.started.action.kind().spec().title;
    let (state, done, many) = (run.state(), run.done(), run.started.steps.len());
    let began = age(Some(run.began), app.now);
    format!("{}  {action}: {state}, {done} of {many} done, begun {began} ago", run.id)
}

/// What is recorded of each step. What was under way when the run was cut off may have been carried out.
fn past_steps(run: &PastRun) -> Vec<(String, Role)> {
    let step = |(at, what): (usize, &Text)| match run.steps.iter().find(|ended| ended.step == at) {
        Some(ended) => {
            let reason = ended.reason.non_empty().map_or_else(String::new, |reason| format!(": {reason}"));
            let role = match ended.result {
                StepResult::Done | StepResult::Needless | StepResult::Left => Role::StatusGood,
                StepResult::Stopped | StepResult::Skipped => Role::SeverityNotice,
                StepResult::Failed => Role::SeverityCritical,
            };
            (format!("    {:<9}  {what}{reason}", ended.result.word()), role)
        }
        None => (format!("    {:<9}  {what}", "not known"), Role::SeverityWarning),
    };
    run.started.steps.iter().enumerate().map(step).collect()
}

/// What can be done about a run of an earlier session.
fn offers(app: &App, run: &PastRun) -> String {
    if run.is_alive {
        return "it goes on in another sickbay: stop it there".to_owned();
    }
    let key = |ui: Ui| {
        let key = app.keymap.keys(Context::Runs, Command::Ui(ui)).next();
        key.map_or_else(|| Command::Ui(ui).spec().id.to_owned(), |key| key.to_string())
    };
    let undo = run.undo().map(|_| format!(", {} takes back what it did", key(Ui::UndoRun)));
    format!("{} takes it up again{}", key(Ui::ResumeRun), undo.unwrap_or_default())
}

fn heading(app: &App, run: &Run) -> String {
    let summary = run.summary();
    let action = run.draft.action.kind().spec().title;
    let many = summary.done + summary.not_done;
    let since = short(run.ended.unwrap_or(app.now).duration_since(run.began));
    let state = match run.phase {
        Phase::Recording => "writing it down",
        Phase::Running => "running",
        Phase::Stopping => "stopping",
        Phase::Finished => summary.outcome.word(),
    };
    format!("{}  {action}: {state}, {} of {many} done, {since}", run.id, summary.done)
}

const fn phase_role(run: &Run) -> Role {
    match run.phase {
        Phase::Recording | Phase::Running => Role::Heading,
        Phase::Stopping => Role::SeverityWarning,
        Phase::Finished => Role::Text,
    }
}

const fn progress_role(progress: &Progress) -> Role {
    match progress {
        Progress::Pending | Progress::InFlight { .. } => Role::Text,
        Progress::Waiting { .. } => Role::SeverityWarning,
        Progress::Done { .. } => Role::StatusGood,
        Progress::Skipped { .. } => Role::SeverityNotice,
        Progress::Failed { .. } => Role::SeverityCritical,
    }
}

fn journal(app: &App, top: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = boxed(canvas, area, (area.width, area.height), "Journal");
    let width = usize::from(inside.width.saturating_sub(18)).max(8);
    let mut lines: Vec<(String, String)> = Vec::new();
    for record in app.acting.records.iter().rev() {
        let when = format!("{:>5} {:<9}", age(Some(record.at), app.now), record.run);
        let wrapped = wrap(&record_words(record), width, ("", ""));
        lines.extend(
            wrapped
                .into_iter()
                .enumerate()
                .map(|(at, part)| (if at == 0 { when.clone() } else { String::new() }, part)),
        );
    }
    if lines.is_empty() {
        canvas.text(Rect { height: 1, ..inside }, "nothing was done so far", Role::Muted);
    }
    for (y, (when, text)) in (inside.y..).zip(visible(&lines, top, inside.height)) {
        let row = Rect { y, height: 1, ..inside };
        canvas.text(row, when, Role::Muted);
        let taken = columns(17).min(row.width);
        canvas.text(Rect { x: row.x + taken, width: row.width - taken, ..row }, text, Role::Text);
    }
}

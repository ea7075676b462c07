//! One run while it goes on, and after it: its sum in a line, where each step stands, and all that is to be said of the
//! one under the cursor.

use super::{buttons, line, rollout};
use crate::actions::{Action, Phase, Run};
use crate::app::App;
use crate::app::acting::pods::{self, Line, Stage};
use crate::app::review::{Field, Override, RunPane};
use crate::app::time::short;
use crate::app::wrap::wrap;
use crate::command::{Command, Context, Ui};
use crate::theme::Role;
use crate::ui::overlays::boxed;
use crate::ui::paint::{Canvas, columns, piece, split};
use ratatui::layout::Rect;

/// Lines for what is to be said of the step under the cursor.
const DETAIL: u16 = 3;
const STAGE: u16 = 9;
const WHEN: u16 = 13;

pub fn draw(app: &App, pane: &RunPane, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(run) = app.acting.run(&pane.run) else { return };
    let inside = boxed(canvas, area, (area.width, area.height), &heading(run));
    let (head, rest) = split(inside, 2);
    let row = |line: u16| Rect { y: head.y + line, height: 1, ..head };
    canvas.pieces(
        row(0),
        &[piece(state(app, run), state_role(run)), piece(pods::sum(run, app.now), Role::Text)],
    );
    canvas.text(row(1), &second(app, run), Role::Muted);
    let lines = pods::lines(run);
    let watched = pods::rollout_shown(run, pane.at);
    // A rollout has few steps, and much is to be seen of it.
    let most = match watched {
        Some(_) => columns(lines.len()).min(rest.height / 3),
        None => rest.height.saturating_sub(DETAIL + 1),
    };
    let (list, below) = split(rest, most);
    let selected = lines.iter().position(|line| pane.at == Some(line.at));
    let top = selected.map_or(0, |at| (at + 1).saturating_sub(usize::from(list.height)));
    let names = width_of_names(&lines, list.width);
    for (y, (index, line)) in (list.y..list.bottom()).zip(lines.iter().enumerate().skip(top)) {
        let area = Rect { y, height: 1, ..list };
        step((app, run), (line, names), canvas, area);
        if Some(index) == selected {
            canvas.fill(area, Role::RowSelected);
        }
    }
    let (rule, detail) = split(below, 1);
    let more = lines.len().saturating_sub(top + usize::from(list.height));
    let words = if more > 0 { format!("{more} more below") } else { String::new() };
    canvas.rule(rule, &words, Role::Muted);
    if let Some(object) = watched {
        let why = lines.iter().find(|line| line.stage == Stage::Failed).filter(|_| !detail.is_empty());
        let why = why.map(|line| wrap(line.why, usize::from(detail.width), ("", "  ")));
        let why: Vec<String> = why.into_iter().flatten().take(usize::from(DETAIL)).collect();
        let (told, board) = split(detail, columns(why.len()));
        for (y, text) in (told.y..told.bottom()).zip(&why) {
            canvas.text(Rect { y, height: 1, ..told }, text, Role::SeverityCritical);
        }
        return rollout::draw(app, object, canvas, board);
    }
    // Before somebody chooses one, the one that needs a hand most.
    let Some(line) = lines.get(selected.unwrap_or_default()) else { return };
    let text = match line.why {
        "" => line.name(),
        why => format!("{}: {why}", line.name()),
    };
    for (y, text) in (detail.y..detail.bottom()).zip(wrap(&text, usize::from(detail.width), ("", "  "))) {
        canvas.text(Rect { y, height: 1, ..detail }, &text, Role::Text);
    }
}

fn heading(run: &Run) -> String {
    let action = run.draft.action.kind().spec().title;
    match run.draft.targets.as_slice() {
        [one] => format!("{action} {one} ({})", run.id),
        many => {
            let kind = many.first().map_or("objects", |first| first.kind.plural());
            format!("{action} {} {kind} ({})", many.len(), run.id)
        }
    }
}

fn state(app: &App, run: &Run) -> String {
    let since = short(run.ended.unwrap_or(app.now).duration_since(run.began));
    let word = match run.phase {
        Phase::Recording => "writing it down",
        Phase::Running if run.is_paused => "PAUSED",
        Phase::Running => "running",
        Phase::Stopping => "stopping",
        Phase::Finished => run.summary().outcome.word(),
    };
    format!("{word} {since}  ")
}

fn state_role(run: &Run) -> Role {
    match run.phase {
        Phase::Recording | Phase::Running if !run.is_paused => Role::Heading,
        Phase::Recording | Phase::Running | Phase::Stopping => Role::SeverityWarning,
        Phase::Finished if run.summary().not_done == 0 => Role::StatusGood,
        Phase::Finished => Role::SeverityCritical,
    }
}

/// Why it stops, what comes up elsewhere, and what can be done when it is over.
fn second(app: &App, run: &Run) -> String {
    let stopped = run.stopped().map(|reason| {
        if run.is_over() {
            reason.to_string()
        } else {
            format!("{reason}: what is under way is seen to its end")
        }
    });
    let undo = (run.is_over() && run.undo().is_some()).then(|| {
        let key = app.keymap.keys(Context::Run, Command::Ui(Ui::UndoRun)).next();
        let key = key.map_or_else(|| "`undo-run`".to_owned(), |key| key.to_string());
        let stays = if matches!(run.draft.action, Action::Drain { .. }) { "the cordon stays, " } else { "" };
        format!("{stays}{key} takes it back")
    });
    let elsewhere = pods::elsewhere(run, &app.cluster);
    let told: Vec<String> = [stopped, undo, elsewhere].into_iter().flatten().collect();
    told.join("; ")
}

/// As wide as the names are, and no wider than leaves room for the reasons.
fn width_of_names(lines: &[Line<'_>], width: u16) -> u16 {
    let longest = lines.iter().filter(|line| line.pod().is_some()).map(|line| line.name().len()).max();
    columns(longest.unwrap_or_default()).clamp(20, (width / 2).max(20))
}

fn step((app, run): (&App, &Run), (line, names): (&Line<'_>, u16), canvas: &mut Canvas<'_>, area: Rect) {
    let role = role(line.stage);
    let mut x = area.x;
    let mut cell = |width: u16, text: &str, role: Role| {
        let width = width.min(area.right().saturating_sub(x));
        canvas.text(Rect { x, width, ..area }, text, role);
        x = (x + width + 1).min(area.right());
    };
    cell(STAGE, line.word(), role);
    match (line.pod(), line.stage) {
        (Some(_), _) => {
            cell(names, &line.name(), Role::Text);
            // What happens at no certain moment leaves its room to the reason.
            if let Some(when) = line.when {
                cell(WHEN, &when.told(run, app.now), role);
            }
            cell(area.width, &line.brief(), Role::Muted);
        }
        (None, Stage::Failed) => cell(area.width, line.why, Role::Text),
        (None, _) if line.why.is_empty() => cell(area.width, &line.name(), Role::Text),
        (None, _) => cell(area.width, &format!("{}: {}", line.name(), line.why), Role::Text),
    }
}

const fn role(stage: Stage) -> Role {
    match stage {
        Stage::Failed => Role::SeverityCritical,
        Stage::Waiting => Role::SeverityWarning,
        Stage::Going => Role::Heading,
        Stage::Pending => Role::Text,
        Stage::Skipped => Role::SeverityNotice,
        Stage::Done => Role::StatusGood,
    }
}

/// Before a pod is deleted instead of evicted.
pub fn draw_override(asked: &Override, canvas: &mut Canvas<'_>, area: Rect) {
    let title = format!("Delete pod {}", asked.pod.name);
    let inside = boxed(canvas, area, (76, 8), &title);
    let row = |line: u16| Rect { y: inside.y + line, height: 1, ..inside };
    canvas.text(
        row(0),
        "It is deleted and not evicted: no budget is asked, and what the",
        Role::SeverityCritical,
    );
    canvas.text(
        row(1),
        "budget keeps up may go down. The run goes on with the others.",
        Role::SeverityCritical,
    );
    let word = &asked.pod.name.name;
    canvas.text(row(2), &format!("to confirm, type {word}"), Role::Text);
    line(("name: ", &asked.typed, asked.field == Field::Word), canvas, row(3));
    buttons((asked.field, "Cancel", "Delete pod"), canvas, row(4));
    let words = if *asked.typed.trim() == **word {
        "tab goes to the next field, enter takes it"
    } else {
        "not yet: the name is not typed"
    };
    canvas.text(row(5), words, Role::Muted);
}

//! The last line: what was just said, the filter being typed, or the keys that matter here.

use crate::actions::ActionKind;
use crate::app::acting::entry::Entry;
use crate::app::acting::pods;
use crate::app::review::{Form, Pane};
use crate::app::{App, Overlay};
use crate::command::{Command, Context, Group, Ui};
use crate::theme::Role;
use crate::ui::overlays::notices;
use crate::ui::paint::{Canvas, columns, piece, split};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some(Overlay::Prompt { .. }) = &app.overlay {
        return prompt(app, canvas, area);
    }
    if !app.pending.is_empty() {
        return pending(app, canvas, area);
    }
    if let Some(notice) = app.notices.current(app.now) {
        canvas.text(area, &format!(" {}", notice.text), notices::role(notice.weight));
        return;
    }
    hints(app, canvas, area);
}

/// The keys pressed so far, and what may follow them.
fn pending(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let keys: Vec<String> = app.pending.iter().map(|key| key.to_string()).collect();
    let mut line = vec![piece(format!(" {} {}  ", keys.join(" "), canvas.glyphs().ellipsis), Role::Prompt)];
    for (key, command) in app.continuations() {
        let title = command.map_or(canvas.glyphs().ellipsis, |command| command.spec().title);
        line.push(piece(key.to_string(), Role::Key));
        line.push(piece(format!(" {title}   "), Role::Muted));
    }
    canvas.pieces(area, &line);
}

/// The filter as it is typed; below it what is wrong with it and where, or what can be done.
fn prompt(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let (line, below) = split(area, 1);
    let text = app.filter();
    let width = columns(text.width()) + 2;
    // A long filter is shown from its end, where it is typed.
    let hidden = width.saturating_sub(line.width);
    let shown = text.char_indices().find(|(at, _)| columns(text[..*at].width()) >= hidden);
    let shown = shown.map_or("", |(at, _)| &text[at..]);
    let taken = canvas.text(line, &format!("/{shown}"), Role::Prompt);
    let rest = Rect { x: line.x + taken, width: line.width - taken, ..line };
    canvas.text(rest, "_", Role::Muted);
    let Some(error) = app.filter_error() else {
        let words = " enter keeps it   esc leaves it as it was   tab completes   up: used before";
        canvas.text(below, words, Role::Muted);
        return;
    };
    let (before, many) = error.columns(text);
    let (before, many) = (columns(before), columns(many));
    let at = (before + 1).saturating_sub(hidden).min(below.width.saturating_sub(1));
    let words = error.to_string();
    let carets = "^".repeat(usize::from(many));
    // The reason stands behind its place, or before it where there is more room.
    let (left, right) = (usize::from(at), usize::from(below.width.saturating_sub(at + many + 1)));
    let line = if words.width() <= right || right >= left {
        format!("{}{carets} {words}", " ".repeat(left))
    } else {
        format!("{:>left$} {carets}", words, left = left.saturating_sub(1))
    };
    canvas.text(below, &line, Role::NoticeWarning);
}

/// Where a value is typed: one that stands alone has no next field.
fn of_line(app: &App) -> &'static [Ui] {
    match &app.overlay {
        Some(Overlay::Acting(Pane::Draft(Form { entry: Some(Entry::Replicas { .. }), .. }))) => {
            &[Ui::Open, Ui::ClearFilter, Ui::Back]
        }
        Some(_) | None => &[Ui::Open, Ui::NextField, Ui::PreviousField, Ui::ClearFilter, Ui::Back],
    }
}

/// What can be done to a run: to one that is over, less.
fn of_run(app: &App) -> &'static [Ui] {
    let Some(Overlay::Acting(Pane::Run(pane))) = &app.overlay else { return &[Ui::Back] };
    match app.acting.run(&pane.run) {
        Some(run) if run.is_over() && run.undo().is_some() => &[Ui::UndoRun, Ui::Down, Ui::Back],
        Some(run) if run.is_over() => &[Ui::Down, Ui::Back],
        Some(run) if pods::has_rollout(run) => &[Ui::PauseRun, Ui::StopRun, Ui::Down, Ui::Back],
        Some(_) | None => {
            &[Ui::PauseRun, Ui::StopRun, Ui::SkipPod, Ui::DeletePod, Ui::UndoRun, Ui::Down, Ui::Back]
        }
    }
}

fn hints(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let focus = app.focus();
    let commands: &[Ui] = match focus {
        Context::Triage => &[Ui::Open, Ui::Right, Ui::Filter, Ui::Palette, Ui::Help, Ui::Quit],
        Context::Nodes
        | Context::Pods
        | Context::Volumes
        | Context::Events
        | Context::Services
        | Context::Table => {
            &[Ui::Open, Ui::Filter, Ui::ProblemsOnly, Ui::SortNextColumn, Ui::Back, Ui::Palette, Ui::Help]
        }
        Context::Workloads => &[
            Ui::Open,
            Ui::History,
            Ui::Filter,
            Ui::ProblemsOnly,
            Ui::SortNextColumn,
            Ui::Back,
            Ui::Palette,
            Ui::Help,
        ],
        Context::Object => &[Ui::Open, Ui::Back, Ui::NextSection, Ui::Palette, Ui::Help],
        Context::Help | Context::Notices | Context::Journal => &[Ui::Back, Ui::Down, Ui::Up],
        Context::History => &[Ui::Open, Ui::Mark, Ui::Patch, Ui::AskAgain, Ui::Back],
        Context::Difference => &[Ui::Right, Ui::Left, Ui::Patch, Ui::Down, Ui::Back],
        Context::Patch => &[Ui::Copy, Ui::Down, Ui::Up, Ui::Back],
        Context::Palette => &[Ui::Open, Ui::Back],
        Context::Namespaces => &[Ui::Open, Ui::Favourite, Ui::Back],
        Context::Columns => {
            &[Ui::ToggleColumn, Ui::ColumnEarlier, Ui::ColumnLater, Ui::ResetColumns, Ui::Back]
        }
        Context::Review => &[Ui::NextField, Ui::Open, Ui::Down, Ui::AskAgain, Ui::Back],
        Context::ReviewLine => &[Ui::NextField, Ui::Back],
        Context::Draft => &[Ui::Open, Ui::ToggleOption, Ui::Down, Ui::Up, Ui::Back],
        Context::DraftLine => of_line(app),
        Context::Run => of_run(app),
        Context::Runs => &[Ui::StopRun, Ui::UndoRun, Ui::ResumeRun, Ui::Down, Ui::Back],
        Context::Global | Context::Prompt => &[],
    };
    let is_shown = |act: &&ActionKind| {
        let is_listed = match focus {
            Context::Nodes | Context::History | Context::Difference => true,
            // Of the many for workloads the one that is looked for at night: there is no room for more.
            Context::Workloads => **act == ActionKind::Rollback,
            focus => act.is_repair() && (focus == Context::Pods || focus == Context::Volumes),
        };
        is_listed && Command::Act(**act).applies_in(focus)
    };
    let acts = ActionKind::ALL.iter().filter(is_shown);
    let (first, rest) = commands.split_at(1.min(commands.len()));
    let commands = first.iter().map(|ui| Command::Ui(*ui));
    let acts = acts.map(|action| Command::Act(*action));
    let commands = commands.chain(acts).chain(rest.iter().map(|ui| Command::Ui(*ui)));
    let mut taken = 1;
    let mut told: Vec<(String, Group)> = Vec::new();
    for command in commands {
        let Some(keys) = app.keymap.keys(focus, command).next() else { continue };
        let group = command.spec().group;
        let (keys, title) = match (focus, command) {
            // Keys that begin alike are one hint for each group; what may follow is told when the first is pressed.
            (_, Command::Act(_)) if keys.keys().len() > 1 => {
                let prefix = (keys.keys()[0].to_string(), group);
                if told.contains(&prefix) {
                    continue;
                }
                told.push(prefix.clone());
                (prefix.0, format!("{}{}", group.title(), canvas.glyphs().ellipsis))
            }
            (Context::Review, Command::Ui(Ui::Open)) => (keys.to_string(), "Take".to_owned()),
            (Context::DraftLine, Command::Ui(Ui::ClearFilter)) => (keys.to_string(), "Empty".to_owned()),
            (Context::Triage | Context::Difference, Command::Ui(Ui::Right)) => {
                (keys.to_string(), "Unfold".to_owned())
            }
            (Context::Difference, Command::Ui(Ui::Left)) => (keys.to_string(), "Fold".to_owned()),
            (Context::History, Command::Ui(Ui::Open)) => (keys.to_string(), "Difference".to_owned()),
            (Context::Draft | Context::DraftLine, Command::Ui(Ui::Open)) => {
                (keys.to_string(), "Check".to_owned())
            }
            (Context::Events, Command::Ui(Ui::ProblemsOnly)) => {
                (keys.to_string(), "Warnings only".to_owned())
            }
            (_, command) => (keys.to_string(), command.spec().title.to_owned()),
        };
        let pieces = [piece(keys, Role::Key), piece(format!(" {title}   "), Role::Muted)];
        let width = columns(pieces.iter().map(|(text, _)| text.width()).sum());
        if taken + width > area.width + 3 {
            break;
        }
        let rest = Rect { x: area.x + taken, width: area.width.saturating_sub(taken), ..area };
        taken += canvas.pieces(rest, &pieces);
    }
}

//! The line of screens, and how much of the list is shown.

use crate::app::screen::Screen;
use crate::app::{App, Target};
use crate::command::{Command, Ui};
use crate::findings::Severity;
use crate::theme::Role;
use crate::ui::paint::{Canvas, Piece, piece, width};
use crate::ui::severity_role;
use ratatui::layout::Rect;

pub fn draw(app: &App, targets: &mut Vec<(Rect, Target)>, canvas: &mut Canvas<'_>, area: Rect) {
    let right = shown(app);
    let taken = canvas.text_right(area, &right, Role::Muted);
    let left = Rect { width: area.width.saturating_sub(taken + 1), ..area };
    let lines = [Titles::Long, Titles::Short, Titles::Current].map(|titles| tabs(app, titles));
    let fits = |tabs: &&Vec<Tab<'_>>| tabs.iter().map(|(_, tab)| width(tab)).sum::<u16>() <= left.width;
    let [.., least] = &lines;
    let mut rest = left;
    for (screen, tab) in lines.iter().find(fits).unwrap_or(least) {
        let taken = canvas.pieces(rest, tab);
        targets.push((Rect { width: taken, ..rest }, Target::Screen(*screen)));
        rest = Rect { x: rest.x + taken, width: rest.width - taken, ..rest };
    }
}

type Tab<'a> = (Screen, Vec<Piece<'a>>);

/// How much of the screens' titles there is room for.
#[derive(Clone, Copy)]
enum Titles {
    Long,
    Short,
    /// That of the screen one is on, and only the keys of the others.
    Current,
}

fn tabs(app: &App, titles: Titles) -> Vec<Tab<'_>> {
    let mut tabs = Vec::new();
    for screen in Screen::ALL {
        let mut tab = Vec::new();
        let key = app.keymap.keys(app.below(), Command::Ui(command(screen))).next();
        tab.push(piece(key.map_or_else(String::new, |key| format!(" {key}")), Role::Key));
        let is_current = screen == app.screen();
        let title = match titles {
            Titles::Long => screen.title(),
            Titles::Short | Titles::Current if is_current => screen.title(),
            Titles::Short => screen.short_title(),
            Titles::Current => "",
        };
        if !title.is_empty() {
            tab.push(piece(" ", Role::Muted));
            tab.push(piece(title, if is_current { Role::ColumnSorted } else { Role::Muted }));
        }
        if screen == Screen::Triage
            && let Some(worst) = Severity::ALL.into_iter().find(|severity| app.findings.count(*severity) > 0)
        {
            tab.push(piece(format!(" {}", app.findings.incidents.len()), severity_role(worst)));
        }
        tab.push(piece(" ", Role::Muted));
        tabs.push((screen, tab));
    }
    tabs
}

const fn command(screen: Screen) -> Ui {
    match screen {
        Screen::Triage => Ui::GoTriage,
        Screen::Nodes => Ui::GoNodes,
        Screen::Pods => Ui::GoPods,
        Screen::Volumes => Ui::GoVolumes,
        Screen::Workloads => Ui::GoWorkloads,
        Screen::Events => Ui::GoEvents,
        Screen::Services => Ui::GoServices,
    }
}

fn shown(app: &App) -> String {
    match (app.view(), app.open()) {
        (Some(view), None) if view.len() == view.total() => format!("{} ", view.total()),
        (Some(view), None) => format!("{} of {} ", view.len(), view.total()),
        (Some(_), Some(_)) | (None, Some(_) | None) => String::new(),
    }
}

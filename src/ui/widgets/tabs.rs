//! The line of screens, and how much of the list is shown.

use crate::app::App;
use crate::app::screen::Screen;
use crate::command::{Command, Ui};
use crate::findings::Severity;
use crate::theme::Role;
use crate::ui::paint::{Canvas, piece};
use crate::ui::severity_role;
use ratatui::layout::Rect;

pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let right = shown(app);
    let taken = canvas.text_right(area, &right, Role::Muted);
    let left = Rect { width: area.width.saturating_sub(taken + 1), ..area };
    let mut line = Vec::new();
    for screen in Screen::ALL {
        let command = match screen {
            Screen::Triage => Ui::GoTriage,
            Screen::Nodes => Ui::GoNodes,
            Screen::Pods => Ui::GoPods,
            Screen::Volumes => Ui::GoVolumes,
        };
        let key = app.keymap.keys(app.below(), Command::Ui(command)).next();
        line.push(piece(key.map_or_else(String::new, |key| format!(" {key}")), Role::Key));
        let role = if screen == app.screen() { Role::ColumnSorted } else { Role::Muted };
        line.push(piece(" ", Role::Muted));
        line.push(piece(screen.title(), role));
        if screen == Screen::Triage
            && let Some(worst) = Severity::ALL.into_iter().find(|severity| app.findings.count(*severity) > 0)
        {
            line.push(piece(format!(" {}", app.findings.incidents.len()), severity_role(worst)));
        }
        line.push(piece(" ", Role::Muted));
    }
    canvas.pieces(left, &line);
}

fn shown(app: &App) -> String {
    let mut words = Vec::new();
    if !app.filter().is_empty() {
        words.push(format!("/{}", app.filter()));
    }
    if let (Some(view), None) = (app.view(), app.open()) {
        if view.problems_only {
            words.push("problems only".to_owned());
        }
        if view.len() == view.total() {
            words.push(format!("{} ", view.total()));
        } else {
            words.push(format!("{} of {} ", view.len(), view.total()));
        }
    }
    words.join("  ")
}

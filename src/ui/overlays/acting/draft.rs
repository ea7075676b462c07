//! The options of a drain, and below them what comes of them as they are set now.

use super::{check_lines, title};
use crate::actions::Action;
use crate::actions::drain::Options;
use crate::app::App;
use crate::app::acting::options::{Setting, Takes};
use crate::app::acting::{Review, pods};
use crate::app::review::Form;
use crate::theme::Role;
use crate::ui::overlays::boxed;
use crate::ui::paint::{Canvas, piece, split};
use ratatui::layout::Rect;

/// The columns of a name.
const NAME: usize = 29;

pub fn draw(app: &App, (review, form): (&Review, &Form), canvas: &mut Canvas<'_>, area: Rect) {
    let Action::Drain { options } = &review.draft.action else { return };
    let inside = boxed(canvas, area, (area.width, area.height), &title(review));
    let settings = Setting::ALL.len();
    let (above, below) = split(inside, u16::try_from(settings).unwrap_or(u16::MAX));
    for (y, setting) in (above.y..above.bottom()).zip(Setting::ALL) {
        let has_focus = setting == form.setting();
        option(options, (setting, has_focus), canvas, Rect { y, height: 1, ..above });
    }
    let (rule, rest) = split(below, 1);
    let outlook = pods::outlook(options, &review.draft.targets, (&app.cluster, app.now));
    canvas.rule(rule, &outlook, Role::Heading);
    let (checks, last) = split(rest, rest.height.saturating_sub(1));
    let lines = check_lines(&review.preflight.checks, usize::from(checks.width));
    let room = usize::from(checks.height);
    let hidden = lines.len().saturating_sub(room);
    for (y, (text, role)) in (checks.y..checks.bottom()).zip(&lines) {
        canvas.text(Rect { y, height: 1, ..checks }, text, *role);
    }
    let words = match hidden {
        0 => "enter checks it with the server; nothing is done before you agree".to_owned(),
        many => format!("{many} more lines on the next page; enter checks it with the server"),
    };
    canvas.text(last, &words, Role::Muted);
}

fn option(options: &Options, (setting, has_focus): (Setting, bool), canvas: &mut Canvas<'_>, area: Rect) {
    let (mark, name) = if has_focus { ("> ", Role::Key) } else { ("  ", Role::Text) };
    let text = setting.text(options);
    let (flag, value) = match setting.takes() {
        Takes::Flag if setting.is_set(options) => ("[x] ", String::new()),
        Takes::Flag => ("[ ] ", String::new()),
        // What is typed into is shown as it is typed.
        Takes::Seconds if has_focus => ("    ", format!("{text}_ s  ")),
        Takes::Words if has_focus => ("    ", format!("{text}_  ")),
        Takes::Seconds | Takes::Words => ("    ", format!("{}  ", setting.told(options))),
    };
    let pieces = [
        piece(mark, Role::Key),
        piece(flag, Role::Prompt),
        piece(format!("{:<NAME$} ", setting.name()), name),
        piece(value, Role::Prompt),
        piece(setting.doc(), Role::Muted),
    ];
    canvas.pieces(area, &pieces);
}

//! An open object: its sections, with the cursor on a line.

use crate::app::App;
use crate::app::object::{GAP, LABEL, Line, Open, SheetRow};
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns};
use crate::ui::tone_role;
use ratatui::layout::Rect;

pub fn draw(app: &App, open: &Open, canvas: &mut Canvas<'_>, area: Rect) {
    let sheet = open.sheet(app);
    let title = if sheet.is_gone {
        format!("{} is gone; this is what is left of it", open.title)
    } else {
        open.title.clone()
    };
    canvas.rule(
        Rect { height: 1, ..area },
        &title,
        if sheet.is_gone { Role::HeaderWarning } else { Role::Heading },
    );
    let rows = app.sheet_rows(open);
    let visible = usize::from(area.height.saturating_sub(1));
    for (at, row) in rows.iter().enumerate().skip(open.top()).take(visible) {
        let y = area.y + 1 + columns(at - open.top());
        let whole = Rect { y, height: 1, ..area };
        let inside = Rect { x: area.x + 2, width: area.width.saturating_sub(3), ..whole };
        match row {
            SheetRow::Title(title) => {
                canvas.text(inside, title, Role::Heading);
            }
            SheetRow::Line(line) => draw_line(line, canvas, inside),
        }
        if at == open.at() {
            let is_link = matches!(row, SheetRow::Line(Line { link: Some(_), .. }));
            let glyphs = canvas.glyphs();
            let sign = if is_link { glyphs.arrow } else { glyphs.selected };
            canvas.text(whole, sign, Role::Key);
            canvas.fill(whole, Role::RowSelected);
        }
    }
}

fn draw_line(line: &Line, canvas: &mut Canvas<'_>, area: Rect) {
    let mut taken = 0;
    if !line.label.is_empty() {
        canvas.text(area, line.label, Role::ObjectLabel);
        taken = columns(LABEL);
    }
    for cell in &line.cells {
        if taken >= area.width {
            return;
        }
        let rest = Rect { x: area.x + taken, width: area.width - taken, ..area };
        taken += canvas.text(rest, &cell.text, tone_role(cell.tone)) + columns(GAP);
    }
}

//! A list with columns: as many as fit, the least needed dropped first, never the name.

use crate::app::columns::{Heading, Tone};
use crate::app::view::Grid;
use crate::app::{App, Target};
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns};
use crate::ui::{Cache, tone_role};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

/// Between columns.
const GAP: u16 = 2;
/// The cursor's sign before each row.
const CURSOR: u16 = 2;

pub fn draw(app: &App, cache: &mut Cache, canvas: &mut Canvas<'_>, area: Rect) {
    let rows = usize::from(area.height.saturating_sub(1));
    let look = app.look();
    let Some(grid) = app.views.grid(app.screen(), &look, rows) else { return };
    let needed = &mut cache.widths[app.screen() as usize];
    grow(needed, &grid);
    let inner = Rect { x: area.x + CURSOR, width: area.width.saturating_sub(CURSOR), ..area };
    let wanted: Vec<u16> = grid.places.iter().map(|place| needed.get(*place).copied().unwrap_or(0)).collect();
    let placed = place(&grid.headings, &wanted, inner.width);
    headings(&grid, &placed, canvas, Rect { height: 1, ..inner });
    let on_headings =
        placed.iter().map(|column| (column.on(inner, inner.y), Target::Heading(grid.headings[column.at].id)));
    let on_rows =
        (area.y + 1..).zip(&grid.ids).map(|(y, id)| (Rect { y, height: 1, ..area }, Target::Row(id.clone())));
    cache.targets.extend(on_headings.chain(on_rows));
    for (at, cells) in grid.rows.iter().enumerate() {
        let y = area.y + 1 + columns(at);
        let is_marked = grid.marked.get(at) == Some(&true);
        for column in &placed {
            let cell = &cells[column.at];
            let role = match cell.tone {
                // What is wrong with a row stays as visible when it is marked.
                Tone::Plain | Tone::Muted | Tone::Good if is_marked => Role::RowMarked,
                tone => tone_role(tone),
            };
            titled(&grid.headings[column.at], &cell.text, role, (canvas, column.on(inner, y)));
        }
        let row = Rect { y, height: 1, ..area };
        if is_marked {
            let sign = canvas.glyphs().marked;
            canvas.text(Rect { x: area.x + 1, width: 1, ..row }, sign, Role::RowMarked);
        }
        if grid.selected == Some(at) {
            let sign = canvas.glyphs().selected;
            canvas.text(row, sign, Role::Key);
            canvas.fill(row, Role::RowSelected);
        }
    }
    if grid.shown == 0 {
        let in_question = app.view().map_or(grid.total, |view| view.total() - view.elsewhere());
        let text = match (in_question, app.filter()) {
            (0, _) if grid.total == 0 => "none".to_owned(),
            (0, _) => "none in this namespace".to_owned(),
            (many, "") => format!("nothing wrong with any of the {many}"),
            (many, filter) => format!("none of the {many} matches {filter}"),
        };
        canvas.text(Rect { y: area.y + 2, height: 1, ..inner }, &text, Role::Muted);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Placed {
    at: usize,
    x: u16,
    width: u16,
}

impl Placed {
    const fn on(self, area: Rect, y: u16) -> Rect {
        Rect { x: area.x + self.x, y, width: self.width, height: 1 }
    }
}

fn grow(needed: &mut Vec<u16>, grid: &Grid) {
    let most = grid.places.iter().max().map_or(0, |place| place + 1).max(needed.len());
    needed.resize(most, 0);
    for (at, (heading, place)) in grid.headings.iter().zip(&grid.places).enumerate() {
        let cells = grid.rows.iter().map(|cells| columns(cells[at].text.width()));
        let title = columns(heading.title.width()) + 1;
        let widest = cells.max().unwrap_or(0).max(title);
        let (least, most) = heading.width;
        needed[*place] = needed[*place].max(widest.clamp(least.min(widest.max(title)), most.max(title)));
    }
}

/// Which columns are shown and where: the least needed are dropped until each has the least it is worth showing
/// with; what is left over goes to those that need more, the most needed first.
fn place(headings: &[Heading], needed: &[u16], width: u16) -> Vec<Placed> {
    let least = |at: usize| headings[at].width.0.min(needed[at]);
    let mut shown: Vec<usize> = (0..headings.len()).collect();
    let total = |shown: &[usize]| shown.iter().map(|at| least(*at) + GAP).sum::<u16>().saturating_sub(GAP);
    while total(&shown) > width {
        let droppable = shown.iter().copied().filter(|at| headings[*at].drop > 0);
        let Some(drop) = droppable.max_by_key(|at| headings[*at].drop) else { break };
        shown.retain(|at| *at != drop);
    }
    let mut left = width.saturating_sub(total(&shown));
    let mut widths: Vec<u16> = (0..headings.len()).map(least).collect();
    let mut by_need = shown.clone();
    by_need.sort_by_key(|at| headings[*at].drop);
    for at in by_need {
        let more = (needed[at] - widths[at]).min(left);
        widths[at] += more;
        left -= more;
    }
    let mut x = 0;
    shown
        .into_iter()
        .map(|at| {
            let placed = Placed { at, x, width: widths[at].min(width.saturating_sub(x)) };
            x += placed.width + GAP;
            placed
        })
        .collect()
}

fn headings(grid: &Grid, placed: &[Placed], canvas: &mut Canvas<'_>, area: Rect) {
    for column in placed {
        let heading = &grid.headings[column.at];
        let place = column.on(area, area.y);
        if grid.places.get(column.at) == Some(&grid.sort.column) {
            let glyphs = canvas.glyphs();
            let arrow = if grid.sort.is_reversed { glyphs.descending } else { glyphs.ascending };
            titled(heading, &format!("{}{arrow}", heading.title), Role::ColumnSorted, (canvas, place));
        } else {
            titled(heading, heading.title, Role::ColumnHeading, (canvas, place));
        }
    }
}

fn titled(heading: &Heading, text: &str, role: Role, (canvas, place): (&mut Canvas<'_>, Rect)) {
    if heading.is_right {
        canvas.text_right(place, text, role);
    } else {
        canvas.text(place, text, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::columns::Listing;
    use crate::app::columns::nodes::Nodes;
    use crate::app::columns::pods::Pods;

    fn names(width: u16) -> Vec<&'static str> {
        let headings: Vec<Heading> = Pods::COLUMNS.iter().map(|(_, heading)| *heading).collect();
        let needed: Vec<u16> = headings.iter().map(|heading| heading.width.1).collect();
        place(&headings, &needed, width).iter().map(|placed| headings[placed.at].id).collect()
    }

    #[test]
    fn a_narrow_screen_drops_the_least_needed_columns_and_never_the_name() {
        assert_eq!(names(200).len(), Pods::COLUMNS.len());
        assert_eq!(names(78), ["namespace", "name", "status", "clock", "node"]);
        assert_eq!(names(40), ["name", "status"]);
    }

    #[test]
    fn columns_never_reach_beyond_the_screen() {
        for width in 20..220 {
            let headings: Vec<Heading> = Nodes::COLUMNS.iter().map(|(_, heading)| *heading).collect();
            let needed: Vec<u16> = headings.iter().map(|heading| heading.width.1).collect();
            let placed = place(&headings, &needed, width);
            assert!(placed.iter().all(|placed| placed.x + placed.width <= width), "{width}: {placed:?}");
        }
    }
}

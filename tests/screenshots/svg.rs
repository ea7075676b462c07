//! A drawn screen as a picture: one `<text>` per run of cells that look alike, on a dark ground.
//!
//! It names no font but what every system calls monospace, and fixes the length of each run, so the columns stand
//! whatever that turns out to be.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;

const CELL: (usize, usize) = (9, 20);
const MARGIN: usize = 14;
/// From the top of a line to where its letters stand.
const BASELINE: usize = 15;
const GROUND: &str = "#14161b";
const INK: &str = "#d4d7dd";

/// The sixteen colours that a terminal names, as a common one shows them.
const NAMED: [&str; 16] = [
    "#1c1f26", "#d75f5f", "#87af5f", "#d7af5f", "#5f87d7", "#af87d7", "#5fafaf", "#c6c8cc", "#6c707a",
    "#ff8787", "#afd787", "#ffd787", "#87afff", "#d7afff", "#87d7d7", "#f4f5f7",
];

/// How a cell looks.
#[derive(Clone, PartialEq, Eq)]
struct Look {
    ink: String,
    ground: Option<String>,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (ink, ground) = (color(cell.fg), color(cell.bg));
        let modifier = cell.modifier.difference(Modifier::REVERSED);
        if cell.modifier.contains(Modifier::REVERSED) {
            let ground = ground.unwrap_or_else(|| GROUND.to_owned());
            return Self { ink: ground, ground: Some(ink.unwrap_or_else(|| INK.to_owned())), modifier };
        }
        Self { ink: ink.unwrap_or_else(|| INK.to_owned()), ground, modifier }
    }

    fn attributes(&self) -> String {
        let mut attributes = String::new();
        if self.ink != INK {
            write!(attributes, " fill=\"{}\"", self.ink).unwrap();
        }
        for (modifier, attribute) in [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
            (Modifier::DIM, " opacity=\"0.6\""),
        ] {
            if self.modifier.contains(modifier) {
                attributes.push_str(attribute);
            }
        }
        attributes
    }
}

/// The picture of a screen, which is called `title` for those who cannot see it.
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let columns = usize::from(buffer.area.width);
    let rows = usize::from(buffer.area.height);
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace, monospace\" font-size=\"15\" fill=\"{INK}\" xml:space=\"preserve\" \
         style=\"white-space: pre\">\n",
        escaped(title)
    );
    for (row, cells) in buffer.content().chunks(columns).enumerate() {
        draw_line(&mut picture, cells, MARGIN + row * CELL.1);
    }
    picture.push_str("</g>\n</svg>\n");
    picture
}

fn draw_line(picture: &mut String, cells: &[Cell], top: usize) {
    let mut from = 0;
    for run in cells.chunk_by(|one, other| Look::of(one) == Look::of(other)) {
        draw_run(picture, run, (MARGIN + from * CELL.0, top));
        from += run.len();
    }
}

fn draw_run(picture: &mut String, run: &[Cell], (left, top): (usize, usize)) {
    let Some(look) = run.first().map(Look::of) else { return };
    if let Some(ground) = &look.ground {
        let (width, height) = (run.len() * CELL.0, CELL.1);
        writeln!(
            picture,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{ground}\"/>"
        )
        .unwrap();
    }
    let symbols: Vec<&str> = run.iter().map(Cell::symbol).collect();
    let is_blank = |symbol: &&str| symbol.trim().is_empty();
    let Some(first) = symbols.iter().position(|symbol| !is_blank(symbol)) else { return };
    let last = symbols.iter().rposition(|symbol| !is_blank(symbol)).unwrap_or(first);
    let (x, y) = (left + first * CELL.0, top + BASELINE);
    let (length, text) = ((last + 1 - first) * CELL.0, escaped(&symbols[first..=last].concat()));
    let attributes = look.attributes();
    writeln!(
        picture,
        "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\"{attributes}>{text}</text>"
    )
    .unwrap();
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A colour as it is written in a picture; nothing for the terminal's own.
fn color(color: Color) -> Option<String> {
    let named = |at: usize| Some(NAMED[at].to_owned());
    match color {
        Color::Reset => None,
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Indexed(index @ 0..16) => named(usize::from(index)),
        Color::Indexed(index @ 16..232) => {
            let level = |at: u8| [0, 95, 135, 175, 215, 255][usize::from(at % 6)];
            let cube = index - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6), level(cube)))
        }
        Color::Indexed(index @ 232..) => {
            let level = 8 + 10 * (index - 232);
            Some(format!("#{level:02x}{level:02x}{level:02x}"))
        }
    }
}

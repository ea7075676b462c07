//! What it writes fits the terminal: its size, its colours, its signs.

use crate::terminal::{Start, Terminal, sickbay};

fn shown(start: Start) -> Terminal {
    let mut terminal = start.start();
    terminal.wait_for("worker-2");
    terminal
}

/// The numbers of every sequence that sets colours and attributes, in order.
fn renditions(written: &[u8]) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(written);
    text.split("\u{1b}[")
        .skip(1)
        .filter_map(|sequence| sequence.split_once('m'))
        .filter(|(numbers, _)| numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'))
        .map(|(numbers, _)| numbers.split(';').map(|number| number.parse().unwrap_or(0)).collect())
        .collect()
}

/// The colours that are set, by their numbers.
fn colours(written: &[u8]) -> Vec<u16> {
    let mut colours = Vec::new();
    for numbers in renditions(written) {
        let mut numbers = numbers.into_iter();
        while let Some(number) = numbers.next() {
            match number {
                38 | 48 => {
                    assert_eq!(numbers.next(), Some(5), "no true colours");
                    colours.push(numbers.next().unwrap());
                }
                30..=37 => colours.push(number - 30),
                40..=47 => colours.push(number - 40),
                90..=97 => colours.push(number - 82),
                100..=107 => colours.push(number - 92),
                _ => {}
            }
        }
    }
    colours
}

/// Rows that are in reverse from edge to edge.
fn reversed_rows(screen: &vt100::Screen) -> Vec<u16> {
    let (rows, columns) = screen.size();
    let is_reversed = |row: &u16| (0..columns.get()).all(|at| screen.cell(*row, at).unwrap().inverse());
    (0..rows.get()).filter(is_reversed).collect()
}

#[test]
fn no_color_means_no_colour_and_still_a_selected_row() {
    let mut terminal = shown(sickbay(&["--demo"]).env("NO_COLOR", "1"));
    terminal.press("2");
    terminal.wait_until("a selected node", |screen| {
        screen.contents().contains("CORDON") && reversed_rows(screen).len() == 1
    });
    let first = reversed_rows(terminal.screen());
    terminal.press("j");
    terminal.wait_until("the next one", |screen| reversed_rows(screen) == [first[0] + 1]);
    assert_eq!(colours(&terminal.written), [0_u16; 0]);
    assert!(renditions(&terminal.written).iter().flatten().any(|number| *number == 1), "bold is no colour");
}

#[test]
fn the_console_gets_sixteen_colours_and_signs_that_it_has() {
    let mut terminal = shown(sickbay(&["--demo"]).env("TERM", "linux").env("LANG", "C"));
    for (key, word) in [("2", "CORDON"), ("3", "STATUS"), ("4", "WANTED"), (":", "Commands")] {
        terminal.press(key);
        terminal.wait_until(word, |screen| screen.contents().contains(word));
    }
    let used = colours(&terminal.written);
    assert!(!used.is_empty() && used.iter().all(|colour| *colour < 16), "{used:?}");
    let written = String::from_utf8_lossy(&terminal.written);
    let foreign: String = written.chars().filter(|sign| !sign.is_ascii()).collect();
    assert_eq!(foreign, "");
}

#[test]
fn elsewhere_there_are_more_colours_and_better_signs() {
    let terminal = shown(sickbay(&["--demo"]));
    assert!(colours(&terminal.written).iter().any(|colour| *colour >= 16));
    assert!(!terminal.written.is_ascii());
}

#[test]
fn it_fits_the_terminal_and_follows_its_size() {
    let mut terminal = shown(sickbay(&["--demo"]).size(160, 48));
    for (columns, rows) in [(80, 24), (160, 48), (100, 30)] {
        terminal.resize(columns, rows);
        terminal.spoil("\u{1b}[2J\u{1b}[Hrest of another size");
        terminal.wait_until("the board in its new size", |screen| {
            let shown = screen.contents();
            let last = screen.rows(0, columns).nth(usize::from(rows) - 1).unwrap();
            shown.contains("worker-2") && !shown.contains("another size") && last.contains("Help")
        });
    }
}

#[test]
fn a_terminal_that_can_show_no_screen_is_told_so() {
    let mut terminal = sickbay(&["--demo"]).env("TERM", "dumb").start();
    assert_eq!(terminal.end(), 2);
    assert!(terminal.shown().contains("cannot show a screen"), "{}", terminal.shown());
    assert!(!terminal.written.contains(&0x1b));
}

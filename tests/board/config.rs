//! What the board shows of the user's own files, and of keys that are not complete.

use crate::harness::Board;
use sickbay::app::link::Session;
use sickbay::keymap::Keymap;

fn vim(width: u16) -> Board {
    let mut board = Board::incident(width, 24);
    board.app.keymap = Keymap::load("vim", &sickbay::assets::keymaps()).0;
    board
}

fn last_line(board: &mut Board) -> String {
    board.screen().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_header_says_how_much_is_wrong_in_the_users_files() {
    let mut board = Board::incident(80, 24);
    assert!(!board.screen().contains("config"), "{}", board.screen());
    let session = board.app.session.clone();
    board.app.session = Session { config_problems: 1, ..session.clone() };
    let screen = board.screen();
    let second = screen.lines().nth(1).unwrap();
    assert!(second.ends_with("config: 1 problem, `sickbay check`"), "{screen}");
    board.app.session = Session { config_problems: 12, ..session };
    assert!(board.screen().contains("config: 12 problems, `sickbay check`"), "{}", board.screen());
}

#[test]
fn the_last_line_tells_what_may_follow_a_key() {
    let mut board = vim(80);
    board.press("2 g");
    assert_eq!(last_line(&mut board), " g …  g Top   t Next screen   shift-t Previous screen");
    board.press("t");
    assert!(!last_line(&mut board).starts_with(" g"), "{}", board.screen());
    assert_eq!(board.app.screen().title(), "Pods");
}

#[test]
fn a_key_that_does_not_follow_ends_the_sequence_and_does_nothing() {
    let mut board = vim(80);
    board.press("2 g q");
    assert_eq!(board.app.screen().title(), "Nodes");
    assert!(board.app.pending.is_empty());
    board.press("g esc");
    assert_eq!(board.app.screen().title(), "Nodes");
}

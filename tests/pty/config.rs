//! The whole program on files that are wrong.

use crate::terminal::sickbay;
use std::path::Path;

fn folder() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad/folders/all-at-once");
    folder.to_str().unwrap().to_owned()
}

#[test]
fn the_board_starts_on_broken_files_says_so_and_lists_them() {
    let mut terminal = sickbay(&["--demo", "--config", &folder()]).start();
    terminal.wait_for("worker-2");
    terminal.wait_for("config: 3 problems, `sickbay check`");
    // Nothing that could change a cluster is sent while it is unclear whether it should be.
    terminal.wait_for("read-only");
    // The keymap extends vim, which is whole.
    terminal.press("g");
    terminal.wait_for("g Top");
    terminal.press("g");
    terminal.press("m");
    // Wherever the lines break: that depends on how long the folder's path is.
    let unbroken = |screen: &vt100::Screen| -> String {
        screen.contents().chars().filter(|c| c.is_alphanumeric() || *c == '`').collect()
    };
    terminal.wait_until("the problems one by one", |screen| {
        let words = unbroken(screen);
        words.contains("didyoumean`open`") && words.contains("didyoumean`red`")
    });
}

#[test]
fn a_flag_that_names_no_theme_is_told_before_the_screen_is_taken() {
    let mut terminal = sickbay(&["--demo", "--theme", "drak"]).start();
    assert_eq!(terminal.end(), 2);
    assert!(
        terminal.shown().contains("there is no theme `drak`; did you mean `dark`?"),
        "{}",
        terminal.shown()
    );
    assert!(!String::from_utf8_lossy(&terminal.written).contains("\u{1b}[?1049h"));
}

#[test]
fn columns_that_were_put_away_stay_away_at_the_next_start() {
    let state = tempfile::tempdir().unwrap();
    let start = || {
        let mut terminal = sickbay(&["--demo"]).env("XDG_STATE_HOME", state.path().to_str().unwrap()).start();
        terminal.press("2");
        terminal.wait_for("NAME");
        terminal
    };
    let mut terminal = start();
    terminal.wait_for("CORDON");
    terminal.press("w");
    terminal.wait_for("Columns");
    terminal.press("jj ");
    terminal.press("\u{1b}");
    terminal.wait_until("no cordon", |screen| !screen.contents().contains("CORDON"));
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), 0);

    let mut terminal = start();
    terminal.wait_for("SINCE");
    assert!(!terminal.shown().contains("CORDON"), "{}", terminal.shown());
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), 0);
}

//! However it ends, or pauses: the terminal is as it was found, and the exit code says why.

use crate::terminal::{Terminal, program, sickbay};
use rustix::process::Signal;
use sickbay::{cli, runtime};
use std::process::ExitCode;
use std::time::Duration;

/// What Triage says of the demo's incident.
const INCIDENT: &str = "worker-2";
/// Tells this executable, started again in a terminal, to be the program rather than its tests.
const PANICS: &str = "PTY_TEST_PANICS";

fn demo() -> Terminal {
    let mut terminal = sickbay(&["--demo"]).start();
    terminal.wait_for(INCIDENT);
    terminal.assert_taken();
    terminal
}

#[test]
fn it_opens_on_the_triage_of_the_demo() {
    let shown = demo().shown();
    for word in ["DEMO", "Triage", "Nodes", "Pods", "Volumes", "Node worker-2"] {
        assert!(shown.contains(word), "{word}:\n{shown}");
    }
}

#[test]
fn ctrl_c_and_a_typed_q_quit() {
    for keys in ["\u{3}", ":q\r"] {
        let mut terminal = demo();
        terminal.press(keys);
        assert_eq!(terminal.end(), 0, "{keys:?}");
        terminal.assert_restored();
        assert_eq!(terminal.shown().trim(), "", "nothing is left behind");
    }
}

#[test]
fn sigterm_ends_it_with_143() {
    let mut terminal = demo();
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end(), 143);
    terminal.assert_restored();
}

/// Not a test by itself: the program, with a thread beside it that panics when it is told to. So nothing in the
/// product has to know how to panic.
#[test]
fn the_program_beside_a_thread_that_panics() {
    if std::env::var_os(PANICS).is_none() {
        return;
    }
    std::thread::spawn(|| {
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGUSR1]).unwrap();
        assert_eq!(signals.forever().next(), None, "a thread fell over");
    });
    let code = runtime::run(&cli::parse(["sickbay", "--demo"].map(Into::into)).unwrap());
    std::process::exit(if code == ExitCode::from(101) { 101 } else { 1 });
}

#[test]
fn a_panic_restores_the_terminal_before_its_message_is_printed() {
    let this = std::env::current_exe().unwrap();
    let child = ["leaving::the_program_beside_a_thread_that_panics", "--exact", "--nocapture"];
    let mut terminal = program(this, &child).env(PANICS, "1").start();
    terminal.wait_for(INCIDENT);
    terminal.assert_taken();
    terminal.signal(Signal::USR1);
    assert_eq!(terminal.end(), 101);
    terminal.assert_restored();
    // On the alternate screen it would be gone by now.
    assert!(terminal.shown().contains("a thread fell over"), "{}", terminal.shown());
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_draws_everything_again() {
    // Only a shell with job control can stop a program and let it go on.
    let mut terminal = program("bash", &["--norc", "--noprofile", "-i"]).env("PS1", "shell> ").start();
    terminal.wait_for("shell>");
    terminal.press(&format!("{} --demo\r", env!("CARGO_BIN_EXE_sickbay")));
    let is_board = |screen: &vt100::Screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains(INCIDENT)
    };
    let is_shell = |screen: &vt100::Screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("shell>")
    };
    terminal.wait_until("the board", is_board);
    // Twice, because what was remembered of the terminal may be wrong the second time.
    for _ in 0..2 {
        terminal.press("\u{1a}");
        terminal.wait_until("the shell", is_shell);
        assert!(terminal.shown().contains("Stopped"), "{}", terminal.shown());
        assert!(!terminal.screen().hide_cursor());
        terminal.press("clear; fg\r");
        terminal.wait_until("the board again", is_board);
    }
    terminal.press("\u{3}");
    terminal.wait_until("the shell", is_shell);
    terminal.press("exit\r");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn stopped_by_someone_else_it_takes_the_terminal_again_when_it_goes_on() {
    let mut terminal = demo();
    terminal.signal(Signal::STOP);
    terminal.wait_until_stopped();
    terminal.spoil("\u{1b}[?1049l\u{1b}[?25h\u{1b}[2J");
    assert!(!terminal.shown().contains(INCIDENT));
    terminal.signal(Signal::CONT);
    terminal.wait_until("the board again", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains(INCIDENT)
    });
    terminal.assert_taken();
}

#[test]
fn a_hang_up_ends_it_within_a_second_and_without_spinning() {
    for is_told in [false, true] {
        let mut terminal = demo();
        let used = terminal.cpu();
        if is_told {
            terminal.signal(Signal::HUP);
        } else {
            terminal.hang_up();
        }
        let (took, used_by_the_end) = terminal.wait_for_end();
        let used = used_by_the_end.saturating_sub(used);
        assert!(took < Duration::from_secs(1), "told: {is_told}, {took:?}");
        assert!(used < Duration::from_millis(200), "told: {is_told}, {used:?} of a processor");
        assert_eq!(terminal.end(), 129, "told: {is_told}");
    }
}

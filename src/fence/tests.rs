//! Real programs: small scripts, and pipes that tell when the last of their processes is gone.

use super::*;
use crate::actions::errand::Purpose;
use crate::cluster::{Kind, Name, ObjectRef};
use jiff::SignedDuration;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use tempfile::TempDir;

const LONG: SignedDuration = SignedDuration::from_secs(60);

fn errand(argv: &[&str], limit: SignedDuration) -> Errand {
    Errand {
        purpose: Purpose::SwitchOff,
        node: ObjectRef { kind: Kind::Node, name: Name::cluster("worker-2"), uid: "u-2".into() },
        boot: Text::default(),
        id: Text::default(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        limit,
        check: None,
        means_off: Text::default(),
        cluster: Text::default(),
    }
}

/// A program in a folder of its own, written by another process: what this one has open for writing when some other
/// test forks cannot be started.
fn script(dir: &TempDir, body: &str) -> String {
    let path = dir.path().join("fence");
    let mut shell = Command::new("sh")
        .args(["-c", r#"cat > "$0" && chmod 755 "$0""#])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let body = body.replace("$DIR", dir.path().to_str().unwrap());
    shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{body}\n").as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
    path.to_str().unwrap().to_owned()
}

async fn ran(body: &str) -> Ran {
    let dir = TempDir::new().unwrap();
    run(&errand(&[&script(&dir, body)], LONG), false).await
}

/// A pipe whose reader ends when everybody who holds its other end is gone.
fn pipe(dir: &Path) -> PathBuf {
    let path = dir.join("alive");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn read_until_all_are_gone(path: PathBuf) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        File::open(path).unwrap().read_to_string(&mut text).unwrap();
        text
    })
}

fn words(lines: &[Text]) -> Vec<&str> {
    lines.iter().map(Text::as_str).collect()
}

#[tokio::test]
async fn how_it_ends_and_what_it_says_is_told() {
    let ran = ran("echo one; echo two; echo oh >&2; exit 3").await;
    assert_eq!(ran.ended, Ended::Exited { code: 3 });
    assert_eq!(words(&ran.said), ["one", "two"]);
    assert_eq!(words(&ran.complained), ["oh"]);
    assert_eq!(ran.summary(), "exit code 3: one | two | oh");
}

#[tokio::test]
async fn a_signal_is_no_success() {
    let ran = ran("kill -9 $$").await;
    assert_eq!(ran.ended, Ended::Killed { signal: 9 });
    assert!(!ran.ended.is_success());
}

#[tokio::test]
async fn arguments_arrive_whole_and_no_shell_reads_them() {
    let dir = TempDir::new().unwrap();
    let program = script(&dir, r#"printf '<%s>\n' "$@""#);
    let ran = run(&errand(&[&program, "a b", "$(id)", "*", "", "; exit 1"], LONG), false).await;
    assert!(ran.ended.is_success());
    assert_eq!(words(&ran.said), ["<a b>", "<$(id)>", "<*>", "<>", "<; exit 1>"]);
}

#[tokio::test]
async fn it_has_nothing_to_read_and_no_terminal() {
    let ran = ran("cat; (: < /dev/tty) 2>/dev/null && echo terminal; echo done").await;
    assert_eq!(words(&ran.said), ["done"]);
}

#[tokio::test]
async fn what_it_prints_is_bounded_and_cannot_move_a_cursor() {
    let ran = ran(r"yes 0123456789 | head -n 100000; printf 'the \033[31mend\007\n'").await;
    assert!(ran.ended.is_success());
    assert!(ran.said.len() <= MOST_LINES, "{}", ran.said.len());
    let last = ran.said.last().unwrap();
    assert!(last.contains("end") && !last.chars().any(char::is_control), "{last:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_and_nothing_is_run() {
    let ran = run(&errand(&["no-such-program-anywhere", "x"], LONG), false).await;
    assert_eq!(
        ran.ended.to_string(),
        "not run: no-such-program-anywhere: it is not installed, or not in PATH"
    );
}

#[tokio::test]
async fn in_a_read_only_session_nothing_is_run() {
    let dir = TempDir::new().unwrap();
    let program = script(&dir, "touch $DIR/was-run");
    let ran = run(&errand(&[&program], LONG), true).await;
    assert_eq!(ran.ended.to_string(), "not run: this session is read-only");
    assert!(!dir.path().join("was-run").exists());
}

#[tokio::test]
async fn when_its_time_is_over_all_of_it_is_killed() {
    let dir = TempDir::new().unwrap();
    let reader = read_until_all_are_gone(pipe(dir.path()));
    let program = script(&dir, "exec 3> $DIR/alive; echo begun >&3; sleep 1000 & sleep 1000");
    let ran = run(&errand(&[&program], SignedDuration::from_millis(500)), false).await;
    assert_eq!(ran.ended, Ended::TimedOut { seconds: 0 });
    assert_eq!(reader.join().unwrap(), "begun\n");
}

#[tokio::test]
async fn what_is_given_up_is_killed_with_all_that_it_started() {
    let dir = TempDir::new().unwrap();
    let alive = pipe(dir.path());
    let program = script(&dir, "exec 3> $DIR/alive; echo begun >&3; sleep 1000 & sleep 1000");
    let running = tokio::spawn(async move { run(&errand(&[&program], LONG), false).await });
    // Opening it waits until the script has, so it is under way.
    let mut opened = tokio::task::spawn_blocking(move || File::open(alive).unwrap()).await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    let mut text = String::new();
    opened.read_to_string(&mut text).unwrap();
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_not_waited_for() {
    let dir = TempDir::new().unwrap();
    let reader = read_until_all_are_gone(pipe(dir.path()));
    // It keeps both streams, and the pipe.
    let program = script(&dir, "exec 3> $DIR/alive; sleep 1000 & echo done");
    let ran = run(&errand(&[&program], LONG), false).await;
    assert!(ran.ended.is_success());
    assert_eq!(words(&ran.said), ["done"]);
    // And is not left there either.
    assert_eq!(reader.join().unwrap(), "");
}

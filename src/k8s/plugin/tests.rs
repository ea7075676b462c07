//! Plugins as small scripts: what they are told, what they may answer, and what each failure says.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use secrecy::ExposeSecret;
use serde_json::json;
use tempfile::TempDir;

use super::*;

const V1: &str = "client.authentication.k8s.io/v1";

/// A plugin that is a shell script; `$DIR` is its directory.
fn script(dir: &Path, body: &str) -> ExecConfig {
    let path = dir.join("plugin");
    let body = body.replace("$DIR", dir.to_str().unwrap());
    write_program(&path, &format!("#!/bin/sh\n{body}\n"));
    ExecConfig {
        api_version: Some(V1.to_owned()),
        command: path.to_str().map(str::to_owned),
        ..ExecConfig::default()
    }
}

/// Writes a program from another process: a file that this one has open for writing when some other test forks
/// cannot be started ("text file busy").
fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", r#"cat > "$0" && chmod 755 "$0""#])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

fn answer(status: &str) -> String {
    format!(r#"echo '{{"kind":"ExecCredential","apiVersion":"{V1}","status":{status}}}'"#)
}

async fn run_script(body: &str) -> Result<Credential, String> {
    let dir = TempDir::new().unwrap();
    let exec = script(dir.path(), body);
    let outcome = run(&exec, None, Terminal::Taken).await;
    outcome.map_err(|error| error.to_string().replace(dir.path().to_str().unwrap(), "~"))
}

async fn complaint(body: &str) -> String {
    run_script(body).await.unwrap_err()
}

#[tokio::test]
async fn a_token_comes_with_its_end() {
    let credential =
        run_script(&answer(r#"{"token":"abc","expirationTimestamp":"2030-01-02T03:04:05Z"}"#)).await.unwrap();
    assert_eq!(credential.token.unwrap().expose_secret(), "abc");
    assert_eq!(credential.expires.unwrap().to_string(), "2030-01-02T03:04:05Z");
    assert!(credential.identity.is_none());
}

#[tokio::test]
async fn yaml_is_an_answer_too() {
    let yaml = format!("cat <<X\nkind: ExecCredential\napiVersion: {V1}\nstatus:\n  token: abc\nX");
    assert_eq!(run_script(&yaml).await.unwrap().token.unwrap().expose_secret(), "abc");
}

#[tokio::test]
async fn the_plugin_is_told_what_the_kubeconfig_says() {
    let dir = TempDir::new().unwrap();
    let body = format!(
        "printf %s \"$KUBERNETES_EXEC_INFO\" > $DIR/info; echo \"$PLACE $1 $2\" > $DIR/rest; {}",
        answer(r#"{"token":"t"}"#)
    );
    let exec = ExecConfig {
        args: Some(vec!["get".to_owned(), "a token".to_owned()]),
        env: Some(vec![HashMap::from([
            ("name".to_owned(), "PLACE".to_owned()),
            ("value".to_owned(), "here".to_owned()),
        ])]),
        ..script(dir.path(), &body)
    };
    let cluster = ExecAuthCluster {
        server: Some("https://10.0.0.1:6443".to_owned()),
        certificate_authority_data: Some(b"pem".to_vec()),
        config: Some(json!({"audience": "ops"})),
        ..ExecAuthCluster::default()
    };
    run(&exec, Some(cluster), Terminal::Taken).await.unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("rest")).unwrap(), "here get a token\n");
    let info: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("info")).unwrap()).unwrap();
    assert_eq!(
        info,
        json!({
            "kind": "ExecCredential",
            "apiVersion": V1,
            "spec": {
                "interactive": false,
                "cluster": {
                    "server": "https://10.0.0.1:6443",
                    "certificate-authority-data": "cGVt",
                    "config": {"audience": "ops"},
                },
            },
        })
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_plugin_has_no_terminal_to_draw_on() {
    let dir = TempDir::new().unwrap();
    let body = format!(
        "cut -d' ' -f6 /proc/$$/stat > $DIR/session; echo $$ > $DIR/own; (: > /dev/tty) 2>/dev/null && touch $DIR/tty; {}",
        answer(r#"{"token":"t"}"#)
    );
    run(&script(dir.path(), &body), None, Terminal::Taken).await.unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("session"), read("own"), "it leads a session of its own");
    assert!(!dir.path().join("tty").exists());
}

#[tokio::test]
async fn a_missing_plugin_is_answered_with_its_hint() {
    let exec = |hint: Option<&str>| ExecConfig {
        api_version: Some(V1.to_owned()),
        command: Some("sickbay-no-such-plugin".to_owned()),
        install_hint: hint.map(str::to_owned),
        ..ExecConfig::default()
    };
    let text = async |hint| run(&exec(hint), None, Terminal::Taken).await.unwrap_err().to_string();
    assert_eq!(
        text(Some("get it\nfrom example.com")).await,
        "the credential plugin sickbay-no-such-plugin is not installed or not in PATH; get it from example.com"
    );
    assert_eq!(
        text(None).await,
        "the credential plugin sickbay-no-such-plugin is not installed or not in PATH; \
         install it, or correct the command of this user"
    );
}

#[tokio::test]
async fn a_failure_shows_the_last_words_and_no_secret() {
    let body =
        "echo s3cret; printf 'one\\ntwo\\n\\033[31mtoken expired\\033[0m\\n\\nlog in again\\n' >&2; exit 7";
    assert_eq!(
        complaint(body).await,
        "the credential plugin ~/plugin failed (exit code 7): two | token expired | log in again; run it by hand"
    );
    assert_eq!(
        complaint("kill -9 $$").await,
        "the credential plugin ~/plugin failed (signal 9); run it by hand"
    );
}

#[tokio::test]
async fn long_complaints_keep_their_end() {
    let text = complaint(
        "i=0; while [ $i -lt 3000 ]; do printf 'chatter ' >&2; i=$((i+1)); done; echo the end >&2; exit 1",
    )
    .await;
    assert!(text.contains("exit code 1): …"), "{text}");
    assert!(text.ends_with("the end; run it by hand"), "{text}");
    assert!(text.len() < 500, "{} bytes", text.len());
}

#[tokio::test]
async fn rubbish_is_told_apart_and_never_quoted() {
    let other = "client.authentication.k8s.io/v1beta1";
    let cases = [
        ("true".to_owned(), "it printed nothing"),
        ("echo s3cret".to_owned(), "it is neither JSON nor YAML of an ExecCredential"),
        (r#"echo '{"kind":"s3cret"}'"#.to_owned(), "its kind is not ExecCredential"),
        (
            format!(
                r#"echo '{{"kind":"ExecCredential","apiVersion":"{other}","status":{{"token":"s3cret"}}}}'"#
            ),
            "its apiVersion is not client.authentication.k8s.io/v1",
        ),
        (answer("{}"), "it holds neither a token nor a client certificate"),
        (answer(r#"{"token":""}"#), "it holds neither a token nor a client certificate"),
        (answer(r#"{"clientKeyData":"s3cret"}"#), "it holds only one of client certificate and key"),
        (
            answer(r#"{"token":"s3cret","expirationTimestamp":"s3cret"}"#),
            "its expirationTimestamp is no time",
        ),
    ];
    for (body, reason) in cases {
        assert_eq!(
            complaint(&body).await,
            format!(
                "the credential plugin ~/plugin answered with something else than credentials: {reason}; run it by hand"
            ),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_plugin_that_hangs_is_ended_with_its_children() {
    let dir = TempDir::new().unwrap();
    // Only the end of the child can end the pipe that this test waits for.
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let exec = script(dir.path(), "echo waiting for a phone >&2\nsh -c 'sleep 1000' > $DIR/pipe");
    let reading = tokio::spawn(tokio::fs::read(pipe));
    let error = run_within(&exec, None, Terminal::Taken, Duration::from_secs(1)).await.unwrap_err();
    let text = error.to_string().replace(dir.path().to_str().unwrap(), "~");
    assert_eq!(
        text,
        "the credential plugin ~/plugin gave no answer within 1 s: waiting for a phone; run it by hand"
    );
    assert_eq!(reading.await.unwrap().unwrap(), b"");
}

#[tokio::test]
async fn a_browser_left_open_does_not_hold_us() {
    let started = std::time::Instant::now();
    // It has an output of its own, and inherits only the pipe for complaints.
    let body = format!("sleep 20 > /dev/null & {}", answer(r#"{"token":"t"}"#));
    run_script(&body).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn what_must_ask_cannot_run_without_a_terminal() {
    let dir = TempDir::new().unwrap();
    let exec = ExecConfig {
        interactive_mode: Some(ExecInteractiveMode::Always),
        ..script(dir.path(), &format!("touch $DIR/ran; {}", answer(r#"{"token":"t"}"#)))
    };
    let error = run(&exec, None, Terminal::Taken).await.unwrap_err();
    assert!(matches!(error, PluginError::NeedsTerminal { .. }));
    assert!(!dir.path().join("ran").exists());
}

#[tokio::test]
async fn versions_that_kubectl_dropped_are_refused() {
    let exec = |version: &str| ExecConfig {
        api_version: Some(version.to_owned()),
        command: Some("aws".to_owned()),
        ..ExecConfig::default()
    };
    let error = run(&exec("client.authentication.k8s.io/v1alpha1"), None, Terminal::Taken).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the credential plugin aws is configured for client.authentication.k8s.io/v1alpha1, which is no longer spoken; \
         update the kubeconfig to client.authentication.k8s.io/v1"
    );
}

//! `exec`: what the command finds, what becomes of signals, and that nothing is left when it has ended.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::companion::PROGRAM;
use crate::process;

/// `exec` with its state in `dir`, for the words after it.
fn exec(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .arg("exec")
        .args(words)
        .env("TMPDIR", dir)
        .env("PROGRAM", PROGRAM)
        .env_remove("SCALR_EVENTBRIDGE_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(command: &mut Command) -> Output {
    let output = tokio::time::timeout(crate::PATIENCE, command.output()).await;
    output.expect("it ends").expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn code(child: &mut Child) -> Option<i32> {
    let ended = tokio::time::timeout(crate::PATIENCE, child.wait()).await;
    ended.expect("it ends").expect("it can be waited for").code()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_finds_both_servers_which_end_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        "$PROGRAM" connections list > /dev/null || exit 1
        "$PROGRAM" tail no-such-group 2>&1 | grep -q no-such-group || exit 2
        echo "$SCALR_HOSTNAME" && echo "$AWS_ENDPOINT_URL"
        echo "$AWS_ACCESS_KEY_ID $AWS_REGION $AWS_DEFAULT_REGION $TF_VAR_workspace_id"
        echo "${AWS_PROFILE:-none} ${AWS_ENDPOINT_URL_EVENTBRIDGE:-none} $NO_PROXY"
        exit 7"#;
    let words = [
        "--account",
        "210987654321",
        "--region",
        "eu-west-1",
        "--",
        "sh",
        "-c",
        script,
    ];
    let output = run(exec(dir.path(), &words)
        .env("AWS_PROFILE", "elsewhere")
        .env("AWS_ENDPOINT_URL_EVENTBRIDGE", "https://elsewhere.example")
        .env("NO_PROXY", "a.example")
        .env_remove("no_proxy"))
    .await;
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(7), "{printed}{}", text(&output.stderr));
    let lines: Vec<_> = printed.lines().collect();
    let [scalr, aws, settings, replaced] = lines.as_slice() else {
        panic!("{printed}")
    };
    assert_eq!(*settings, "210987654321 eu-west-1 eu-west-1 ws-v0local");
    assert_eq!(*replaced, "none none a.example,127.0.0.1,localhost");
    for url in [scalr, aws] {
        let gone = reqwest::get(*url).await.expect_err("it has ended");
        assert!(gone.is_connect(), "{gone:?}");
    }
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "its state is deleted"
    );
}

/// The command's group is its own, so that it gets a signal once, and the servers answer until it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reaches_the_command_and_the_servers_outlast_it() {
    let handles = r#"
        trap 'kill $!; "$PROGRAM" connections list > /dev/null && exit 9' INT TERM
        kill -0 "-$$" || exit 3
        sleep 1000 &
        echo ready
        wait"#;
    let ignorant = "echo ready; exec sleep 1000";
    for (script, signal, wanted) in [
        (handles, "INT", 9),
        (handles, "TERM", 9),
        (ignorant, "INT", 130),
        (ignorant, "TERM", 143),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = exec(dir.path(), &["--", "sh", "-c", script]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = process::lines(&mut child);
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
        process::signal(&process::pid(&child), signal).await;
        assert_eq!(code(&mut child).await, Some(wanted), "{script} {signal}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

/// `script` gives the command a terminal, which sends Ctrl-C to all processes in its foreground: `exec` sends nothing more.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_ctrl_c_reaches_the_command_once() {
    let dir = tempfile::tempdir().unwrap();
    let counts = r#"
        trap 'n=$((n + 1)); kill $!' INT
        sleep 1000 &
        echo ready
        wait
        "$PROGRAM" connections list > /dev/null || exit 3
        exit $((n + 40))"#;
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .args([r#""$PROGRAM" exec -- sh -c "$COUNTS""#, "/dev/null"])
        .env("PROGRAM", PROGRAM)
        .env("COUNTS", counts)
        .env("TMPDIR", dir.path())
        .env_remove("SCALR_EVENTBRIDGE_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = process::lines(&mut child);
    let ready = lines.next_line().await.unwrap();
    assert_eq!(ready.as_deref().map(str::trim), Some("ready"));
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(b"\x03").await.unwrap();
    assert_eq!(code(&mut child).await, Some(41));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_start_has_a_code_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_string_lossy().into_owned();
    for (words, wanted, said) in [
        (
            &["--", "no-such-command"][..],
            127,
            "cannot start `no-such-command`",
        ),
        (&["--", &file], 126, "cannot start"),
        (
            &["--scalr-listen", "0.0.0.0:0", "--", "true"],
            125,
            "--allow-remote",
        ),
        (&["--nonsense", "true"], 2, "--nonsense"),
        (&[], 2, "<COMMAND>..."),
        (&["true"], 0, ""),
    ] {
        let output = run(&mut exec(dir.path(), words)).await;
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(wanted), "{words:?}: {error}");
        assert!(error.contains(said), "{words:?}: {error}");
    }
}

#[tokio::test]
async fn completions_and_manual_pages_name_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man1").to_string_lossy().into_owned();
    for (words, needle) in [
        (&["completions", "bash"][..], "complete -F _scalr__eventbridge"),
        (&["completions", "zsh"], "#compdef scalr-eventbridge"),
        (&["completions", "fish"], "complete -c scalr-eventbridge"),
        (&["man"], ".TH scalr-eventbridge 1  \"scalr-eventbridge 0."),
        (
            &["man", "connections", "list"],
            ".TH scalr-eventbridge-connections-list 1  \"scalr-eventbridge 0.",
        ),
        (&["man", "--dir", &pages], ""),
    ] {
        let output = run(Command::new(PROGRAM).args(words)).await;
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(needle), "{words:?}");
    }
    for page in [
        "scalr-eventbridge.1",
        "scalr-eventbridge-exec.1",
        "scalr-eventbridge-connections-list.1",
    ] {
        assert!(dir.path().join("man1").join(page).is_file(), "{page}");
    }
    let output = run(Command::new(PROGRAM).args(["man", "nonsense"])).await;
    assert!(text(&output.stderr).contains("there is no command `nonsense`"));
}

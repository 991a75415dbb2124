//! `exec`: what the command finds, what becomes of signals, and that nothing is left when it has ended.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::companion::PROGRAM;
use crate::process;

/// `exec` with its state in `dir`, for the words after it.
fn exec(dir: &Path, words: &[&str]) -> Command {
    exec_by(&[], dir, words)
}

/// The same, started by the words before it.
fn exec_by(starter: &[&str], dir: &Path, words: &[&str]) -> Command {
    let line = [starter, &[PROGRAM, "exec"]].concat();
    let mut command = Command::new(line[0]);
    command
        .args(&line[1..])
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

/// The name of a connection that one companion has, whatever else is at its address later.
const OURS: &str = "of-this-companion";

/// Whether the servers at these addresses have our connection: Scalr's API, the local AWS.
async fn have_ours(scalr: &str, token: &str, aws: &str) -> [bool; 2] {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let integrations = format!("{scalr}/api/iacp/v3/integrations/aws-event-bridge");
    let signed =
        "AWS4-HMAC-SHA256 Credential=210987654321/20260101/eu-west-1/events/aws4_request, Signature=none";
    let sources = http
        .post(aws)
        .header("authorization", signed)
        .header("x-amz-target", "AWSEvents.ListEventSources")
        .header("content-type", "application/x-amz-json-1.1")
        .body("{}");
    let has = async |request: reqwest::RequestBuilder| {
        let answer = async { request.send().await?.text().await };
        // A stranger may do anything, hold the line too.
        let answer = timeout(crate::PATIENCE, answer).await;
        matches!(answer, Ok(Ok(text)) if text.contains(OURS))
    };
    [
        has(http.get(integrations).bearer_auth(token)).await,
        has(sources).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_finds_both_servers_which_end_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        "$PROGRAM" connections create "$OURS" --aws-account-id 210987654321 --region eu-west-1 > /dev/null || exit 1
        "$PROGRAM" tail no-such-group 2>&1 | grep -q no-such-group || exit 2
        echo "$SCALR_HOSTNAME $SCALR_TOKEN $AWS_ENDPOINT_URL"
        echo "$AWS_ACCESS_KEY_ID $AWS_REGION $AWS_DEFAULT_REGION $TF_VAR_workspace_id"
        echo "${AWS_PROFILE:-none} ${AWS_ENDPOINT_URL_EVENTBRIDGE:-none} $NO_PROXY"
        read -r _
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
    let mut child = exec(dir.path(), &words)
        .env("OURS", OURS)
        .env("AWS_PROFILE", "elsewhere")
        .env("AWS_ENDPOINT_URL_EVENTBRIDGE", "https://elsewhere.example")
        .env("NO_PROXY", "a.example")
        .env_remove("no_proxy")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = process::lines(&mut child);
    let mut printed = Vec::new();
    for _ in 0..3 {
        printed.push(lines.next_line().await.unwrap().expect("three lines are printed"));
    }
    assert_eq!(printed[1], "210987654321 eu-west-1 eu-west-1 ws-v0local");
    assert_eq!(printed[2], "none none a.example,127.0.0.1,localhost");
    let [scalr, token, aws]: [&str; 3] = printed[0]
        .split(' ')
        .collect::<Vec<_>>()
        .try_into()
        .expect("two addresses and a token");
    assert_eq!(have_ours(scalr, token, aws).await, [true, true]);
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(b"\n").await.unwrap();
    assert_eq!(code(&mut child).await, Some(7));
    // Other servers may have these ports by now.
    assert_eq!(have_ours(scalr, token, aws).await, [false, false]);
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "its state is deleted"
    );
}

/// Which account is meant, the caller's settings alone say.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_real_aws_the_command_keeps_the_callers_settings_of_aws() {
    let script = r#"
        echo "$AWS_PROFILE $AWS_REGION ${AWS_DEFAULT_REGION:-none} ${AWS_ENDPOINT_URL:-none} ${AWS_ACCESS_KEY_ID:-none}"
        test "$SCALR_TOKEN" != of-the-caller && "$PROGRAM" connections list > /dev/null"#;
    for (region, wanted) in [
        (&[][..], "production eu-north-1 none none none\n"),
        (
            &["--region", "eu-west-1"],
            "production eu-west-1 eu-west-1 none none\n",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = ["--aws-endpoint", "https://aws.invalid"];
        let words = [&endpoint, region, &["--", "sh", "-c", script]].concat();
        let output = run(exec(dir.path(), &words)
            .env("AWS_PROFILE", "production")
            .env("AWS_REGION", "eu-north-1")
            .env("SCALR_TOKEN", "of-the-caller")
            .env_remove("AWS_DEFAULT_REGION")
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_ACCESS_KEY_ID"))
        .await;
        let error = text(&output.stderr);
        assert_eq!(text(&output.stdout), wanted, "{error}");
        assert_eq!(output.status.code(), Some(0), "{error}");
    }
}

/// A client that trusts one file alone would else refuse AWS, and every registry.
#[tokio::test(flavor = "multi_thread")]
async fn with_tls_the_command_trusts_what_its_caller_trusts_as_well() {
    let dir = tempfile::tempdir().unwrap();
    // An authority of the caller's: any will do.
    let other = dir.path().join("other");
    let other = other.to_str().unwrap();
    let kept = run(&mut exec(
        dir.path(),
        &["--tls", "--data-dir", other, "--", "true"],
    ))
    .await;
    assert!(kept.status.success(), "{}", text(&kept.stderr));
    let callers = dir.path().join("other/tls/ca.pem");
    let script = r#"
        cat "$SSL_CERT_FILE"
        "$PROGRAM" connections list > /dev/null"#;
    for aws in [&[][..], &["--aws-endpoint", "https://aws.invalid"]] {
        let words = [&["--tls"], aws, &["--", "sh", "-c", script]].concat();
        let output = run(exec(dir.path(), &words)
            .env("SSL_CERT_FILE", &callers)
            .env_remove("SSL_CERT_DIR"))
        .await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        let trusted = text(&output.stdout);
        let wanted = std::fs::read_to_string(&callers).unwrap();
        assert!(trusted.contains(&wanted), "{trusted}");
        assert_eq!(
            trusted.matches("BEGIN CERTIFICATE").count(),
            2,
            "the caller's and our own"
        );
    }
}

/// The command's group is its own, so that it gets a signal once, and the servers answer until it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reaches_the_command_and_the_servers_outlast_it() {
    // The inner process says when: until then it has the traps of its parent, and would outlive the `kill`.
    let handles = r#"
        trap 'kill $!; "$PROGRAM" connections list > /dev/null && exit 9' INT TERM QUIT HUP
        kill -0 "-$$" || exit 3
        { echo ready; exec sleep 1000; } &
        wait"#;
    let ignorant = "ulimit -c 0; echo ready; exec sleep 1000";
    // The tests themselves may have been started with it ignored.
    let hears_hangup: &[&str] = if cfg!(target_os = "linux") {
        &["env", "--default-signal=HUP"]
    } else {
        &[]
    };
    for (script, signal, wanted) in [
        (handles, "INT", 9),
        (handles, "TERM", 9),
        (handles, "QUIT", 9),
        (handles, "HUP", 9),
        (ignorant, "INT", 130),
        (ignorant, "TERM", 143),
        (ignorant, "QUIT", 131),
        (ignorant, "HUP", 129),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = exec_by(hears_hangup, dir.path(), &["--", "sh", "-c", script]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = process::lines(&mut child);
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
        process::signal(&process::pid(&child), signal).await;
        assert_eq!(code(&mut child).await, Some(wanted), "{script} {signal}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

/// What `nohup` has started does not end with the session; neither does its command.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_that_is_ignored_is_ignored_by_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        grep '^SigIgn:' "/proc/$$/status"
        read -r _
        exit 7"#;
    let mut child = exec_by(&["nohup"], dir.path(), &["--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = process::lines(&mut child);
    let ignored = lines.next_line().await.unwrap().unwrap();
    let mask = ignored.split_whitespace().next_back().unwrap();
    let mask = u64::from_str_radix(mask, 16).unwrap();
    assert_eq!(mask & 1, 1, "{ignored}");
    process::signal(&process::pid(&child), "HUP").await;
    child.stdin.take().unwrap().write_all(b"\n").await.unwrap();
    assert_eq!(code(&mut child).await, Some(7));
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
        // Without a shell between, which Ctrl-C would end as well, with a code of its own.
        .args([r#"exec "$PROGRAM" exec -- sh -c "$COUNTS""#, "/dev/null"])
        .env("PROGRAM", PROGRAM)
        .env("COUNTS", counts)
        .env("TMPDIR", dir.path())
        .env_remove("SHELL")
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
            2,
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

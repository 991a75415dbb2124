//! The command line: the printed line, graceful ends, TLS, state across restarts, and each command.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, dev};
use crate::process;

/// Runs a command with the variables that `dev` prints.
async fn type_in(companion: &Companion, args: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(args)
        .env("SCALR_HOSTNAME", companion.text("/scalr/hostname"))
        .env("SCALR_TOKEN", companion.text("/scalr/token"))
        .env("AWS_ENDPOINT_URL", companion.text("/aws/endpoint"))
        .env("AWS_ACCESS_KEY_ID", companion.text("/aws/account_id"))
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .env("AWS_REGION", "us-east-1")
        .output()
        .await
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_line_has_the_documented_members_and_sigterm_ends_dev() {
    let c = Companion::spawn(dev()).await;
    let keys = |pointer: &str| -> Vec<String> {
        c.line
            .pointer(pointer)
            .and_then(Value::as_object)
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(""), ["aws", "console", "scalr"]);
    assert_eq!(keys("/console"), ["url"]);
    assert_eq!(
        keys("/aws"),
        ["account_id", "endpoint", "partner_account_id", "region"]
    );
    assert_eq!(
        keys("/scalr"),
        [
            "account_id",
            "account_name",
            "environment_id",
            "hostname",
            "token",
            "workspace_id"
        ]
    );
    assert_eq!(c.text("/aws/account_id"), "123456789012");
    assert!(c.text("/scalr/hostname").starts_with("http://127.0.0.1:"));
    assert!(c.stop().await, "SIGTERM ends it with success");
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_line_is_printed_and_the_ports_are_the_requested_ones() {
    let free = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let (scalr, aws) = (free(), free());
    let mut command = dev();
    command.args(["--scalr-listen", &scalr, "--aws-listen", &aws]);
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = process::lines(&mut child);
    let line = lines.next_line().await.unwrap().unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["scalr"]["hostname"], format!("http://{scalr}"));
    assert_eq!(line["aws"]["endpoint"], format!("http://{aws}"));
    // Both answer by then.
    for address in [&scalr, &aws] {
        tokio::net::TcpStream::connect(address).await.unwrap();
    }
    let taken = dev().args(["--scalr-listen", &scalr]).output().await.unwrap();
    assert!(!taken.status.success());
    let stderr = text(&taken.stderr);
    assert!(
        stderr.contains(&format!("cannot listen on `{scalr}`")),
        "{stderr}"
    );
    assert_eq!(text(&taken.stdout), "");

    assert!(process::terminate(&mut child).await);
    assert_eq!(lines.next_line().await.unwrap(), None, "nothing after the line");
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_kept_and_a_directory_has_one_user() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let kept = || {
        let mut command = dev();
        command.arg("--data-dir").arg(dir.path());
        command
    };
    let c = Companion::spawn(kept()).await;
    let (token, id) = (
        c.text("/scalr/token").to_owned(),
        c.connect("prod", "us-east-1").await,
    );
    for file in ["companion.sqlite", "companion.sqlite-wal"] {
        let mode = std::fs::metadata(dir.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "others can read {file}");
    }
    let second = kept().output().await.unwrap();
    assert!(!second.status.success());
    assert!(
        text(&second.stderr).contains("another process uses the data directory"),
        "{}",
        text(&second.stderr)
    );
    assert!(c.stop().await);
    let c = Companion::spawn(kept()).await;
    assert_eq!(c.text("/scalr/token"), token);
    assert_eq!(
        c.connection(&id).await["event-source"],
        "aws.partner/scalr.com/local/prod"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn https_with_a_self_signed_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = dev();
    command.arg("--tls").arg("--data-dir").arg(dir.path());
    let c = Companion::spawn(command).await;
    let host = c.text("/scalr/hostname");
    assert!(host.starts_with("https://127.0.0.1:"));
    let ca = std::fs::read(dir.path().join("tls/ca.pem")).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let trusting = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    let port = host.rsplit(':').next().unwrap();
    for name in ["127.0.0.1", "localhost"] {
        let found = trusting
            .get(format!("https://{name}:{port}/.well-known/terraform.json"))
            .send()
            .await
            .unwrap();
        assert_eq!(found.status(), 200, "{name}");
    }
    let url = format!("{host}/.well-known/terraform.json");
    assert!(reqwest::get(url).await.is_err(), "no client trusts it by default");
}

#[tokio::test]
async fn an_event_is_printed_without_a_companion() {
    let emit = |args: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["emit", "run-executed", "--set", "result=errored"]);
        command.args(args);
        command.env_remove("SCALR_HOSTNAME").env_remove("SCALR_TOKEN");
        command
    };
    let printed = emit(&["--print"]).output().await.unwrap();
    let event: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(event["detail"]["event"]["result"], "errored");
    let refused = emit(&[]).output().await.unwrap();
    let stderr = text(&refused.stderr);
    assert!(
        !refused.status.success() && stderr.contains("SCALR_HOSTNAME"),
        "{stderr}"
    );
}

/// A command that fails with this message.
async fn refused(companion: &Companion, args: &[&str], message: &str) {
    let output = type_in(companion, args).await;
    assert!(!output.status.success(), "{args:?}");
    let stderr = text(&output.stderr);
    assert!(stderr.contains(message), "{args:?}: {stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_that_users_type() {
    let c = Companion::spawn(dev()).await;
    refused(&c, &["emit", "run-executed"], "no connection to send it on").await;
    let id = c.connect("prod", "us-east-1").await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    aws.receive("us-east-1", "aws.partner/scalr.com/local/prod").await;
    assert_eq!(c.set_status(&id, "active").await, "active");

    let ran = type_in(&c, &["run", c.text("/scalr/workspace_id")]).await;
    let lines = text(&ran.stdout);
    assert!(lines.trim_end().ends_with(" applied"), "{lines}");
    let settings = ["--set", "result=errored", "--set", "run_id=run-mine"];
    let sent = type_in(
        &c,
        &[&["emit", "run-executed", "--no-wait"], &settings[..]].concat(),
    )
    .await;
    assert_eq!(text(&sent.stdout), format!("run-mine accepted for {id}\n"));
    c.drained(&id).await;

    let printed = type_in(&c, &["tail", "/aws/events/scalr", "--json"]).await;
    let lines = text(&printed.stdout);
    let result = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["detail"]["event"]["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        lines.lines().map(result).collect::<Vec<_>>(),
        ["applied", "errored"]
    );

    for (args, message) in [
        (&["emit", "audit-log"][..], "selects no connection"),
        (
            &["emit", "run-executed", "--set", "reslt=x"],
            "the nearest is `result`",
        ),
        (
            &["emit", "run-executed", "--set", "result=erorred"],
            "perhaps `errored` is meant",
        ),
        (&["run", "ws-none"], "there is no workspace `ws-none`"),
        (
            &["run", "ws none"],
            "there is no workspace `ws none`; the only one is `network`",
        ),
        (
            &["tail", "/aws/events/none"],
            "there is no log group `/aws/events/none`",
        ),
    ] {
        refused(&c, args, message).await;
    }
}

/// What the provider's actions do, without an action.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_refreshed_and_runs_are_followed() {
    let c = Companion::spawn(dev()).await;
    let id = c.connect("prod", "us-east-1").await;
    let asked = async |args: &[&str]| -> Value {
        let ended = type_in(&c, args).await;
        assert!(ended.status.success(), "{args:?}: {}", text(&ended.stderr));
        serde_json::from_slice(&ended.stdout).unwrap()
    };
    let listed = asked(&["connections", "list"]).await;
    assert_eq!(
        (&listed[0]["id"], &listed[0]["status"]),
        (&json!(id), &json!("pending"))
    );
    let once = asked(&["connections", "refresh", &id, "--once"]).await;
    assert_eq!(once["status"], "pending");

    let aws = Aws::at(c.text("/aws/endpoint")).await;
    aws.receive("us-east-1", "aws.partner/scalr.com/local/prod").await;
    let refreshed = asked(&["connections", "refresh", &id]).await;
    assert_eq!(refreshed["status"], "active");

    let run = [
        "run",
        c.text("/scalr/workspace_id"),
        "--dry",
        "--log-group",
        "/aws/events/scalr",
    ];
    let followed = type_in(&c, &run).await;
    let lines = text(&followed.stdout);
    let id_of_run = lines.split(' ').next().unwrap().to_owned();
    let event: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(event["detail"]["event"]["run-id"], id_of_run, "{lines}");
    assert_eq!(event["detail-type"], "RunExecuted");

    let workspace = c.text("/scalr/workspace_id");
    refused(
        &c,
        &["run", workspace, "--log-group", "/none"],
        "there is no log group `/none`",
    )
    .await;
    assert_eq!(c.set_status(&id, "disabled").await, "disabled");
    for once in [&["--once"][..], &[]] {
        let refresh = [&["connections", "refresh", &id], once].concat();
        refused(&c, &refresh, "is paused").await;
    }
    assert_eq!(
        asked(&["connections", "show", "prod"]).await["status"],
        "disabled"
    );
    refused(
        &c,
        &["connections", "refresh", "in-none"],
        "no connection `in-none`",
    )
    .await;
}

/// A caller that waits for each verdict before sending the next pair must not block.
#[tokio::test]
async fn each_pair_is_answered_before_the_next_is_sent() {
    let mut child = Command::new(PROGRAM)
        .args(["pattern", "test", "--ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), process::lines(&mut child));
    for (value, verdict) in [("x", "match"), ("y", "no-match")] {
        let pair = format!("{{\"pattern\": {{\"a\": [\"x\"]}}, \"event\": {{\"a\": \"{value}\"}}}}\n");
        input.write_all(pair.as_bytes()).await.unwrap();
        assert_eq!(output.next_line().await.unwrap().as_deref(), Some(verdict));
    }
    drop(input);
    assert!(child.wait().await.unwrap().success());
}

/// What is read for a sentence alone keeps no connection from being deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_deleted_where_what_ends_with_it_cannot_be_read() {
    let c = Companion::spawn(dev()).await;
    let id = c.connect("prod", "us-east-1").await;
    for path in [
        "/_companion/connections/*/delivery",
        "/api/iacp/v3/accounts/*/audit-log-setting",
    ] {
        let fault = json!({ "operation": format!("GET {path}"), "kind": "error", "status": 403 });
        let (status, list) = c
            .request("POST", "/_companion/faults", Some(fault))
            .await
            .unwrap();
        assert_eq!(status, 200, "{list}");
    }
    let deleted = type_in(&c, &["connections", "delete", &id, "--yes"]).await;
    assert!(deleted.status.success(), "{}", text(&deleted.stderr));
    let deleted: Value = serde_json::from_slice(&deleted.stdout).unwrap();
    assert_eq!(
        (&deleted["held_lost"], &deleted["audit_log_ended"]),
        (&Value::Null, &Value::Null),
        "{deleted}"
    );
}

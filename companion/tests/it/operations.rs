//! What operators watch: `/readyz` and its faults, `/metrics`, and a start without credentials.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, run_executed};
use crate::proxy::{Act, Call};
use crate::serve::{account, serve, show, start};
use crate::stage::{self, REGION, SOURCE};
use crate::until;

/// A text that an address answers a token with, its status, and its type.
async fn text_of(url: &str, token: &str) -> (u16, String, String) {
    let mut request = reqwest::Client::new().get(url);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.text().await.unwrap())
}

/// The value of a figure, by its name and labels as they are written.
fn figure(text: &str, name: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("scalr_eventbridge_{name} ")));
    line.map(|value| value.parse().unwrap())
}

/// What `/readyz` says: the status, and the names of the faults with their regions.
async fn ready(c: &Companion) -> (u16, Vec<(String, Value)>) {
    let (status, answer) = c.request("GET", "/readyz", None).await.unwrap();
    let faults = answer["faults"].as_array().cloned().unwrap_or_default();
    let named = faults.iter().map(|fault| {
        assert!(fault["what"].is_string() && fault["next"].is_string(), "{answer}");
        (
            fault["fault"].as_str().unwrap().to_owned(),
            fault["region"].clone(),
        )
    });
    (status, named.collect())
}

async fn until_ready_says(c: &Companion, want: &[(&str, Value)]) {
    let status = if want.is_empty() { 200 } else { 503 };
    let want: Vec<_> = want
        .iter()
        .map(|(name, region)| ((*name).to_owned(), region.clone()))
        .collect();
    until(&format!("/readyz to name {want:?}"), || async {
        (ready(c).await == (status, want.clone())).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_companions_own_is_named_and_changes_no_connection() {
    let (aws, c, _dir, id) = stage::active().await;
    until_ready_says(&c, &[]).await;
    let here = json!(REGION);
    for (act, name) in [
        (Act::Refuse("ExpiredTokenException"), "aws-refuses-the-companion"),
        (Act::RepeatHeaders, "aws-refuses-the-companion"),
        (Act::Refuse("ThrottlingException"), "aws-throttles"),
        (Act::Fail(503), "aws-fails"),
    ] {
        let case = act.clone();
        aws.proxy.script(move |call| match call.operation.as_str() {
            "PutPartnerEvents" => case.clone(),
            _ => Act::Pass,
        });
        assert!(c.emit(&format!("run-{name}"), "network").await);
        until_ready_says(&c, &[(name, here.clone())]).await;
        // A look at the source that succeeds tells nothing of the puts.
        let looks = |calls: &[Call]| {
            let of_it = calls.iter().map(|call| call.operation.as_str());
            of_it
                .filter(|name| *name == "ListPartnerEventSourceAccounts")
                .count()
        };
        let before = looks(&aws.proxy.calls());
        c.set_status(&id, "active").await;
        aws.proxy.until(|calls| looks(calls) > before).await;
        assert_eq!(
            ready(&c).await,
            (503, vec![(name.to_owned(), here.clone())]),
            "{name}"
        );
        assert_eq!(c.connection(&id).await["status"], "active", "{name}");
        aws.proxy.script(|_| Act::Pass);
        c.drained(&id).await;
        until_ready_says(&c, &[]).await;
    }
}

/// Sends the event of a run as Scalr does.
async fn take_in(c: &Companion, run: &str, workspace: &str) {
    let event = run_executed(run, workspace, "")["detail"].take();
    let sent = c.request("POST", "/events/v1/run-executed", Some(event)).await;
    let (status, answer) = sent.unwrap();
    assert_eq!(status, 202, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_for_operators_and_count_what_happened() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (mut c, operator) = start(
        dir.path(),
        &aws.proxy.endpoint,
        &["--metrics-listen", "127.0.0.1:0"],
    )
    .await;
    let operator = operator.unwrap();
    let token = account(&c, &operator, "acme").await;
    show(&mut c, &token);
    let id = c.connect("prod", REGION).await;
    let source = SOURCE.replace("/local/", "/acme/");
    aws.receive(REGION, &source).await;
    c.set_status(&id, "active").await;
    for (at, run) in ["run-1", "run-2"].iter().enumerate() {
        take_in(&c, run, &format!("workspace-{at}")).await;
    }
    c.drained(&id).await;
    c.set_status(&id, "disabled").await;
    take_in(&c, "run-3", "network").await;

    let main = format!("{}/metrics", c.text("/scalr/hostname"));
    for (token, want) in [("", 401), ("wrong", 401), (token.as_str(), 403), (&operator, 200)] {
        assert_eq!(text_of(&main, token).await.0, want, "{token}");
    }
    let own = c.line["figures"].as_str().unwrap().to_owned();
    let (status, kind, text) = text_of(&own, "").await;
    assert_eq!(status, 200, "{text}");
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    let put = format!(r#"aws_calls_total{{region="{REGION}",operation="PutPartnerEvents",outcome="done"}}"#);
    for (name, want) in [
        ("deliveries_accepted_total", Some(3.0)),
        ("deliveries_acknowledged_total", Some(2.0)),
        ("delivery_duration_seconds_count", Some(2.0)),
        ("deliveries_failed_total", Some(0.0)),
        ("failed_deliveries", Some(0.0)),
        (r#"connections{status="disabled"}"#, Some(1.0)),
        (r#"held_deliveries{status="disabled"}"#, Some(1.0)),
        (r#"store_commits_total{outcome="failed"}"#, Some(0.0)),
        (r#"deliveries_dropped_total{reason="too-old"}"#, Some(0.0)),
        (r#"deliveries_dropped_total{reason="too-many-bytes"}"#, Some(0.0)),
        ("ready", Some(1.0)),
        ("clock_in_doubt", Some(0.0)),
    ] {
        assert_eq!(figure(&text, name), want, "{name}\n{text}");
    }
    for name in [
        put.as_str(),
        r#"store_commits_total{outcome="done"}"#,
        "aws_call_entries_count",
    ] {
        assert!(figure(&text, name) >= Some(1.0), "{name}\n{text}");
    }
    for secret in ["acme", id.as_str(), "123456789012"] {
        assert!(!text.contains(secret), "{secret} is no label\n{text}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(text_of(&own.replace("/metrics", path), "").await.0, 200, "{path}");
    }
    let elsewhere = own.replace("/metrics", "/api/iacp/v3/environments");
    assert_eq!(text_of(&elsewhere, &token).await.0, 404, "nothing else is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_credentials_says_so_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = serve(dir.path(), "", &[]);
    command
        .env_clear()
        .env("HOME", dir.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stderr(Stdio::piped());
    let (mut c, stderr) = Companion::spawn_with_log(command).await;
    c.line = json!({ "scalr": { "hostname": c.line["hostname"], "token": c.line["operator_token"] } });
    let mut log = BufReader::new(stderr).lines();
    let warned = until_line(&mut log, "no AWS credentials").await;
    for part in [
        "WARN",
        "AWS_ACCESS_KEY_ID",
        "/etc/scalr-eventbridge.env",
        "mode 0600",
    ] {
        assert!(warned.contains(part), "{part}: {warned}");
    }
    until_ready_says(&c, &[("no-aws-credentials", json!(null))]).await;
    let (_, answer) = c.request("GET", "/readyz", None).await.unwrap();
    let next = answer["faults"][0]["next"].as_str().unwrap();
    assert!(next.contains("/etc/scalr-eventbridge.env"), "{answer}");
    assert_eq!(c.request("GET", "/healthz", None).await.unwrap().0, 200);
    assert!(c.stop().await);
}

/// The first line of a log with this part.
async fn until_line(
    log: &mut tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
    part: &str,
) -> String {
    let found = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains(part) {
                return line;
            }
        }
        panic!("the log ended")
    };
    tokio::time::timeout(crate::PATIENCE, found)
        .await
        .expect("a line")
}

#[tokio::test]
async fn an_address_without_tokens_is_for_this_machine_unless_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("serve").arg("--data-dir").arg(dir.path());
    let ended = command
        .args(["--metrics-listen", "0.0.0.0:0"])
        .output()
        .await
        .unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("`0.0.0.0:0` (`--metrics-listen`) is reachable"),
        "{stderr}"
    );
}

/// What a command ends with, and what it prints on both.
async fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let ended = command.stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

/// `serve --print-config` with these arguments and variables: each setting with its value and where that comes from.
async fn settings(args: &[&str], variables: &[(&str, &str)]) -> Value {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--print-config", "--json"]).args(args);
    command.env_clear().envs(variables.iter().copied());
    let (code, stdout, stderr) = ended(command).await;
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn origin(settings: &Value, name: &str) -> (String, String) {
    let found = settings
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["setting"] == name);
    let text = |key: &str| found.unwrap()[key].as_str().unwrap().to_owned();
    (text("value"), text("from"))
}

#[tokio::test]
async fn settings_come_from_options_variables_and_a_file_in_that_order() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("serve.toml");
    std::fs::write(
        &file,
        "data-dir = 'state'\nlisten = '127.0.0.1:1'\ntls = true\nhold-hours-max = 7\nlog = 'info'\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let variables = [
        ("SCALR_EVENTBRIDGE_CONFIG", file),
        ("SCALR_EVENTBRIDGE_LISTEN", "127.0.0.1:2"),
        ("SCALR_EVENTBRIDGE_TLS", "no"),
        ("SCALR_EVENTBRIDGE_CONSOLE_HOST", "a,b"),
    ];
    let shown = settings(&["--listen", "127.0.0.1:3"], &variables).await;
    let state = dir.path().join("state");
    for (name, value, from) in [
        ("listen", "127.0.0.1:3", "--listen"),
        ("tls", "false", "SCALR_EVENTBRIDGE_TLS"),
        ("console-host", "a, b", "SCALR_EVENTBRIDGE_CONSOLE_HOST"),
        ("hold-hours-max", "7", file),
        ("data-dir", state.to_str().unwrap(), file),
        ("log", "info", file),
        ("history-hours", "168", "default"),
    ] {
        assert_eq!(
            origin(&shown, name),
            (value.to_owned(), from.to_owned()),
            "{name}"
        );
    }
    assert!(!state.exists(), "nothing was started");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("serve.toml");
    for (text, args, want) in [
        (
            "data_dir = 'x'",
            &["--data-dir", "x"][..],
            "did you mean `data-dir`?",
        ),
        (
            "tls-name = 'a'",
            &["--data-dir", "x"],
            "`tls-name` (`--tls-name`) is for a certificate",
        ),
        (
            "no-console = true\nconsole-host = 'a'",
            &["--data-dir", "x"],
            "which `--no-console` switches off",
        ),
        (
            "no-console = true\nconsole-url = 'https://a.example'",
            &["--data-dir", "x"],
            "`console-url` (`--console-url`) is for the console, which `--no-console` switches off",
        ),
        (
            "console-url = 'http://a.example/console'",
            &["--data-dir", "x"],
            "write the address without a path, such as `https://events.example.com`",
        ),
        (
            "listen = '0.0.0.0:0'",
            &["--data-dir", "x"],
            "`0.0.0.0:0` (`--listen`) is reachable",
        ),
        ("", &[], "nothing says where the state is kept"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(PROGRAM);
        command.env_clear().current_dir(dir.path());
        command.arg("serve").arg("--config").arg(&file).args(args);
        let (code, _, stderr) = ended(command).await;
        assert_eq!(code, Some(2), "{text}: {stderr}");
        assert!(stderr.contains(want), "{text}: {stderr}");
    }
    std::fs::remove_file(&file).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--config"]).arg(&file);
    let (code, _, stderr) = ended(command).await;
    assert!(code == Some(2) && stderr.contains("cannot be read"), "{stderr}");
}

/// The results of `doctor` with these arguments, by check.
async fn doctor(args: &[&str]) -> (Option<i32>, std::collections::BTreeMap<String, (String, String)>) {
    let mut command = Command::new(PROGRAM);
    command.args(["doctor", "--json"]).args(args).env_clear();
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent");
    let (code, stdout, stderr) = ended(command).await;
    let checks: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = checks.as_array().unwrap().iter();
    let named = checks.map(|one| (text(one, "check"), (text(one, "result"), text(one, "detail"))));
    (code, named.collect())
}

/// The names of the files in a directory.
fn files(dir: &Path) -> BTreeSet<OsString> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_checks_a_service_beside_it_and_changes_nothing() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    let token = account(&c, &operator.unwrap(), "acme").await;
    show(&mut c, &token);
    c.connect("prod", "eu-west-1").await;
    let file = dir.path().join("serve.toml");
    let endpoint = &aws.proxy.endpoint;
    std::fs::write(&file, format!("data-dir = '.'\naws-endpoint = '{endpoint}'")).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let (code, checks) = doctor(&config).await;
    for (check, result, part) in [
        ("settings", "ok", "state in"),
        ("database", "ok", "a service has it open"),
        ("file modes", "warning", "serve.toml"),
        ("AWS endpoint", "ok", endpoint.as_str()),
        ("AWS credentials", "ok", "of account "),
        ("clock against AWS", "ok", "right"),
        (
            "events:ListPartnerEventSourceAccounts",
            "ok",
            "allowed in eu-west-1",
        ),
        ("events:DeletePartnerEventSource", "ok", "allowed in eu-west-1"),
        ("events:PutPartnerEvents", "ok", "allowed in eu-west-1"),
        ("events:CreatePartnerEventSource", "skipped", "cannot be tried"),
    ] {
        let found = &checks[check];
        assert!(found.0 == result && found.1.contains(part), "{check}: {found:?}");
    }
    assert_eq!(
        code == Some(0),
        checks.values().all(|(result, _)| result != "failed"),
        "{checks:?}"
    );
    aws.proxy.script(|call| match call.operation.as_str() {
        "PutPartnerEvents" => Act::Refuse("AccessDeniedException"),
        _ => Act::Pass,
    });
    let (code, checks) = doctor(&config).await;
    assert_eq!(code, Some(4));
    let put = &checks["events:PutPartnerEvents"];
    assert!(
        put.0 == "failed" && put.1.contains("AccessDeniedException"),
        "{put:?}"
    );
    assert!(c.stop().await);

    let before = files(dir.path());
    let (code, checks) = doctor(&["--data-dir", dir.path().to_str().unwrap()]).await;
    assert_eq!(files(dir.path()), before, "it leaves no file");
    assert!(!checks["durability"].1.contains("journal mode is"), "{checks:?}");
    assert_eq!(code, Some(4), "{checks:?}");
    assert!(
        checks["database"].1.contains("no process has it open"),
        "{checks:?}"
    );
    assert_eq!(checks["AWS credentials"].0, "failed", "{checks:?}");
    let file = dir.path().join("wrong.toml");
    std::fs::write(&file, "data-dir = '.'\ntls-name = ['a']").unwrap();
    let (code, checks) = doctor(&["--config", file.to_str().unwrap()]).await;
    let settings = &checks["settings"];
    assert!(
        code == Some(4) && settings.0 == "failed" && settings.1.contains("`tls-name`"),
        "what serve refuses, doctor does: {settings:?}"
    );
    let (code, checks) = doctor(&["--data-dir", "/nonexistent"]).await;
    assert!(
        code == Some(4) && checks["database"].1.contains("there is none in"),
        "{checks:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_does_not_do_is_said_by_the_commands() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (c, operator) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    let token = account(&c, &operator.unwrap(), "acme").await;
    for (args, code, want) in [
        (
            &["emit", "run-executed", "--no-wait"][..],
            3,
            "it is a service, and `emit` is for trials",
        ),
        (&["runs", "start", "network"], 1, "starts none that is made up"),
        (&["run", "network"], 1, "starts none that is made up"),
        (
            &["runs", "start", "ws-1", "--fail"],
            1,
            "starts none that is made up",
        ),
    ] {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .env("SCALR_HOSTNAME", c.text("/scalr/hostname"))
            .env("SCALR_TOKEN", &token);
        command.env("AWS_ENDPOINT_URL", &aws.proxy.endpoint);
        let (ended_with, _, stderr) = ended(command).await;
        assert_eq!(ended_with, Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(want), "{args:?}: {stderr}");
    }
}

//! What operators watch: `/readyz` and its faults, `/metrics`, and a start without credentials.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, run_executed};
use crate::proxy::Act;
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
        // The look at the source after each put succeeds, and tells that AWS answers: only a refusal of the caller stands for longer.
        if name == "aws-refuses-the-companion" {
            until_ready_says(&c, &[(name, here.clone())]).await;
        }
        aws.proxy.script(move |_| act.clone());
        until_ready_says(&c, &[(name, here.clone())]).await;
        assert_eq!(c.connection(&id).await["status"], "active", "{name}");
        aws.proxy.script(|_| Act::Pass);
        c.drained(&id).await;
        until_ready_says(&c, &[]).await;
    }
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
        let event = run_executed(run, &format!("workspace-{at}"), "")["detail"].take();
        let sent = c
            .request("POST", "/events/v1/run-executed", Some(event))
            .await
            .unwrap();
        assert_eq!(sent.0, 202, "{}", sent.1);
    }
    c.drained(&id).await;
    c.set_status(&id, "disabled").await;
    let event = run_executed("run-3", "network", "")["detail"].take();
    c.request("POST", "/events/v1/run-executed", Some(event))
        .await
        .unwrap();

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
        ("deliveries_failed_total", Some(0.0)),
        ("failed_deliveries", Some(0.0)),
        (r#"connections{status="disabled"}"#, Some(1.0)),
        (r#"held_deliveries{status="disabled"}"#, Some(1.0)),
        (r#"store_commits_total{outcome="failed"}"#, None),
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

//! `serve`: its first start, accounts by the command line, what it refuses, a directory of `dev`, and its end.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, dev_at, run_executed};
use crate::until;

/// `serve` with state in `dir` and the AWS at `endpoint`; without one, AWS itself.
pub(crate) fn serve(dir: &Path, endpoint: &str, more: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--json", "--listen", "127.0.0.1:0"]);
    if !endpoint.is_empty() {
        command.args(["--aws-endpoint", endpoint]);
    }
    command.arg("--data-dir").arg(dir).args(more);
    command
}

/// A service, with the operator's token that it printed; none where it printed none.
pub(crate) async fn start(dir: &Path, endpoint: &str, more: &[&str]) -> (Companion, Option<String>) {
    let mut service = Companion::spawn(serve(dir, endpoint, more)).await;
    let operator = service.line["operator_token"].as_str().map(str::to_owned);
    let token = operator.clone().unwrap_or_default();
    let figures = service.line["metrics"]["url"].take();
    service.line =
        json!({ "scalr": { "hostname": service.line["hostname"], "token": token }, "figures": figures });
    (service, operator)
}

/// Has later calls show this token.
pub(crate) fn show(service: &mut Companion, token: &str) {
    service.line["scalr"]["token"] = json!(token);
}

pub(crate) async fn ended(service: &Companion, token: &str, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .args(args)
        .env("SCALR_HOSTNAME", service.text("/scalr/hostname"));
    command.env("SCALR_TOKEN", token).stdin(Stdio::null());
    command.output().await.unwrap()
}

/// What a command prints.
async fn run(service: &Companion, token: &str, args: &[&str]) -> Value {
    let ended = ended(service, token, args).await;
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{args:?}: {stderr}");
    serde_json::from_slice(&ended.stdout).unwrap_or_default()
}

/// An account with a token that opens it.
pub(crate) async fn account(service: &Companion, operator: &str, name: &str) -> String {
    run(service, operator, &["accounts", "create", name]).await;
    let made = run(service, operator, &["tokens", "create", "ci", "--account", name]).await;
    made["token"].as_str().expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_accounts_and_each_delivers_its_own_events() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    let operator = operator.expect("the first start prints a token");
    let tokens = [
        account(&c, &operator, "acme").await,
        account(&c, &operator, "other").await,
    ];
    let mut connections = vec![];
    let places = [("acme", "us-east-1"), ("other", "eu-west-1")];
    for (token, (name, region)) in tokens.iter().zip(places) {
        show(&mut c, token);
        let id = c.connect("prod", region).await;
        let source = format!("aws.partner/scalr.com/{name}/prod");
        assert_eq!(c.connection(&id).await["event-source"], json!(source));
        aws.receive(region, &source).await;
        assert_eq!(c.set_status(&id, "active").await, "active");
        connections.push(id);
    }
    show(&mut c, &tokens[0]);
    let event = run_executed("run-1", "network", "")["detail"].take();
    let (status, answer) = c
        .request("POST", "/events/v1/run-executed", Some(event))
        .await
        .unwrap();
    assert_eq!(status, 202, "{answer}");
    c.drained(&connections[0]).await;
    assert_eq!(c.delivery(&connections[0]).await["delivered"], 1);
    show(&mut c, &tokens[1]);
    assert_eq!(c.delivery(&connections[1]).await["delivered"], 0);
    let elsewhere = format!("/_companion/connections/{}/delivery", connections[0]);
    assert_eq!(c.request("GET", &elsewhere, None).await.unwrap().0, 404);

    assert!(c.stop().await);
    let (mut c, printed) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    assert_eq!(printed, None, "the operator's token is printed once");
    show(&mut c, &tokens[0]);
    assert_eq!(c.connection(&connections[0]).await["status"], "active");
    let listed = run(&c, &operator, &["tokens", "list", "--account", "acme"]).await;
    assert!(
        listed[0]["last_used_at"].is_string() && listed[0]["revoked_at"].is_null(),
        "{listed}"
    );
    run(
        &c,
        &operator,
        &["tokens", "revoke", listed[0]["id"].as_str().unwrap()],
    )
    .await;
    assert_eq!(c.call("GET", "/environments", None).await.0, 401);
    run(&c, &operator, &["accounts", "disable", "other"]).await;
    let all = run(&c, &operator, &["accounts", "list"]).await;
    let statuses: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(statuses, ["active", "disabled"]);
    assert!(c.stop().await);
    let (c, printed) = start(dir.path(), &aws.proxy.endpoint, &["--new-operator-token"]).await;
    let further = printed.expect("it was asked for");
    assert_ne!(further, operator);
    run(&c, &further, &["accounts", "enable", "other"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_dev_is_refused_with_what_to_do() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    let operator = operator.unwrap();
    let token = account(&c, &operator, "acme").await;
    show(&mut c, &token);
    let workspace = json!({ "workspace": { "data": { "type": "workspaces", "id": "ws-1" } } });
    let run_body = json!({ "data": { "type": "runs", "relationships": workspace } });
    for (method, path, body, want) in [
        ("POST", "/api/iacp/v3/runs", run_body, (409, "no-simulated-runs")),
        (
            "POST",
            "/_companion/runs",
            json!({ "workspace": "ws-1" }),
            (409, "no-simulated-runs"),
        ),
        (
            "POST",
            "/_companion/events",
            run_executed("run-1", "network", ""),
            (409, "no-trial-events"),
        ),
        ("POST", "/_companion/clock/confirm", json!({}), (403, "forbidden")),
        ("GET", "/_companion/faults", json!(null), (404, "no-route")),
        (
            "POST",
            "/_companion/faults",
            json!({ "kind": "cut" }),
            (404, "no-route"),
        ),
    ] {
        let (status, answer) = c.request(method, path, Some(body)).await.unwrap();
        let code = answer["errors"][0]["code"].as_str().unwrap_or_default();
        assert_eq!((status, code), want, "{method} {path}: {answer}");
    }
    let refused = ended(&c, &token, &["accounts", "list"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(stderr.contains("an operator's token"), "{stderr}");
    show(&mut c, &operator);
    let (status, _) = c
        .request("POST", "/_companion/clock/confirm", None)
        .await
        .unwrap();
    assert_eq!(status, 200);
    for path in ["/healthz", "/readyz"] {
        let (status, answer) = c.request("GET", path, None).await.unwrap();
        assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{path}");
    }
    assert!(c.stop().await);

    let (mut c, _) = start(dir.path(), &aws.proxy.endpoint, &["--simulate-runs"]).await;
    show(&mut c, &token);
    let (_, found) = c.call("GET", "/workspaces", None).await;
    c.line["scalr"]["workspace_id"] = found["data"][0]["id"].clone();
    c.run().await;
}

/// A data directory of `dev` is taken over with all that it holds; from then on it is `serve`'s.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_dev_is_taken_over_and_not_given_back() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    let id = c.connect("prod", "us-east-1").await;
    assert!(c.emit("run-1", "network").await);
    let token = c.text("/scalr/token").to_owned();
    assert!(c.stop().await);
    let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    let operator = operator.expect("a token");
    show(&mut c, &token);
    let (status, answer) = c.call("GET", "/environments", None).await;
    assert_eq!(status, 401, "{answer}");
    let made = run(&c, &operator, &["tokens", "create", "ci", "--account", "local"]).await;
    show(&mut c, made["token"].as_str().unwrap());
    assert_eq!(c.delivery(&id).await["held"], 1);
    assert!(c.stop().await);
    let refused = dev_at(dir.path(), &aws.proxy.endpoint).output().await.unwrap();
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("is a data directory of `scalr-eventbridge serve`"),
        "{stderr}"
    );
}

/// A request whose body is still on its way when the service is stopped is answered, and what it sent is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_finished_before_the_end() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    let token = account(&c, &operator.unwrap(), "acme").await;
    show(&mut c, &token);
    let id = c.connect("prod", "us-east-1").await;
    let host = c.text("/scalr/hostname").trim_start_matches("http://").to_owned();
    let mut tcp = TcpStream::connect(&host).await.unwrap();
    let body = run_executed("run-late", "network", "")["detail"].to_string();
    let head = format!(
        "POST /events/v1/run-executed HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    // It is answered when the body is read: the request is under way.
    let mut buffer = [0; 1024];
    let read = tcp.read(&mut buffer).await.unwrap();
    assert!(
        buffer[..read].starts_with(b"HTTP/1.1 100"),
        "{:?}",
        &buffer[..read]
    );
    let stopping = tokio::spawn(c.stop());
    until("no further connection to be taken", || async {
        TcpStream::connect(&host).await.is_err().then_some(())
    })
    .await;
    tcp.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(stopping.await.unwrap(), "it ends with success");
    let (mut c, _) = start(dir.path(), &aws.proxy.endpoint, &[]).await;
    show(&mut c, &token);
    assert_eq!(c.delivery(&id).await["held"], 1);
}

#[tokio::test]
async fn settings_that_cannot_be_meant_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    for (args, part) in [
        (&[][..], "nothing says where the state is kept"),
        (
            &["--data-dir", dir, "--listen", "0.0.0.0:0"],
            "`0.0.0.0:0` (`--listen`) is reachable",
        ),
        (&["--data-dir", PROGRAM], "(`--data-dir`) is not a directory"),
        (
            &["--data-dir", dir, "--aws-listen", "127.0.0.1:0"],
            "--aws-listen",
        ),
    ] {
        let ended = Command::new(PROGRAM)
            .arg("serve")
            .args(args)
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(part), "{args:?}: {stderr}");
    }
}

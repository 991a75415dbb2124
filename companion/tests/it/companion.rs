//! A companion process, and a client of its API.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::{Child, ChildStderr, Command};

use crate::{process, until};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_scalr-eventbridge");
/// JSON:API type of connections.
pub(crate) const CONNECTION: &str = "aws-event-bridge-integrations";

/// A running companion; dropped, it is killed.
pub(crate) struct Companion {
    child: Child,
    /// The line that it printed.
    pub(crate) line: Value,
    http: reqwest::Client,
}

/// `dev --json`, for further arguments.
pub(crate) fn dev() -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["dev", "--json"]);
    command
}

/// `dev --json` with state in `dir` and the AWS at `endpoint`.
pub(crate) fn dev_at(dir: &Path, endpoint: &str) -> Command {
    let mut command = dev();
    command.arg("--data-dir").arg(dir);
    command.args(["--aws-endpoint", endpoint]);
    command
}

impl Companion {
    /// Starts `dev` with state in `dir` and the AWS at `endpoint`.
    pub(crate) async fn start(dir: &Path, endpoint: &str) -> Self {
        Self::spawn(dev_at(dir, endpoint)).await
    }

    /// Starts this command and waits for its line.
    pub(crate) async fn spawn(mut command: Command) -> Self {
        let command = command
            .env_remove("SCALR_EVENTBRIDGE_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("the program starts");
        let line = process::lines(&mut child)
            .next_line()
            .await
            .expect("stdout reads")
            .expect("a line is printed");
        let line = serde_json::from_str(&line).expect("the line is JSON");
        Self {
            child,
            line,
            http: reqwest::Client::new(),
        }
    }

    /// The same of a command whose stderr is piped; the log comes with it.
    pub(crate) async fn spawn_with_log(command: Command) -> (Self, ChildStderr) {
        let mut companion = Self::spawn(command).await;
        let stderr = companion.child.stderr.take().expect("stderr is piped");
        (companion, stderr)
    }

    /// A text of the printed line.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.line
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> String {
        process::pid(&self.child)
    }

    /// Sends SIGKILL, for a crash.
    pub(crate) async fn crash(mut self) {
        self.child.kill().await.expect("it was alive");
    }

    /// Sends SIGTERM; whether it ends with success.
    pub(crate) async fn stop(mut self) -> bool {
        process::terminate(&mut self.child).await
    }

    /// One call of Scalr's API: the status and the body, null where there is none.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.request(method, &format!("/api/iacp/v3{path}"), body)
            .await
            .expect("it answers")
    }

    /// One call of any path; `None` when no answer came.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        let url = format!("{}{path}", self.text("/scalr/hostname"));
        let mut request = self
            .http
            .request(method.parse().expect("a method"), url)
            .bearer_auth(self.text("/scalr/token"));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/vnd.api+json")
                .body(body.to_string());
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    /// Creates a connection; returns its id.
    pub(crate) async fn connect(&self, name: &str, region: &str) -> String {
        let (status, body) = self
            .call(
                "POST",
                "/integrations/aws-event-bridge",
                Some(connection(name, region)),
            )
            .await;
        assert_eq!(status, 201, "{body}");
        body["data"]["id"].as_str().expect("an id").to_owned()
    }

    /// A connection's attributes.
    pub(crate) async fn connection(&self, id: &str) -> Value {
        let (status, mut body) = self
            .call("GET", &format!("/integrations/aws-event-bridge/{id}"), None)
            .await;
        assert_eq!(status, 200, "{body}");
        body["data"]["attributes"].take()
    }

    /// Deletes a connection; the status of the answer.
    pub(crate) async fn disconnect(&self, id: &str) -> u16 {
        let path = format!("/integrations/aws-event-bridge/{id}");
        self.call("DELETE", &path, None).await.0
    }

    /// Requests a status; returns the resulting one.
    pub(crate) async fn set_status(&self, id: &str, status: &str) -> String {
        let body = json!({ "data": { "type": CONNECTION, "attributes": { "status": status } } });
        let (code, body) = self
            .call(
                "PATCH",
                &format!("/integrations/aws-event-bridge/{id}"),
                Some(body),
            )
            .await;
        assert_eq!(code, 200, "{body}");
        body["data"]["attributes"]["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    }

    /// Selects a connection for the audit log, or none.
    pub(crate) async fn audit(&self, connection: Option<&str>) -> (u16, Value) {
        let to = connection.map(|id| json!({ "type": CONNECTION, "id": id }));
        let body = json!({ "data": {
            "type": "audit-log-settings", "attributes": { "enabled": to.is_some() },
            "relationships": { "integration": { "data": to } },
        } });
        let path = format!("/accounts/{}/audit-log-setting", self.text("/scalr/account_id"));
        self.call("PATCH", &path, Some(body)).await
    }

    /// Starts a dry run in the seeded workspace; returns its id.
    pub(crate) async fn run(&self) -> String {
        let workspace = json!({ "data": { "type": "workspaces", "id": self.text("/scalr/workspace_id") } });
        let body = json!({ "data": {
            "type": "runs", "attributes": { "is-dry": true }, "relationships": { "workspace": workspace },
        } });
        let (status, body) = self.call("POST", "/runs", Some(body)).await;
        assert_eq!(status, 201, "{body}");
        body["data"]["id"].as_str().expect("an id").to_owned()
    }

    /// Sends an event of a workspace of that name; whether it was accepted.
    pub(crate) async fn emit(&self, run_id: &str, workspace: &str) -> bool {
        let answer = self
            .request(
                "POST",
                "/_companion/events",
                Some(run_executed(run_id, workspace, "")),
            )
            .await;
        answer.is_some_and(|(status, _)| status == 202)
    }

    /// The figures of a connection's delivery.
    pub(crate) async fn delivery(&self, id: &str) -> Value {
        let path = format!("/_companion/connections/{id}/delivery");
        let (status, body) = self.request("GET", &path, None).await.expect("it answers");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Waits until a connection holds no events.
    pub(crate) async fn drained(&self, id: &str) {
        until("everything to be delivered", || async {
            (self.delivery(id).await["held"] == 0).then_some(())
        })
        .await;
    }

    /// Waits until a connection holds that many events.
    pub(crate) async fn holds(&self, id: &str, events: u64) {
        until("events to be held", || async {
            (self.delivery(id).await["held"] == events).then_some(())
        })
        .await;
    }
}

/// The body that creates a connection.
pub(crate) fn connection(name: &str, region: &str) -> Value {
    json!({ "data": { "type": CONNECTION, "attributes": {
        "name": name, "aws-account-id": "123456789012", "region": region,
    } } })
}

/// The body of a RunExecuted event; `title` sets its length.
pub(crate) fn run_executed(run_id: &str, workspace: &str, title: &str) -> Value {
    json!({ "detail-type": "RunExecuted", "detail": {
        "title": title, "tags": [], "event_type": "success",
        "event": {
            "run-id": run_id, "source": "api", "is-dry": true, "is-destroy": false, "is-agent": false,
            "is-postponed": false, "result": "planned_and_finished", "duration": 1.0, "account": "local",
            "workspace": workspace, "environment": "development", "user-email": "user@example.com",
        },
    } })
}

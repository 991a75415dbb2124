//! The modules in `examples/modules`, beside a stream of events: what arrives where they send it.

use std::time::{Duration, Instant};

use acceptance::paths;
use acceptance::receiver::{Received, Receiver};
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::verify;
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("modules::audit_trail", audit_trail),
        Case::new("modules::monitoring_alerts", monitoring_alerts),
        Case::new("modules::workflow_automation", workflow_automation),
    ]
}

const REGION: &str = "eu-west-1";

fn applied(tool: &Tool, module: &str, arguments: &str) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    apply(&workdir, module, arguments)?;
    Ok(workdir)
}

/// Applies a module, with a stream from its own tests, and more arguments.
fn apply(workdir: &Workdir, module: &str, arguments: &str) -> Result<()> {
    let folder = workdir.path().join("module");
    paths::copy_tree(&paths::example(&format!("modules/{module}")), &folder)?;
    workdir.config(&calls(arguments))?;
    workdir.succeed(&["get", "-no-color"])?;
    let applied = workdir.apply()?;
    verify::without_warnings(&applied)?;
    workdir.plan_empty()?;
    Ok(())
}

fn calls(arguments: &str) -> String {
    format!(
        r#"
module "stream" {{
  source = "./module/tests/stream"
}}
module "it" {{
  source         = "./module"
  event_bus_name = module.stream.event_bus_name
  region         = module.stream.region
{arguments}
}}
"#
    )
}

/// Waits until the endpoint has so many requests.
fn requests(receiver: &Receiver, count: usize) -> Result<Vec<Received>> {
    verify::until(&format!("{count} requests"), || {
        let all = receiver.received();
        Ok((all.len() >= count).then_some(all))
    })
}

fn run(id: &str, result: &str, is_dry: bool, is_destroy: bool) -> Value {
    json!({
        "title": format!("Scalr run execution completed. Run ID: {id}."),
        "event": {
            "run-id": id, "source": "vcs", "is-dry": is_dry, "is-destroy": is_destroy, "is-agent": false,
            "is-postponed": false, "result": result, "duration": 137_000_000_000_u64, "account": "acme",
            "workspace": "network", "environment": "prod", "user-email": "alice@example.com",
        },
        "tags": [],
        "event_type": "success",
    })
}

fn audit_log(action: &str, actor: &str, outcome: &str) -> Value {
    json!({
        "target": {
            "id": "ws-1", "type": "workspaces", "display-name": "network",
            "context": {
                "environment": { "id": "env-1", "display-name": "prod" },
                "workspace": { "id": "ws-1", "display-name": "network" },
                "account": { "id": "acc-1", "display-name": "acme" },
            },
        },
        "timestamp": "2024-04-19T13:44:02.335490",
        "request": {
            "id": format!("{action} {actor} {outcome}"), "action": action, "ip-address": "10.21.0.30", "source": "ui",
            "user-agent": "acceptance",
        },
        "actor": {
            "id": "user-1", "email": actor, "type": "user",
            "access-token": { "id": null, "type": "session", "token": "...UlzZ-c" },
        },
        "outcome": { "result": outcome, "status-code": 201 },
        "tags": [],
    })
}

/// Only what passes every filter is kept, in both places.
fn audit_trail(tool: &Tool) -> Result<()> {
    let arguments = r#"
  connection_id = module.stream.connection_id
  actors        = ["alice@example.com"]
  actions       = ["*-workspace"]
  outcomes      = ["FAILURE"]
  log_group_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
  force_destroy = true
"#;
    let workdir = applied(tool, "audit-trail", arguments)?;
    let aws = workdir.companion.aws_in(REGION);
    let group = aws.group("/scalr/audit-trail")?;
    ensure!(group.retention_in_days() == Some(365), "{group:?}");
    ensure!(
        group.kms_key_id().is_some_and(|key| key.ends_with("1234abcd")),
        "{group:?}"
    );

    let scalr = workdir.companion.scalr();
    let alice = "alice@example.com";
    for (action, actor, outcome) in [
        ("create-workspace", "bob@example.com", "FAILURE"),
        ("create-variable", alice, "FAILURE"),
        ("create-workspace", alice, "SUCCESS"),
        ("create-workspace", alice, "FAILURE"),
    ] {
        scalr.emit("AuditLog", &audit_log(action, actor, outcome))?;
    }
    // Order is kept within a connection: with the last one the others would be there, too.
    let body = verify::until("an audit log in the queue", || {
        Ok(aws.receive("scalr-audit-trail-archive")?.pop())
    })?;
    let event: Value = serde_json::from_str(body.body().unwrap_or_default())?;
    let kept =
        |event: &Value| event["detail"]["request"]["id"] == "create-workspace alice@example.com FAILURE";
    ensure!(kept(&event), "{event}");
    ensure!(aws.receive("scalr-audit-trail-archive")?.is_empty());
    let messages = verify::until("an audit log in the log group", || {
        let messages = aws.messages("/scalr/audit-trail")?;
        Ok((!messages.is_empty()).then_some(messages))
    })?;
    ensure!(messages.len() == 1 && kept(&messages[0]), "{messages:?}");
    ensure!(aws.receive("scalr-audit-trail-undelivered")?.is_empty());
    workdir.destroy()?;
    // `force_destroy` is of the queues: nobody loses audit logs by it.
    verify::nothing_left(&workdir, REGION, &["/scalr/audit-trail"])
}

/// Each call has its key and its body, is tried again, waits for its turn, and ends in the queue where it cannot be made.
fn workflow_automation(tool: &Tool) -> Result<()> {
    const SECRET: &str = "first-key-of-the-endpoint";
    const SECOND: &str = "second-key-of-the-endpoint";
    let receiver = Receiver::failing(1)?;
    let arguments = format!(
        r#"
  endpoint      = "{}/runs"
  secret        = "{SECRET}"
  role_arn      = "arn:aws:iam::123456789012:role/calls"
  environments  = ["prod"]
  force_destroy = true
  rate_limit_per_second  = 1
  maximum_retry_attempts = 1
"#,
        receiver.url
    );
    let workdir = applied(tool, "workflow-automation", &arguments)?;
    let scalr = workdir.companion.scalr();
    let state = std::fs::read_to_string(workdir.state_file())?;
    ensure!(!state.contains(SECRET), "the secret is in the state");

    // The first attempt fails; runs that do not count are not called for.
    for event in [
        run("run-dry", "applied", true, false),
        run("run-failed", "errored", false, false),
        run("run-1", "applied", false, false),
    ] {
        scalr.emit("RunExecuted", &event)?;
    }
    let first = &requests(&receiver, 1)?[0];
    ensure!((&*first.method, &*first.path) == ("POST", "/runs"), "{first:?}");
    ensure!(first.headers["x-api-key"] == SECRET, "{first:?}");
    let time = first.body["time"].as_str().unwrap_or_default();
    let body = json!({
        "title": "Scalr run execution completed. Run ID: run-1.", "run": "run-1", "result": "applied", "workspace": "network",
        "environment": "prod", "user": "alice@example.com", "time": time,
    });
    ensure!(first.body == body && !time.is_empty(), "{first:?}");

    // One call a second: the third leaves two seconds after the first at the earliest.
    let started = Instant::now();
    for id in ["run-2", "run-3", "run-4"] {
        scalr.emit("RunExecuted", &run(id, "applied", false, false))?;
    }
    requests(&receiver, 4)?;
    ensure!(
        started.elapsed() >= Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );

    // Another key is sent when its version changes.
    let rotated = arguments.replace(SECRET, SECOND);
    workdir.config(&calls(&rotated))?;
    workdir.plan_empty()?;
    workdir.config(&calls(&format!("{rotated}  secret_version = 2")))?;
    workdir.apply_counts(0, 1, 0)?;
    scalr.emit("RunExecuted", &run("run-5", "applied", false, false))?;
    let fifth = &requests(&receiver, 5)?[4];
    ensure!(fifth.headers["x-api-key"] == SECOND, "{fifth:?}");

    receiver.fail(usize::MAX);
    scalr.emit("RunExecuted", &run("run-6", "applied", false, false))?;
    let aws = workdir.companion.aws_in(REGION);
    let letter = verify::until("a dead letter", || {
        Ok(aws.receive("scalr-workflow-undelivered")?.pop())
    })?;
    let event: Value = serde_json::from_str(letter.body().unwrap_or_default())?;
    ensure!(event["detail"]["event"]["run-id"] == "run-6", "{event}");
    let attribute = |name: &str| {
        let attributes = letter.message_attributes()?;
        attributes.get(name)?.string_value()
    };
    ensure!(attribute("ERROR_CODE") == Some("SERVER_ERROR"), "{letter:?}");
    workdir.destroy()?;
    verify::nothing_left(&workdir, REGION, &[])
}

/// A sentence for each run that somebody has to know of, to a topic and then to a webhook in its place.
fn monitoring_alerts(tool: &Tool) -> Result<()> {
    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:on-call";
    const FAILED: &str = "Run run-failed failed in workspace network of environment prod. It was started by alice@example.com.";
    const DESTROYED: &str =
        "Workspace network of environment prod was destroyed by alice@example.com (run run-gone).";
    let workdir = Workdir::new(tool)?;
    let aws = workdir.companion.aws_in(REGION);
    aws.make_topic("on-call", false)?;
    let to_topic = format!(
        "  topic         = {{ arn = \"{TOPIC}\" }}\n  environments  = [\"pr*\"]\n  force_destroy = true\n"
    );
    apply(&workdir, "monitoring-alerts", &to_topic)?;
    ensure!(aws.topic_statements(TOPIC)?.len() == 3);

    let runs = || {
        [
            run("run-fine", "applied", false, false),
            run("run-planned", "planned_and_finished", true, true),
            run("run-failed", "errored", false, false),
            run("run-gone", "applied", false, true),
        ]
    };
    let scalr = workdir.companion.scalr();
    for event in runs() {
        scalr.emit("RunExecuted", &event)?;
    }
    let sent = verify::until("two alerts", || {
        let all = workdir.companion.invocations()?;
        Ok((all.len() >= 2).then_some(all))
    })?;
    // The topic gets a text, which the transformer's quotes are not part of.
    let wanted = [FAILED, DESTROYED].map(|text| (TOPIC.to_owned(), json!(text).to_string()));
    ensure!(sent == wanted, "{sent:?}");

    let receiver = Receiver::failing(0)?;
    let to_webhook = format!(
        "  webhook       = {{ endpoint = \"{}/hook\", role_arn = \"arn:aws:iam::123456789012:role/posts\", rate_limit_per_second = 5 }}\n  force_destroy = true\n",
        receiver.url
    );
    workdir.config(&calls(&to_webhook))?;
    workdir.apply()?;
    workdir.plan_empty()?;
    ensure!(aws.topic_statements(TOPIC)?.len() == 1);
    for event in runs() {
        scalr.emit("RunExecuted", &event)?;
    }
    let posted = requests(&receiver, 2)?;
    // Two requests may overtake each other.
    let mut bodies: Vec<_> = posted.iter().map(|one| one.body.clone()).collect();
    bodies.sort_by_key(ToString::to_string);
    ensure!(
        bodies == [json!({ "text": FAILED }), json!({ "text": DESTROYED })],
        "{bodies:?}"
    );
    ensure!(aws.receive("scalr-alerts-undelivered")?.is_empty());
    workdir.destroy()?;
    verify::nothing_left(&workdir, REGION, &[])
}

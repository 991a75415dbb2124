//! `scalr_eventbridge_delivery_check`: it succeeds when the event arrives, and names the one link that broke when not.

use acceptance::aws::Aws;
use acceptance::block_on;
use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};
use serde_json::Value;

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_delivery_check.runs";

/// On its own: what it checks is not in the same configuration, so that nothing repairs what a case breaks.
const ALONE: &str = r#"
variable "workspace_id" {}
resource "scalr_eventbridge_delivery_check" "runs" {
  workspace_id = var.workspace_id
  log_group    = "/scalr/runs"
  triggers     = { round = "1" }
  timeouts {
    create = "4s"
  }
}
"#;

/// How a link is broken, and what the message must say: of LINKS that one and no other.
struct Break {
    link: &'static str,
    by: fn(&Stage, &str) -> Result<()>,
    says: &'static [&'static str],
}

pub(crate) fn cases() -> Vec<Case> {
    let mut rows = vec![
        Case::new("delivery_check::lifecycle", lifecycle),
        Case::new("delivery_check::bad_group", bad_group),
    ];
    for link in BREAKS {
        rows.push(Case::new(
            format!("delivery_check::broken::{}", link.link),
            move |tool| broken(tool, &link),
        ));
    }
    rows
}

fn chain(tool: &Tool) -> Result<(Stage, String)> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, ACTIVATION]))?;
    stage.apply_counts(5, 0, 0)?;
    let bus = stage.attribute("scalr_eventbridge_bus.scalr", "name")?;
    std::fs::rename(stage.state_file(), stage.dir().join("chain.json"))?;
    Ok((stage, bus))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (stage, _) = chain(tool)?;
    stage.config(ALONE)?;
    stage.apply_counts(1, 0, 0)?;
    let run = stage.attribute(ADDRESS, "run_id")?;
    let messages = stage.aws().messages(GROUP)?;
    let event = messages
        .iter()
        .find(|message| message["detail"]["event"]["run-id"] == run.as_str());
    let id = stage.attribute(ADDRESS, "event_id")?;
    ensure!(
        event.is_some_and(|event| event["id"] == id.as_str()),
        "{id} of {run}: {messages:?}"
    );
    ensure!(stage.attributes(ADDRESS)?["latency_ms"].is_number());
    stage.plan_empty()?;

    stage.config(&hcl::with(ALONE, "\"1\"", "\"2\""))?;
    stage.plan_shows(&["forces replacement"])?;
    stage.apply_counts(1, 0, 1)?;
    ensure!(stage.attribute(ADDRESS, "run_id")? != run);

    stage.write(
        "import.tf",
        &format!("import {{\n  to = {ADDRESS}\n  id = \"{run}\"\n}}\n"),
    )?;
    std::fs::remove_file(stage.state_file())?;
    stage.plan_fails(&["import"])?;
    Ok(())
}

fn bad_group(tool: &Tool) -> Result<()> {
    let (stage, _) = chain(tool)?;
    stage.config(&hcl::with(ALONE, "/scalr/runs", "/scalr/none"))?;
    stage.apply_fails(&["/scalr/none"])?;
    Ok(())
}

fn broken(tool: &Tool, link: &Break) -> Result<()> {
    let (stage, bus) = chain(tool)?;
    (link.by)(&stage, &bus)?;
    stage.config(ALONE)?;
    let ended = stage.apply_fails(link.says)?;
    let flat = ended.flat();
    for other in LINKS.iter().filter(|other| !link.says.contains(other)) {
        ensure!(
            !flat.contains(other),
            "the message also says `{other}`:
{}",
            ended.text
        );
    }
    ensure!(
        stage.attributes(ADDRESS).is_err(),
        "a check that failed is in the state"
    );
    Ok(())
}

/// What each message opens with; a message may hold one of these only.
const LINKS: [&str; 15] = [
    "The run is not over",
    "The log group is gone",
    "The permission is missing",
    "The resource policy denies",
    "The target is missing",
    "The rule is gone",
    "The rule is disabled",
    "The pattern does not match",
    "The event bus is gone",
    "The event source is not associated",
    "The event source is gone",
    "The connection is gone",
    "The connection is paused",
    "The connection has failed",
    "The connection is not active",
];

fn each_connection(stage: &Stage, act: impl Fn(&str) -> Result<()>) -> Result<()> {
    let connections = stage.world.scalr().connections()?;
    connections
        .iter()
        .try_for_each(|connection| act(connection["id"].as_str().unwrap_or_default()))
}

fn partner(stage: &Stage) -> Aws {
    let line = &stage.world.line;
    Aws::new(line.endpoint(), line.partner_account(), "us-east-1")
}

fn delete_source(stage: &Stage, bus: &str) -> Result<()> {
    let delete = partner(stage).events.delete_partner_event_source().name(bus);
    block_on(delete.account(stage.world.line.aws_account()).send())?;
    Ok(())
}

/// The source is gone when an event is sent, so the connection fails; then the source is back, and Scalr has not looked.
fn fail_connection(stage: &Stage, bus: &str) -> Result<()> {
    delete_source(stage, bus)?;
    verify::start_run(stage)?;
    verify::until("the connection to fail", || {
        let connections = stage.world.scalr().connections()?;
        let failed = |connection: &Value| connection["attributes"]["status"] == "failed";
        Ok(connections.iter().any(failed).then_some(()))
    })?;
    let create = partner(stage).events.create_partner_event_source().name(bus);
    block_on(create.account(stage.world.line.aws_account()).send())?;
    block_on(stage.aws().events.activate_event_source().name(bus).send())?;
    Ok(())
}

const BREAKS: [Break; 14] = [
    Break {
        link: "permission",
        by: |stage, _| stage.aws().delete_group_policy(GROUP),
        says: &["The permission is missing", GROUP],
    },
    Break {
        link: "policy_denies",
        by: |stage, _| stage.aws().deny_events(GROUP),
        says: &["The resource policy denies", GROUP],
    },
    Break {
        link: "target",
        by: |stage, bus| stage.aws().remove_targets(bus, "runs"),
        says: &["The target is missing", GROUP],
    },
    Break {
        link: "rule_disabled",
        by: |stage, bus| {
            block_on(
                stage
                    .aws()
                    .events
                    .disable_rule()
                    .event_bus_name(bus)
                    .name("runs")
                    .send(),
            )?;
            Ok(())
        },
        says: &["The rule is disabled", "`runs`"],
    },
    Break {
        link: "rule_pattern",
        by: |stage, bus| {
            let put = stage.aws().events.put_rule().event_bus_name(bus).name("runs");
            block_on(put.event_pattern(r#"{"detail-type":["AuditLog"]}"#).send())?;
            Ok(())
        },
        says: &["The pattern does not match", "`runs`", "detail-type"],
    },
    Break {
        link: "rule_gone",
        by: |stage, bus| stage.aws().delete_rule(bus, "runs"),
        says: &["The rule is gone"],
    },
    Break {
        link: "bus_gone",
        by: |stage, bus| stage.aws().delete_bus(bus),
        says: &["The event bus is gone"],
    },
    Break {
        link: "source_deactivated",
        by: |stage, bus| {
            block_on(stage.aws().events.deactivate_event_source().name(bus).send())?;
            Ok(())
        },
        says: &["The event source is not associated"],
    },
    Break {
        link: "source_expired",
        by: |stage, bus| {
            block_on(stage.aws().events.deactivate_event_source().name(bus).send())?;
            stage.world.pass_days(15)
        },
        says: &["The event source is gone"],
    },
    Break {
        link: "source_gone",
        by: delete_source,
        says: &["The event source is gone"],
    },
    Break {
        link: "connection_failed",
        by: fail_connection,
        says: &["The connection has failed"],
    },
    Break {
        link: "connection_not_active",
        by: |stage, bus| {
            block_on(stage.aws().events.deactivate_event_source().name(bus).send())?;
            each_connection(stage, |id| stage.world.scalr().set_status(id, "active"))?;
            block_on(stage.aws().events.activate_event_source().name(bus).send())?;
            Ok(())
        },
        says: &["The connection is not active", "`pending`"],
    },
    Break {
        link: "connection_paused",
        by: |stage, _| each_connection(stage, |id| stage.world.scalr().set_status(id, "disabled")),
        says: &["The connection is paused", "enabled = true"],
    },
    Break {
        link: "connection_gone",
        by: |stage, _| each_connection(stage, |id| stage.world.scalr().disconnect(id)),
        says: &["The connection is gone"],
    },
];

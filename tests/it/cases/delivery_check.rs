//! `scalr_eventbridge_delivery_check`: it succeeds when the event arrives, and names the one link that broke when not.

use acceptance::block_on;
use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, GROUP, RULE, TARGET};
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

/// How a link is broken, what the message must say, and what it must not say.
struct Break {
    link: &'static str,
    by: fn(&Stage, &str) -> Result<()>,
    says: &'static [&'static str],
    silent_on: &'static [&'static str],
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
    for other in link.silent_on {
        ensure!(
            !flat.contains(other),
            "the message also blames `{other}`:\n{}",
            ended.text
        );
    }
    ensure!(
        stage.attributes(ADDRESS).is_err(),
        "a check that failed is in the state"
    );
    Ok(())
}

const BREAKS: [Break; 8] = [
    Break {
        link: "policy",
        by: |stage, _| stage.aws().delete_group_policy(GROUP),
        says: &["policy", GROUP],
        silent_on: &["disabled", "does not match"],
    },
    Break {
        link: "target",
        by: |stage, bus| stage.aws().remove_targets(bus, "runs"),
        says: &["target", GROUP],
        silent_on: &["disabled", "does not match", "policy"],
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
        says: &["`runs`", "disabled"],
        silent_on: &["does not match", "policy"],
    },
    Break {
        link: "rule_pattern",
        by: |stage, bus| {
            let put = stage.aws().events.put_rule().event_bus_name(bus).name("runs");
            block_on(put.event_pattern(r#"{"detail-type":["AuditLog"]}"#).send())?;
            Ok(())
        },
        says: &["`runs`", "detail-type"],
        silent_on: &["disabled", "policy"],
    },
    Break {
        link: "rule_gone",
        by: |stage, bus| stage.aws().delete_rule(bus, "runs"),
        says: &["rule"],
        silent_on: &["disabled", "does not match", "policy"],
    },
    Break {
        link: "bus_gone",
        by: |stage, bus| stage.aws().delete_bus(bus),
        says: &["bus"],
        silent_on: &["disabled", "does not match", "policy"],
    },
    Break {
        link: "connection_paused",
        by: |stage, _| {
            let connections = stage.world.scalr().connections()?;
            for connection in connections {
                stage
                    .world
                    .scalr()
                    .set_status(connection["id"].as_str().unwrap_or_default(), "disabled")?;
            }
            Ok(())
        },
        says: &["connection", "enabled"],
        silent_on: &["does not match", "policy"],
    },
    Break {
        link: "connection_gone",
        by: |stage, _| {
            for connection in stage.world.scalr().connections()? {
                stage
                    .world
                    .scalr()
                    .disconnect(connection["id"].as_str().unwrap_or_default())?;
            }
            Ok(())
        },
        says: &["DELETED"],
        silent_on: &["does not match", "policy"],
    },
];

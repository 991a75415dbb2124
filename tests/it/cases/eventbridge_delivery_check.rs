//! `scalr_eventbridge_delivery_check`: it succeeds when the event arrives, and names the one link that broke when not.

use acceptance::aws::Aws;
use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use serde_json::Value;

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

pub(super) const ADDRESS: &str = "scalr_eventbridge_delivery_check.runs";

/// On its own: what it checks is not in the same configuration, so that nothing repairs what a case breaks.
pub(super) const ALONE: &str = r#"
variable "workspace_id" {}
resource "scalr_eventbridge_delivery_check" "runs" {
  workspace_id = var.workspace_id
  log_group    = "/scalr/runs"
  triggers     = { round = "1" }
}
"#;

/// For an event that does not come.
pub(super) const TIMEOUT: &str = "timeouts { create = \"4s\" }";

/// How a link is broken, and what the message must say: of LINKS that one and no other.
struct Break {
    link: &'static str,
    by: fn(&Workdir, &str) -> Result<()>,
    says: &'static [&'static str],
}

pub(crate) fn cases() -> Vec<Case> {
    let mut rows = vec![
        Case::new("delivery_check::lifecycle", lifecycle),
        Case::new("delivery_check::bad_group", bad_group),
        Case::new("delivery_check::infrequent_access_group", infrequent_access_group),
    ];
    for link in BREAKS {
        rows.push(Case::new(
            format!("delivery_check::broken::{}", link.link),
            move |tool| broken(tool, &link),
        ));
    }
    rows
}

fn chain(tool: &Tool) -> Result<(Workdir, String)> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, ACTIVATION]))?;
    workdir.apply_counts(5, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    std::fs::rename(workdir.state_file(), workdir.path().join("chain.json"))?;
    Ok((workdir, bus))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (workdir, _) = chain(tool)?;
    workdir.config(ALONE)?;
    workdir.apply_counts(1, 0, 0)?;
    let run = workdir.attribute(ADDRESS, "run_id")?;
    let messages = workdir.aws().messages(GROUP)?;
    let event = messages
        .iter()
        .find(|message| message["detail"]["event"]["run-id"] == run.as_str());
    let id = workdir.attribute(ADDRESS, "event_id")?;
    ensure!(
        event.is_some_and(|event| event["id"] == id.as_str()),
        "{id} of {run}: {messages:?}"
    );
    ensure!(workdir.attributes(ADDRESS)?["latency_ms"].is_number());
    workdir.plan_empty()?;

    workdir.config(&hcl::with(ALONE, "\"1\"", "\"2\""))?;
    workdir.plan_shows(&["forces replacement"])?;
    workdir.apply_counts(1, 0, 1)?;
    ensure!(workdir.attribute(ADDRESS, "run_id")? != run);

    workdir.write(
        "import.tf",
        &format!("import {{\n  to = {ADDRESS}\n  id = \"{run}\"\n}}\n"),
    )?;
    std::fs::remove_file(workdir.state_file())?;
    workdir.plan_fails(&["import"])?;
    Ok(())
}

fn bad_group(tool: &Tool) -> Result<()> {
    let (workdir, _) = chain(tool)?;
    workdir.config(&hcl::with(ALONE, "/scalr/runs", "/scalr/none"))?;
    workdir.plan_shows(&["There is no log group `/scalr/none` for the delivery check"])?;
    workdir.apply_fails(&["/scalr/none"])?;
    Ok(())
}

/// The events arrive, but AWS lets nobody look for them with this call.
fn infrequent_access_group(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let class = LogGroupClass::InfrequentAccess;
    let group = workdir.aws().logs.create_log_group().log_group_name(GROUP);
    block_on(group.log_group_class(class).send())?;
    workdir.config(ALONE)?;
    workdir.plan_shows(&["Warning: The log group `/scalr/runs` cannot be searched"])?;
    workdir.apply_fails(&["INFREQUENT_ACCESS", "No run was started"])?;
    Ok(())
}

fn broken(tool: &Tool, link: &Break) -> Result<()> {
    let (workdir, bus) = chain(tool)?;
    (link.by)(&workdir, &bus)?;
    workdir.config(&hcl::more(ALONE, TIMEOUT))?;
    let ended = workdir.apply_fails(link.says)?;
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
        workdir.attributes(ADDRESS).is_err(),
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

fn each_connection(workdir: &Workdir, act: impl Fn(&str) -> Result<()>) -> Result<()> {
    let connections = workdir.companion.scalr().connections()?;
    connections
        .iter()
        .try_for_each(|connection| act(connection["id"].as_str().unwrap_or_default()))
}

fn partner(workdir: &Workdir) -> Aws {
    let line = &workdir.companion.line;
    Aws::new(line.endpoint(), line.partner_account(), "us-east-1")
}

fn delete_source(workdir: &Workdir, bus: &str) -> Result<()> {
    let delete = partner(workdir).events.delete_partner_event_source().name(bus);
    block_on(delete.account(workdir.companion.line.aws_account()).send())?;
    Ok(())
}

/// The source is gone when an event is sent, so the connection fails; then the source is back, and Scalr has not looked.
fn fail_connection(workdir: &Workdir, bus: &str) -> Result<()> {
    delete_source(workdir, bus)?;
    verify::start_run(workdir)?;
    verify::until("the connection to fail", || {
        let connections = workdir.companion.scalr().connections()?;
        let failed = |connection: &Value| connection["attributes"]["status"] == "failed";
        Ok(connections.iter().any(failed).then_some(()))
    })?;
    let create = partner(workdir).events.create_partner_event_source().name(bus);
    block_on(create.account(workdir.companion.line.aws_account()).send())?;
    block_on(workdir.aws().events.activate_event_source().name(bus).send())?;
    Ok(())
}

const BREAKS: [Break; 14] = [
    Break {
        link: "permission",
        by: |workdir, _| workdir.aws().delete_group_policy(GROUP),
        says: &["The permission is missing", GROUP],
    },
    Break {
        link: "policy_denies",
        by: |workdir, _| workdir.aws().deny_events(GROUP),
        says: &["The resource policy denies", GROUP],
    },
    Break {
        link: "target",
        by: |workdir, bus| workdir.aws().remove_targets(bus, "runs"),
        says: &["The target is missing", GROUP],
    },
    Break {
        link: "rule_disabled",
        by: |workdir, bus| {
            block_on(
                workdir
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
        by: |workdir, bus| {
            let put = workdir.aws().events.put_rule().event_bus_name(bus).name("runs");
            block_on(put.event_pattern(r#"{"detail-type":["AuditLog"]}"#).send())?;
            Ok(())
        },
        says: &["The pattern does not match", "`runs`", "detail-type"],
    },
    Break {
        link: "rule_gone",
        by: |workdir, bus| workdir.aws().delete_rule(bus, "runs"),
        says: &["The rule is gone"],
    },
    Break {
        link: "bus_gone",
        by: |workdir, bus| workdir.aws().delete_bus(bus),
        says: &["The event bus is gone"],
    },
    Break {
        link: "source_deactivated",
        by: |workdir, bus| {
            block_on(workdir.aws().events.deactivate_event_source().name(bus).send())?;
            Ok(())
        },
        says: &["The event source is not associated"],
    },
    Break {
        link: "source_expired",
        by: |workdir, bus| {
            block_on(workdir.aws().events.deactivate_event_source().name(bus).send())?;
            workdir.companion.pass_days(15)
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
        by: |workdir, bus| {
            block_on(workdir.aws().events.deactivate_event_source().name(bus).send())?;
            each_connection(workdir, |id| workdir.companion.scalr().set_status(id, "active"))?;
            block_on(workdir.aws().events.activate_event_source().name(bus).send())?;
            Ok(())
        },
        says: &["The connection is not active", "`pending`"],
    },
    Break {
        link: "connection_paused",
        by: |workdir, _| each_connection(workdir, |id| workdir.companion.scalr().set_status(id, "disabled")),
        says: &["The connection is paused", "enabled = true"],
    },
    Break {
        link: "connection_gone",
        by: |workdir, _| each_connection(workdir, |id| workdir.companion.scalr().disconnect(id)),
        says: &["The connection is gone"],
    },
];

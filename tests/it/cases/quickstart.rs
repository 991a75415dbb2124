//! The quickstart, and a configuration of the whole page that is not the quickstart.

use std::path::Path;

use acceptance::companion::Companion;
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
use acceptance::{block_on, paths};
use anyhow::{Result, ensure};
use serde_json::json;

use super::verify;
use crate::runner::{Case, Feature};

pub(crate) const GROUPS: [&str; 2] = ["/aws/events/scalr/AuditLog", "/aws/events/scalr/RunExecuted"];

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("examples::quickstart", quickstart),
        Case::new("examples::quickstart_delivers_what_was_held", held),
        Case::new("examples::quickstart_on_a_custom_bus", on_a_custom_bus),
        Case::new("examples::quickstart_moves_to_a_custom_bus_and_back", moves),
        Case::new("import::quickstart", import),
        Case::new("import::quickstart_by_identity", import_by_identity).needs(Feature::ImportByIdentity),
        Case::new("elsewhere::whole_page", elsewhere),
    ]
}

/// A workdir with the quickstart's files and the given servers.
pub(crate) fn workdir(tool: &Tool, companion: Companion) -> Result<Workdir> {
    let workdir = Workdir::with(tool, companion)?;
    workdir.remove("provider.tf");
    copy("quickstart", workdir.path())?;
    Ok(workdir)
}

fn copy(example: &str, to: &Path) -> Result<()> {
    Ok(paths::copy_files(&paths::example(example), to, ".tf")?)
}

fn quickstart(tool: &Tool) -> Result<()> {
    let workdir = workdir(tool, Companion::start()?)?;
    workdir.apply_counts(9, 0, 0)?;
    ensure!(workdir.output("status")? == "active");
    workdir.plan_empty()?;

    let bus = workdir.attribute("scalr_eventbridge_bus.this", "name")?;
    ensure!(workdir.aws().source_state(&bus)?.as_deref() == Some("ACTIVE"));
    ensure!(workdir.aws().rules(&bus)? == ["scalr-AuditLog", "scalr-RunExecuted"]);
    // The request that selects the connection is itself the first AuditLog event.
    let [audit, runs] = GROUPS;
    verify::arrives(&workdir, audit, "AuditLog")?;
    let event = verify::arrives(&workdir, runs, "RunExecuted")?;
    ensure!(
        event["account"] == "123456789012" && event["source"] == bus.as_str(),
        "{event}"
    );

    workdir.destroy()?;
    ensure!(workdir.resources()?.is_empty());
    verify::nothing_left(&workdir, "us-east-1", &GROUPS)
}

/// The twin with subscribers, roles and an event source; the delivery check is part of it.
fn on_a_custom_bus(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    copy("quickstart-custom-bus", workdir.path())?;
    verify::without_warnings(&workdir.apply_counts(8, 0, 0)?)?;
    ensure!(workdir.output("status")? == "active");
    workdir.plan_empty()?;
    let partner = workdir.attribute("scalr_eventbridge_connection.this", "event_source_name")?;
    ensure!(workdir.aws().source_state(&partner)?.as_deref() == Some("ACTIVE"));
    let mut roles = workdir.aws().roles()?;
    roles.sort();
    ensure!(
        roles == ["scalr-AuditLog-us-east-1", "scalr-RunExecuted-us-east-1"],
        "{roles:?}"
    );
    let [audit, runs] = GROUPS;
    verify::arrives(&workdir, audit, "AuditLog")?;
    let event = verify::arrives(&workdir, runs, "RunExecuted")?;
    ensure!(event["source"] == partner.as_str(), "{event}");
    workdir.destroy()?;
    let roles = workdir.aws().roles()?;
    ensure!(roles.is_empty(), "roles are left: {roles:?}");
    ensure!(workdir.aws().custom_buses()?.is_empty());
    verify::nothing_left(&workdir, "us-east-1", &GROUPS)
}

/// The quickstart becomes its twin and the twin the quickstart, in one state, with one apply each: the log groups keep their events.
fn moves(tool: &Tool) -> Result<()> {
    let workdir = workdir(tool, Companion::start()?)?;
    workdir.apply_counts(9, 0, 0)?;
    let [_, runs] = GROUPS;
    for (example, counts, runs_checked, owner) in [
        (
            "quickstart-custom-bus",
            (5, 0, 6),
            2,
            "subscriber:scalr-RunExecuted",
        ),
        ("quickstart", (6, 0, 5), 3, "/scalr-RunExecuted"),
    ] {
        copy(example, workdir.path())?;
        let (added, changed, destroyed) = counts;
        workdir.apply_counts(added, changed, destroyed)?;
        workdir.plan_empty()?;
        let count = workdir.aws().messages(runs)?.len();
        ensure!(count == runs_checked, "{example}: {count} events");
        for group in GROUPS {
            let tags = workdir.aws().group_tags(group)?;
            let name = owner.replace("RunExecuted", group.rsplit('/').next().unwrap_or_default());
            let is_owner = tags
                .get("scalr-eventbridge:owner")
                .is_some_and(|tag| tag.ends_with(&name));
            ensure!(
                is_owner && !tags.contains_key("scalr-eventbridge:next-owner"),
                "{example}: {tags:?}"
            );
        }
    }
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &GROUPS)
}

/// What Scalr holds while the connection is pending arrives: the targets are there before it becomes active.
fn held(tool: &Tool) -> Result<()> {
    let mut workdir = workdir(tool, Companion::start()?)?;
    let first = workdir.run(&[&APPLY[..], &["-target=scalr_eventbridge_connection.this"]].concat())?;
    ensure!(first.code() == 0, "{}", first.text);
    verify::start_run(&workdir)?;
    workdir.apply_counts(8, 0, 0)?;
    let [_, runs] = GROUPS;
    let count = workdir.aws().messages(runs)?.len();
    ensure!(count == 2, "the held event and the check's own: {count}");
    // A connection of another name is checked again.
    workdir.set("TF_VAR_name", "renamed");
    workdir.plan_shows(&["scalr_eventbridge_delivery_check.runs must be replaced"])?;
    Ok(())
}

/// The quickstart applied, without what cannot be imported: the delivery check.
fn importable(tool: &Tool) -> Result<Workdir> {
    let workdir = workdir(tool, Companion::start()?)?;
    let main = std::fs::read_to_string(workdir.path().join("main.tf"))?;
    let check = main.find("# A run is started").unwrap_or(main.len());
    workdir.write("main.tf", &main[..check])?;
    workdir.remove("outputs.tf");
    workdir.apply_counts(8, 0, 0)?;
    Ok(workdir)
}

/// The address of each type's rule, of its target, and the rule's name.
const RULES: [(&str, &str, &str); 2] = [
    (
        "scalr_eventbridge_rule.this[\"RunExecuted\"]",
        "scalr_eventbridge_target.logs[\"RunExecuted\"]",
        "scalr-RunExecuted",
    ),
    (
        "scalr_eventbridge_rule.this[\"AuditLog\"]",
        "scalr_eventbridge_target.logs[\"AuditLog\"]",
        "scalr-AuditLog",
    ),
];

fn import(tool: &Tool) -> Result<()> {
    let workdir = importable(tool)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.this", "name")?;
    let connection = workdir.attribute("scalr_eventbridge_connection.this", "id")?;
    let mut ids = vec![
        ("scalr_eventbridge_connection.this", connection.clone()),
        ("scalr_eventbridge_bus.this", bus.clone()),
        ("scalr_eventbridge_activation.this", connection),
        (
            "scalr_audit_log_setting.this",
            workdir.companion.line.scalr_account().to_owned(),
        ),
    ];
    for (rule, target, name) in RULES {
        let id = workdir.attribute(target, "target_id")?;
        ids.push((rule, format!("{bus}/{name}@us-east-1")));
        ids.push((target, format!("{bus}/{name}/{id}@us-east-1")));
    }
    verify::import(&workdir, &ids, &["status"])
}

fn import_by_identity(tool: &Tool) -> Result<()> {
    let workdir = importable(tool)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.this", "name")?;
    let connection = workdir.attribute("scalr_eventbridge_connection.this", "id")?;
    let account = workdir.companion.line.scalr_account().to_owned();
    let ids: Vec<_> = RULES
        .iter()
        .map(|(_, target, _)| workdir.attribute(target, "target_id"))
        .collect::<Result<_>>()?;
    let mut identities = vec![
        (
            "scalr_eventbridge_connection.this",
            vec![("id", connection.as_str())],
        ),
        // Without a region it is the provider's.
        ("scalr_eventbridge_bus.this", vec![("name", bus.as_str())]),
        (
            "scalr_eventbridge_activation.this",
            vec![("connection_id", connection.as_str())],
        ),
        (
            "scalr_audit_log_setting.this",
            vec![("account_id", account.as_str())],
        ),
    ];
    for ((rule, target, name), id) in RULES.iter().zip(&ids) {
        let place = [("event_bus_name", bus.as_str()), ("region", "us-east-1")];
        let of_rule = place.into_iter().chain([("name", *name)]);
        let of_target = place
            .into_iter()
            .chain([("rule", *name), ("target_id", id.as_str())]);
        identities.push((rule, of_rule.collect()));
        identities.push((target, of_target.collect()));
    }
    verify::import_by_identity(&workdir, &identities, &["status"])
}

const ELSEWHERE: &str = r#"
provider "scalr" {
  aws = {
    region       = "eu-west-1"
    default_tags = { tags = { team = "platform" } }
  }
}
locals {
  environments = ["prod", "staging"]
}
resource "scalr_eventbridge_connection" "eu" {
  name           = "eu"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
}
resource "scalr_eventbridge_bus" "eu" {
  event_source_name = scalr_eventbridge_connection.eu.event_source_name
  description       = "Scalr in Europe"
}
resource "scalr_eventbridge_rule" "failures" {
  name_prefix    = "failures-"
  event_bus_name = scalr_eventbridge_bus.eu.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", { result = ["errored"], environment = local.environments })
  tags           = { severity = "high" }
}
resource "scalr_eventbridge_rule" "everything" {
  name           = "everything"
  event_bus_name = scalr_eventbridge_bus.eu.name
  event_pattern  = jsonencode({ source = [{ prefix = "aws.partner/scalr.com" }] })
}
resource "scalr_eventbridge_target" "alarm" {
  rule           = scalr_eventbridge_rule.failures.name
  event_bus_name = scalr_eventbridge_rule.failures.event_bus_name
  arn            = "arn:aws:sns:eu-west-1:123456789012:alarm"
  input_path     = "$.detail.title"
}
resource "scalr_eventbridge_target" "archive" {
  rule           = scalr_eventbridge_rule.everything.name
  event_bus_name = scalr_eventbridge_rule.everything.event_bus_name
  log_group      = { name = "/eu/everything", create = true, delete_on_destroy = true }
}
resource "scalr_eventbridge_activation" "eu" {
  connection_id = scalr_eventbridge_bus.eu.name == "" ? "" : scalr_eventbridge_connection.eu.id
}
resource "scalr_audit_log_setting" "eu" {
  connection_id = scalr_eventbridge_activation.eu.connection_id
  depends_on    = [scalr_eventbridge_target.archive]
}
"#;

fn elsewhere(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(ELSEWHERE)?;
    workdir.apply_counts(8, 0, 0)?;
    workdir.plan_empty()?;
    let here = workdir.companion.aws_in("eu-west-1");
    let bus = workdir.attribute("scalr_eventbridge_bus.eu", "name")?;
    let failures = workdir.attribute("scalr_eventbridge_rule.failures", "arn")?;
    let tags = block_on(here.events.list_tags_for_resource().resource_arn(failures).send())?;
    ensure!(tags.tags().len() == 2, "{tags:?}");
    ensure!(here.source_state(&bus)?.as_deref() == Some("ACTIVE"));
    ensure!(
        workdir.aws().buses()?.is_empty(),
        "the bus is in the wrong region"
    );

    verify::start_run(&workdir)?;
    let event = verify::until("the run's event in /eu/everything", || {
        let messages = here.messages("/eu/everything")?;
        Ok(messages
            .into_iter()
            .find(|message| message["detail-type"] == "RunExecuted"))
    })?;
    ensure!(
        event["region"] == "eu-west-1" && event["version"] == "0" && event["resources"] == json!([]),
        "{event}"
    );
    workdir.destroy()?;
    verify::nothing_left(&workdir, "eu-west-1", &[])
}

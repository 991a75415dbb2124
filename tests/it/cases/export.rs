//! `scalr-eventbridge export`: its file imports everything there is, and changes nothing, with either tool.

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::eventbridge_event_source::{ACTIVATION as FED, SOURCE};
use super::hcl::{self, ACTIVATION, AUDIT_LOGS, BUS, CONNECTION, RULE, TARGET};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("export::no_change", no_change),
        Case::new("export::custom_bus", custom_bus),
        Case::new("export::refusals", refusals),
    ]
}

/// What a person may have written: settings of every kind, and texts that are hostile to HCL.
const MORE: &str = r#"
resource "scalr_eventbridge_rule" "odd" {
  name           = "odd.name"
  event_bus_name = scalr_eventbridge_bus.scalr.name
  description    = "A \"quoted\" $${x} %%{y} \\ größe"
  event_pattern  = "{ \"detail-type\": [ { \"prefix\": \"Run\" } ], \"detail\": { \"event\": { \"duration\": [ { \"numeric\": [ \">\", 1.5 ] } ] } } }"
  enabled        = false
  tags           = { "team a" = "x/y", "key" = "$${v}" }
}
resource "scalr_eventbridge_target" "queue" {
  rule           = scalr_eventbridge_rule.odd.name
  event_bus_name = scalr_eventbridge_bus.scalr.name
  target_id      = "queue"
  arn            = "arn:aws:sqs:us-east-1:123456789012:runs"
  input_transformer = {
    input_paths    = { id = "$.detail.event.run-id" }
    input_template = "\"a $${run} %%{x}\\n<id>\"\n"
  }
  retry_policy       = { maximum_event_age_in_seconds = 60 }
  dead_letter_config = { arn = "arn:aws:sqs:us-east-1:123456789012:runs" }
}
resource "scalr_eventbridge_target" "constant" {
  rule           = scalr_eventbridge_rule.odd.name
  event_bus_name = scalr_eventbridge_bus.scalr.name
  target_id      = "constant"
  arn            = "arn:aws:sqs:us-east-1:123456789012:runs"
  input          = jsonencode({ a = "$${b}", c = [1, null] })
}
resource "scalr_eventbridge_connection" "paused" {
  name           = "1st"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
}
resource "scalr_eventbridge_bus" "paused" {
  event_source_name = scalr_eventbridge_connection.paused.event_source_name
  region            = "eu-west-1"
  description       = "On\ntwo lines"
}
"#;

fn no_change(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.aws().make_queue("runs", true)?;
    let settings = "retention_in_days = 30, kms_key_id = \"arn:aws:kms:us-east-1:123456789012:key/1234abcd\"";
    let target = hcl::with(TARGET, "retention_in_days = 30", settings);
    workdir.config(&hcl::all(&[
        CONNECTION, BUS, RULE, &target, ACTIVATION, AUDIT_LOGS, MORE,
    ]))?;
    workdir.apply_counts(11, 0, 0)?;
    workdir.forget();
    workdir.remove("provider.tf");

    let ended = workdir.run_companion(&["export", "--out", "export.tf"])?;
    ensure!(ended.code() == 0, "{}", ended.text);
    let written = std::fs::read_to_string(workdir.path().join("export.tf"))?;
    for line in [
        "event_bus_name = scalr_eventbridge_bus.prod.name",
        "event_source_name = scalr_eventbridge_connection.prod.event_source_name",
        "connection_id = scalr_eventbridge_activation.prod.connection_id",
        "kms_key_id        = \"arn:aws:kms:us-east-1:123456789012:key/1234abcd\"",
        "# Left out: The activation of the connection 1st",
    ] {
        ensure!(written.contains(line), "no `{line}` in\n{written}");
    }
    let formatted = workdir.run(&["fmt", "-check", "-diff", "export.tf"])?;
    ensure!(formatted.code() == 0, "{}", formatted.text);
    // To standard output it writes the same.
    let shown = workdir.run_companion(&["export"])?;
    ensure!(
        shown.text.starts_with(&written),
        "{}\nis not\n{written}",
        shown.text
    );

    let plan = workdir.plan_shows(&["11 to import, 0 to add, 0 to change, 0 to destroy"])?;
    ensure!(plan.code() == 2, "{written}");
    workdir.apply()?;
    workdir.plan_empty()?;
    Ok(())
}

/// A connection that feeds a custom event bus.
fn custom_bus(tool: &Tool) -> Result<()> {
    const MORE: &str = "  event_pattern            = jsonencode({ \"detail-type\" = [\"RunExecuted\"] })
  description              = \"Runs\"
  tags";
    let workdir = Workdir::new(tool)?;
    let longer = hcl::with(SOURCE, "= \"scalr\"", "= \"scalr\"\n  retention_in_days = 7");
    let source = hcl::with(&longer, "  tags", MORE);
    workdir.config(&hcl::all(&[CONNECTION, &source, FED]))?;
    workdir.apply_counts(4, 0, 0)?;
    workdir.forget();
    workdir.remove("provider.tf");

    let ended = workdir.run_companion(&["export", "--out", "export.tf"])?;
    ensure!(ended.code() == 0, "{}", ended.text);
    let written = std::fs::read_to_string(workdir.path().join("export.tf"))?;
    for line in [
        "retention_in_days = 7",
        "event_bus_arn            = scalr_eventbridge_custom_bus.scalr.arn",
        "partner_event_source_arn = scalr_eventbridge_connection.prod.event_source_arn",
        "# Left out: The subscribers of the custom event bus scalr in us-east-1",
    ] {
        ensure!(written.contains(line), "no `{line}` in\n{written}");
    }
    let formatted = workdir.run(&["fmt", "-check", "-diff", "export.tf"])?;
    ensure!(formatted.code() == 0, "{}", formatted.text);
    workdir.plan_shows(&["4 to import, 0 to add, 0 to change, 0 to destroy"])?;
    workdir.apply()?;
    workdir.plan_empty()?;
    Ok(())
}

fn refusals(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply()?;
    let refused = |workdir: &Workdir, args: &[&str], needles: &[&str]| {
        let ended = workdir.run_companion(args)?;
        for needle in needles {
            ensure!(
                ended.code() == 1 && ended.flat().contains(needle),
                "no `{needle}`:\n{}",
                ended.text
            );
        }
        anyhow::Ok(())
    };
    refused(
        &workdir,
        &["export", "--out", "main.tf"],
        &["`main.tf` exists, and nothing was written: name another file, or remove that one"],
    )?;
    workdir.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    workdir.set("AWS_MAX_ATTEMPTS", "1");
    refused(
        &workdir,
        &["export", "--out", "new.tf"],
        &["AWS's side cannot be exported (`--scalr-only` leaves it out)"],
    )?;
    ensure!(!workdir.path().join("new.tf").exists());
    let ended = workdir.run_companion(&["export", "--scalr-only", "--no-terraform-block"])?;
    let only = ended.code() == 0 && ended.text.starts_with("import {") && ended.text.contains("\"prod\"");
    ensure!(only, "{}", ended.text);
    workdir.set("SCALR_TOKEN", "not-the-token");
    refused(
        &workdir,
        &["export"],
        &["the connections cannot be listed", "401"],
    )
}

//! The data sources: `scalr_eventbridge_connection`, `scalr_eventbridge_connections`, `scalr_eventbridge_connection_delivery`, `scalr_eventbridge_deliveries`,
//! `scalr_eventbridge_source`, `scalr_eventbridge_sources` and `scalr_eventbridge_sample_events`.

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use serde_json::json;

use super::hcl::{self, BUS, CONNECTION};
use super::verify;
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("data_sources::values", values),
        Case::new("data_sources::lists", lists),
        Case::new("data_sources::delivery", delivery),
        Case::new("data_sources::deliveries", deliveries),
        Case::new("data_sources::not_found", not_found),
    ]
}

const READ: &str = r#"
locals {
  connection = scalr_eventbridge_connection.prod
  source     = scalr_eventbridge_bus.scalr.event_source_name
}
data "scalr_eventbridge_connection" "id" {
  id = local.connection.id
}
data "scalr_eventbridge_connection" "name" {
  name       = "prod"
  depends_on = [scalr_eventbridge_connection.prod]
}
data "scalr_eventbridge_connection" "pair" {
  aws_account_id = "123456789012"
  region         = "us-east-1"
  depends_on     = [scalr_eventbridge_connection.prod]
}
data "scalr_eventbridge_source" "this" {
  name = local.source
}
output "same" {
  value = [
    for one in [data.scalr_eventbridge_connection.id, data.scalr_eventbridge_connection.name, data.scalr_eventbridge_connection.pair] :
    one.id == local.connection.id && one.event_source_arn == local.connection.event_source_arn
  ]
}
output "state" {
  value = data.scalr_eventbridge_source.this.state
}
"#;

fn values(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, READ]))?;
    workdir.apply()?;
    ensure!(
        workdir.output("same")? == json!([true, true, true]),
        "{}",
        workdir.output("same")?
    );
    ensure!(
        workdir.output("state")? == "ACTIVE",
        "{}",
        workdir.output("state")?
    );
    workdir.plan_empty()?;
    Ok(())
}

const LISTS: &str = r#"
resource "scalr_eventbridge_connection" "test" {
  name           = "test"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
}
data "scalr_eventbridge_connections" "all" {
  depends_on = [scalr_eventbridge_connection.prod, scalr_eventbridge_connection.test]
}
data "scalr_eventbridge_connections" "some" {
  account_id     = scalr_eventbridge_connection.prod.account_id
  aws_account_id = "123456789012"
  region         = "us-east-1"
  name_prefix    = "pro"
  depends_on     = [scalr_eventbridge_connection.prod, scalr_eventbridge_connection.test]
}
data "scalr_eventbridge_sources" "active" {
  state      = "ACTIVE"
  depends_on = [scalr_eventbridge_bus.scalr]
}
data "scalr_eventbridge_sources" "there" {
  name_prefix = scalr_eventbridge_connection.test.event_source_name
  region      = "eu-west-1"
}
data "scalr_eventbridge_sample_events" "all" {
  event_source_name = scalr_eventbridge_bus.scalr.name
}
output "connections" {
  value = [for one in data.scalr_eventbridge_connections.all.connections : one.name]
}
output "some" {
  value = [for one in data.scalr_eventbridge_connections.some.connections : one.id == scalr_eventbridge_connection.prod.id]
}
output "sources" {
  value = [for one in concat(data.scalr_eventbridge_sources.active.sources, data.scalr_eventbridge_sources.there.sources) : one.state]
}
output "samples" {
  value = {
    for type, event in data.scalr_eventbridge_sample_events.all.events :
    type => provider::scalr::event_pattern_matches({ source = [scalr_eventbridge_bus.scalr.name] }, event)
  }
}
"#;

fn lists(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, LISTS]))?;
    workdir.apply()?;
    for (output, want) in [
        ("connections", json!(["prod", "test"])),
        ("some", json!([true])),
        ("sources", json!(["ACTIVE", "PENDING"])),
        ("samples", json!({ "AuditLog": true, "RunExecuted": true })),
    ] {
        ensure!(
            workdir.output(output)? == want,
            "{output}: {}",
            workdir.output(output)?
        );
    }
    workdir.plan_empty()?;
    Ok(())
}

const DELIVERY: &str = r#"
data "scalr_eventbridge_connection_delivery" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
}
output "held" {
  value = data.scalr_eventbridge_connection_delivery.prod.held
}
"#;

/// A connection without a bus holds the event of a run.
fn delivery(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply()?;
    verify::start_run(&workdir)?;
    workdir.config(&hcl::all(&[CONNECTION, DELIVERY]))?;
    verify::until("the event to be held", || {
        workdir.apply()?;
        Ok((workdir.output("held")? == 1).then_some(()))
    })?;
    Ok(())
}

const DELIVERIES: &str = r#"
data "scalr_eventbridge_deliveries" "failed" {
  connection_id = scalr_eventbridge_connection.prod.id
}
data "scalr_eventbridge_deliveries" "first" {
  connection_id = scalr_eventbridge_connection.prod.id
  limit         = 1
}
data "scalr_eventbridge_deliveries" "delivered" {
  connection_id = scalr_eventbridge_connection.prod.id
  state         = "delivered"
  accepted_from = "2026-01-01T00:00:00Z"
}
output "failed" {
  value = [
    for one in data.scalr_eventbridge_deliveries.failed.deliveries :
    "${one.detail_type} ${one.state} ${one.attempts} ${split(":", one.error)[0]}"
  ]
}
output "more" {
  value = data.scalr_eventbridge_deliveries.first.more
}
output "delivered" {
  value = length(data.scalr_eventbridge_deliveries.delivered.deliveries)
}
"#;

/// What AWS refuses for good is listed as failed, and what it takes as delivered.
fn deliveries(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, hcl::ACTIVATION]))?;
    workdir.apply()?;
    verify::fail_runs(&workdir, 2)?;
    verify::start_run(&workdir)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, hcl::ACTIVATION, DELIVERIES]))?;
    verify::until("the event to be delivered", || {
        workdir.apply()?;
        Ok((workdir.output("delivered")? == 1).then_some(()))
    })?;
    let failed = "RunExecuted failed 1 ValidationException";
    ensure!(
        workdir.output("failed")? == json!([failed, failed]),
        "{}",
        workdir.output("failed")?
    );
    ensure!(workdir.output("more")? == true);
    // No event is in the state.
    let state = workdir.state()?.to_string();
    ensure!(!state.contains("workspace-name"), "{state}");
    Ok(())
}

fn not_found(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(
        r#"
data "scalr_eventbridge_connection" "by_id" {
  id = "in-nothing"
}
data "scalr_eventbridge_connection" "by_name" {
  name = "nothing"
}
data "scalr_eventbridge_connection_delivery" "none" {
  connection_id = "in-none"
}
data "scalr_eventbridge_deliveries" "none" {
  connection_id = "in-none-either"
}
data "scalr_eventbridge_source" "none" {
  name = "aws.partner/scalr.com/nobody/nothing"
}
"#,
    )?;
    workdir.plan_fails(&[
        "in-nothing",
        "`nothing`",
        "`in-none`",
        "`in-none-either`",
        "aws.partner/scalr.com/nobody/nothing",
    ])?;
    Ok(())
}

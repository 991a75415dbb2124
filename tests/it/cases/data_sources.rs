//! The data sources `scalr_eventbridge_connection` and `scalr_eventbridge_source`

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use serde_json::json;

use super::hcl::{self, BUS, CONNECTION};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("data_sources::values", values),
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
data "scalr_eventbridge_source" "none" {
  name = "aws.partner/scalr.com/nobody/nothing"
}
"#,
    )?;
    workdir.plan_fails(&["in-nothing", "`nothing`", "aws.partner/scalr.com/nobody/nothing"])?;
    Ok(())
}

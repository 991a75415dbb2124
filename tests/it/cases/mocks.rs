//! `terraform test` and `tofu test` with `mock_provider "scalr" {}` and nothing more: what the tools make up in place of
//! computed values reaches the attributes that refer to them, and passes.

use acceptance::paths;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, ACTIVATION, AUDIT_LOGS, BUS, CONNECTION, TARGET};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("mocks::values_that_are_made_up", values_that_are_made_up),
        Case::new("mocks::modules", modules),
        Case::new("mocks::what_is_written_is_checked", what_is_written_is_checked),
        Case::new(
            "mocks::doubtful_values_warn_until_plan",
            doubtful_values_warn_until_plan,
        ),
    ]
}

const BOTH: &str = r#"
mock_provider "scalr" {}

run "plans" {
  command = plan
}

run "applies" {}
"#;

fn test(workdir: &Workdir) -> Result<acceptance::group::Ended> {
    std::fs::create_dir_all(workdir.path().join("tests"))?;
    workdir.write("tests/mocked.tftest.hcl", BOTH)?;
    // A mocked run needs none of it.
    workdir.run(&["test", "-no-color"])
}

/// References of every kind: to ids, names, regions and ARNs that nobody wrote, from resources and data sources.
const REFERENCES: &str = r#"
data "scalr_eventbridge_connection" "prod" {
  id = scalr_eventbridge_connection.prod.id
}
data "scalr_eventbridge_source" "prod" {
  name   = data.scalr_eventbridge_connection.prod.event_source_name
  region = scalr_eventbridge_bus.scalr.region
}
data "scalr_eventbridge_connections" "all" {
  region = scalr_eventbridge_bus.scalr.region
  status = scalr_eventbridge_activation.prod.status
}
data "scalr_eventbridge_sources" "all" {
  name_prefix = scalr_eventbridge_bus.scalr.name
  state       = data.scalr_eventbridge_source.prod.state
}
data "scalr_eventbridge_connection_delivery" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
}
data "scalr_eventbridge_deliveries" "failed" {
  connection_id = scalr_eventbridge_connection.prod.id
  event_id      = data.scalr_eventbridge_connection.prod.name
  accepted_from = timestamp()
}
data "scalr_eventbridge_sample_events" "all" {
  event_source_name = scalr_eventbridge_bus.scalr.name
}
resource "scalr_eventbridge_connection" "second" {
  name           = "second"
  aws_account_id = data.scalr_eventbridge_connection.prod.aws_account_id
  region         = scalr_eventbridge_bus.scalr.region
}
resource "scalr_eventbridge_rule" "runs" {
  name_prefix    = "runs-"
  region         = data.scalr_eventbridge_source.prod.region
  event_bus_name = data.scalr_eventbridge_source.prod.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", {})
}
resource "scalr_eventbridge_target" "elsewhere" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = scalr_eventbridge_target.logs.arn
  role_arn       = scalr_eventbridge_rule.runs.arn
}
"#;

fn values_that_are_made_up(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    for name in [
        "SCALR_HOSTNAME",
        "SCALR_TOKEN",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
    ] {
        workdir.set(name, "");
    }
    workdir.config(&hcl::all(&[
        CONNECTION, BUS, REFERENCES, TARGET, ACTIVATION, AUDIT_LOGS,
    ]))?;
    let ended = test(&workdir)?;
    ensure!(
        ended.code() == 0 && ended.flat().contains("2 passed, 0 failed"),
        "{}",
        ended.text
    );
    Ok(())
}

fn modules(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    // Terraform's tests apply no default of an ephemeral variable: the root's is set, and the module's webhook gets one.
    workdir.set("TF_VAR_deployments_api_key", "not-a-secret");
    workdir.remove("provider.tf");
    paths::copy_tree(&paths::example("modules"), workdir.path())?;
    workdir.succeed(&["get", "-no-color"])?;
    let ended = test(&workdir)?;
    ensure!(ended.code() == 0, "{}", ended.text);
    Ok(())
}

/// A mocked run checks what somebody wrote, as far as no tool would make it up.
fn what_is_written_is_checked(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::with(CONNECTION, "us-east-1", "us-east"))?;
    let ended = test(&workdir)?;
    ensure!(
        ended.code() != 0 && ended.flat().contains("must be an AWS region"),
        "{}",
        ended.text
    );
    Ok(())
}

/// Without a provider block `validate` sends no settings either: a value that a tool might make up warns there, and fails the
/// plan.
fn doubtful_values_warn_until_plan(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::with(CONNECTION, "us-east-1", "mars"))?;
    let validated = workdir.run(&["validate", "-no-color"])?;
    ensure!(
        validated.code() == 0 && validated.flat().contains("must be an AWS region"),
        "{}",
        validated.text
    );
    let planned = workdir.plan_fails(&[])?;
    ensure!(
        planned.flat().contains("must be an AWS region"),
        "{}",
        planned.text
    );
    Ok(())
}

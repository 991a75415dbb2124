//! `scalr_audit_log_setting`

use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};

use super::hcl::{self, ACTIVATION, AUDIT_LOGS, BUS, CONNECTION};
use crate::runner::Case;

const ADDRESS: &str = "scalr_audit_log_setting.account";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("audit_log_setting::lifecycle", lifecycle),
        Case::new("audit_log_setting::import", import),
        Case::new("audit_log_setting::drift", drift),
        Case::new("audit_log_setting::destroy_spares_others", destroy_spares_others),
    ]
}

const OTHER: &str = r#"
resource "scalr_eventbridge_connection" "other" {
  name           = "other"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
}
"#;

fn applied(tool: &Tool) -> Result<Stage> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[CONNECTION, OTHER, BUS, ACTIVATION, AUDIT_LOGS]))?;
    stage.apply_counts(5, 0, 0)?;
    Ok(stage)
}

fn selected(stage: &Stage) -> Result<Option<String>> {
    stage
        .world
        .scalr()
        .audit_logs_to(stage.world.line.scalr_account())
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    let (prod, other) = ids(&stage)?;
    ensure!(selected(&stage)? == Some(prod));
    stage.plan_empty()?;
    let moved = hcl::with(
        AUDIT_LOGS,
        "scalr_eventbridge_activation.prod.connection_id",
        "scalr_eventbridge_connection.other.id",
    );
    stage.config(&hcl::all(&[CONNECTION, OTHER, BUS, ACTIVATION, &moved]))?;
    stage.apply_counts(0, 1, 0)?;
    ensure!(selected(&stage)? == Some(other));
    stage.plan_empty()?;
    stage.config(&hcl::all(&[CONNECTION, OTHER, BUS, ACTIVATION]))?;
    stage.apply_counts(0, 0, 1)?;
    ensure!(selected(&stage)?.is_none());
    Ok(())
}

fn ids(stage: &Stage) -> Result<(String, String)> {
    let id = |name: &str| stage.attribute(&format!("scalr_eventbridge_connection.{name}"), "id");
    Ok((id("prod")?, id("other")?))
}

fn import(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    let (prod, other) = ids(&stage)?;
    let ids = [
        ("scalr_eventbridge_connection.prod", prod.clone()),
        ("scalr_eventbridge_connection.other", other),
        (
            "scalr_eventbridge_bus.scalr",
            stage.attribute("scalr_eventbridge_bus.scalr", "name")?,
        ),
        ("scalr_eventbridge_activation.prod", prod),
        (ADDRESS, stage.world.line.scalr_account().to_owned()),
    ];
    super::verify::import(&stage, &ids, &["status"])
}

fn drift(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    let (prod, other) = ids(&stage)?;
    let account = stage.world.line.scalr_account().to_owned();
    stage.world.scalr().set_audit_logs_to(&account, Some(&other))?;
    stage.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(0, 1, 0)?;
    ensure!(selected(&stage)? == Some(prod));
    stage.world.scalr().set_audit_logs_to(&account, None)?;
    stage.plan_shows(&[ADDRESS])?;
    stage.apply()?;
    ensure!(selected(&stage)?.is_some());
    stage.plan_empty()?;
    Ok(())
}

/// What someone else has selected meanwhile is not ours to turn off.
fn destroy_spares_others(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    let (_, other) = ids(&stage)?;
    let account = stage.world.line.scalr_account().to_owned();
    stage.world.scalr().set_audit_logs_to(&account, Some(&other))?;
    let args = [
        "destroy",
        "-auto-approve",
        "-input=false",
        "-no-color",
        "-refresh=false",
        "-target",
        ADDRESS,
    ];
    let ended = stage.run(&args)?;
    ensure!(ended.code() == 0, "{}", ended.text);
    ensure!(selected(&stage)? == Some(other));
    Ok(())
}

//! `scalr_audit_log_setting`

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
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

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, OTHER, BUS, ACTIVATION, AUDIT_LOGS]))?;
    workdir.apply_counts(5, 0, 0)?;
    Ok(workdir)
}

fn selected(workdir: &Workdir) -> Result<Option<String>> {
    workdir
        .companion
        .scalr()
        .audit_logs_to(workdir.companion.line.scalr_account())
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let (prod, other) = ids(&workdir)?;
    ensure!(selected(&workdir)? == Some(prod));
    workdir.plan_empty()?;
    let moved = hcl::with(
        AUDIT_LOGS,
        "scalr_eventbridge_activation.prod.connection_id",
        "scalr_eventbridge_connection.other.id",
    );
    workdir.config(&hcl::all(&[CONNECTION, OTHER, BUS, ACTIVATION, &moved]))?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(selected(&workdir)? == Some(other));
    workdir.plan_empty()?;
    workdir.config(&hcl::all(&[CONNECTION, OTHER, BUS, ACTIVATION]))?;
    workdir.apply_counts(0, 0, 1)?;
    ensure!(selected(&workdir)?.is_none());
    Ok(())
}

fn ids(workdir: &Workdir) -> Result<(String, String)> {
    let id = |name: &str| workdir.attribute(&format!("scalr_eventbridge_connection.{name}"), "id");
    Ok((id("prod")?, id("other")?))
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let (prod, other) = ids(&workdir)?;
    let ids = [
        ("scalr_eventbridge_connection.prod", prod.clone()),
        ("scalr_eventbridge_connection.other", other),
        (
            "scalr_eventbridge_bus.scalr",
            workdir.attribute("scalr_eventbridge_bus.scalr", "name")?,
        ),
        ("scalr_eventbridge_activation.prod", prod),
        (ADDRESS, workdir.companion.line.scalr_account().to_owned()),
    ];
    super::verify::import(&workdir, &ids, &["status"])
}

fn drift(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let (prod, other) = ids(&workdir)?;
    let account = workdir.companion.line.scalr_account().to_owned();
    workdir
        .companion
        .scalr()
        .set_audit_logs_to(&account, Some(&other))?;
    workdir.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(selected(&workdir)? == Some(prod));
    workdir.companion.scalr().set_audit_logs_to(&account, None)?;
    workdir.plan_shows(&[ADDRESS])?;
    workdir.apply()?;
    ensure!(selected(&workdir)?.is_some());
    workdir.plan_empty()?;
    Ok(())
}

/// What someone else has selected meanwhile is not ours to turn off.
fn destroy_spares_others(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let (_, other) = ids(&workdir)?;
    let account = workdir.companion.line.scalr_account().to_owned();
    workdir
        .companion
        .scalr()
        .set_audit_logs_to(&account, Some(&other))?;
    let args = [
        "destroy",
        "-auto-approve",
        "-input=false",
        "-no-color",
        "-refresh=false",
        "-target",
        ADDRESS,
    ];
    let ended = workdir.run(&args)?;
    ensure!(ended.code() == 0, "{}", ended.text);
    ensure!(selected(&workdir)? == Some(other));
    Ok(())
}

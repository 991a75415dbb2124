//! `scalr_eventbridge_connection`

use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_connection.prod";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("connection::lifecycle", lifecycle),
        Case::new("connection::import", import),
        Case::new("connection::drift_changed", drift_changed),
        Case::new("connection::drift_deleted", drift_deleted),
        Case::new("connection::replace_pair_conflict", replace_pair_conflict),
    ]
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(CONNECTION)?;
    stage.apply_counts(1, 0, 0)?;
    let name = stage.attribute(ADDRESS, "event_source_name")?;
    ensure!(
        name == format!(
            "aws.partner/scalr.com/{}/prod",
            stage.world.line.scalr_account_name()
        ),
        "{name}"
    );
    let arn = stage.attribute(ADDRESS, "event_source_arn")?;
    ensure!(
        arn == format!("arn:aws:events:us-east-1::event-source/{name}"),
        "{arn}"
    );
    ensure!(stage.attribute(ADDRESS, "account_id")? == stage.world.line.scalr_account());
    ensure!(stage.attribute(ADDRESS, "status")? == "pending");
    ensure!(stage.aws().source_state(&name)?.as_deref() == Some("PENDING"));
    stage.plan_empty()?;

    let id = stage.attribute(ADDRESS, "id")?;
    stage.config(&hcl::more(CONNECTION, "enabled = false"))?;
    stage.apply_counts(0, 1, 0)?;
    ensure!(stage.world.scalr().connection(&id)?["status"] == "disabled");
    stage.plan_empty()?;

    stage.config(&hcl::with(CONNECTION, "\"prod\"\n", "\"other\"\n"))?;
    stage.plan_shows(&["forces replacement", "1 to add, 0 to change, 1 to destroy"])?;
    stage.apply_counts(1, 0, 1)?;
    let renamed = stage.attribute(ADDRESS, "event_source_name")?;
    ensure!(renamed.ends_with("/other"), "{renamed}");
    ensure!(
        stage.aws().source_state(&name)?.is_none(),
        "{name} is still there"
    );

    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[])
}

fn import(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(CONNECTION)?;
    stage.apply()?;
    let id = stage.attribute(ADDRESS, "id")?;
    verify::import(&stage, &[(ADDRESS, id)], &[])
}

fn drift_changed(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[CONNECTION, BUS]))?;
    stage.apply()?;
    let id = stage.attribute(ADDRESS, "id")?;
    stage.world.scalr().set_status(&id, "disabled")?;
    stage.plan_shows(&["enabled = false -> true", "0 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(0, 1, 0)?;
    let status = stage.world.scalr().connection(&id)?["status"].clone();
    ensure!(
        status == "active",
        "resumed on a source with a bus, the connection is {status}"
    );
    stage.plan_empty()?;
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(CONNECTION)?;
    stage.apply()?;
    stage.world.scalr().disconnect(&stage.attribute(ADDRESS, "id")?)?;
    stage.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    stage.apply_counts(1, 0, 0)?;
    stage.plan_empty()?;
    Ok(())
}

/// (account, region) is unique, so a new connection cannot be made before the old one goes.
fn replace_pair_conflict(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(CONNECTION)?;
    stage.apply()?;
    let renamed = hcl::with(CONNECTION, "\"prod\"\n", "\"other\"\n");
    stage.config(&hcl::more(
        &renamed,
        "lifecycle {\n    create_before_destroy = true\n  }",
    ))?;
    stage.apply_fails(&["create_before_destroy"])?;
    Ok(())
}

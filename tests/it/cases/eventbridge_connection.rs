//! `scalr_eventbridge_connection`

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
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
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    let name = workdir.attribute(ADDRESS, "event_source_name")?;
    ensure!(
        name == format!(
            "aws.partner/scalr.com/{}/prod",
            workdir.companion.line.scalr_account_name()
        ),
        "{name}"
    );
    let arn = workdir.attribute(ADDRESS, "event_source_arn")?;
    ensure!(
        arn == format!("arn:aws:events:us-east-1::event-source/{name}"),
        "{arn}"
    );
    ensure!(workdir.attribute(ADDRESS, "account_id")? == workdir.companion.line.scalr_account());
    ensure!(workdir.attribute(ADDRESS, "status")? == "pending");
    ensure!(workdir.aws().source_state(&name)?.as_deref() == Some("PENDING"));
    workdir.plan_empty()?;

    let id = workdir.attribute(ADDRESS, "id")?;
    workdir.config(&hcl::more(CONNECTION, "enabled = false"))?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(workdir.companion.scalr().connection(&id)?["status"] == "disabled");
    workdir.plan_empty()?;

    workdir.config(&hcl::with(CONNECTION, "\"prod\"\n", "\"other\"\n"))?;
    workdir.plan_shows(&["forces replacement", "1 to add, 0 to change, 1 to destroy"])?;
    workdir.apply_counts(1, 0, 1)?;
    let renamed = workdir.attribute(ADDRESS, "event_source_name")?;
    ensure!(renamed.ends_with("/other"), "{renamed}");
    ensure!(
        workdir.aws().source_state(&name)?.is_none(),
        "{name} is still there"
    );

    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply()?;
    let id = workdir.attribute(ADDRESS, "id")?;
    verify::import(&workdir, &[(ADDRESS, id)], &[])
}

fn drift_changed(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply()?;
    let id = workdir.attribute(ADDRESS, "id")?;
    workdir.companion.scalr().set_status(&id, "disabled")?;
    workdir.plan_shows(&["enabled = false -> true", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    let status = workdir.companion.scalr().connection(&id)?["status"].clone();
    ensure!(
        status == "active",
        "resumed on a source with a bus, the connection is {status}"
    );
    workdir.plan_empty()?;
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply()?;
    workdir
        .companion
        .scalr()
        .disconnect(&workdir.attribute(ADDRESS, "id")?)?;
    workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// (account, region) is unique, so a new connection cannot be made before the old one goes.
fn replace_pair_conflict(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply()?;
    let renamed = hcl::with(CONNECTION, "\"prod\"\n", "\"other\"\n");
    workdir.config(&hcl::more(
        &renamed,
        "lifecycle {\n    create_before_destroy = true\n  }",
    ))?;
    workdir.apply_fails(&["create_before_destroy"])?;
    Ok(())
}

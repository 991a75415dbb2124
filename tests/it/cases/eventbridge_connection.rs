//! `scalr_eventbridge_connection`

use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
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
        Case::new("connection::two_of_one_place", two_of_one_place),
        Case::new("connection::places_that_change_hands", places_that_change_hands),
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

/// Two new ones of one plan, a new one beside one that stays, and two of a `for_each`: nothing is made.
fn two_of_one_place(tool: &Tool) -> Result<()> {
    const SAID: [&str; 2] = ["is to have two connections in us-east-1", "Nothing was changed"];
    let workdir = Workdir::new(tool)?;
    let second = hcl::with(
        &hcl::with(CONNECTION, "\"prod\" {", "\"second\" {"),
        "= \"prod\"",
        "= \"second\"",
    );
    let both = hcl::all(&[CONNECTION, &second]);
    workdir.config(&both)?;
    workdir.plan_fails(&SAID)?;
    workdir.apply_fails(&SAID)?;
    ensure!(workdir.companion.scalr().connections()?.is_empty());
    let each = hcl::with(CONNECTION, "= \"prod\"", "= each.key");
    workdir.config(&hcl::more(&each, "for_each = toset([\"a\", \"b\"])"))?;
    workdir.plan_fails(&SAID)?;
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.config(&both)?;
    workdir.plan_fails(&SAID)?;
    workdir.config(CONNECTION)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// What plans one connection twice, or has one leave its place to another, is no conflict.
fn places_that_change_hands(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let each = hcl::with(CONNECTION, "= \"prod\"", "= each.key");
    let each = hcl::with(&each, "= \"us-east-1\"", "= each.value");
    let of = |regions: [&str; 2]| {
        let [a, b] = regions;
        hcl::more(&each, &format!("for_each = {{ a = \"{a}\", b = \"{b}\" }}"))
    };
    workdir.config(&of(["us-east-1", "eu-west-1"]))?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.succeed(&["plan", "-no-color", "-refresh-only"])?;
    workdir.succeed(&[&APPLY[..], &["-refresh-only"]].concat())?;
    // Each takes a place that is free, and what was theirs is free again.
    workdir.config(&of(["us-west-2", "eu-west-2"]))?;
    workdir.apply_counts(2, 0, 2)?;
    let address = "-replace=scalr_eventbridge_connection.prod[\"a\"]";
    let replaced = workdir.succeed(&[&APPLY[..], &[address]].concat())?;
    ensure!(
        replaced.flat().contains("1 added, 0 changed, 1 destroyed"),
        "{}",
        replaced.text
    );
    workdir.plan_empty()?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

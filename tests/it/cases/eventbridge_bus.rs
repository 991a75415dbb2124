//! `scalr_eventbridge_bus`

use acceptance::block_on;
use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_bus.scalr";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("bus::lifecycle", lifecycle),
        Case::new("bus::replace_warns", replace_warns),
        Case::new("bus::import", import),
        Case::new("bus::drift_changed", drift_changed),
        Case::new("bus::drift_deleted", drift_deleted),
        Case::new("bus::adopt_existing", adopt_existing),
        Case::new("bus::no_such_source", no_such_source),
        Case::new("bus::wrong_region", wrong_region),
    ]
}

fn applied(tool: &Tool) -> Result<(Stage, String)> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[CONNECTION, BUS]))?;
    stage.apply_counts(2, 0, 0)?;
    let name = stage.attribute(ADDRESS, "name")?;
    Ok((stage, name))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (stage, name) = applied(tool)?;
    ensure!(stage.aws().source_state(&name)?.as_deref() == Some("ACTIVE"));
    ensure!(stage.aws().buses()? == std::slice::from_ref(&name));
    stage.plan_empty()?;

    let described = hcl::more(
        BUS,
        "description = \"Scalr's events\"\n  tags = { team = \"platform\" }",
    );
    stage.config(&hcl::all(&[CONNECTION, &described]))?;
    stage.apply_counts(0, 1, 0)?;
    let bus = block_on(stage.aws().events.describe_event_bus().name(&name).send())?;
    ensure!(bus.description() == Some("Scalr's events"), "{bus:?}");
    let tags = block_on(
        stage
            .aws()
            .events
            .list_tags_for_resource()
            .resource_arn(bus.arn().unwrap_or_default())
            .send(),
    )?;
    ensure!(
        tags.tags()
            .iter()
            .any(|tag| tag.key() == "team" && tag.value() == "platform"),
        "{tags:?}"
    );
    stage.plan_empty()?;

    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[])
}

/// The default timeout would pass in ten minutes; nothing is waited for.
fn wrong_region(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    let elsewhere = hcl::more(BUS, "region = \"eu-west-1\"");
    stage.config(&hcl::all(&[CONNECTION, &elsewhere]))?;
    stage.apply_fails(&[
        "is in another place",
        "goes to AWS account 123456789012, region us-east-1",
        "region eu-west-1",
        "Nothing was made",
    ])?;
    ensure!(stage.aws().buses()?.is_empty());
    stage.config(&hcl::all(&[CONNECTION, BUS]))?;
    stage.apply_counts(1, 0, 0)?;
    stage.plan_empty()?;
    Ok(())
}

/// A bus that goes takes the stream with it: the plan says so.
fn replace_warns(tool: &Tool) -> Result<()> {
    let (stage, _) = applied(tool)?;
    stage.config(CONNECTION)?;
    stage.plan_shows(&[
        "Deleting the event bus stops Scalr's events",
        "PENDING",
        "0 to add, 0 to change, 1 to destroy",
    ])?;
    let moved = hcl::more(BUS, "region = \"eu-west-1\"");
    stage.config(&hcl::all(&[CONNECTION, &moved]))?;
    stage.plan_shows(&[
        "Replacing the event bus stops Scalr's events",
        "PENDING",
        "1 to add, 0 to change, 1 to destroy",
    ])?;
    Ok(())
}

fn import(tool: &Tool) -> Result<()> {
    let (stage, name) = applied(tool)?;
    let connection = stage.attribute("scalr_eventbridge_connection.prod", "id")?;
    let ids = [
        ("scalr_eventbridge_connection.prod", connection),
        (ADDRESS, format!("{name}@us-east-1")),
    ];
    verify::import(&stage, &ids, &[])
}

fn drift_changed(tool: &Tool) -> Result<()> {
    let (stage, name) = applied(tool)?;
    block_on(
        stage
            .aws()
            .events
            .update_event_bus()
            .name(&name)
            .description("by hand")
            .send(),
    )?;
    stage.plan_shows(&["by hand", "0 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(0, 1, 0)?;
    stage.plan_empty()?;
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let (stage, name) = applied(tool)?;
    stage.aws().delete_bus(&name)?;
    ensure!(stage.aws().source_state(&name)?.as_deref() == Some("PENDING"));
    stage.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    stage.apply_counts(1, 0, 0)?;
    ensure!(stage.aws().source_state(&name)?.as_deref() == Some("ACTIVE"));
    stage.plan_empty()?;
    Ok(())
}

fn adopt_existing(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(CONNECTION)?;
    stage.apply()?;
    let name = stage.attribute("scalr_eventbridge_connection.prod", "event_source_name")?;
    block_on(
        stage
            .aws()
            .events
            .create_event_bus()
            .name(&name)
            .event_source_name(&name)
            .send(),
    )?;
    stage.config(&hcl::all(&[CONNECTION, BUS]))?;
    stage.apply_fails(&["adopt_existing", "import {", &name])?;
    stage.config(&hcl::all(&[CONNECTION, &hcl::more(BUS, "adopt_existing = true")]))?;
    stage.apply_counts(1, 0, 0)?;
    stage.plan_empty()?;
    Ok(())
}

fn no_such_source(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(
        r#"
resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = "aws.partner/scalr.com/nobody/nothing"
  timeouts { create = "2s" }
}
"#,
    )?;
    stage.apply_fails(&[
        "aws.partner/scalr.com/nobody/nothing",
        "123456789012",
        "us-east-1",
    ])?;
    ensure!(stage.resources()?.is_empty());
    Ok(())
}

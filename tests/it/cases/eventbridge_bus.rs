//! `scalr_eventbridge_bus`

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use aws_sdk_eventbridge::types::Target;

use super::hcl::{self, BUS, CONNECTION, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_bus.scalr";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("bus::lifecycle", lifecycle),
        Case::new("bus::replace_warns", replace_warns),
        Case::new("bus::import", import),
        Case::new("bus::drift_changed", drift_changed),
        Case::new("bus::in_use", in_use),
        Case::new("bus::drift_deleted", drift_deleted),
        Case::new("bus::adopt_existing", adopt_existing),
        Case::new("bus::no_such_source", no_such_source),
        Case::new("bus::wrong_region", wrong_region),
    ]
}

fn applied(tool: &Tool) -> Result<(Workdir, String)> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    let name = workdir.attribute(ADDRESS, "name")?;
    Ok((workdir, name))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (workdir, name) = applied(tool)?;
    ensure!(workdir.aws().source_state(&name)?.as_deref() == Some("ACTIVE"));
    ensure!(workdir.aws().buses()? == std::slice::from_ref(&name));
    workdir.plan_empty()?;

    let described = hcl::more(
        BUS,
        "description = \"Scalr's events\"\n  tags = { team = \"platform\" }",
    );
    workdir.config(&hcl::all(&[CONNECTION, &described]))?;
    workdir.apply_counts(0, 1, 0)?;
    let bus = block_on(workdir.aws().events.describe_event_bus().name(&name).send())?;
    ensure!(bus.description() == Some("Scalr's events"), "{bus:?}");
    let tags = block_on(
        workdir
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
    workdir.plan_empty()?;

    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// The default timeout would pass in ten minutes; nothing is waited for.
fn wrong_region(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let elsewhere = hcl::more(BUS, "region = \"eu-west-1\"");
    workdir.config(&hcl::all(&[CONNECTION, &elsewhere]))?;
    workdir.apply_fails(&[
        "is in another place",
        "goes to AWS account 123456789012, region us-east-1",
        "region eu-west-1",
        "Nothing was made",
    ])?;
    ensure!(workdir.aws().buses()?.is_empty());
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// A bus that goes takes the stream with it: the plan says so.
fn replace_warns(tool: &Tool) -> Result<()> {
    let (workdir, _) = applied(tool)?;
    workdir.config(CONNECTION)?;
    workdir.plan_shows(&[
        "Deleting the event bus `aws.partner/scalr.com/",
        "` stops Scalr's events",
        "PENDING",
        "0 to add, 0 to change, 1 to destroy",
    ])?;
    let moved = hcl::more(BUS, "region = \"eu-west-1\"");
    workdir.config(&hcl::all(&[CONNECTION, &moved]))?;
    workdir.plan_shows(&[
        "Replacing the event bus `aws.partner/scalr.com/",
        "` stops Scalr's events",
        "PENDING",
        "1 to add, 0 to change, 1 to destroy",
    ])?;
    Ok(())
}

fn import(tool: &Tool) -> Result<()> {
    let (workdir, name) = applied(tool)?;
    let connection = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    let ids = [
        ("scalr_eventbridge_connection.prod", connection),
        (ADDRESS, format!("{name}@us-east-1")),
    ];
    verify::import(&workdir, &ids, &[])
}

fn drift_changed(tool: &Tool) -> Result<()> {
    let (workdir, name) = applied(tool)?;
    block_on(
        workdir
            .aws()
            .events
            .update_event_bus()
            .name(&name)
            .description("by hand")
            .send(),
    )?;
    workdir.plan_shows(&["by hand", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// What would stop the destroy after targets and rules are gone stops it before.
fn in_use(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET]))?;
    workdir.apply_counts(4, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let events = workdir.aws().events;
    let arn = workdir.attribute("scalr_eventbridge_bus.scalr", "arn")?;
    block_on(
        events
            .create_archive()
            .archive_name("kept")
            .event_source_arn(arn)
            .send(),
    )?;
    let pattern = r#"{"source": [{"prefix": "aws.partner"}]}"#;
    let theirs = events
        .put_rule()
        .event_bus_name(&bus)
        .name("theirs")
        .event_pattern(pattern);
    block_on(theirs.send())?;
    let target = Target::builder()
        .id("foreign")
        .arn("arn:aws:sqs:us-east-1:123456789012:foreign")
        .build()?;
    let foreign = events
        .put_targets()
        .event_bus_name(&bus)
        .rule("runs")
        .targets(target);
    block_on(foreign.send())?;
    refuses_destroy(
        &workdir,
        &["the archives `kept` and the rules `theirs`", "`foreign`"],
    )?;
    block_on(events.delete_archive().archive_name("kept").send())?;
    refuses_destroy(&workdir, &["There are the rules `theirs`"])?;
    workdir.aws().delete_rule(&bus, "theirs")?;
    refuses_destroy(
        &workdir,
        &["on the rule `runs`, which goes, the targets `foreign`"],
    )?;
    let foreign = events.remove_targets().event_bus_name(&bus).rule("runs");
    block_on(foreign.ids("foreign").send())?;
    let ended = workdir.run(&DESTROY)?;
    // The connection goes too: no event is lost.
    ensure!(
        ended.code() == 0 && !ended.flat().contains("back to PENDING"),
        "{}",
        ended.text
    );
    Ok(())
}

const DESTROY: [&str; 4] = ["destroy", "-auto-approve", "-input=false", "-no-color"];

fn refuses_destroy(workdir: &Workdir, texts: &[&str]) -> Result<()> {
    let refused = workdir.run(&DESTROY)?;
    let flat = refused.flat();
    for text in texts.iter().chain(&["managed_with_others"]) {
        ensure!(
            refused.code() == 1 && flat.contains(text),
            "no `{text}`:\n{}",
            refused.text
        );
    }
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let runs = workdir.aws().targets(&bus, "runs")?;
    ensure!(
        runs.iter().any(|target| target.id() != "foreign"),
        "a target is gone"
    );
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let (workdir, name) = applied(tool)?;
    workdir.aws().delete_bus(&name)?;
    ensure!(workdir.aws().source_state(&name)?.as_deref() == Some("PENDING"));
    workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    workdir.apply_counts(1, 0, 0)?;
    ensure!(workdir.aws().source_state(&name)?.as_deref() == Some("ACTIVE"));
    workdir.plan_empty()?;
    Ok(())
}

fn adopt_existing(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply()?;
    let name = workdir.attribute("scalr_eventbridge_connection.prod", "event_source_name")?;
    block_on(
        workdir
            .aws()
            .events
            .create_event_bus()
            .name(&name)
            .event_source_name(&name)
            .send(),
    )?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_fails(&["adopt_existing", "import {", &name])?;
    workdir.config(&hcl::all(&[CONNECTION, &hcl::more(BUS, "adopt_existing = true")]))?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

fn no_such_source(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(
        r#"
resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = "aws.partner/scalr.com/nobody/nothing"
  timeouts { create = "2s" }
}
"#,
    )?;
    workdir.plan_shows(&[
        "There is no event source `aws.partner/scalr.com/nobody/nothing`",
        "account 123456789012",
        "Scalr has no connection of it",
    ])?;
    workdir.apply_fails(&[
        "aws.partner/scalr.com/nobody/nothing",
        "123456789012",
        "us-east-1",
    ])?;
    ensure!(workdir.resources()?.is_empty());

    // A connection of the same plan makes it, though the bus does not refer to it.
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    let source = workdir.attribute("scalr_eventbridge_connection.prod", "event_source_name")?;
    let made = |name: &str| {
        hcl::with(
            BUS,
            "scalr_eventbridge_connection.prod.event_source_name",
            &format!("{name:?}"),
        )
    };
    workdir.config(&hcl::all(&[CONNECTION, &made(&source.replace("/prod", "/prdo"))]))?;
    workdir.plan_shows(&[&format!("Did you mean `{source}`?")])?;
    workdir.config(&hcl::all(&[CONNECTION, &made(&source)]))?;
    verify::without_warnings(&workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?)?;
    workdir.destroy()?;
    workdir.config(&hcl::all(&[CONNECTION, &made(&source)]))?;
    verify::without_warnings(&workdir.plan_shows(&["2 to add, 0 to change, 0 to destroy"])?)
}

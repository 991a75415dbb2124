//! `scalr_eventbridge_custom_bus`: the resource, its list and its data source.

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};
use aws_sdk_eventbridgev2::types::{EncryptionConfiguration, StorageConfiguration};

use super::{hcl, verify};
use crate::runner::{Case, Feature};

const ADDRESS: &str = "scalr_eventbridge_custom_bus.scalr";
const BUS: &str = r#"
resource "scalr_eventbridge_custom_bus" "scalr" {
  name              = "scalr"
  retention_in_days = 7
  tags              = { team = "platform" }
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("custom_bus::lifecycle", lifecycle),
        Case::new("custom_bus::settings", settings),
        Case::new("custom_bus::import", import),
        Case::new("custom_bus::beside_a_classic_one", beside_a_classic_one),
        Case::new("custom_bus::exists_already", exists_already),
        Case::new("custom_bus::query", query).needs(Feature::Query),
    ]
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(BUS)?;
    let applied = workdir.apply_counts(1, 0, 0)?;
    verify::without_warnings(&applied)?;
    Ok(workdir)
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    ensure!(workdir.attribute(ADDRESS, "state")? == "ACTIVE");
    workdir.plan_empty()?;
    let longer = hcl::with(BUS, "= 7", "= 30\n  description       = \"Scalr's events\"");
    workdir.config(&hcl::with(&longer, "team = \"platform\"", "owner = \"security\""))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let custom = &workdir.aws().custom;
    let held = block_on(custom.describe_event_bus().event_bus_arn(&arn).send())?;
    let storage = held.storage_configuration().context("no storage")?;
    ensure!(storage.retention_period_in_days() == Some(30), "{held:?}");
    ensure!(held.description() == Some("Scalr's events"), "{held:?}");
    let tags = block_on(custom.list_tags_for_resource().resource_arn(&arn).send())?;
    let tags = tags.tags().context("no tags")?;
    ensure!(
        tags.get("owner").map(String::as_str) == Some("security") && !tags.contains_key("team"),
        "{tags:?}"
    );

    // Somebody changes it, and somebody deletes it.
    let changed = custom
        .update_event_bus()
        .event_bus_arn(&arn)
        .description("theirs");
    block_on(changed.send())?;
    workdir.plan_shows(&["theirs", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    block_on(custom.delete_event_bus().event_bus_arn(&arn).send())?;
    // Its name is free once it is gone, which the apply waits for.
    let planned = workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    verify::without_warnings(&planned)?;
    workdir.apply_counts(1, 0, 0)?;
    ensure!(
        workdir.attribute(ADDRESS, "arn")? != arn,
        "the ARN is that of the bus before"
    );

    // Another name is another bus.
    workdir.config(&hcl::with(
        &longer,
        "\"scalr\"\n  retention",
        "\"other\"\n  retention",
    ))?;
    workdir.plan_shows(&["deletes the events on it", "1 to add, 0 to change, 1 to destroy"])?;
    workdir.apply_counts(1, 0, 1)?;
    ensure!(workdir.aws().custom_buses()? == ["other"]);
    workdir.destroy()?;
    ensure!(workdir.aws().custom_buses()?.is_empty());
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// Added, changed by hand, imported, changed and removed: each time nothing is left to do.
fn settings(tool: &Tool) -> Result<()> {
    const FULL: &str = r#"
  kms_key_identifier = "arn:aws:kms:us-east-1:123456789012:key/1"
  description        = "Scalr's events"
"#;
    let workdir = applied(tool)?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let apply = |config: &str| -> Result<()> {
        workdir.config(config)?;
        workdir.apply_counts(0, 1, 0)?;
        workdir.plan_empty()?;
        Ok(())
    };
    apply(&hcl::more(BUS, FULL))?;
    let theirs = EncryptionConfiguration::builder()
        .kms_key_identifier("arn:aws:kms:us-east-1:123456789012:key/theirs");
    let update = workdir.aws().custom.update_event_bus().event_bus_arn(&arn);
    let update = update.encryption_configuration(theirs.build());
    let days = StorageConfiguration::builder()
        .retention_period_in_days(9)
        .build();
    block_on(update.storage_configuration(days).send())?;
    workdir.plan_shows(&["key/theirs", "9 -> 7", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    verify::import(&workdir, &[(ADDRESS, arn.clone())], &[])?;
    apply(&hcl::more(BUS, &hcl::with(FULL, "key/1", "key/2")))?;
    apply(&hcl::with(BUS, "  retention_in_days = 7\n", ""))?;
    ensure!(workdir.attribute(ADDRESS, "arn")? == arn);
    workdir.destroy()?;
    ensure!(workdir.aws().custom_buses()?.is_empty());
    Ok(())
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    verify::import(&workdir, &[(ADDRESS, "scalr".to_owned())], &[])?;
    verify::import(&workdir, &[(ADDRESS, arn)], &[])
}

/// Both kinds in one account, and what looks for the one does not find the other.
fn beside_a_classic_one(tool: &Tool) -> Result<()> {
    const READ: &str = r#"
data "scalr_eventbridge_custom_bus" "scalr" {
  name = scalr_eventbridge_custom_bus.scalr.name
}
output "same" {
  value = data.scalr_eventbridge_custom_bus.scalr.arn == scalr_eventbridge_custom_bus.scalr.arn
}
output "retention" {
  value = data.scalr_eventbridge_custom_bus.scalr.retention_in_days
}
"#;
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[hcl::CONNECTION, hcl::BUS, BUS, READ]))?;
    workdir.apply_counts(3, 0, 0)?;
    workdir.plan_empty()?;
    ensure!(workdir.output("same")? == true && workdir.output("retention")? == 7);
    let classic = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    ensure!(
        workdir.aws().buses()? == [classic],
        "{:?}",
        workdir.aws().buses()?
    );
    ensure!(workdir.aws().custom_buses()? == ["scalr"]);
    workdir.destroy()?;
    ensure!(workdir.aws().custom_buses()?.is_empty());
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// The plan says so, and the error has the import block.
fn exists_already(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let made = block_on(workdir.aws().custom.create_event_bus().name("scalr").send())?;
    let arn = made.event_bus_arn().context("no ARN")?;
    workdir.config(BUS)?;
    workdir.plan_shows(&["There is a custom event bus `scalr` already", "1 to add"])?;
    workdir.apply_fails(&["exists already", arn, "import {"])?;
    let block = format!("import {{\n  to = {ADDRESS}\n  id = \"{arn}\"\n}}\n");
    workdir.config(&hcl::all(&[BUS, &block]))?;
    workdir.apply()?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    ensure!(workdir.aws().custom_buses()?.is_empty());
    Ok(())
}

fn query(tool: &Tool) -> Result<()> {
    const LIST: &str = r#"
list "scalr_eventbridge_custom_bus" "all" {
  provider         = scalr
  include_resource = true
}
"#;
    let workdir = applied(tool)?;
    workdir.write("all.tfquery.hcl", LIST)?;
    let ended = workdir.succeed(&["query", "-no-color"])?;
    let found = ended
        .text
        .lines()
        .filter(|line| line.starts_with("list.scalr_eventbridge_custom_bus.all "));
    ensure!(found.count() == 1, "{}", ended.text);
    Ok(())
}

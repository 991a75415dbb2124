//! `scalr_eventbridge_event_source`: a partner's events on a custom event bus.

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};
use aws_sdk_eventbridgev2::types::{
    EventSourceConfiguration, InvokeConfiguration, PartnerEventsSourceConfiguration, SqsParameters,
};

use super::hcl::{self, CONNECTION};
use super::verify;
use crate::runner::{Case, Feature};

const ADDRESS: &str = "scalr_eventbridge_event_source.prod";
pub(super) const SOURCE: &str = r#"
resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}
resource "scalr_eventbridge_event_source" "prod" {
  name                     = "prod"
  event_bus_arn            = scalr_eventbridge_custom_bus.scalr.arn
  partner_event_source_arn = scalr_eventbridge_connection.prod.event_source_arn
  tags                     = { team = "platform" }
}
"#;
pub(super) const ACTIVATION: &str = r#"
resource "scalr_eventbridge_activation" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
  depends_on    = [scalr_eventbridge_event_source.prod]
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("event_source::lifecycle", lifecycle),
        Case::new("event_source::settings", settings),
        Case::new("event_source::create_before_destroy", create_before_destroy),
        Case::new("event_source::events_arrive", events_arrive),
        Case::new("event_source::import", import),
        Case::new("event_source::classic_bus_in_the_way", classic_bus_in_the_way),
        Case::new("event_source::data_source", data_source),
        Case::new("event_source::query", query).needs(Feature::Query),
    ]
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE]))?;
    let applied = workdir.apply_counts(3, 0, 0)?;
    verify::without_warnings(&applied)?;
    Ok(workdir)
}

fn nothing_left(workdir: &Workdir) -> Result<()> {
    ensure!(workdir.aws().custom_buses()?.is_empty());
    let left = block_on(workdir.aws().custom.list_event_sources().send())?;
    ensure!(left.event_sources().is_empty(), "{left:?}");
    verify::nothing_left(workdir, "us-east-1", &[])
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let partner = workdir.attribute("scalr_eventbridge_connection.prod", "event_source_name")?;
    ensure!(workdir.attribute(ADDRESS, "partner_source_state")? == "ACTIVE");
    ensure!(workdir.aws().source_state(&partner)?.as_deref() == Some("ACTIVE"));
    workdir.plan_empty()?;
    let pattern = "jsonencode({ \"detail-type\" = [\"RunExecuted\"] })";
    let changed = hcl::with(SOURCE, "team = \"platform\"", "owner = \"security\"").replace(
        "  tags",
        &format!("  description              = \"Runs\"\n  event_pattern            = {pattern}\n  tags"),
    );
    workdir.config(&hcl::all(&[CONNECTION, &changed]))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;

    // Somebody deletes the Classic bus that AWS manages: the events are dropped, and the next apply repairs that.
    block_on(workdir.aws().events.delete_event_bus().name(&partner).send())?;
    ensure!(workdir.aws().source_state(&partner)?.as_deref() == Some("PENDING"));
    workdir.plan_shows(&["PENDING", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(workdir.aws().source_state(&partner)?.as_deref() == Some("ACTIVE"));
    workdir.plan_empty()?;

    // Another name is another event source, which takes the partner's after the first has gone.
    let renamed = hcl::with(&changed, "= \"prod\"", "= \"other\"");
    workdir.config(&hcl::all(&[CONNECTION, &renamed]))?;
    workdir.plan_shows(&["stops Scalr's events", "1 to add, 0 to change, 1 to destroy"])?;
    workdir.apply_counts(1, 0, 1)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

/// Added, changed by hand, imported, changed and removed: each time nothing is left to do.
fn settings(tool: &Tool) -> Result<()> {
    const FULL: &str = r#"
  event_pattern      = jsonencode({ "detail-type" = ["RunExecuted"] })
  kms_key_identifier = "arn:aws:kms:us-east-1:123456789012:key/1"
  dead_letter_arn    = "arn:aws:sqs:us-east-1:123456789012:dead"
  description        = "Runs"
"#;
    let workdir = applied(tool)?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let apply = |more: &str| -> Result<()> {
        workdir.config(&hcl::all(&[CONNECTION, &hcl::more(SOURCE, more)]))?;
        workdir.apply_counts(0, 1, 0)?;
        workdir.plan_empty()?;
        Ok(())
    };
    apply(FULL)?;
    let partner = PartnerEventsSourceConfiguration::builder()
        .partner_event_source_arn(workdir.attribute(ADDRESS, "partner_event_source_arn")?)
        .partner_bus_kms_key_identifier("arn:aws:kms:us-east-1:123456789012:key/theirs")
        .build()?;
    let update = workdir.aws().custom.update_event_source();
    let update = update.event_source_arn(&arn).description("theirs");
    let update = update.configuration(EventSourceConfiguration::PartnerEventsConfiguration(partner));
    block_on(update.send())?;
    workdir.plan_shows(&[
        "key/theirs",
        "RunExecuted",
        ":dead",
        "0 to add, 1 to change, 0 to destroy",
    ])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    let id = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    let ids = [
        ("scalr_eventbridge_connection.prod", id),
        ("scalr_eventbridge_custom_bus.scalr", "scalr".to_owned()),
        (ADDRESS, arn.clone()),
    ];
    verify::import(&workdir, &ids, &["status"])?;
    let changed = hcl::with(FULL, "RunExecuted", "AuditLog").replace("key/1", "key/2");
    apply(&hcl::with(&changed, ":dead", ":other"))?;
    apply("")?;
    ensure!(workdir.attribute(ADDRESS, "arn")? == arn);
    workdir.destroy()?;
    nothing_left(&workdir)
}

/// The new one cannot be made while the old one has the partner's source.
fn create_before_destroy(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let renamed = hcl::with(SOURCE, "= \"prod\"", "= \"other\"");
    let reversed = hcl::more(&renamed, "lifecycle {\n    create_before_destroy = true\n  }");
    workdir.config(&hcl::all(&[CONNECTION, &reversed]))?;
    workdir.plan_shows(&[
        "stops Scalr's events",
        "`create_before_destroy = true`",
        "the apply fails before it changes this one",
    ])?;
    workdir.apply_fails(&[
        "remove the line `create_before_destroy = true` from the `lifecycle` block",
        "Nothing was made, and that one is as it was",
    ])?;
    ensure!(workdir.attribute(ADDRESS, "arn")? == arn);
    workdir.config(&hcl::all(&[CONNECTION, &renamed]))?;
    workdir.apply_counts(1, 0, 1)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

fn data_source(tool: &Tool) -> Result<()> {
    const READ: &str = r#"
data "scalr_eventbridge_event_source" "prod" {
  name = scalr_eventbridge_event_source.prod.name
}
output "same" {
  value = [for name in ["arn", "event_bus_arn", "partner_event_source_arn", "partner_source_state", "state", "event_pattern", "tags"] :
    jsonencode(data.scalr_eventbridge_event_source.prod[name]) == jsonencode(scalr_eventbridge_event_source.prod[name])]
}
output "source" {
  value = data.scalr_eventbridge_event_source.prod.partner_source_state
}
"#;
    let workdir = applied(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, READ]))?;
    workdir.apply()?;
    let same = workdir.output("same")?;
    let all = same.as_array().context("no list")?;
    ensure!(all.iter().all(|same| *same == true), "{same}");
    ensure!(workdir.output("source")? == "ACTIVE");
    let other = hcl::with(READ, "scalr_eventbridge_event_source.prod.name", "\"other\"");
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, &other]))?;
    workdir.plan_fails(&["There is no event source `other`", "scalr_eventbridge_source"])?;
    Ok(())
}

/// From Scalr's run to a queue.
fn events_arrive(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.aws().make_queue("runs", false)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE]))?;
    workdir.apply_counts(3, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_custom_bus.scalr", "arn")?;
    let invoke = InvokeConfiguration::builder()
        .target_arn("arn:aws:sqs:us-east-1:123456789012:runs")
        .role_arn("arn:aws:iam::123456789012:role/deliver")
        .sqs_parameters(SqsParameters::builder().build())
        .build()?;
    let custom = &workdir.aws().custom;
    let subscriber = custom.create_subscriber().name("runs").event_bus_arn(&bus);
    let made = block_on(subscriber.invoke_configuration(invoke).send())?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, ACTIVATION]))?;
    workdir.apply_counts(1, 0, 0)?;
    verify::start_run(&workdir)?;
    let received = verify::until("an event in the queue", || {
        Ok(workdir.aws().receive("runs")?.into_iter().next())
    })?;
    let body = received.body().context("no body")?;
    ensure!(body.contains("RunExecuted"), "{body}");
    let arn = made.subscriber_arn().context("no ARN")?;
    block_on(custom.delete_subscriber().subscriber_arn(arn).send())?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let ids = |own: String| -> Result<Vec<(&str, String)>> {
        Ok(vec![
            (
                "scalr_eventbridge_connection.prod",
                workdir.attribute("scalr_eventbridge_connection.prod", "id")?,
            ),
            ("scalr_eventbridge_custom_bus.scalr", "scalr".to_owned()),
            (ADDRESS, own),
        ])
    };
    let arn = workdir.attribute(ADDRESS, "arn")?;
    verify::import(&workdir, &ids(arn)?, &["status"])?;
    verify::import(&workdir, &ids("prod".to_owned())?, &["status"])
}

/// It is said with the plan; one apply that takes it away as well has both.
fn classic_bus_in_the_way(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, hcl::BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.config(&hcl::all(&[CONNECTION, hcl::BUS, SOURCE]))?;
    workdir.plan_shows(&["A Classic event bus has the events of", "dropped", "2 to add"])?;
    workdir.apply_fails(&["not PENDING", "Delete it"])?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE]))?;
    workdir.apply_counts(1, 0, 1)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

fn query(tool: &Tool) -> Result<()> {
    const LIST: &str = r#"
list "scalr_eventbridge_event_source" "all" {
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
        .filter(|line| line.starts_with("list.scalr_eventbridge_event_source.all "));
    ensure!(found.count() == 1, "{}", ended.text);
    Ok(())
}

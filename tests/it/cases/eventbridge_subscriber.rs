//! `scalr_eventbridge_subscriber`: from Scalr's run over a custom event bus to a target.

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};
use aws_sdk_eventbridgev2::types::{
    BatchConfiguration, FilterConfiguration, InvokeConfiguration, OnFailureConfiguration, RetryPolicy,
    RetryStrategy, SubscriberState, Transformer, TransformerType,
};

use super::eventbridge_event_source::SOURCE;
use super::hcl::{self, CONNECTION};
use super::verify;
use crate::runner::{Case, Feature};

const ADDRESS: &str = "scalr_eventbridge_subscriber.runs";
const BUS: &str = r#"
resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}
"#;
pub(super) const SUBSCRIBER: &str = r#"
resource "scalr_eventbridge_subscriber" "runs" {
  name            = "runs"
  event_bus_arn   = scalr_eventbridge_custom_bus.scalr.arn
  target_arn      = "arn:aws:sqs:us-east-1:123456789012:runs"
  role_arn        = "arn:aws:iam::123456789012:role/deliver"
  filter          = [{ scope = "DATA", pattern = provider::scalr::event_pattern("RunExecuted", {}) }]
  retry           = { maximum_retry_attempts = 20 }
  dead_letter_arn = "arn:aws:sqs:us-east-1:123456789012:dead"
  tags            = { team = "platform" }
}
"#;
const ACTIVATION: &str = r#"
resource "scalr_eventbridge_activation" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
  depends_on    = [scalr_eventbridge_event_source.prod, scalr_eventbridge_subscriber.runs]
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("subscriber::lifecycle", lifecycle),
        Case::new("subscriber::settings", settings),
        Case::new("subscriber::events_arrive", events_arrive),
        Case::new(
            "subscriber::events_arrive_in_a_log_group",
            events_arrive_in_a_log_group,
        ),
        Case::new("subscriber::twelve_of_one_bus", twelve_of_one_bus),
        Case::new("subscriber::import", import),
        Case::new("subscriber::import_by_identity", import_by_identity).needs(Feature::ImportByIdentity),
        Case::new("subscriber::exists_already", exists_already),
        Case::new("subscriber::query", query).needs(Feature::Query),
    ]
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[BUS, SUBSCRIBER]))?;
    let applied = workdir.apply_counts(2, 0, 0)?;
    verify::without_warnings(&applied)?;
    Ok(workdir)
}

fn nothing_left(workdir: &Workdir) -> Result<()> {
    ensure!(workdir.aws().subscribers()?.is_empty());
    ensure!(workdir.aws().custom_buses()?.is_empty());
    verify::nothing_left(workdir, "us-east-1", &[])
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    ensure!(workdir.attribute(ADDRESS, "state")? == "RUNNING");
    workdir.plan_empty()?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let changed = hcl::with(
        SUBSCRIBER,
        "attempts = 20",
        "attempts = 10, maximum_event_age_in_seconds = 3600",
    );
    let changed = hcl::with(&changed, "team = \"platform\"", "owner = \"security\"");
    let changed = hcl::more(&changed, "enabled = false");
    workdir.config(&hcl::all(&[BUS, &changed]))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    let custom = &workdir.aws().custom;
    let describe = custom.describe_subscriber().subscriber_arn(&arn);
    let held = block_on(describe.clone().send())?;
    let retry = held.retry_policy().context("no retry policy")?;
    ensure!(retry.max_retry_attempts() == Some(10), "{held:?}");
    ensure!(held.state() == Some(&SubscriberState::Stopped), "{held:?}");
    ensure!(workdir.attribute(ADDRESS, "state")? == "STOPPED");

    // What is removed goes back to AWS's defaults.
    let bare: String = changed
        .lines()
        .filter(|line| {
            !["filter", "retry", "dead_letter", "enabled"]
                .iter()
                .any(|name| line.trim().starts_with(name))
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    workdir.config(&hcl::all(&[BUS, &bare]))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    let held = block_on(describe.send())?;
    let retry = held.retry_policy().context("no retry policy")?;
    ensure!(retry.max_retry_attempts() == Some(5), "{held:?}");
    ensure!(retry.max_event_age_in_seconds() == Some(300), "{held:?}");
    let filters = held.filter_configuration().map(FilterConfiguration::filters);
    ensure!(filters.unwrap_or_default().is_empty(), "{held:?}");
    let queue = held.on_failure_configuration().and_then(|queue| queue.arn());
    ensure!(queue.is_none(), "{held:?}");

    // Somebody stops it, and somebody deletes it.
    let stop = custom.update_subscriber().subscriber_arn(&arn);
    block_on(stop.state(SubscriberState::Stopped).send())?;
    workdir.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    block_on(custom.delete_subscriber().subscriber_arn(&arn).send())?;
    workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    workdir.apply_counts(1, 0, 0)?;

    // Another target is another subscriber.
    workdir.config(&hcl::all(&[BUS, &hcl::with(&bare, ":runs\"", ":other\"")]))?;
    workdir.plan_shows(&["leaves a gap", "1 to add, 0 to change, 1 to destroy"])?;
    workdir.apply_counts(1, 0, 1)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

/// What a subscriber may have, one member of each block; then the other member, then blocks without any, then none. Each is what AWS
/// answers, so that nothing is left to do.
fn settings(tool: &Tool) -> Result<()> {
    const STEPS: [&str; 4] = [
        r#"
  filter          = [{ scope = "DATA", pattern = jsonencode({ "detail-type" = ["RunExecuted"] }) }]
  transformer     = { type = "WITH_METADATA" }
  batch           = { maximum_batch_size = 5 }
  retry           = { maximum_retry_attempts = 3 }
  dead_letter_arn = "arn:aws:sqs:us-east-1:123456789012:dead"
  description     = "Runs"
"#,
        r#"
  filter = [
    { scope = "SYSTEM_METADATA", pattern = jsonencode({ "aws:DeliveryType" = ["LIVE"] }) },
    { scope = "DATA", pattern = jsonencode({ "detail-type" = ["AuditLog"] }) },
  ]
  transformer     = { type = "JSONATA", expression = "{% $events.Data.detail %}" }
  batch           = { maximum_batch_window_in_seconds = 3 }
  retry           = { maximum_event_age_in_seconds = 600 }
  dead_letter_arn = "arn:aws:sqs:us-east-1:123456789012:other"
  description     = "Audit logs"
"#,
        r#"
  filter      = []
  transformer = { type = "RAW" }
  batch       = {}
  retry       = {}
  description = ""
"#,
        "",
    ];
    let bare = SUBSCRIBER
        .lines()
        .filter(|line| {
            let mut names = ["filter", "retry", "dead_letter"].iter();
            !names.any(|name| line.trim().starts_with(name))
        })
        .fold(String::new(), |all, line| all + line + "\n");
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[BUS, &bare]))?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.plan_empty()?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    for (number, step) in STEPS.iter().enumerate() {
        workdir.config(&hcl::all(&[BUS, &hcl::more(&bare, step)]))?;
        workdir.apply_counts(0, 1, 0)?;
        workdir.plan_empty()?;
        if number == 1 {
            let bus = ("scalr_eventbridge_custom_bus.scalr", "scalr".to_owned());
            verify::import(&workdir, &[bus, (ADDRESS, arn.clone())], &[])?;
            changed_by_hand(&workdir, &arn)?;
        }
    }
    ensure!(workdir.attribute(ADDRESS, "arn")? == arn);
    workdir.destroy()?;
    nothing_left(&workdir)
}

/// Somebody changes all of it: the plan shows that, and an apply puts it back.
fn changed_by_hand(workdir: &Workdir, arn: &str) -> Result<()> {
    let transformer = Transformer::builder().r#type(TransformerType::Raw).build();
    let batch = BatchConfiguration::builder()
        .max_batch_size(2)
        .max_batch_window_in_seconds(9);
    let retry = RetryPolicy::builder()
        .max_retry_attempts(7)
        .max_event_age_in_seconds(900);
    let queue = OnFailureConfiguration::builder().arn("arn:aws:sqs:us-east-1:123456789012:theirs");
    let update = workdir.aws().custom.update_subscriber().subscriber_arn(arn);
    let update = update
        .filter_configuration(FilterConfiguration::builder().build())
        .transformer(transformer)
        .batch_configuration(batch.build())
        .retry_policy(retry.retry_strategy(RetryStrategy::All).build())
        .on_failure_configuration(queue.build())
        .description("theirs");
    block_on(update.send())?;
    let planned = workdir.plan_shows(&["0 to add, 1 to change, 0 to destroy", ":theirs", "AuditLog"])?;
    for shown in [
        "JSONATA",
        "maximum_batch_window_in_seconds",
        "maximum_event_age_in_seconds",
    ] {
        ensure!(planned.text.contains(shown), "no `{shown}`:\n{}", planned.text);
    }
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// From Scalr's run to a queue; what the filter leaves out does not arrive.
fn events_arrive(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.aws().make_queue("runs", false)?;
    workdir.aws().make_queue("all", false)?;
    let all = hcl::with(SUBSCRIBER, "\"runs\" {", "\"all\" {").replace("\"runs\"", "\"all\"");
    let all = hcl::with(&all, ":runs\"", ":all\"").replace("  filter ", "  # filter ");
    let whole = [CONNECTION, SOURCE, SUBSCRIBER, &all, ACTIVATION];
    workdir.config(&hcl::all(&whole))?;
    workdir.apply_counts(6, 0, 0)?;
    verify::start_run(&workdir)?;
    for queue in ["runs", "all"] {
        let received = verify::until("an event in the queue", || {
            Ok(workdir.aws().receive(queue)?.into_iter().next())
        })?;
        let body = received.body().context("no body")?;
        ensure!(body.contains("RunExecuted"), "{body}");
    }
    workdir.destroy()?;
    nothing_left(&workdir)
}

/// The quickstart's twin, but for its role: from Scalr's run to a log group that the subscriber makes.
fn events_arrive_in_a_log_group(tool: &Tool) -> Result<()> {
    const GROUP: &str = "/aws/events/scalr/RunExecuted";
    let group = format!(
        "log_group       = {{ name = \"{GROUP}\", create = true, retention_in_days = 30, delete_on_destroy = true }}"
    );
    let logged = hcl::with(
        SUBSCRIBER,
        "target_arn      = \"arn:aws:sqs:us-east-1:123456789012:runs\"",
        &group,
    );
    let workdir = Workdir::new(tool)?;
    let whole = |subscriber: &str| hcl::all(&[CONNECTION, SOURCE, subscriber, ACTIVATION]);
    workdir.config(&whole(&logged))?;
    verify::without_warnings(&workdir.apply_counts(5, 0, 0)?)?;
    workdir.plan_empty()?;
    verify::start_run(&workdir)?;
    let event = verify::until("an event in the log group", || {
        Ok(workdir.aws().messages(GROUP)?.into_iter().next())
    })?;
    ensure!(event["detail-type"] == "RunExecuted", "{event}");
    let arn = workdir.attribute(ADDRESS, "arn")?;

    // Another group takes the events; the subscriber stays, and so does the group before.
    workdir.config(&whole(&hcl::with(&logged, GROUP, "/scalr/other")))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    ensure!(workdir.attribute(ADDRESS, "arn")? == arn);
    let mut groups = workdir.aws().groups()?;
    groups.sort();
    ensure!(groups == [GROUP, "/scalr/other"], "{groups:?}");
    let left = workdir.aws().logs.delete_log_group().log_group_name(GROUP);
    block_on(left.send())?;
    verify::start_run(&workdir)?;
    verify::until("an event in the other log group", || {
        Ok(workdir.aws().messages("/scalr/other")?.into_iter().next())
    })?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

/// They are made and deleted at the same time, and AWS takes one at a time.
fn twelve_of_one_bus(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let many = hcl::with(
        SUBSCRIBER,
        "  name            = \"runs\"",
        "  count = 12\n  name  = \"runs-${count.index}\"",
    );
    workdir.config(&hcl::all(&[BUS, &many]))?;
    workdir.apply_counts(13, 0, 0)?;
    ensure!(workdir.aws().subscribers()?.len() == 12);
    workdir.plan_empty()?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let ids = |own: String| {
        [
            ("scalr_eventbridge_custom_bus.scalr", "scalr".to_owned()),
            (ADDRESS, own),
        ]
    };
    let arn = workdir.attribute(ADDRESS, "arn")?;
    verify::import(&workdir, &ids(arn), &[])?;
    verify::import(&workdir, &ids("runs".to_owned()), &[])
}

/// The three kinds that a custom event bus takes, by their names.
fn import_by_identity(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, SUBSCRIBER]))?;
    workdir.apply_counts(4, 0, 0)?;
    let id = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    let identities = [
        ("scalr_eventbridge_connection.prod", vec![("id", &*id)]),
        (
            "scalr_eventbridge_custom_bus.scalr",
            vec![("name", "scalr"), ("region", "us-east-1")],
        ),
        ("scalr_eventbridge_event_source.prod", vec![("name", "prod")]),
        (ADDRESS, vec![("name", "runs"), ("region", "us-east-1")]),
    ];
    verify::import_by_identity(&workdir, &identities, &["status"])
}

/// Another made it: the plan says so, the apply refuses, and the import block that is printed takes it over.
fn exists_already(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(BUS)?;
    workdir.apply_counts(1, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_custom_bus.scalr", "arn")?;
    let invoke = InvokeConfiguration::builder()
        .target_arn("arn:aws:sqs:us-east-1:123456789012:theirs")
        .role_arn("arn:aws:iam::123456789012:role/deliver")
        .build()?;
    let create = workdir.aws().custom.create_subscriber().name("runs");
    let made = block_on(create.event_bus_arn(&bus).invoke_configuration(invoke).send())?;
    let arn = made.subscriber_arn().context("no ARN")?;
    workdir.config(&hcl::all(&[BUS, SUBSCRIBER]))?;
    workdir.plan_shows(&["There is a subscriber `runs` already", arn])?;
    workdir.apply_fails(&["The subscriber `runs` exists already", arn])?;
    let import = format!("import {{\n  to = {ADDRESS}\n  id = \"{arn}\"\n}}\n");
    let theirs = hcl::with(SUBSCRIBER, ":runs\"", ":theirs\"");
    workdir.config(&hcl::all(&[BUS, &theirs, &import]))?;
    workdir.plan_shows(&["1 to import, 0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply()?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    nothing_left(&workdir)
}

fn query(tool: &Tool) -> Result<()> {
    const LIST: &str = r#"
list "scalr_eventbridge_subscriber" "all" {
  provider         = scalr
  include_resource = true
}
"#;
    let workdir = applied(tool)?;
    workdir.write("all.tfquery.hcl", LIST)?;
    let ended = workdir.succeed(&["query", "-no-color", "-generate-config-out=generated.tf"])?;
    let found = ended
        .text
        .lines()
        .filter(|line| line.starts_with("list.scalr_eventbridge_subscriber.all "));
    ensure!(found.count() == 1, "{}", ended.text);
    Ok(())
}

//! `scalr_eventbridge_queue`

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};

use super::hcl::{self, BUS, CONNECTION, RULE};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_queue.archive";
const QUEUE: &str = r#"
resource "scalr_eventbridge_queue" "archive" {
  name      = "archive"
  rule_arns = [scalr_eventbridge_rule.runs.arn]
  tags      = { team = "platform" }
}
resource "scalr_eventbridge_target" "archive" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = scalr_eventbridge_queue.archive.arn
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("queue::lifecycle", lifecycle),
        Case::new("queue::import", import),
        Case::new("queue::messages_are_kept", messages_are_kept),
    ]
}

fn chain(queue: &str) -> String {
    hcl::all(&[CONNECTION, BUS, RULE, queue])
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&chain(QUEUE))?;
    let applied = workdir.apply_counts(5, 0, 0)?;
    verify::without_warnings(&applied)?;
    Ok(workdir)
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let policy = || -> Result<String> {
        let policy = workdir.aws().queue_policy("archive")?;
        Ok(policy.context("no policy")?.to_string())
    };
    let rule = workdir.attribute("scalr_eventbridge_rule.runs", "arn")?;
    ensure!(policy()?.contains(&rule), "{}", policy()?);
    workdir.plan_empty()?;

    let second = hcl::with(RULE, "\"runs\"", "\"second\"");
    let both = hcl::with(
        QUEUE,
        ".runs.arn]",
        ".runs.arn, scalr_eventbridge_rule.second.arn]",
    );
    let shorter = hcl::with(&both, "tags ", "message_retention_seconds = 3600\n  tags ");
    workdir.config(&hcl::all(&[&chain(&shorter), &second]))?;
    workdir.apply_counts(1, 1, 0)?;
    ensure!(policy()?.contains("/second"), "{}", policy()?);
    workdir.plan_empty()?;

    // Somebody takes the permission away: the plan shows the rules that are let in no more.
    let url = workdir.attribute(ADDRESS, "url")?;
    let set = workdir.aws().queues.set_queue_attributes().queue_url(url);
    let set = set.attributes(aws_sdk_sqs::types::QueueAttributeName::Policy, "");
    block_on(set.send())?;
    workdir.plan_shows(&["rule_arns", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(policy()?.contains("/second"), "{}", policy()?);
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let target = workdir.attribute("scalr_eventbridge_target.archive", "target_id")?;
    let ids = [
        (
            "scalr_eventbridge_connection.prod",
            workdir.attribute("scalr_eventbridge_connection.prod", "id")?,
        ),
        ("scalr_eventbridge_bus.scalr", bus.clone()),
        ("scalr_eventbridge_rule.runs", format!("{bus}/runs")),
        ("scalr_eventbridge_target.archive", format!("{bus}/runs/{target}")),
        (ADDRESS, arn),
    ];
    verify::import(&workdir, &ids, &["status"])
}

/// Messages are not deleted with the queue unless that is written.
fn messages_are_kept(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let url = workdir.attribute(ADDRESS, "url")?;
    let send = workdir.aws().queues.send_message().queue_url(url);
    block_on(send.message_body("kept").send())?;
    let refused = workdir.run(&["destroy", "-auto-approve", "-input=false", "-no-color"])?;
    ensure!(
        refused.code() != 0 && refused.flat().contains("The queue `archive` holds messages"),
        "{}",
        refused.text
    );
    ensure!(
        workdir
            .aws()
            .rules(&workdir.attribute("scalr_eventbridge_bus.scalr", "name")?)?
            .len()
            == 1
    );
    workdir.config(&chain(&hcl::with(
        QUEUE,
        "tags ",
        "force_destroy = true\n  tags ",
    )))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

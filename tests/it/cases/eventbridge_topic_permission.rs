//! `scalr_eventbridge_topic_permission`

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION, RULE};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_topic_permission.runs";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:runs";
const PERMISSION: &str = r#"
resource "scalr_eventbridge_topic_permission" "runs" {
  topic_arn = "arn:aws:sns:us-east-1:123456789012:runs"
  rule_arn  = scalr_eventbridge_rule.runs.arn
}
resource "scalr_eventbridge_target" "topic" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = scalr_eventbridge_topic_permission.runs.topic_arn
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("topic_permission::lifecycle", lifecycle),
        Case::new("topic_permission::import", import),
    ]
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.aws().make_topic("runs", false)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, PERMISSION]))?;
    let applied = workdir.apply_counts(5, 0, 0)?;
    verify::without_warnings(&applied)?;
    Ok(workdir)
}

/// A statement beside the owner's, written again where somebody took it away, and gone with the resource.
fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let count = || -> Result<usize> { Ok(workdir.aws().topic_statements(TOPIC)?.len()) };
    ensure!(count()? == 2);
    workdir.plan_empty()?;
    workdir.aws().make_topic("runs", true)?;
    workdir.plan_shows(&[ADDRESS, "1 to add, 0 to change, 0 to destroy"])?;
    workdir.apply_counts(1, 0, 0)?;
    ensure!(count()? == 2);
    workdir.destroy()?;
    ensure!(count()? == 1);
    verify::nothing_left(&workdir, "us-east-1", &[])
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let rule = workdir.attribute("scalr_eventbridge_rule.runs", "arn")?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let target = workdir.attribute("scalr_eventbridge_target.topic", "target_id")?;
    let ids = [
        (
            "scalr_eventbridge_connection.prod",
            workdir.attribute("scalr_eventbridge_connection.prod", "id")?,
        ),
        ("scalr_eventbridge_bus.scalr", bus.clone()),
        ("scalr_eventbridge_rule.runs", format!("{bus}/runs")),
        ("scalr_eventbridge_target.topic", format!("{bus}/runs/{target}")),
        (ADDRESS, format!("{TOPIC},{rule}")),
    ];
    verify::import(&workdir, &ids, &["status"])
}

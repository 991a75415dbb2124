//! `scalr_eventbridge_target`: queues and topics that are not there, or let EventBridge not in.

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::eventbridge_target::{BY_ARN, chain};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("target::queue_that_lets_nobody_in", queue_that_lets_nobody_in),
        Case::new("target::topic_that_lets_nobody_in", topic_that_lets_nobody_in),
    ]
}

/// AWS takes a target whose queue is not there or lets nobody in.
fn queue_that_lets_nobody_in(tool: &Tool) -> Result<()> {
    const MISSING: [&str; 2] = ["There is no queue `runs`", "There is no dead-letter queue `dead`"];
    const SHUT: [&str; 3] = [
        "EventBridge may not send to the queue `runs`",
        "EventBridge may not send to the dead-letter queue `dead`",
        "\"Action\": \"sqs:SendMessage\"",
    ];
    let workdir = Workdir::new(tool)?;
    workdir.config(&chain(BY_ARN))?;
    workdir.plan_shows(&MISSING)?;
    let applied = workdir.apply_counts(4, 0, 0)?;
    // With its plan alone.
    let said = |text: &&&str| applied.flat().matches(**text).count() == 1;
    ensure!(MISSING.iter().filter(said).count() == 2, "{}", applied.text);
    for queue in ["runs", "dead"] {
        workdir.aws().make_queue(queue, false)?;
    }
    let planned = workdir.plan_empty()?;
    ensure!(
        SHUT.iter().all(|text| planned.flat().contains(text)),
        "{}",
        planned.text
    );
    for queue in ["runs", "dead"] {
        workdir.aws().make_queue(queue, true)?;
    }
    let planned = workdir.plan_empty()?;
    ensure!(
        !planned.flat().contains("EventBridge may not send"),
        "{}",
        planned.text
    );
    Ok(())
}

/// A topic's default policy does not let EventBridge in.
fn topic_that_lets_nobody_in(tool: &Tool) -> Result<()> {
    const SHUT: [&str; 2] = [
        "EventBridge may not send to the topic `runs`",
        "\"Action\": \"sns:Publish\"",
    ];
    let topic = r#"
resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = "arn:aws:sns:us-east-1:123456789012:runs"
}
"#;
    let workdir = Workdir::new(tool)?;
    workdir.config(&chain(topic))?;
    workdir.plan_shows(&["There is no topic `runs`", "aws_sns_topic.NAME.arn"])?;
    workdir.aws().make_topic("runs", false)?;
    let applied = workdir.apply_counts(4, 0, 0)?;
    ensure!(
        SHUT.iter().all(|text| applied.flat().contains(text)),
        "{}",
        applied.text
    );
    workdir.aws().make_topic("runs", true)?;
    let planned = workdir.plan_empty()?;
    ensure!(!planned.flat().contains(SHUT[0]), "{}", planned.text);
    Ok(())
}

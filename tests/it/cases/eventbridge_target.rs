//! `scalr_eventbridge_target`

use acceptance::block_on;
use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};
use aws_sdk_eventbridge::types::RetryPolicy;
use serde_json::Value;

use super::hcl::{self, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_target.logs";
const OWNER_TAG: &str = "scalr-eventbridge:owner";

const BY_ARN: &str = r#"
resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = "arn:aws:sqs:us-east-1:123456789012:runs"
  retry_policy   = { maximum_event_age_in_seconds = 3600, maximum_retry_attempts = 5 }
  dead_letter_config = { arn = "arn:aws:sqs:us-east-1:123456789012:dead" }
  input_transformer = {
    input_paths    = { run = "$.detail.event.run-id" }
    input_template = "{\"run\": <run>}"
  }
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("target::renamed_rule", renamed_rule),
        Case::new("target::default_tags", default_tags),
        Case::new("target::generated_configuration", generated_configuration),
        Case::new("target::log_group_lifecycle", lifecycle),
        Case::new("target::delete_on_destroy", delete_on_destroy),
        Case::new("target::by_arn", by_arn),
        Case::new("target::import", import),
        Case::new("target::drift_policy", drift_policy),
        Case::new("target::drift_group", drift_group),
        Case::new("target::drift_deleted", drift_deleted),
        Case::new("target::foreign_group", foreign_group),
        Case::new("target::shared_group", shared_group),
        Case::new("target::two_of_one_rule", two_of_one_rule),
        Case::new("target::let_go", let_go),
        Case::new("target::different_is_refused", different_is_refused),
    ]
}

fn chain(target: &str) -> String {
    hcl::all(&[CONNECTION, BUS, RULE, target])
}

fn applied(tool: &Tool, target: &str) -> Result<(Stage, String)> {
    let stage = Stage::new(tool)?;
    stage.config(&chain(target))?;
    stage.apply_counts(4, 0, 0)?;
    let bus = stage.attribute("scalr_eventbridge_bus.scalr", "name")?;
    Ok((stage, bus))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (stage, bus) = applied(tool, TARGET)?;
    let group = stage.aws().group(GROUP)?;
    ensure!(group.retention_in_days() == Some(30), "{group:?}");
    let policy = stage.aws().group_policy(GROUP)?.unwrap_or_default().to_string();
    ensure!(
        policy.contains("events.amazonaws.com") && policy.contains("logs:PutLogEvents"),
        "{policy}"
    );
    ensure!(stage.aws().targets(&bus, "runs")?.len() == 1);
    stage.plan_empty()?;

    stage.config(&chain(&hcl::with(TARGET, "= 30", "= 14")))?;
    stage.plan_shows(&["30 -> 14", "0 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(0, 1, 0)?;
    ensure!(stage.aws().group(GROUP)?.retention_in_days() == Some(14));
    stage.plan_empty()?;

    let ended = stage.destroy()?;
    ensure!(
        ended.flat().contains(GROUP),
        "destroy does not say that the group stays:\n{}",
        ended.text
    );
    verify::nothing_left(&stage, "us-east-1", &[GROUP])
}

fn delete_on_destroy(tool: &Tool) -> Result<()> {
    let target = hcl::with(TARGET, "retention_in_days = 30", "delete_on_destroy = true");
    let (stage, _) = applied(tool, &target)?;
    stage.plan_empty()?;
    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[])
}

fn by_arn(tool: &Tool) -> Result<()> {
    let (stage, bus) = applied(tool, BY_ARN)?;
    let found = stage.aws().targets(&bus, "runs")?;
    let [target] = found.as_slice() else {
        anyhow::bail!("one target: {found:?}")
    };
    ensure!(
        target
            .retry_policy()
            .and_then(RetryPolicy::maximum_retry_attempts)
            == Some(5),
        "{target:?}"
    );
    ensure!(
        target.dead_letter_config().is_some() && target.input_transformer().is_some(),
        "{target:?}"
    );
    stage.plan_empty()?;

    stage.config(&chain(&hcl::with(
        BY_ARN,
        "maximum_retry_attempts = 5",
        "maximum_retry_attempts = 7",
    )))?;
    stage.apply_counts(0, 1, 0)?;
    let found = stage.aws().targets(&bus, "runs")?;
    let attempts = found
        .first()
        .and_then(|target| target.retry_policy()?.maximum_retry_attempts());
    ensure!(found.len() == 1 && attempts == Some(7), "{found:?}");
    stage.plan_empty()?;

    // Another destination is another target.
    stage.config(&chain(&hcl::with(BY_ARN, ":runs\"", ":other\"")))?;
    stage.apply_counts(1, 0, 1)?;
    ensure!(stage.aws().targets(&bus, "runs")?.len() == 1);
    Ok(())
}

fn import(tool: &Tool) -> Result<()> {
    let (stage, bus) = applied(tool, TARGET)?;
    let connection = stage.attribute("scalr_eventbridge_connection.prod", "id")?;
    let target = stage.attribute(ADDRESS, "target_id")?;
    let ids = [
        ("scalr_eventbridge_connection.prod", connection),
        ("scalr_eventbridge_bus.scalr", bus.clone()),
        ("scalr_eventbridge_rule.runs", format!("{bus}/runs")),
        (ADDRESS, format!("{bus}/runs/{target}")),
    ];
    verify::import(&stage, &ids, &[])
}

fn drift_policy(tool: &Tool) -> Result<()> {
    let (stage, _) = applied(tool, TARGET)?;
    stage.aws().delete_group_policy(GROUP)?;
    stage.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(0, 1, 0)?;
    ensure!(stage.aws().group_policy(GROUP)?.is_some());
    stage.plan_empty()?;
    Ok(())
}

fn drift_group(tool: &Tool) -> Result<()> {
    let (stage, _) = applied(tool, TARGET)?;
    block_on(stage.aws().logs.delete_log_group().log_group_name(GROUP).send())?;
    stage.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(0, 1, 0)?;
    ensure!(stage.aws().group(GROUP)?.retention_in_days() == Some(30));
    ensure!(stage.aws().group_policy(GROUP)?.is_some());
    stage.plan_empty()?;
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let (stage, bus) = applied(tool, TARGET)?;
    stage.aws().remove_targets(&bus, "runs")?;
    stage.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    // The group carries our own tag, so it is taken up again.
    stage.apply_counts(1, 0, 0)?;
    stage.plan_empty()?;
    Ok(())
}

/// A log group that someone else made is used only when told so, and stays as it was.
fn foreign_group(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    block_on(stage.aws().logs.create_log_group().log_group_name(GROUP).send())?;
    stage.config(&chain(TARGET))?;
    stage.apply_fails(&[GROUP, "create = false"])?;
    let used = hcl::with(TARGET, "create = true, retention_in_days = 30", "create = false");
    stage.config(&chain(&used))?;
    stage.apply_counts(1, 0, 0)?;
    ensure!(stage.aws().group_policy(GROUP)?.is_some());
    stage.plan_empty()?;
    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[GROUP])
}

/// Two targets may share a group; each takes out only its own statement.
fn shared_group(tool: &Tool) -> Result<()> {
    let rule = hcl::with(&RULE.replace("\"runs\"", "\"audit\""), "RunExecuted", "AuditLog");
    let target = TARGET.replace("scalr_eventbridge_rule.runs", "scalr_eventbridge_rule.audit");
    let target = hcl::with(&target, "\"logs\"", "\"audit\"");
    let target = hcl::with(&target, "create = true, retention_in_days = 30", "create = false");
    let target = hcl::more(&target, "depends_on = [scalr_eventbridge_target.logs]");
    let (stage, _) = applied(tool, TARGET)?;
    let alone = statements(&stage)?;
    stage.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, &rule, &target]))?;
    stage.apply_counts(2, 0, 0)?;
    stage.plan_empty()?;
    let both = statements(&stage)?;
    let kept = alone.iter().all(|statement| both.contains(statement));
    ensure!(
        kept && both.len() == 2 * alone.len(),
        "alone {alone:?}, with another target {both:?}"
    );
    stage.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET]))?;
    stage.apply_counts(0, 0, 2)?;
    let left = statements(&stage)?;
    ensure!(
        left == alone,
        "alone {alone:?}, after the other target went {left:?}"
    );
    stage.plan_empty()?;
    Ok(())
}

/// The statements of the log group's policy.
fn statements(stage: &Stage) -> Result<Vec<Value>> {
    let policy = stage.aws().group_policy(GROUP)?.unwrap_or_default();
    let found = policy["Statement"].as_array().cloned().unwrap_or_default();
    ensure!(!found.is_empty(), "no statement: {policy}");
    Ok(found)
}

/// A log group that is no longer to be made here stays, loses its tag, and is not taken back.
fn let_go(tool: &Tool) -> Result<()> {
    let (stage, _) = applied(tool, TARGET)?;
    ensure!(stage.aws().group_tags(GROUP)?.contains_key(OWNER_TAG));
    let used = hcl::with(TARGET, "create = true, retention_in_days = 30", "create = false");
    stage.config(&chain(&used))?;
    stage.plan_shows(&[
        "no longer this target's",
        "for 30 days",
        "0 to add, 1 to change, 0 to destroy",
    ])?;
    stage.apply_counts(0, 1, 0)?;
    let tags = stage.aws().group_tags(GROUP)?;
    ensure!(!tags.contains_key(OWNER_TAG), "{tags:?}");
    ensure!(stage.aws().group(GROUP)?.retention_in_days() == Some(30));
    stage.plan_empty()?;

    stage.config(&chain(TARGET))?;
    stage.apply_fails(&[GROUP, "create = false"])?;
    ensure!(stage.aws().group_tags(GROUP)? == tags);
    stage.config(&chain(&used))?;
    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[GROUP])
}

fn different_is_refused(tool: &Tool) -> Result<()> {
    let (stage, bus) = applied(tool, BY_ARN)?;
    let id = stage.attribute(ADDRESS, "target_id")?;
    std::fs::remove_file(stage.state_file())?;
    stage.config(&format!(
        r#"
resource "scalr_eventbridge_target" "logs" {{
  rule           = "runs"
  event_bus_name = "{bus}"
  target_id      = "{id}"
  arn            = "arn:aws:sqs:us-east-1:123456789012:mine"
}}
"#
    ))?;
    stage.apply_fails(&["import {", &id])?;
    let found = stage.aws().targets(&bus, "runs")?;
    ensure!(
        found.iter().all(|target| target.arn().ends_with(":runs")),
        "overwritten: {found:?}"
    );
    Ok(())
}

/// The rule is replaced, and so is the target; the log group and its events go over to the new one.
fn renamed_rule(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    let parts = [CONNECTION, BUS, RULE, TARGET];
    stage.config(&hcl::all(&parts))?;
    stage.apply_counts(4, 0, 0)?;
    let renamed = hcl::with(RULE, "\"runs\"\n", "\"renamed\"\n");
    stage.config(&hcl::all(&[CONNECTION, BUS, &renamed, TARGET]))?;
    stage.apply_counts(2, 0, 2)?;
    stage.plan_empty()?;
    // So does one whose connection is, and with it the bus.
    let connection = hcl::with(CONNECTION, "= \"prod\"", "= \"prod2\"");
    for connection in [&*connection, CONNECTION] {
        stage.config(&hcl::all(&[connection, BUS, &renamed, TARGET]))?;
        stage.apply_counts(4, 0, 4)?;
        stage.plan_empty()?;
    }
    // A rule that still leads to the group keeps it.
    let second = hcl::with(
        &hcl::with(RULE, "\"runs\" {", "\"second\" {"),
        "\"runs\"\n",
        "\"second\"\n",
    );
    let theirs = hcl::with(
        &hcl::with(TARGET, "\"logs\"", "\"second\""),
        "rule.runs",
        "rule.second",
    );
    stage.config(&hcl::all(&[CONNECTION, BUS, &renamed, TARGET, &second, &theirs]))?;
    stage.apply_fails(&["belongs to another rule", "/renamed", "create = false"])?;
    // So does one that has no target just now: its own may be about to be made.
    stage.config(&hcl::all(&[CONNECTION, BUS, &renamed, &second, &theirs]))?;
    stage.apply_fails(&["belongs to another rule", "/renamed", "create = false"])?;
    Ok(())
}

/// Two targets of one rule lead to one log group: the one that goes takes neither the other's permission nor its group.
fn two_of_one_rule(tool: &Tool) -> Result<()> {
    let deleting = hcl::with(
        TARGET,
        "retention_in_days = 30",
        "retention_in_days = 30, delete_on_destroy = true",
    );
    let (stage, bus) = applied(tool, &deleting)?;
    let second = hcl::with(
        &hcl::with(&deleting, "\"logs\"", "\"second\""),
        "  rule ",
        "  target_id      = \"second\"\n  rule ",
    );
    stage.config(&hcl::all(&[CONNECTION, BUS, RULE, &deleting, &second]))?;
    stage.apply_counts(1, 0, 0)?;
    stage.plan_empty()?;
    ensure!(statements(&stage)?.len() == 4, "{:?}", statements(&stage)?);
    stage.config(&chain(&second))?;
    let applied = stage.apply_counts(0, 0, 1)?;
    ensure!(
        applied.flat().contains("another target leads to it"),
        "{}",
        applied.text
    );
    stage.plan_empty()?;
    ensure!(stage.aws().targets(&bus, "runs")?.len() == 1);
    ensure!(statements(&stage)?.len() == 2, "{:?}", statements(&stage)?);

    // One of two that lets the group go leaves it to the other; of two that go at once the last deletes it.
    let using = hcl::with(
        &second,
        "create = true, retention_in_days = 30, delete_on_destroy = true",
        "create = false",
    );
    let both = |second: &str| hcl::all(&[CONNECTION, BUS, RULE, &deleting, second]);
    for (second, changes) in [(&second, (1, 0, 0)), (&using, (0, 1, 0)), (&second, (0, 1, 0))] {
        stage.config(&both(second))?;
        stage.apply_counts(changes.0, changes.1, changes.2)?;
        stage.plan_empty()?;
    }
    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[])
}

fn default_tags(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    let tagged = |cost: &str| {
        format!(
            "provider \"scalr\" {{\n  aws = {{ default_tags = {{ tags = {{ cost = \"{cost}\" }} }} }}\n}}\n"
        )
    };
    for (cost, changes) in [("x", (4, 0, 0)), ("y", (0, 3, 0))] {
        stage.config(&hcl::all(&[&tagged(cost), CONNECTION, BUS, RULE, TARGET]))?;
        stage.apply_counts(changes.0, changes.1, changes.2)?;
        stage.plan_empty()?;
        let arn = stage.aws().group_arn(GROUP)?;
        let tags = block_on(stage.aws().logs.list_tags_for_resource().resource_arn(arn).send())?;
        let found = tags.tags().and_then(|tags| tags.get("cost"));
        ensure!(found.is_some_and(|found| found == cost), "{tags:?}");
    }
    Ok(())
}

/// What `-generate-config-out` writes for a log-group target is a configuration that plans nothing but the import.
fn generated_configuration(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET]))?;
    stage.apply_counts(4, 0, 0)?;
    let (bus, id) = (
        stage.attribute("scalr_eventbridge_bus.scalr", "name")?,
        stage.attribute("scalr_eventbridge_target.logs", "target_id")?,
    );
    std::fs::rename(stage.state_file(), stage.dir().join("forgotten.json"))?;
    stage.remove("main.tf");
    stage.write(
        "import.tf",
        &format!("import {{\n  to = scalr_eventbridge_target.found\n  id = \"{bus}/runs/{id}\"\n}}\n"),
    )?;
    let planned = stage.run(&[
        "plan",
        "-input=false",
        "-no-color",
        "-generate-config-out=main.tf",
    ])?;
    ensure!(planned.code() == 0, "{}", planned.text);
    let ended = stage.apply()?;
    ensure!(
        ended
            .flat()
            .contains("1 imported, 0 added, 0 changed, 0 destroyed"),
        "{}",
        ended.text
    );
    Ok(())
}

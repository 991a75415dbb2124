//! `scalr_eventbridge_target`

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use aws_sdk_eventbridge::types::{RetryPolicy, Target as WireTarget};
use serde_json::{Value, json};

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_target.logs";
const OWNER_TAG: &str = "scalr-eventbridge:owner";

pub(super) const BY_ARN: &str = r#"
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
        Case::new("target::empty_forms", empty_forms),
        Case::new("target::import", import),
        Case::new("target::drift_policy", drift_policy),
        Case::new("target::drift_group", drift_group),
        Case::new("target::drift_deleted", drift_deleted),
        Case::new("target::foreign_group", foreign_group),
        Case::new("target::shared_group", shared_group),
        Case::new("target::two_of_one_rule", two_of_one_rule),
        Case::new("target::group_is_released", group_is_released),
        Case::new("target::different_is_refused", different_is_refused),
        Case::new("target::policies_of_others", policies_of_others),
        Case::new("target::one_too_many", one_too_many),
    ]
}

pub(super) fn chain(target: &str) -> String {
    hcl::all(&[CONNECTION, BUS, RULE, target])
}

fn applied(tool: &Tool, target: &str) -> Result<(Workdir, String)> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&chain(target))?;
    workdir.apply_counts(4, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    Ok((workdir, bus))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool, TARGET)?;
    let group = workdir.aws().group(GROUP)?;
    ensure!(group.retention_in_days() == Some(30), "{group:?}");
    let policy = workdir.aws().group_policy(GROUP)?.unwrap_or_default().to_string();
    ensure!(
        policy.contains("events.amazonaws.com") && policy.contains("logs:PutLogEvents"),
        "{policy}"
    );
    ensure!(workdir.aws().targets(&bus, "runs")?.len() == 1);
    workdir.plan_empty()?;

    workdir.config(&chain(&hcl::with(TARGET, "= 30", "= 14")))?;
    workdir.plan_shows(&["30 -> 14", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(workdir.aws().group(GROUP)?.retention_in_days() == Some(14));
    workdir.plan_empty()?;

    let ended = workdir.destroy()?;
    ensure!(
        ended.flat().contains(GROUP),
        "destroy does not say that the group stays:\n{}",
        ended.text
    );
    verify::nothing_left(&workdir, "us-east-1", &[GROUP])
}

fn delete_on_destroy(tool: &Tool) -> Result<()> {
    let target = hcl::with(TARGET, "retention_in_days = 30", "delete_on_destroy = true");
    let (workdir, _) = applied(tool, &target)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// A chain whose target sends to queues that let EventBridge in.
fn applied_by_arn(tool: &Tool) -> Result<(Workdir, String)> {
    let workdir = Workdir::new(tool)?;
    for queue in ["runs", "other", "mine", "dead"] {
        workdir.aws().make_queue(queue, true)?;
    }
    workdir.config(&chain(BY_ARN))?;
    let applied = workdir.apply_counts(4, 0, 0)?;
    ensure!(!applied.flat().contains("There is no queue"), "{}", applied.text);
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    Ok((workdir, bus))
}

fn by_arn(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied_by_arn(tool)?;
    let found = workdir.aws().targets(&bus, "runs")?;
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
    workdir.plan_empty()?;

    workdir.config(&chain(&hcl::with(
        BY_ARN,
        "maximum_retry_attempts = 5",
        "maximum_retry_attempts = 7",
    )))?;
    workdir.apply_counts(0, 1, 0)?;
    let found = workdir.aws().targets(&bus, "runs")?;
    let attempts = found
        .first()
        .and_then(|target| target.retry_policy()?.maximum_retry_attempts());
    ensure!(found.len() == 1 && attempts == Some(7), "{found:?}");
    workdir.plan_empty()?;

    // Another destination is another target.
    workdir.config(&chain(&hcl::with(BY_ARN, ":runs\"", ":other\"")))?;
    workdir.apply_counts(1, 0, 1)?;
    ensure!(workdir.aws().targets(&bus, "runs")?.len() == 1);
    Ok(())
}

/// What is written as empty, AWS leaves out of its answers: that is no difference.
fn empty_forms(tool: &Tool) -> Result<()> {
    let bus = hcl::more(
        BUS,
        "description = \"\"\n  kms_key_identifier = \"\"\n  tags = {}\n  log_config = { level = \"OFF\" }",
    );
    let rule = hcl::more(RULE, "description = \"\"\n  tags = {}");
    let target = hcl::with(BY_ARN, "{ run = \"$.detail.event.run-id\" }", "{}");
    let target = hcl::with(&target, "{\\\"run\\\": <run>}", "{\\\"run\\\": 1}");
    let target = hcl::with(
        &target,
        "{ maximum_event_age_in_seconds = 3600, maximum_retry_attempts = 5 }",
        "{}",
    );
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, &bus, &rule, &target]))?;
    workdir.apply_counts(4, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

fn import(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool, TARGET)?;
    let connection = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    let target = workdir.attribute(ADDRESS, "target_id")?;
    let ids = [
        ("scalr_eventbridge_connection.prod", connection),
        ("scalr_eventbridge_bus.scalr", bus.clone()),
        ("scalr_eventbridge_rule.runs", format!("{bus}/runs")),
        (ADDRESS, format!("{bus}/runs/{target}")),
    ];
    verify::import(&workdir, &ids, &[])?;
    let rule_arn = workdir.attribute("scalr_eventbridge_rule.runs", "arn")?;
    let by_arn = [
        ("scalr_eventbridge_connection.prod", ids[0].1.clone()),
        (
            "scalr_eventbridge_bus.scalr",
            workdir.attribute("scalr_eventbridge_bus.scalr", "arn")?,
        ),
        ("scalr_eventbridge_rule.runs", rule_arn.clone()),
        (ADDRESS, format!("{rule_arn}/{target}")),
    ];
    verify::import(&workdir, &by_arn, &[])?;
    let missing = |id: &str| format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
    std::fs::remove_file(workdir.state_file())?;
    workdir.write("import.tf", &missing(&format!("{bus}/runs/nope")))?;
    workdir.plan_fails(&["`nope`", &target, "account 123456789012, region us-east-1"])?;
    Ok(())
}

fn drift_policy(tool: &Tool) -> Result<()> {
    let (workdir, _) = applied(tool, TARGET)?;
    workdir.aws().delete_group_policy(GROUP)?;
    workdir.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(workdir.aws().group_policy(GROUP)?.is_some());
    workdir.plan_empty()?;
    Ok(())
}

fn drift_group(tool: &Tool) -> Result<()> {
    let (workdir, _) = applied(tool, TARGET)?;
    block_on(workdir.aws().logs.delete_log_group().log_group_name(GROUP).send())?;
    workdir.plan_shows(&["0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(workdir.aws().group(GROUP)?.retention_in_days() == Some(30));
    ensure!(workdir.aws().group_policy(GROUP)?.is_some());
    workdir.plan_empty()?;
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool, TARGET)?;
    workdir.aws().remove_targets(&bus, "runs")?;
    workdir.plan_shows(&["target missing", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    ensure!(workdir.aws().targets(&bus, "runs")?.len() == 1);
    workdir.plan_empty()?;
    // A destroy removes what a target left that is gone.
    let goes = hcl::with(TARGET, "retention_in_days = 30", "delete_on_destroy = true");
    workdir.config(&chain(&goes))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.aws().delete_rule(&bus, "runs")?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// A log group that someone else created is used only when the configuration says so, and is not changed.
fn foreign_group(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    block_on(workdir.aws().logs.create_log_group().log_group_name(GROUP).send())?;
    workdir.config(&chain(TARGET))?;
    workdir.apply_fails(&[GROUP, "create = false"])?;
    ensure!(workdir.resources()?.is_empty(), "refused half way through");
    let used = hcl::with(TARGET, "create = true, retention_in_days = 30", "create = false");
    workdir.config(&chain(&used))?;
    workdir.apply_counts(4, 0, 0)?;
    ensure!(workdir.aws().group_policy(GROUP)?.is_some());
    workdir.plan_empty()?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[GROUP])
}

/// Two targets may share a group; each takes out only its own statement.
fn shared_group(tool: &Tool) -> Result<()> {
    let rule = hcl::with(&RULE.replace("\"runs\"", "\"audit\""), "RunExecuted", "AuditLog");
    let target = TARGET.replace("scalr_eventbridge_rule.runs", "scalr_eventbridge_rule.audit");
    let target = hcl::with(&target, "\"logs\"", "\"audit\"");
    let target = hcl::with(&target, "create = true, retention_in_days = 30", "create = false");
    let target = hcl::more(&target, "depends_on = [scalr_eventbridge_target.logs]");
    let (workdir, _) = applied(tool, TARGET)?;
    let alone = statements(&workdir)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, &rule, &target]))?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.plan_empty()?;
    let both = statements(&workdir)?;
    let kept = alone.iter().all(|statement| both.contains(statement));
    ensure!(
        kept && both.len() == 2 * alone.len(),
        "alone {alone:?}, with another target {both:?}"
    );
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET]))?;
    workdir.apply_counts(0, 0, 2)?;
    let left = statements(&workdir)?;
    ensure!(
        left == alone,
        "alone {alone:?}, after the other target went {left:?}"
    );
    workdir.plan_empty()?;
    Ok(())
}

/// The statements of the log group's policy.
fn statements(workdir: &Workdir) -> Result<Vec<Value>> {
    let policy = workdir.aws().group_policy(GROUP)?.unwrap_or_default();
    let found = policy["Statement"].as_array().cloned().unwrap_or_default();
    ensure!(!found.is_empty(), "no statement: {policy}");
    Ok(found)
}

/// A log group that is no longer to be made here stays, loses its tag, and is not adopted again.
fn group_is_released(tool: &Tool) -> Result<()> {
    let (workdir, _) = applied(tool, TARGET)?;
    ensure!(workdir.aws().group_tags(GROUP)?.contains_key(OWNER_TAG));
    let used = hcl::with(TARGET, "create = true, retention_in_days = 30", "create = false");
    workdir.config(&chain(&used))?;
    workdir.plan_shows(&[
        "no longer this target's",
        "for 30 days",
        "0 to add, 1 to change, 0 to destroy",
    ])?;
    workdir.apply_counts(0, 1, 0)?;
    let tags = workdir.aws().group_tags(GROUP)?;
    ensure!(!tags.contains_key(OWNER_TAG), "{tags:?}");
    ensure!(workdir.aws().group(GROUP)?.retention_in_days() == Some(30));
    workdir.plan_empty()?;

    workdir.config(&chain(TARGET))?;
    workdir.apply_fails(&[GROUP, "create = false"])?;
    ensure!(workdir.aws().group_tags(GROUP)? == tags);
    workdir.config(&chain(&used))?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[GROUP])
}

fn different_is_refused(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied_by_arn(tool)?;
    let id = workdir.attribute(ADDRESS, "target_id")?;
    std::fs::remove_file(workdir.state_file())?;
    workdir.config(&format!(
        r#"
resource "scalr_eventbridge_target" "logs" {{
  rule           = "runs"
  event_bus_name = "{bus}"
  target_id      = "{id}"
  arn            = "arn:aws:sqs:us-east-1:123456789012:mine"
}}
"#
    ))?;
    workdir.apply_fails(&["import {", &id])?;
    let found = workdir.aws().targets(&bus, "runs")?;
    ensure!(
        found.iter().all(|target| target.arn().ends_with(":runs")),
        "overwritten: {found:?}"
    );
    Ok(())
}

/// Somebody else's permission may go at any time: the target has its own. Somebody else's statement stays as it was, in the
/// form that AWS takes.
fn policies_of_others(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let aws = workdir.aws();
    block_on(aws.logs.create_log_group().log_group_name(GROUP).send())?;
    let group = aws.group_arn(GROUP)?;
    let statement = |principal: Value| {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "theirs", "Effect": "Allow", "Principal": principal, "Resource": format!("{group}:*"),
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        }] })
    };
    let put = |principal| {
        let document = statement(principal).to_string();
        aws.logs.put_resource_policy().policy_document(document)
    };
    let service = put(json!({ "Service": "events.amazonaws.com" })).policy_name("theirs");
    block_on(service.send())?;
    block_on(put(json!({ "AWS": "210987654321" })).resource_arn(&group).send())?;
    let before = statements(&workdir)?;

    let used = hcl::with(TARGET, "create = true, retention_in_days = 30", "create = false");
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, &used, ACTIVATION]))?;
    workdir.apply_counts(5, 0, 0)?;
    ensure!(statements(&workdir)?.len() == 3, "{:?}", statements(&workdir)?);
    block_on(aws.logs.delete_resource_policy().policy_name("theirs").send())?;
    verify::start_run(&workdir)?;
    verify::arrives(&workdir, GROUP, "RunExecuted")?;
    workdir.plan_empty()?;

    workdir.destroy()?;
    let after = statements(&workdir)?;
    ensure!(after == before, "before {before:?}, after {after:?}");
    Ok(())
}

/// A rule takes five targets. What was made for the sixth is in the state, and a destroy removes it.
fn one_too_many(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE]))?;
    workdir.apply_counts(3, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let put = workdir
        .aws()
        .events
        .put_targets()
        .event_bus_name(&bus)
        .rule("runs");
    let queues = (0..5).map(|n| {
        let arn = format!("arn:aws:sqs:us-east-1:123456789012:q{n}");
        WireTarget::builder().id(format!("q{n}")).arn(arn).build()
    });
    let queues = queues.collect::<std::result::Result<Vec<_>, _>>()?;
    block_on(put.set_targets(Some(queues)).send())?;
    let goes = hcl::with(TARGET, "retention_in_days = 30", "delete_on_destroy = true");
    workdir.config(&chain(&goes))?;
    let failed = workdir.apply_fails(&["A rule takes five targets", GROUP, "tainted"])?;
    ensure!(!failed.flat().contains("Service Quotas"), "{}", failed.text);
    ensure!(workdir.aws().groups()? == [GROUP]);
    workdir.aws().remove_targets(&bus, "runs")?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// The rule is replaced, and so is the target; the log group and its events go over to the new one.
fn renamed_rule(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let parts = [CONNECTION, BUS, RULE, TARGET];
    workdir.config(&hcl::all(&parts))?;
    workdir.apply_counts(4, 0, 0)?;
    let renamed = hcl::with(RULE, "\"runs\"\n", "\"renamed\"\n");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &renamed, TARGET]))?;
    workdir.apply_counts(2, 0, 2)?;
    workdir.plan_empty()?;
    // So does one whose connection is, and with it the bus.
    let connection = hcl::with(CONNECTION, "= \"prod\"", "= \"prod2\"");
    for connection in [&*connection, CONNECTION] {
        workdir.config(&hcl::all(&[connection, BUS, &renamed, TARGET]))?;
        workdir.apply_counts(4, 0, 4)?;
        workdir.plan_empty()?;
    }
    // A rule that still leads to the group keeps it: the plan is refused, and makes nothing.
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
    workdir.config(&hcl::all(&[CONNECTION, BUS, &renamed, TARGET, &second, &theirs]))?;
    workdir.apply_fails(&["belongs to another rule", "/renamed", "create = false"])?;
    // So does one that has no target just now: its own may be about to be made. (What an apply destroys itself, it may pass on.)
    workdir.config(&hcl::all(&[CONNECTION, BUS, &renamed, &second]))?;
    workdir.apply_counts(1, 0, 1)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, &renamed, &second, &theirs]))?;
    workdir.apply_fails(&["belongs to the rule `renamed`", "/renamed", "create = false"])?;
    Ok(())
}

/// Two targets of one rule lead to one log group: the one that goes takes neither the other's permission nor its group.
fn two_of_one_rule(tool: &Tool) -> Result<()> {
    let deleting = hcl::with(
        TARGET,
        "retention_in_days = 30",
        "retention_in_days = 30, delete_on_destroy = true",
    );
    let (workdir, bus) = applied(tool, &deleting)?;
    let second = hcl::with(
        &hcl::with(&deleting, "\"logs\"", "\"second\""),
        "  rule ",
        "  target_id      = \"second\"\n  rule ",
    );
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, &deleting, &second]))?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    ensure!(statements(&workdir)?.len() == 4, "{:?}", statements(&workdir)?);
    workdir.config(&chain(&second))?;
    let applied = workdir.apply_counts(0, 0, 1)?;
    ensure!(
        applied.flat().contains("another target leads to it"),
        "{}",
        applied.text
    );
    workdir.plan_empty()?;
    ensure!(workdir.aws().targets(&bus, "runs")?.len() == 1);
    ensure!(statements(&workdir)?.len() == 2, "{:?}", statements(&workdir)?);

    // One of two that lets the group go leaves it to the other; of two that go at once the last deletes it.
    let using = hcl::with(
        &second,
        "create = true, retention_in_days = 30, delete_on_destroy = true",
        "create = false",
    );
    let both = |second: &str| hcl::all(&[CONNECTION, BUS, RULE, &deleting, second]);
    for (second, changes) in [(&second, (1, 0, 0)), (&using, (0, 1, 0)), (&second, (0, 1, 0))] {
        workdir.config(&both(second))?;
        workdir.apply_counts(changes.0, changes.1, changes.2)?;
        workdir.plan_empty()?;
    }
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

fn default_tags(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let tagged = |cost: &str| {
        format!(
            "provider \"scalr\" {{\n  aws = {{ default_tags = {{ tags = {{ cost = \"{cost}\" }} }} }}\n}}\n"
        )
    };
    for (cost, changes) in [("x", (4, 0, 0)), ("y", (0, 3, 0))] {
        workdir.config(&hcl::all(&[&tagged(cost), CONNECTION, BUS, RULE, TARGET]))?;
        workdir.apply_counts(changes.0, changes.1, changes.2)?;
        workdir.plan_empty()?;
        let arn = workdir.aws().group_arn(GROUP)?;
        let tags = block_on(
            workdir
                .aws()
                .logs
                .list_tags_for_resource()
                .resource_arn(arn)
                .send(),
        )?;
        let found = tags.tags().and_then(|tags| tags.get("cost"));
        ensure!(found.is_some_and(|found| found == cost), "{tags:?}");
    }
    Ok(())
}

/// What `-generate-config-out` writes for a log-group target is a configuration that plans nothing but the import.
fn generated_configuration(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET]))?;
    workdir.apply_counts(4, 0, 0)?;
    let (bus, id) = (
        workdir.attribute("scalr_eventbridge_bus.scalr", "name")?,
        workdir.attribute("scalr_eventbridge_target.logs", "target_id")?,
    );
    std::fs::rename(workdir.state_file(), workdir.path().join("forgotten.json"))?;
    workdir.remove("main.tf");
    workdir.write(
        "import.tf",
        &format!("import {{\n  to = scalr_eventbridge_target.found\n  id = \"{bus}/runs/{id}\"\n}}\n"),
    )?;
    let planned = workdir.run(&[
        "plan",
        "-input=false",
        "-no-color",
        "-generate-config-out=main.tf",
    ])?;
    ensure!(planned.code() == 0, "{}", planned.text);
    let ended = workdir.apply()?;
    ensure!(
        ended
            .flat()
            .contains("1 imported, 0 added, 0 changed, 0 destroyed"),
        "{}",
        ended.text
    );
    Ok(())
}

//! `moved`, `removed` and `import` from the types of other providers, as `docs/guides/migrate.md` has them: each of its blocks is
//! applied here. The objects are there first; the states are those of `tests/data/moved`.

use acceptance::block_on;
use acceptance::guide::Guide;
use acceptance::tools::Tool;
use acceptance::workdir::{PLAN, Workdir};
use anyhow::{Context, Result, ensure};
use aws_sdk_eventbridge::types as wire;
use serde_json::{Value, json};

use super::hcl::{CONNECTION, GROUP};
use super::verify;
use crate::runner::Case;

const QUEUE: &str = "aws_cloudwatch_event_target.1-queue";
const AWS_5: [&str; 5] = [
    "scalr_event_bridge_integration.0",
    "aws_cloudwatch_event_bus.0",
    "aws_cloudwatch_event_rule.1",
    "aws_cloudwatch_event_target.1",
    QUEUE,
];
const AWS_6: [&str; 5] = [
    "scalr_event_bridge_integration.0",
    "aws_cloudwatch_event_bus.0-region",
    "aws_cloudwatch_event_rule.1-region",
    "aws_cloudwatch_event_target.1-region",
    QUEUE,
];
/// The rule is of a version before `state` was added.
const AWS_OLD: [&str; 5] = [
    "scalr_event_bridge_integration.0",
    "aws_cloudwatch_event_bus.0",
    "aws_cloudwatch_event_rule.0",
    "aws_cloudwatch_event_target.1",
    QUEUE,
];

const SCALR: &str = "From Scalr's provider";
const AWS: &str = "From hashicorp/aws";
const GROUPS: &str = "The log group and its policy";
const IMPORTS: &str = "With `removed` and `import`";
const CONSOLES: &str = "From the consoles";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("moved::from_aws_5", |tool| moved(tool, &AWS_5)),
        Case::new("moved::from_aws_6", |tool| moved(tool, &AWS_6)),
        Case::new("moved::log_group_leaves_the_state", log_group_leaves_the_state),
        Case::new("moved::removed_and_imported", removed_and_imported),
        Case::new("moved::imported_from_the_consoles", imported_from_the_consoles),
        Case::new("moved::from_another_registry", from_another_registry),
        Case::new("moved::refused", refused),
    ]
}

/// What another provider has made, and the events that arrive through it.
struct Stage {
    workdir: Workdir,
    guide: Guide,
    source: String,
    connection: String,
    arrived: usize,
}

impl Stage {
    /// Connection, bus, rule, log group with an account's policy, and two targets, as they come from the consoles or from other
    /// providers.
    fn new(tool: &Tool) -> Result<Self> {
        let workdir = Workdir::new(tool)?;
        workdir.install_stand_ins(&["hashicorp/aws", "registry.scalr.io/scalr/scalr"])?;
        let (scalr, aws) = (workdir.companion.scalr(), workdir.aws());
        let connection = scalr.connect("prod", "123456789012", "us-east-1")?;
        let source = verify::until("the name of the event source", || {
            let attributes = scalr.connection(&connection)?;
            Ok(attributes["event-source"].as_str().map(str::to_owned))
        })?;
        verify::until("the event source", || aws.source_state(&source))?;
        let tag = wire::Tag::builder().key("team").value("platform").build()?;
        let bus = aws
            .events
            .create_event_bus()
            .name(&source)
            .event_source_name(&source);
        block_on(bus.tags(tag).send())?;
        block_on(aws.logs.create_log_group().log_group_name(GROUP).send())?;
        let arn = aws.group_arn(GROUP)?;
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"] },
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": format!("{arn}:*"),
        }] });
        let put = aws.logs.put_resource_policy().policy_name("events");
        block_on(put.policy_document(policy.to_string()).send())?;
        aws.make_queue("runs", true)?;
        aws.make_queue("dead", true)?;
        let pattern =
            json!({ "detail-type": ["RunExecuted"], "source": [{ "prefix": "aws.partner/scalr.com" }] });
        let rule = aws.events.put_rule().event_bus_name(&source).name("runs");
        block_on(rule.event_pattern(pattern.to_string()).send())?;
        let targets = aws.events.put_targets().event_bus_name(&source).rule("runs");
        let logs = wire::Target::builder().id("logs").arn(&arn).build()?;
        block_on(targets.targets(logs).targets(to_queue()?).send())?;
        scalr.set_status(&connection, "active")?;
        verify::until("an active connection", || {
            let status = scalr.connection(&connection)?["status"].clone();
            Ok((status == "active").then_some(()))
        })?;
        let mut stage = Self {
            guide: Guide::read("migrate")?,
            workdir,
            source,
            connection,
            arrived: 0,
        };
        stage.event_arrives()?;
        Ok(stage)
    }

    /// A run is started, and its event arrives in the log group.
    fn event_arrives(&mut self) -> Result<()> {
        verify::start_run(&self.workdir)?;
        self.arrived += 1;
        verify::until("the run's event", || {
            let count = self.workdir.aws().messages(GROUP)?.len();
            Ok((count == self.arrived).then_some(()))
        })
    }

    /// A text of the guide or of a state, with the names of what is there.
    fn filled(&self, text: &str) -> String {
        text.replace("$ACCOUNT", "123456789012")
            .replace("$REGION", "us-east-1")
            .replace("$SOURCE", &self.source)
            .replace("$CONNECTION", &self.connection)
            .replace("aws.partner/scalr.com/acme/prod", &self.source)
            .replace("in-v0o1exampleid", &self.connection)
    }

    fn blocks(&self, section: &str, kind: &str) -> Result<String> {
        Ok(self.filled(&self.guide.blocks(section, kind)?))
    }

    /// Writes the state that the other providers have left, with what else is in it.
    fn state(&self, files: &[&str], more: &[Value]) -> Result<()> {
        let host = self.workdir.tool.kind.registry();
        let of_file = |file: &&str| {
            let path = acceptance::paths::root().join(format!("tests/data/moved/{file}.json"));
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let text = self.filled(&text).replace("registry.terraform.io", host);
            serde_json::from_str::<Value>(&text).with_context(|| path.display().to_string())
        };
        let mut resources = files.iter().map(of_file).collect::<Result<Vec<_>>>()?;
        resources.extend_from_slice(more);
        let state = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "5f1f3ad2-8a51-4d3c-9a0c-000000000000",
            "outputs": {}, "resources": resources, "check_results": null,
        });
        self.workdir.write("terraform.tfstate", &state.to_string())
    }

    /// The resources of the guide, with further blocks.
    fn config(&self, more: &[String]) -> Result<()> {
        let mut whole = self.blocks(SCALR, "resource")? + &self.blocks(AWS, "resource")?;
        whole.extend(more.iter().map(String::as_str));
        self.workdir.config(&whole)
    }

    fn moves(&self) -> Result<Vec<String>> {
        Ok(vec![self.blocks(SCALR, "moved")?, self.blocks(AWS, "moved")?])
    }

    /// Nothing was made again: rule and targets are those that were there.
    fn nothing_was_replaced(&self) -> Result<()> {
        let aws = self.workdir.aws();
        let mut ids: Vec<_> = aws
            .targets(&self.source, "runs")?
            .into_iter()
            .map(|one| one.id)
            .collect();
        ids.sort();
        ensure!(ids == ["logs", "queue"], "{ids:?}");
        ensure!(aws.source_state(&self.source)?.as_deref() == Some("ACTIVE"));
        ensure!(self.workdir.companion.scalr().connections()?.len() == 1);
        Ok(())
    }
}

fn to_queue() -> Result<wire::Target> {
    let arn = |queue: &str| format!("arn:aws:sqs:us-east-1:123456789012:{queue}");
    let transformer = wire::InputTransformer::builder()
        .input_paths_map("status", "$.detail.event.result")
        .input_template("{\"status\": <status>}")
        .build()?;
    let retry = wire::RetryPolicy::builder()
        .maximum_event_age_in_seconds(3600)
        .maximum_retry_attempts(5)
        .build();
    Ok(wire::Target::builder()
        .id("queue")
        .arn(arn("runs"))
        .input_transformer(transformer)
        .retry_policy(retry)
        .dead_letter_config(wire::DeadLetterConfig::builder().arn(arn("dead")).build())
        .build()?)
}

/// Everything moves in one apply; only the permission of the log group is new. Afterwards all of it is ours to destroy.
fn moved(tool: &Tool, files: &[&str]) -> Result<()> {
    let mut stage = Stage::new(tool)?;
    stage.state(files, &[])?;
    stage.config(&stage.moves()?)?;
    let planned = stage
        .workdir
        .plan_shows(&["has moved to", "0 to add, 1 to change, 0 to destroy"])?;
    ensure!(planned.flat().contains("policy missing"), "{}", planned.text);
    stage.workdir.apply_counts(0, 1, 0)?;
    stage.event_arrives()?;
    stage.workdir.plan_empty()?;
    stage.nothing_was_replaced()?;
    stage.event_arrives()?;
    stage.workdir.destroy()?;
    let aws = stage.workdir.aws();
    ensure!(aws.buses()?.is_empty() && aws.groups()? == [GROUP]);
    Ok(())
}

/// An object that the stand-in for hashicorp/aws has in the state.
fn of_aws(tool: &Tool, kind: &str, attributes: &Value) -> Value {
    let provider = format!("provider[\"{}/hashicorp/aws\"]", tool.kind.registry());
    json!({
        "mode": "managed", "type": kind, "name": "events", "provider": provider,
        "instances": [{ "schema_version": 0, "attributes": attributes, "sensitive_attributes": [], "private": "bnVsbA==" }],
    })
}

/// First the moves, then the log group and the policy leave the state; at no time is the log group closed.
fn log_group_leaves_the_state(tool: &Tool) -> Result<()> {
    let mut stage = Stage::new(tool)?;
    let group = json!({ "id": GROUP, "name": GROUP, "retention_in_days": 30 });
    let policy = json!({ "id": "events", "policy_name": "events", "policy_document": "{}" });
    let theirs = [
        of_aws(tool, "aws_cloudwatch_log_group", &group),
        of_aws(tool, "aws_cloudwatch_log_resource_policy", &policy),
    ];
    stage.state(&AWS_OLD, &theirs)?;
    let still_theirs = r#"
resource "aws_cloudwatch_log_group" "events" {
  name              = "/scalr/runs"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_resource_policy" "events" {
  policy_name     = "events"
  policy_document = "{}"
}
"#;
    let mut first = stage.moves()?;
    first.push(still_theirs.to_owned());
    stage.config(&first)?;
    stage.workdir.apply_counts(0, 1, 0)?;
    stage.event_arrives()?;
    stage.workdir.plan_empty()?;

    stage.config(&[stage.blocks(GROUPS, "removed")?])?;
    stage
        .workdir
        .plan_shows(&["0 to add, 0 to change, 0 to destroy"])?;
    stage.workdir.apply_counts(0, 0, 0)?;
    let left = stage.workdir.resources()?;
    ensure!(
        left.len() == 5 && left.iter().all(|(address, _)| address.starts_with("scalr_")),
        "{left:?}"
    );
    stage.event_arrives()?;
    let aws = stage.workdir.aws();
    block_on(aws.logs.delete_resource_policy().policy_name("events").send())?;
    stage.event_arrives()?;
    // All blocks can go.
    stage.config(&[])?;
    stage.workdir.plan_empty()?;
    Ok(())
}

/// Where `moved` is refused, both blocks in one apply do the same.
fn removed_and_imported(tool: &Tool) -> Result<()> {
    let mut stage = Stage::new(tool)?;
    stage.state(&AWS_6, &[])?;
    stage.config(&[
        stage.blocks(SCALR, "moved")?,
        stage.blocks(IMPORTS, "removed")?,
        stage.blocks(IMPORTS, "import")?,
    ])?;
    let applied = stage.workdir.apply()?;
    ensure!(
        applied
            .flat()
            .contains("4 imported, 0 added, 1 changed, 0 destroyed"),
        "{}",
        applied.text
    );
    stage.event_arrives()?;
    stage.workdir.plan_empty()?;
    stage.nothing_was_replaced()
}

fn imported_from_the_consoles(tool: &Tool) -> Result<()> {
    let mut stage = Stage::new(tool)?;
    stage.config(&[
        stage.blocks(CONSOLES, "resource")?,
        stage.blocks(CONSOLES, "import")?,
        stage.blocks(IMPORTS, "import")?,
    ])?;
    let applied = stage.workdir.apply()?;
    ensure!(
        applied
            .flat()
            .contains("6 imported, 0 added, 1 changed, 0 destroyed"),
        "{}",
        applied.text
    );
    stage.event_arrives()?;
    stage.workdir.plan_empty()?;
    stage.nothing_was_replaced()?;
    let sections = stage.guide.sections();
    ensure!(
        sections == [SCALR, AWS, GROUPS, IMPORTS, CONSOLES],
        "a section whose HCL no case applies: {sections:?}"
    );
    Ok(())
}

/// The same resource under another address of this provider, renamed at the same time.
fn from_another_registry(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    let state = std::fs::read_to_string(workdir.state_file())?;
    let address = format!("{}/scalr-eventbridge/scalr", tool.kind.registry());
    ensure!(state.contains(&address), "{state}");
    let elsewhere = "registry.example.com/scalr-eventbridge/scalr";
    workdir.write("terraform.tfstate", &state.replace(&address, elsewhere))?;
    workdir.install_stand_ins(&[elsewhere])?;
    let renamed = super::hcl::with(CONNECTION, "\"prod\" {", "\"main\" {");
    workdir.config(&format!(
        "{renamed}\nmoved {{\n  from = scalr_eventbridge_connection.prod\n  to   = scalr_eventbridge_connection.main\n}}\n"
    ))?;
    workdir.apply_counts(0, 0, 0)?;
    workdir.plan_empty()?;
    ensure!(workdir.companion.scalr().connections()?.len() == 1);
    Ok(())
}

/// The tools show the provider's own words.
fn refused(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    let bus = std::fs::read_to_string(
        acceptance::paths::root().join("tests/data/moved/aws_cloudwatch_event_bus.0.json"),
    )?;
    let mut bus: Value = serde_json::from_str(&stage.filled(&bus))?;
    bus["provider"] = json!(format!("provider[\"{}/hashicorp/aws\"]", tool.kind.registry()));
    bus["instances"][0]["attributes"]["name"] = json!("default");
    bus["instances"][0]["attributes"]["event_source_name"] = json!("");
    stage.state(&AWS_5[..1], std::slice::from_ref(&bus))?;
    stage.config(&stage.moves()?)?;
    stage.workdir.plan_fails(&[
        "Cannot move `aws_cloudwatch_event_bus` to `scalr_eventbridge_bus`",
        "Nothing was changed.",
        "leave the bus as `aws_cloudwatch_event_bus`",
    ])?;
    bus["instances"][0]["schema_version"] = json!(9);
    stage.state(&AWS_5[..1], &[bus])?;
    stage
        .workdir
        .plan_fails(&["version 9", "`removed`", "`import`", "destroy = false"])?;
    stage.state(&AWS_5[..1], &[])?;
    ensure!(stage.workdir.run(&PLAN)?.code() == 2);
    Ok(())
}

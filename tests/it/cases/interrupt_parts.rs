//! Interruptions of the resources that the quickstart does without: at each request that makes or deletes something, before it
//! is forwarded and before its answer returns, by Ctrl-C and by kill -9. The next apply succeeds, by itself or with the import
//! blocks that its errors print; the next destroy leaves nothing.

use std::sync::Arc;
use std::time::Duration;

use acceptance::block_on;
use acceptance::proxy::{FaultSignal, Injection, Pattern, Proxy, Script};
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, DESTROY, Workdir};
use anyhow::{Context as _, Result, ensure};
use aws_sdk_eventbridgev2::client::Waiters as _;

use super::eventbridge_api_destination::HOOK;
use super::interrupt::{POINTS, apply_with_imports};
use crate::runner::Case;

/// A resource that stands alone.
struct Part {
    name: &'static str,
    configuration: &'static str,
    /// What has to be there before.
    prepare: fn(&Workdir) -> Result<()>,
    /// Requests that make it, and those that delete it.
    makes: &'static [Pattern],
    deletes: &'static [Pattern],
    /// How much of it there is.
    count: fn(&Workdir) -> Result<usize>,
    /// What there is when it was made once.
    whole: usize,
}

const fn call(call: &'static str) -> Pattern {
    Pattern { call, body: "" }
}

/// A call of SNS or IAM.
const fn query(body: &'static str) -> Pattern {
    Pattern { call: "POST /", body }
}

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:runs";
const SET_TOPIC: Pattern = query("Action=SetTopicAttributes");

const PARTS: [Part; 6] = [
    Part {
        name: "queue",
        configuration: r#"
resource "scalr_eventbridge_queue" "archive" {
  name      = "archive"
  rule_arns = ["arn:aws:events:us-east-1:123456789012:rule/x/runs"]
  tags      = { team = "platform" }
}
"#,
        prepare: |_| Ok(()),
        makes: &[call("AmazonSQS.CreateQueue")],
        deletes: &[call("AmazonSQS.DeleteQueue")],
        count: queues,
        whole: 1,
    },
    Part {
        name: "custom_bus",
        configuration: r#"
resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
  tags = { team = "platform" }
}
"#,
        prepare: |_| Ok(()),
        makes: &[call("/CreateEventBus")],
        deletes: &[call("/DeleteEventBus")],
        count: |workdir| Ok(workdir.aws().custom_buses()?.len()),
        whole: 1,
    },
    Part {
        name: "subscriber",
        configuration: r#"
data "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}
resource "scalr_eventbridge_subscriber" "runs" {
  name          = "runs"
  event_bus_arn = data.scalr_eventbridge_custom_bus.scalr.arn
  target_arn    = "arn:aws:sqs:us-east-1:123456789012:runs"
  role_arn      = "arn:aws:iam::123456789012:role/deliver"
}
"#,
        prepare: custom_bus,
        makes: &[call("/CreateSubscriber")],
        deletes: &[call("/DeleteSubscriber")],
        count: |workdir| Ok(workdir.aws().subscribers()?.len()),
        whole: 1,
    },
    Part {
        name: "api_destination",
        configuration: HOOK,
        prepare: |_| Ok(()),
        makes: &[
            call("AWSEvents.CreateConnection"),
            call("AWSEvents.CreateApiDestination"),
        ],
        deletes: &[
            call("AWSEvents.DeleteApiDestination"),
            call("AWSEvents.DeleteConnection"),
        ],
        count: destinations_and_connections,
        whole: 2,
    },
    Part {
        name: "topic_permission",
        configuration: r#"
resource "scalr_eventbridge_topic_permission" "runs" {
  topic_arn = "arn:aws:sns:us-east-1:123456789012:runs"
  rule_arn  = "arn:aws:events:us-east-1:123456789012:rule/x/runs"
}
"#,
        prepare: |workdir| workdir.aws().make_topic("runs", false),
        makes: &[SET_TOPIC],
        deletes: &[SET_TOPIC],
        count: our_statements,
        whole: 1,
    },
    Part {
        name: "subscriber_role",
        configuration: r#"
data "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}
resource "scalr_eventbridge_subscriber" "runs" {
  name          = "runs"
  event_bus_arn = data.scalr_eventbridge_custom_bus.scalr.arn
  target_arn    = "arn:aws:sqs:us-east-1:123456789012:runs"
  role          = { create = true }
}
"#,
        prepare: custom_bus,
        makes: &[query("Action=CreateRole"), query("Action=PutRolePolicy")],
        deletes: &[
            call("/DeleteSubscriber"),
            query("Action=DeleteRolePolicy"),
            query("Action=DeleteRole&"),
        ],
        count: |workdir| Ok(workdir.aws().subscribers()?.len() + workdir.aws().roles()?.len()),
        whole: 2,
    },
];

fn custom_bus(workdir: &Workdir) -> Result<()> {
    let custom = &workdir.aws().custom;
    let made = block_on(custom.create_event_bus().name("scalr").send())?;
    let arn = made.event_bus_arn().context("no ARN")?;
    let active = custom.wait_until_event_bus_active().event_bus_arn(arn);
    block_on(active.wait(Duration::from_secs(30)))?;
    Ok(())
}

fn queues(workdir: &Workdir) -> Result<usize> {
    let found = block_on(workdir.aws().queues.list_queues().send())?;
    Ok(found.queue_urls().len())
}

fn destinations_and_connections(workdir: &Workdir) -> Result<usize> {
    let events = &workdir.aws().events;
    let destinations = block_on(events.list_api_destinations().send())?;
    let connections = block_on(events.list_connections().send())?;
    Ok(destinations.api_destinations().len() + connections.connections().len())
}

/// Beside that of the topic's owner.
fn our_statements(workdir: &Workdir) -> Result<usize> {
    Ok(workdir.aws().topic_statements(TOPIC)?.len().saturating_sub(1))
}

/// Each point once, spread over the tools.
pub(crate) fn cases(tools: &[Tool]) -> Result<Vec<(Tool, Arc<Case>)>> {
    let mut found = Vec::new();
    let mut tools = tools.iter().cycle();
    for part in &PARTS {
        for (command, requests) in [("apply", part.makes), ("destroy", part.deletes)] {
            for (number, request) in requests.iter().enumerate() {
                for (signal, moment, point) in POINTS {
                    let name = format!("interrupt::{}::{command}::{point}::{number}", part.name);
                    let script = Script::SignalAt(request.clone(), moment, signal);
                    let run = move |tool: &Tool| {
                        if command == "apply" {
                            create_interrupted(tool, part, &script, signal)
                        } else {
                            delete_interrupted(tool, part, &script, signal)
                        }
                    };
                    let tool = tools.next().context("no tool")?;
                    found.push((tool.clone(), Arc::new(Case::new(name, run))));
                }
            }
            // An even number of points in a row would give each tool the same kind of point every time.
            tools.next();
        }
    }
    Ok(found)
}

fn workdir(tool: &Tool, part: &Part) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    (part.prepare)(&workdir)?;
    workdir.config(part.configuration)?;
    Ok(workdir)
}

/// Runs a command into its interruption.
fn interrupt(workdir: &mut Workdir, args: &[&str], script: &Script, signal: FaultSignal) -> Result<String> {
    let line = workdir.companion.line.clone();
    let proxy = Proxy::start(&[line.hostname(), line.endpoint()], script.clone())?;
    workdir.through(&proxy)?;
    let group = workdir.start(args)?;
    proxy.aim(group.pid()?);
    let ended = group.wait(Duration::from_mins(2))?;
    let injection = proxy.injection();
    ensure!(
        injection != Injection::NotReached && injection.allows(signal, ended.code()),
        "{injection:?}, and ended with {}:\n{}",
        ended.code(),
        ended.text
    );
    workdir.direct();
    Ok(ended.text)
}

fn create_interrupted(tool: &Tool, part: &Part, script: &Script, signal: FaultSignal) -> Result<()> {
    let mut workdir = workdir(tool, part)?;
    let text = interrupt(&mut workdir, &APPLY, script, signal)?;
    apply_with_imports(&workdir).with_context(|| text.clone())?;
    workdir.plan_empty().context(text)?;
    counts(&workdir, part, part.whole)?;
    workdir.destroy()?;
    counts(&workdir, part, 0)
}

fn delete_interrupted(tool: &Tool, part: &Part, script: &Script, signal: FaultSignal) -> Result<()> {
    let mut workdir = workdir(tool, part)?;
    workdir.apply_counts(1, 0, 0)?;
    let text = interrupt(&mut workdir, &DESTROY, script, signal)?;
    workdir.destroy().context(text)?;
    counts(&workdir, part, 0)
}

fn counts(workdir: &Workdir, part: &Part, wanted: usize) -> Result<()> {
    let found = (part.count)(workdir)?;
    ensure!(found == wanted, "{found} of {wanted}");
    Ok(())
}

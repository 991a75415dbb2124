//! Many objects of each kind at a parallelism of 50: applies that are interrupted, and servers that fail. In the end each object
//! is there once.
//!
//! `ACCEPTANCE_CROWD` is the number of objects, for longer runs.

use std::time::Duration;

use acceptance::block_on;
use acceptance::group::members;
use acceptance::proxy::{Fault, FaultSignal, Injection, Moment, Proxy, Script};
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::hcl::{self, BUS, CONNECTION};
use super::interrupt::apply_with_more_imports;
use super::verify;
use crate::runner::Case;

/// Objects where nothing else is asked for: of five kinds, as many of each.
const SIZE: usize = 30;
const KINDS: usize = 5;
const PARALLELISM: &str = "-parallelism=50";

/// Each is one case on each tool.
const SIGNALS: [(FaultSignal, &str); 4] = [
    (FaultSignal::InterruptTwice, "stopped_twice"),
    (FaultSignal::Kill, "killed"),
    (FaultSignal::KillTool, "tool_killed"),
    (FaultSignal::KillProviders, "provider_killed"),
];

pub(crate) fn cases() -> Vec<Case> {
    let signals = SIGNALS
        .into_iter()
        .map(|(signal, name)| Case::new(format!("crowd::{name}"), move |tool| interrupted(tool, signal)));
    let faults = [
        (
            "refused_with_500",
            json!({ "kind": "error", "status": 500, "share": 0.1 }),
        ),
        (
            "done_and_answered_with_500",
            json!({ "kind": "error", "status": 500, "share": 0.1, "carried_out": true }),
        ),
        (
            "slow_answers",
            json!({ "kind": "slow", "delay_ms": 300, "share": 0.3 }),
        ),
        ("half_answers", json!({ "kind": "truncated", "share": 0.1 })),
    ];
    let faults = faults
        .into_iter()
        .map(|(name, fault)| Case::new(format!("crowd::{name}"), move |tool| faulty(tool, &fault)));
    signals.chain(faults).collect()
}

/// Objects of each kind.
fn each() -> usize {
    let asked = std::env::var("ACCEPTANCE_CROWD")
        .ok()
        .and_then(|size| size.parse().ok());
    asked.unwrap_or(SIZE) / KINDS
}

fn configuration(each: usize) -> String {
    let crowd = format!(
        r#"
variable "secret" {{
  type      = string
  ephemeral = true
  default   = "s3cret-of-the-hook"
}}
locals {{
  names = toset([for n in range({each}) : "n${{n}}"])
}}
resource "scalr_eventbridge_connection" "all" {{
  for_each       = toset([for n in range({each}) : format("%012d", 100000000000 + n)])
  name           = "c-${{each.key}}"
  aws_account_id = each.key
  region         = "us-east-1"
}}
resource "scalr_eventbridge_rule" "all" {{
  for_each       = local.names
  name           = each.key
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", {{}})
}}
resource "scalr_eventbridge_target" "all" {{
  for_each       = scalr_eventbridge_rule.all
  rule           = each.value.name
  event_bus_name = each.value.event_bus_name
  log_group      = {{ name = "/scalr/${{each.key}}", create = true, delete_on_destroy = true }}
}}
resource "scalr_eventbridge_queue" "all" {{
  for_each  = scalr_eventbridge_rule.all
  name      = each.key
  rule_arns = [each.value.arn]
}}
resource "scalr_eventbridge_api_destination" "all" {{
  for_each            = local.names
  name                = each.key
  invocation_endpoint = "https://hooks.example.com/${{each.key}}"
  api_key             = {{ name = "x-api-key" }}
  secret_wo           = var.secret
}}
"#
    );
    hcl::all(&[CONNECTION, BUS, &crowd])
}

/// The signal comes when about half of the requests have been made.
fn interrupted(tool: &Tool, signal: FaultSignal) -> Result<()> {
    let each = each();
    let mut workdir = Workdir::new(tool)?;
    let line = workdir.companion.line.clone();
    let fault = Fault {
        request: each * KINDS * 2,
        moment: Moment::BeforeAnswer,
        signal,
    };
    let proxy = Proxy::start(&[line.hostname(), line.endpoint()], Script::Fault(fault))?;
    workdir.through(&proxy)?;
    workdir.config(&configuration(each))?;
    let group = workdir.start(&[&APPLY[..], &[PARALLELISM]].concat())?;
    let pid = group.pid()?;
    proxy.aim(pid);
    let ended = group.wait(Duration::from_mins(2))?;
    let context = || {
        format!(
            "{:?}, ended with {}:\n{}",
            proxy.injection(),
            ended.code(),
            ended.text
        )
    };
    let injection = proxy.injection();
    ensure!(
        injection == Injection::Sent && injection.allows(signal, ended.code()),
        "{}",
        context()
    );
    verify::until("the end of the tool's processes", || {
        Ok(members(pid).is_empty().then_some(()))
    })
    .with_context(context)?;
    workdir.direct();
    converges(&workdir, each).with_context(context)
}

/// Some calls of both servers fail throughout two applies.
fn faulty(tool: &Tool, fault: &Value) -> Result<()> {
    let each = each();
    let workdir = Workdir::new(tool)?;
    workdir.config(&configuration(each))?;
    workdir.companion.fault_in_aws(fault)?;
    workdir.companion.fault_in_scalr(fault)?;
    let first = workdir.run(&[&APPLY[..], &[PARALLELISM]].concat())?;
    let second = workdir.run(&[&APPLY[..], &[PARALLELISM]].concat())?;
    if fault["kind"] == "slow" {
        ensure!(
            first.code() == 0 && second.code() == 0,
            "{}{}",
            first.text,
            second.text
        );
    }
    ensure!(workdir.companion.calls_gone_wrong()? > 0, "{}", first.text);
    workdir.companion.clear_faults()?;
    converges(&workdir, each).with_context(|| format!("after\n{}\nand\n{}", first.text, second.text))
}

fn converges(workdir: &Workdir, each: usize) -> Result<()> {
    apply_with_more_imports(workdir, lost_connection(workdir)?)?;
    workdir.plan_empty()?;
    once(workdir, each)?;
    workdir.succeed(&[
        "destroy",
        "-auto-approve",
        "-input=false",
        "-no-color",
        PARALLELISM,
    ])?;
    verify::nothing_left(workdir, "us-east-1", &[])?;
    let (queues, destinations, connections) = of_aws(workdir)?;
    ensure!(
        queues + destinations + connections == 0,
        "{queues} {destinations} {connections}"
    );
    Ok(())
}

/// The import block of the connection that the bus is made for, where Scalr has it and the state has not. OpenTofu 1.12, stopped twice,
/// now and then writes a state with the bus and without the connection, though it has said that both are complete. Without the
/// block it would replace the bus before it finds the connection.
fn lost_connection(workdir: &Workdir) -> Result<String> {
    const ADDRESS: &str = "scalr_eventbridge_connection.prod";
    if workdir.resources()?.iter().any(|(address, _)| address == ADDRESS) {
        return Ok(String::new());
    }
    let connections = workdir.companion.scalr().connections()?;
    let found = connections.iter().find(|one| one["attributes"]["name"] == "prod");
    let id = found.and_then(|found| found["id"].as_str());
    Ok(id.map_or_else(String::new, |id| {
        format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n")
    }))
}

/// Each object is there, and there is no other.
fn once(workdir: &Workdir, each: usize) -> Result<()> {
    let connections = workdir.companion.scalr().connections()?;
    ensure!(connections.len() == each + 1, "{connections:?}");
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let (rules, groups) = (workdir.aws().rules(&bus)?, workdir.aws().groups()?);
    ensure!(
        rules.len() == each && groups.len() == each,
        "{rules:?}\n{groups:?}"
    );
    for rule in &rules {
        ensure!(workdir.aws().targets(&bus, rule)?.len() == 1, "{rule}");
    }
    let found = of_aws(workdir)?;
    ensure!(
        found == (each, each, each),
        "queues, destinations, connections: {found:?}"
    );
    Ok(())
}

/// How many queues, API destinations and connections of these there are.
fn of_aws(workdir: &Workdir) -> Result<(usize, usize, usize)> {
    let aws = workdir.aws();
    let queues = block_on(aws.queues.list_queues().max_results(1000).send())?;
    let destinations = block_on(aws.events.list_api_destinations().limit(100).send())?;
    let connections = block_on(aws.events.list_connections().limit(100).send())?;
    Ok((
        queues.queue_urls().len(),
        destinations.api_destinations().len(),
        connections.connections().len(),
    ))
}

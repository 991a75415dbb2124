//! `terraform query`: the lists of connections, buses, rules and targets, and the configuration that it generates.

use std::time::Duration;

use acceptance::group::members;
use acceptance::proxy::{FaultSignal, Injection, Moment, Pattern, Proxy, Script};
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION, RULE, TARGET};
use super::verify;
use crate::runner::{Case, Feature};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("query::what_is_there", what_is_there).needs(Feature::Query),
        Case::new("query::generated_configuration", generated_configuration).needs(Feature::Query),
        Case::new("query::three_hundred_rules", three_hundred_rules).needs(Feature::Query),
        Case::new("query::interrupted", interrupted).needs(Feature::Query),
        Case::new("query::refusals", refusals).needs(Feature::Query),
        Case::new(
            "query::other_commands_do_not_see_it",
            other_commands_do_not_see_it,
        ),
    ]
}

const RULES: usize = 300;
const FILE: &str = "all.tfquery.hcl";

const ALL: &str = r#"
list "scalr_eventbridge_connection" "all" {
  provider = scalr
}
list "scalr_eventbridge_bus" "all" {
  provider = scalr
}
list "scalr_eventbridge_rule" "all" {
  provider = scalr
}
list "scalr_eventbridge_target" "all" {
  provider = scalr
}
"#;

const QUERY: [&str; 2] = ["query", "-no-color"];
const GENERATE: [&str; 3] = ["query", "-no-color", "-generate-config-out=generated.tf"];

/// Two connections with a bus each, and rules and targets on one.
fn stack(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    let other = hcl::with(CONNECTION, "us-east-1", "eu-west-1");
    let other = other.replace("prod", "other");
    let failed = hcl::with(RULE, "\"runs\"\n", "\"failed\"\n").replace("\"runs\"", "\"failed\"");
    let queue = r#"
resource "scalr_eventbridge_target" "queue" {
  rule           = scalr_eventbridge_rule.failed.name
  event_bus_name = scalr_eventbridge_bus.scalr.name
  target_id      = "queue"
  arn            = "arn:aws:sqs:us-east-1:123456789012:runs"
  input_transformer = {
    input_paths    = { id = "$.detail.event.run-id" }
    input_template = "\"$${run} %%{x} <id>\""
  }
}
"#;
    workdir.aws().make_queue("runs", true)?;
    workdir.config(&hcl::all(&[
        CONNECTION, BUS, RULE, TARGET, &other, &failed, queue,
    ]))?;
    workdir.apply_counts(7, 0, 0)?;
    Ok(workdir)
}

fn what_is_there(tool: &Tool) -> Result<()> {
    let workdir = stack(tool)?;
    workdir.remove("main.tf");
    let narrow = r#"
list "scalr_eventbridge_connection" "narrow" {
  provider = scalr
  config {
    region = "eu-west-1"
    status = "pending"
  }
}
list "scalr_eventbridge_rule" "narrow" {
  provider = scalr
  config {
    name_prefix = "fail"
  }
}
list "scalr_eventbridge_target" "narrow" {
  provider = scalr
  config {
    rule = "failed"
  }
}
list "scalr_eventbridge_bus" "narrow" {
  provider = scalr
  config {
    region = "eu-west-1"
  }
}
"#;
    workdir.write(FILE, &(ALL.to_owned() + narrow))?;
    let ended = workdir.succeed(&QUERY)?;
    for (list, wanted) in [
        ("scalr_eventbridge_connection.all", &["other", "prod"][..]),
        ("scalr_eventbridge_connection.narrow", &["other"]),
        ("scalr_eventbridge_bus.all", &["/prod"]),
        ("scalr_eventbridge_bus.narrow", &[]),
        ("scalr_eventbridge_rule.all", &["failed", "runs"]),
        ("scalr_eventbridge_rule.narrow", &["failed"]),
        ("scalr_eventbridge_target.all", &["failed/queue", "runs/scalr-"]),
        ("scalr_eventbridge_target.narrow", &["failed/queue"]),
    ] {
        let lines: Vec<&str> = of_list(&ended.text, list).collect();
        ensure!(lines.len() == wanted.len(), "{list}:\n{}", ended.text);
        for (line, wanted) in lines.iter().zip(wanted) {
            ensure!(line.contains(wanted), "{list} has no {wanted}:\n{}", ended.text);
        }
    }
    Ok(())
}

/// The lines of one list.
fn of_list<'a>(text: &'a str, list: &'a str) -> impl Iterator<Item = &'a str> {
    let head = format!("list.{list} ");
    text.lines().filter(move |line| line.starts_with(&head))
}

/// What it generates imports everything and changes nothing.
fn generated_configuration(tool: &Tool) -> Result<()> {
    let workdir = stack(tool)?;
    workdir.forget();
    workdir.write(FILE, ALL)?;
    workdir.succeed(&GENERATE)?;
    let generated = std::fs::read_to_string(workdir.path().join("generated.tf"))?;
    for absent in [
        "event_source_arn",
        "tags_all",
        "status",
        "delete_on_destroy ",
        "managed ",
    ] {
        let written = generated.lines().find(|line| {
            let value = line.trim().strip_prefix(absent.trim()).unwrap_or_default();
            value
                .trim()
                .strip_prefix('=')
                .is_some_and(|value| value.trim() != "null")
        });
        ensure!(written.is_none(), "{absent} is written:\n{generated}");
    }
    // The summary that a plan without a change in place ends with.
    let summary = "7 to import, 0 to add, 0 to change, 0 to destroy";
    workdir.plan_shows(&[summary])?;
    workdir.apply()?;
    workdir.plan_empty()?;
    Ok(())
}

/// The tool's own limit is 100; then the list says that there is more.
fn three_hundred_rules(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply()?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    workdir.aws().make_rules(&bus, RULES)?;
    let list =
        |more: &str| format!("list \"scalr_eventbridge_rule\" \"all\" {{\n  provider = scalr\n{more}}}\n");
    for (more, count, warns) in [
        ("", 100, true),
        ("  limit = 299\n", 299, true),
        ("  limit = 300\n  include_resource = true\n", 300, false),
    ] {
        workdir.write(FILE, &list(more))?;
        let ended = workdir.succeed(&QUERY)?;
        let found = of_list(&ended.text, "scalr_eventbridge_rule.all").count();
        ensure!(found == count, "{found} of {count}:\n{}", ended.text);
        let warning = format!("There are more than {count} objects of");
        ensure!(ended.flat().contains(&warning) == warns, "{}", ended.text);
    }
    Ok(())
}

/// Ctrl-C while 300 rules are read one by one: few more are asked for, no process is left, and the next query works.
fn interrupted(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply()?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    workdir.aws().make_rules(&bus, RULES)?;
    workdir.write(
        FILE,
        "list \"scalr_eventbridge_rule\" \"all\" {\n  provider = scalr\n  limit = 300\n  include_resource = true\n}\n",
    )?;
    let tags = Pattern {
        call: "AWSEvents.ListTagsForResource",
        body: "",
    };
    let script = Script::SignalAt(tags, Moment::BeforeForward, FaultSignal::Interrupt);
    let line = workdir.companion.line.clone();
    let proxy = Proxy::start(&[line.hostname(), line.endpoint()], script)?;
    workdir.through(&proxy)?;
    let group = workdir.start(&QUERY)?;
    let pid = group.pid()?;
    proxy.aim(pid);
    let ended = group.wait(Duration::from_mins(2))?;
    ensure!(
        proxy.injection() == Injection::Sent && ended.code() == 1,
        "{}:\n{}",
        ended.code(),
        ended.text
    );
    verify::until("the end of the tool's processes", || {
        Ok(members(pid).is_empty().then_some(()))
    })?;
    let seen = proxy.seen();
    ensure!(seen < RULES / 2, "{seen} requests, and\n{}", ended.text);
    workdir.direct();
    let ended = workdir.succeed(&QUERY)?;
    let found = of_list(&ended.text, "scalr_eventbridge_rule.all").count();
    ensure!(found == RULES, "{found}:\n{}", ended.text);
    Ok(())
}

fn refusals(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    for (list, config, needle) in [
        (
            "connection",
            "status = \"paused\"",
            "must be one of `pending`, `active`, `disabled`, `failed`",
        ),
        (
            "bus",
            "name_prefix = \"aws.partner/\"",
            "must begin with `aws.partner/scalr.com/`",
        ),
        (
            "rule",
            "event_bus_name = \"nothing\"",
            "Cannot list the rules of the event bus `nothing`",
        ),
    ] {
        workdir.write(
            FILE,
            &format!("list \"scalr_eventbridge_{list}\" \"all\" {{\n  provider = scalr\n  config {{\n    {config}\n  }}\n}}\n"),
        )?;
        let ended = workdir.run(&QUERY)?;
        ensure!(
            ended.code() == 1 && ended.flat().contains(needle),
            "{}",
            ended.text
        );
    }
    Ok(())
}

/// Tools without lists, and commands other than `query`, do not mind the file.
fn other_commands_do_not_see_it(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.write(FILE, ALL)?;
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

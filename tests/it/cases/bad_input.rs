//! Bad input and bad surroundings: each is refused before harm, in words that say what to do.

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("bad_input::validators", validators),
        Case::new("bad_input::wrong_token", wrong_token),
        Case::new("bad_input::unreachable_host", unreachable_host),
        Case::new("bad_input::no_token", no_token),
        Case::new("bad_input::taken_account_and_region", taken_pair),
        Case::new("bad_input::no_aws_credentials", no_aws_credentials),
        Case::new("bad_input::alternatives_by_variable", alternatives_by_variable),
        Case::new("bad_input::nested_attributes_on_their_lines", nested_lines),
    ]
}

/// A bad attribute of a resource that is otherwise right, and what the message must hold.
const BAD: [(&str, &str, &str); 32] = [
    ("eventbridge_connection", "name = \"a b\"", "name = \"a b\""),
    ("eventbridge_connection", "aws_account_id = \"1234\"", "12 digits"),
    ("eventbridge_connection", "region = \"mars\"", "region = \"mars\""),
    (
        "eventbridge_bus",
        "event_source_name = \"default\"",
        "event_source_name = \"default\"",
    ),
    ("eventbridge_rule", "name = \"a b\"", "name = \"a b\""),
    ("eventbridge_rule", "name_prefix = \"both-\"", "name_prefix"),
    (
        "eventbridge_rule",
        "event_pattern = \"{\"",
        "event_pattern = \"{\"",
    ),
    (
        "eventbridge_rule",
        "event_pattern = jsonencode({ source = [{ suffix = [\"a\"] }] })",
        "must be a string",
    ),
    (
        "eventbridge_rule",
        "event_pattern = jsonencode({ source = \"x\" })",
        "must be an object or an array",
    ),
    (
        "eventbridge_rule",
        "event_pattern = jsonencode({ source = [{ wildcard = \"*:*:*:*:*:event-bus/*\" }] })",
        "Rule is too complex",
    ),
    (
        "eventbridge_rule",
        "event_pattern = jsonencode(null)",
        "JSON text `null`",
    ),
    (
        "eventbridge_rule",
        "role_arn = \"nobody\"",
        "role_arn = \"nobody\"",
    ),
    (
        "eventbridge_target",
        "arn = \"arn:aws:sqs:us-east-1:123456789012:both\"",
        "log_group",
    ),
    (
        "eventbridge_target",
        "log_group = { name = \"/scalr/runs\", retention_in_days = 31 }",
        "retention_in_days",
    ),
    (
        "eventbridge_target",
        "log_group = { name = \"a b\" }",
        "log_group",
    ),
    (
        "eventbridge_target",
        "role_arn = \"arn:aws:iam::123456789012:role/r\"",
        "role_arn",
    ),
    (
        "eventbridge_target",
        "retry_policy = { maximum_retry_attempts = 186 }",
        "185",
    ),
    (
        "eventbridge_target",
        "input_transformer = { input_template = \"\\\"text\\\"\" }",
        "timestamp",
    ),
    ("eventbridge_connection", "name = null", "`name` must be set"),
    (
        "eventbridge_rule",
        "event_bus_name = null",
        "`event_bus_name` must be set",
    ),
    ("eventbridge_rule", "tags = { \"aws:x\" = \"1\" }", "aws:"),
    (
        "eventbridge_rule",
        "event_pattern = jsonencode({ source = [\"${join(\"\", [for n in range(512) : \"12345678\"])}\"] })",
        "at most 4096 characters",
    ),
    (
        "eventbridge_target",
        "log_group = { name = null }",
        "`log_group.name` must be set",
    ),
    (
        "eventbridge_target",
        "dead_letter_config = { arn = null }",
        "`dead_letter_config.arn` must be set",
    ),
    (
        "eventbridge_target",
        "input_transformer = { input_template = null }",
        "`input_transformer.input_template` must be set",
    ),
    ("eventbridge_target", "input_path = \"detail\"", "begins with `$`"),
    (
        "eventbridge_target",
        "input_transformer = { input_template = \"{\\\"timestamp\\\": <nope>, \\\"message\\\": 1}\" }",
        "`<nope>`",
    ),
    (
        "eventbridge_target",
        "input_transformer = { input_paths = { t = \"$.time\" }, input_template = jsonencode({ timestamp = \"<t>\", message = \"m\" }) }",
        "names are escaped",
    ),
    (
        "eventbridge_activation",
        "connection_id = null",
        "`connection_id` must be set",
    ),
    (
        "eventbridge_activation",
        "connection_id = \"x\"",
        "connection_id = \"x\"",
    ),
    (
        "audit_log_setting",
        "connection_id = \"x\"",
        "connection_id = \"x\"",
    ),
    (
        "eventbridge_delivery_check",
        "workspace_id = \"x\"",
        "workspace_id = \"x\"",
    ),
];

const GOOD: [(&str, &[&str]); 7] = [
    (
        "eventbridge_connection",
        &[
            "name = \"p\"",
            "aws_account_id = \"123456789012\"",
            "region = \"us-east-1\"",
        ],
    ),
    (
        "eventbridge_bus",
        &["event_source_name = \"aws.partner/scalr.com/a/p\""],
    ),
    (
        "eventbridge_rule",
        &[
            "name = \"r\"",
            "event_bus_name = \"b\"",
            "event_pattern = jsonencode({ source = [\"x\"] })",
        ],
    ),
    (
        "eventbridge_target",
        &[
            "rule = \"r\"",
            "event_bus_name = \"b\"",
            "log_group = { name = \"/scalr/runs\" }",
        ],
    ),
    ("eventbridge_activation", &["connection_id = \"in-1\""]),
    ("audit_log_setting", &["connection_id = \"in-1\""]),
    (
        "eventbridge_delivery_check",
        &["workspace_id = \"ws-1\"", "log_group = \"/scalr/runs\""],
    ),
];

fn attribute(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// All bad resources are in one configuration: each must be refused, and each by its own message.
fn validators(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    // With settings: without any, texts of a few letters are judged at plan, since a mocked run generates such.
    let mut text = "provider \"scalr\" {\n  account_id = \"acc-v0o8e2hj0qkcjqbvv\"\n}\n".to_owned();
    for (number, (kind, bad, _)) in BAD.iter().enumerate() {
        let good = GOOD
            .iter()
            .find(|(known, _)| known == kind)
            .map(|(_, lines)| *lines)
            .unwrap_or_default();
        let kept = good
            .iter()
            .filter(|line| attribute(line) != attribute(bad))
            .copied();
        let lines: Vec<_> = kept.chain([*bad]).collect();
        let lines = lines.join("\n  ");
        text.extend([format!(
            "resource \"scalr_{kind}\" \"bad{number}\" {{\n  {lines}\n}}\n"
        )]);
    }
    workdir.config(&text)?;
    let ended = workdir.plan_fails(&[])?;
    let parts: Vec<_> = ended
        .text
        .split("Error: ")
        .skip(1)
        .map(acceptance::group::flatten)
        .collect();
    let mut silent = Vec::new();
    for (number, (kind, bad, needle)) in BAD.iter().enumerate() {
        let address = format!("with scalr_{kind}.bad{number},");
        if !parts
            .iter()
            .any(|part| part.contains(&address) && part.contains(needle))
        {
            silent.push(format!("scalr_{kind} with {bad}: no error says `{needle}`"));
        }
    }
    ensure!(silent.is_empty(), "{}\n{}", silent.join("\n"), ended.text);
    Ok(())
}

fn wrong_token(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.set("SCALR_TOKEN", "not-the-token");
    workdir.config(CONNECTION)?;
    let ended = workdir.apply_fails(&["token"])?;
    ensure!(
        !ended.text.contains("not-the-token"),
        "the token is shown:\n{}",
        ended.text
    );
    Ok(())
}

fn no_token(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.set("SCALR_TOKEN", "");
    workdir.config(CONNECTION)?;
    workdir.apply_fails(&["SCALR_TOKEN"])?;
    Ok(())
}

fn unreachable_host(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    // Bound and closed: nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    workdir.set("SCALR_HOSTNAME", &format!("http://{free}"));
    workdir.config(CONNECTION)?;
    workdir.apply_fails(&[&free.to_string()])?;
    Ok(())
}

fn taken_pair(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let id = workdir
        .companion
        .scalr()
        .connect("theirs", "123456789012", "us-east-1")?;
    workdir.config(CONNECTION)?;
    workdir.apply_fails(&["import {", &id, "123456789012", "us-east-1"])?;
    ensure!(workdir.companion.scalr().connections()?.len() == 1);
    Ok(())
}

/// Scalr's side needs no AWS credentials; AWS's side says what is missing.
fn no_aws_credentials(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.set("AWS_ACCESS_KEY_ID", "");
    workdir.set("AWS_SECRET_ACCESS_KEY", "");
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_fails(&["credentials"])?;
    Ok(())
}

/// A module passes what it does not use as null. While it is validated nothing is known yet.
fn alternatives_by_variable(tool: &Tool) -> Result<()> {
    const MODULE: &str = r#"
variable "unused" {
  type    = string
  default = null
}
variable "days" {
  type    = number
  default = null
}
variable "name" {
  default = "runs"
}
variable "log_group" {
  default = { name = "/scalr/runs" }
}
resource "scalr_eventbridge_rule" "runs" {
  name           = var.name
  name_prefix    = var.unused
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", {})
}
resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = var.unused
  log_group      = { name = var.log_group.name, create = true, retention_in_days = var.days }
  role_arn       = var.unused
  input          = var.unused
  input_path     = var.unused
}
resource "scalr_eventbridge_target" "queue" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  arn            = var.unused == null ? "arn:aws:sqs:us-east-1:123456789012:q" : var.unused
  log_group      = var.unused == null ? null : var.log_group
}
data "scalr_eventbridge_connection" "prod" {
  id         = var.unused
  name       = var.unused == null ? "prod" : var.unused
  depends_on = [scalr_eventbridge_connection.prod]
}
"#;
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, MODULE]))?;
    let validated = workdir.run(&["validate", "-no-color"])?;
    ensure!(validated.code() == 0, "{}", validated.text);
    workdir.apply_counts(5, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// The line at fault is shown, and not one of the same name elsewhere.
fn nested_lines(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(
        r#"
resource "scalr_eventbridge_target" "queue" {
  rule           = "r"
  event_bus_name = "b"
  arn            = "arn:aws:sqs:us-east-1:123456789012:q"
  dead_letter_config = {
    arn = "not-a-queue"
  }
}
resource "scalr_eventbridge_target" "logs" {
  rule           = "r"
  event_bus_name = "b"
  log_group = {
    name              = "/scalr/runs"
    retention_in_days = 31
  }
}
"#,
    )?;
    workdir.plan_fails(&["7: arn = \"not-a-queue\"", "15: retention_in_days = 31"])?;
    // The tools ask for nothing else where a provider's settings are wrong.
    workdir.config(&hcl::all(&[
        "provider \"scalr\" {\n  aws = {\n    assume_role = { role_arn = \"not-a-role\" }\n  }\n}\n",
        CONNECTION,
    ]))?;
    workdir.plan_fails(&["3: assume_role = { role_arn = \"not-a-role\" }"])?;
    Ok(())
}

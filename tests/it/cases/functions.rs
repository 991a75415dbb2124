//! `event_pattern`, `sample_event`, `event_pattern_matches`, `event_source_name`, `parse_event_source_arn`

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::runner::{Case, Feature};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("functions::values", values),
        Case::new("functions::null_filters", null_filters).needs(Feature::BareNullArgument),
        Case::new("functions::errors", errors),
    ]
}

const VALUES: &str = r#"
output "pattern" {
  value = jsondecode(provider::scalr::event_pattern("RunExecuted", {}))
}
output "filtered" {
  value = jsondecode(provider::scalr::event_pattern("RunExecuted", { result = ["errored", "canceled"], is_dry = false, source = null }))
}
output "sample" {
  value = jsondecode(provider::scalr::sample_event("AuditLog"))["detail-type"]
}
output "matches" {
  value = [
    provider::scalr::event_pattern_matches({ detail-type = ["AuditLog"] }, provider::scalr::sample_event("AuditLog")),
    provider::scalr::event_pattern_matches(jsonencode({ detail-type = ["AuditLog"] }), provider::scalr::sample_event("RunExecuted")),
    provider::scalr::event_pattern_matches({ a = [{ prefix = "x" }] }, { a = "xy" }),
  ]
}
output "name" {
  value = provider::scalr::event_source_name("acme", "prod")
}
output "arn" {
  value = provider::scalr::parse_event_source_arn("arn:aws:events:eu-west-1::event-source/aws.partner/scalr.com/acme/prod")
}
"#;

fn values(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(VALUES)?;
    workdir.apply()?;
    let pattern = json!({"source": [{"prefix": "aws.partner/scalr.com"}], "detail-type": ["RunExecuted"]});
    ensure!(
        workdir.output("pattern")? == pattern,
        "{}",
        workdir.output("pattern")?
    );
    let mut filtered = pattern;
    filtered["detail"] = json!({"event": {"result": ["errored", "canceled"], "is-dry": [false]}});
    ensure!(
        workdir.output("filtered")? == filtered,
        "{}",
        workdir.output("filtered")?
    );
    ensure!(workdir.output("sample")? == "AuditLog");
    ensure!(
        workdir.output("matches")? == json!([true, false, true]),
        "{}",
        workdir.output("matches")?
    );
    ensure!(workdir.output("name")? == "aws.partner/scalr.com/acme/prod");
    let parts = workdir.output("arn")?;
    let texts: Vec<_> = parts
        .as_object()
        .context("an object")?
        .values()
        .filter_map(Value::as_str)
        .collect();
    for wanted in ["eu-west-1", "acme", "prod"] {
        ensure!(texts.contains(&wanted), "{parts}");
    }
    Ok(())
}

fn null_filters(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(
        r#"
output "same" {
  value = provider::scalr::event_pattern("RunExecuted", null) == provider::scalr::event_pattern("RunExecuted", {})
}
"#,
    )?;
    workdir.apply()?;
    ensure!(workdir.output("same")? == true);
    Ok(())
}

/// Each is refused by itself, on its argument, with the nearest right name where there is one.
fn errors(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let calls = [
        (
            "type",
            r#"provider::scalr::event_pattern("RunExecutd", {})"#,
            "RunExecuted",
        ),
        (
            "filter",
            r#"provider::scalr::event_pattern("RunExecuted", { resutl = "x" })"#,
            "`result`",
        ),
        (
            "kind",
            r#"provider::scalr::event_pattern("RunExecuted", { is_dry = "yes" })"#,
            "`is_dry`",
        ),
        (
            "list",
            r#"provider::scalr::event_pattern("RunExecuted", ["x"])"#,
            "filters",
        ),
        (
            "pattern",
            "provider::scalr::event_pattern_matches({ a = 1 }, {})",
            "Event pattern is not valid",
        ),
        (
            "sample",
            r#"provider::scalr::sample_event("AuditLogs")"#,
            "`AuditLog`",
        ),
        (
            "arn",
            r#"provider::scalr::parse_event_source_arn("arn:aws:s3:::bucket")"#,
            "arn:aws:s3:::bucket",
        ),
        (
            "twice",
            r#"provider::scalr::event_pattern("RunExecuted", { "is-dry" = true, is_dry = false })"#,
            "`is-dry` and `is_dry`",
        ),
        (
            "host",
            r#"provider::scalr::event_source_name("acme.scalr.io", "c")"#,
            "write `acme`",
        ),
        (
            "segment",
            r#"provider::scalr::event_source_name("a b", "c")"#,
            "a b",
        ),
    ];
    let output =
        |(name, call, _): &(&str, &str, &str)| format!("output \"{name}\" {{\n  value = {call}\n}}\n");
    workdir.config(&calls.iter().map(output).collect::<String>())?;
    let needles: Vec<_> = calls.iter().map(|(_, _, needle)| *needle).collect();
    let ended = workdir.plan_fails(&needles)?;
    let count = ended.text.matches("Error: ").count();
    ensure!(
        count == calls.len(),
        "{count} errors for {} bad calls:\n{}",
        calls.len(),
        ended.text
    );
    // Terraform ends the sentence itself.
    for end in ["..", "?."] {
        ensure!(!ended.flat().contains(end), "`{end}`:\n{}", ended.text);
    }
    Ok(())
}

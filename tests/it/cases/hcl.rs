//! The configuration that most cases start from, one resource a constant.

pub(crate) const CONNECTION: &str = r#"
resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}
"#;

pub(crate) const BUS: &str = r#"
resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
}
"#;

pub(crate) const RULE: &str = r#"
resource "scalr_eventbridge_rule" "runs" {
  name           = "runs"
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", {})
}
"#;

pub(crate) const TARGET: &str = r#"
resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  log_group      = { name = "/scalr/runs", create = true, retention_in_days = 30 }
}
"#;

pub(crate) const ACTIVATION: &str = r#"
resource "scalr_eventbridge_activation" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
  depends_on    = [scalr_eventbridge_bus.scalr]
}
"#;

pub(crate) const AUDIT_LOGS: &str = r#"
resource "scalr_audit_log_setting" "account" {
  connection_id = scalr_eventbridge_activation.prod.connection_id
}
"#;

/// Where the cases' events go.
pub(crate) const GROUP: &str = "/scalr/runs";

/// One configuration of several parts.
pub(crate) fn all(parts: &[&str]) -> String {
    parts.concat()
}

/// A part with one text put in another's place; the text has to be there.
pub(crate) fn with(part: &str, from: &str, to: &str) -> String {
    assert!(part.contains(from), "`{from}` is not in {part}");
    part.replace(from, to)
}

/// A part with more lines at the end of its only block.
pub(crate) fn more(part: &str, lines: &str) -> String {
    let end = part.rfind('}').unwrap_or(part.len());
    format!("{}  {lines}\n}}\n", &part[..end])
}

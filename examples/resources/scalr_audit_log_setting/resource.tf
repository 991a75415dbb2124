resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
  region            = scalr_eventbridge_connection.prod.region
}

resource "scalr_eventbridge_rule" "audit" {
  name           = "scalr-audit"
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("AuditLog", {})
}

resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.audit.name
  region         = scalr_eventbridge_rule.audit.region
  event_bus_name = scalr_eventbridge_rule.audit.event_bus_name
  log_group = {
    name              = "/aws/events/scalr/audit"
    create            = true
    retention_in_days = 30
  }
}

# An active connection delivers at once what Scalr held until then, so the targets come before it.
resource "scalr_eventbridge_activation" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
  depends_on    = [scalr_eventbridge_target.logs]
}

resource "scalr_audit_log_setting" "account" {
  connection_id = scalr_eventbridge_activation.prod.connection_id
}

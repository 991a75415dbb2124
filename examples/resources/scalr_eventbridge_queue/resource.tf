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

# The program that archives the events receives them from here.
resource "scalr_eventbridge_queue" "archive" {
  name      = "scalr-audit-archive"
  region    = scalr_eventbridge_bus.scalr.region
  rule_arns = [scalr_eventbridge_rule.audit.arn]
}

# What could not be delivered, for three days.
resource "scalr_eventbridge_queue" "undelivered" {
  name                      = "scalr-audit-undelivered"
  region                    = scalr_eventbridge_bus.scalr.region
  rule_arns                 = [scalr_eventbridge_rule.audit.arn]
  message_retention_seconds = 3 * 24 * 60 * 60
}

resource "scalr_eventbridge_target" "archive" {
  rule               = scalr_eventbridge_rule.audit.name
  region             = scalr_eventbridge_bus.scalr.region
  event_bus_name     = scalr_eventbridge_rule.audit.event_bus_name
  arn                = scalr_eventbridge_queue.archive.arn
  dead_letter_config = { arn = scalr_eventbridge_queue.undelivered.arn }
}

# The quickstart on a custom event bus (EventBridge V2), which keeps the events for a replay.

terraform {
  required_version = ">= 1.8"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

# hostname and token come from SCALR_HOSTNAME and SCALR_TOKEN, AWS's settings from AWS's own environment.
provider "scalr" {}

resource "scalr_eventbridge_connection" "this" {
  name           = var.name
  aws_account_id = var.aws_account_id
  region         = var.region
}

resource "scalr_eventbridge_custom_bus" "this" {
  name              = "scalr"
  region            = scalr_eventbridge_connection.this.region
  retention_in_days = 7
}

# Takes the place of "Associate with event bus": the source is ACTIVE once this exists.
resource "scalr_eventbridge_event_source" "this" {
  name                     = "scalr-${var.name}"
  event_bus_arn            = scalr_eventbridge_custom_bus.this.arn
  partner_event_source_arn = scalr_eventbridge_connection.this.event_source_arn
}

# Takes the place of a rule with its target. AWS calls PutLogEvents, with a role that is made for this subscriber alone.
resource "scalr_eventbridge_subscriber" "logs" {
  for_each      = toset(["RunExecuted", "AuditLog"])
  name          = "scalr-${each.key}"
  event_bus_arn = scalr_eventbridge_event_source.this.event_bus_arn
  filter        = [{ scope = "DATA", pattern = provider::scalr::event_pattern(each.key, {}) }]
  role          = { create = true }
  log_group = {
    name              = "/aws/events/scalr/${each.key}"
    create            = true
    retention_in_days = 30
  }
}

# "Refresh status", until the connection is active. After the subscribers: they then get what Scalr held until now.
resource "scalr_eventbridge_activation" "this" {
  connection_id = scalr_eventbridge_connection.this.id
  depends_on    = [scalr_eventbridge_subscriber.logs]
}

# Settings > Audit logs
resource "scalr_audit_log_setting" "this" {
  connection_id = scalr_eventbridge_activation.this.connection_id
}

# A run is started and its event must arrive.
resource "scalr_eventbridge_delivery_check" "runs" {
  workspace_id = var.workspace_id
  region       = scalr_eventbridge_custom_bus.this.region
  log_group    = scalr_eventbridge_subscriber.logs["RunExecuted"].log_group.name
  depends_on   = [scalr_audit_log_setting.this]

  # Another connection or bus is checked again.
  triggers = {
    connection = scalr_eventbridge_connection.this.name
    bus        = scalr_eventbridge_custom_bus.this.arn
  }
}

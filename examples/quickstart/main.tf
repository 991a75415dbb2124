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

# "Associate with event bus"
resource "scalr_eventbridge_bus" "this" {
  event_source_name = scalr_eventbridge_connection.this.event_source_name
  region            = scalr_eventbridge_connection.this.region
}

# "Create rule", "Test pattern"
resource "scalr_eventbridge_rule" "this" {
  for_each       = toset(["RunExecuted", "AuditLog"])
  name           = "scalr-${each.key}"
  region         = scalr_eventbridge_bus.this.region
  event_bus_name = scalr_eventbridge_bus.this.name
  event_pattern  = provider::scalr::event_pattern(each.key, {})
}

# A CloudWatch log group, with the policy that allows EventBridge to write to it
resource "scalr_eventbridge_target" "logs" {
  for_each       = scalr_eventbridge_rule.this
  rule           = each.value.name
  region         = scalr_eventbridge_bus.this.region
  event_bus_name = each.value.event_bus_name
  log_group = {
    name              = "/aws/events/scalr/${each.key}"
    create            = true
    retention_in_days = 30
  }
}

# "Refresh status", until the connection is active. After the targets: it then delivers what Scalr held until now.
resource "scalr_eventbridge_activation" "this" {
  connection_id = scalr_eventbridge_connection.this.id
  depends_on    = [scalr_eventbridge_target.logs]
}

# Settings > Audit logs
resource "scalr_audit_log_setting" "this" {
  connection_id = scalr_eventbridge_activation.this.connection_id
}

# A run is started and its event must arrive.
resource "scalr_eventbridge_delivery_check" "runs" {
  workspace_id = var.workspace_id
  region       = scalr_eventbridge_bus.this.region
  log_group    = scalr_eventbridge_target.logs["RunExecuted"].log_group.name
  depends_on   = [scalr_audit_log_setting.this]

  # Another connection or bus is checked again.
  triggers = {
    connection = scalr_eventbridge_connection.this.name
    bus        = scalr_eventbridge_bus.this.name
  }
}

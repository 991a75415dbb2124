terraform {
  required_version = ">= 1.8"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

resource "scalr_eventbridge_connection" "this" {
  name           = var.name
  aws_account_id = var.aws_account_id
  region         = var.region
}

resource "scalr_eventbridge_bus" "this" {
  event_source_name = scalr_eventbridge_connection.this.event_source_name
  region            = scalr_eventbridge_connection.this.region
  tags              = var.tags
}

resource "scalr_eventbridge_rule" "this" {
  for_each       = var.rules
  name           = each.key
  description    = each.value.description
  region         = scalr_eventbridge_bus.this.region
  event_bus_name = scalr_eventbridge_bus.this.name
  event_pattern  = coalesce(each.value.event_pattern, provider::scalr::event_pattern(each.value.type, each.value.filters))
  tags           = var.tags
}

resource "scalr_eventbridge_target" "this" {
  for_each       = var.rules
  rule           = scalr_eventbridge_rule.this[each.key].name
  region         = scalr_eventbridge_rule.this[each.key].region
  event_bus_name = scalr_eventbridge_rule.this[each.key].event_bus_name
  log_group = {
    name              = each.value.log_group
    create            = true
    retention_in_days = each.value.retention_in_days
  }
}

# An active connection delivers at once what Scalr held until then, so the targets come before it.
resource "scalr_eventbridge_activation" "this" {
  connection_id = scalr_eventbridge_connection.this.id
  depends_on    = [scalr_eventbridge_target.this]
}

resource "scalr_audit_log_setting" "this" {
  count         = var.audit_logs ? 1 : 0
  connection_id = scalr_eventbridge_activation.this.connection_id
}

resource "scalr_eventbridge_delivery_check" "this" {
  count        = var.delivery_check == null ? 0 : 1
  workspace_id = var.delivery_check.workspace_id
  region       = scalr_eventbridge_bus.this.region
  log_group    = scalr_eventbridge_target.this[var.delivery_check.rule].log_group.name
  depends_on   = [scalr_eventbridge_activation.this]

  lifecycle {
    precondition {
      condition     = try(var.rules[var.delivery_check.rule].type, null) == "RunExecuted"
      error_message = "The delivery check starts a run: `rule` must name one of the rules, of type RunExecuted."
    }
  }

  # Another connection, bus or pattern is checked again.
  triggers = {
    connection = scalr_eventbridge_connection.this.name
    bus        = scalr_eventbridge_bus.this.name
    pattern    = scalr_eventbridge_rule.this[var.delivery_check.rule].event_pattern
  }
}

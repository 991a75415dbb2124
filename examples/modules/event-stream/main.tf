terraform {
  required_version = ">= 1.8"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

locals {
  classic  = var.event_bus == "classic" ? var.rules : {}
  custom   = var.event_bus == "custom" ? var.rules : {}
  patterns = { for name, rule in var.rules : name => coalesce(rule.event_pattern, provider::scalr::event_pattern(rule.type, rule.filters)) }
  bus      = var.event_bus == "classic" ? scalr_eventbridge_bus.this[0].name : scalr_eventbridge_custom_bus.this[0].arn
  region   = var.event_bus == "classic" ? scalr_eventbridge_bus.this[0].region : scalr_eventbridge_custom_bus.this[0].region
  log_groups = merge(
    { for name, target in scalr_eventbridge_target.this : name => target.log_group.name },
    { for name, subscriber in scalr_eventbridge_subscriber.this : name => subscriber.log_group.name },
  )
}

resource "scalr_eventbridge_connection" "this" {
  name           = var.name
  aws_account_id = var.aws_account_id
  region         = var.region
}

resource "scalr_eventbridge_bus" "this" {
  count             = var.event_bus == "classic" ? 1 : 0
  event_source_name = scalr_eventbridge_connection.this.event_source_name
  region            = scalr_eventbridge_connection.this.region
  tags              = var.tags
}

resource "scalr_eventbridge_rule" "this" {
  for_each       = local.classic
  name           = each.key
  description    = each.value.description
  region         = scalr_eventbridge_bus.this[0].region
  event_bus_name = scalr_eventbridge_bus.this[0].name
  event_pattern  = local.patterns[each.key]
  tags           = var.tags
}

resource "scalr_eventbridge_target" "this" {
  for_each       = local.classic
  rule           = scalr_eventbridge_rule.this[each.key].name
  region         = scalr_eventbridge_rule.this[each.key].region
  event_bus_name = scalr_eventbridge_rule.this[each.key].event_bus_name
  log_group = {
    name              = each.value.log_group
    create            = true
    retention_in_days = each.value.retention_in_days
  }
}

resource "scalr_eventbridge_custom_bus" "this" {
  count             = var.event_bus == "custom" ? 1 : 0
  name              = var.name
  region            = scalr_eventbridge_connection.this.region
  retention_in_days = var.bus_retention_in_days
  tags              = var.tags
}

resource "scalr_eventbridge_event_source" "this" {
  count                    = var.event_bus == "custom" ? 1 : 0
  name                     = var.name
  event_bus_arn            = scalr_eventbridge_custom_bus.this[0].arn
  partner_event_source_arn = scalr_eventbridge_connection.this.event_source_arn
  tags                     = var.tags
}

resource "scalr_eventbridge_subscriber" "this" {
  for_each      = local.custom
  name          = each.key
  description   = each.value.description
  event_bus_arn = scalr_eventbridge_event_source.this[0].event_bus_arn
  filter        = [{ scope = "DATA", pattern = local.patterns[each.key] }]
  role          = { create = true }
  tags          = var.tags
  log_group = {
    name              = each.value.log_group
    create            = true
    retention_in_days = each.value.retention_in_days
  }
}

# An active connection delivers at once what Scalr held until then, so targets and subscribers come before it.
resource "scalr_eventbridge_activation" "this" {
  connection_id = scalr_eventbridge_connection.this.id
  depends_on    = [scalr_eventbridge_target.this, scalr_eventbridge_event_source.this, scalr_eventbridge_subscriber.this]
}

resource "scalr_audit_log_setting" "this" {
  count         = var.audit_logs ? 1 : 0
  connection_id = scalr_eventbridge_activation.this.connection_id
}

resource "scalr_eventbridge_delivery_check" "this" {
  count        = var.delivery_check == null ? 0 : 1
  workspace_id = var.delivery_check.workspace_id
  region       = local.region
  log_group    = local.log_groups[var.delivery_check.rule]
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
    bus        = local.bus
    pattern    = local.patterns[var.delivery_check.rule]
  }
}

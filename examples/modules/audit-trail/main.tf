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
  # A filter that names nothing lets everything through.
  filters = {
    user_email = length(var.actors) == 0 ? null : var.actors
    action     = length(var.actions) == 0 ? null : [for action in var.actions : { wildcard = action }]
    result     = length(var.outcomes) == 0 ? null : var.outcomes
  }
}

resource "scalr_eventbridge_rule" "this" {
  name           = var.name
  description    = "Scalr's audit logs"
  region         = var.region
  event_bus_name = var.event_bus_name
  event_pattern  = provider::scalr::event_pattern("AuditLog", local.filters)
  tags           = var.tags
}

resource "scalr_eventbridge_queue" "undelivered" {
  name              = "${var.name}-undelivered"
  region            = var.region
  rule_arns         = [scalr_eventbridge_rule.this.arn]
  kms_master_key_id = var.queue_kms_key_id
  force_destroy     = var.force_destroy
  tags              = var.tags
}

resource "scalr_eventbridge_queue" "archive" {
  count                     = var.archive ? 1 : 0
  name                      = "${var.name}-archive"
  region                    = var.region
  rule_arns                 = [scalr_eventbridge_rule.this.arn]
  message_retention_seconds = var.archive_retention_in_days * 24 * 60 * 60
  kms_master_key_id         = var.queue_kms_key_id
  force_destroy             = var.force_destroy
  tags                      = var.tags
}

resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.this.name
  region         = scalr_eventbridge_rule.this.region
  event_bus_name = scalr_eventbridge_rule.this.event_bus_name
  log_group = {
    name              = var.log_group_name
    create            = true
    retention_in_days = var.retention_in_days
    kms_key_id        = var.log_group_kms_key_arn
    delete_on_destroy = var.delete_log_group
  }
  dead_letter_config = { arn = scalr_eventbridge_queue.undelivered.arn }
}

resource "scalr_eventbridge_target" "archive" {
  count              = var.archive ? 1 : 0
  rule               = scalr_eventbridge_rule.this.name
  region             = scalr_eventbridge_rule.this.region
  event_bus_name     = scalr_eventbridge_rule.this.event_bus_name
  arn                = scalr_eventbridge_queue.archive[0].arn
  dead_letter_config = { arn = scalr_eventbridge_queue.undelivered.arn }
}

# The request that turns audit logs on is itself the first event, so the targets come before it.
resource "scalr_audit_log_setting" "this" {
  count         = var.audit_logs ? 1 : 0
  connection_id = var.connection_id
  depends_on    = [scalr_eventbridge_target.logs, scalr_eventbridge_target.archive]
}

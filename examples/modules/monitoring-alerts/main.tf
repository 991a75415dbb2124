terraform {
  # The webhook's secret is written and never stored.
  required_version = ">= 1.11"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

locals {
  # What is worth an alert, and what people read of it.
  alerts = {
    errored = {
      filters = { result = ["errored"] }
      text    = "Run <run> failed in workspace <workspace> of environment <environment>. It was started by <user>."
    }
    destroyed = {
      filters = { result = ["applied"], is_destroy = true, is_dry = false }
      text    = "Workspace <workspace> of environment <environment> was destroyed by <user> (run <run>)."
    }
  }

  # A filter that names nothing lets everything through.
  scope = {
    environment = length(var.environments) == 0 ? null : [for name in var.environments : { wildcard = name }]
    workspace   = length(var.workspaces) == 0 ? null : [for name in var.workspaces : { wildcard = name }]
  }
}

resource "scalr_eventbridge_rule" "this" {
  for_each       = toset(var.alert_on)
  name           = "${var.name}-${each.key}"
  description    = "Runs that somebody must know about: ${each.key}"
  region         = var.region
  event_bus_name = var.event_bus_name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", merge(local.alerts[each.key].filters, local.scope))
  tags           = var.tags

  lifecycle {
    precondition {
      condition     = (var.topic == null) != (var.webhook == null)
      error_message = "Alerts go to one place: set one of `topic` and `webhook`."
    }
  }
}

resource "scalr_eventbridge_queue" "undelivered" {
  name          = "${var.name}-undelivered"
  region        = var.region
  rule_arns     = [for rule in scalr_eventbridge_rule.this : rule.arn]
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "scalr_eventbridge_topic_permission" "this" {
  for_each  = var.topic == null ? toset([]) : toset(var.alert_on)
  topic_arn = var.topic.arn
  rule_arn  = scalr_eventbridge_rule.this[each.key].arn
}

resource "scalr_eventbridge_api_destination" "this" {
  count                            = var.webhook == null ? 0 : 1
  name                             = var.name
  region                           = var.region
  invocation_endpoint              = var.webhook.endpoint
  invocation_rate_limit_per_second = var.webhook.rate_limit_per_second
  api_key                          = { name = var.webhook.secret_header }
  secret_wo                        = var.webhook_secret
  secret_wo_version                = var.webhook_secret_version
}

resource "scalr_eventbridge_target" "this" {
  for_each       = toset(var.alert_on)
  rule           = scalr_eventbridge_rule.this[each.key].name
  region         = scalr_eventbridge_rule.this[each.key].region
  event_bus_name = scalr_eventbridge_rule.this[each.key].event_bus_name
  arn            = var.topic != null ? scalr_eventbridge_topic_permission.this[each.key].topic_arn : scalr_eventbridge_api_destination.this[0].arn
  role_arn       = var.webhook == null ? null : var.webhook.role_arn
  input_transformer = {
    input_paths = {
      run         = "$.detail.event.run-id"
      workspace   = "$.detail.event.workspace"
      environment = "$.detail.event.environment"
      user        = "$.detail.event.user-email"
    }
    input_template = var.webhook == null ? "\"${local.alerts[each.key].text}\"" : "{\"${var.webhook.text_member}\": \"${local.alerts[each.key].text}\"}"
  }
  dead_letter_config = { arn = scalr_eventbridge_queue.undelivered.arn }
}

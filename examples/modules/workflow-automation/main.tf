terraform {
  # Secrets that are written and never stored.
  required_version = ">= 1.11"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

locals {
  kind = var.oauth != null ? "oauth" : var.basic_username != null ? "basic" : "api_key"

  # A filter that names nothing lets everything through.
  filters = {
    result      = length(var.results) == 0 ? null : var.results
    environment = length(var.environments) == 0 ? null : [for name in var.environments : { wildcard = name }]
    workspace   = length(var.workspaces) == 0 ? null : [for name in var.workspaces : { wildcard = name }]
    is_dry      = var.dry_runs ? null : false
  }
}

resource "scalr_eventbridge_rule" "this" {
  name           = var.name
  description    = "Runs that start something elsewhere"
  region         = var.region
  event_bus_name = var.event_bus_name
  event_pattern  = coalesce(var.event_pattern, provider::scalr::event_pattern("RunExecuted", local.filters))
  tags           = var.tags
}

resource "scalr_eventbridge_queue" "undelivered" {
  name                      = "${var.name}-undelivered"
  region                    = var.region
  rule_arns                 = [scalr_eventbridge_rule.this.arn]
  message_retention_seconds = var.undelivered_retention_in_days * 24 * 60 * 60
  force_destroy             = var.force_destroy
  tags                      = var.tags
}

resource "scalr_eventbridge_api_destination" "this" {
  name                             = var.name
  region                           = var.region
  invocation_endpoint              = var.endpoint
  http_method                      = var.http_method
  invocation_rate_limit_per_second = var.rate_limit_per_second
  header_parameters                = var.headers

  api_key           = local.kind == "api_key" ? { name = var.api_key_header } : null
  basic             = local.kind == "basic" ? { username = var.basic_username } : null
  oauth             = var.oauth
  secret_wo         = var.secret
  secret_wo_version = var.secret_version
}

resource "scalr_eventbridge_target" "this" {
  rule           = scalr_eventbridge_rule.this.name
  region         = scalr_eventbridge_rule.this.region
  event_bus_name = scalr_eventbridge_rule.this.event_bus_name
  arn            = scalr_eventbridge_api_destination.this.arn
  role_arn       = var.role_arn
  input_transformer = {
    input_paths    = var.input_paths
    input_template = var.input_template
  }
  retry_policy = {
    maximum_event_age_in_seconds = var.maximum_event_age_in_seconds
    maximum_retry_attempts       = var.maximum_retry_attempts
  }
  dead_letter_config = { arn = scalr_eventbridge_queue.undelivered.arn }
}

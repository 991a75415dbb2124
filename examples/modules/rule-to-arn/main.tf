terraform {
  required_version = ">= 1.8"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

resource "scalr_eventbridge_rule" "this" {
  name           = var.name
  region         = var.region
  event_bus_name = var.event_bus_name
  event_pattern  = var.event_pattern

  lifecycle {
    # "Test pattern", at plan
    precondition {
      condition = (
        var.sample_type == null ? true :
        provider::scalr::event_pattern_matches(var.event_pattern, provider::scalr::sample_event(var.sample_type, var.sample_fields))
      )
      error_message = "The pattern of rule ${var.name} does not match the sample event."
    }
  }
}

resource "scalr_eventbridge_target" "this" {
  rule               = scalr_eventbridge_rule.this.name
  region             = scalr_eventbridge_rule.this.region
  event_bus_name     = scalr_eventbridge_rule.this.event_bus_name
  arn                = var.target_arn
  dead_letter_config = var.dead_letter_queue_arn == null ? null : { arn = var.dead_letter_queue_arn }
}

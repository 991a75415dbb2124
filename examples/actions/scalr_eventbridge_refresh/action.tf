resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
  region            = scalr_eventbridge_connection.prod.region
}

resource "scalr_eventbridge_rule" "runs" {
  name           = "scalr-runs"
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", {})
}

resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.runs.name
  region         = scalr_eventbridge_rule.runs.region
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  log_group = {
    name              = "/aws/events/scalr/runs"
    create            = true
    retention_in_days = 30
  }

  # Scalr refreshes the status after the target exists, so that no held event is lost.
  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.scalr_eventbridge_refresh.prod]
    }
  }
}

# By hand: terraform apply -invoke=action.scalr_eventbridge_refresh.prod
action "scalr_eventbridge_refresh" "prod" {
  config {
    connection_id = scalr_eventbridge_connection.prod.id
  }
}

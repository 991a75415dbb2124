variable "workspace_id" {
  description = "A dry run is started in this workspace."
  type        = string
}

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
}

resource "scalr_eventbridge_activation" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
  depends_on    = [scalr_eventbridge_target.logs]
}

# After an apply: terraform apply -invoke=action.scalr_eventbridge_send_test_event.runs
action "scalr_eventbridge_send_test_event" "runs" {
  config {
    workspace_id = var.workspace_id
    log_group    = scalr_eventbridge_target.logs.log_group.name
    region       = scalr_eventbridge_target.logs.region
  }
}

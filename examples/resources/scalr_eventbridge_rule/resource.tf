resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
  region            = scalr_eventbridge_connection.prod.region
}

resource "scalr_eventbridge_rule" "failed_runs" {
  name           = "scalr-failed-runs"
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", { result = ["errored"] })
}

# Failed runs of one workspace, and all destroys of one environment.
resource "scalr_eventbridge_rule" "network" {
  name           = "scalr-network"
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern = provider::scalr::event_pattern("RunExecuted", {
    any_of = [
      { workspace_id = "ws-v0network", result = "errored" },
      { environment_id = "env-v0prod", is_destroy = true },
    ]
  })
}

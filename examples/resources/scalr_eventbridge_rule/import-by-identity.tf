import {
  to = scalr_eventbridge_rule.failed_runs
  identity = {
    event_bus_name = "aws.partner/scalr.com/my-account/prod"
    name           = "scalr-failed-runs"
    region         = "us-east-1" # optional
  }
}

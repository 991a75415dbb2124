import {
  to = scalr_eventbridge_target.logs
  identity = {
    event_bus_name = "aws.partner/scalr.com/my-account/prod"
    rule           = "scalr-runs"
    target_id      = "my-target-id"
    region         = "us-east-1" # optional
  }
}

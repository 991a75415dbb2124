import {
  to = scalr_eventbridge_subscriber.failed_runs
  identity = {
    name   = "failed-runs"
    region = "us-east-1" # optional
  }
}

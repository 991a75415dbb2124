import {
  to = scalr_eventbridge_event_source.prod
  identity = {
    name   = "scalr-prod"
    region = "us-east-1" # optional
  }
}

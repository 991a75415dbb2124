import {
  to = scalr_eventbridge_api_destination.deployments
  identity = {
    name   = "deployments"
    region = "us-east-1" # optional
  }
}

import {
  to = scalr_eventbridge_bus.scalr
  identity = {
    name   = "aws.partner/scalr.com/my-account/prod"
    region = "us-east-1" # optional
  }
}

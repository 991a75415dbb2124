import {
  to = scalr_eventbridge_custom_bus.scalr
  identity = {
    name   = "scalr"
    region = "us-east-1" # optional
  }
}

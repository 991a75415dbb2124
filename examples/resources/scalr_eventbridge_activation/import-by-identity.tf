import {
  to = scalr_eventbridge_activation.prod
  identity = {
    connection_id = "in-v0o1abc2defg3hij4"
  }
}

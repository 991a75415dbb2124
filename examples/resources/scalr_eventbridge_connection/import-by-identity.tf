import {
  to = scalr_eventbridge_connection.prod
  identity = {
    id = "in-v0o1abc2defg3hij4"
  }
}

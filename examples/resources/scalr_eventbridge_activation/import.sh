# The connection's id
terraform import scalr_eventbridge_activation.prod in-v0o1abc2defg3hij4

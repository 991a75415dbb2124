resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

data "scalr_eventbridge_connection_delivery" "prod" {
  connection_id = scalr_eventbridge_connection.prod.id
}

check "nothing_is_dropped" {
  assert {
    condition     = data.scalr_eventbridge_connection_delivery.prod.dropped == 0
    error_message = "Events were dropped: ${jsonencode(data.scalr_eventbridge_connection_delivery.prod.last_dropped)}"
  }
  assert {
    condition     = data.scalr_eventbridge_connection_delivery.prod.failed == 0
    error_message = "AWS does not take some events; `scalr-eventbridge deliveries list --state failed` says why."
  }
}

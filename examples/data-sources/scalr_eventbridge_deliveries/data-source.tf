resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

data "scalr_eventbridge_deliveries" "failed" {
  connection_id = scalr_eventbridge_connection.prod.id
}

check "nothing_has_failed" {
  assert {
    condition = length(data.scalr_eventbridge_deliveries.failed.deliveries) == 0
    error_message = join("\n", [
      for one in data.scalr_eventbridge_deliveries.failed.deliveries :
      "${one.detail_type} ${one.event_id}, after ${one.attempts} attempts: ${one.error}"
    ])
  }
}

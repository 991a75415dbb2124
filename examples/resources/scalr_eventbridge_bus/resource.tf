resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
  region            = scalr_eventbridge_connection.prod.region
}

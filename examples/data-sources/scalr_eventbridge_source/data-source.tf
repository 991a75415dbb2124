resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

data "scalr_eventbridge_source" "prod" {
  name   = scalr_eventbridge_connection.prod.event_source_name
  region = scalr_eventbridge_connection.prod.region
}

output "state" {
  value = data.scalr_eventbridge_source.prod.state
}

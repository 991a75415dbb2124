resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

data "scalr_eventbridge_connection" "by_id" {
  id = scalr_eventbridge_connection.prod.id
}

data "scalr_eventbridge_connection" "by_name" {
  name       = "prod"
  depends_on = [scalr_eventbridge_connection.prod]
}

data "scalr_eventbridge_connection" "by_account_and_region" {
  aws_account_id = "123456789012"
  region         = "us-east-1"
  depends_on     = [scalr_eventbridge_connection.prod]
}

output "event_source_name" {
  value = data.scalr_eventbridge_connection.by_name.event_source_name
}

output "status" {
  value = data.scalr_eventbridge_connection.by_id.status
}

output "id" {
  value = data.scalr_eventbridge_connection.by_account_and_region.id
}

resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

resource "scalr_eventbridge_custom_bus" "scalr" {
  name              = "scalr"
  region            = scalr_eventbridge_connection.prod.region
  retention_in_days = 7
}

resource "scalr_eventbridge_event_source" "prod" {
  name                     = "scalr-prod"
  event_bus_arn            = scalr_eventbridge_custom_bus.scalr.arn
  partner_event_source_arn = scalr_eventbridge_connection.prod.event_source_arn
}

data "scalr_eventbridge_event_source" "prod" {
  name = scalr_eventbridge_event_source.prod.name
}

# PENDING: the events are dropped.
output "events_reach_the_bus" {
  value = data.scalr_eventbridge_event_source.prod.partner_source_state == "ACTIVE"
}

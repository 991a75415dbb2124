resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}

resource "scalr_eventbridge_subscriber" "runs" {
  name          = "runs"
  event_bus_arn = scalr_eventbridge_custom_bus.scalr.arn
  target_arn    = "arn:aws:sqs:us-east-1:123456789012:runs"
  role_arn      = "arn:aws:iam::123456789012:role/scalr-events"
}

data "scalr_eventbridge_subscriber" "runs" {
  name          = scalr_eventbridge_subscriber.runs.name
  event_bus_arn = scalr_eventbridge_subscriber.runs.event_bus_arn
}

output "delivers_to" {
  value = data.scalr_eventbridge_subscriber.runs.target_arn
}

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

# Runs that failed go to a queue. The role that is made allows sqs:SendMessage on both queues, and nothing else.
resource "scalr_eventbridge_subscriber" "failed_runs" {
  name          = "failed-runs"
  event_bus_arn = scalr_eventbridge_event_source.prod.event_bus_arn
  target_arn    = "arn:aws:sqs:us-east-1:123456789012:failed-runs"
  role          = { create = true }

  filter = [{
    scope   = "DATA"
    pattern = provider::scalr::event_pattern("RunExecuted", { result = ["errored"] })
  }]

  retry           = { maximum_retry_attempts = 20, maximum_event_age_in_seconds = 3600 }
  dead_letter_arn = "arn:aws:sqs:us-east-1:123456789012:failed-runs-dead"
}

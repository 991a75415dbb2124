variable "topic_arn" {
  description = "ARN of an existing topic, such as `aws_sns_topic.on_call.arn`."
  type        = string
  default     = "arn:aws:sns:us-east-1:123456789012:on-call"
}

resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
  region            = scalr_eventbridge_connection.prod.region
}

resource "scalr_eventbridge_rule" "failed" {
  name           = "scalr-failed"
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", { result = ["errored"] })
}

resource "scalr_eventbridge_topic_permission" "on_call" {
  topic_arn = var.topic_arn
  rule_arn  = scalr_eventbridge_rule.failed.arn
}

resource "scalr_eventbridge_target" "on_call" {
  rule           = scalr_eventbridge_rule.failed.name
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_rule.failed.event_bus_name
  arn            = scalr_eventbridge_topic_permission.on_call.topic_arn
}

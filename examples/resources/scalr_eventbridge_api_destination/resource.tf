variable "api_key" {
  description = "Key for the endpoint. It is in no plan and in no state."
  type        = string
  ephemeral   = true
  default     = "set it with TF_VAR_api_key"
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

resource "scalr_eventbridge_rule" "applied" {
  name           = "scalr-applied"
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", { result = ["applied"] })
}

resource "scalr_eventbridge_api_destination" "deployments" {
  name                             = "deployments"
  region                           = scalr_eventbridge_bus.scalr.region
  invocation_endpoint              = "https://deployments.example.com/runs"
  invocation_rate_limit_per_second = 10
  api_key                          = { name = "x-api-key" }
  secret_wo                        = var.api_key
  secret_wo_version                = 1 # another number sends the key again
}

resource "scalr_eventbridge_target" "deployments" {
  rule           = scalr_eventbridge_rule.applied.name
  region         = scalr_eventbridge_bus.scalr.region
  event_bus_name = scalr_eventbridge_rule.applied.event_bus_name
  arn            = scalr_eventbridge_api_destination.deployments.arn
  role_arn       = "arn:aws:iam::123456789012:role/eventbridge-calls-deployments" # may call events:InvokeApiDestination
}

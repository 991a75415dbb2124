resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

# A week of events, which a replay can deliver once more.
resource "scalr_eventbridge_custom_bus" "scalr" {
  name              = "scalr"
  region            = scalr_eventbridge_connection.prod.region
  description       = "Scalr's runs and audit logs"
  retention_in_days = 7
  tags              = { team = "platform" }
}

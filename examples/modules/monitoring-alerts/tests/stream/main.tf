# What the module needs: a bus on which Scalr's events arrive. The module `event-stream` makes one, too.

terraform {
  required_version = ">= 1.8"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

resource "scalr_eventbridge_connection" "this" {
  name           = "platform"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
}

resource "scalr_eventbridge_bus" "this" {
  event_source_name = scalr_eventbridge_connection.this.event_source_name
  region            = scalr_eventbridge_connection.this.region
}

resource "scalr_eventbridge_rule" "all" {
  name           = "all"
  region         = scalr_eventbridge_bus.this.region
  event_bus_name = scalr_eventbridge_bus.this.name
  event_pattern  = jsonencode({ source = [{ prefix = "aws.partner/scalr.com" }] })
}

resource "scalr_eventbridge_target" "all" {
  rule           = scalr_eventbridge_rule.all.name
  region         = scalr_eventbridge_bus.this.region
  event_bus_name = scalr_eventbridge_rule.all.event_bus_name
  log_group      = { name = "/platform/all", create = true, delete_on_destroy = true }
}

resource "scalr_eventbridge_activation" "this" {
  connection_id = scalr_eventbridge_connection.this.id
  depends_on    = [scalr_eventbridge_target.all]
}

output "connection_id" {
  description = "The connection, once it is active."
  value       = scalr_eventbridge_activation.this.connection_id
}

output "event_bus_name" {
  description = "The bus's name."
  value       = scalr_eventbridge_bus.this.name
}

output "region" {
  description = "The bus's region."
  value       = scalr_eventbridge_bus.this.region
}

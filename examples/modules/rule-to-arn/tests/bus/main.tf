# What the module needs: a bus on which Scalr's events arrive.

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

output "name" {
  description = "The bus's name."
  value       = scalr_eventbridge_bus.this.name
}

output "region" {
  description = "The bus's region."
  value       = scalr_eventbridge_bus.this.region
}

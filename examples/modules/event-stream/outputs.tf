output "connection_id" {
  description = "The connection, `in-…`, once it is active."
  value       = scalr_eventbridge_activation.this.connection_id
}

output "status" {
  description = "`active` once events flow."
  value       = scalr_eventbridge_activation.this.status
}

output "event_bus_name" {
  description = "The Classic bus on which Scalr's events arrive; further rules go here. Null with a custom event bus."
  value       = one(scalr_eventbridge_bus.this[*].name)
}

output "event_bus_arn" {
  description = "The custom event bus on which Scalr's events arrive; further subscribers go here. Null with a Classic bus."
  value       = one(scalr_eventbridge_event_source.this[*].event_bus_arn)
}

output "region" {
  description = "The bus's region."
  value       = local.region
}

output "log_groups" {
  description = "The log group of each rule."
  value       = local.log_groups
}

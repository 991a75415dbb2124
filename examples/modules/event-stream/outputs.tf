output "connection_id" {
  description = "The connection, `in-…`, once it is active."
  value       = scalr_eventbridge_activation.this.connection_id
}

output "status" {
  description = "`active` once events flow."
  value       = scalr_eventbridge_activation.this.status
}

output "event_bus_name" {
  description = "The bus on which Scalr's events arrive; further rules go here."
  value       = scalr_eventbridge_bus.this.name
}

output "region" {
  description = "The bus's region."
  value       = scalr_eventbridge_bus.this.region
}

output "log_groups" {
  description = "The log group of each rule."
  value       = { for name, target in scalr_eventbridge_target.this : name => target.log_group.name }
}

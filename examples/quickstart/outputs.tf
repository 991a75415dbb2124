output "status" {
  description = "`active` once events flow."
  value       = scalr_eventbridge_activation.this.status
}

output "event_bus_name" {
  description = "The bus on which Scalr's events arrive."
  value       = scalr_eventbridge_bus.this.name
}

output "log_groups" {
  description = "Where each type of event is kept."
  value       = { for type, target in scalr_eventbridge_target.logs : type => target.log_group.name }
}

output "first_delivery_ms" {
  description = "How long the event of the checked run took to its log group."
  value       = scalr_eventbridge_delivery_check.runs.latency_ms
}

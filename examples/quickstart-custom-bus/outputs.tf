output "status" {
  description = "`active` once events flow."
  value       = scalr_eventbridge_activation.this.status
}

output "event_bus_arn" {
  description = "The bus on which Scalr's events arrive; further subscribers go here."
  value       = scalr_eventbridge_event_source.this.event_bus_arn
}

output "log_groups" {
  description = "Where each type of event is kept."
  value       = { for type, subscriber in scalr_eventbridge_subscriber.logs : type => subscriber.log_group.name }
}

output "role_arns" {
  description = "The roles that were made for the deliveries."
  value       = { for type, subscriber in scalr_eventbridge_subscriber.logs : type => subscriber.role_arn }
}

output "first_delivery_ms" {
  description = "How long the event of the checked run took to its log group."
  value       = scalr_eventbridge_delivery_check.runs.latency_ms
}

output "rule_arn" {
  description = "The rule, for policies of further targets."
  value       = scalr_eventbridge_rule.this.arn
}

output "event_pattern" {
  description = "Which runs count."
  value       = scalr_eventbridge_rule.this.event_pattern
}

output "api_destination_arn" {
  description = "For the role's policy."
  value       = scalr_eventbridge_api_destination.this.arn
}

output "status" {
  description = "`ready` once the endpoint can be called."
  value       = scalr_eventbridge_api_destination.this.status
}

output "undelivered_queue_url" {
  description = "Events that could not be delivered. It should be empty: an alarm on its length is a good idea."
  value       = scalr_eventbridge_queue.undelivered.url
}

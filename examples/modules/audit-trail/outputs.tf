output "rule_arn" {
  description = "The rule, for policies of further targets."
  value       = scalr_eventbridge_rule.this.arn
}

output "event_pattern" {
  description = "Which events are kept."
  value       = scalr_eventbridge_rule.this.event_pattern
}

output "log_group_name" {
  description = "Where the events can be searched."
  value       = scalr_eventbridge_target.logs.log_group.name
}

output "archive_queue_url" {
  description = "Where an archive receives the events; null without one."
  value       = one(scalr_eventbridge_queue.archive[*].url)
}

output "archive_queue_arn" {
  description = "The same queue, for permissions."
  value       = one(scalr_eventbridge_queue.archive[*].arn)
}

output "undelivered_queue_url" {
  description = "Events that could not be delivered. It should be empty: an alarm on its length is a good idea."
  value       = scalr_eventbridge_queue.undelivered.url
}

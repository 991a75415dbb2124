output "rule_arns" {
  description = "The rule of each alert."
  value       = { for alert, rule in scalr_eventbridge_rule.this : alert => rule.arn }
}

output "event_patterns" {
  description = "Which runs are worth each alert."
  value       = { for alert, rule in scalr_eventbridge_rule.this : alert => rule.event_pattern }
}

output "api_destination_arn" {
  description = "For the policy of the webhook's role; null without one."
  value       = one(scalr_eventbridge_api_destination.this[*].arn)
}

output "undelivered_queue_url" {
  description = "Events that could not be delivered. It should be empty: an alarm on its length is a good idea."
  value       = scalr_eventbridge_queue.undelivered.url
}

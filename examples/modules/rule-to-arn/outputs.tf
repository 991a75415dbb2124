output "rule_arn" {
  description = "For the condition `aws:SourceArn` in the target's policy."
  value       = scalr_eventbridge_rule.this.arn
}

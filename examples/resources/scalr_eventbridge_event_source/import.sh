# NAME
terraform import scalr_eventbridge_event_source.prod scalr-prod

# In another region than the provider's
terraform import scalr_eventbridge_event_source.prod scalr-prod@eu-west-1

# By ARN
terraform import scalr_eventbridge_event_source.prod arn:aws:events:us-east-1:123456789012:event-sourcev2/aws.partner/scalr-prod/abcdefghij0123456789abcde

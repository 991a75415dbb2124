# NAME
terraform import scalr_eventbridge_queue.archive scalr-audit-archive

# In another region than the provider's
terraform import scalr_eventbridge_queue.archive scalr-audit-archive@eu-west-1

# By ARN
terraform import scalr_eventbridge_queue.archive arn:aws:sqs:us-east-1:123456789012:scalr-audit-archive

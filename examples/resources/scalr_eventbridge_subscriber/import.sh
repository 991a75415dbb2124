# NAME
terraform import scalr_eventbridge_subscriber.failed_runs failed-runs

# In another region than the provider's
terraform import scalr_eventbridge_subscriber.failed_runs failed-runs@eu-west-1

# By ARN
terraform import scalr_eventbridge_subscriber.failed_runs arn:aws:events:us-east-1:123456789012:subscriber/failed-runs/abcdefghij0123456789abcde

# BUS/RULE
terraform import scalr_eventbridge_rule.failed_runs aws.partner/scalr.com/my-account/prod/scalr-failed-runs

# In another region than the provider's
terraform import scalr_eventbridge_rule.failed_runs aws.partner/scalr.com/my-account/prod/scalr-failed-runs@eu-west-1

# By ARN
terraform import scalr_eventbridge_rule.failed_runs arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/my-account/prod/scalr-failed-runs

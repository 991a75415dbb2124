# BUS/RULE/TARGET_ID
terraform import scalr_eventbridge_target.logs aws.partner/scalr.com/my-account/prod/scalr-runs/my-target-id

# In another region than the provider's
terraform import scalr_eventbridge_target.logs aws.partner/scalr.com/my-account/prod/scalr-runs/my-target-id@eu-west-1

# By the rule's ARN
terraform import scalr_eventbridge_target.logs arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/my-account/prod/scalr-runs/my-target-id

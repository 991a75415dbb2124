# TOPIC_ARN,RULE_ARN
terraform import scalr_eventbridge_topic_permission.on_call arn:aws:sns:us-east-1:123456789012:on-call,arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/my-account/prod/scalr-failed

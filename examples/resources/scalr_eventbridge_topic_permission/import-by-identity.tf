import {
  to = scalr_eventbridge_topic_permission.on_call
  identity = {
    topic_arn = "arn:aws:sns:us-east-1:123456789012:on-call"
    rule_arn  = "arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/my-account/prod/scalr-failed"
  }
}

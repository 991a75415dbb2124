# Needs no account and no token: what Scalr and AWS would answer is made up.

mock_provider "scalr" {}

variables {
  name           = "page"
  event_bus_name = "aws.partner/scalr.com/acme/platform"
  region         = "eu-west-1"
  target_arn     = "arn:aws:sns:eu-west-1:123456789012:on-call"
  event_pattern  = jsonencode({ detail-type = ["RunExecuted"] })
}

run "plans" {
  command = plan
}

run "applies" {
  variables {
    dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:undelivered"
  }
}

run "refuses_a_pattern_that_misses_the_sample" {
  command = plan
  variables {
    sample_type = "AuditLog"
  }
  expect_failures = [scalr_eventbridge_rule.this]
}

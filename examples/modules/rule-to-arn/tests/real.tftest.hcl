# Against `scalr-eventbridge dev`, with the variables that it prints; with other values also against Scalr and AWS.

run "bus" {
  module {
    source = "./tests/bus"
  }
}

run "has_an_arn" {
  variables {
    name           = "page"
    event_bus_name = run.bus.name
    region         = run.bus.region
    target_arn     = "arn:aws:sqs:eu-west-1:123456789012:on-call"
    event_pattern  = jsonencode({ source = [{ prefix = "aws.partner/scalr.com" }] })
  }
  assert {
    condition     = endswith(output.rule_arn, "/page")
    error_message = "The rule's ARN ends in its name."
  }
}

# Needs no account and no token: what Scalr and AWS would answer is made up.

mock_provider "scalr" {}

variables {
  event_bus_name = "aws.partner/scalr.com/acme/platform"
  region         = "eu-west-1"
  topic          = { arn = "arn:aws:sns:eu-west-1:123456789012:on-call" }
  # The default would do, but Terraform's tests apply no default of an ephemeral variable.
  webhook_secret = "none"
}

run "plans" {
  command = plan
  assert {
    condition     = toset(keys(output.event_patterns)) == toset(["errored", "destroyed"])
    error_message = "There is a rule for each alert."
  }
}

run "applies" {
  variables {
    environments = ["prod-*"]
    workspaces   = ["network"]
  }
  assert {
    condition     = jsondecode(output.event_patterns["errored"]).detail.event.environment == [{ wildcard = "prod-*" }]
    error_message = "The environment is filtered."
  }
  assert {
    condition     = jsondecode(output.event_patterns["destroyed"]).detail.event.is-destroy == [true]
    error_message = "Destroys have a rule of their own."
  }
}

run "posts_to_a_webhook" {
  variables {
    topic    = null
    webhook  = { endpoint = "https://hooks.example.com/alerts", role_arn = "arn:aws:iam::123456789012:role/eventbridge-posts-alerts" }
    alert_on = ["errored"]
  }
  assert {
    condition     = keys(output.rule_arns) == ["errored"]
    error_message = "There is a rule for each alert."
  }
}

run "refuses_two_places" {
  command = plan
  variables {
    webhook = { endpoint = "https://hooks.example.com/alerts", role_arn = "arn:aws:iam::123456789012:role/eventbridge-posts-alerts" }
  }
  expect_failures = [scalr_eventbridge_rule.this]
}

run "refuses_what_is_no_alert" {
  command = plan
  variables {
    alert_on = ["failed"]
  }
  expect_failures = [var.alert_on]
}

run "refuses_what_is_no_topic" {
  command = plan
  variables {
    topic = { arn = "on-call" }
  }
  expect_failures = [var.topic]
}

run "refuses_what_is_no_role" {
  command = plan
  variables {
    topic   = null
    webhook = { endpoint = "https://hooks.example.com/alerts", role_arn = "eventbridge-posts-alerts" }
  }
  expect_failures = [var.webhook]
}

run "refuses_a_name_that_is_too_long" {
  command = plan
  variables {
    name = "a-name-that-is-so-long-that-no-rule-can-begin-with-it-and-end"
  }
  expect_failures = [var.name]
}

# Needs no account and no token: what Scalr and AWS would answer is made up.

mock_provider "scalr" {}

variables {
  event_bus_name = "aws.partner/scalr.com/acme/platform"
  region         = "eu-west-1"
  endpoint       = "https://deployments.example.com/runs"
  secret         = "not-a-secret"
  role_arn       = "arn:aws:iam::123456789012:role/eventbridge-calls-deployments"
}

run "plans" {
  command = plan
}

run "applies" {
  variables {
    environments = ["prod"]
    headers      = { accept = "application/json" }
  }
  assert {
    condition     = jsondecode(output.event_pattern).detail.event.environment == [{ wildcard = "prod" }]
    error_message = "The environment is filtered."
  }
}

run "counts_applies_alone_unless_told_otherwise" {
  command = plan
  assert {
    condition     = jsondecode(output.event_pattern).detail.event.result == ["applied"]
    error_message = "A run that applied counts."
  }
  assert {
    condition     = jsondecode(output.event_pattern).detail.event.is-dry == [false]
    error_message = "A run that only planned does not."
  }
}

run "takes_basic" {
  variables {
    basic_username = "scalr"
  }
}

run "takes_oauth" {
  variables {
    oauth = {
      client_id              = "scalr"
      authorization_endpoint = "https://login.example.com/token"
    }
  }
}

run "takes_a_pattern_of_its_own" {
  command = plan
  variables {
    event_pattern = jsonencode({ detail-type = ["RunExecuted"], detail = { event = { is-destroy = [true] } } })
  }
  assert {
    condition     = jsondecode(output.event_pattern).detail.event.is-destroy == [true]
    error_message = "The pattern is used as it is."
  }
}

run "refuses_what_is_no_result" {
  command = plan
  variables {
    results = ["failed"]
  }
  expect_failures = [var.results]
}

run "refuses_what_is_no_role" {
  command = plan
  variables {
    role_arn = "eventbridge-calls-deployments"
  }
  expect_failures = [var.role_arn]
}

run "refuses_no_rate" {
  command = plan
  variables {
    rate_limit_per_second = 0
  }
  expect_failures = [var.rate_limit_per_second]
}

run "refuses_a_month_in_the_queue" {
  command = plan
  variables {
    undelivered_retention_in_days = 30
  }
  expect_failures = [var.undelivered_retention_in_days]
}

run "refuses_a_name_that_no_queue_can_have" {
  command = plan
  variables {
    name = "work.flow"
  }
  expect_failures = [var.name]
}

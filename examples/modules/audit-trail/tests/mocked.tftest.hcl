# Needs no account and no token: what Scalr and AWS would answer is made up.

mock_provider "scalr" {}

variables {
  event_bus_name = "aws.partner/scalr.com/acme/platform"
  region         = "eu-west-1"
  connection_id  = "in-platform"
}

run "plans" {
  command = plan
  assert {
    condition     = output.log_group_name == "/scalr/audit-trail"
    error_message = "The log group has its name."
  }
}

run "applies" {
  variables {
    actors   = ["alice@example.com"]
    actions  = ["create-workspace", "*-variable"]
    outcomes = ["FAILURE"]
  }
  assert {
    condition     = jsondecode(output.event_pattern).detail.outcome.result == ["FAILURE"]
    error_message = "The outcome is filtered."
  }
}

run "filters_by_actor_action_and_outcome" {
  command = plan
  variables {
    actors   = ["user@example.com"]
    actions  = ["create-*"]
    outcomes = ["SUCCESS"]
  }
  assert {
    condition     = jsondecode(output.event_pattern).detail.actor.email == ["user@example.com"]
    error_message = "The actor is filtered."
  }
  assert {
    condition     = jsondecode(output.event_pattern).detail.request.action == [{ wildcard = "create-*" }]
    error_message = "The action is filtered."
  }
}

run "keeps_everything_unless_told_otherwise" {
  command = plan
  assert {
    condition     = !can(jsondecode(output.event_pattern).detail)
    error_message = "Nothing but the type is filtered."
  }
}

run "does_without_an_archive" {
  variables {
    archive    = false
    audit_logs = false
  }
  assert {
    condition     = output.archive_queue_url == null
    error_message = "There is no queue."
  }
}

run "refuses_what_is_no_outcome" {
  command = plan
  variables {
    outcomes = ["failed"]
  }
  expect_failures = [var.outcomes]
}

run "refuses_what_is_no_actor" {
  command = plan
  variables {
    actors = ["Alice"]
  }
  expect_failures = [var.actors]
}

run "refuses_what_is_no_action" {
  command = plan
  variables {
    actions = ["Create workspace"]
  }
  expect_failures = [var.actions]
}

run "refuses_a_month_in_the_queue" {
  command = plan
  variables {
    archive_retention_in_days = 30
  }
  expect_failures = [var.archive_retention_in_days]
}

run "refuses_a_name_that_no_queue_can_have" {
  command = plan
  variables {
    name = "audit.trail"
  }
  expect_failures = [var.name]
}

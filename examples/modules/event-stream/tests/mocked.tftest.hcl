# Needs no account and no token: what Scalr and AWS would answer is made up.

mock_provider "scalr" {}

variables {
  name           = "platform"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
  rules = {
    runs  = { type = "RunExecuted", log_group = "/platform/runs" }
    audit = { type = "AuditLog", log_group = "/platform/audit", retention_in_days = 365 }
  }
}

run "plans" {
  command = plan
  assert {
    condition     = output.region == "eu-west-1"
    error_message = "The bus is in the region of the connection."
  }
}

run "applies" {
  variables {
    audit_logs     = true
    delivery_check = { workspace_id = "ws-v0local", rule = "runs" }
  }
  assert {
    condition     = output.log_groups == { runs = "/platform/runs", audit = "/platform/audit" }
    error_message = "Each rule has its log group."
  }
}

run "refuses_a_check_of_audit_logs" {
  command = plan
  variables {
    delivery_check = { workspace_id = "ws-v0local", rule = "audit" }
  }
  expect_failures = [scalr_eventbridge_delivery_check.this]
}

run "refuses_two_rules_with_one_log_group" {
  command = plan
  variables {
    rules = {
      runs  = { type = "RunExecuted", log_group = "/platform/events" }
      audit = { type = "AuditLog", log_group = "/platform/events" }
    }
  }
  expect_failures = [var.rules]
}

run "filters_by_workspace" {
  command = plan
  variables {
    rules = {
      runs = { type = "RunExecuted", log_group = "/platform/runs", filters = { workspace_id = ["ws-v0local"] } }
    }
  }
  assert {
    condition     = strcontains(scalr_eventbridge_rule.this["runs"].event_pattern, "scalr-workspace:ws-v0local")
    error_message = "The id of a workspace is looked for among the tags."
  }
}

run "plans_a_custom_event_bus" {
  command = plan
  variables {
    event_bus             = "custom"
    bus_retention_in_days = 7
  }
  assert {
    condition     = toset(keys(scalr_eventbridge_subscriber.this)) == toset(["runs", "audit"])
    error_message = "Each rule is a subscriber."
  }
  assert {
    condition     = length(scalr_eventbridge_bus.this) + length(scalr_eventbridge_rule.this) + length(scalr_eventbridge_target.this) == 0
    error_message = "No Classic bus beside it."
  }
  assert {
    condition     = scalr_eventbridge_custom_bus.this[0].retention_in_days == 7
    error_message = "The bus keeps the events."
  }
}

run "applies_with_a_custom_event_bus" {
  variables {
    event_bus      = "custom"
    delivery_check = { workspace_id = "ws-v0local", rule = "runs" }
  }
  assert {
    condition     = output.log_groups == { runs = "/platform/runs", audit = "/platform/audit" }
    error_message = "Each subscriber has its log group."
  }
  assert {
    condition     = output.event_bus_name == null && output.event_bus_arn != null
    error_message = "Rules have no place on a custom event bus."
  }
}

run "refuses_a_third_kind_of_bus" {
  command = plan
  variables {
    event_bus = "v2"
  }
  expect_failures = [var.event_bus]
}

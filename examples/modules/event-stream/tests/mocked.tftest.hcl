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

# Against `scalr-eventbridge dev`, with the variables that it prints; with other values also against Scalr and AWS.

run "a_run_arrives" {
  variables {
    name           = "platform"
    aws_account_id = "123456789012"
    region         = "eu-west-1"
    rules          = { runs = { type = "RunExecuted", log_group = "/platform/runs" } }
    delivery_check = { workspace_id = "ws-v0local", rule = "runs" }
  }
  assert {
    condition     = output.status == "active"
    error_message = "Events do not flow."
  }
}

# The same connection: the Classic bus goes first. Its log group stays, so this is another one.
run "a_run_arrives_by_a_custom_event_bus" {
  variables {
    name                  = "platform"
    aws_account_id        = "123456789012"
    region                = "eu-west-1"
    event_bus             = "custom"
    bus_retention_in_days = 7
    rules                 = { runs = { type = "RunExecuted", log_group = "/platform/custom/runs" } }
    delivery_check        = { workspace_id = "ws-v0local", rule = "runs" }
  }
  assert {
    condition     = output.status == "active"
    error_message = "Events do not flow."
  }
  assert {
    condition     = scalr_eventbridge_event_source.this[0].partner_source_state == "ACTIVE"
    error_message = "The event source has no events of Scalr's."
  }
}

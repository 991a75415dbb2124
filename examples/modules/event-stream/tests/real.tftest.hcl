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

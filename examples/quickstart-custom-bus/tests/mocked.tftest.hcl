# Needs no account and no token: what Scalr and AWS would answer is made up.

mock_provider "scalr" {}

run "plans" {
  command = plan
  assert {
    condition     = toset(keys(output.log_groups)) == toset(["RunExecuted", "AuditLog"])
    error_message = "A log group for each type of event"
  }
}

run "applies" {
  assert {
    condition     = output.log_groups["RunExecuted"] == "/aws/events/scalr/RunExecuted"
    error_message = "The log group of runs"
  }
}

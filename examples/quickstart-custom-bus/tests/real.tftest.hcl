# Against `scalr-eventbridge dev`, with the variables that it prints; with other values also against Scalr and AWS.

run "is_active" {
  assert {
    condition     = output.status == "active"
    error_message = "Events do not flow."
  }
}

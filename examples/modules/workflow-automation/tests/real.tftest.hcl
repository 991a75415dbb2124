# Against `scalr-eventbridge dev`, with the variables that it prints; with other values also against Scalr and AWS.

run "stream" {
  module {
    source = "./tests/stream"
  }
}

run "is_ready" {
  variables {
    event_bus_name = run.stream.event_bus_name
    region         = run.stream.region
    endpoint       = "https://deployments.example.com/runs"
    secret         = "not-a-secret"
    role_arn       = "arn:aws:iam::123456789012:role/eventbridge-calls-deployments"
    force_destroy  = true
  }
  assert {
    condition     = output.status == "ready"
    error_message = "The endpoint can be called."
  }
  assert {
    condition     = strcontains(output.api_destination_arn, ":api-destination/scalr-workflow/")
    error_message = "The API destination has the module's name."
  }
}

# Against `scalr-eventbridge dev`, with the variables that it prints; with other values also against Scalr and AWS. The topic is
# no resource of this provider: a webhook takes its place.

run "stream" {
  module {
    source = "./tests/stream"
  }
}

run "posts_to_a_webhook" {
  variables {
    event_bus_name = run.stream.event_bus_name
    region         = run.stream.region
    webhook        = { endpoint = "https://hooks.example.com/alerts", role_arn = "arn:aws:iam::123456789012:role/eventbridge-posts-alerts" }
    webhook_secret = "none"
    force_destroy  = true
  }
  assert {
    condition     = strcontains(output.api_destination_arn, ":api-destination/scalr-alerts/")
    error_message = "The API destination has the module's name."
  }
}

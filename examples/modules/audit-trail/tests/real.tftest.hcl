# Against `scalr-eventbridge dev`, with the variables that it prints; with other values also against Scalr and AWS.

run "stream" {
  module {
    source = "./tests/stream"
  }
}

run "keeps_audit_logs" {
  variables {
    connection_id    = run.stream.connection_id
    event_bus_name   = run.stream.event_bus_name
    region           = run.stream.region
    actions          = ["*-workspace", "*-run"]
    force_destroy    = true
    delete_log_group = true
  }
  assert {
    condition     = endswith(output.archive_queue_arn, ":scalr-audit-trail-archive")
    error_message = "The archive is a queue of its own."
  }
  assert {
    condition     = endswith(output.undelivered_queue_url, "/scalr-audit-trail-undelivered")
    error_message = "What cannot be delivered has a queue of its own."
  }
}

list "scalr_eventbridge_event_source" "all" {
  provider = scalr

  config {
    region = "us-east-1"
  }
}

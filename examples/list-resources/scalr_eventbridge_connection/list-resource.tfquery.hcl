list "scalr_eventbridge_connection" "paused" {
  provider = scalr

  config {
    region = "us-east-1"
    status = "disabled"
  }
}

list "scalr_eventbridge_bus" "all" {
  provider = scalr

  config {
    region = "us-east-1"
  }
}

list "scalr_eventbridge_custom_bus" "all" {
  provider = scalr

  config {
    region = "us-east-1"
  }
}

list "scalr_eventbridge_subscriber" "all" {
  provider = scalr

  config {
    region = "us-east-1"
  }
}

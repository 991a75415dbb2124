list "scalr_eventbridge_target" "of_one_rule" {
  provider = scalr

  config {
    region = "us-east-1"
    rule   = "scalr-runs"
  }
}

import {
  to = scalr_eventbridge_queue.archive
  identity = {
    name   = "scalr-audit-archive"
    region = "us-east-1" # optional
  }
}

resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

# All that failed. By hand: terraform apply -invoke=action.scalr_eventbridge_replay.failed
action "scalr_eventbridge_replay" "failed" {
  config {
    connection_id = scalr_eventbridge_connection.prod.id
  }
}

# An hour of what was delivered, such as after a log group was deleted: it arrives once more.
action "scalr_eventbridge_replay" "hour" {
  config {
    connection_id   = scalr_eventbridge_connection.prod.id
    state           = "delivered"
    accepted_from   = "2026-11-29T10:00:00Z"
    accepted_before = "2026-11-29T11:00:00Z"
  }
}

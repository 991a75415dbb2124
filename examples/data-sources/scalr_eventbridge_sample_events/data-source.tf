data "scalr_eventbridge_sample_events" "all" {
  event_source_name = "aws.partner/scalr.com/acme/prod"
}

locals {
  pattern = provider::scalr::event_pattern("RunExecuted", { result = ["errored", "applied"] })
}

# Which types of events the pattern may match, by their samples.
output "matches" {
  value = {
    for type, event in data.scalr_eventbridge_sample_events.all.events :
    type => provider::scalr::event_pattern_matches(local.pattern, event)
  }
}

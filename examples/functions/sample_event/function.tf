output "an_audit_log_event" {
  value = jsondecode(provider::scalr::sample_event("AuditLog")).detail.request.action
}

# "Test pattern" with an event that the filters should let through, and with one that they should not.
locals {
  pattern = provider::scalr::event_pattern("RunExecuted", {
    workspace = { prefix = "network-" }
    result    = "errored"
  })
}

output "tested" {
  value = {
    failed  = provider::scalr::event_pattern_matches(local.pattern, provider::scalr::sample_event("RunExecuted", { workspace = "network-hub", result = "errored" }))
    applied = provider::scalr::event_pattern_matches(local.pattern, provider::scalr::sample_event("RunExecuted", { workspace = "network-hub", result = "applied" }))
  }
}

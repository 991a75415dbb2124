locals {
  pattern   = provider::scalr::event_pattern("RunExecuted", { result = ["applied", "errored"] })
  event     = provider::scalr::sample_event("RunExecuted")
  explained = provider::scalr::explain_event_pattern(local.pattern, local.event)
}

# When it fails, it says what the event has instead.
check "pattern" {
  assert {
    condition     = local.explained.matched
    error_message = local.explained.message
  }
}

# ["detail-type is \"RunExecuted\", not in [\"AuditLog\"]"]
output "missed" {
  value = [
    for leaf in provider::scalr::explain_event_pattern({ detail-type = ["AuditLog"] }, local.event).leaves :
    "${leaf.path} is ${join(" or ", leaf.found)}, not in ${leaf.expected}" if !leaf.matched
  ]
}

locals {
  pattern = provider::scalr::event_pattern("RunExecuted", {})
}

# "Test pattern", at plan
check "pattern" {
  assert {
    condition     = provider::scalr::event_pattern_matches(local.pattern, provider::scalr::sample_event("RunExecuted"))
    error_message = "The pattern misses the sample event."
  }
}

output "matches" {
  value = provider::scalr::event_pattern_matches(
    { detail-type = ["AuditLog"] },
    provider::scalr::sample_event("RunExecuted"),
  )
}

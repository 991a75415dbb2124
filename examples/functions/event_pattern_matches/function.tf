locals {
  pattern = provider::scalr::event_pattern("RunExecuted", { result = "errored", environment = "production" })
  failed  = provider::scalr::sample_event("RunExecuted", { result = "errored", environment = "production" })
}

# "Test pattern", at plan
check "pattern" {
  assert {
    condition     = provider::scalr::event_pattern_matches(local.pattern, local.failed)
    error_message = "The pattern misses a run that failed in production."
  }
}

output "matches" {
  value = provider::scalr::event_pattern_matches(
    { detail-type = ["AuditLog"] },
    provider::scalr::sample_event("RunExecuted"),
  )
}

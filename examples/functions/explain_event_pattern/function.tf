locals {
  pattern   = provider::scalr::event_pattern("RunExecuted", { result = ["errored", "canceled"], environment = "production" })
  event     = provider::scalr::sample_event("RunExecuted", { result = "canceled", environment = "production" })
  explained = provider::scalr::explain_event_pattern(local.pattern, local.event)
}

# When it fails, it says what the event has instead.
check "pattern" {
  assert {
    condition     = local.explained.matched
    error_message = local.explained.message
  }
}

# Where no event can match, `hint` says what to write: "… never `cancelled`: perhaps `canceled` is meant".
output "missed" {
  value = [
    for leaf in provider::scalr::explain_event_pattern({ detail = { event = { result = ["cancelled"] } } }, local.event).leaves :
    "${leaf.path} is ${join(" or ", leaf.found)}, not in ${leaf.expected}: ${leaf.hint}" if !leaf.matched
  ]
}

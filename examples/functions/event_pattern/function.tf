# Every run
output "runs" {
  value = provider::scalr::event_pattern("RunExecuted", {})
}

# Applies that failed
output "failed_applies" {
  value = provider::scalr::event_pattern("RunExecuted", {
    result = ["errored"]
    is_dry = false
  })
}

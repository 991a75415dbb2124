locals {
  # Every run
  runs = provider::scalr::event_pattern("RunExecuted", {})

  # Applies that failed or were canceled, in one environment
  failed = provider::scalr::event_pattern("RunExecuted", {
    result      = ["errored", "canceled"]
    is_dry      = false
    environment = "production"
  })

  # One workspace, by its id: renaming it changes nothing
  workspace = provider::scalr::event_pattern("RunExecuted", { workspace_id = "ws-1234567890" })

  # Workspaces whose names begin with `network-`, in every environment except one
  prefixed = provider::scalr::event_pattern("RunExecuted", {
    workspace   = { prefix = "network-" }
    environment = { anything-but = "sandbox" }
  })

  # An element of the list of tags
  tagged = provider::scalr::event_pattern("AuditLog", { tags = "scalr-action:delete-workspace" })

  # Calls that failed. AWS documents comparisons of numbers from -5e9 to 5e9; a run's `duration` is in nanoseconds and exceeds that after 5 seconds.
  refused = provider::scalr::event_pattern("AuditLog", { status_code = { numeric = [">=", 400] } })

  # `*` stands for any text; in an exact value it is only a character
  deletions = provider::scalr::event_pattern("AuditLog", { action = { wildcard = "delete-*" } })

  # Alternatives, of which one must pass: what failed anywhere, and every destroy in production
  alerts = provider::scalr::event_pattern("RunExecuted", {
    is_dry = false
    any_of = [
      { result = "errored" },
      { is_destroy = true, environment = "production" },
    ]
  })
}

output "failed" {
  value = jsondecode(local.failed)
}

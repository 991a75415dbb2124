variable "name" {
  description = "Name of the connection, and the last part of the event source's name."
  type        = string
}

variable "aws_account_id" {
  description = "The AWS account that receives the events."
  type        = string
}

variable "region" {
  description = "The AWS region that receives the events. One connection is possible for each account and region."
  type        = string
}

variable "event_bus" {
  description = <<-EOT
    The kind of event bus: `classic`, with a rule and a target for each of `rules`, or `custom` (EventBridge V2), which keeps
    the events, with a subscriber and a role for each. Another kind replaces the bus, and AWS drops what Scalr sends meanwhile.
  EOT
  type        = string
  default     = "classic"
  nullable    = false
  validation {
    condition     = contains(["classic", "custom"], var.event_bus)
    error_message = "event_bus is `classic` or `custom`."
  }
}

variable "bus_retention_in_days" {
  description = "How long a custom event bus keeps the events: 1 to 365 days. Default: 1, which is not charged for. A Classic one keeps none."
  type        = number
  default     = null
}

variable "rules" {
  description = <<-EOT
    Rules by name: the type of event (`RunExecuted` or `AuditLog`), the filters that an event must pass, and the log group,
    which is created. A filter is a list of strings, of which any may match. If filters cannot express the pattern, set
    `event_pattern` instead: `provider::scalr::event_pattern("RunExecuted", { is_dry = false })`.
  EOT
  type = map(object({
    type              = string
    filters           = optional(map(list(string)), {})
    event_pattern     = optional(string)
    log_group         = string
    retention_in_days = optional(number)
    description       = optional(string)
  }))
  validation {
    condition     = length(distinct([for rule in var.rules : rule.log_group])) == length(var.rules)
    error_message = "Each rule creates its own log group: two rules name the same one."
  }
}

variable "audit_logs" {
  description = "Whether the account's audit logs go to this connection. An account has one such setting."
  type        = bool
  default     = false
}

variable "delivery_check" {
  description = <<-EOT
    Proves at apply that events arrive: a dry run is started in the workspace, and its event must reach the log group of
    the rule, which must match RunExecuted events of that workspace. Null: no check.
  EOT
  type = object({
    workspace_id = string
    rule         = string
  })
  default = null
}

variable "tags" {
  description = "Tags of the bus and the rules; with a custom event bus of the bus, the event source and the subscribers."
  type        = map(string)
  default     = {}
}

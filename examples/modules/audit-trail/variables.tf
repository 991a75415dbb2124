variable "event_bus_name" {
  description = "The bus on which Scalr's events arrive, such as the output `event_bus_name` of the module `event-stream`."
  type        = string
}

variable "region" {
  description = "The bus's region."
  type        = string
}

variable "connection_id" {
  description = "The active connection of the bus, `in-…`, such as the output `connection_id` of the module `event-stream`. Not needed where `audit_logs` is false."
  type        = string
  default     = ""
}

variable "audit_logs" {
  description = "Whether this module selects the connection for the account's audit logs. An account has one such setting: false where something else makes it."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the rule, and the beginning of the queues' names."
  type        = string
  default     = "scalr-audit-trail"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "Names of rules and queues have 1 to 64 letters, digits, `-` or `_`."
  }
}

variable "actors" {
  description = "Addresses of the users whose actions are kept. Empty: everybody's, those of service accounts too."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for actor in var.actors : can(regex("^[^@ ]+@[^@ ]+$", actor))])
    error_message = "An actor is the address of a user, such as `alice@example.com`."
  }
}

variable "actions" {
  description = "Actions that are kept, such as `create-workspace`; `*` stands for any text: `*-workspace`. Empty: all."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for action in var.actions : can(regex("^[a-z0-9*_.-]+$", action)) && !strcontains(action, "**")])
    error_message = "An action has small letters, digits and hyphens, such as `create-workspace`; `*` stands for any text, and two of them do not follow each other."
  }
}

variable "outcomes" {
  description = "Outcomes that are kept: `SUCCESS`, `FAILURE`. Empty: both."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for outcome in var.outcomes : contains(["SUCCESS", "FAILURE"], outcome)])
    error_message = "An outcome is `SUCCESS` or `FAILURE`."
  }
}

variable "log_group_name" {
  description = "The CloudWatch log group, which is made."
  type        = string
  default     = "/scalr/audit-trail"
}

variable "retention_in_days" {
  description = "Days for which the log group keeps events. Null: forever."
  type        = number
  default     = 365
}

variable "log_group_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the log group; its policy must allow CloudWatch Logs to use it. Null: a key that AWS owns."
  type        = string
  default     = null
}

variable "archive" {
  description = "Whether the events also go to a queue, from which an archive of yours receives them."
  type        = bool
  default     = true
}

variable "archive_retention_in_days" {
  description = "Days for which the queue keeps events that nobody received, 1 to 14."
  type        = number
  default     = 14
  validation {
    condition     = var.archive_retention_in_days >= 1 && var.archive_retention_in_days <= 14 && floor(var.archive_retention_in_days) == var.archive_retention_in_days
    error_message = "SQS keeps messages for 14 days at most: a whole number from 1 to 14."
  }
}

variable "queue_kms_key_id" {
  description = "KMS key that encrypts the queues (ARN, id or alias); its policy must allow `events.amazonaws.com` to use it. Null: keys that SQS owns."
  type        = string
  default     = null
}

variable "delete_log_group" {
  description = "Delete the log group with the audit logs in it when its target is destroyed or replaced. For trials."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Delete the queues with the events in them when they are destroyed. The log group stays."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the rule and the queues."
  type        = map(string)
  default     = {}
}

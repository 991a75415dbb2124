variable "event_bus_name" {
  description = "The bus on which Scalr's events arrive, such as the output `event_bus_name` of the module `event-stream`."
  type        = string
}

variable "region" {
  description = "The bus's region."
  type        = string
}

variable "topic" {
  description = "The SNS topic that alerts go to, by `arn`; its policy is given a statement for them. One of `topic` and `webhook` is needed."
  type = object({
    arn = string
  })
  default = null
  validation {
    condition     = var.topic == null || can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.topic.arn))
    error_message = "The topic is named by its ARN, such as `arn:aws:sns:eu-west-1:123456789012:on-call`, and is no FIFO topic."
  }
}

variable "webhook" {
  description = <<-EOT
    The webhook that alerts are posted to: its URL, and the role that EventBridge assumes to call it (the README has one). The
    body is an object with the text in one member, `text` as in Slack. A URL that is itself a secret is in the state.
  EOT
  type = object({
    endpoint              = string
    role_arn              = string
    text_member           = optional(string, "text")
    secret_header         = optional(string, "x-scalr-alerts")
    rate_limit_per_second = optional(number, 1)
  })
  default = null
  validation {
    condition     = var.webhook == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", var.webhook.role_arn))
    error_message = "The role is named by its ARN, such as `arn:aws:iam::123456789012:role/NAME`."
  }
}

variable "webhook_secret" {
  description = "Value of the header `webhook.secret_header`. Webhooks whose URL is the secret need none; EventBridge sends a header anyway. It is in no plan and in no state."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = "none"
}

variable "webhook_secret_version" {
  description = "Any number; another one sends the secret again."
  type        = number
  default     = 1
}

variable "alert_on" {
  description = "What is worth an alert: `errored` runs, `destroyed` workspaces."
  type        = list(string)
  default     = ["errored", "destroyed"]
  validation {
    condition     = length(var.alert_on) > 0 && alltrue([for alert in var.alert_on : contains(["errored", "destroyed"], alert)])
    error_message = "What is worth an alert is `errored`, `destroyed`, or both."
  }
}

variable "environments" {
  description = "Names of the environments that alerts are about; `*` stands for any text: `prod-*`. Empty: all."
  type        = list(string)
  default     = []
}

variable "workspaces" {
  description = "Names of the workspaces that alerts are about; `*` stands for any text. Empty: all."
  type        = list(string)
  default     = []
}

variable "name" {
  description = "Beginning of the names of rules and queue, and name of the API destination."
  type        = string
  default     = "scalr-alerts"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,54}$", var.name))
    error_message = "Names of rules, of which this is the beginning, have 64 letters, digits, `-` or `_` at most: 1 to 54 here."
  }
}

variable "force_destroy" {
  description = "Delete the queue with the events in it when it is destroyed. For trials."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the rules and the queue."
  type        = map(string)
  default     = {}
}

variable "event_bus_name" {
  description = "The bus on which Scalr's events arrive, such as the output `event_bus_name` of the module `event-stream`."
  type        = string
}

variable "region" {
  description = "The bus's region."
  type        = string
}

variable "endpoint" {
  description = "URL that is called for each event, `https://…`."
  type        = string
}

variable "secret" {
  description = "API key, password or client secret for the endpoint. It is in no plan and in no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "secret_version" {
  description = "Any number; another one sends the secret again."
  type        = number
  default     = 1
}

variable "role_arn" {
  description = "Role that EventBridge assumes to call the endpoint: it may call `events:InvokeApiDestination`. The README has one."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "The role is named by its ARN, such as `arn:aws:iam::123456789012:role/NAME`."
  }
}

variable "name" {
  description = "Name of the rule and of the API destination, and the beginning of the queue's name."
  type        = string
  default     = "scalr-workflow"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "Names of rules, API destinations and queues have 1 to 64 letters, digits, `-` or `_`."
  }
}

variable "results" {
  description = "Results of the runs that count: `applied`, `planned_and_finished`, `errored`, `canceled`, `discarded`, `policy_soft_failed`. Empty: all."
  type        = list(string)
  default     = ["applied"]
  validation {
    condition     = alltrue([for result in var.results : contains(["applied", "planned_and_finished", "errored", "canceled", "discarded", "policy_soft_failed"], result)])
    error_message = "A result is one of `applied`, `planned_and_finished`, `errored`, `canceled`, `discarded` and `policy_soft_failed`."
  }
}

variable "environments" {
  description = "Names of the environments whose runs count; `*` stands for any text: `prod-*`. Empty: all."
  type        = list(string)
  default     = []
}

variable "workspaces" {
  description = "Names of the workspaces whose runs count; `*` stands for any text. Empty: all."
  type        = list(string)
  default     = []
}

variable "dry_runs" {
  description = "Whether runs that only plan count too."
  type        = bool
  default     = false
}

variable "event_pattern" {
  description = "A pattern of your own, in place of `results`, `environments`, `workspaces` and `dry_runs`: `provider::scalr::event_pattern(…)`."
  type        = string
  default     = null
}

variable "http_method" {
  description = "HTTP method of the calls."
  type        = string
  default     = "POST"
}

variable "headers" {
  description = "Further headers of the calls, by name. No secrets: they are in the state."
  type        = map(string)
  default     = null
}

variable "api_key_header" {
  description = "Header that carries the secret, where neither `basic_username` nor `oauth` is set."
  type        = string
  default     = "x-api-key"
}

variable "basic_username" {
  description = "User of HTTP Basic; the secret is the password."
  type        = string
  default     = null
}

variable "oauth" {
  description = "OAuth client credentials; the secret is the client's. Further members of the token request, such as `scope`, go in `body_parameters`."
  type = object({
    client_id              = string
    authorization_endpoint = string
    body_parameters        = optional(map(string), { grant_type = "client_credentials" })
  })
  default = null
}

variable "input_paths" {
  description = "JSON paths into the event, by the names that `input_template` uses."
  type        = map(string)
  default = {
    title       = "$.detail.title"
    run         = "$.detail.event.run-id"
    result      = "$.detail.event.result"
    workspace   = "$.detail.event.workspace"
    environment = "$.detail.event.environment"
    user        = "$.detail.event.user-email"
    time        = "$.time"
  }
}

variable "input_template" {
  description = "Body of the calls, with `<name>` where a value goes. Not `jsonencode(…)`, which writes `<` as `\\u003c`."
  type        = string
  default     = "{\"title\": <title>, \"run\": <run>, \"result\": <result>, \"workspace\": <workspace>, \"environment\": <environment>, \"user\": <user>, \"time\": <time>}"
}

variable "rate_limit_per_second" {
  description = "Calls a second at most; what comes above waits."
  type        = number
  default     = 5
  validation {
    condition     = var.rate_limit_per_second >= 1 && floor(var.rate_limit_per_second) == var.rate_limit_per_second
    error_message = "The rate is a whole number of calls a second, 1 at least."
  }
}

variable "maximum_retry_attempts" {
  description = "How often a call that failed is tried again, 0 to 185."
  type        = number
  default     = 10
}

variable "maximum_event_age_in_seconds" {
  description = "Seconds after which an event is given up, 60 to 86400."
  type        = number
  default     = 3600
}

variable "undelivered_retention_in_days" {
  description = "Days for which events that could not be delivered are kept, 1 to 14."
  type        = number
  default     = 14
  validation {
    condition     = var.undelivered_retention_in_days >= 1 && var.undelivered_retention_in_days <= 14 && floor(var.undelivered_retention_in_days) == var.undelivered_retention_in_days
    error_message = "SQS keeps messages for 14 days at most: a whole number from 1 to 14."
  }
}

variable "force_destroy" {
  description = "Delete the queue with the events in it when it is destroyed. For trials."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the rule and the queue."
  type        = map(string)
  default     = {}
}

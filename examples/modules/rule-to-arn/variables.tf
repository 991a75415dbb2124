variable "name" {
  description = "Name of the rule."
  type        = string
}

variable "event_bus_name" {
  description = "The bus on which Scalr's events arrive, such as the output of the module `event-stream`."
  type        = string
}

variable "region" {
  description = "The bus's region."
  type        = string
}

variable "event_pattern" {
  description = "Which events: `provider::scalr::event_pattern(…)`, or `jsonencode(…)` of a pattern of your own."
  type        = string
}

variable "target_arn" {
  description = "ARN of the target: an SQS queue, an SNS topic, a Lambda function, another bus. Its own policy must allow EventBridge."
  type        = string
}

variable "dead_letter_queue_arn" {
  description = "SQS queue for events that could not be delivered. Null: none."
  type        = string
  default     = null
}

variable "sample_type" {
  description = "The rule must match the sample of this type of event, else the plan fails. Null: not checked."
  type        = string
  default     = null
}

variable "sample_fields" {
  description = "Fields in which that sample differs, where the pattern has filters: `{ result = \"errored\", workspace = \"network\" }`."
  type        = any
  default     = {}
}

variable "name" {
  description = "Name of the connection, and the last part of the event source's name."
  type        = string
  default     = "prod"
}

variable "aws_account_id" {
  description = "The AWS account that receives the events. The default is the local AWS's."
  type        = string
  default     = "123456789012"
}

variable "region" {
  description = "The AWS region that receives the events."
  type        = string
  default     = "us-east-1"
}

variable "workspace_id" {
  description = "A workspace for the delivery check: a dry run is started in it. The default is the companion's."
  type        = string
  default     = "ws-v0local"
}

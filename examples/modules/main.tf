# The whole integration from modules, in another region than the quickstart's.

terraform {
  required_version = ">= 1.11"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

variable "workspace_id" {
  description = "A workspace for the delivery check: a dry run is started in it. The default is the companion's."
  type        = string
  default     = "ws-v0local"
}

variable "deployments_api_key" {
  description = "Key for the endpoint of the deployments. It is in no plan and in no state."
  type        = string
  ephemeral   = true
  default     = "set it with TF_VAR_deployments_api_key"
}

module "events" {
  source         = "./event-stream"
  name           = "platform"
  aws_account_id = "123456789012"
  region         = "eu-west-1"

  rules = {
    runs = {
      type              = "RunExecuted"
      log_group         = "/platform/runs"
      retention_in_days = 30
    }
    failures = {
      type        = "RunExecuted"
      filters     = { result = ["errored", "canceled"] }
      log_group   = "/platform/failures"
      description = "Runs that somebody must look at"
    }
    audit = {
      type              = "AuditLog"
      log_group         = "/platform/audit"
      retention_in_days = 365
    }
  }

  delivery_check = { workspace_id = var.workspace_id, rule = "runs" }
  tags           = { team = "platform" }
}

# What was done in the account, in a log group and a queue.
module "audit_trail" {
  source         = "./audit-trail"
  connection_id  = module.events.connection_id
  event_bus_name = module.events.event_bus_name
  region         = module.events.region
  # this is a trial: its destroy leaves nothing
  delete_log_group = true
  force_destroy    = true
}

# Each applied run is announced to the team that deploys on top of it.
module "deployments" {
  source         = "./workflow-automation"
  event_bus_name = module.events.event_bus_name
  region         = module.events.region
  endpoint       = "https://deployments.example.com/runs"
  secret         = var.deployments_api_key
  role_arn       = "arn:aws:iam::123456789012:role/eventbridge-calls-deployments"
  force_destroy  = true
}

# People read of failures and destroys in the environments that matter.
module "alerts" {
  source         = "./monitoring-alerts"
  event_bus_name = module.events.event_bus_name
  region         = module.events.region
  environments   = ["prod-*"]
  force_destroy  = true
  webhook_secret = "none" # the URL is the secret
  webhook = {
    endpoint = "https://hooks.example.com/alerts"
    role_arn = "arn:aws:iam::123456789012:role/eventbridge-posts-alerts"
  }
}

# Failures also wake somebody up.
module "page" {
  source         = "./rule-to-arn"
  name           = "page"
  event_bus_name = module.events.event_bus_name
  region         = module.events.region
  target_arn     = "arn:aws:sns:eu-west-1:123456789012:on-call"
  event_pattern  = provider::scalr::event_pattern("RunExecuted", { result = ["errored"], is_dry = false })
  sample_type    = "RunExecuted"
  sample_fields  = { result = "errored" }
}

# The security team is informed of each change of a workspace.
module "workspaces" {
  source         = "./rule-to-arn"
  name           = "workspaces"
  event_bus_name = module.events.event_bus_name
  region         = module.events.region
  target_arn     = "arn:aws:sqs:eu-west-1:123456789012:security"
  event_pattern  = provider::scalr::event_pattern("AuditLog", { action = [{ wildcard = "*-workspace" }] })
  sample_type    = "AuditLog"
  sample_fields  = { action = "delete-workspace" }
}

output "status" {
  description = "`active` once events flow."
  value       = module.events.status
}

output "log_groups" {
  description = "Where the events are kept."
  value       = module.events.log_groups
}

terraform {
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

import {
  to = scalr_eventbridge_connection.prod_us-east-1_123456789012
  id = "in-1"
}

resource "scalr_eventbridge_connection" "prod_us-east-1_123456789012" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

import {
  to = scalr_eventbridge_bus.prod
  id = "aws.partner/scalr.com/acme/prod@us-east-1"
}

resource "scalr_eventbridge_bus" "prod" {
  event_source_name = scalr_eventbridge_connection.prod_us-east-1_123456789012.event_source_name
  region            = scalr_eventbridge_connection.prod_us-east-1_123456789012.region
  description       = "The \"$${main}\"\nbus"
  dead_letter_config = {
    arn = "arn:aws:sqs:us-east-1:123456789012:lost"
  }
  log_config = {
    level = "INFO"
  }
  tags = {
    "team a" = "x"
  }
}

import {
  to = scalr_eventbridge_rule.prod_runs
  id = "aws.partner/scalr.com/acme/prod/runs@us-east-1"
}

resource "scalr_eventbridge_rule" "prod_runs" {
  name           = "runs"
  region         = scalr_eventbridge_bus.prod.region
  event_bus_name = scalr_eventbridge_bus.prod.name
  event_pattern = jsonencode({
    "detail-type" = ["RunExecuted"]
  })
  enabled = false
}

import {
  to = scalr_eventbridge_target.prod_runs_scalr_runs
  id = "aws.partner/scalr.com/acme/prod/runs/scalr-4251eb2d10fa5da7bb156632537dfd30@us-east-1"
}

resource "scalr_eventbridge_target" "prod_runs_scalr_runs" {
  rule           = scalr_eventbridge_rule.prod_runs.name
  region         = scalr_eventbridge_bus.prod.region
  event_bus_name = scalr_eventbridge_rule.prod_runs.event_bus_name
  target_id      = "scalr-4251eb2d10fa5da7bb156632537dfd30"
  log_group = {
    name              = "/scalr/runs"
    create            = true
    retention_in_days = 30
    kms_key_id        = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
  }
  input_transformer = {
    input_paths = {
      "id" = "$.id"
    }
    input_template = "{\"timestamp\": 1, \"message\": \"<id> %%{x}\"}\n"
  }
}

import {
  to = scalr_eventbridge_target.prod_runs_tickets
  id = "aws.partner/scalr.com/acme/prod/runs/Id5f8b1e6c-7f0a-4d6e-9d5c-0f2f6d1c2b3a@us-east-1"
}

resource "scalr_eventbridge_target" "prod_runs_tickets" {
  rule           = scalr_eventbridge_rule.prod_runs.name
  region         = scalr_eventbridge_bus.prod.region
  event_bus_name = scalr_eventbridge_rule.prod_runs.event_bus_name
  target_id      = "Id5f8b1e6c-7f0a-4d6e-9d5c-0f2f6d1c2b3a"
  arn            = "arn:aws:events:us-east-1:123456789012:api-destination/tickets/11111111-2222-3333-4444-555555555555"
  role_arn       = "arn:aws:iam::123456789012:role/calls"
}

import {
  to = scalr_eventbridge_target.prod_runs_queue
  id = "aws.partner/scalr.com/acme/prod/runs/queue@us-east-1"
}

resource "scalr_eventbridge_target" "prod_runs_queue" {
  rule           = scalr_eventbridge_rule.prod_runs.name
  region         = scalr_eventbridge_bus.prod.region
  event_bus_name = scalr_eventbridge_rule.prod_runs.event_bus_name
  target_id      = "queue"
  arn            = "arn:aws:sqs:us-east-1:123456789012:runs"
  retry_policy = {
    maximum_event_age_in_seconds = 60
  }
}

import {
  to = scalr_eventbridge_activation.prod_us-east-1_123456789012
  id = "in-1"
}

resource "scalr_eventbridge_activation" "prod_us-east-1_123456789012" {
  connection_id = scalr_eventbridge_connection.prod_us-east-1_123456789012.id
  depends_on = [
    scalr_eventbridge_target.prod_runs_scalr_runs,
    scalr_eventbridge_target.prod_runs_tickets,
    scalr_eventbridge_target.prod_runs_queue,
  ]
}

import {
  to = scalr_eventbridge_connection._1st__x
  id = "in-2"
}

resource "scalr_eventbridge_connection" "_1st__x" {
  name           = "1st \"x\"\n"
  aws_account_id = "123456789012"
  region         = "us-east-1"
  enabled        = false
}

import {
  to = scalr_eventbridge_activation._1st__x
  id = "in-2"
}

resource "scalr_eventbridge_activation" "_1st__x" {
  connection_id = scalr_eventbridge_connection._1st__x.id
}

import {
  to = scalr_eventbridge_connection.prod_us-east-1_999999999999
  id = "in-3"
}

resource "scalr_eventbridge_connection" "prod_us-east-1_999999999999" {
  name           = "prod"
  aws_account_id = "999999999999"
  region         = "us-east-1"
}

import {
  to = scalr_audit_log_setting.prod
  id = "acc-1"
}

resource "scalr_audit_log_setting" "prod" {
  connection_id = scalr_eventbridge_activation.prod_us-east-1_123456789012.connection_id
}

# Left out: one�resource

resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

data "scalr_eventbridge_connections" "all" {
  depends_on = [scalr_eventbridge_connection.prod]
}

data "scalr_eventbridge_connections" "of_the_account" {
  aws_account_id = scalr_eventbridge_connection.prod.aws_account_id
  name_prefix    = "prod"
}

output "regions" {
  value = { for one in data.scalr_eventbridge_connections.of_the_account.connections : one.id => one.region }
}

check "connections" {
  assert {
    condition     = alltrue([for one in data.scalr_eventbridge_connections.all.connections : one.status != "failed"])
    error_message = "A connection has failed; its `error_message` says why."
  }
}

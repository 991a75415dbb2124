resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}

# Event sources that nobody has associated with a bus: AWS removes them after two weeks.
data "scalr_eventbridge_sources" "pending" {
  state      = "PENDING"
  region     = scalr_eventbridge_connection.prod.region
  depends_on = [scalr_eventbridge_connection.prod]
}

output "pending" {
  value = { for one in data.scalr_eventbridge_sources.pending.sources : one.name => one.expiration_time }
}

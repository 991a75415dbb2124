# From `scalr-eventbridge`: no wider than the provider's own token, and narrower where `scopes` says so.
ephemeral "scalr_access_token" "reader" {
  description = "look up connections"
  expires_in  = 30
  scopes      = ["read"]
}

provider "scalr" {
  alias = "reader"
  token = ephemeral.scalr_access_token.reader.token
}

data "scalr_eventbridge_connections" "all" {
  provider = scalr.reader
}

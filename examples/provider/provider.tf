terraform {
  required_providers {
    scalr = {
      source = "scalr-eventbridge/scalr"
    }
  }
}

# hostname and token come from SCALR_HOSTNAME and SCALR_TOKEN, or from the credentials of the command-line tool for that host;
# AWS credentials come from AWS's own environment, profiles and roles.
provider "scalr" {
  aws = {
    region = "us-east-1"
    default_tags = {
      tags = { managed-by = "terraform" }
    }
  }
}

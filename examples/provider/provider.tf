terraform {
  required_version = ">= 1.8"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

# hostname and token come from SCALR_HOSTNAME and SCALR_TOKEN, or the token from what the Terraform or OpenTofu CLI has for that host;
# AWS credentials come from AWS's own environment, profiles and roles.
provider "scalr" {
  aws = {
    region = "us-east-1"
    default_tags = {
      tags = { managed-by = "terraform" }
    }
  }
}

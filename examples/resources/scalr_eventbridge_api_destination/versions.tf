terraform {
  required_version = ">= 1.11"
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}

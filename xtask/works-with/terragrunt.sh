#!/bin/sh
# Terragrunt generates a backend beside the module, initialises, applies and destroys. It is published as a program only.
set -eu
version=v0.78.0
if ! command -v terragrunt > /dev/null; then
  echo "not here: terragrunt $version or later, from https://github.com/gruntwork-io/terragrunt/releases, on the PATH"
  exit 0
fi
terragrunt --version
cp -r "$ROOT/examples/modules/event-stream" module
mkdir prod
cat > prod/terragrunt.hcl <<'HCL'
terraform {
  source = "../module"
}
remote_state {
  backend = "local"
  generate = {
    path      = "backend.tf"
    if_exists = "overwrite"
  }
  config = {
    path = "${get_terragrunt_dir()}/state.json"
  }
}
inputs = {
  name           = "platform"
  aws_account_id = "123456789012"
  region         = "us-east-1"
  rules          = { runs = { type = "RunExecuted", log_group = "/platform/runs" } }
}
HCL
cd prod
export TG_TF_PATH="$TERRAFORM" TG_NON_INTERACTIVE=true
terragrunt apply -auto-approve
test -s state.json
terragrunt destroy -auto-approve

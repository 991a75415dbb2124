#!/bin/sh
# Terragrunt generates a backend beside each of two units, the second of which takes the first one's bus: it applies both in
# order, finds nothing left to do, and destroys both. Its module needs the `replace` lines of its own go.mod.
set -eu
GOFLAGS=-mod=readonly go -C "$HERE/terragrunt" build -o "$BIN/terragrunt" github.com/gruntwork-io/terragrunt
"$BIN/terragrunt" --version
cp -r "$ROOT/examples/modules" modules
mkdir stream rule
cat > root.hcl <<'HCL'
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
HCL
cat > stream/terragrunt.hcl <<'HCL'
include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform {
  source = "../modules/event-stream"
}
inputs = {
  name           = "platform"
  aws_account_id = "123456789012"
  region         = "us-east-1"
  rules          = { runs = { type = "RunExecuted", log_group = "/platform/runs" } }
}
HCL
cat > rule/terragrunt.hcl <<'HCL'
include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform {
  source = "../modules/rule-to-arn"
}
dependency "stream" {
  config_path                             = "../stream"
  mock_outputs                            = { event_bus_name = "not-made-yet", region = "us-east-1" }
  mock_outputs_allowed_terraform_commands = ["validate"]
}
inputs = {
  name           = "notify"
  event_bus_name = dependency.stream.outputs.event_bus_name
  region         = dependency.stream.outputs.region
  event_pattern  = jsonencode({ detail-type = ["RunExecuted"] })
  target_arn     = "arn:aws:lambda:us-east-1:123456789012:function:notify"
}
HCL
export TG_TF_PATH="$TERRAFORM" TG_NON_INTERACTIVE=true
"$BIN/terragrunt" run --all apply
test -s stream/state.json
test -s rule/state.json
"$BIN/terragrunt" run --all plan -- -detailed-exitcode
"$BIN/terragrunt" run --all destroy

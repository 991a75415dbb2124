#!/bin/sh
# terraform-ls, the language server of editors, completes and explains the provider's attributes once `init` has installed it.
set -eu
version=v0.39.0
GOBIN="$BIN" go install "github.com/hashicorp/terraform-ls@$version"
cat > main.tf <<'HCL'
terraform {
  required_providers {
    scalr = { source = "scalr-eventbridge/scalr" }
  }
}

resource "scalr_eventbridge_connection" "prod" {
  name = "prod"
  
}
HCL
"$TERRAFORM" init -input=false -no-color
# The server looks for `terraform` on the PATH.
mkdir path
ln -s "$TERRAFORM" path/terraform
PATH="$PWD/path:$PATH" python3 "$HERE/terraform-ls.py" "$BIN/terraform-ls"

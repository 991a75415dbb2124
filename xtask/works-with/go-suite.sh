#!/bin/sh
# HashiCorp's terraform-plugin-testing, with which providers and modules are tested in Go: applies, plans empty, imports,
# destroys. It always disables the plugin's TLS.
set -eu
cp "$HERE"/go-suite/* .
TF_ACC=1 TF_ACC_TERRAFORM_PATH="$TERRAFORM" go test -count=1 -v ./...

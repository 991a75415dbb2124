#!/bin/sh
# tflint with its default rules finds no issue in anything that readers copy.
set -eu
version=v0.64.0
GOBIN="$BIN" go install "github.com/terraform-linters/tflint@$version"
"$BIN/tflint" --version
cp -r "$ROOT/examples" .
cd examples
"$BIN/tflint" --recursive

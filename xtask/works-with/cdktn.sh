#!/bin/sh
# CDK Terrain (cdktn): typed classes are generated from the provider's schema, a stack of them is applied and destroyed.
set -eu
cp "$HERE"/cdktn/* .
npm ci --no-audit --no-fund --loglevel=error
# It needs Node 22, which it brings with it.
PATH="$PWD/node_modules/.bin:$PATH"
export TERRAFORM_BINARY_NAME="$TERRAFORM" CDKTF_DISABLE_PLUGIN_CACHE_ENV=1 DISABLE_VERSION_CHECK=1 CI=1
cdktn get
tsc --noEmit
# What records checksums before each deployment asks the registry, whatever the CLI configuration says.
cdktn deploy --skip-provider-lock --auto-approve prod
cdktn destroy --skip-provider-lock --auto-approve prod

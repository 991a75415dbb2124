#!/bin/sh
# CDK Terrain (cdktn): typed classes are generated from the provider's schema, a stack of them is applied and destroyed.
set -eu
cp "$HERE"/cdktn/* .
npm ci --no-audit --no-fund --loglevel=error
export TERRAFORM_BINARY_NAME="$TERRAFORM" CDKTF_DISABLE_PLUGIN_CACHE_ENV=1 DISABLE_VERSION_CHECK=1 CI=1
npx cdktn get
npx tsc --noEmit
npx cdktn deploy --auto-approve prod
npx cdktn destroy --auto-approve prod

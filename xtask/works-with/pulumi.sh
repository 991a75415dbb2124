#!/bin/sh
# Pulumi's bridge for any Terraform provider reads the provider's schema. Its plugin `terraform-provider` is published as a
# program only.
set -eu
if ! command -v pulumi > /dev/null; then
  echo "not here: pulumi, from https://www.pulumi.com/docs/install, on the PATH; it fetches its plugin terraform-provider itself"
  exit 0
fi
pulumi version
pulumi package get-schema terraform-provider "$PROVIDER" > schema.json
python3 - <<'PY'
import json
found = json.load(open("schema.json"))["resources"]
wanted = {"EventbridgeConnection", "EventbridgeBus", "EventbridgeRule", "EventbridgeTarget"}
missing = wanted - {token.rsplit(":", 1)[1] for token in found}
assert not missing, f"{missing} of {sorted(found)}"
print(len(found), "resources")
PY

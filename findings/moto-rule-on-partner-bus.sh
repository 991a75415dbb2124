#!/bin/sh
# moto cuts a partner event bus's name at its last slash, so no rule can be put on it.
# Package: moto 5.2.5 with boto3 1.44.8 (PyPI)
# Seen: CreateEventBus for a partner source succeeds; PutRule, and PutEvents, on that bus name answer that a bus named by the last segment does not exist.
# Documented: PutRule takes an event bus by name or ARN; a partner bus's name holds slashes (CreateEventBus, EventBridge API Reference).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[events,logs]==5.2.5' boto3==1.44.8 botocore==1.44.8
cat > "$work/seen.py" <<'PY'
import json

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

SOURCE = "aws.partner/example.com/acme/prod"
with mock_aws():
    events = boto3.client("events")
    events.create_partner_event_source(Name=SOURCE, Account="123456789012")
    events.create_event_bus(Name=SOURCE, EventSourceName=SOURCE)
    print(events.describe_event_bus(Name=SOURCE)["Name"])
    try:
        events.put_rule(Name="r", EventBusName=SOURCE, EventPattern=json.dumps({"account": ["123456789012"]}))
    except ClientError as error:
        print(error.response["Error"]["Code"], error.response["Error"]["Message"])
PY
cat > "$work/expected" <<'OUT'
aws.partner/example.com/acme/prod
ResourceNotFoundException Event bus prod does not exist.
OUT
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(moto|boto3) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

#!/bin/sh
# moto answers PutPartnerEvents with no entry, and delivers to the default bus.
# Package: moto 5.2.5 with boto3 1.44.8 (PyPI)
# Seen: One entry put on a source that has a partner bus: `Entries` of the answer is empty, and the event reaches a rule on the customer's default bus.
# Documented: The answer has an entry for each entry of the request, with its EventId; partner events reach the bus that is associated with the source (PutPartnerEvents, EventBridge API Reference).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[events,logs]==5.2.5' boto3==1.44.8 botocore==1.44.8
cat > "$work/seen.py" <<'PY'
import json

import boto3
from moto import mock_aws

SOURCE = "aws.partner/example.com/acme/prod"
with mock_aws():
    events, logs = boto3.client("events"), boto3.client("logs")
    events.create_partner_event_source(Name=SOURCE, Account="123456789012")
    events.create_event_bus(Name=SOURCE, EventSourceName=SOURCE)
    logs.create_log_group(logGroupName="/aws/events/default")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": [SOURCE]}))
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/default"
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    answer = events.put_partner_events(Entries=[{"Source": SOURCE, "DetailType": "RunExecuted", "Detail": "{}"}])
    print("failed", answer["FailedEntryCount"], "entries", answer["Entries"])
    found = logs.filter_log_events(logGroupName="/aws/events/default")["events"]
    print("on the default bus", [json.loads(event["message"])["source"] for event in found])
PY
cat > "$work/expected" <<'OUT'
failed 0 entries []
on the default bus ['aws.partner/example.com/acme/prod']
OUT
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(moto|boto3) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

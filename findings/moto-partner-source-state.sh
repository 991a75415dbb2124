#!/bin/sh
# moto calls a partner event source ACTIVE before it has an event bus, and after its bus is deleted.
# Package: moto 5.2.5 with boto3 1.44.8 (PyPI)
# Seen: DescribeEventSource answers ACTIVE right after CreatePartnerEventSource, with the bus, and after DeleteEventBus.
# Documented: PENDING until the source is associated with an event bus; deleting the bus sends it back to PENDING (EventSource, EventBridge API Reference; receiving events from a partner, EventBridge User Guide).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[events,logs]==5.2.5' boto3==1.44.8 botocore==1.44.8
cat > "$work/seen.py" <<'PY'
import boto3
from moto import mock_aws

SOURCE = "aws.partner/example.com/acme/prod"
with mock_aws():
    events = boto3.client("events")
    state = lambda: events.describe_event_source(Name=SOURCE)["State"]
    events.create_partner_event_source(Name=SOURCE, Account="123456789012")
    print("without a bus", state())
    events.create_event_bus(Name=SOURCE, EventSourceName=SOURCE)
    print("with a bus", state())
    events.delete_event_bus(Name=SOURCE)
    print("bus deleted", state())
PY
cat > "$work/expected" <<'OUT'
without a bus ACTIVE
with a bus ACTIVE
bus deleted ACTIVE
OUT
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(moto|boto3) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

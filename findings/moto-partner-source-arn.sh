#!/bin/sh
# moto repeats the prefix `aws.partner/` in the ARN of a partner event source.
# Package: moto 5.2.5 with boto3 1.44.8 (PyPI)
# Seen: CreatePartnerEventSource and DescribeEventSource give an ARN whose resource is `event-source/aws.partner/` followed by the whole name, which begins with `aws.partner/` too; CreatedBy is `aws.partner` instead of the partner.
# Documented: An event source's ARN is `arn:aws:events:REGION::event-source/NAME`, and CreatedBy is the partner's name (DescribeEventSource, EventBridge API Reference).
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
    print(events.create_partner_event_source(Name=SOURCE, Account="123456789012")["EventSourceArn"])
    print(events.describe_event_source(Name=SOURCE)["CreatedBy"])
PY
cat > "$work/expected" <<'OUT'
arn:aws:events:us-east-1::event-source/aws.partner/aws.partner/example.com/acme/prod
aws.partner
OUT
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(moto|boto3) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

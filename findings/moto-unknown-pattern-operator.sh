#!/bin/sh
# moto's PutRule takes a pattern with an operator that does not exist.
# Package: moto 5.2.5 with boto3 1.44.8 (PyPI)
# Seen: A misspelt operator (`sufix`) is stored; a plain value in place of a list is refused.
# Documented: InvalidEventPatternException: the operators are a closed set (comparison operators in event patterns, EventBridge User Guide).
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

with mock_aws():
    events = boto3.client("events")
    for pattern in ({"source": [{"sufix": "x"}]}, {"source": "x"}):
        try:
            events.put_rule(Name="r", EventPattern=json.dumps(pattern))
            print("taken", json.dumps(pattern))
        except ClientError as error:
            print(error.response["Error"]["Code"], json.dumps(pattern))
PY
cat > "$work/expected" <<'OUT'
taken {"source": [{"sufix": "x"}]}
InvalidEventPatternException {"source": "x"}
OUT
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(moto|boto3) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

#!/bin/sh
# moto answers TestEventPattern without its one member, `Result`.
# Package: moto 5.2.5 with boto3 1.44.8 (PyPI)
# Seen: The call succeeds for an event that matches and for one that does not; neither answer has `Result`.
# Documented: The answer's `Result` says whether the event matches (TestEventPattern, EventBridge API Reference).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[events,logs]==5.2.5' boto3==1.44.8 botocore==1.44.8
cat > "$work/seen.py" <<'PY'
import json

import boto3
from moto import mock_aws

event = {
    "id": "1", "account": "123456789012", "source": "acme", "time": "2024-04-19T13:44:02Z",
    "region": "us-east-1", "resources": [], "detail-type": "RunExecuted", "detail": {},
}
with mock_aws():
    events = boto3.client("events")
    for source in ("acme", "another"):
        answer = events.test_event_pattern(EventPattern=json.dumps({"source": [source]}), Event=json.dumps(event))
        print(source, answer["ResponseMetadata"]["HTTPStatusCode"], sorted(set(answer) - {"ResponseMetadata"}))
PY
cat > "$work/expected" <<'OUT'
acme 200 []
another 200 []
OUT
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(moto|boto3) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

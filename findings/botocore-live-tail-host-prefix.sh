#!/bin/sh
# botocore puts `stream-` before the host of a custom endpoint for StartLiveTail, even when that host is an IP address.
# Package: boto3 1.44.8 with botocore 1.44.8 (PyPI)
# Seen: A client of CloudWatch Logs with `endpoint_url` http://127.0.0.1:PORT sends DescribeLogGroups to that host, and StartLiveTail to stream-127.0.0.1, a name that does not exist. With `Config(inject_host_prefix=False)`, or AWS_DISABLE_HOST_PREFIX_INJECTION=true, both go to 127.0.0.1.
# Documented: `endpoint_url` is "the complete URL to use for the constructed client" (Session.client, Boto3 reference); what turns the prefix off is in the description of `inject_host_prefix` (Config, botocore reference) and not there.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
cat > "$work/seen.py" <<'PY'
import os
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/acme"


def initial_response():
    """The event stream's first message, with an empty body."""
    headers = b""
    for name, value in ((":message-type", "event"), (":event-type", "initial-response")):
        headers += struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
    message = struct.pack("!II", len(headers) + 18, len(headers))
    message += struct.pack("!I", zlib.crc32(message)) + headers + b"{}"
    return message + struct.pack("!I", zlib.crc32(message))


class Local(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        live = self.headers["X-Amz-Target"].endswith(".StartLiveTail")
        body = initial_response() if live else b'{"logGroups": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream" if live else "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


server = HTTPServer(("127.0.0.1", 0), Local)
threading.Thread(target=server.serve_forever, daemon=True).start()


def ask(title, **settings):
    config = Config(retries={"total_max_attempts": 1}, **settings)
    logs = boto3.client("logs", endpoint_url=f"http://127.0.0.1:{server.server_port}", config=config)
    asked = []
    logs.meta.events.register("before-send.*", lambda request, **_: asked.append(urlsplit(request.url).hostname))
    for call, words in ((logs.describe_log_groups, {}), (logs.start_live_tail, {"logGroupIdentifiers": [GROUP]})):
        try:
            result = call(**words)["ResponseMetadata"]["HTTPStatusCode"]
        except EndpointConnectionError as error:
            result = type(error).__name__
        print(title, call.__name__, asked.pop(), result)


ask("as it is:")
ask("inject_host_prefix=False:", inject_host_prefix=False)
os.environ["AWS_DISABLE_HOST_PREFIX_INJECTION"] = "true"
ask("AWS_DISABLE_HOST_PREFIX_INJECTION:")
PY
cat > "$work/expected" <<'OUT'
as it is: describe_log_groups 127.0.0.1 200
as it is: start_live_tail stream-127.0.0.1 EndpointConnectionError
inject_host_prefix=False: describe_log_groups 127.0.0.1 200
inject_host_prefix=False: start_live_tail 127.0.0.1 200
AWS_DISABLE_HOST_PREFIX_INJECTION: describe_log_groups 127.0.0.1 200
AWS_DISABLE_HOST_PREFIX_INJECTION: start_live_tail 127.0.0.1 200
OUT
env -u AWS_PROFILE -u AWS_DISABLE_HOST_PREFIX_INJECTION -u HTTP_PROXY -u http_proxy -u ALL_PROXY -u all_proxy \
  AWS_CONFIG_FILE="$work/none" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$work/venv/bin/python" "$work/seen.py" > "$work/actual"
"$work/venv/bin/pip" list --disable-pip-version-check 2> /dev/null | grep -E '^(boto3|botocore) '
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

"""Speaks to terraform-ls as an editor does: opens main.tf, completes in a resource, hovers over an attribute."""

import json
import pathlib
import subprocess
import sys
import time

WITHIN_SECONDS = 120
FILE = pathlib.Path("main.tf").resolve()
LINES = FILE.read_text().splitlines()
NAME_LINE = next(number for number, line in enumerate(LINES) if line.startswith("  name"))

server = subprocess.Popen([sys.argv[1], "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
last_id = 0


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    server.stdin.flush()


def receive():
    length = 0
    while (line := server.stdout.readline().strip()):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return json.loads(server.stdout.read(length))


def ask(method, params):
    """The answer to a request; what the server itself asks meanwhile is answered with nothing."""
    global last_id
    last_id += 1
    send({"id": last_id, "method": method, "params": params})
    while True:
        message = receive()
        if message.get("id") == last_id and "method" not in message:
            if "error" in message:
                raise SystemExit(f"{method}: {message['error']}")
            return message["result"]
        if "id" in message:
            send({"id": message["id"], "result": None})


def at(line, character):
    return {"textDocument": {"uri": FILE.as_uri()}, "position": {"line": line, "character": character}}


def until(what, look):
    """The server reads schemas in the background: asks again until it knows them."""
    started = time.monotonic()
    while time.monotonic() - started < WITHIN_SECONDS:
        found = look()
        if found:
            print(f"{what}: {found}")
            return
        time.sleep(0.5)
    raise SystemExit(f"not within {WITHIN_SECONDS} s: {what}")


def completions():
    items = (ask("textDocument/completion", at(NAME_LINE + 1, 2)) or {}).get("items", [])
    labels = [item["label"] for item in items]
    return labels if {"aws_account_id", "region"} <= set(labels) else None


def hover():
    found = ask("textDocument/hover", at(NAME_LINE, 3)) or {}
    text = found.get("contents", {}).get("value", "")
    return text if "event source" in text else None


root = FILE.parent.as_uri()
ask("initialize", {"processId": None, "rootUri": root, "capabilities": {}, "workspaceFolders": [{"uri": root, "name": "here"}]})
send({"method": "initialized", "params": {}})
document = {"uri": FILE.as_uri(), "languageId": "terraform", "version": 1, "text": FILE.read_text()}
send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
until("completes in the resource", completions)
until("explains `name`", hover)
server.kill()

#!/bin/sh
# hashicorp/jsonapi refuses a time with an offset such as `+00:00` in a field tagged `iso8601`, and says that only strings can be parsed.
# Package: github.com/hashicorp/jsonapi 1.5.0 (Go modules)
# Seen: Of a JSON:API document with one attribute, a time that ends in `Z` is read, with a fraction of the second too; the same instants with `+00:00` and `+02:00`, which are strings and ISO 8601, are refused. The tag `rfc3339` reads all four. Either tag writes whole seconds: the fraction is lost.
# Documented: "iso8601" uses the ISO8601 timestamp format when serialising or deserialising (package documentation); that only `Z` is taken is said nowhere, and neither is the loss of the fraction.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/main.go" <<'GO'
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/jsonapi"
)

type iso8601 struct {
	ID string    `jsonapi:"primary,runs"`
	At time.Time `jsonapi:"attr,created-at,iso8601"`
}

type rfc3339 struct {
	ID string    `jsonapi:"primary,runs"`
	At time.Time `jsonapi:"attr,created-at,rfc3339"`
}

func show(tag, at string, model any) {
	document := fmt.Sprintf(`{"data": {"type": "runs", "id": "run-1", "attributes": {"created-at": %q}}}`, at)
	if err := jsonapi.UnmarshalPayload(strings.NewReader(document), model); err != nil {
		fmt.Println(tag, at, "refused:", err)
		return
	}
	var written bytes.Buffer
	if err := jsonapi.MarshalPayload(&written, model); err != nil {
		fmt.Println(tag, at, err)
		return
	}
	var payload jsonapi.OnePayload
	if err := json.Unmarshal(written.Bytes(), &payload); err != nil {
		fmt.Println(tag, at, err)
		return
	}
	fmt.Println(tag, at, "read, and written as", payload.Data.Attributes["created-at"])
}

func main() {
	times := []string{"2024-04-19T13:44:02Z", "2024-04-19T13:44:02.789Z", "2024-04-19T13:44:02+00:00", "2024-04-19T15:44:02+02:00"}
	for _, at := range times {
		show("iso8601", at, &iso8601{})
	}
	for _, at := range times {
		show("rfc3339", at, &rfc3339{})
	}
}
GO
cat > "$work/expected" <<'OUT'
iso8601 2024-04-19T13:44:02Z read, and written as 2024-04-19T13:44:02Z
iso8601 2024-04-19T13:44:02.789Z read, and written as 2024-04-19T13:44:02Z
iso8601 2024-04-19T13:44:02+00:00 refused: Only strings can be parsed as dates, ISO8601 timestamps
iso8601 2024-04-19T15:44:02+02:00 refused: Only strings can be parsed as dates, ISO8601 timestamps
rfc3339 2024-04-19T13:44:02Z read, and written as 2024-04-19T13:44:02Z
rfc3339 2024-04-19T13:44:02.789Z read, and written as 2024-04-19T13:44:02Z
rfc3339 2024-04-19T13:44:02+00:00 read, and written as 2024-04-19T13:44:02Z
rfc3339 2024-04-19T15:44:02+02:00 read, and written as 2024-04-19T13:44:02Z
OUT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off GO111MODULE=on
go mod init finding 2> /dev/null
go get github.com/hashicorp/jsonapi@v1.5.0 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
go build -o seen .
./seen > "$work/actual"
go list -m github.com/hashicorp/jsonapi
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

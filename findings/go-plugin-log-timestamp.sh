#!/bin/sh
# go-plugin takes the level of a plugin's JSON log line only when its `@timestamp` has exactly six digits after the second.
# Package: github.com/hashicorp/go-plugin 1.8.0 with go-hclog 1.6.3 (Go modules)
# Seen: A host that logs from INFO on starts a plugin which writes error lines in JSON to stderr, each with another RFC 3339 time. Six digits, and no `@timestamp` at all, are logged as errors; a whole second, three digits and nine digits count as text of level DEBUG, so that they are lost.
# Documented: Logs of a plugin that uses hclog are sent to the host and are structured (Features, go-plugin README); the guide to plugins in other languages says nothing of the log, and nothing limits the form of the time.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/plugin" <<'PLUGIN'
#!/bin/sh
say() { printf '{"@level":"error","@message":"%s"%s}\n' "$1" "$2" >&2; }
say 'six digits' ',"@timestamp":"2024-04-19T13:44:02.000000Z"'
say 'a whole second' ',"@timestamp":"2024-04-19T13:44:02Z"'
say 'three digits' ',"@timestamp":"2024-04-19T13:44:02.000Z"'
say 'nine digits' ',"@timestamp":"2024-04-19T13:44:02.000000000Z"'
say 'no time' ''
echo '1|1|tcp|127.0.0.1:9|grpc'
PLUGIN
chmod +x "$work/plugin"
cat > "$work/main.go" <<'GO'
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

func run(level hclog.Level) {
	read, write := io.Pipe()
	done := make(chan string)
	go func() {
		all, _ := io.ReadAll(read)
		done <- string(all)
	}()
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "COOKIE", MagicCookieValue: "1"},
		Plugins:          plugin.PluginSet{},
		Cmd:              exec.Command(os.Args[1]),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: level, Output: write, DisableTime: true}),
	})
	if _, err := client.Start(); err != nil {
		fmt.Println(err)
	}
	for !client.Exited() {
		time.Sleep(10 * time.Millisecond)
	}
	write.Close()
	for _, line := range strings.Split(<-done, "\n") {
		if strings.Contains(line, "@") || strings.Contains(line, "[ERROR]") {
			// The plugin's own lines, without the times that go-plugin repeats as a pair.
			line, _, _ = strings.Cut(line, ": timestamp=")
			fmt.Println(level, line)
		}
	}
}

func main() {
	run(hclog.Info)
	run(hclog.Debug)
}
GO
cat > "$work/expected" <<'OUT'
info [ERROR] plugin: six digits
info [ERROR] plugin: no time
debug [ERROR] plugin: six digits
debug [DEBUG] plugin: {"@level":"error","@message":"a whole second","@timestamp":"2024-04-19T13:44:02Z"}
debug [DEBUG] plugin: {"@level":"error","@message":"three digits","@timestamp":"2024-04-19T13:44:02.000Z"}
debug [DEBUG] plugin: {"@level":"error","@message":"nine digits","@timestamp":"2024-04-19T13:44:02.000000000Z"}
debug [ERROR] plugin: no time
OUT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off GO111MODULE=on
go mod init finding 2> /dev/null
go get github.com/hashicorp/go-plugin@v1.8.0 github.com/hashicorp/go-hclog@v1.6.3 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
go build -o host .
./host "$work/plugin" > "$work/actual"
go list -m github.com/hashicorp/go-plugin github.com/hashicorp/go-hclog
cat "$work/actual"
diff -u "$work/expected" "$work/actual"

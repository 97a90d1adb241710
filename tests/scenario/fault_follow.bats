#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of libsse-follow with sse-serve: many followers in one process, and servers that are killed.
# ThreadSanitizer runs this file, too.

load tls_helpers

setup() {
	tls_setup
}

@test "eight followers in as many threads each get every event once, and another thread stops them" {
	serve --db :memory:
	"$TOOLS/follow_threads" "$URL/api/a/event" 8 50 >got 2>&1 3>&- &
	local pid=$!
	wait_for has got open
	seq 50 | post a
	ended "$pid" 0
	[ "$(tail -n 1 got)" = 'stopped 8' ]
}

@test "a server that is killed amid TLS streams, and comes back: each event once" {
	serve_tls
	local address=$PORT
	SSE_URL=https://localhost:$PORT
	"$TOOLS/follow_library" "$SSE_URL/api/a/event" ca_file=ca.pem delay=10 stop=6 >got 2>&1 3>&- &
	local pid=$! i
	wait_for has got open
	for i in 1 2 3; do
		URL=$SSE_URL post a -d "$((i * 2 - 1))"
		URL=$SSE_URL post a -d "$((i * 2))"
		wait_for has got "($((i * 2)))"
		[ "$i" -lt 3 ] || break
		kill -KILL "$PID"
		wait "$PID" || true
		PID=
		serve_at "$address" --tls-cert server.pem --tls-key server.key
	done
	ended "$pid" 3
	[ "$(sed -n 's/^event (update)([^)]*)(\([0-9]*\)) .*/\1/p' got | xargs)" = '1 2 3 4 5 6' ]
	run -6 --separate-stderr "$TOOLS/follow_library" "$SSE_URL/api/a/event"
	[[ $stderr == "$SSE_URL/api/a/event has a certificate that is not trusted: "* ]]
}

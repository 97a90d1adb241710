#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: clients that reset, close half, send a byte a second, or come and go by
# the thousands.  make fault sends FAULT_STORM of them, and has names come and go FAULT_FLAPS times.
# ThreadSanitizer runs this file, too.

load serve_helpers

# What the server alone has in memory, in KiB.  Its share of the program and the libraries is left
# out: that changes when another process that runs them begins or ends.
memory() {
	awk '$1 == "Pss:" { all = $2 } $1 == "Pss_File:" { file = $2 } END { print all - file }' \
		"/proc/$PID/smaps_rollup"
}

# storm [OPTION]...: a server with these lives through it and is as before; its figures are shown.
storm() {
	local count=10000 start end
	[ -z "${SANITIZER:-}" ] || count=2000
	count=${FAULT_STORM:-$count}
	# What is published would stay in a larger window, as it should.
	serve --window 64k --max-body 8k "$@"
	follow stream /api/storm/event
	ask "$URL/healthz"
	before=$(descriptors)
	"$TOOLS/hostile" "$PORT" storm 2000
	wait_for down_to "$before"
	start=$(memory)
	"$TOOLS/hostile" "$PORT" storm "$count"
	wait_for down_to "$before"
	end=$(memory)
	echo "# $count connections: $before descriptors before, $(descriptors) after; $start KiB" \
		"before, $end KiB after" >&3
	grown=$((end - start))
	text storm 'the end'
	answers 201
	wait_for has stream 'data: the end'
}

@test "500 streams with names come and go: in the end everybody agrees on who is there, and nothing stays" {
	local start end
	# Large enough that no loop is ever overtaken: its readers would miss some.
	serve --loops 2 --presence-grace 0 --window 4M
	"$TOOLS/flap" "$PORT" flap 500 2000 1
	ask "$URL/healthz"
	before=$(descriptors)
	start=$(memory)
	"$TOOLS/flap" "$PORT" flap 500 "${FAULT_FLAPS:-4000}" 2 >figures
	sed 's,^,# ,' figures >&3
	wait_for down_to "$before"
	end=$(memory)
	nobody() {
		ask "$URL/api/flap/presence" && [ "$(cat body)" = '{"count":0,"names":[],"streams":0}' ]
	}
	wait_for nobody
	[ -n "${SANITIZER:-}" ] || [ $((end - start)) -lt 8000 ]
}

@test "thousands of clients connect and go, whole, halfway and by reset: nothing of them stays" {
	local before grown
	storm --db :memory:
	[ -n "${SANITIZER:-}" ] || [ "$grown" -lt 1024 ]
}

@test "the same with a database, of which some stays in its caches" {
	local before grown
	storm
	# SQLite has up to 2 MB for each of the two connections.
	[ -n "${SANITIZER:-}" ] || [ "$grown" -lt 5000 ]
}

@test "a client that resets its stream is gone at once, and the others go on" {
	serve
	local before i
	follow stream /api/any/event
	ask "$URL/healthz"
	before=$(descriptors)
	for i in {1..50}; do
		"$TOOLS/hostile" "$PORT" reset /api/any/event
	done
	text any heard
	answers 201
	wait_for has stream 'data: heard'
	wait_for down_to "$before"
}

@test "a client that closes its sending side ends its stream, and the others go on" {
	serve
	local before reader
	follow stream /api/any/event
	ask "$URL/healthz"
	before=$(descriptors)
	"$TOOLS/hostile" "$PORT" half /api/any/event >rest 3>&- &
	reader=$!
	wait_for gone "$reader"
	wait "$reader"
	has rest 'retry:'
	wait_for down_to "$before"
	text any heard
	wait_for has stream 'data: heard'
}

@test "clients that send a byte a second are cut off, and hold nobody up" {
	serve --request-timeout 2s
	local before i readers=()
	ask "$URL/healthz"
	before=$(descriptors)
	for i in {1..30}; do
		"$TOOLS/hostile" "$PORT" drip 'POST /api/any HTTP/1.1' >"drip$i" 3>&- &
		readers+=($!)
	done
	text any heard
	answers 201
	for i in "${readers[@]}"; do
		wait_for gone "$i"
	done
	wait_for down_to "$before"
	# Nobody got to the end of its request.
	ask "$URL/api/any"
	[ "$(cat body)" = '["heard"]' ]
}

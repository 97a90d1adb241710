#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: limits on streams, and readers that take nothing.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154,SC2317
# ThreadSanitizer runs this file, too.

load serve_helpers

@test "beyond --max-streams a stream gets 503 and a reason; open ones are untouched" {
	serve --max-streams 2
	follow one /api/any/event
	follow two /api/any/event
	ask "$URL/api/any/event"
	problem 503 'max-streams'
	[ -n "$(header Retry-After)" ]
	# HEAD says what GET would.
	ask --head "$URL/api/any/event"
	answers 503
	text any 1
	answers 201
	wait_for has one 'data: 1'
	wait_for has two 'data: 1'
	# One that leaves makes room.
	kill "$FOLLOWER"
	wait_for opens /api/any/event
	# HEAD opens none.
	local i
	for i in 1 2 3; do
		ask -I "$URL/api/any/event"
		answers 200
	done
	follow two /api/any/event
}

@test "beyond --max-streams-per-address one more gets 429, but not on loopback" {
	local address
	address=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 '\.') || true
	serve --open --listen 0.0.0.0:0 --max-streams-per-address 2
	local i port
	for i in 1 2 3 4; do
		follow "loop.$i" /api/any/event
	done
	[ -n "$address" ] || skip 'this machine has no address beyond loopback'
	port=$(sed -n 's/.*Listening on .*0\.0\.0\.0:\([0-9]*\).*/\1/p' err | tail -n 1)
	URL=http://$address:$port
	follow one /api/any/event
	follow two /api/any/event
	ask "$URL/api/any/event"
	problem 429 'max-streams-per-address'
	[ -n "$(header Retry-After)" ]
	text any 1
	wait_for has one 'data: 1'
	kill "$FOLLOWER"
	wait_for opens /api/any/event
}

@test "a reader that takes nothing for --stall-timeout is closed; a slow one is not; it may resume" {
	serve --stall-timeout 2s --heartbeat 500ms
	local before slow i
	letters 300000 >large
	# It reads its head and then never again.
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /api/any/event HTTP/1.1\r\nHost: localhost\r\n\r\n' >&5
	local line id
	while IFS= read -r -t 60 line <&5; do
		case $line in 'id: '*) id=${line#id: } && break ;; esac
	done
	[ -n "$id" ]
	# It reads slowly, but reads.
	curl -sN --limit-rate 400k "$URL/api/any/event" >slow 3>&- 2>&1 &
	slow=$!
	wait_for has slow 'id: '
	before=$(descriptors)
	for i in {1..40}; do
		text any @large
		answers 201
	done
	fewer() {
		[ "$(descriptors)" -lt "$before" ]
	}
	wait_for fewer
	kill -0 "$slow"
	exec 5>&-
	follow resumed /api/any/event -H "Last-Event-ID: $id"
	complete() {
		counts resumed 'event: update' 40
	}
	wait_for complete
	not has resumed gap
	kill -0 "$slow"
}

@test "a stream that is silent for longer than --stall-timeout stays open" {
	serve --stall-timeout 300ms --heartbeat 1h
	follow stream /api/any/event
	follow short '/api/other/event'
	# Long enough for many looks at it: other streams' life is the clock.
	local i
	for i in {1..30}; do
		ask --max-time 0.1 "$URL/api/else/event" || true
	done
	text any 1
	wait_for has stream 'data: 1'
	[ "$(grep -c '^retry' stream)" -eq 1 ]
}

@test "the limit on descriptors is raised to the hard one, and said" {
	ulimit -S -n 200
	ulimit -H -n 300
	serve
	wait_for has err '300 descriptors'
	[ "$(awk '/Max open files/ { print $4 }' "/proc/$PID/limits")" = 300 ]
}

@test "with too few descriptors for its loops it says which part lacked one, and that it did" {
	local n
	for n in {8..80}; do
		start prlimit --nofile="$n:$n" "$BIN/sse-serve" --listen 0 --loops 4 --db :memory:
		! has out 'Listening on' || break
	done
	has out 'Listening on'
	has err 'cannot make loop 4: Too many open files'
	has err 'cannot start the HTTP library: Too many open files'
	not grep -Ev 'Too many open files|Listening on|events are kept|in a browser|loops, |sandbox: ' err
}

@test "a second server on the port fails, however many loops the first has" {
	serve --loops 4
	refuses 69 "port $PORT" --listen "$PORT" --db other.db --loops 4
	user John DOE
}

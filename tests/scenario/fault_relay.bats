#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-tail --post: sender, receiver and source killed again and again, at random moments,
# by kill -9.  make fault runs them at length: FAULT_ROUNDS kills of each.
# ThreadSanitizer runs this file, too.

load serve_helpers

setup() {
	common_setup
	ROUNDS=${FAULT_ROUNDS:-10}
	MOST=300
	[ -z "${SANITIZER:-}" ] || ROUNDS=4 MOST=900
	TAIL=
	last=0 kills=0
	serve
	: >received
	# From before the first event, so that none can be lost before there is a state.
	curl -sI "$URL/api/numbers" | tr -d '\r' | sed -n 's/^Last-Event-ID: //p' >state
	[ -s state ]
}

# publish COUNT: so many more numbers, one event each.
publish() {
	seq $((last + 1)) $((last + $1)) | sse-post "$URL/api/numbers"
	last=$((last + $1))
}

# receive PORT: start the receiver, which logs into received; TO is its URL.
receive() {
	rm -f receiver.port
	node "$BATS_TEST_DIRNAME/receiver.mjs" "$1" received -- >receiver.err 2>&1 3>&- 4>&- &
	RECEIVER=$!
	wait_for test -s receiver.port
	TO=http://127.0.0.1:$(cat receiver.port)
}

# relay URL: sse-tail in the background.
relay() {
	sse-tail "$URL/api/numbers/event" --state state --reconnect-delay 10ms --post "$1" \
		2>>tail.err 3>&- 4>&- &
	TAIL=$!
}

# some_time: at random.
some_time() {
	sleep "$(printf '0.%03d' $((RANDOM % MOST)))"
}

# kill_it PID: by kill -9.
kill_it() {
	kill -KILL "$1"
	wait "$1" || true
	kills=$((kills + 1))
}

# delivered: has the receiver got the last one?
delivered() {
	jq -r .data received 2>/dev/null | grep -qx "$last"
}

# catches_up COMMAND...: until the command says that all is there; then sse-tail is ended.
catches_up() {
	wait_for "$@"
	wait_for grep -q . state
	kill "$TAIL"
	wait "$TAIL" || [ $? -eq 143 ]
}

# complete: all came in order, and only the last event before a kill came again, under its own name.
complete() {
	jq -r .data received | uniq | cmp - <(seq "$last")
	[ "$(jq -r '"\(.id) \(.data)"' received | sort -u | wc -l)" -eq "$last" ]
	[ "$(wc -l <received)" -le $((last + kills)) ]
	echo "# $kills kills, $last events, $(($(wc -l <received) - last)) repeated" >&3
}

@test "kill -9 of sse-tail --post at random moments: nothing is lost, at most the last one is repeated" {
	local round
	receive 0
	publish $((ROUNDS * 40))
	for ((round = 0; round < ROUNDS; round++)); do
		relay "$TO"
		some_time
		kill_it "$TAIL"
	done
	relay "$TO"
	catches_up delivered
	complete
	[ ! -s tail.err ]
}

@test "kill -9 of the receiver and of the source: nothing is lost, at most the last one is repeated" {
	local round
	receive 0
	relay "$TO"
	for ((round = 0; round < ROUNDS; round++)); do
		publish 20
		some_time
		if ((round % 2)); then
			crash
			serve_at "$PORT"
		else
			kill_it "$RECEIVER"
			publish 20
			receive "${TO##*:}"
		fi
	done
	catches_up delivered
	complete
}

# stored_all: does the topic copies have the last one?
stored_all() {
	stored copies | grep -qx "$last"
}

@test "kill -9 of sse-tail and of a sse-serve that it posts to: each event is stored once, in order" {
	local round
	relay "$URL/api/copies"
	for ((round = 0; round < ROUNDS; round++)); do
		publish 15
		some_time
		kill_it "$TAIL"
		if ((round % 2)); then
			crash
			serve_at "$PORT"
		fi
		relay "$URL/api/copies"
	done
	catches_up stored_all
	stored copies | cmp - <(seq "$last")
}

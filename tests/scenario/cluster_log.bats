#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of a shared log: NATS that is away, a stream that is deleted and made again, readers and nodes
# that fall behind.
# shellcheck disable=SC2154

load cluster_helpers

setup() {
	cluster_setup
	nats
}

teardown() {
	local result=0
	cluster_teardown || result=1
	[ -z "$NATS_PID" ] || kill -KILL "$NATS_PID" 2>/dev/null || true
	return $result
}

# node NAME [OPTION]...: a server on the shared log, with NAME.db as its copy; URL_NAME and PID_NAME are its own.
node() {
	local name=$1
	shift
	serve --store "$BROKER" --db "$name.db" "$@"
	printf -v "URL_$name" %s "$URL"
	printf -v "PID_$name" %s "$PID"
}

# use NAME: requests go to that node from now on.
use() {
	local url=URL_$1 pid=PID_$1
	URL=${!url} PID=${!pid}
}

# end NAME: it must end well.
end() {
	use "$1"
	stop
}

not_ready() {
	ask "$URL/readyz" && [ "$code" = 503 ]
}

is_ready() {
	ask "$URL/readyz" && [ "$code" = 200 ]
}

@test "while NATS is away a node shows what it has, and refuses what is new; then its streams go on" {
	node one
	text t a && answers 201
	follow stream '/api/t/event?since=all'
	wait_for has stream 'data: a'
	kill -KILL "$NATS_PID"
	wait_for not_ready
	stored t | is '"a"'
	ask -H 'Content-Type: text/plain' -H 'Idempotency-Key: k' -d b "$URL/api/t"
	answers 503
	[ -n "$(header Retry-After)" ]
	nats "$NATS_PORT"
	wait_for is_ready
	ask -H 'Content-Type: text/plain' -H 'Idempotency-Key: k' -d b "$URL/api/t"
	answers 201
	wait_for has stream 'data: b'
	data stream | is $'a\nb'
}

@test "a stream of NATS that is deleted and made again is another log: nodes end, and old ids are told so" {
	node one
	text t a && answers 201
	local old pid
	old=$(header Last-Event-ID)
	[[ $(nats_ask "\$JS.API.STREAM.DELETE.sse-serve" "$NATS_PORT") = *'"success":true'* ]]
	# Somebody else makes it again.
	pid=$PID PID=''
	node two
	wait_for gone "$pid"
	has err 'another log now'
	text t b && answers 201
	[ "${old%%:*}" != "$(header Last-Event-ID | cut -d : -f 1)" ]
	follow stream /api/t/event -H "Last-Event-ID: $old"
	wait_for has stream unknown-log
	refuses 65 'is not a copy of the log' --store "$BROKER" --db one.db --listen 0
}

@test "a node that was away while others published has all of it when it is back, in the same order" {
	local n
	node one
	node two
	use one
	for n in 1 2 3; do
		text t "$n" && answers 201
	done
	end two
	use one
	for n in 4 5 6; do
		text t "$n" -H "Idempotency-Key: $n" && answers 201
	done
	node two
	ask "$URL/api/t?envelope=1" && answers 200
	mv body theirs
	text t 5 -H 'Idempotency-Key: 5' && answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	use one
	ask "$URL/api/t?envelope=1" && answers 200
	cmp body theirs
	end two
	use one
}

@test "a reader that falls behind what the log keeps is told, on whichever node it comes back" {
	local n old
	node one --retain ,5
	node two --retain ,5
	use one
	text t first && answers 201
	old=$(header Last-Event-ID)
	for n in $(seq 20); do
		text t "$n" && answers 201
	done
	for n in one two; do
		use "$n"
		wait_for retained
		follow "stream.$n" /api/t/event -H "Last-Event-ID: $old"
		wait_for has "stream.$n" 'data: 20'
		has "stream.$n" 'event: gap'
		has "stream.$n" '"reason":"expired"'
	done
	end two
	use one
}

retained() {
	[ "$(stored t | wc -l)" -le 5 ]
}

# forge NUMBER HASH: publish, as another node would, a command without events, whose sender has taken this message,
# with this hash.
forge() {
	local id line
	id=0123456789abcdef-$1-$(printf %x "$1")-$2
	exec 5<>"/dev/tcp/127.0.0.1/$NATS_PORT"
	printf 'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB sse-serve.log answer %d\r\nSSE\001\001%b%s\r\n' \
		$((6 + ${#id})) "\\0$(printf %o ${#id})" "$id" >&5
	while read -r -t 10 line <&5; do
		[[ $line != *'"seq"'* ]] || break
	done
	exec 5>&-
	[[ $line = *'"seq"'* ]]
}

@test "a node says when another one was given other messages by NATS" {
	local n
	node one
	for n in $(seq 300); do
		echo '{"data":'"$n"'}'
	done >lines
	# A message each.
	while read -r line; do
		json t "$line" && answers 201
	done <lines
	# What is not known is not compared, whatever it says.
	forge 9999 00000000
	forge 100 00000000
	text t next && answers 201
	not has err 'other messages by NATS'
	forge 290 00000000
	wait_for has err 'other messages by NATS'
	text t last && answers 201
	stored t | tail -n 1 | is '"last"'
}

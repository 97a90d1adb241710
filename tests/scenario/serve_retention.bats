#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: what --retain and --retain-topic keep, and what readers are told.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2317
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# publish TOPIC FROM TO: texts "FROM" to "TO"; their ids go to the file TOPIC.ids.
publish() {
	local i
	for ((i = $2; i <= $3; i++)); do
		text "$1" "event $i"
		answers 201
		header Last-Event-ID >>"$1.ids"
	done
}

# id TOPIC NUMBER: of that event.
id() {
	sed -n "$2p" "$1.ids"
}

# keeps TOPIC NUMBER: does the list have so many?
keeps() {
	ask -H 'Accept: application/x-ndjson' "$URL/api/$1"
	[ "$(wc -l <body)" -eq "$2" ]
}

# smaller FILE SIZE: is it?
smaller() {
	[ "$(stat -c %s "$1")" -lt "$2" ]
}

@test "--retain keeps the newest; who resumes before them is told, with what and from where" {
	serve --retain ,5 --retain-topic own=,100
	publish own 1 3
	publish a 1 10
	keeps a 5
	[ "$(head -n 1 body)" = '"event 6"' ]
	keeps own 3
	stop
	serve --retain ,5 --retain-topic own=,100
	follow stream /api/a/event -H "Last-Event-ID: $(id a 2)"
	wait_for has stream 'event 10'
	has stream "data: {\"after\":\"$(id a 2)\",\"oldest\":\"$(id a 6)\",\"reason\":\"expired\"}"
	[ "$(grep -c '^event: gap' stream)" -eq 1 ]
	[ "$(grep -c '^data: event' stream)" -eq 5 ]
	# Nothing after this one is gone.
	follow stream /api/a/event -H "Last-Event-ID: $(id a 5)"
	wait_for has stream 'event 10'
	not has stream gap
	# Of this topic nothing is gone at all.
	follow stream /api/own/event -H "Last-Event-ID: $(id own 1)"
	wait_for has stream 'event 3'
	not has stream gap
	ask "$URL/api/a/$(id a 3)"
	problem 410 'no longer kept'
}

@test "events that are older than the limit go, also when nothing more is published" {
	serve --retain 1s
	publish a 1 3
	wait_for keeps a 0
	[ "$(header Last-Event-ID)" = "$(id a 3)" ]
	stop
	serve --retain 1s
	follow stream /api/a/event -H "Last-Event-ID: $(id a 1)"
	wait_for has stream gap
	has stream "data: {\"after\":\"$(id a 1)\",\"oldest\":null,\"reason\":\"expired\"}"
	has stream "id: $(id a 3)"
	# And it goes on from there.
	publish a 4 4
	wait_for has stream 'event 4'
	[ "$(id a 4)" != "$(id a 3)" ]
}

@test "a limit that is set later is caught up with, and the file becomes smaller" {
	local i
	serve
	letters 100000 >large
	for ((i = 0; i < 100; i++)); do
		text big @large
		answers 201
	done
	publish a 1 3
	stop
	not smaller events.db 9000000
	serve --retain-topic big=,,1M
	wait_for smaller events.db 3000000
	keeps big 10
	keeps a 3
	stop
	run -0 sse-serve --verify --db events.db
	[[ $output = *'ok, 13 events'* ]]
	# What is kept now is all that is kept later, without any limit.
	serve
	keeps big 10
	follow stream /api/a/event -H "Last-Event-ID: $(id a 1)"
	wait_for has stream 'event 3'
	not has stream gap
}

@test "a crash in the middle of it leaves a log that is whole" {
	serve --retain ,20
	publish a 1 30
	crash
	run -0 sse-serve --verify --db events.db
	serve --retain ,20
	keeps a 20
	publish a 31 40
	keeps a 20
	[ "$(head -n 1 body)" = '"event 21"' ]
	stop
	run -0 sse-serve --verify --db events.db
	[[ $output = *'ok, 20 events'* ]]
}

@test "a limit that cannot be meant is refused" {
	refuses 64 'AGE,EVENTS,BYTES' --retain many
	refuses 64 'AGE,EVENTS,BYTES' --retain ,,
	refuses 64 'PATTERN=' --retain-topic users
	refuses 64 'age with a unit' --retain 1,1000
	refuses 64 'more than three' --retain 1d,2,3,4
	refuses 64 'a size' --retain 1d,2,many
	refuses 64 "'x=latest,': nothing follows the comma; leave it out" --retain-topic x=latest,
	refuses 64 "'x=latest,,': all three values are empty" --retain-topic x=latest,,
	refuses 64 'need a database' --retain 1d --db :memory:
}

@test "several topics, one of which lost events: one gap, then all that the others kept" {
	serve --retain-topic 'a=,1' --window 1M
	local first id
	text a a1
	first=$(header Last-Event-ID)
	text b b1
	id=$(header Last-Event-ID)
	text a a2
	text b b2
	text a a3
	pruned() {
		ask "$URL/api/a"
		[ "$(tr -d '\n' <body)" = '["a3"]' ]
	}
	wait_for pruned
	# What the window still holds is not shown either: the stream agrees with the list.
	follow stream '/api/event?topic=a&topic=b' -H "Last-Event-ID: $first"
	wait_for has stream 'data: a3'
	text b b3
	wait_for has stream 'data: b3'
	counts stream 'event: gap' 1
	[ "$(sed -n 's/^data: \([ab]\)/\1/p' stream | tr '\n' ' ')" = 'b1 b2 a3 b3 ' ]
	# Who drops right after the gap, or after b1, has lost nothing more than was told.
	local gap
	gap=$(sed -n '/^event: gap/,/^id/s/^id: //p' stream)
	for id in "$gap" "$id"; do
		follow again '/api/event?topic=a&topic=b' -H "Last-Event-ID: $id"
		wait_for has again 'data: b3'
		counts again 'event: gap' 1
		has again 'data: b2'
	done
	# Of b nothing is gone.
	follow only /api/b/event -H "Last-Event-ID: $first"
	wait_for has only 'data: b3'
	not has only gap
}

@test "a stalled reader with half an event, while another topic of its stream loses some, is not cut off" {
	serve --window 64k --retain-topic 'lim=,3'
	local id i
	text lim first
	id=$(header Last-Event-ID)
	letters 300000 >large
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /api/event?topic=lim&topic=kept HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n' "$id" >&5
	# More than its socket takes.
	for i in {1..80}; do
		text kept @large
	done
	printf '%s\n' {1..30} >lines
	ask -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/lim"
	answers 201
	pruned() {
		ask -H 'Accept: application/x-ndjson' "$URL/api/lim"
		[ "$(wc -l <body)" -eq 3 ]
	}
	wait_for pruned
	cat <&5 >stream 3>&- &
	wait_for has stream 'data: 30'
	text kept end
	wait_for has stream 'data: end'
	exec 5>&-
	[ "$(grep -c '^data: xxx' stream)" -eq 80 ]
	counts stream 'event: gap' 1
	[ "$(grep '^data: [0-9]' stream | tr '\n' ' ')" = 'data: 28 data: 29 data: 30 ' ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: a disk that is slow, stands still or is broken; files that may not be
# written; a clock that somebody sets; no memory.

load serve_helpers

teardown() {
	rm -f hold broken
	serve_teardown
}

# listed TOPIC QUERY: the texts of the list, on a line.
listed() {
	ask -H 'Accept: application/x-ndjson' "$URL/api/$1?$2" >&2
	tr -d '"' <body | tr '\n' ' '
}

@test "a slow disk, 200 ms a sync: all is stored and seen, once, in order" {
	serve_with shim_sync SHIM_SYNC_MS=200
	flood 20 "${FAULT_SLOW:-5}" 8 200 4
}

@test "a disk that stands still: readers are served meanwhile, and publishers when it goes on" {
	serve_with shim_sync SHIM_SYNC_HOLD="$PWD/hold" -- --heartbeat 100ms
	text any before
	answers 201
	follow stream /api/any/event
	touch hold
	local i
	for i in {1..20}; do
		curl -sS -o /dev/null -w '%{http_code}\n' -H 'Content-Type: text/plain' \
			-d "waits $i" "$URL/api/any" >"answer$i" 3>&- &
	done
	# The list, a new stream and the heartbeats do not wait.
	ask "$URL/api/any"
	[ "$(cat body)" = '["before"]' ]
	follow late '/api/any/event?since=all'
	wait_for has late 'data: before'
	beats_on stream
	not has late waits
	[ ! -s answer1 ]
	rm hold
	for i in {1..20}; do
		wait_for has "answer$i" 201
		wait_for has stream "data: waits $i"
	done
	ask -H 'Accept: application/x-ndjson' "$URL/api/any"
	[ "$(sort -u body | wc -l)" -eq 21 ]
	[ "$(wc -l <body)" -eq 21 ]
}

@test "a disk that cannot sync: 507 and a sentence, and it works again when it can" {
	serve_with shim_sync SHIM_SYNC_FAIL="$PWD/broken"
	text any before
	answers 201
	follow stream '/api/any/event?since=all'
	touch broken
	text any lost
	problem 507 'cannot store the event'
	ask "$URL/api/any"
	[ "$(cat body)" = '["before"]' ]
	rm broken
	text any after
	answers 201
	wait_for has stream 'data: after'
	not has stream 'data: lost'
	[ "$(listed any)" = 'before after ' ]
	crash
	serve
	[ "$(listed any)" = 'before after ' ]
}

@test "a disk whose syncs fail now and then loses nothing that was acknowledged" {
	serve_with shim_sync SHIM_SYNC_FAIL="$PWD/broken"
	local publisher have
	"$TOOLS/follow" "$PORT" '/api/numbers/event?since=all' >seen 3>&- &
	local reader=$!
	: >acknowledged
	"$TOOLS/steady" "$PORT" numbers >acknowledged 3>&- &
	publisher=$!
	for _ in {1..5}; do
		have=$(wc -l <acknowledged)
		wait_for grew acknowledged $((have + 20))
		: >err
		touch broken
		wait_for has err 'cannot store the event'
		rm broken
	done
	have=$(wc -l <acknowledged)
	wait_for grew acknowledged "$have"
	kill "$publisher"
	wait "$publisher"
	text numbers end
	answers 201
	wait_for gone "$reader"
	crash
	serve
	ask -H 'Accept: application/x-ndjson' "$URL/api/numbers"
	tr -d '"' <body >stored
	# What the stream showed is what is stored, and what was acknowledged is among it.
	cut -d ' ' -f 2- seen | tr -d '"' | cmp - stored
	grep '^[0-9]' stored >numbers
	sort -n -u numbers | cmp - numbers
	sort acknowledged >a
	sort numbers >b
	[ -z "$(comm -23 a b)" ]
}

@test "the clock is set back an hour and forth a day: order, since, resuming and heartbeats hold" {
	echo 0 >clock
	serve_with shim_clock SHIM_CLOCK="$PWD/clock" -- --heartbeat 100ms
	text any one
	answers 201
	local first
	first=$(header Last-Event-ID)
	follow stream /api/any/event
	echo -3600 >clock
	text any two
	answers 201
	[ "$(listed any since=10m)" = 'one two ' ]
	beats_on stream
	echo 86400 >clock
	text any three
	answers 201
	[ "$(listed any since=10m)" = 'three ' ]
	beats_on stream
	# Back to today: what is of tomorrow is not older than ten minutes.
	echo 0 >clock
	text any four
	answers 201
	[ "$(listed any since=10m)" = 'three four ' ]
	[ "$(listed any)" = 'one two three four ' ]
	wait_for has stream 'data: four'
	[ "$(sed -n 's/^data: //p' stream | tr '\n' ' ')" = 'two three four ' ]
	stop
	# A start a day before the events that are there.
	echo -86400 >clock
	serve_with shim_clock SHIM_CLOCK="$PWD/clock"
	text any five
	answers 201
	follow resumed "/api/any/event?last_event_id=$first"
	wait_for has resumed 'data: five'
	not has resumed gap
	[ "$(sed -n 's/^data: //p' resumed | tr '\n' ' ')" = 'two three four five ' ]
	[ "$(listed any)" = 'one two three four five ' ]
}

@test "a window for which there is no memory: 71, and what to do" {
	[ -z "${SANITIZER:-}" ] || skip 'a sanitizer needs all addresses'
	refuses 71 'a smaller --window' --listen 0 --db events.db --window 64G
	UNDER='prlimit --as=300000000' refuses 71 'a smaller --window' --listen 0 --db events.db --window 128M
	# The database is as it was.
	serve
	text any works
	answers 201
}

@test "a database that may not be written is 73, and so is one in a folder that may not be" {
	serve
	text any kept
	stop
	mkdir folder
	mv events.db folder/
	needs_drop
	[ "$(id -u)" -ne 0 ] || chown "$NOBODY:$NOBODY" folder folder/events.db
	chmod 444 folder/events.db
	UNDER=drop refuses 73 'Permission denied' --listen 0 --db "$PWD/folder/events.db"
	chmod 644 folder/events.db
	chmod 555 folder
	UNDER=drop refuses 73 'must be writable' --listen 0 --db "$PWD/folder/events.db"
	chmod 755 folder
	# Nothing was changed.
	serve --db folder/events.db
	[ "$(listed any)" = 'kept ' ]
}

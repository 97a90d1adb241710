#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: streams of JSON lines, by Accept: application/x-ndjson.
# shellcheck disable=SC2153,SC2154
# NATS runs this file, too.

load serve_helpers

LINES='Accept: application/x-ndjson'

# lines PATH [ARGUMENT...]: a stream of lines that ends by itself; it must be JSON to the last line.
lines() {
	curl -sN --max-time 60 -H "$LINES" "${@:2}" "$URL$1" >lines
	jq -e -c . lines >/dev/null
}

@test "a stream of JSON lines has the same events as an event stream with envelopes" {
	local db
	for db in events.db :memory:; do
		serve --db "$db" --heartbeat 1s
		json a '{"n": 1.50,
 "m":[1,2]}'
		text 'a?event=note' $'two\nlines "quoted" \\'
		text b three
		curl -sN --max-time 60 "$URL/api/event?topic=*&envelope=1&since=all&until=now" |
			sed -n 's/^data: //p' | sed -n '/^{"topic"/,$p' >plain || true
		lines '/api/event?topic=*&since=all&until=now'
		[ "$(wc -l <lines)" -eq 5 ]
		# The start, the events, the mark.
		[[ $(sed -n 1p lines) =~ ^'{"id":"'[A-Za-z0-9]+':0"}'$ ]]
		[ "$(sed -n 2p lines | sed 's/.*"data"://')" = '{"n": 1.50,  "m":[1,2]}}' ]
		[ "$(sed -n 3p lines | jq -r .data)" = $'two\nlines "quoted" \\' ]
		[ "$(sed -n 3p lines | jq -c '[.topic, .event]')" = '["a","note"]' ]
		[ "$(sed -n 4p lines | jq -c '[.topic, .event, .data]')" = '["b","update","three"]' ]
		[ "$(sed -n 5p lines | jq -c '[.event, .data.id]')" = \
			"$(sed -n 4p lines | jq -c '["uptodate", .id]')" ]
		# Live, stored and not, with heartbeats between.
		follow_lines stream /api/b/event
		text b four
		text 'b?ephemeral=1' five
		wait_for has stream '"data":"five"'
		wait_for beats stream
		[ "$(jq -r '.data // empty' stream)" = $'four\nfive' ]
		[ "$(jq -c 'select(.data == "five") | has("id")' stream)" = false ]
		kill "$FOLLOWER"
		stop
	done
}

# follow_lines FILE PATH: a stream of lines into the file; returns when its start is there.
follow_lines() {
	: >"$1"
	curl -sN --max-time 300 -H "$LINES" "$URL$2" >"$1" 3>&- &
	FOLLOWER=$!
	wait_for has "$1" '"id"'
}

beats() {
	grep -qx '' "$1"
}

@test "what the server itself says is a line: gaps, joins and leaves" {
	serve --retain-topic 'a=2' --presence-grace 100ms
	seq 20 | post a -l -q
	wait_for keeps_two
	lines '/api/a/event?last_event_id=other:1&until=now'
	[ "$(jq -c '[.event, .data.reason]' lines | head -n 1)" = '["gap","unknown-log"]' ]
	[ "$(jq -r 'select(.topic) | .data' lines)" = $'19\n20' ]
	follow_lines joined '/api/a/event?event=join&event=leave'
	follow named '/api/a/event?as=Ada'
	wait_for has joined '"join"'
	kill "$FOLLOWER"
	wait_for has joined '"leave"'
	[ "$(jq -r 'select(.data) | .data.name' joined | sort -u)" = Ada ]
}

keeps_two() {
	[ "$(stored a | wc -l)" -eq 2 ]
}

@test "slow readers of lines, from the log and from the window, miss nothing and get no torn line" {
	serve --window 64k
	seq 3000 | sed "s/\$/ $(letters 200)/" | post a -l -q
	lines '/api/a/event?since=all&until=now' --limit-rate 500k
	[ "$(jq -r 'select(.topic) | .data' lines | cut -d ' ' -f 1)" = "$(seq 3000)" ]
	lines '/api/event?topic=**&last=50&until=now'
	[ "$(jq -r 'select(.topic) | .data' lines | cut -d ' ' -f 1)" = "$(seq 2951 3000)" ]
}

@test "a server that is killed: who goes on after the id of the last whole line misses nothing" {
	serve
	local id=0 round port=$PORT
	: >got
	for round in 1 2 3; do
		seq $((round * 10 - 9)) $((round * 10)) | post a -l -q
		follow_lines stream "/api/a/event?since=all${id:+&last_event_id=$id}"
		wait_for has stream "\"data\":$((round * 10))}"
		crash
		serve_at "$port"
		jq -r 'select(.topic) | .data' stream >>got
		id=$(jq -r 'select(.topic) | .id' stream | tail -n 1)
	done
	# The first began with an id that no log has, which is a gap and all that is stored.
	diff got <(seq 30)
}

@test "an event stream is what everybody else gets; sse-tail reads lines" {
	serve
	text a one
	local accept
	for accept in '*/*' 'text/event-stream' 'text/event-stream, application/x-ndjson;q=0.5' \
		'application/json' ''; do
		ask -I -H "Accept: $accept" "$URL/api/a/event"
		[ "$(header Content-Type)" = text/event-stream ]
	done
	for accept in 'application/x-ndjson' 'application/x-ndjson, */*;q=0.1'; do
		ask -I -H "Accept: $accept" "$URL/api/a/event"
		[ "$(header Content-Type)" = application/x-ndjson ]
		[ "$(header Vary)" = Accept ]
	done
	run -0 timeout 60 "$BIN/sse-tail" "$URL/api/a/event?since=all&until=now" --lines -o data --no-reconnect
	[ "$(jq -r 'select(.topic) | .data' <<<"$output")" = one ]
}

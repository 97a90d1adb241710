#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-serve behind nginx with the directives of proxies/nginx.conf: what begins, waits, ends and is deleted.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2119

load interop_helpers

# serve_behind: sse-serve, behind nginx as that file has it; URL is nginx's, SERVER sse-serve's process.
serve_behind() {
	serve_by sse-serve --listen 0 --db events.db --host localhost
	SERVER=$SERVER_PID DIRECT=$URL
	serve_nginx "$(sed -n '/location/,/^    }/p' "$HERE/proxies/nginx.conf" |
		sed "s#http://127.0.0.1:8000#$DIRECT#")"
}

teardown() {
	[ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
	[ -z "$SERVER_PID" ] || stop
	end_jobs
}

# ask ARGUMENT...: a request; the answer is in code, head and body.
ask() {
	: >body
	code=$(curl -sS --max-time 60 -o body -D head.crlf -w '%{http_code}' "$@")
	tr -d '\r' <head.crlf >./head
	grep -qi '^Server: nginx' head
}

# header NAME: its value in the last answer.
header() {
	sed -n "s/^$1: //Ip" head
}

# text TOPIC DATA: publish; ID is the event's.
text() {
	ask -H 'Content-Type: text/plain' --data-binary "$2" "$URL/api/$1${3:-}"
	ID=$(header Last-Event-ID)
	[ "$code" = 201 ] && [ -n "$ID" ]
}

# stream FILE PATH [ARGUMENT...]: in the background, into the file; STREAM is its process.
stream() {
	curl -sN --max-time 60 "${@:3}" "$URL$2" >"$1" 3>&- &
	STREAM=$!
}

# waits: does the server have a poll or a stream of the topic t?
waits() {
	curl -s "$DIRECT/api?topic=t" | grep -q '"streams":1'
}

@test "behind nginx until=now ends, present values come and go on, and JSON lines are not held back" {
	serve_behind
	text t one '?subject=a'
	text t two '?subject=b'
	text t three '?subject=a'
	ask "$URL/api/t/event?since=all&until=now"
	[ "$code" = 200 ]
	[ "$(grep '^event: ' body | paste -sd ' ')" = 'event: update event: update event: update event: uptodate' ]
	ask "$URL/api/t?latest=1"
	[ "$(jq -c . body)" = '["two","three"]' ]
	stream present '/api/t/event?latest=1'
	local present=$STREAM
	stream lines '/api/t/event?since=all' -H 'Accept: application/x-ndjson'
	wait_for has present uptodate
	wait_for has lines '"data":"three"'
	text t four '?subject=b'
	wait_for has present 'data: four'
	wait_for has lines '"data":"four"'
	[ "$(sed -n 's/^data: \([a-z]*\)$/\1/p' present | paste -sd ' ')" = 'two three four' ]
	[ "$(jq -r 'select(.data).data' lines | paste -sd ' ')" = 'one two three four' ]
	kill "$present" "$STREAM"
}

@test "behind nginx a list waits for what comes, and is 204 with its id when nothing does" {
	serve_behind
	text t one
	local first=$ID
	ask "$URL/api/t?after=$first&wait=100ms"
	[ "$code" = 204 ]
	[ "$(header Last-Event-ID)" = "$first" ]
	curl -sS --max-time 60 -D waited.head -o waited "$URL/api/t?after=$first&wait=50s" 3>&- &
	local poll=$!
	wait_for waits
	text t two
	wait "$poll"
	[ "$(cat waited)" = '["two"]' ]
	grep -qi "^Last-Event-ID: $ID" waited.head
}

@test "behind nginx a closed topic ends its streams, and who comes back gets 204" {
	serve_behind
	text t one
	stream live '/api/t/event?since=all'
	wait_for has live 'data: one'
	ask -X POST "$URL/api/t?close=1"
	[ "$code" = 201 ]
	ID=$(header Last-Event-ID)
	wait "$STREAM"
	[ "$(tail -n 4 live)" = $'event: closed\ndata: {}\nid: '"$ID" ]
	ask -H "Last-Event-ID: $ID" "$URL/api/t/event"
	[ "$code" = 204 ]
	ask -H 'Content-Type: text/plain' -d late "$URL/api/t"
	[ "$code" = 409 ]
	timeout 60 sse-tail "$URL/api/t/event" --since all >tailed
	has tailed one
}

@test "behind nginx DELETE takes an event back, and open streams are told" {
	serve_behind
	text t one
	local one=$ID
	text t two
	stream live '/api/t/event?since=all'
	wait_for has live 'data: two'
	ask -X DELETE "$URL/api/t/$one"
	[ "$code" = 204 ]
	wait_for has live 'event: deleted'
	has live "data: {\"id\":\"$one\"}"
	[ "$(curl -s "$URL/api/t")" = '["two"]' ]
	sse-post --delete "$ID" "$URL/api/t"
	[ "$(curl -s "$URL/api/t")" = '[]' ]
	kill "$STREAM"
}

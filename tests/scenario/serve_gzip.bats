#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: lists that are compressed for clients that accept gzip, and what never is.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154

load serve_helpers

# fill COUNT: so many events in the topic a, without an answer for each.
fill() {
	serve
	seq 1 "$1" | sed 's/.*/{"number":&,"text":"what an event has to say"}/' | post a --lines -q
}

# plain_is PATH [ARGUMENT...]: is the compressed answer, unpacked, the one that is not?
plain_is() {
	local path=$1
	shift
	ask "$@" "$URL$path" && answers 200 && [ -z "$(header Content-Encoding)" ] && cp body plain || return
	ask "$@" -H 'Accept-Encoding: gzip, deflate, br' "$URL$path" && answers 200 || return
	[ "$(header Content-Encoding)" = gzip ] && [ "$(header Vary)" = 'Accept, Accept-Encoding' ] || return
	gunzip -c <body >unpacked && cmp plain unpacked
}

@test "a list is compressed for a client that accepts gzip, and has the same bytes" {
	fill 3000
	plain_is /api/a
	[ "$(wc -c <body)" -lt $(($(wc -c <plain) / 4)) ]
	[ -n "$(header Last-Event-ID)" ]
	plain_is '/api/a?envelope=1&limit=100'
	plain_is '/api/a?envelope=1' -H 'Accept: application/x-ndjson'
	plain_is '/api/a' --http1.0
	for i in {1..60}; do
		text "topic/$i" x
	done
	plain_is '/api?topic=topic/*'
	plain_is '/api' -H 'Accept: application/x-ndjson'
}

@test "who does not accept gzip, and what is short, gets it as it is" {
	fill 100
	local accept
	for accept in identity 'gzip;q=0' 'gzip;q=0.000, *' deflate ''; do
		ask -H "Accept-Encoding: $accept" "$URL/api/a"
		answers 200
		[ -z "$(header Content-Encoding)" ]
		[ "$(header Vary)" = 'Accept, Accept-Encoding' ]
		[ "$(header Content-Length)" = "$(wc -c <body)" ]
		[ "$(jq length body)" -eq 100 ]
	done
	ask -H 'Accept-Encoding: gzip;q=0.1, identity' "$URL/api/a"
	[ "$(header Content-Encoding)" = gzip ]
	for accept in '/api/a?limit=1' /api/none '/api?limit=1'; do
		ask -H 'Accept-Encoding: gzip' "$URL$accept"
		answers 200
		[ -z "$(header Content-Encoding)" ]
		[ "$(header Content-Length)" = "$(wc -c <body)" ]
	done
}

@test "HEAD has the head of the GET, and the connection stays in step" {
	fill 100
	ask -I -H 'Accept-Encoding: gzip' "$URL/api/a" --next -s -H 'Accept-Encoding: gzip' "$URL/api/a?limit=1"
	has head 'Content-Encoding: gzip'
	has head 'Vary: Accept, Accept-Encoding'
	[ "$(grep -c '^HTTP/1.1 200' head.crlf)" -ge 1 ]
	ask -I "$URL/api/a"
	[ -z "$(header Content-Encoding)" ]
}

@test "streams of events are never compressed" {
	fill 100
	follow stream '/api/a/event?since=all' -i -H 'Accept-Encoding: gzip'
	wait_for has stream 'data: {"number":100,'
	run ! has stream Content-Encoding
	follow lines '/api/a/event?since=all&until=now' -i -H 'Accept-Encoding: gzip' || true
	run ! has lines Content-Encoding
	ask -I -H 'Accept-Encoding: gzip' "$URL/api/a/event"
	[ -z "$(header Content-Encoding)" ]
}

@test "a long list is compressed while it is read: the server does not grow with it" {
	fill 100000
	ask "$URL/healthz"
	local before
	before=$(resident)
	curl -s --limit-rate 200k --max-time 3 -H 'Accept-Encoding: gzip' "$URL/api/a?envelope=1" >slow || true
	[ $(($(resident) - before)) -lt 8000 ]
	curl -sf --compressed "$URL/api/a" | jq length >count
	[ "$(cat count)" -eq 100000 ]
}

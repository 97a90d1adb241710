#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-post sends to the servers that others have written.
# shellcheck disable=SC2154,SC2119

load interop_helpers

# As in the recipe of the manual: the channel is named in the query.
nchan_blocks() {
	cat <<-'CONF'
		location = /pub { nchan_publisher; nchan_channel_id $arg_id;
			nchan_message_buffer_length 1000; }
		location = /sub { nchan_subscriber eventsource; nchan_channel_id $arg_id;
			nchan_eventsource_ping_interval 1; nchan_subscriber_first_message oldest; }
	CONF
}

@test "nchan: lines, JSON and text, arrive once and in order, one request each" {
	needs_nchan
	serve_nginx "$(nchan_blocks)"
	seq 200 >want
	run -0 bash -c "sse-post '$URL/pub?id=log' <want"
	[ -z "$output" ]
	sse-tail "$URL/sub?id=log" -n 200 -o data >got
	cmp got want
	run -0 sse-post "$URL/pub?id=other" --at-most-once a=1
	run -0 sse-post "$URL/pub?id=other" --at-most-once -d 'two words'
	sse-tail "$URL/sub?id=other" -n 2 -o data >got
	printf '{"a":"1"}\ntwo words\n' | cmp - got
}

@test "nchan: what could not be sent while nginx was down comes from the spool, in order" {
	needs_nchan
	serve_nginx "$(nchan_blocks)"
	stop
	run -0 bash -c "seq 10 | sse-post '$URL/pub?id=log' --spool spool"
	serve_nginx "$(nchan_blocks)" "$PORT"
	run -0 bash -c "seq 11 20 | sse-post '$URL/pub?id=log' --spool spool"
	sse-tail "$URL/sub?id=log" -n 20 -o data | cmp - <(seq 20)
}

@test "nchan: an event stream is bridged to sse-serve with its ids as keys: twice is once" {
	local try
	needs_nchan
	serve_nginx "$(nchan_blocks)"
	seq 50 | sse-post "$URL/pub?id=log"
	sse-serve --listen 0 --db :memory: >serve.out 2>serve.err 3>&- &
	wait_for has serve.out 'Listening on'
	for try in 1 2; do
		sse-tail "$URL/sub?id=log" -n 50 -o sse |
			SSE_URL=$(sed -n 's/^Listening on //p' serve.out) sse-post copy -i sse --state "state$try"
	done
	curl -s -H 'Accept: application/x-ndjson' "$(sed -n 's/^Listening on //p' serve.out)/api/copy" |
		cmp - <(seq 50)
	cmp state1 state2
}

@test "Express, as in the tutorial: operands and lines arrive once and in order" {
	needs_package ../bench/express express
	serve_by node "$HERE/../bench/express/server.js"
	sse-tail "$URL/api/users/event" -n 21 -o data >got 2>err -v 3>&- &
	local tail=$!
	wait_for has err 200
	run -0 sse-post "$URL/api/users" n:=0
	run -0 bash -c "seq -f '{\"n\":%.0f}' 20 | sse-post $URL/api/users"
	wait "$tail"
	seq -f '{"n":%.0f}' 0 20 | cmp - got
}

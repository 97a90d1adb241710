#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-tail follows the servers that others have written: all events come, it connects again when the
# server was restarted, and goes on where it was if the server can do that.
# shellcheck disable=SC2154,SC2119

load interop_helpers

@test "Express, as in the tutorial: every event comes, and after a restart the next ones" {
	needs_package ../bench/express express
	serve_by node "$HERE/../bench/express/server.js"
	follow "$URL/api/users/event"
	wait_for opened 1
	publish "$URL/api/users" 1 100
	got 1 100
	stop
	serve_by node "$HERE/../bench/express/server.js" "$PORT"
	wait_for opened 2
	publish "$URL/api/users" 101 120
	got 1 120
	end_follower
}

@test "better-sse: every event comes, also those that were sent between two connections" {
	needs_package . better-sse
	serve_node better_sse.mjs stored
	follow "$URL/stream"
	wait_for opened 1
	publish "$URL/publish" 1 100
	got 1 100
	stop
	numbers 101 105 >>stored
	serve_node better_sse.mjs stored "$PORT"
	got 1 105
	publish "$URL/publish" 106 110
	got 1 110
	end_follower
}

@test "better-sse: with --state it goes on where it was stopped" {
	needs_package . better-sse
	serve_node better_sse.mjs stored
	follow "$URL/stream" --state state
	wait_for opened 1
	publish "$URL/publish" 1 10
	got 1 10
	end_follower
	publish "$URL/publish" 11 20
	follow "$URL/stream" --state state
	got 1 20
	end_follower
	run -0 sse-tail --check "$URL/stream" --last-event-id 0
	[[ $output == *'ok   resuming works'* ]]
}

# What nchan's manual has for event streams.
nchan_blocks() {
	cat <<-'CONF'
		location = /publish { nchan_publisher; nchan_channel_id one;
			nchan_message_buffer_length 1000; }
		location = /stream { nchan_subscriber eventsource; nchan_channel_id one;
			nchan_eventsource_ping_interval 1; nchan_subscriber_first_message newest; }
	CONF
}

@test "nchan: every event comes, and after a restart the next ones" {
	needs_nchan
	serve_nginx "$(nchan_blocks)"
	follow "$URL/stream"
	wait_for opened 1
	publish "$URL/publish" 1 100
	got 1 100
	stop
	serve_nginx "$(nchan_blocks)" "$PORT"
	wait_for opened 2
	publish "$URL/publish" 101 120
	got 1 120
	end_follower
}

@test "nchan: with --state it goes on where it was killed" {
	needs_nchan
	serve_nginx "$(nchan_blocks)"
	follow "$URL/stream" --state state
	wait_for opened 1
	publish "$URL/publish" 1 10
	got 1 10
	end_follower
	publish "$URL/publish" 11 300
	follow "$URL/stream" --state state
	got 1 300
	end_follower
}

@test "sse-serve: killed while events come, not one is lost or repeated" {
	serve_by sse-serve --listen 0 --db events.db
	follow "$URL/api/chat/event"
	wait_for opened 1
	publish "$URL/api/chat" 1 50
	kill -KILL "$SERVER_PID"
	wait "$SERVER_PID" || true
	serve_by sse-serve --listen "$PORT" --db events.db
	publish "$URL/api/chat" 51 100
	got 1 100
	end_follower
	run -0 sse-tail --check "$URL/api/chat/event" --since all --timeout 4s
	[[ $output == *'ok   resuming works'* ]]
}

# A proxy that has been set up by somebody who knew nothing of event streams.
proxy_blocks() { # URL
	cat <<-CONF
		gzip on;
		gzip_types text/event-stream;
		gzip_min_length 1;
		gzip_proxied any;
		gzip_http_version 1.0;
		location / {
			proxy_pass $1;
			proxy_buffering on;
			proxy_ignore_headers X-Accel-Buffering;
			proxy_read_timeout 2s;
		}
	CONF
}

# What it still holds when it hangs up never comes, however often it is asked.
@test "what comes through an nginx that buffers, compresses and hangs up is whole, in order, and once" {
	serve_by sse-serve --listen 0 --db events.db
	local server=$SERVER_PID direct=$URL
	local encoding last=400
	serve_nginx "$(proxy_blocks "$URL")"
	publish "$direct/api/chat" 1 400
	for encoding in '' 'Accept-Encoding: gzip'; do
		: >out
		follow "$URL/api/chat/event" --since all ${encoding:+-H "$encoding"}
		wait_for at_least $((last - 200))
		publish "$direct/api/chat" $((last + 1)) $((last + 300))
		last=$((last + 300))
		wait_for at_least $((last - 200))
		end_follower
		diff <(numbers 1 "$(wc -l <out)") out
	done
	kill "$server"
}

@test "--check finds an nginx that holds events back" {
	serve_by sse-serve --listen 0 --db :memory:
	local server=$SERVER_PID direct=$URL
	serve_nginx "$(proxy_blocks "$URL")"
	publish "$direct/api/chat" 1 20
	run -76 sse-tail --check "$URL/api/chat/event?since=all" -H 'Accept-Encoding: gzip'
	[[ $output == *'note it comes through nginx/'*'buffers unless'* ]]
	[[ $output == *'note the stream is compressed (gzip)'* ]]
	[[ $output == *'note the head came after '* ]]
	[[ $output == *'BAD  the stream broke'* ]]
	kill "$server"
}

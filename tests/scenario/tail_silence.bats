#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a user of sse-tail sees of a server that is there, and does not answer.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=60s
	export SSE_RECONNECT_DELAY=10ms
}

@test "a stream names its heartbeat, in the answer to HEAD too" {
	serve --heartbeat 1500ms
	ask -I "$URL/api/t/event"
	[ "$(header Stream-Heartbeat)" = 1500ms ]
	curl -sm 1 -D head "$URL/api/t/event" >body || true
	has head 'Stream-Heartbeat: 1500ms'
}

@test "a heartbeat that does not come is an outage; without the promise of one, silence is none" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nStream-Heartbeat: 100ms\r\n\r\nid: 1\ndata: 1\n\n
wait silent
answer @204
END
	sse-tail -v "$URL/x" -o data >out 2>err 3>&- &
	wait_for has err 'nothing came from'
	touch silent
	ended $! 0
	has err 'for 5200ms; connecting again'
	has log 'Last-Event-ID: 1'
	rm silent
	# The same silence, and --read-timeout, which outranks the promise.
	play <<'END'
answer @STREAMdata: 1\n\n
pause 5500
send data: 2\n\n
close
answer @204
END
	run -0 sse-tail "$URL/x" -o data
	[ "$output" = $'1\n2' ]
	requests 2
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nStream-Heartbeat: 100ms\r\n\r\ndata: 1\n\n
pause 5500
send data: 2\n\n
close
answer @204
END
	run -0 sse-tail "$URL/x" -o data --read-timeout 20s
	[ "$output" = $'1\n2' ]
}

@test "in a terminal a server that is stopped and goes on is told of, and the line goes when it does in time" {
	needs_terminal
	serve --heartbeat 1s
	TERM=xterm SSE_URL=$URL script -qfec 'sse-tail t --last 10' /dev/null </dev/null >seen 3>&- 2>&1 &
	local tail=$!
	wait_for has seen 'following t'
	post t -d one
	wait_for has seen 'one'
	kill -STOP "$PID"
	wait_for has seen 'no heartbeat for 3s'
	kill -CONT "$PID"
	post t -d two
	wait_for has seen 'two'
	run ! has seen 'is back'
	kill -STOP "$PID"
	wait_for has seen 'nothing received for too long'
	wait_for has seen 'no answer yet'
	kill -CONT "$PID"
	wait_for has seen 'the stream is back after'
	run ! has seen 'refused'
	post t -d three
	wait_for has seen 'three'
	kill "$tail"
}

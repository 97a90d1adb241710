# SPDX-License-Identifier: MIT
# What the scenarios of sse-post and sse-tail share: servers that play what a test says, and following
# them.
# shellcheck shell=bash disable=SC2034,SC2154

load "${BASH_SOURCE[0]%/*}/helpers"

setup() {
	client_setup
}

teardown() {
	end_jobs
}

client_setup() {
	common_setup
	# No client outlives a test that went wrong.
	export SSE_TIMEOUT=30s
	# What a test does not ask about should not take its time.
	export SSE_RECONNECT_DELAY=10ms
}

# stream_script LINE...: a script of one stream, which is what the standard input says, and how it goes on.
stream_script() {
	printf 'answer @STREAM'
	cat
	printf '%s\n' "$@"
}

# stream [LINE]...: start a server whose first stream is what the standard input says, and then ends;
# the lines are how its script goes on.
stream() {
	stream_script close "$@" >streamed
	play <streamed
}

# held_stream [LINE]...: the same, but that stream stays open until the client ends it.
held_stream() {
	stream_script hold "$@" >streamed
	play <streamed
}

# ended_stream: a stream that ends, and a client that connects again gets a 204.
ended_stream() {
	stream 'answer @204'
}

# takes COUNT: start a server that accepts that many events, each over a connection of its own.
takes() {
	play < <(yes 'answer @CREATED' | head -n "$1")
}

# free_url: a URL on a port where nobody listens.
free_url() {
	play </dev/null
	wait "$SERVER_PID"
	SERVER_PID=
}

# follow ARGUMENT...: sse-tail in the background, its output in the file out; PID is its process.
follow() {
	# What an earlier one wrote must not be taken for the output of this one.
	: >out
	sse-tail "$@" >out 2>err 3>&- &
	PID=$!
}

# follow_pipe ARGUMENT...: the same, its output in a pipe, which the test reads as descriptor 4.
follow_pipe() {
	mkfifo pipe
	sse-tail "$@" >pipe 2>err 3>&- &
	PID=$!
	exec 4<pipe
}

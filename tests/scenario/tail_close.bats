#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-tail at the end of a closed topic, of sse-serve and as other servers may look like it.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2153,SC2154

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=30s SSE_RECONNECT_DELAY=10ms
}

# tail_of ARGUMENT...: sse-tail to the server.
tail_of() {
	SSE_URL=$URL timeout 60 "$BIN/sse-tail" "$@"
}

@test "sse-tail ends with 0 when the topic is closed, and at once if it was before" {
	serve
	seq 3 | post run/1 -l
	SSE_URL=$URL sse-tail run/1 --since all -o data --state id >out.tail 2>err.tail 3>&- &
	local tail=$!
	wait_for lines_of out.tail 3
	post run/1 -d last --close
	wait "$tail"
	[ "$(cat out.tail)" = $'1\n2\n3\nlast' ]
	[ ! -s err.tail ]
	# The state is that of the closing.
	[ "$(cat id)" = "$(stored run/1 'envelope=1&limit=1' | sed 's/.*"id":"\([^"]*\)".*/\1/')" ]
	run -0 tail_of run/1 --since all -o data --state id
	[ -z "$output" ]
	run -0 tail_of run/1 --since all -o data --until end
	[ "$output" = $'1\n2\n3\nlast' ]
	run -0 tail_of run/1 -o data --until end --state id
	[ -z "$output" ]
	# A format that shows types shows it as an event, with its id.
	run -0 tail_of run/1 --since all
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[4]} == '{"event":"closed","data":"{}","id":"'* ]]
	run -0 tail_of run/1 -o raw
	[[ $output == *$'event: closed\ndata: {}'* ]]
	run -0 tail_of run/1 --since all -e update -o json
	[ "${#lines[@]}" -eq 4 ]
}

@test "a terminal says that the topic is closed" {
	needs_terminal
	serve
	post run/1 -d 1 --close
	run -0 script -qec "SSE_URL=$URL sse-tail run/1 --since all -o data" /dev/null </dev/null
	[[ $output == *'the topic is closed: no event follows'* ]]
	run -0 script -qec "SSE_URL=$URL sse-tail run/1 --since all" /dev/null </dev/null
	[[ $output == *closed* ]]
}

@test "a command and a receiver get the event that closes, and the run ends" {
	serve
	post run/1 -d 1 --close
	run -0 tail_of run/1 --since all --exec 'echo "$SSE_MSG_EVENT"' --state id
	[ "$output" = $'update\nclosed' ]
	run -0 tail_of run/1 --since all --exec 'echo "$SSE_MSG_EVENT"' --state id
	[ -z "$output" ]
	run -0 tail_of run/1 --since all --post "$URL/api/other?event=delivered" --state id2
	[ "$(stored other | wc -l)" -eq 2 ]
	run -0 tail_of run/1 --since all --post "$URL/api/other" --state id2
	[ "$(stored other | wc -l)" -eq 2 ]
}

@test "of several topics it ends when all are closed" {
	serve
	post a -d 1 --close
	SSE_URL=$URL sse-tail "$URL/api/event?topic=a&topic=b&since=all" -o data \
		>out.tail 2>err.tail 3>&- &
	local tail=$!
	wait_for lines_of out.tail 1
	post b -d 2 --close
	wait "$tail"
	[ "$(cat out.tail)" = $'1\n2' ]
}

@test "an end without the event, or with another of that type, is none" {
	play <<'SCRIPT'
answer @STREAMevent: closed\ndata: the shop\nid: 1\n\n
close
answer @STREAMevent: closed\ndata: {}\nid: 2\n\ndata: reopened\nid: 3\n\n
close
answer @STREAMdata: a\nid: 4\n\nevent: closed\ndata: {}\nid: 5\n\n
close
SCRIPT
	run -0 sse-tail "$URL" -o data
	[ "$output" = $'the shop\nreopened\na' ]
	requests 3
}

@test "--done and --until end are still asked for what is not the end of the topic" {
	serve
	post run/1 -d 1 --close
	run -69 tail_of run/1 --since all --done '[DONE]' -o data
	[[ $output == *'ended the stream before --done came' ]]
	run -0 tail_of run/1 --last 1 --until end -o json
	[[ $output == *'"event":"closed"'* ]]
}

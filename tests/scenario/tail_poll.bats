#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-tail behind a proxy that holds streams back: it polls.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=100s SSE_RECONNECT_DELAY=10ms
}

# hoard WHAT: start a proxy in front of the server that holds that back; BEHIND is its URL.
hoard() {
	rm -f hoarder.port
	node "$BATS_TEST_DIRNAME/hoarder.mjs" 0 "$URL" "$1" >hoarder.err 2>&1 3>&- 4>&- &
	wait_for test -s hoarder.port
	BEHIND=http://127.0.0.1:$(cat hoarder.port)
}

# tail_in FILE TOPIC ARGUMENT...: sse-tail through the proxy in the background, its output in the file.
tail_in() {
	local file=$1
	shift
	SSE_URL=$BEHIND sse-tail "$@" -o data >"$file" 2>"$file.err" 3>&- &
	TAIL=$!
}

# streams COUNT: are so many open?
streams() {
	[ "$(curl -sf "$URL/metrics" | sed -n 's/^sse_streams //p')" -eq "$1" ]
}

@test "a stream that is held back is polled: each event once, in order, and the state moves" {
	local what
	serve
	for what in whole body; do
		hoard "$what"
		seq 5 | post "$what" -l -q
		tail_in new "$what"
		local new=$TAIL
		tail_in all "$what" --since all --state state.$what
		local all=$TAIL
		wait_for streams 2
		# What comes before it is found out is not lost, also without an id to begin after.
		seq 6 10 | post "$what" -l -q
		wait_for lines_of all 10
		wait_for has new 10
		local i
		for i in 11 12 13; do
			post "$what" -d "$i" -q
			wait_for lines_of all "$i"
		done
		wait_for has new 13
		diff all <(seq 13)
		# It may begin a moment too early.
		diff <(sed -n '/^6$/,$p' new) <(seq 6 13)
		for i in new all; do
			counts $i.err 'a proxy holds the stream back; polling from now on' 1
			lines_of $i.err 1
		done
		kill "$new" "$all"
		wait "$new" "$all" || true
		[ "$(sed -n 1p state.$what)" = "$(curl -sf "$URL/api/$what?limit=1&envelope=1" | jq -r '.[0].id')" ]
		wait_for streams 0
	done
}

@test "a server that is killed while it is polled: each event once" {
	serve
	hoard whole
	local round port=$PORT
	tail_in got "$BEHIND/api/event?topic=a/**" --since all
	for round in 1 2 3; do
		seq $((round * 20 - 19)) $((round * 20)) | post a/$round -l -q
		wait_for lines_of got $((round * 20))
		wait_for streams 1
		seq $((round * 100)) $((round * 100 + 9)) | post b -l -q
		crash
		serve_at "$port"
	done
	post a/4 -d last -q
	wait_for lines_of got 61
	diff got <(seq 60; echo last)
	counts got.err 'polling from now on' 1
}

@test "--count, --until end and --event are the same through such a proxy" {
	serve
	hoard body
	seq 100 | post a -l -q
	[ "$(SSE_URL=$BEHIND sse-tail a --since all --until end 2>err.tail | wc -l)" -eq 100 ]
	[ ! -s err.tail ]
	post a -e note -d noted -q
	tail_in note a --since all -e note -n 2
	local note=$TAIL
	tail_in count a --last 3 -n 4
	wait_for lines_of note 1
	post a -e other -d one -q
	post a -e note -d two -q
	wait "$note"
	diff note <(printf '%s\n' noted two)
	wait "$TAIL"
	diff count <(printf '%s\n' 99 100 noted one)
}

@test "--poll asks again and again from the start, and only sse-serve" {
	serve
	seq 5 | post a -l -q
	run -0 sse-tail "$URL/api/a/event" --poll --since all -n 5 -o data
	[ "$output" = "$(seq 5)" ]
	SSE_URL=$URL sse-tail a --poll -n 2 -o data --state state >got 2>got.err 3>&- &
	local tail=$!
	wait_for streams 1
	post a -d six -q
	wait_for lines_of got 1
	wait_for streams 1
	post a -d seven -q
	ended "$tail" 0
	diff got <(printf '%s\n' six seven)
	[ ! -s got.err ]
	post a -d eight -q
	run -0 sse-tail "$URL/api/a/event" --poll --state state -n 1 -o data
	[ "$output" = eight ]
	play <<<'answer @STREAM'
	run -76 sse-tail "$URL/x" --poll
	[[ $output == *"does not know polls; only sse-serve does" ]]
	local other
	for other in --lines '--until end' --no-reconnect --check '-d x' '-X POST'; do
		# shellcheck disable=SC2086 # words
		run -64 sse-tail a --poll $other
		[[ $output == *"--poll asks for what comes next"* ]]
	done
}

@test "another server that is only slow keeps its connection" {
	URL=none
	hoard foreign
	tail_in got a
	ended "$TAIL" 0
	diff got <(echo late)
	[ ! -s got.err ]
}

@test "--no-reconnect, JSON lines and requests with a body are never polled" {
	serve
	hoard whole
	tail_in once a --no-reconnect --timeout 7s
	local once=$TAIL
	tail_in lines a --lines --timeout 7s
	wait_for streams 2
	post a -d x -q
	wait "$once" || true
	wait "$TAIL" || true
	not has once.err polling
	not has lines.err polling
}

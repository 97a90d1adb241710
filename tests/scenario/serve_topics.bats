#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: many topics on one stream, patterns, envelopes, and several loops.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

@test "one stream for several topics: each event once, in one order, with one id" {
	serve
	follow stream '/api/event?topic=a&topic=b&topic=a'
	text a 1
	text c no
	text b 2
	text a 3
	wait_for has stream 'data: 3'
	[ "$(data stream)" = $'1\n2\n3' ]
	# The id of an event of one topic resumes them all.
	local id
	id=$(sed -n 's/^id: //p' stream | sed -n 2p)
	text b 4
	follow resumed '/api/event?topic=b&topic=a' -H "Last-Event-ID: $id"
	wait_for has resumed 'data: 4'
	[ "$(data resumed)" = $'2\n3\n4' ]
	stop
	serve
	follow resumed '/api/event?topic=b&topic=a' -H "Last-Event-ID: $id"
	wait_for has resumed 'data: 4'
	[ "$(data resumed)" = $'2\n3\n4' ]
}

@test "* stands for one segment and ** for all further ones, also of topics that come up later" {
	serve
	text chat/old 0
	follow one '/api/event?topic=chat/*'
	follow rest '/api/event?topic=chat/**'
	follow middle '/api/event?topic=*/b/c'
	follow all '/api/event?topic=**'
	text chat 1
	text chat/a 2
	text chat/a/b 3
	text x/b/c 4
	text chat/old 5
	wait_for has all 'data: 5'
	wait_for has one 'data: 5'
	wait_for has rest 'data: 5'
	wait_for has middle 'data: 4'
	[ "$(data one)" = $'2\n5' ]
	[ "$(data rest)" = $'2\n3\n5' ]
	[ "$(data middle)" = 4 ]
	[ "$(data all)" = $'1\n2\n3\n4\n5' ]
	follow since '/api/event?topic=chat/*&topic=x/**&since=all'
	wait_for has since 'data: 5'
	[ "$(data since)" = $'0\n2\n4\n5' ]
}

@test "?envelope=1 gives each event with its topic, id, time and type, the JSON as it came" {
	serve
	follow stream '/api/event?topic=**&envelope=1'
	follow plain '/api/event?topic=**'
	ask -H 'Content-Type: application/json' --data-binary '{ "b":1.0e0, "a":123456789012345678901 }' \
		"$URL/api/numbers?event=made"
	local id
	id=$(header Last-Event-ID)
	text words $'two\nlines "quoted"'
	wait_for has stream quoted
	wait_for has plain quoted
	grep '^event: ' stream | cmp - <(printf 'event: made\nevent: update\n')
	has stream "data: {\"topic\":\"numbers\",\"id\":\"$id\",\"time\":\"2"
	has stream '"event":"made","data":{ "b":1.0e0, "a":123456789012345678901 }}'
	has stream '"event":"update","data":"two\nlines \"quoted\""}'
	has stream "id: $id"
	not has plain topic
	# From the log it is the same, byte for byte.
	follow again '/api/event?topic=**&envelope=1&since=all'
	wait_for has again quoted
	diff <(sed -n '/^event/,$p' stream) <(sed -n '/^event/,$p' again)
	# One topic alone can have envelopes too, and the list has the same.
	follow words '/api/words/event?envelope=1&since=all'
	wait_for has words quoted
	ask -H 'Accept: application/x-ndjson' "$URL/api/words?envelope=1"
	[ "data: $(cat body)" = "$(grep '^data: ' words)" ]
}

@test "?envelope=1 nests JSON that spans lines" {
	serve
	follow stream '/api/any/event?envelope=1'
	json any $'{\n "a": 1\n}'
	wait_for grep -q '^id: .*:1$' stream
	[ "$(sed -n 's/^data: //p' stream | node -e '
		const text = require("fs").readFileSync(0, "utf8")
		console.log(JSON.parse(text).data.a)')" = 1 ]
}

@test "a stream that names no topic, too many, or a bad one is refused with what would be right" {
	serve --max-topics-per-stream 3
	ask "$URL/api/event"
	problem 400 'name the topics'
	ask "$URL/api/event?topic="
	problem 400 'cannot be empty'
	ask "$URL/api/event?topic=a&topic=b&topic=c&topic=d"
	problem 400 'max-topics-per-stream'
	local bad
	for bad in 'a*' '**/a' '*/**/b' 'a/b*' 'a//b' '%24sys' event a/presence '***'; do
		ask "$URL/api/event?topic=a&topic=$bad"
		problem 400 'topic='
	done
	ask "$URL/api/a*/event"
	problem 400 'topic'
	follow stream '/api/event?topic=a&topic=b&topic=c'
}

@test "64 topics with long names fit into a request; what does not fit is answered 414 at once" {
	serve
	local query count name
	name=$(letters 190)
	for count in {10..73}; do
		query+="topic=$name$count&"
	done
	follow stream "/api/event?${query%&}"
	text "${name}42" found
	wait_for has stream 'data: found'
	for count in 200 250 300 1000; do
		ask --max-time 20 "$URL/healthz?$(seq -s '&' "$count")"
		[ "$code" = 200 ] || problem 414 'too many parameters'
	done
	problem 414 'too many parameters'
}

@test "targets that are refused leave nothing behind, and stand in the log" {
	serve -v
	local target start count=0
	target="$URL/healthz?$(seq -s '&' 1000)"
	logged() {
		[ "$(grep -c '"/healthz?1&2&3&4' err)" = "$count" ]
	}
	refused() { # HOW-MANY
		curl -s -o null -w '%{http_code}\n' "$target&[1-$1]" | sort | uniq -c >codes
		[ "$(awk '{ print $1, $2 }' codes)" = "$1 414" ]
		count=$((count + $1))
		wait_for logged
	}
	refused 300
	start=$(resident)
	refused 1000
	[ -n "${SANITIZER:-}" ] || [ "$(resident)" -lt $((start + 2000)) ]
}

@test "a slip in the query of a stream or a list is refused" {
	serve
	ask "$URL/api/any/event?envelope=yes"
	problem 400 'envelope is 1 or 0'
	ask "$URL/api/any?envelope=yes"
	problem 400 'envelope is 1 or 0'
	ask "$URL/api/any/event?topic=other"
	problem 400 '/api/event'
}

@test "a gap on a stream of several topics is told once, and only for its own" {
	serve --db :memory: --window 64k --max-body 8k
	text keep/one 1
	local id
	id=$(header Last-Event-ID)
	letters 7000 >large
	local i
	for i in {1..20}; do
		text lost/two @large
	done
	text keep/one last
	follow stream '/api/event?topic=lost/*&topic=other' -H "Last-Event-ID: $id"
	wait_for has stream 'event: update'
	counts stream 'event: gap' 1
	has stream '"reason":"expired"'
	[ "$(grep -m 1 '^event: ' stream)" = 'event: gap' ]
	# Of keep/one nothing after the id is gone.
	follow kept '/api/event?topic=keep/*' -H "Last-Event-ID: $id"
	wait_for has kept 'data: last'
	not has kept gap
}

@test "four loops: streams are spread over them, and each gets everything" {
	serve --loops 4
	[ "$(find "/proc/$PID/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 6 ]
	flood 60 100 8 2000 0
}

@test "topics, patterns, envelopes, slow readers and a window of 64k: nothing is lost or torn" {
	serve --loops 2 --window 64k
	flood 30 200 4 3000 4 7 mix
}

@test "topics, patterns and envelopes out of the window: nothing is lost or torn" {
	serve --loops 2 --window 16M
	flood 60 200 4 1000 5 7 mix
}

@test "topics, patterns and envelopes from the log in memory: nothing is lost or torn" {
	serve --loops 2 --db :memory: --window 16M
	flood 30 100 4 1000 5 7 mix
}

@test "many that resume at once from the log share it, and each gets all" {
	serve --loops 2 --window 64k
	local i
	letters 3000 >large
	for i in {1..60}; do
		text any @large
	done
	text any end
	for i in {1..50}; do
		curl -sN --max-time 100 "$URL/api/any/event?since=all" >"stream.$i" 3>&- &
	done
	all_there() {
		[ "$(cat stream.* | grep -c '^data: end')" -eq 50 ]
	}
	wait_for all_there
	for i in {1..50}; do
		[ "$(grep -c '^data: x' "stream.$i")" -eq 60 ]
	done
}

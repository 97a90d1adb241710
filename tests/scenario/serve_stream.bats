#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: event streams, resuming, slow readers, many readers.
# shellcheck disable=SC2030,SC2031,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# sse: the bytes of a stream without its head, its retry and its start.
sse() {
	tr -d '\r' <"$1" | sed -n '/^id: /,$p' | sed 1,2d
}

@test "a stream's head and first bytes come at once, unchunked and not to be buffered" {
	serve
	follow stream /api/users/event -i
	wait_for has stream 'id: '
	tr -d '\r' <stream >plain
	[ "$(head -n 1 plain)" = 'HTTP/1.1 200 OK' ]
	grep -qx 'Content-Type: text/event-stream' plain
	grep -qx 'Cache-Control: no-cache' plain
	grep -qx 'X-Accel-Buffering: no' plain
	grep -qx 'Connection: close' plain
	not grep -qi '^Transfer-Encoding\|^Content-Length\|^Content-Encoding' plain
	sed '1,/^$/d' plain >body
	[[ $(cat body) =~ ^'retry: '[1-9][0-9]+$'\n\n''id: '[A-Za-z0-9]+:0$ ]]
	[ "$(wc -l <body)" -eq 4 ]
}

@test "every open stream gets exactly the tutorial's event, with its id" {
	serve
	follow one /api/users/event
	follow two /api/users/event
	follow other /api/chat/lobby/event
	user John DOE
	local id
	id=$(header Last-Event-ID)
	wait_for has one "id: $id"
	wait_for has two "id: $id"
	printf 'event: update\ndata: {"firstname":"John","lastname":"DOE"}\nid: %s\n\n' "$id" >expected
	sse one | cmp - expected
	sse two | cmp - expected
	[ -z "$(sse other)" ]
}

@test "text of several lines is several data lines; the event type is the publisher's" {
	serve
	follow stream /api/any/event
	text 'any?event=note' $'one\n\n two\n'
	wait_for has stream "id: $(header Last-Event-ID)"
	printf 'event: note\ndata: one\ndata: \ndata:  two\ndata: \nid: %s\n\n' \
		"$(header Last-Event-ID)" >expected
	sse stream | sed 's/^data:$/data: /' | cmp - expected
}

@test "a client resumes after its id, by header and by query, and the header outranks" {
	serve
	local ids=() i
	for i in 1 2 3 4; do
		json any "$i"
		ids[i]=$(header Last-Event-ID)
	done
	follow stream /api/any/event -H "Last-Event-ID: ${ids[2]}"
	wait_for has stream 'data: 4'
	[ "$(data stream)" = $'3\n4' ]
	# The start is told also where there is nothing new.
	grep -qx "id: ${ids[2]}" stream
	follow stream "/api/any/event?last_event_id=${ids[3]}"
	wait_for has stream 'data: 4'
	[ "$(data stream)" = 4 ]
	follow stream "/api/any/event?last_event_id=${ids[1]}" -H "Last-Event-ID: ${ids[3]}"
	wait_for has stream 'data: 4'
	[ "$(data stream)" = 4 ]
	# An empty header is none.
	follow stream "/api/any/event?last_event_id=${ids[3]}" -H 'Last-Event-ID;'
	wait_for has stream 'data: 4'
	[ "$(data stream)" = 4 ]
	json any 5
	wait_for has stream 'data: 5'
	[ "$(data stream)" = $'4\n5' ]
}

@test "a script that stands in for EventSource resumes by the name that it puts into the URL" {
	serve
	local ids=() i name
	for i in 1 2 3 4; do
		json any "$i"
		ids[i]=$(header Last-Event-ID)
	done
	for name in lastEventId lastEventID Last-Event-ID evs_last_event_id; do
		follow stream "/api/any/event?$name=${ids[2]}"
		wait_for has stream 'data: 4'
		[ "$(data stream)" = $'3\n4' ]
		follow stream "/api/event?topic=*&$name=${ids[3]}"
		wait_for has stream 'data: 4'
		[ "$(data stream)" = 4 ]
		follow stream "/api/any/event?$name=elsewhere:7"
		wait_for has stream 'data: 4'
		has stream '"reason":"unknown-log"'
	done
	# What else they add; an EventSource with a header has the newest id in it.
	follow stream "/api/any/event?evs_buffer_size_limit=262144&evs_preamble=2056&evs_last_event_id=${ids[3]}"
	wait_for has stream 'data: 4'
	[ "$(data stream)" = 4 ]
	follow stream "/api/any/event?lastEventId=${ids[1]}&r=8372617" -H "Last-Event-ID: ${ids[3]}"
	wait_for has stream 'data: 4'
	[ "$(data stream)" = 4 ]
	# The first time there is no id yet: it begins now, or where the page says.
	follow stream "/api/any/event?lastEventId=&r=8372617"
	json any 5
	wait_for has stream 'data: 5'
	[ "$(data stream)" = 5 ]
	follow stream "/api/any/event?since=all&lastEventId="
	wait_for has stream 'data: 5'
	[ "$(data stream)" = $'1\n2\n3\n4\n5' ]
	# Two that agree are one; of two that do not, nobody knows which is meant.
	follow stream "/api/any/event?last_event_id=${ids[4]}&lastEventId=${ids[4]}"
	wait_for has stream 'data: 5'
	[ "$(data stream)" = 5 ]
	ask --max-time 9 "$URL/api/any/event?last_event_id=${ids[1]}&lastEventId=${ids[2]}"
	problem 400 "in 'lastEventId' is not that of"
	ask --max-time 9 "$URL/api/any/event?lastEventID=${ids[1]}&evs_last_event_id=${ids[2]}"
	problem 400 "in 'evs_last_event_id' is not that of"
	ask "$URL/api/any?lastEventId=${ids[1]}"
	problem 400 "'lastEventId' is a parameter of a topic's stream, not of a list"
}

@test "?since gives what is stored since then, and goes on live" {
	serve
	json any 1
	json other 7
	json any 2
	follow stream '/api/any/event?since=all'
	follow hour '/api/any/event?since=1h'
	follow unix "/api/any/event?since=$(($(date +%s) - 60))"
	follow fraction '/api/any/event?since=1.5h'
	follow now '/api/any/event?since=2999-01-01T00:00:00Z'
	wait_for has stream 'data: 2'
	wait_for has now 'id: '
	json any 3
	wait_for has stream 'data: 3'
	wait_for has hour 'data: 3'
	wait_for has unix 'data: 3'
	wait_for has fraction 'data: 3'
	wait_for has now 'data: 3'
	[ "$(data stream)" = $'1\n2\n3' ]
	[ "$(data fraction)" = $'1\n2\n3' ]
	[ "$(data hour)" = $'1\n2\n3' ]
	[ "$(data unix)" = $'1\n2\n3' ]
	[ "$(data now)" = 3 ]
	ask "$URL/api/any/event?since=tomorrow"
	problem 400 "since: 'tomorrow'"
}

@test "an id that is not of this log brings a gap event first, then everything" {
	serve
	json any 1
	json any 2
	local id tag bad
	id=$(header Last-Event-ID)
	tag=${id%:*}
	for bad in AAAAAAAA:1 "$tag:3" "$tag:99999999999999999999" "$tag:" "$tag:-1" "$tag" 7 x "$tag:1x" \
		':1' "$tag:1:2" "$(letters 5000)"; do
		follow stream /api/any/event -H "Last-Event-ID: $bad"
		wait_for has stream 'data: 2'
		sse_events=$(sed -n '/^event: gap$/,$p' stream)
		[[ $sse_events = 'event: gap'* ]]
		[ "$(grep -c '^event: ' stream)" -eq 3 ]
		[ "$(grep -m 1 '^event: ' stream)" = 'event: gap' ]
		grep -q '"reason":"unknown-log"' stream
		grep -q "\"oldest\":\"$tag:1\"" stream
		[ "$(data stream | tail -n 2)" = $'1\n2' ]
	done
	follow stream '/api/any/event?last_event_id=foreign%22%0A%E2%82%AC'
	wait_for has stream 'data: 2'
	sed -n 's/^data: \({"after".*\)/\1/p' stream >gap
	node -e '
		const gap = JSON.parse(require("fs").readFileSync("gap", "utf8"))
		process.exit(gap.after === "foreign\"\n€" && gap.reason === "unknown-log" ? 0 : 1)'
}

@test "a gap event on an empty topic has the id to go on from" {
	serve
	json other 1
	follow stream /api/empty/event -H 'Last-Event-ID: nonsense'
	wait_for has stream '"oldest":null'
	wait_for grep -q '^id: .*:1$' stream
	local id
	id=$(sed -n 's/^id: //p' stream | tail -n 1)
	json empty 2
	wait_for has stream 'data: 2'
	follow again /api/empty/event -H "Last-Event-ID: $id"
	wait_for has again 'data: 2'
	not has again gap
}

@test "a start that cannot be read is told, not taken for now" {
	serve
	json any 1
	ask --max-time 9 "$URL/api/any/event?last_event_id=%00"
	problem 400 'percent escape'
	ask --max-time 9 "$URL/api/any/event?last_event_id=%zz"
	problem 400 'percent escape'
	ask --max-time 9 "$URL/api/any/event?since=%zz"
	problem 400 'percent escape'
}

@test "after a restart all ids still resume; a replaced database is told by a gap" {
	serve
	json any 1
	local first second
	first=$(header Last-Event-ID)
	stop
	serve
	json any 2
	second=$(header Last-Event-ID)
	# Each start begins an incarnation, but for a node of a log that goes on without it.
	if shared; then
		[ "${first%:*}" = "${second%:*}" ]
	else
		[ "${first%:*}" != "${second%:*}" ]
	fi
	stop
	serve
	follow stream /api/any/event -H "Last-Event-ID: $first"
	wait_for has stream 'data: 2'
	[ "$(data stream)" = 2 ]
	follow stream /api/any/event -H "Last-Event-ID: ${first%:*}:0"
	wait_for has stream 'data: 2'
	[ "$(data stream)" = $'1\n2' ]
	# An id of the first run with a position of the second; or with one that is still to come.
	follow stream /api/any/event -H "Last-Event-ID: ${first%:*}:$(shared && echo 3 || echo 2)"
	wait_for has stream 'unknown-log'
	stop
	rm -f events.db*
	serve
	json any 3
	follow stream /api/any/event -H "Last-Event-ID: $first"
	wait_for has stream 'data: 3'
	grep -q '"reason":"unknown-log"' stream
}

@test "a database that was copied is another log once both have gone on" {
	serve
	json any 1
	local shared
	shared=$(header Last-Event-ID)
	stop
	cp events.db copy.db
	serve
	json any 2
	local here
	here=$(header Last-Event-ID)
	stop
	serve --db copy.db
	json any 3
	follow stream /api/any/event -H "Last-Event-ID: $here"
	wait_for has stream 'data: 3'
	has stream 'unknown-log'
	follow stream /api/any/event -H "Last-Event-ID: $shared"
	wait_for has stream 'data: 3'
	not has stream gap
}

@test "list, then stream from the list's id: neither a gap nor an overlap" {
	serve
	(
		for i in {1..150}; do
			curl -sS -o /dev/null -H 'Content-Type: application/json' -d "$i" "$URL/api/any" \
				"$URL/api/other" || break
		done
		touch published
	) 3>&- &
	local round id
	for round in 1 2 3 4; do
		ask "$URL/api/any"
		answers 200
		id=$(header Last-Event-ID)
		tr -d '[],\n ' <body >/dev/null
		tr ',' '\n' <body | tr -d '[] ' | grep . >"list$round" || true
		follow "tail$round" /api/any/event -H "Last-Event-ID: $id"
	done
	wait_for test -e published
	seq 150 >expected
	for round in 1 2 3 4; do
		wait_for has "tail$round" 'data: 150'
		{ cat "list$round"; data "tail$round"; } >both
		cmp both expected
	done
}

@test "HEAD, HTTP/1.0, and a request with a body" {
	serve
	follow stream /api/any/event --http1.0 -i
	json any 1
	wait_for has stream 'data: 1'
	ask -X GET -d x "$URL/api/any/event"
	problem 400 'must not have a body'
	ask -X GET -H 'Transfer-Encoding: chunked' -d x "$URL/api/any/event"
	problem 400 'must not have a body'
}

@test "bytes behind a stream's request are no second request, and harm nobody" {
	serve
	mkfifo hold
	exec 5<>hold
	# What comes in the same packet, and what comes later.
	(
		exec 4<>"/dev/tcp/127.0.0.1/$PORT"
		printf 'GET /api/any/event HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx' >&4
		cat <&4 >stream &
		READER=$!
		read -r _ <hold
		letters 100000 >&4 2>/dev/null || true
		wait $READER
	) 3>&- &
	wait_for has stream retry:
	echo >&5
	json any '"seen"'
	wait_for has stream 'data: "seen"'
	[ "$(data stream)" = '"seen"' ]
	counts stream 'HTTP/1.1' 1
	ask "$URL/api/any"
	[ "$(cat body)" = '["seen"]' ]
	exec 5>&-
}

@test "a socket that was handed over lives through what the HTTP library does afterwards" {
	serve
	follow stream /api/any/event
	local i
	# Many connections, of which the library reuses the numbers and the memory.
	for i in {1..30}; do
		ask "$URL/healthz" "$URL/healthz" "$URL/nothing"
		ask -d x -H 'Content-Type: text/plain' "$URL/api/other"
		follow "short" /api/other/event
		kill "$FOLLOWER"
	done
	json any '"still there"'
	wait_for has stream 'data: "still there"'
}

@test "a silent stream gets a comment, again and again" {
	serve --heartbeat 0.1s
	follow stream /api/any/event
	beats_on stream
	json any 1
	wait_for has stream 'data: 1'
	[ "$(data stream)" = 1 ]
}

@test "--tick sends the demo's greeting, which is not stored and has no id" {
	serve --tick 20ms
	follow stream /api/users/event
	ticks() {
		[ "$(grep -c '^data: Hello, world!$' stream)" -ge 3 ]
	}
	wait_for ticks
	[ "$(grep -c '^id:' stream)" -eq 1 ]
	grep -q '^event: update$' stream
	ask "$URL/api/users"
	[ "$(cat body)" = '[]' ]
	follow other /api/other/event
	user John DOE
	wait_for has stream '"John"'
	[ -z "$(data other)" ]
}

@test "an event that is replayed to a slow reader is not torn by the ticks between" {
	serve --tick 1ms --listen unix:s.sock
	local i before=0
	letters 10000 >name
	{ printf '{"firstname":"F","lastname":"'; cat name; printf '"}'; } >large
	ticked_again() {
		[ "$(grep -c '^data: Hello' ticks)" -gt "$before" ]
	}
	follow ticks /api/users/event
	# Between two events of the topic stand one of another topic and a tick.
	for i in {1..60}; do
		json users @large
		text other x
		before=$(grep -c '^data: Hello' ticks)
		wait_for ticked_again
	done
	kill "$FOLLOWER"
	# A pipe that nobody reads at first: the socket fills up in the middle of an event.
	mkfifo pipe
	curl -sN --unix-socket s.sock 'http://localhost/api/users/event?since=all' >pipe 3>&- &
	local reader=$!
	exec 5<pipe
	blocked() {
		[ "$(sed -n 's/^wchar: //p' "/proc/$reader/io")" -ge 40000 ]
	}
	wait_for blocked
	grep -a -m 60 '"lastname"' <&5 >seen || true
	exec 5<&-
	[ "$(wc -l <seen)" -eq 60 ]
	sed 's/^data: //' seen | sort -u | cmp - <(cat large; echo)
}

@test "1,000 streams open at once, and each gets what is published" {
	serve
	flood 1000 3 2 200 0
	wait_for down_to 199
}

@test "many publishers, slow readers and a window of 64k: nothing is lost, repeated or torn" {
	serve --window 64k
	flood 24 150 6 9000 3
}

@test "many topics, slow readers and a window of 64k: nothing is lost, repeated or torn" {
	serve --window 64k
	flood 30 200 4 3000 4 7
}

@test "events larger than the window: nothing is lost, repeated or torn" {
	serve --window 64k
	flood 6 25 2 300000 3
}

@test "the log in memory: nothing is lost, repeated or torn" {
	serve --db :memory: --window 8M
	flood 20 200 4 500 0 3
}

@test "the log in memory forgets the oldest, and says so" {
	serve --db :memory: --window 64k --max-body 8k
	local first i
	letters 7000 >large
	text any 1
	first=$(header Last-Event-ID)
	for i in {1..20}; do
		text any @large
	done
	ask "$URL/api/any/$first"
	problem 410 'no longer kept'
	follow stream /api/any/event -H "Last-Event-ID: $first"
	wait_for has stream '"reason":"expired"'
	[ "$(grep -m 1 '^event' stream)" = 'event: gap' ]
	grep -q "\"after\":\"$first\"" stream
	text any last
	wait_for has stream 'data: last'
	# What the gap names as the oldest is the first that came.
	[ "$(sed -n 's/.*"oldest":"\([^"]*\)".*/\1/p' stream)" = "$(sed -n '/xxx/{n;s/^id: //p}' stream | head -n 1)" ]
	ask "$URL/api/any"
	[ "$(grep -c xxx body)" -lt 20 ]
	stop
	serve --db :memory: --window 64k --max-body 8k
	ask "$URL/api/any"
	[ "$(cat body)" = '[]' ]
}

@test "a reader that stops reading for good delays no publisher and no other reader" {
	serve --window 64k
	mkfifo pipe
	curl -sN "$URL/api/any/event" >pipe 3>&- &
	exec 5<pipe
	follow stream /api/any/event
	letters 500000 >large
	local i
	for i in {1..30}; do
		text any @large
		answers 201
	done
	text any last
	wait_for has stream 'data: last'
	[ "$(grep -c '^data: xxx' stream)" -eq 30 ]
	# Memory does not grow with what one reader has not read.
	if [ -z "${SANITIZER:-}" ]; then
		[ "$(resident)" -lt 60000 ]
	fi
	# It gets everything all the same.
	grep -a -m 31 '^data: ' <&5 >seen
	[ "$(wc -l <seen)" -eq 31 ]
	[ "$(tail -n 1 seen)" = 'data: last' ]
	exec 5<&-
}

@test "2,000 readers come and go, and take nothing with them" {
	serve
	local i before
	churn() {
		for ((i = 0; i < $1; i++)); do
			printf 'GET /api/t%s/event HTTP/1.1\r\nHost: localhost\r\n\r\n' $((i % 50)) \
				>"/dev/tcp/127.0.0.1/$PORT"
		done
	}
	ask "$URL/healthz"
	before=$(($(descriptors) + 2))
	churn 300
	wait_for down_to "$before"
	local start
	start=$(resident)
	churn 2000
	wait_for down_to "$before"
	if [ -z "${SANITIZER:-}" ]; then
		[ "$(resident)" -lt $((start + 2000)) ]
	fi
}

@test "after a restart all readers come back at once, and each goes on where it was" {
	serve
	local i id
	json any 0
	id=$(header Last-Event-ID)
	for i in {1..40}; do
		json any "$i"
	done
	i=$PORT
	crash
	serve_at "$i"
	for i in {1..100}; do
		curl -sN --max-time 100 -H "Last-Event-ID: $id" "$URL/api/any/event" >"r$i" 2>/dev/null 3>&- &
	done
	json any '"live"'
	{ seq 40; echo '"live"'; } >expected
	for i in {1..100}; do
		wait_for has "r$i" 'data: "live"'
		data "r$i" | cmp - expected
	done
}

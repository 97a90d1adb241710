#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Events for many topics by sse-post, servers that are mirrored, and --if-match.

load serve_helpers

# names STATUS TEXT COMMAND...: it ends with that status, and says so in one line that has the text.
names() {
	local want=$1 text=$2 status=0
	shift 2
	"$@" >said.out 2>said || status=$?
	cat said >&2
	[ "$status" -eq "$want" ] || { echo "status $status, not $want" >&2; return 1; }
	has said "$text"
}

# --- / ------------------------------------------------------------------------

@test "sse-post / sends each envelope to the topic that it names, many in one request" {
	serve
	printf '{"topic":"%s","event":"e","data":{"n":%d}}\n' a 1 b/c 2 a 3 d 4 | post / -E -v 2>said
	stored a | is $'{"n":1}\n{"n":3}'
	stored b/c | is '{"n":2}'
	stored d envelope=1 | grep -c '"event":"e"' | is 1
	counts said 'POST' 2
	has said 'a batch of 3 events'
	# The URL says the same.
	echo '{"topic":"d","data":"text"}' | sse-post "$URL/api" -E
	echo '{"topic":"d","data":"more"}' | sse-post "$URL/api/" -i envelope --batch never
	stored d | is $'{"n":4}\n"text"\n"more"'
	# One request for each, if they are not to be sent together.
	printf '{"topic":"e","data":%d}\n' 1 2 3 | post / -E --batch never -v 2>said
	counts said 'POST' 3
	stored e | is $'1\n2\n3'
}

@test "sse-post / names the line of the input that has no topic, or that the server refuses" {
	serve
	echo '{"topic":"a","data":1}' >lines
	echo '{"data":2}' >>lines
	names 65 'line 2 has no topic' post / -E -f lines
	stored a | is 1
	printf '{"topic":"%s","data":{}}\n' b c users d >lines
	names 65 "the field 'firstname' is missing" post / -E -f lines
	has said 'line 3 is the first that was not'
	not has said 'line 1'
	stored b | is '{}'
	stored d | is ''
	names 65 'left out: line 3' post / -E -f lines --skip-bad -o json
	counts said.out '"result":"stored"' 3
	counts said.out '"result":"refused","line":3' 1
	stored d | is '{}'
	names 64 '--envelopes' post / -d x
	names 64 '--envelopes' post / -l
	# With a topic in the URL it does not count, as ever.
	echo '{"topic":"elsewhere","data":1}' | post here -E
	stored here | is 1
}

@test "what sse-tail prints of a stream of envelopes goes to / as it was" {
	serve
	text t 'two
lines'
	json t '{"a" :
 1.0}'
	json t '[]' -H 'Idempotency-Key: own'
	ask -H 'Content-Type: text/plain' -d 'x' "$URL/api/other/one?event=note"
	sse-tail "$URL/api/event?topic=**&envelope=1&since=all" -o json -n 4 >lines
	stored t envelope=1 | sed 's/"id":.*"event"/"event"/' >list
	stored other/one envelope=1 | sed 's/"id":.*"event"/"event"/' >one
	stop
	serve --db target.db
	post / -E -f lines --state S
	stored t envelope=1 | sed 's/"id":.*"event"/"event"/' | diff list -
	stored other/one envelope=1 | sed 's/"id":.*"event"/"event"/' | diff one -
	[ "$(cat S)" = "$(tail -n 1 lines | sed 's/.*,"id":"\([^"]*\)".*/\1/')" ]
	# The keys are the ids of the source: nothing is there twice.
	post / -E -f lines
	[ "$(stored t | wc -l)" -eq "$(wc -l <list)" ]
	# With --nest the envelopes are no strings; line ends and spaces between tokens are gone then.
	stop
	serve
	sse-tail "$URL/api/event?topic=**&envelope=1&since=all" -o json --nest -n 4 >nested
	stop
	serve --db nested.db
	post / -E -f nested
	stored t | is $'"two\\nlines"\n{"a":1.0}\n[]'
}

@test "ephemeral events, joins and leaves are not mirrored, and a gap is told" {
	serve
	cat >lines <<-'END'
		{"event":"e","data":"{\"topic\":\"a\",\"id\":\"t:1\",\"event\":\"e\",\"data\":1}","id":"t:1"}
		{"event":"typing","data":"{\"topic\":\"a\",\"event\":\"typing\",\"data\":2}","id":"t:1"}
		{"event":"join","data":"{\"topic\":\"a\",\"event\":\"join\",\"data\":{\"name\":\"Ann\"}}","id":"t:1"}
		{"event":"gap","data":"{\"after\":\"t:1\",\"oldest\":\"t:9\",\"reason\":\"expired\"}","id":"t:8"}
	END
	post / -E -f lines --state S 2>said
	stored a | is 1
	has said 'event 4: events are missing at the source'
	# The source goes on after the gap.
	[ "$(cat S)" = t:8 ]
}

@test "events for many topics wait in the spool with their topics, and are sent in their order" {
	serve
	local port=${URL##*:}
	stop
	printf '{"topic":"%s","key":"k%d","data":%d}\n' a 1 1 b 2 2 a 3 3 | post / -E --spool spool
	grep -rh '"topic"' spool --include='*.events' | cut -d , -f 1 | is $'{"topic":"a"\n{"topic":"b"\n{"topic":"a"'
	post --spool spool --spool-status | grep -c '/api' | is 1
	serve_at "$port"
	post --spool spool --flush
	stored a | is $'1\n3'
	stored b | is 2
	# What the server refuses is put aside with its topic.
	stop
	echo '{"topic":"users","data":1}' | post / -E --spool spool
	serve_at "$port"
	names 65 'set aside' post / --spool spool --flush
	grep -rh '"topic":"users"' spool/*/failed | grep -c . | is 1
}

@test "a token that may not publish to one of the topics stores nothing of the batch" {
	umask 077
	cat >rules <<-END
		me sha256:$(printf %s "sse_$(letters 32 a)" | sha256sum | cut -d ' ' -f 1) publish=a,b read=**
	END
	serve --access rules
	export SSE_TOKEN
	SSE_TOKEN=sse_$(letters 32 a)
	printf '{"topic":"%s","data":1}\n' a b secret a >lines
	names 77 'me may not publish to the topic secret' post / -E -f lines --batch always
	curl -sf -H "Authorization: Bearer $SSE_TOKEN" "$URL/api/a" | is '[]'
	sed -i 3d lines
	post / -E -f lines
	curl -sf -H "Authorization: Bearer $SSE_TOKEN" -H 'Accept: application/x-ndjson' "$URL/api/a" | is $'1\n1'
}

# --- a mirror -----------------------------------------------------------------

# target: a second server; TARGET is its URL, TARGET_PID its process.  A later one takes its place.
target() {
	: >target.out
	"$BIN/sse-serve" --listen "${TARGET_PORT:-0}" --db target.db >target.out 2>>target.err 3>&- &
	TARGET_PID=$!
	wait_for has target.out 'Listening on'
	TARGET=$(sed -n 's/^Listening on //p' target.out)
	TARGET_PORT=${TARGET##*:}
}

# mirror: copy all topics of the server to the target, and go on; MIRROR are the processes.
mirror() {
	rm -f pipe
	mkfifo pipe
	sse-tail "$URL/api/event?topic=**&envelope=1&since=all" --resume-from S -o json >pipe 2>>tail.err 3>&- &
	MIRROR=("$!")
	SSE_URL=$TARGET sse-post / -E --state S --retry-max-time 2m -v <pipe 2>>post.err 3>&- &
	MIRROR+=("$!")
}

# kill_mirror: both programs at once, wherever they are.
kill_mirror() {
	local pid
	kill -KILL "${MIRROR[@]}"
	for pid in "${MIRROR[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
}

# contents URL: all events, without what a server gives them itself.
contents() {
	local topic
	for topic in a b/c d/e/f users; do
		curl -sf -H 'Accept: application/x-ndjson' "$1/api/$topic?envelope=1" |
			sed 's/"id":"[^"]*","time":"[^"]*",//'
	done
}

is_mirrored() {
	contents "$URL" >source.list && contents "$TARGET" | cmp -s source.list -
}

# publish ROUND: forty events to four topics.
publish() {
	local i
	for i in {1..10}; do
		printf '{"topic":"%s","event":"%s","data":%s}\n' a update "$((100 * $1 + i))" b/c note "\"$1 $i\"" \
			d/e/f update "{\"n\": $i.0}" users update '{"firstname":"A","lastname":"'"$1-$i"'"}'
	done | post / -E
}

@test "a server is mirrored, each event once, though the mirror and the target are killed in its midst" {
	serve
	target
	local round said
	publish 1
	mirror
	wait_for is_mirrored
	# Amid a burst the mirror is killed, then the target, then both.
	for round in 2 3 4 5; do
		said=$(wc -l <post.err)
		publish "$round" 3>&- &
		PUBLISHER=$!
		wait_for grew post.err "$said"
		kill_mirror
		mirror
		ended "$PUBLISHER" 0
	done
	for round in 6 7 8; do
		said=$(wc -l <post.err)
		publish "$round" 3>&- &
		PUBLISHER=$!
		wait_for grew post.err "$said"
		kill -KILL "$TARGET_PID"
		wait "$TARGET_PID" 2>/dev/null || true
		if [ "$round" -eq 8 ]; then
			kill_mirror
			mirror
		fi
		ended "$PUBLISHER" 0
		target
	done
	wait_for is_mirrored
	[ "$(wc -l <source.list)" -eq 320 ]
	kill_mirror
	# Begun again without its state, it sends all again, and nothing is there twice.
	rm -f S
	mirror
	publish 9
	wait_for is_mirrored
	[ "$(wc -l <source.list)" -eq 360 ]
	kill_mirror
}

# --- --if-match -----------------------------------------------------------------

@test "--if-match sends an event if the topic's newest event is the one that was seen" {
	serve
	post t -d 1 -o json >said
	local seen
	seen=$(sed 's/.*"id":"\([^"]*\)".*/\1/' said)
	post t -d 2 --if-match "$seen"
	names 65 'the newest event of the topic t is' post t -d 3 --if-match "\"$seen\""
	has said '(412 Precondition Failed)'
	has said "$(stored t 'limit=1&envelope=1' | sed 's/.*"id":"\([^"]*\)".*/\1/')"
	post t -d 3 --if-match '*'
	names 65 'the topic none has no event yet' post none -d 3 --if-match '*'
	post first -d 1 -H 'If-None-Match: *'
	names 65 'has had events' post first -d 2 -H 'If-None-Match: *'
	stored t | is $'1\n2\n3'
	stored first | is 1
	# By its key, an event that is there is accepted again.
	post t -d 4 --if-match "$(stored t 'limit=1&envelope=1' | sed 's/.*"id":"\([^"]*\)".*/\1/')" \
		--idempotency-key k
	post t -d 4 --if-match "$seen" --idempotency-key k
	[ "$(stored t | wc -l)" -eq 4 ]
}

@test "--if-match is for one event, which does not wait in a spool" {
	serve
	names 64 'a single event' post t --if-match a:1 -l </dev/null
	names 64 'a single event' post t --if-match a:1 <<<x
	names 64 'a single event' post / -E --if-match a:1 </dev/null
	names 64 'is not the id of an event' post t -d x --if-match 'a b'
	names 64 'is not the id of an event' post t -d x --if-match '"'
	names 64 'is not the id of an event' post t -d x --if-match 'a:1,a:2'
	post t -s --if-match '*' <<<x && return 1
	stop
	names 69 'cannot connect' post t -d x --if-match a:1 --spool spool --retry-max-time 0
	[ ! -e spool ]
}

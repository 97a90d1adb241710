#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Many topics in one POST, and writers who say what they have seen: POST /api, If-Match.
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# many BODY [ARGUMENT...]: publish lines that name their topics; the body may be @FILE.
many() {
	ask -H 'Content-Type: application/x-ndjson' --data-binary "$1" "${@:2}" "$URL/api"
}

# newest TOPIC: the id of its newest event.
newest() {
	stored "$1" 'limit=1&envelope=1' | sed 's/.*"id":"\([^"]*\)".*/\1/'
}

# --- many topics ------------------------------------------------------------

@test "lines that name their topics are stored in their order, each under its topic" {
	serve
	follow all '/api/event?topic=**'
	many '{"topic":"a","data":1}
{"topic":"b/c","event":"note","data":"two\nlines"}

{"topic":"users","data":{"firstname":"A","lastname":"B","age":7}}
{"topic":"a","data":{"n": 1.0}}' -H 'Accept: application/x-ndjson'
	answers 201
	[ "$(wc -l <body)" -eq 4 ]
	[ "$(header Last-Event-ID)" = "$(tail -n 1 body | cut -d '"' -f 4)" ]
	[ -z "$(header Location)" ]
	stored a | is $'1\n{"n": 1.0}'
	stored b/c | is '"two\nlines"'
	stored users | is '{"firstname":"A","lastname":"B"}'
	wait_for has all 'data: {"n": 1.0}'
	[ "$(data all | head -n 1)" = 1 ]
	has all 'event: note'
	# With the slash it is the same, and ?event= is the type of lines that name none.
	ask -H 'Content-Type: application/x-ndjson' -d '{"topic":"a","data":2}' "$URL/api/?event=other"
	answers 201
	wait_for has all 'event: other'
	# What a list with envelopes prints can be sent.
	stored b/c envelope=1 >lines
	many @lines
	answers 201
	[ "$(stored b/c | uniq | wc -l)" -eq 1 ]
}

@test "one bad line of many topics refuses all of them, and is named" {
	serve
	local line
	while IFS=$'\t' read -r line want; do
		many '{"topic":"a","data":1}
'"$line"
		problem 400 "line 2$want"
	done <<-'END'
		{"data":1}	: the member \"topic\" is missing
		{"topic":"b"}	: the member \"data\" is missing
		{"topic":"b c","data":1}	: this is not a valid topic
		{"topic":"$sys","data":1}	: this is not a valid topic
		{"topic":"session","data":1}	: this is not a valid topic
		{"topic":"b/**","data":1}	: this is not a valid topic
		{"topic":"users","data":{"firstname":"A"}}	: the field 'lastname' is missing
		{"topic":"b","event":"gap","data":1}	: the event type is one of
		{"topic":"b","data":1,"x":1}	: the member \"x\"
		{"topic":"b","data":1	 is not JSON
		7	 is not an object
	END
	stored a | is ''
	stored b | is ''
	# The path takes no other bodies, parameters or methods.
	ask -H 'Content-Type: application/json' -d '{"topic":"a","data":1}' "$URL/api"
	problem 415 'application/x-ndjson'
	ask -H 'Content-Type: text/plain' -d x "$URL/api"
	problem 415 'envelopes'
	ask -d x "$URL/api/"
	problem 415 'envelopes'
	ask -H 'Content-Type: application/x-ndjson' -d '{"topic":"a","data":1}' "$URL/api?ephemeral=1"
	problem 400 'takes event'
	ask -X PUT "$URL/api"
	answers 405
	many ''
	problem 400 'no event'
	# With a topic in the path, the lines are for that topic alone, as ever.
	ask -H 'Content-Type: application/x-ndjson' -d '{"topic":"b","data":1}' "$URL/api/a?envelope=1"
	problem 400 'line 1: its topic is not a'
	stored a | is ''
}

@test "each line of many topics has its own key, and a key belongs to a topic" {
	serve
	many '{"topic":"a","key":"k","data":1}
{"topic":"b","key":"k","data":2}'
	answers 201
	many '{"topic":"b","key":"k","data":2}
{"topic":"a","key":"new","data":3}' -H 'Accept: application/x-ndjson'
	answers 201
	[ "$(grep -c '"duplicate":true' body)" -eq 1 ]
	many '{"topic":"a","key":"new","data":3}
{"topic":"c","data":4}
{"topic":"b","key":"k","data":1}'
	problem 409 "line 3: the key 'k' is known for another event of this topic; nothing of the batch"
	stored c | is ''
	# The key of the request gives one to each line without.
	many '{"topic":"c","data":4}
{"topic":"d","data":4}' -H 'Idempotency-Key: K'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	many '{"topic":"c","data":4}
{"topic":"d","data":4}' -H 'Idempotency-Key: K'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	stored c | is 4
	stored d | is 4
}

@test "a batch that is refused leaves nothing of its new topics, in the list or in the database" {
	local db
	for db in events.db :memory:; do
		serve --db "$db" --max-topics 5
		many '{"topic":"a","key":"k","data":1}
{"topic":"closed","event":"closed","data":{}}'
		answers 201
		# For a key, for a closed topic, and for a condition, once with more lines than go at once.
		many '{"topic":"x","data":1}
{"topic":"a","key":"k","data":2}'
		answers 409
		many '{"topic":"y","data":1}
{"topic":"closed","data":2}'
		answers 409
		{
			for i in {1..40}; do echo "{\"topic\":\"y$((i % 3))\",\"key\":\"$i\",\"data\":$i}"; done
			echo '{"topic":"a","key":"k","data":2}'
		} >lines
		many @lines
		answers 409
		text z 1 -H "If-Match: *"
		answers 412
		ask -H 'Accept: application/x-ndjson' "$URL/api"
		[ "$(jq -r .topic body | paste -sd ' ')" = 'a closed users' ]
		# A refused topic can have its events later, and its neighbours have their own.
		many '{"topic":"y","data":"for y"}
{"topic":"x","data":"for x"}'
		answers 201
		[ "$db" = :memory: ] || { stop && serve --db "$db" --max-topics 5; }
		stored x | is '"for x"'
		stored y | is '"for y"'
		ask -H 'Accept: application/x-ndjson' "$URL/api"
		[ "$(jq -r .topic body | paste -sd ' ')" = 'a closed users x y' ]
		stop
	done
	"$BIN/sse-serve" --db events.db --verify >verified
	has verified 'ok, 4 events in 4 topics, positions 1 to 4'
	not has verified empty
}

@test "beyond --max-topics many topics are refused together, and none of them stays" {
	serve --max-topics 3
	text known 1
	answers 201
	many '{"topic":"known","data":2}
{"topic":"x","data":1}
{"topic":"y","data":1}
{"topic":"z","data":1}'
	problem 507 'line 4: the limit of 3 topics is reached (--max-topics), and z would be a new one'
	stored known | is '"1"'
	many '{"topic":"p","data":1}
{"topic":"known","data":2}
{"topic":"q","data":1}'
	answers 201
	text x 1
	answers 507
}

@test "--rate counts each line of many topics" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=1/m:3
	CLIENT=192.0.2.7
	many '{"topic":"a","data":1}
{"topic":"b","data":2}
{"topic":"c","data":3}'
	answers 201
	many '{"topic":"a","data":1}'
	problem 429 'publish=1/m:3'
	stored a | is 1
}

@test "lines of many topics are all there or none after a kill -9" {
	serve
	local round writer
	for round in 1 2 3; do
		: >acknowledged
		(
			n=0
			while curl -sf -o said -H 'Content-Type: application/x-ndjson' --data-binary \
				"{\"topic\":\"a\",\"data\":\"$round.$n\"}
{\"topic\":\"b\",\"data\":\"$round.$n\"}
{\"topic\":\"c/d\",\"data\":\"$round.$n\"}" "$URL/api"; do
				echo $((n++)) >>acknowledged
			done
		) 3>&- &
		writer=$!
		wait_for grew acknowledged 20
		crash
		wait "$writer" || true
		serve_at "$PORT"
		stored a >list
		stored b | diff list -
		stored c/d | diff list -
		[ "$(grep -c "\"$round\\." list)" -ge "$(wc -l <acknowledged)" ]
	done
}

# --- what a writer has seen ---------------------------------------------------

# looks_at_conditions: with what store ever.
looks_at_conditions() {
	text t 1 -H 'If-Match: *'
	problem 412 'the topic t has no event yet'
	[ -z "$(header Last-Event-ID)" ]
	text t 1 -H 'If-None-Match: *'
	answers 201
	local first
	first=$(header Last-Event-ID)
	text t 2 -H 'If-None-Match: *'
	problem 412 "the newest is $first"
	[ "$(header Last-Event-ID)" = "$first" ]
	text other x
	text t 2 -H "If-Match: \"$first\""
	answers 201
	local second
	second=$(header Last-Event-ID)
	text t 3 -H "If-Match: $first"
	problem 412 "the newest event of the topic t is $second"
	[ "$(header Last-Event-ID)" = "$second" ]
	text t 3 -H "If-Match: $(newest other)"
	answers 412
	json t 3 -H "If-Match: $second"
	answers 201
	text t 4 -H 'If-Match: *'
	answers 201
	text t 5 -H 'If-Match: "made:up"'
	answers 412
	stored t | is $'"1"\n"2"\n3\n"4"'
}

@test "If-Match stores an event only if the topic's newest event is the one that it names" {
	serve
	looks_at_conditions
	# What a writer saw before a restart is the newest after it.
	local seen
	seen=$(newest t)
	stop
	serve
	text t 5 -H "If-Match: \"$seen\""
	answers 201
	text t 6 -H "If-Match: \"$seen\""
	answers 412
	crash
	serve
	text t 6 -H "If-Match: $(newest t)"
	answers 201
}

@test "If-Match without a database looks at the events in memory, and at those that are gone" {
	serve --db :memory: --window 64k --max-body 8k
	looks_at_conditions
	local seen i
	seen=$(newest t)
	for i in {1..40}; do
		text other "$(letters 3000)"
	done
	stored t | is ''
	text t 5 -H 'If-None-Match: *'
	problem 412 "$seen"
	text t 5 -H "If-Match: $seen"
	answers 201
}

@test "an event that retention removed was the newest all the same" {
	serve --retain-topic 't=1s'
	text t 1
	local seen
	seen=$(header Last-Event-ID)
	gone_from_t() {
		text other tick
		[ -z "$(stored t)" ]
	}
	wait_for gone_from_t
	text t 2 -H 'If-None-Match: *'
	problem 412 "$seen"
	text t 2 -H 'If-Match: "made:up"'
	[ "$(header Last-Event-ID)" = "$seen" ]
	text t 2 -H "If-Match: $seen"
	answers 201
}

@test "a condition that cannot be met leaves no topic" {
	serve --max-topics 1
	local i
	for i in {1..5}; do
		text "t$i" 1 -H 'If-Match: *'
		answers 412
	done
	text here 1 -H 'If-None-Match: *'
	answers 201
	stop
	"$BIN/sse-serve" --db events.db --export | grep -c '"removed"' | is 1
}

@test "what a condition or a key says, said again, gets what the first got" {
	serve
	text t 1
	local seen
	seen=$(header Last-Event-ID)
	text t 2 -H "If-Match: $seen" -H 'Idempotency-Key: k'
	answers 201
	local id
	id=$(header Last-Event-ID)
	text t 3
	text t 2 -H "If-Match: $seen" -H 'Idempotency-Key: k'
	answers 201
	[ "$(header Last-Event-ID)" = "$id" ]
	[ "$(header Idempotency-Replayed)" = true ]
	# Another event under that key is a mistake of its own; a new key has lost.
	text t other -H "If-Match: $seen" -H 'Idempotency-Key: k'
	answers 409
	text t 2 -H "If-Match: $seen" -H 'Idempotency-Key: new'
	answers 412
	# And what was refused left no key.
	text t 4 -H "If-Match: $(newest t)" -H 'Idempotency-Key: new'
	answers 201
}

@test "the condition of a batch is about the topic before the batch" {
	serve
	ask -H 'Content-Type: application/x-ndjson' -H 'If-None-Match: *' --data-binary $'1\n2\n3' "$URL/api/t"
	answers 201
	local seen
	seen=$(header Last-Event-ID)
	ask -H 'Content-Type: application/x-ndjson' -H "If-Match: $seen" --data-binary $'4\n5' "$URL/api/t"
	answers 201
	ask -H 'Content-Type: application/x-ndjson' -H "If-Match: $seen" --data-binary $'6\n7' "$URL/api/t"
	answers 412
	stored t | is $'1\n2\n3\n4\n5'
}

@test "conditions that cannot be looked at are refused, with what would be right" {
	serve
	local value
	for value in '""' '"' 'a b' W/\"a:1\" 'a:1, b:2'; do
		text t 1 -H "If-Match: $value"
		problem 400 If-Match
	done
	text t 1 -H 'If-None-Match: "a:1"'
	problem 400 'If-None-Match takes * alone'
	text t 1 -H 'If-None-Match: *' -H 'If-Match: *'
	problem 400 'not both'
	text t 1 -H 'If-Match: *' -H 'If-Match: a:1'
	problem 400 twice
	text 't?ephemeral=1' 1 -H 'If-Match: *'
	problem 400 'ephemeral'
	many '{"topic":"t","data":1}' -H 'If-Match: *'
	problem 400 'one topic'
	stored t | is ''
}

# count_up WRITER TIMES: read the counter, add one, write it if nobody else has; again if so.
count_up() {
	local done=0 id value code
	while [ "$done" -lt "$2" ]; do
		IFS=' ' read -r id value < <(curl -sf -H 'Accept: application/x-ndjson' \
			"$URL/api/counter?limit=1&envelope=1" | sed 's/.*"id":"\([^"]*\)".*"data":\([0-9]*\)}/\1 \2/')
		code=$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
			-H "If-Match: \"$id\"" -d $((value + 1)) "$URL/api/counter")
		case $code in
		201) ((++done)) ;;
		412) ;;
		*) echo "writer $1: $code" >&2; return 1 ;;
		esac
	done
}

@test "twenty writers count up one counter, and none of them is lost" {
	serve
	json counter 0
	local i writers=()
	for i in {1..20}; do
		count_up "$i" 3 3>&- &
		writers+=($!)
	done
	for i in "${writers[@]}"; do
		ended "$i" 0
	done
	stored counter | diff - <(seq 0 60)
}

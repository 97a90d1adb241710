#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: lists and streams that wait until there is something, and then end.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load access_helpers

setup() {
	common_setup
}

teardown() {
	serve_teardown
}

NDJSON='Accept: application/x-ndjson'

# head_of TOPIC: the id to go on after.
head_of() {
	curl -sf -o /dev/null -D - "$URL/api/$1" | tr -d '\r' | sed -n 's/^Last-Event-ID: //p'
}

# waiting COUNT: are so many streams open?  Those that wait count.
waiting() {
	[ "$(curl -sf "$URL/metrics" | sed -n 's/^sse_streams //p')" -eq "$1" ]
}

# later FILE PATH [ARGUMENT...]: ask in the background; the body is in FILE, the head in FILE.head, the
# status in FILE.code, which comes last.
later() {
	local file=$1 path=$2
	shift 2
	rm -f "$file.code"
	(
		curl -sS --max-time 120 -o "$file" -D "$file.crlf" -w '%{http_code}' "$@" "$URL$path" \
			>"$file.new"
		tr -d '\r' <"$file.crlf" >"$file.head"
		mv "$file.new" "$file.code"
	) 3>&- &
}

# came FILE CODE: wait for the answer.
came() {
	wait_for test -e "$1.code"
	[ "$(cat "$1.code")" = "$2" ]
}

@test "a list waits until there is something, in each of its forms, and says where to go on" {
	local db id form
	for db in events.db :memory:; do
		serve --db "$db"
		text a old
		id=$(head_of a)
		later data "/api/a?after=$id&wait=5m"
		later envelope "/api/a?after=$id&wait=5m&envelope=1"
		later lines "/api/a?after=$id&wait=5m" -H "$NDJSON"
		later both "/api/a?after=$id&wait=5m&envelope=1" -H "$NDJSON"
		later now '/api/a?wait=300s'
		wait_for waiting 5
		# Neither another topic nor what is not stored ends it.
		text b other
		text 'a?ephemeral=1' passing
		waiting 5
		json a '{"n":
1.25}'
		id=$(header Last-Event-ID)
		for form in data envelope lines both now; do
			came $form 200
			has $form.head "Last-Event-ID: $id"
			has $form.head "Content-Length: $(wc -c <$form)"
		done
		is $'[{"n":\n1.25}]' <data
		is "$(cat data)" <now
		[ "$(jq -c '.[] | [.topic, .id, .event, .data]' envelope)" = \
			"[\"a\",\"$id\",\"update\",{\"n\":1.25}]" ]
		is '{"n": 1.25}' <lines
		diff <(jq -c . both) <(jq -c '.[]' envelope)
		wait_for waiting 0
		# What a list without waiting says is the same.
		for form in '' '&envelope=1'; do
			diff <(curl -sf "$URL/api/a?after=$(head_of none | cut -d: -f1):1$form") \
				<(curl -sf "$URL/api/a?after=$(head_of none | cut -d: -f1):1$form&wait=1s")
		done
		stop
	done
}

@test "at once if there is something; 204 if nothing comes, and then one goes on without a gap" {
	local db id
	for db in events.db :memory:; do
		serve --db "$db"
		id=$(head_of a)
		ask "$URL/api/a?after=$id&wait=0"
		answers 204
		[ ! -s body ]
		[ "$(header Last-Event-ID)" = "$id" ]
		seq 3 | post b -l -q
		ask "$URL/api/a?after=$id&wait=100ms"
		answers 204
		id=$(header Last-Event-ID)
		[ "$id" = "$(head_of b)" ]
		seq 5 | post a -l -q
		ask "$URL/api/a?after=$id&wait=5m"
		answers 200
		[ "$(jq -c . body)" = '[1,2,3,4,5]' ]
		id=$(header Last-Event-ID)
		text a six
		ask -H "$NDJSON" "$URL/api/a?after=$id&wait=5m"
		is '"six"' <body
		stop
	done
}

@test "a long list comes in parts, each of which says where the next begins" {
	serve
	seq 3000 | sed "s/\$/ $(letters 500)/" | post a -l -q
	local id parts=0
	id=$(head_of none | cut -d: -f1):0
	: >got
	while ask -H "$NDJSON" "$URL/api/a?after=$id&wait=0" && [ "$code" = 200 ]; do
		jq -r . body | cut -d ' ' -f 1 >>got
		id=$(header Last-Event-ID)
		parts=$((parts + 1))
	done
	answers 204
	diff got <(seq 3000)
	[ "$parts" -gt 3 ]
	ask "$URL/api/a?after=$(head_of none | cut -d: -f1):2990&wait=0"
	[ "$(jq length body)" -eq 10 ]
}

# poll_on: poll for good, through all that breaks; the events come into the file got, one a line.
poll_on() {
	local id=$1 status
	while :; do
		# A list that is cut off is not taken: curl says so.
		status=$(curl -s --max-time 60 -H "$NDJSON" -o part -D part.head -w '%{http_code}' \
			"$URL/api/a?after=$id&wait=30s") || { sleep 0.02; continue; }
		case $status in
		200) cat part >>got ;;
		204) ;;
		*) sleep 0.02; continue ;;
		esac
		id=$(tr -d '\r' <part.head | sed -n 's/^Last-Event-ID: //p')
	done
}

@test "a server that is killed: who polls on from the last id gets all, once" {
	serve
	local round id port=$PORT
	: >got
	# Not in the background: there it would be looked up while events come.
	id=$(head_of a)
	poll_on "$id" 3>&- &
	for round in 1 2 3 4; do
		seq $((round * 50 - 49)) $((round * 50)) | post a -l -q
		if [ $((round % 2)) -eq 0 ]; then
			wait_for lines_of got $((round * 50))
			wait_for waiting 1
		fi
		crash
		serve_at "$port"
	done
	wait_for lines_of got 200
	diff got <(seq 200)
}

@test "a stream that waits ends with what comes, of one topic and of many, and has gaps" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		later one '/api/a/event?until=now&wait=5m'
		later many '/api/event?topic=a&topic=b/*&until=now&wait=5m&envelope=1'
		later typed '/api/a/event?event=note&until=now&wait=5m'
		later lines '/api/a/event?until=now&wait=5m' -H "$NDJSON"
		wait_for waiting 4
		text a one
		local form
		for form in one many lines; do
			came $form 200
		done
		has one.head 'Stream-Until: now'
		[ "$(data one | head -n 1)" = one ]
		[ "$(tail -n 3 one | head -n 1)" = 'event: uptodate' ]
		[ "$(data many | head -n 1 | jq -r .data)" = one ]
		[ "$(sed -n 2p lines | jq -r .data)" = one ]
		waiting 1
		text 'a?event=note' two
		came typed 200
		[ "$(data typed | head -n 1)" = two ]
		# Nothing comes.
		ask "$URL/api/a/event?until=now&wait=50ms"
		answers 200
		[ "$(sed -n '$!p' body | grep -c '^event: uptodate')" -eq 1 ]
		# A gap does not wait.
		ask "$URL/api/none/event?until=now&wait=5m&last_event_id=other:1"
		has body '"reason":"unknown-log"'
		ask "$URL/api/a/event?until=now&wait=5m&last=1"
		[ "$(data body | head -n 1)" = two ]
		stop
	done
}

@test "what retention removed is not skipped in silence" {
	serve --retain-topic a=3
	local id
	id=$(head_of a)
	seq 20 | post a -l -q
	wait_for keeps_three
	ask "$URL/api/a?after=$id&wait=5m"
	problem 410 "events after that id are no longer kept; list the topic without 'after'"
	ask "$URL/api/a?after=$id"
	problem 410 'events after that id are no longer kept'
	ask "$URL/api/a"
	[ "$(jq -c . body)" = '[18,19,20]' ]
	id=$(header Last-Event-ID)
	ask "$URL/api/a?after=$id&wait=0"
	answers 204
}

keeps_three() {
	[ "$(stored a | wc -l)" -eq 3 ]
}

@test "a client that goes away frees what it had; a server that stops answers who waits" {
	serve --max-streams 2
	later first '/api/a?wait=5m'
	wait_for waiting 1
	curl -sS --max-time 120 "$URL/api/a?wait=5m" 3>&- &
	local client=$!
	wait_for waiting 2
	# They count as streams.
	ask "$URL/api/a?wait=5m"
	problem 503 'max-streams'
	ask "$URL/api/a/event"
	problem 503 'max-streams'
	kill "$client"
	wait_for waiting 1
	later second '/api/a/event?until=now&wait=5m'
	wait_for waiting 2
	stop
	came first 204
	has first.head 'Last-Event-ID: '
	came second 200
	has second 'event: uptodate'
}

@test "hundreds wait, and each gets what comes" {
	serve
	local i
	# As one process, with as many connections as it may have.
	for i in $(seq 300); do
		printf 'url = "%s/api/a?wait=5m"\noutput = "many.%d"\n' "$URL" "$i"
	done >config
	curl -sS --max-time 120 --parallel --parallel-immediate --parallel-max 300 -K config 3>&- &
	local client=$!
	wait_for waiting 300
	text a 'for all'
	wait "$client"
	[ "$(cat many.* | grep -cx '\["for all"\]')" -eq 300 ]
}

@test "who may not read may not wait; a proof that ends while one waits is refused at the next request" {
	{
		line ann 'read=chat publish=chat'
		line bob 'read=other'
	} >rules
	chmod 600 rules
	serve --access rules --open-status
	as ann
	local -a ann=("${AS[@]}")
	ask "$URL/api/chat?wait=5m"
	answers 401
	as bob
	ask "${AS[@]}" "$URL/api/chat?wait=5m"
	answers 403
	later ann '/api/chat?wait=5m' "${ann[@]}"
	wait_for waiting 1
	sed -i '/^ann/d' rules
	kill -HUP "$PID"
	came ann 204
	ask "${ann[@]}" "$URL/api/chat?wait=5m"
	answers 401
}

@test "HEAD does not wait; pages of other sites may read the answer where --cors allows it" {
	serve --cors https://page.example
	text a one
	local path ID START
	ID=$(header Last-Event-ID) START=${ID%:*}:0
	# What a GET with wait=0 has: the same status, id and length, and the same mistakes.
	for path in 'a?wait=5m' 'b?wait=5m' "a?after=$ID&wait=5m" "a?after=$START&wait=5m" \
		"a?after=$START&wait=5m&envelope=1" 'a?wait=soon' 'a?wait=1s&limit=1'; do
		ask "$URL/api/${path/5m/0}"
		local get=$code id length
		id=$(header Last-Event-ID) length=$(header Content-Length)
		ask -I "$URL/api/$path"
		answers "$get"
		[ "$(header Last-Event-ID)" = "$id" ]
		[ "$(header Content-Length)" = "$length" ]
	done
	ask -H 'Origin: https://page.example' "$URL/api/a?wait=0"
	answers 204
	[ "$(header Access-Control-Allow-Origin)" = https://page.example ]
	has head 'Last-Event-ID, '
	ask -H 'Origin: https://page.example' "$URL/api/a?after=$(head_of a | cut -d: -f1):0&wait=0"
	answers 200
	[ "$(header Access-Control-Allow-Origin)" = https://page.example ]
	[ "$(header Vary)" = $'Origin\nAccept' ]
}

@test "what cannot be waited for is refused with a sentence" {
	serve
	local range wait
	for wait in 5h 301s x '' -1 1y; do
		ask "$URL/api/a?wait=$wait"
		problem 400 'this is not a duration from 0 to 5m, such as 30s'
	done
	ask "$URL/api/a?after=other:1&wait=1s"
	problem 400 'after: this is not an id of this log'
	ask "$URL/api/a?after=other:1"
	problem 400 'after: this is not an id of this log'
	for range in limit=1 before=x:1 since=1h; do
		ask "$URL/api/a?$range&wait=1s"
		problem 400 "${range%%=*} cannot be combined with wait"
	done
	ask "$URL/api/a?after=$(head_of a)&since=1h"
	problem 400 'since and after both say where the list starts'
	ask "$URL/api/a?event=x&wait=1s"
	problem 400 "'event' is a parameter of a topic's stream, not of a list"
	ask "$URL/api/a/event?wait=1s"
	problem 400 'wait is for a stream that ends: give until=now too'
	ask "$URL/api/a/event?until=now&wait=6m"
	problem 400 'this is not a duration from 0 to 5m'
	ask "$URL/api?wait=1s"
	problem 400 "'wait' is a parameter of"
}

@test "what closes a topic ends the wait of a stream and of a list with envelopes, and that of no other list" {
	local db id
	for db in events.db :memory:; do
		serve --db "$db"
		later data '/api/a?wait=5m'
		later envelope '/api/a?wait=5m&envelope=1'
		later stream '/api/a/event?until=now&wait=5m'
		later live '/api/b/event?latest=1&until=now&wait=5m'
		wait_for waiting 4
		ask -X POST "$URL/api/a?close=1"
		answers 201
		id=$(header Last-Event-ID)
		came envelope 200
		has envelope '"event":"closed"'
		came stream 200
		has stream 'event: closed'
		# Whoever has all of it: a stream is over, a list waits like any other.
		ask "$URL/api/a/event?until=now&wait=5m" -H "Last-Event-ID: $id"
		answers 204
		ask "$URL/api/a?after=$id&wait=100ms&envelope=1"
		answers 204
		# A stream of present values can wait, too.
		json 'b?subject=one' 1
		came live 200
		has live 'data: 1'
		ask "$URL/api/b?latest=1&wait=1s"
		problem 400 'latest cannot be combined with wait'
		# It is the only one that still waits.
		wait_for waiting 1
		id=$(head_of a)
		stop
		came data 204
		has data.head "Last-Event-ID: $id"
	done
}

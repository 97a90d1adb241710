#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: events that are deleted, and what is left of them: nothing.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# delete PATH [ARGUMENT...]: a DELETE.
delete() {
	ask -X DELETE "${@:2}" "$URL/api/$1"
}

# put TOPIC DATA [ARGUMENT...]: publish; ID is its id.
put() {
	text "$@"
	answers 201 || return
	ID=$(header Last-Event-ID)
}

# finished PATH [ARGUMENT...]: a stream up to its present end, in the file finished.
finished() {
	curl -sN --max-time 60 "${@:2}" "$URL$1" >finished
}

# listed TOPIC [QUERY]: the texts that are stored, one a line.
listed() {
	stored "$@" | tr -d '"'
}

# no_trace TEXT: neither file of the database holds it.
no_trace() {
	not has events.db "$1" && not has events.db-wal "$1"
}

@test "an event that was deleted is nowhere, and the others are where they were" {
	local db one two three
	for db in events.db :memory:; do
		serve --db "$db"
		put a first; one=$ID
		put a secret; two=$ID
		put a third; three=$ID
		put b other
		follow plain '/api/a/event?mark=1'
		follow many '/api/event?topic=**&envelope=1&mark=1'
		follow others '/api/b/event?mark=1'
		follow typed '/api/a/event?mark=1&event=never'
		for file in plain many others typed; do
			wait_for has $file uptodate
		done
		delete "a/$two"
		answers 204
		[ ! -s body ]
		[ "$(listed a)" = $'first\nthird' ]
		ask "$URL/api/a/$two"
		answers 410
		# Once more does no harm, and no event of another topic is deleted by the way.
		delete "a/$two"
		answers 410
		delete "b/$one"
		answers 404
		ask "$URL/api/a/$one"
		answers 200
		for file in plain typed; do
			wait_for has $file 'event: deleted'
			[ "$(grep -A1 '^event: deleted' $file)" = $'event: deleted\ndata: {"id":"'"$two"'"}' ]
		done
		wait_for has many '"event":"deleted","data":{"id":"'"$two"'"}'
		put b last
		wait_for has others 'data: last'
		not has others deleted
		finished '/api/a/event?since=all&until=now'
		not has finished secret
		has finished third
		[ "$(listed a 'limit=2')" = $'first\nthird' ]
		[ "$(listed a "before=$three")" = first ]
		ask "$URL/api"
		has body '{"topic":"a","events":2,"id":"'"$three"'"'
		stop
	done
}

@test "streams of JSON lines are told too" {
	serve
	put a secret
	curl -sN --max-time 60 -H 'Accept: application/x-ndjson' "$URL/api/a/event?mark=1" >lines 3>&- &
	wait_for has lines uptodate
	delete "a/$ID"
	answers 204
	wait_for has lines '"event":"deleted"'
	[ "$(grep deleted lines | grep -o '"data":{.*}}$')" = '"data":{"id":"'"$ID"'"}}' ]
}

@test "all before an event are deleted, and all of a topic" {
	local db four
	for db in events.db :memory:; do
		serve --db "$db"
		put a 1
		put b 2
		put a 3; three=$ID
		put a 4; four=$ID
		put a 5; five=$ID
		follow stream '/api/a/event?mark=1'
		wait_for has stream uptodate
		delete "a?before=$four"
		answers 204
		[ "$(listed a)" = $'4\n5' ]
		wait_for has stream '"upto"'
		[ "$(grep -A1 '^event: deleted' stream)" = $'event: deleted\ndata: {"upto":"'"$three"'"}' ]
		# Nothing is left to be deleted: nobody is told.
		delete "a?before=$four"
		answers 204
		delete a
		answers 204
		[ -z "$(listed a)" ]
		[ "$(listed b)" = 2 ]
		wait_for has stream '{"upto":"'"$five"'"}'
		[ "$(grep -c '^event: deleted' stream)" -eq 2 ]
		delete a
		answers 204
		put a 6
		[ "$(listed a)" = 6 ]
		stop
	done
}

@test "a reader that lacks what was deleted is told of the gap, one that had everything is not" {
	local db one two three
	for db in events.db :memory:; do
		serve --db "$db"
		put a 1; one=$ID
		put a 2; two=$ID
		put a 3; three=$ID
		delete "a/$two"
		answers 204
		finished '/api/a/event?until=now' -H "Last-Event-ID: $one"
		[ "$(grep -A1 '^event: gap' finished)" = $'event: gap\ndata: {"after":"'"$one"'","oldest":"'"$three"'","reason":"deleted"}' ]
		has finished 'data: 3'
		for id in "$two" "$three"; do
			finished '/api/a/event?until=now' -H "Last-Event-ID: $id"
			not has finished gap
		done
		# The newest is deleted: nothing comes after the gap.
		delete "a/$three"
		answers 204
		finished '/api/a/event?until=now' -H "Last-Event-ID: $two"
		has finished '"oldest":null,"reason":"deleted"}'
		finished '/api/a/event?until=now' -H "Last-Event-ID: $three"
		not has finished gap
		stop
	done
}

@test "the database holds no trace of what was deleted, nor does an export" {
	serve
	local i
	for i in $(seq 200); do
		echo "<secret$i>$(letters $((i * 37 % 900)))"
		echo "<kept$i>$(letters $((i * 53 % 900)))"
	done >input
	grep secret input | post a -l -q
	grep kept input | post b -l -q
	put a "<secret201>$(letters 60000)"
	has events.db-wal '<secret' || has events.db '<secret'
	delete a
	answers 204
	no_trace '<secret'
	# While it runs, and after it ended.
	sse-serve --export >exported --db events.db
	not has exported '<secret'
	[ "$(grep -c '<kept' exported)" -eq 200 ]
	[ "$(listed b | wc -l)" -eq 200 ]
	stop
	no_trace '<secret'
	sse-serve --verify --db events.db
}

@test "the key of a deleted event stays known: a retry does not bring it back" {
	local db id
	for db in events.db :memory:; do
		serve --db "$db"
		put a secret -H 'Idempotency-Key: k'; id=$ID
		delete "a/$id"
		answers 204
		put a secret -H 'Idempotency-Key: k'
		[ "$(header Idempotency-Replayed)" = true ]
		[ "$ID" = "$id" ]
		text a other -H 'Idempotency-Key: k'
		answers 409
		[ -z "$(listed a)" ]
		stop
	done
}

@test "what is deleted no longer counts for retention" {
	serve --retain-topic 'a=5'
	seq 5 | post a -l -q
	delete "a/$(curl -s "$URL/api/a?envelope=1&limit=1" | grep -o '"id":"[^"]*"' | cut -d '"' -f 4)"
	answers 204
	put a 6
	[ "$(listed a)" = $'1\n2\n3\n4\n6' ]
	put a 7
	wait_for holds $'2\n3\n4\n6\n7'
	stop
	sse-serve --verify --db events.db
}

holds() {
	[ "$(listed a)" = "$1" ]
}

@test "kill -9 after the 204: it stays deleted, without a trace" {
	serve
	local one two
	put a 1; one=$ID
	put a '<secret>'; two=$ID
	put a 3
	delete "a/$two"
	answers 204
	crash
	no_trace '<secret>'
	sse-serve --verify --db events.db
	serve
	[ "$(listed a)" = $'1\n3' ]
	delete "a/$two"
	answers 410
	finished '/api/a/event?until=now' -H "Last-Event-ID: $one"
	has finished '"reason":"deleted"'
}

@test "kill -9 in the midst of a large deletion: the database is sound, and the deletion can be repeated" {
	local round
	for round in 1 2 3; do
		serve
		seq -f '<secret%.0f>' 20000 | post a -l -q
		seq 10 | post b -l -q
		delete a 2>/dev/null &
		wait_for is_less
		crash
		wait
		sse-serve --verify --db events.db
		serve
		delete a
		answers 204
		no_trace '<secret'
		[ -z "$(listed a)" ]
		[ "$(listed b | wc -l)" -eq $((round * 10)) ]
		stop
		sse-serve --verify --db events.db
	done
}

# is_less: have some of the topic a gone?
is_less() {
	[ "$(curl -s "$URL/api?topic=a" | grep -o '"events":[0-9]*' | cut -d : -f 2)" -lt 20000 ]
}

@test "what cannot be deleted is refused with a sentence" {
	serve
	put a 1
	delete nothing
	problem 404 'there is no topic nothing'
	delete "nothing/$ID"
	problem 404 'there is no topic nothing'
	delete a/x:1
	problem 404 'the topic a has no such event'
	delete "a/${ID%:*}:99"
	problem 404 'the topic a has no such event'
	delete 'a?before=x:1'
	problem 400 'before: this is not an id of this log'
	delete 'a?since=1h'
	problem 400 "'since' is a parameter of a topic's stream, not of a DELETE, which takes before"
	delete "a/$ID?before=$ID"
	problem 400 "'before' is a parameter of a list, not of a DELETE of one event, which takes none"
	delete "a/$ID" -H "If-Match: $ID"
	problem 400 'a DELETE cannot have a condition'
	delete ''
	problem 405 'this address accepts GET, HEAD, POST, OPTIONS'
	delete 'a/event'
	problem 405 'this address accepts GET, HEAD, OPTIONS'
	delete a/presence
	answers 405
	delete 'a/*'
	problem 400 'this is not a valid topic'
	delete 'a/..'
	[ "$code" -ge 400 ]
	ask -H 'Content-Type: text/plain' -d x "$URL/api/a?event=deleted"
	problem 400 'which only the server sends'
	[ "$(listed a)" = 1 ]
	ask -X OPTIONS "$URL/api/a/$ID"
	[ "$(header Allow)" = 'GET, HEAD, DELETE, OPTIONS' ]
	ask -X PUT "$URL/api/a"
	[ "$(header Allow)" = 'GET, HEAD, POST, DELETE, OPTIONS' ]
}

@test "a page of another site deletes nothing" {
	serve --cors https://good.example
	put a 1
	delete a -H 'Origin: https://bad.example'
	problem 403 'a page of https://bad.example may not delete events here'
	delete "a/$ID" -H 'Sec-Fetch-Site: cross-site'
	problem 403 'a page of another site may not delete events here'
	[ "$(listed a)" = 1 ]
	ask -X OPTIONS -H 'Origin: https://good.example' -H 'Access-Control-Request-Method: DELETE' "$URL/api/a/$ID"
	answers 204
	[[ $(header Access-Control-Allow-Methods) = *DELETE* ]]
	delete "a/$ID" -H 'Origin: https://good.example'
	answers 204
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
}

@test "deleting counts as publishing for --rate" {
	local CLIENT=192.0.2.1
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=2/h:2
	put a 1
	delete "a/$ID"
	answers 204
	delete a
	problem 429 'too many events published'
}

@test "sse-post --delete takes an event back, and says why it cannot" {
	serve
	put a 1
	SSE_URL=$URL sse-post a --delete "$ID"
	[ -z "$(listed a)" ]
	fails 69 'this event is no longer kept' a --delete "$ID"
	fails 69 'there is no topic b' b --delete "$ID"
	put a 2
	sse-post "$URL/api/a?_x=1" --delete "$ID" -v 2>said
	has said "204, the event is deleted"
	fails 64 "'nonsense' is not the id of an event" a --delete nonsense
	fails 64 "'x:1/2' is not the id" a --delete x:1/2
	fails 64 '--delete takes no data' a --delete "$ID" -d x
	fails 64 '--delete takes no data' a --delete "$ID" n=1
	fails 64 '--delete sends no event, so --subject has no effect' a --delete "$ID" --subject x
	fails 64 '--delete sends no event, so --close has no effect' a --delete "$ID" --close
	fails 64 '--delete can be combined only with a topic' a --delete "$ID" --at-most-once
	fails 64 "--delete needs the topic" "$URL/api" --delete "$ID"
	# Nothing is there: it is not spooled.
	stop
	fails 69 'Connection refused' a --delete "$ID" --retry-max-time 0 --spool spool
	fails 75 'Connection refused' a --delete "$ID" --retry-max-time 1ms
	[ ! -e spool ]
}

# fails STATUS TEXT ARGUMENT...: sse-post ends so.
fails() {
	local status=0
	SSE_URL=$URL sse-post "${@:3}" >said 2>&1 </dev/null || status=$?
	cat said
	[ "$status" -eq "$1" ] && has said "$2"
}

@test "sse-post --delete that lost the answer asks again, and what is gone by then is done" {
	play <<-'END'
		accept
		request
		close
		answer HTTP/1.1 410 Gone@EMPTY
	END
	sse-post "$URL/api/a" --delete x:1
	grep -c '^DELETE /api/a/x:1 HTTP' log | is 2
}

# shown TEXT OPTION...: what sse-tail prints of the topic a while its event is deleted, in the file shown,
# where TEXT says that it has caught up.
shown() {
	put a secret
	GONE=$ID
	rm -f shown
	sse-tail "$URL/api/a/event?last=1&mark=1" "${@:2}" >shown 2>shown.err 3>&- &
	wait_for has shown "$1"
	delete "a/$ID"
	answers 204
	put a end
	wait_for has shown end
	kill "$!"
	wait "$!" || true
}

@test "sse-tail says in a line what was deleted; for programs it is an event" {
	serve
	shown uptodate -o pretty
	has shown "the event $GONE was deleted"
	shown uptodate -o json
	has shown '"event":"deleted","data":"{\"id\":\"'"$GONE"'\"}"'
	# The data alone is no place for it.
	shown '{"id"' -o data
	grep -v '{"id"' shown | is $'secret\nend'
	wait_for has shown.err 'was deleted'
	shown secret -o data -e update
	is $'secret\nend' <shown
	not has shown.err deleted
}

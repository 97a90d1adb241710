#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Events that have a subject, what they give the present value of: POST with ?subject=, envelopes.
# shellcheck disable=SC2153,SC2154 # PORT is of the helpers
# NATS runs this file, too.

load serve_helpers

# lines TOPIC BODY [ARGUMENT...]: publish lines; the topic may be followed by a query.
lines() {
	ask -H 'Content-Type: application/x-ndjson' --data-binary "$2" "${@:3}" "$URL/api/$1"
}

# subjects TOPIC: the subject and the data of each of its events, as envelopes have them.
subjects() {
	stored "$1" envelope=1 |
		sed -E 's/^.*,"event":"[^"]*"(,"subject":"((\\.|[^"\\])*)")?,"data":(.*)}$/\2 \4/'
}

# takes_subjects: whatever the store.
takes_subjects() {
	follow plain /api/hosts/event
	follow envelopes '/api/hosts/event?envelope=1'
	json 'hosts?subject=web1' '{"up":true}'
	answers 201
	local id
	id=$(header Last-Event-ID)
	text 'hosts?subject=db%20%22%C3%A9%22&event=state' down
	answers 201
	json hosts 7
	# No data clears a subject, whatever the type of it would be; so does the empty string.
	text 'hosts?subject=web1' ''
	answers 201
	json 'hosts?subject=web2' ''
	answers 201
	json 'hosts?subject=web3' '""'
	answers 201
	json 'hosts?subject=web4' null
	answers 201
	cat >wanted <<-'END'
		web1 {"up":true}
		db \"é\" "down"
		 7
		web1 ""
		web2 ""
		web3 ""
		web4 null
	END
	subjects hosts | diff wanted -
	ask "$URL/api/hosts/$id?envelope=1"
	has body '"event":"update","subject":"web1","data":{"up":true}}'
	# Streams have it in envelopes only, when it is new and when it is read again.
	wait_for has envelopes '"subject":"web4"'
	data envelopes >live
	has live '"event":"state","subject":"db \"é\"","data":"down"}'
	curl -sfN "$URL/api/hosts/event?envelope=1&since=all&until=now" | sed -n 's/^data: {"topic/{"topic/p' |
		diff live -
	curl -sfN -H 'Accept: application/x-ndjson' "$URL/api/hosts/event?since=all&until=now" |
		grep '"topic"' | diff live -
	wait_for has plain 'data: null'
	not has plain subject
	not has plain web1
	# What EventSource hands on with the data "".
	[ "$(grep -c '^data: $' plain)" -eq 3 ]
}

@test "an event may have a subject, which envelopes have, and no data clears it" {
	serve
	takes_subjects
	stored hosts envelope=1 >before
	stop
	serve
	stored hosts envelope=1 | diff before -
}

@test "a log in memory keeps subjects too" {
	serve --db :memory: --max-body 64k --window 512k
	takes_subjects
	# Into the window and out of it again.
	for _ in 1 2 3 4 5 6 7 8; do
		seq 1500 | sed 's/.*/{"subject":"s&","data":"&"}/' >made
		lines 'many?envelope=1' @made
		answers 201
		subjects many | tail -n 100 | diff <(seq 1401 1500 | sed 's/.*/s& "&"/') -
	done
}

@test "a batch: each line has its own subject, or that of the request" {
	serve
	follow all '/api/event?topic=**&envelope=1'
	lines 'hosts?envelope=1' '{"subject":"web1","data":{"n":1}}
{"data":2}
{"data":"","s\u0075bject":"w\u00e9b","event":"gone","key":"k"}'
	answers 201
	subjects hosts | is $'web1 {"n":1}\n 2\nwéb ""'
	# Of lines that have none, and of plain lines.
	lines 'hosts/a?envelope=1&subject=all' '{"subject":"web1","data":1}
{"data":2}'
	answers 201
	lines 'hosts/a?subject=plain' $'3\n""\n"x"'
	answers 201
	subjects hosts/a | is $'web1 1\nall 2\nplain 3\nplain ""\nplain "x"'
	ask -H 'Content-Type: application/x-ndjson' "$URL/api?subject=all" --data-binary \
		'{"topic":"x","subject":"one","data":1}
{"topic":"y/z","data":2}'
	answers 201
	subjects x | is 'one 1'
	subjects y/z | is 'all 2'
	# What a list or a stream with envelopes prints can be sent, and is the same again.
	stored hosts envelope=1 >list
	lines 'copy?envelope=1' "$(sed 's/"topic":"hosts"/"topic":"copy"/' list)"
	answers 201
	subjects copy | diff <(subjects hosts) -
	wait_for has all '"topic":"copy"'
}

@test "what cannot be a subject is refused, with what is wrong" {
	serve
	while IFS='|' read -r subject want; do
		text "t?subject=$subject" x
		problem 400 "the subject in ?subject= $want: a subject is 1 to 200 bytes of UTF-8 without control"
	done <<-END
		|is empty
		a%0Ab|contains a control character
		%7F|contains a control character
		%C2%85|contains a control character
		%FF|is not valid UTF-8
		$(letters 201)|is longer than 200 bytes
	END
	text "t?subject=a%00" x
	problem 400 'encoded NUL'
	text 't?subject' x
	problem 400 "'subject' without a value"
	text 't?subject=a&subject=b' x
	problem 400 "'subject' more than once"
	text 't?subject=web1&ephemeral=1' x
	problem 400 'an ephemeral event is not stored, so it cannot be the present value of a subject'
	ask "$URL/api/t/event?subject=web1"
	problem 400 "'subject' is a parameter of a POST"
	lines 't?envelope=1' '{"data":1}
{"data":2,"subject":""}'
	problem 400 'line 2: the subject is empty: a subject is'
	lines 't?envelope=1' '{"data":1,"subject":7}'
	problem 400 'line 1: the member \"subject\" must be a string'
	lines 't?envelope=1' "{\"data\":1,\"subject\":\"$(letters 201)\"}"
	problem 400 'line 1: the subject is longer than 200 bytes'
	lines 't?envelope=1' '{"subject":"web1"}'
	problem 400 'line 1: the member \"data\" is missing'
	# No data is an event only of a subject, and never a batch.
	json t ''
	problem 400 'the body is not JSON'
	lines 't?subject=a' ''
	problem 400 'no event'
	json 'users?subject=a' ''
	problem 400 'the body is not JSON'
	stored t | is ''
	text "t?subject=$(letters 200)" x
	answers 201
	subjects t | is "$(letters 200) \"x\""
}

@test "a key is for one subject; a retry with another is a conflict" {
	serve
	json 'hosts?subject=web1' 1 -H 'Idempotency-Key: k'
	answers 201
	json 'hosts?subject=web1' 1 -H 'Idempotency-Key: k'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	json 'hosts?subject=web2' 1 -H 'Idempotency-Key: k'
	problem 409 'is known for another event of this topic'
	json hosts 1 -H 'Idempotency-Key: k'
	problem 409 'is known for another event of this topic'
	stop
	serve
	# In an envelope it is the same event.
	lines 'hosts?envelope=1' '{"key":"k","subject":"web1","data":1}'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	# Nothing, sent in three ways.
	text 'hosts?subject=web1' '' -H 'Idempotency-Key: gone'
	json 'hosts?subject=web1' '' -H 'Idempotency-Key: gone'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	lines 'hosts?envelope=1' '{"key":"gone","subject":"web1","data":""}'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	subjects hosts | is $'web1 1\nweb1 ""'
}

# cloudevent BODY [QUERY]: publish one to hosts.
cloudevent() {
	ask -H 'Content-Type: application/cloudevents+json' --data-binary "$1" "$URL/api/hosts${2:-}"
}

@test "a CloudEvent has a subject of its own, unless the request names one" {
	serve
	local long
	long=$(letters 201)
	cloudevent '{"id":"1","source":"/a","type":"t","subject":"web1","data":1}'
	answers 201
	cloudevent '{"id":"1","source":"/a","type":"t","subject":"web1","data":1}'
	[ "$(header Idempotency-Replayed)" = true ]
	cloudevent '{"id":"1","source":"/a","type":"t","subject":"web2","data":1}'
	problem 409 'are known for another event'
	cloudevent '{"id":"2","source":"/a","type":"t","subject":"web1","data":1}' '?subject=other'
	answers 201
	cloudevent '{"id":"3","source":"/a","type":"t","subject":null}'
	answers 201
	# It has been good so far, and is in the data.
	cloudevent "{\"id\":\"4\",\"source\":\"/a\",\"type\":\"t\",\"subject\":\"$long\"}"
	answers 201
	cloudevent '{"id":"5","source":"/a","type":"t","subject":""}'
	problem 400 "the 'subject' of the CloudEvent must be a string that is not empty"
	cloudevent '{"id":"5","source":"/a","type":"t","subject":"a\nb"}'
	problem 400 "the 'subject' of the CloudEvent contains a control character"
	cloudevent '{"id":"5","source":"/a","type":"t","subject":"web1"}' '?ephemeral=1'
	answers 202
	[ "$(subjects hosts | sed 's/ .*//' | tr '\n' ,)" = web1,other,,, ]
}

@test "subjects go out with --export and in with --import, and --verify looks at them" {
	serve
	json 'hosts?subject=web1' '{"n":1}'
	text 'hosts?subject=w%C3%A9b%20%22' two
	json 'hosts?subject=web1' $'[\n3]'
	text 'hosts?subject=web1' ''
	text hosts none
	stop
	sse-serve --export --db events.db >one
	has one '"event":"update","subject":"wéb \"","data":"two","text":true}'
	sse-serve --import --db moved.db <one
	sse-serve --export --db moved.db | cmp one -
	run -0 sse-serve --verify --db moved.db
	[ "$output" = 'moved.db: ok, 5 events in 1 topics, positions 1 to 5' ]
	serve --db moved.db
	subjects hosts | is $'web1 {"n":1}\nwéb \\" "two"\nweb1 [ 3]\nweb1 ""\n "none"'
	stop
	for subject in '""' '"a\nb"' "\"$(letters 201)\"" 7; do
		sed "s/\"subject\":\"web1\"/\"subject\":${subject//\\/\\\\}/" one >bad
		run -65 sse-serve --import --db bad.db <bad
		[[ $output = *'line 4: '*subject* ]]
		[ ! -e bad.db ]
	done
	sqlite3 events.db "UPDATE event SET subject = '' WHERE position = 1;
		UPDATE event SET subject = char(10) WHERE position = 2;
		UPDATE event SET subject = CAST(X'ff' AS TEXT) WHERE position = 3"
	run -65 sse-serve --verify --db events.db
	[[ $output = *'event 1: its subject is empty'* ]]
	[[ $output = *'event 2: its subject contains a control character'* ]]
	[[ $output = *'event 3: its subject is not valid UTF-8'* ]]
	sqlite3 moved.db "SELECT sum(bytes) FROM counter WHERE topic > 0" |
		is $((5 * (48 + 6) + 7 + 4 + 3 * 4 + 6 + 3 + 4))
}

@test "a kill -9 while subjects are published: a reader goes on, and has each with its subject" {
	serve
	local round writer n=0 port=$PORT tail
	: >acknowledged
	"$BIN/sse-tail" "$URL/api/hosts/event?envelope=1" --since all -o data --reconnect-delay 10ms \
		>seen 2>err.tail 3>&- &
	tail=$!
	for round in 1 2 3; do
		(
			while json "hosts?subject=web$((n % 7))" "$n" -H "Idempotency-Key: $n" &&
				[ "$code" = 201 ]; do
				echo $((n++)) >>acknowledged
			done
		) 2>/dev/null 3>&- &
		writer=$!
		wait_for grew acknowledged $((round * 20))
		crash
		wait "$writer" || true
		serve_at "$port"
		# What was not acknowledged is sent again.
		n=$(wc -l <acknowledged)
	done
	json "hosts?subject=web$((n % 7))" "$n" -H "Idempotency-Key: $n"
	answers 201
	subjects hosts | diff <(seq 0 "$n" | while read -r i; do echo "web$((i % 7)) $i"; done) -
	wait_for has seen "\"data\":$n}"
	stored hosts envelope=1 | diff seen -
	kill "$tail"
}

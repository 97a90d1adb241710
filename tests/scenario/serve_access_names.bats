#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attacks on names and on what one event among many may be: presence, chat, batches, envelopes, types
# of events.

load access_helpers

setup_file() {
	guard
}

teardown_file() {
	unguard
}

setup() {
	guarded_setup
}

teardown() {
	end_jobs
}

# names: each line of the standard input is who asks, the name in ?as=, and the status.
names() {
	local who name want wrong=0
	while read -r who name want; do
		AS=()
		[ "$who" = - ] || as "$who"
		for target in "/api/room/event?as=$name" "/api/event?topic=room&as=$name"; do
			[ "$who" != - ] || target=${target/room/news}
			ask --head "${AS[@]}" "$URL$target"
			[ "$code" = "$want" ] || { echo "$who $target: $code, not $want" >&2; wrong=1; }
		done
	done
	return $wrong
}

# messages: each line of the standard input is who publishes, the status, and the data; a tab between
# them.  A refused one gives the reason.
messages() {
	local who want data wrong=0
	while IFS=$'\t' read -r who want data; do
		as "$who"
		ask "${AS[@]}" -H "Content-Type: ${TYPE:-application/json}" --data-binary "$data" \
			"$URL/api/room${QUERY:+?$QUERY}"
		[ "$code" = "$want" ] || { echo "$who $data: $code, not $want" >&2; wrong=1; }
		[ "$code" != 403 ] || has body 'the name in the data' || wrong=1
	done
	return $wrong
}

# mine WHO DATA STATUS [WHO]: what somebody publishes in the topic room, somebody else deletes: the
# status of that.
mine() {
	as "$1"
	ask "${AS[@]}" -H 'Content-Type: application/json' -d "$2" "$URL/api/room"
	answers 201 || return
	local id
	id=$(header Last-Event-ID)
	as "${4:-$1}"
	ask "${AS[@]}" -X DELETE "$URL/api/room/$id"
	answers "$3"
}

@test "one's own messages can be taken back, and nothing else" {
	mine ann '{"name":"Ann","text":"hello"}' 204
	mine ann '{"text":"hello","n\u0061me":"\u0041nn"}' 204
	mine bob '{"name":"Bob B.","text":"hello"}' 204
	# Of others; without a name; of a form whose name nobody checked.
	mine ann '{"name":"Ann","text":"hello"}' 403 bob
	problem 403 'bob may delete only the messages under the name Bob B. in the topic room'
	[ "$(header WWW-Authenticate)" = 'Bearer realm="sse-serve", error="insufficient_scope"' ]
	mine ann '{"name":"","text":"hello"}' 403
	mine ann '{"text":"hello"}' 403
	mine bob '{"name":"Ann","value":1}' 403 ann
	mine bob '["name","Ann","text"]' 403 ann
	mine bob '"Ann"' 403 ann
	# Nothing proves a name that anybody may take.
	mine guest '{"name":"Carl","text":"hello"}' 403
	problem 403 'guest may not delete events of the topic room'
	# Only one at a time: not all of the topic.
	as ann
	ask "${AS[@]}" -X DELETE "$URL/api/room"
	problem 403 'ann may not delete events of the topic room'
	ask "${AS[@]}" -X DELETE "$URL/api/room?before=$GUARDED_ID"
	problem 403 'ann may not delete events of the topic room'
	# Where she may not publish, there is nothing of hers.
	ask "${AS[@]}" -X DELETE "$URL/api/secret/$GUARDED_ID"
	problem 403 'ann may not delete events of the topic secret'
	# Whoever may delete in the topic deletes anybody's.
	mine ann '{"name":"Ann","text":"hello"}' 204 root
	# By a session too, if a page of the server asks.
	log_in ann
	as ann
	ask "${AS[@]}" -H 'Content-Type: application/json' -d '{"name":"Ann","text":"x"}' "$URL/api/room"
	local id
	id=$(header Last-Event-ID)
	ask -H "Cookie: $SESSION" -X DELETE "$URL/api/room/$id"
	problem 403 'must say which page sends it'
	ask -H "Cookie: $SESSION" -H 'Origin: https://evil.example' -X DELETE "$URL/api/room/$id"
	problem 403 'may not delete events here'
	ask -H "Cookie: $SESSION" -H "Origin: $URL" -X DELETE "$URL/api/room/$id"
	answers 204
	ask -H "Cookie: $SESSION" -H "Origin: $URL" -X DELETE "$URL/api/room/$id"
	answers 410
}

@test "nobody is present under the name of another" {
	names <<-'END'
		ann    Ann                     200
		ann    Bob+B.                  403
		ann    Root                    403
		ann    ann                     403
		ann    Ann+                    403
		ann    +Ann                    403
		ann    Ann%C2%A0               403
		bob    Bob+B.                  200
		bob    Bob                     403
		nobody nobody                  403
		nobody Ann                     403
		nobody X                       403
		guest  Carl                    200
		guest  Ann                     403
		guest  %41nn                   403
		guest  Bob+B.                  403
		guest  Ann+                    403
		guest  +Ann                    403
		guest  Ann%C2%A0               403
		guest  %EF%BB%BFAnn            403
		guest  %E2%80%A8Ann%E3%80%80   403
		-      X                       403
		-      Ann                     403
	END
	as nobody
	ask "${AS[@]}" "$URL/api/room/event?as=Ann"
	problem 403 'nothing proves that you are Ann'
	as ann
	ask "${AS[@]}" "$URL/api/room/event?as=Root"
	problem 403 'your name is Ann: you cannot be present as Root'
	nothing_happened
	follow ann '/api/room/event?as=Ann' "${AS[@]}"
	wait_for has "$WITNESS" '{"name":"Ann","count":1}'
}

@test "nobody writes under the name of another, however it is spelled" {
	messages <<-'END'
		ann	403	{"name":"Root","text":"x"}
		ann	403	{"name":"Bob B.","text":"x"}
		ann	403	{"name":"ann","text":"x"}
		ann	403	{"name":" Ann","text":"x"}
		ann	403	{"text":"x","name":"Root"}
		ann	403	{"name":"\u0052oot","text":"x"}
		ann	403	{"n\u0061me":"Root","text":"x"}
		ann	403	{"name":"Root","te\u0078t":"x"}
		ann	403	{"name":"Root","name":"Ann","text":"x"}
		ann	403	{"name":"Ann","name":"Root","text":"x"}
		ann	403	{"name":"Ann","n\u0061me":"Root","text":"x"}
		ann	403	{"name":"Root","text":1,"text":"x"}
		ann	403	{"name":"Root","text":"x","text":1}
		ann	403	{"name":1,"name":"Root","text":"x"}
		ann	403	{"name":"Ann\u0000","text":"x"}
		ann	403	  {"name":"Root","text":"x"}
		nobody	403	{"name":"X","text":"x"}
		nobody	403	{"name":"nobody","text":"x"}
		guest	403	{"name":"Ann","text":"x"}
		guest	403	{"name":"\u0041nn","text":"x"}
		guest	403	{"name":" Ann","text":"x"}
		guest	403	{"name":"Ann\t","text":"x"}
		guest	403	{"name":"Ann\n","text":"x"}
		guest	403	{"name":"\u00a0Ann\ufeff","text":"x"}
		guest	403	{"name":"\u2028\u3000Ann\u1680\u200a","text":"x"}
		guest	403	{"name":"Carl\u0007","text":"x"}
	END
	QUERY='event=typing&ephemeral=1' messages <<-'END'
		ann	403	{"name":"Root"}
		guest	403	{"name":"Ann"}
		nobody	403	{"name":"Ann"}
	END
	QUERY='event=typing' messages <<<$'ann\t403\t{"name":"Root"}'
	QUERY='ephemeral=1' messages <<<$'ann\t403\t{"name":"Root","text":"x"}'
	QUERY='event=other' messages <<<$'ann\t403\t{"name":"Root","text":"x"}'
	TYPE=application/vnd.x+json messages <<<$'ann\t403\t{"name":"Root","text":"x"}'
	TYPE=application/cloudevents+json messages <<<$'ann\t403\t{"specversion":"1.0","id":"1","source":"s","type":"t","name":"Root","text":"x"}'
	# A stream shows text as it shows JSON.
	TYPE=text/plain messages <<-'END'
		ann	403	{"name":"Root","text":"x"}
		guest	403	{"name":"Ann","text":"x"}
		nobody	403	 {"name":"X", "text":"x"} 
	END
	TYPE=text/plain messages <<<$'ann\t403\t{"name":"Root","text":"x","deep":'"$(letters 300 '[')$(letters 300 ']')}"
	nothing_happened
	messages <<-'END'
		ann	201	{"name":"Ann","text":"x"}
		ann	201	{"text":"x"}
		ann	201	{"name":"","text":"x"}
		ann	201	{"name":["Root"],"text":"x"}
		ann	201	{"name":"Root","age":1}
		bob	201	{"name":"Bob \u0042.","text":"x"}
		guest	201	{"name":"Carl","text":"x"}
		nobody	201	{"text":"x"}
		nobody	201	{"name":"  ","text":"x"}
	END
	TYPE=text/plain messages <<<$'ann\t201\t{is not JSON, so nobody reads a "name":"Root" in it}'
}

# batch_of AS QUERY: publish the standard input as lines of a batch.
batch_of() {
	as "$1"
	cat >lines
	ask "${AS[@]}" -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/room$2"
}

@test "a batch is published whole or not at all: one line that may not be refuses all" {
	batch_of ann '' <<-'END'
		{"name":"Ann","text":"1"}
		{"name":"Root","text":"2"}
		{"name":"Ann","text":"3"}
	END
	problem 403 'line 2: the name in the data is Root, but yours is Ann'
	batch_of ann '?envelope=1' <<-'END'
		{"data":{"name":"Ann","text":"1"}}

		{"data":{"name":"Root","text":"2"},"key":"k"}
	END
	problem 403 'line 3: the name in the data'
	batch_of ann '?envelope=1' <<<'{"data":{"name":"Root"},"event":"typing"}'
	problem 403 'line 1: the name in the data'
	batch_of ann '?envelope=1' <<<'{"data":"{\"name\":\"Root\",\"text\":\"2\"}"}'
	problem 403 'line 1: the name in the data'
	# An envelope cannot take an event elsewhere.
	batch_of ann '?envelope=1' <<-'END'
		{"data":1,"topic":"room"}
		{"data":2,"topic":"secret"}
	END
	problem 400 'line 2: its topic is not room'
	batch_of ann '?envelope=1' <<<'{"data":1,"topic":"room","t\u006fpic":"secret"}'
	problem 400 'appears twice'
	batch_of star '' <<<1
	problem 403 'star may not publish to the topic room'
	nothing_happened
}

# many_of AS: publish the standard input to /api: lines that name their topics.
many_of() {
	as "$1"
	cat >lines
	ask "${AS[@]}" -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api"
}

@test "of lines that name their topics, one topic that one may not publish to refuses all" {
	many_of star <<-'END'
		{"topic":"chat/a","data":1}

		{"topic":"chat/b","data":2}
		{"topic":"secret","data":"stolen"}
	END
	problem 403 'line 4: star may not publish to the topic secret'
	[[ $(header WWW-Authenticate) = *insufficient_scope* ]]
	many_of star <<<'{"topic":"chat/a","t\u006fpic":"secret","data":1}'
	problem 400 'appears twice'
	many_of star <<<'{"t\u006fpic":"s\u0065cret","data":1}'
	problem 403 'line 1: star may not publish to the topic secret'
	local topic
	for topic in chat chat/a/b secre secret/x Chat/a; do
		many_of star <<<'{"topic":"chat/a","data":1}'$'\n'"{\"topic\":\"$topic\",\"data\":1}"
		problem 403 "line 2: star may not publish to the topic $topic"
	done
	# Not even a good line before a bad one; a line that is not valid is told first.
	many_of star <<<'{"topic":"secret","data":1}'$'\n''{"topic":"a b","data":1}'
	problem 400 'line 2: this is not a valid topic'
	# Who may publish nothing is refused before the body comes.
	many_of reader <<<'{"topic":"secret","data":1}'
	problem 403 'reader may not publish any topic'
	ask -H 'Content-Type: application/x-ndjson' -d '{"topic":"news","data":1}' "$URL/api"
	answers 401
	nothing_happened
	many_of star <<<'{"topic":"chat/a","data":1}'$'\n''{"topic":"chat/b","data":1}'
	answers 201
}

@test "of lines that name their topics, one name that is another's refuses all" {
	many_of root <<-'END'
		{"topic":"secret","data":{"name":"Ann","text":"1"}}
	END
	problem 403 'line 1: the name in the data is Ann, but yours is Root'
	many_of ann <<-'END'
		{"topic":"room","data":{"name":"Ann","text":"1"}}
		{"topic":"room","data":{"name":"Root","text":"2"}}
	END
	problem 403 'line 2: the name in the data is Root, but yours is Ann'
	nothing_happened
}

@test "events that only the server sends are sent by nobody else, whatever they may publish" {
	local type
	as root
	for type in denied join leave gap %64enied; do
		ask "${AS[@]}" -H 'Content-Type: application/json' -d '{"reason":"x"}' "$URL/api/room?event=$type"
		problem 400 'which only the server sends'
		ask "${AS[@]}" -H 'Content-Type: application/json' -d '{"reason":"x"}' "$URL/api/room?ephemeral=1&event=$type"
		problem 400 'which only the server sends'
		type=${type/\%64/\\u0064}
		batch_of root '?envelope=1' <<<"{\"data\":1}"$'\n'"{\"data\":1,\"event\":\"$type\"}"
		problem 400 'line 2: the event type is one of gap'
		ask "${AS[@]}" -H 'Content-Type: application/cloudevents+json' \
			-d '{"specversion":"1.0","id":"1","source":"s","type":"'"$type"'"}' "$URL/api/room"
		answers 400
	done
	ask "${AS[@]}" -H 'Content-Type: text/plain' --data-binary $'x\n\nevent: denied\ndata: y\n\n' "$URL/api/mark?ephemeral=1"
	answers 202
	wait_for has "$WITNESS" 'data: event: denied'
	not grep -qx 'event: denied' "$WITNESS"
	look HAPPENED NEWEST
	nothing_happened
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: publishing once although sent twice, many events in one POST, and what
# is refused of both.
# shellcheck disable=SC2154,SC2016,SC2059
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# lines TOPIC BODY [ARGUMENT...]: publish NDJSON; the body may be @FILE.
lines() {
	ask -H 'Content-Type: application/x-ndjson' --data-binary "$2" "${@:3}" "$URL/api/$1"
}

# stores TOPIC LIST: that is what the topic has.
stores() {
	ask "$URL/api/$1"
	[ "$(tr -d '\n' <body)" = "$2" ] && return
	echo "the topic has $(cat body)" >&2
	return 1
}

# position: of the id in the last answer.
position() {
	local id
	id=$(header Last-Event-ID)
	echo "${id##*:}"
}

# --- keys -------------------------------------------------------------------

@test "an event that is sent twice with one Idempotency-Key is there once, and both get one answer" {
	serve
	json any '{"a":1}' -H 'Idempotency-Key: 8e03978e-40d5'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	local id location
	id=$(header Last-Event-ID) location=$(header Location)
	json any '2'
	json any ' {"a":1} ' -H 'Idempotency-Key: 8e03978e-40d5'
	answers 201
	[ "$(header Last-Event-ID)" = "$id" ]
	[ "$(header Location)" = "$location" ]
	[ "$(header Idempotency-Replayed)" = true ]
	[ ! -s body ]
	stores any '[{"a":1},2]'
	# The same key in another topic is another key.
	json other '{"a":1}' -H 'Idempotency-Key: 8e03978e-40d5'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
}

@test "text with a key is known by its lines, however they end" {
	serve
	printf 'a\r\nb' >crlf
	printf 'a\nb' >lf
	text any @crlf -H 'Idempotency-Key: k'
	answers 201
	text any @lf -H 'Idempotency-Key: k'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	stores any '["a\nb"]'
}

@test "a key that is used again for something else is 409, and names the key" {
	serve
	text any '[1]' -H 'Idempotency-Key: k 1'
	answers 201
	text any '[2]' -H 'Idempotency-Key: k 1'
	problem 409 "'k 1'"
	# The same bytes, but JSON.
	json any '[1]' -H 'Idempotency-Key: k 1'
	problem 409 "'k 1'"
	text 'any?event=news' '[1]' -H 'Idempotency-Key: k 1'
	problem 409 "'k 1'"
	stores any '["[1]"]'
	# A conflict spoils nothing.
	text any '[1]' -H 'Idempotency-Key: k 1'
	answers 201
	[ "$(position)" = 1 ]
}

@test "a key is known after a restart and after kill -9" {
	serve
	json any 1 -H 'Idempotency-Key: k'
	local id
	id=$(header Last-Event-ID)
	stop
	serve
	json any 1 -H 'Idempotency-Key: k'
	[ "$(header Last-Event-ID)" = "$id" ]
	crash
	serve
	json any 1 -H 'Idempotency-Key: k'
	[ "$(header Last-Event-ID)" = "$id" ]
	stores any '[1]'
}

@test "keys are known in memory too" {
	serve --db :memory:
	json any 1 -H 'Idempotency-Key: k'
	answers 201
	json any 1 -H 'Idempotency-Key: k'
	[ "$(header Idempotency-Replayed)" = true ]
	json any 2 -H 'Idempotency-Key: k'
	problem 409 "'k'"
	stores any '[1]'
}

@test "a key that is empty, too long or not printable ASCII is refused, with what would be right" {
	serve
	json any 1 -H 'Idempotency-Key;'
	problem 400 'Idempotency-Key is empty'
	json any 1 -H "Idempotency-Key: $(letters 256)"
	problem 400 '255 bytes'
	json any 1 -H "Idempotency-Key: $(printf 'k\303\251')"
	problem 400 'printable ASCII'
	json any 1 -H "Idempotency-Key: $(printf 'a\tb')"
	problem 400 'printable ASCII'
	stores any '[]'
	json any 1 -H "Idempotency-Key: $(letters 255)"
	answers 201
	text any 1 -H 'Idempotency-Key: ~!"#$%&()*+,-./:;<=>?@[\]^_`{|} a'
	answers 201
}

# --- batches ----------------------------------------------------------------

@test "NDJSON is one event a line, stored in order, with one answer" {
	serve
	follow stream /api/any/event
	lines any $'{"a":1}\n\n[2]\r\n "x" \n  \n4'
	answers 201
	[ ! -s body ]
	[ "$(position)" = 4 ]
	[ -z "$(header Location)" ]
	stores any '[{"a":1},[2],"x",4]'
	wait_for has stream 'data: 4'
	[ "$(grep -c '^event: update' stream)" -eq 4 ]
	lines 'any?event=news' '1'
	answers 201
	wait_for has stream 'event: news'
	local id
	id=$(header Last-Event-ID)
	ask "$URL/api/any/$id"
	[ "$(cat body)" = 1 ]
}

@test "who accepts NDJSON gets a line for each event of a batch" {
	serve
	lines any $'1\n2\n3\n' -H 'Accept: application/x-ndjson'
	answers 201
	[ "$(header Content-Type)" = application/x-ndjson ]
	[ "$(wc -l <body)" -eq 3 ]
	[[ $(sed -n 1p body) =~ ^\{\"id\":\"[^\"]+:1\",\"duplicate\":false\}$ ]]
	[[ $(sed -n 3p body) =~ ^\{\"id\":\"[^\"]+:3\",\"duplicate\":false\}$ ]]
	[ "$(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' body | tail -n 1)" = "$(header Last-Event-ID)" ]
}

@test "one bad line refuses the whole batch, and the answer names the line and the byte" {
	serve
	lines any $'1\n\n[2,]\n4\n'
	problem 400 'line 3 is not JSON: at byte 4'
	lines any $'1\n"a\rb"\n'
	problem 400 'line 2 is not JSON: at byte 3'
	printf '1\n\0\n' >bad
	lines any @bad
	problem 400 'line 2 is not JSON: at byte 1: a NUL byte'
	printf '1\n"\xff"\n' >bad
	lines any @bad
	problem 400 'line 2 is not JSON: at byte 2: invalid UTF-8'
	{ echo 1; letters 100000 '['; } >bad
	lines any @bad
	problem 400 'line 2 is not JSON: at byte 201: nested deeper than 200'
	printf '1\r2\n' >bad
	lines any @bad
	problem 400 'line 1 is not JSON: at byte 3'
	printf '\xef\xbb\xbf1\n' >bad
	lines any @bad
	problem 400 'byte order mark'
	lines any ''
	problem 400 'no event'
	lines any $'\n\r\n \n'
	problem 400 'no event'
	lines 'any?event=gap' 1
	problem 400 'gap, join, leave, denied, uptodate, closed and deleted'
	stores any '[]'
}

@test "an envelope gives each line its own type, key and data, and text is decoded" {
	serve
	follow stream /api/any/event
	lines 'any?envelope=1&event=other' '{"event":"news","data":{"b":1.0, "a":2}}
{"data":"two\r\nlin\u00e9s"}
{"key":"k","data":"\"quoted\""}'
	answers 201
	wait_for has stream 'data: "quoted"'
	[ "$(grep -v -e '^id:' -e '^retry:' -e '^$' stream)" = 'event: news
data: {"b":1.0, "a":2}
event: other
data: two
data: linés
event: other
data: "quoted"' ]
	stores any '[{"b":1.0, "a":2},"two\nlinés","\"quoted\""]'
}

@test "what a list with envelopes prints can be posted to another server's topic of that name" {
	serve
	text 'any?event=news' $'two\nlines'
	json any '{"a":[1, 2.50]}'
	ask -H 'Accept: application/x-ndjson' "$URL/api/any?envelope=1"
	mv body list
	stop
	serve --db other.db
	lines 'any?envelope=1' @list
	answers 201
	ask -H 'Accept: application/x-ndjson' "$URL/api/any?envelope=1"
	[ "$(sed 's/"id":.*"event"/"event"/' body)" = "$(sed 's/"id":.*"event"/"event"/' list)" ]
	lines 'wrong?envelope=1' @list
	problem 400 'line 1: its topic is not wrong'
}

@test "a bad envelope is refused with its line and the member that is wrong" {
	serve
	refused() {
		lines 'any?envelope=1' '{"data":1}
'"$1"
		problem 400 "line 2$2"
	}
	refused '[1]' ' is not an object'
	refused '{"event":"x"}' ': the member \"data\" is missing'
	refused '{"data":1,"dat\u0061":2}' ': the member \"data\" appears twice'
	refused '{"data":1,"x":2}' ': the member \"x\" is not data, event, key or subject'
	refused '{"data":1,"event":7}' ': the member \"event\" must be a string'
	refused '{"data":1,"event":"join"}' ': the event type is one of gap, join, leave, denied, uptodate, closed and deleted'
	refused '{"data":1,"event":"a\nb"}' ': the event type contains a newline'
	refused '{"data":1,"key":""}' ': the key is empty'
	refused '{"data":1,"key":"a\u0007b"}' ': the key contains a control character'
	refused "{\"data\":1,\"key\":\"$(letters 256)\"}" ': the key is longer than 255 bytes'
	refused '{"data":"a\u0000b"}' ': the data contains a NUL'
	lines 'any?envelope=yes' '{"data":1}'
	problem 400 'envelope is 1 or 0'
	# Not stored as the data, which nobody wants.
	json 'any?envelope=1' '{"data":1}'
	problem 400 application/x-ndjson
	stores any '[]'
}

@test "a topic that requires fields requires them of each line" {
	serve
	lines users '{"firstname":"A","lastname":"B","age":1}
{"lastname":"D","firstname":"C"}'
	answers 201
	stores users '[{"firstname":"A","lastname":"B"},{"firstname":"C","lastname":"D"}]'
	lines users '{"firstname":"A","lastname":"B"}
{"firstname":"A"}'
	problem 400 "line 2: the field 'lastname' is missing"
	lines 'users?envelope=1' '{"data":{"firstname":"E","lastname":"F"}}'
	answers 201
	lines 'users?envelope=1' '{"data":"E F"}'
	problem 400 'line 1: users takes a JSON object'
	text users 'E F'
	problem 415 application/x-ndjson
	ask -H 'Accept: application/x-ndjson' "$URL/api/users"
	[ "$(wc -l <body)" -eq 3 ]
}

@test "a megabyte of lines is too many events, and 16384 are not" {
	serve
	yes 1 | head -c 1048576 >many
	lines any @many
	problem 413 '16384'
	seq 16385 >many
	lines any @many
	problem 413 '16384'
	ask "$URL/api/any"
	[ "$(cat body)" = '[]' ]
	seq 16384 >many
	lines any @many -H 'Accept: application/x-ndjson'
	answers 201
	[ "$(position)" = 16384 ]
	[ "$(wc -l <body)" -eq 16384 ]
	[[ $(tail -n 1 body) = *':16384","duplicate":false}' ]]
	ask "$URL/api/any?limit=2"
	[ "$(tr -d '\n' <body)" = '[16383,16384]' ]
}

@test "a batch over --max-body is 413, before it was sent whole" {
	serve --max-body 1000
	seq 1000 >many
	lines any @many
	problem 413 '--max-body'
	lines any @many -H 'Transfer-Encoding: chunked'
	problem 413 '--max-body'
	stores any '[]'
}

@test "a batch that is larger than the window is streamed whole and in order" {
	serve --window 64k
	follow live /api/any/event
	local i
	for i in {1..2000}; do
		printf '{"n":%d,"fill":"%0100d"}\n' "$i" 0
	done >many
	lines any @many
	answers 201
	[ "$(position)" = 2000 ]
	follow resumed '/api/any/event?since=all'
	wait_for counts live 'data: ' 2000
	wait_for counts resumed 'data: ' 2000
	sed -n 's/^data: //p' live | cmp - many
	sed -n 's/^data: //p' resumed | cmp - many
	not has live 'event: gap'
}

@test "a full disk refuses a batch whole: 507, and nothing of it is there, then or later" {
	about_the_file 'the disk of a copy refuses nothing'
	serve
	follow stream /api/any/event
	lines any 0
	answers 201
	local i
	for i in {1..200}; do
		printf '"%d %01000d"\n' "$i" 0
	done >many
	prlimit --pid "$PID" --fsize=4096:
	lines any @many
	problem 507 'cannot store the event'
	stores any '[0]'
	prlimit --pid "$PID" --fsize=unlimited:
	stores any '[0]'
	lines any $'1\n2'
	answers 201
	wait_for has stream 'data: 2'
	stores any '[0,1,2]'
	[ "$(grep -c '^data:' stream)" -eq 3 ]
	stop
	serve
	stores any '[0,1,2]'
}

# --- keys in batches --------------------------------------------------------

@test "a batch that is sent twice with an Idempotency-Key is there once" {
	serve
	lines any $'1\n\n2\n' -H 'Idempotency-Key: b' -H 'Accept: application/x-ndjson'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	sed 's/false/true/' body >want
	lines any $'1\n\n2\n' -H 'Idempotency-Key: b' -H 'Accept: application/x-ndjson'
	answers 201
	cmp body want
	[ "$(header Idempotency-Replayed)" = true ]
	[ "$(position)" = 2 ]
	stores any '[1,2]'
}

@test "the key of a batch with another batch is 409, even if its lines are a part of it" {
	serve
	lines any $'1\n2\n3' -H 'Idempotency-Key: b'
	answers 201
	lines any $'1\n2\n' -H 'Idempotency-Key: b'
	problem 409 "line 1: the key 'b:1'"
	lines any $'1\n2\n4' -H 'Idempotency-Key: b'
	problem 409 "line 1: the key 'b:1'"
	stores any '[1,2,3]'
}

@test "keys in envelopes: a known line keeps its first id, and the new ones are stored" {
	serve
	json any '{"a":1}' -H 'Idempotency-Key: one'
	lines 'any?envelope=1' '{"key":"two","data":2}
{"key":"one","data":{"a":1}}
{"key":"two","data":2}
{"data":3}' -H 'Accept: application/x-ndjson'
	answers 201
	[ "$(sed -n 's/.*:\([0-9]*\)","duplicate":\([a-z]*\)}/\1 \2/p' body | tr '\n' ,)" = \
		'2 false,1 true,2 true,3 false,' ]
	[ "$(position)" = 3 ]
	stores any '[{"a":1},2,3]'
}

@test "one key with another body makes the whole batch 409, and names the line in the body" {
	serve
	json any 1 -H 'Idempotency-Key: k'
	lines 'any?envelope=1' '{"data":"new"}

{"key":"k","data":2}'
	problem 409 "line 3: the key 'k'"
	# Twice in one batch, with two bodies.
	lines 'any?envelope=1' '{"key":"twice","data":1}
{"key":"twice","data":2}'
	problem 409 "line 2: the key 'twice'"
	stores any '[1]'
	lines 'any?envelope=1' '{"key":"twice","data":2}'
	answers 201
	stores any '[1,2]'
}

# --- CloudEvents -------------------------------------------------------------

# cloudevent TOPIC BODY [ARGUMENT...]: publish one.
cloudevent() {
	ask -H 'Content-Type: application/cloudevents+json; charset=utf-8' --data-binary "$2" "${@:3}" \
		"$URL/api/$1"
}

@test "a CloudEvent is stored as it came, under its own type, and is there once" {
	serve
	local event='{ "specversion" : "1.0","type":"com.example.paid","source":"/shop","id":"A-17","data":{"sum":10.50}}'
	follow stream /api/orders/event
	cloudevent orders "$event"
	answers 201
	local id
	id=$(header Last-Event-ID)
	wait_for has stream "id: $id"
	grep -qx 'event: com.example.paid' stream
	grep -qFx "data: $event" stream
	# Again: the same answer, and nothing stored.
	cloudevent orders "$event"
	answers 201
	[ "$(header Last-Event-ID)" = "$id" ]
	[ "$(header Idempotency-Replayed)" = true ]
	crash
	serve
	cloudevent orders "$event"
	[ "$(header Idempotency-Replayed)" = true ]
	ask "$URL/api/orders"
	[ "$(cat body)" = "[$event]" ]
	# The same id of another source is another event, as is the same in another topic.
	cloudevent orders "${event/shop/store}"
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	cloudevent other "$event"
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	# Other content under a source and id that are known is refused.
	cloudevent orders "${event/10.50/10.5}"
	problem 409 "the 'source' and 'id' of the CloudEvent, '/shop A-17', are known for another event"
	ask "$URL/api/orders?envelope=1"
	counts body com.example.paid 2
}

@test "what a request says of a CloudEvent outranks what the event says" {
	serve
	local event='{"type":"gap","source":"/shop","id":"1"}'
	cloudevent any "$event"
	problem 400 "the 'type' of the CloudEvent is one of gap, join, leave, denied, uptodate, closed and deleted"
	cloudevent 'any?event=paid' "$event"
	answers 201
	cloudevent 'any?event=paid' "$event" -H 'Idempotency-Key: k'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	cloudevent 'any?event=paid' "$event" -H 'Idempotency-Key: k'
	[ "$(header Idempotency-Replayed)" = true ]
	cloudevent 'any?event=paid' '{"id":"2"}' -H 'Idempotency-Key: k'
	problem 409 "the Idempotency-Key 'k' is known"
	# An id alone is a key; without one each is new.
	cloudevent any '{"id":"2"}'
	cloudevent any '{"id":"2"}'
	[ "$(header Idempotency-Replayed)" = true ]
	cloudevent any '{"source":"/shop"}'
	cloudevent any '{"source":"/shop"}'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	ask "$URL/api/any?envelope=1"
	counts body '"event":"paid"' 2
	counts body '"event":"update"' 3
	# Nothing is known of what is not stored.
	follow stream /api/any/event
	cloudevent 'any?ephemeral=1' '{"id":"2","type":"typing"}'
	answers 202
	cloudevent 'any?ephemeral=1' '{"id":"2","type":"typing"}'
	answers 202
	wait_for counts stream 'event: typing' 2
}

@test "an id, source or type that is not a string, or cannot be used, is refused and named" {
	serve
	local name
	for name in id source type; do
		cloudevent any "{\"$name\":7}"
		problem 400 "the '$name' of the CloudEvent must be a string that is not empty"
		cloudevent 'any?ephemeral=1&event=x' "{\"$name\":\"\"}"
		problem 400 "the '$name' of the CloudEvent must be"
		cloudevent any "{\"$name\":\"a\",\"$name\":\"a\"}"
		problem 400 "the '$name' of the CloudEvent appears twice"
		cloudevent any "{\"$name\":\"\\ud800\"}"
		problem 400 "the '$name' of the CloudEvent has half of a surrogate pair"
	done
	cloudevent any '{"id":"c","source":"/a\u0020b"}'
	problem 400 "the 'source' of the CloudEvent has a space"
	cloudevent any '{"id":"1","type":"\ud83e\udd99","ephemeral":"\ud800"}'
	answers 201
	ask -H 'Content-Type: application/x-ndjson' -d '{"data":1,"key":"\udfff"}' "$URL/api/any?envelope=1"
	problem 400 'the key has half of a surrogate pair'
	cloudevent any '{"type":"a\nb"}'
	problem 400 "the 'type' of the CloudEvent contains a newline"
	cloudevent any "{\"id\":\"$(letters 256)\"}"
	problem 400 "which is its 'id', is longer than 255 bytes: send an Idempotency-Key"
	cloudevent any "{\"id\":\"1\",\"source\":\"$(letters 254)\"}"
	problem 400 "which is its 'source' and 'id', is longer than 255 bytes"
	cloudevent any '[{"id":"1"}]'
	problem 400 'a CloudEvent is a JSON object'
	cloudevent any '{"id":"1"'
	problem 400 'the body is not JSON'
	cloudevent 'any?envelope=1' '{"id":"1"}'
	problem 400 'application/x-ndjson'
	ask -H 'Content-Type: application/cloudevents-batch+json' -d '[{"id":"1"}]' "$URL/api/any"
	problem 415 'or all of them as application/x-ndjson'
	stores any '[{"id":"1","type":"\ud83e\udd99","ephemeral":"\ud800"}]'
	cloudevent users '{"id":"1"}'
	problem 400 "'firstname' is missing"
}

# --- heads ------------------------------------------------------------------

@test "a parameter that is given twice is refused, and named" {
	serve
	text 'any?event=a&event=b' x
	problem 400 "'event'"
	lines 'any?envelope=1&envelope=0' x
	problem 400 "'envelope'"
	ask "$URL/api/any?limit=1&limit=2"
	problem 400 "'limit'"
	ask "$URL/api/any/event?since=1m&since=all"
	problem 400 "'since'"
	ask "$URL/?event=a&event=b"
	answers 200
}

@test "a request whose length is ambiguous is refused, and what follows it is not a request" {
	serve
	local head second='POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nS'
	for head in 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n' \
		'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n' \
		'Content-Length: 5\r\nContent-Length: 6\r\n' \
		'Content-Length : 5\r\nContent-Length: 6\r\n' \
		'Content-Length : 5\r\n' \
		'Transfer-Encoding: gzip, chunked\r\n' \
		'Transfer-Encoding: \x0bchunked\r\n' \
		'Transfer-Encoding: identity\r\nContent-Length: 5\r\n' \
		'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'; do
		printf "POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n$head\r\n0\r\n\r\n$second" |
			raw >answer
		counts answer 'HTTP/1.1 ' 1
		has answer 'HTTP/1.1 400'
	done
	stores any '[]'
	# Said twice, but the same: there is no doubt.
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na' |
		raw >answer
	has answer 'HTTP/1.1 201'
}

# announce COUNT BYTES: that many clients that announce a body of that size and do not send it.
announce() {
	local i fd
	for ((i = 0; i < $1; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\nx' \
			"$2" >&"$fd"
		OPEN+=("$fd")
	done
}

# is_full: is a small POST refused because of the others?
is_full() {
	text any x
	[ "$code" = 503 ]
}

is_free() {
	text any x
	[ "$code" = 201 ]
}

@test "bodies under way have a limit together: one more is 503 at once, streams and lists go on" {
	OPEN=()
	serve --max-body 1000 --max-bodies 3000
	follow stream /api/any/event
	announce 3 1000
	wait_for is_full
	problem 503 '--max-bodies'
	has body 3000
	[ "$(header Retry-After)" = 1 ]
	# Nothing of the body is waited for, announced or in chunks.
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n' |
		raw >answer
	has answer 'HTTP/1.1 503'
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n' |
		raw >answer
	has answer 'HTTP/1.1 503'
	ask "$URL/api/any?limit=1"
	answers 200
	local fd
	# One goes away: there is room for as much.
	fd=${OPEN[0]}
	exec {fd}>&-
	wait_for is_free
	wait_for has stream 'data: x'
	# The others are not disturbed.
	fd=${OPEN[1]}
	letters 999 y >&"$fd"
	wait_for has stream yyy
	for fd in "${OPEN[@]:1}"; do
		exec {fd}>&-
	done
}

@test "what is refused or served gives its room back, so that the limit does not wear out" {
	serve --max-body 10000 --max-bodies 10000
	letters 9000 >large
	letters 9000 '[' >bad
	local i
	for i in {1..20}; do
		text any @large
		answers 201
		text any @large -H 'Transfer-Encoding: chunked'
		answers 201
		json any @bad
		answers 400
		lines any @bad
		answers 400
		text 'any?event=gap' @large
		answers 400
		# Alone it may take more than the limit.
		seq 1000 >many
		lines any @many
		answers 201
	done
	# Clients that leave in the middle.
	for i in {1..20}; do
		exec 5<>"/dev/tcp/127.0.0.1/$PORT"
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9999\r\n\r\nx' >&5
		exec 5>&-
	done
	large_fits() {
		text any @large
		[ "$code" = 201 ]
	}
	wait_for large_fits
}

@test "a --max-bodies below --max-body is refused at the start" {
	refuses 64 'at least --max-body' --listen 0 --db :memory: --max-bodies 1000 --max-body 2000
}

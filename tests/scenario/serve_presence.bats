#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: who is there, joining and leaving.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154
# ThreadSanitizer runs this file, too.

load serve_helpers

# presence TOPIC: the answer's body; the rest as by ask.
presence() {
	ask "$URL/api/$1/presence"
	answers 200 && cat body
}

# is_present TOPIC BODY: does the server say so?
is_present() {
	[ "$(presence "$1")" = "$2" ]
}

# events FILE: type and data of its events, one line each.
events() {
	sed -n 's/^event: //p; s/^data: //p' "$1" | paste -d ' ' - -
}

@test "a stream with a name is present: in the answer, and as a join and a leave without an id" {
	serve --presence-grace 0
	follow seen /api/chat/a/event
	[ "$(presence chat/a)" = '{"count":0,"names":[],"streams":1}' ]
	[ "$(header Content-Type)" = application/json ]
	[ "$(header Cache-Control)" = no-cache ]
	# Who has the head of its stream finds itself there.
	follow ada /api/chat/a/event?as=Ada
	[ "$(presence chat/a)" = '{"count":1,"names":["Ada"],"streams":2}' ]
	# It is told of itself too.
	wait_for has ada 'data: {"name":"Ada","count":1}'
	local ada=$FOLLOWER
	follow bob '/api/chat/a/event?as=B%C3%B6b+%22o%22&envelope=1'
	wait_for has ada '"count":2'
	[ "$(presence chat/a)" = '{"count":2,"names":["Ada","Böb \"o\""],"streams":3}' ]
	kill "$ada"
	wait_for has seen 'event: leave'
	wait_for has bob '"event":"leave"'
	[ "$(events seen)" = 'join {"name":"Ada","count":1}
join {"name":"Böb \"o\"","count":2}
leave {"name":"Ada","count":1}' ]
	counts seen 'id: ' 1
	counts bob 'id: ' 1
	[[ $(sed -n 's/^data: //p' bob | tail -n 1) =~ ^\{\"topic\":\"chat/a\",\"time\":\"[^\"]+\",\"event\":\"leave\",\"data\":\{\"name\":\"Ada\",\"count\":1\}\}$ ]]
	# Nothing of it is stored.
	ask "$URL/api/chat/a"
	[ "$(cat body)" = '[]' ]
	stop
	run -0 sse-serve --verify --db events.db
	[[ $output = *'0 events in 0 topics'* ]]
}

@test "a page of another site can follow, but writes no name into a room" {
	serve --cors https://good.example
	local header
	for header in 'Origin: https://evil.example' 'Origin: null' 'Sec-Fetch-Site: cross-site'; do
		ask -m 10 -H "$header" "$URL/api/any/event?as=Eve"
		problem 403 'may not take a name here'
		ask -m 10 -H "$header" "$URL/api/event?topic=any&as=Eve"
		problem 403 'may not take a name here'
		ask -m 10 -H "$header" --head "$URL/api/any/event?as=Eve"
		answers 403
	done
	[ "$(presence any)" = '{"count":0,"names":[],"streams":0}' ]
	follow unnamed /api/any/event -H 'Sec-Fetch-Site: cross-site'
	follow own /api/any/event?as=Ada -H "Origin: $URL" -H 'Sec-Fetch-Site: same-origin'
	follow good /api/any/event?as=Bob -H 'Origin: https://good.example' -H 'Sec-Fetch-Site: cross-site'
	[ "$(presence any)" = '{"count":2,"names":["Ada","Bob"],"streams":3}' ]
}

@test "a name joins once, however many streams it has, and a short reconnect is neither leave nor join" {
	serve --presence-grace 1h
	follow seen /api/any/event
	local i pids=()
	for i in 1 2 3; do
		follow "ada.$i" /api/any/event?as=Ada
		pids+=("$FOLLOWER")
	done
	kill "${pids[@]}"
	# Nobody has a stream with the name any more, but it is still there.
	wait_for is_present any '{"count":1,"names":["Ada"],"streams":1}'
	follow again /api/any/event?as=Ada
	follow bob /api/any/event?as=Bob
	wait_for has seen Bob
	[ "$(events seen)" = 'join {"name":"Ada","count":1}
join {"name":"Bob","count":2}' ]
}

@test "a name that several streams have is listed once, with their number" {
	serve --presence-grace 0
	follow ada.1 /api/any/event?as=Ada
	follow bob /api/any/event?as=Bob
	[ "$(presence any)" = '{"count":2,"names":["Ada","Bob"],"streams":2}' ]
	follow ada.2 /api/any/event?as=Ada
	[ "$(presence any)" = '{"count":2,"names":["Ada","Bob"],"streams":3,"several":{"Ada":2}}' ]
	kill "$FOLLOWER"
	wait_for is_present any '{"count":2,"names":["Ada","Bob"],"streams":2}'
}

@test "a name that was changed leaves at once, or with its last stream" {
	serve --presence-grace 1h
	follow seen /api/any/event
	follow ada /api/any/event?as=Ada
	kill "$FOLLOWER"
	wait_for is_present any '{"count":1,"names":["Ada"],"streams":1}'
	follow bob '/api/any/event?as=Bob&was=Ada'
	wait_for has seen 'event: leave'
	is_present any '{"count":1,"names":["Bob"],"streams":2}'
	# The new stream may come before the old one has ended.
	local bob=$FOLLOWER
	follow eve '/api/any/event?as=Eve&was=Bob'
	is_present any '{"count":2,"names":["Bob","Eve"],"streams":3}'
	kill "$bob"
	wait_for is_present any '{"count":1,"names":["Eve"],"streams":2}'
	# Who takes the name again has its grace.
	follow bob /api/any/event?as=Bob
	kill "$FOLLOWER"
	wait_for is_present any '{"count":2,"names":["Bob","Eve"],"streams":2}'
	ask "$URL/api/any/event?was=Ada"
	problem 400 'give its new one in ?as='
	ask "$URL/api/any/event?as=Ada&was="
	problem 400 'the name in ?was='
}

@test "after the grace a name has left, and comes back by a join" {
	serve --presence-grace 300ms
	follow seen /api/any/event
	follow ada /api/any/event?as=Ada
	kill "$FOLLOWER"
	wait_for has seen 'event: leave'
	is_present any '{"count":0,"names":[],"streams":1}'
	follow ada /api/any/event?as=Ada
	left_twice() {
		counts seen 'event: leave' 2
	}
	kill "$FOLLOWER"
	wait_for left_twice
	[ "$(events seen | cut -d ' ' -f 1 | tr '\n' ' ')" = 'join leave join leave ' ]
}

@test "a stream of many topics is present in those that it names, not in what a pattern matches" {
	serve
	text c/d x
	follow stream '/api/event?topic=a&topic=b/b&topic=c/*&topic=a&as=Ada'
	is_present a '{"count":1,"names":["Ada"],"streams":1}'
	is_present b/b '{"count":1,"names":["Ada"],"streams":1}'
	is_present c/d '{"count":0,"names":[],"streams":1}'
	is_present c/new '{"count":0,"names":[],"streams":1}'
	is_present other '{"count":0,"names":[],"streams":0}'
	follow patterns '/api/event?topic=**&as=Bob'
	is_present a '{"count":1,"names":["Ada"],"streams":2}'
	is_present c/d '{"count":0,"names":[],"streams":2}'
}

@test "what is no name is refused; HEAD, other methods and CORS are as elsewhere" {
	serve --cors https://good.example
	local bad
	for bad in '' %09 a%0Ab %7F %C2%85 %ff %ed%a0%80 "$(letters 65)"; do
		ask "$URL/api/any/event?as=$bad"
		problem 400 'the name in ?as='
	done
	ask "$URL/api/any/event?as=%00"
	answers 400
	ask "$URL/api/any/event?as=a&as=b"
	problem 400 'more than once'
	ask "$URL/api/any/event?as"
	problem 400 "'as' without a value"
	ask --head "$URL/api/any/event?as=%0A"
	answers 400
	ask --head "$URL/api/any/event?as=Ada"
	answers 200
	[ "$(presence any)" = '{"count":0,"names":[],"streams":0}' ]
	follow long "/api/any/event?as=$(letters 64)"
	follow markup '/api/any/event?as=%3Cscript%3E%26%5C%22%E2%80%AE'
	[ "$(presence any)" = '{"count":2,"names":["<script>&\\\"'$'\u202e''","'"$(letters 64)"'"],"streams":2}' ]
	ask --head "$URL/api/any/presence"
	answers 200
	[ "$(header Content-Length)" -gt 100 ]
	ask -X POST -d x "$URL/api/any/presence"
	problem 405 GET
	[ "$(header Allow)" = 'GET, HEAD, OPTIONS' ]
	ask -H 'Origin: https://good.example' "$URL/api/any/presence"
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
	ask -X OPTIONS -H 'Origin: https://good.example' "$URL/api/any/presence"
	answers 204
	[ "$(header Access-Control-Allow-Methods)" = 'GET, HEAD, OPTIONS' ]
	ask "$URL/api/a%20b/presence"
	problem 400 topic
	ask "$URL/api/presence"
	problem 400 topic
	for bad in join leave; do
		text "any?event=$bad" x
		problem 400 'only the server sends'
	done
}

@test "beyond --max-names a stream with a new name gets 503; who leaves makes room" {
	serve --max-names 3 --presence-grace 0
	follow one '/api/event?topic=a&topic=b&as=Ada'
	local one=$FOLLOWER
	follow two /api/a/event?as=Bob
	ask "$URL/api/a/event?as=Eve"
	problem 503 'max-names'
	[ -n "$(header Retry-After)" ]
	ask --head "$URL/api/a/event?as=Eve"
	answers 503
	# Neither half of it is counted, nor who is there already.
	ask "$URL/api/event?topic=b&topic=c&as=Bob"
	problem 503 'max-names'
	is_present c '{"count":0,"names":[],"streams":0}'
	follow again /api/a/event?as=Bob
	follow unnamed /api/c/event
	kill "$one"
	wait_for opens '/api/event?topic=b&topic=c&as=Bob'
}

@test "after a restart names are gone, and whoever comes back joins" {
	serve
	follow ada /api/any/event?as=Ada
	local port=$PORT
	wait_for has ada '"count":1'
	crash
	serve_at "$port"
	is_present any '{"count":0,"names":[],"streams":0}'
	follow seen /api/any/event
	follow ada /api/any/event?as=Ada
	wait_for has seen 'data: {"name":"Ada","count":1}'
}

@test "a reader that is gone without a word leaves when its stream is closed for it" {
	serve --presence-grace 0 --stall-timeout 1s --heartbeat 300ms
	follow seen /api/any/event
	# It takes its head, and never anything again.
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /api/event?topic=any&topic=load&as=Ada HTTP/1.1\r\nHost: localhost\r\n\r\n' >&5
	wait_for has seen '"count":1'
	letters 900000 >large
	local i
	for i in {1..12}; do
		text load @large
		answers 201
	done
	wait_for has seen 'event: leave'
	exec 5>&-
}

@test "500 named streams that flap, on two loops: in the end everybody agrees on who is there" {
	serve --loops 2 --presence-grace 200ms --db :memory:
	"$TOOLS/flap" "$PORT" flap 500 4000 2
	# And the streams that are left are counted.
	follow stream /api/flap/event
	still_one() {
		[[ $(presence flap) = *'"streams":1}' ]]
	}
	wait_for still_one
}

@test "presence, ephemeral and stored events at once, on two loops: nothing that is stored is lost" {
	serve --loops 2 --window 16M --presence-grace 0
	"$TOOLS/flap" "$PORT" flood/0 100 3000 3 3>&- 4>&- &
	local flapper=$!
	flood 20 200 4 3000 3 2 mix
	wait "$flapper"
}

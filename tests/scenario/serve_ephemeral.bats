#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: ephemeral events, which are passed on and never stored.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# passes TOPIC TEXT [ARGUMENT...]: publish it without having it stored.
passes() {
	ask -H 'Content-Type: text/plain' --data-binary "$2" "${@:3}" "$URL/api/$1"
	answers 202
	[ ! -s body ]
	[ -z "$(header Last-Event-ID)$(header Location)" ]
	[ "$(header Content-Length)" = 0 ]
}

@test "an ephemeral event is answered 202, reaches open streams, and has no id" {
	serve
	follow stream /api/chat/a/event
	follow many '/api/event?topic=chat/*&topic=other'
	follow envelope '/api/chat/a/event?envelope=1'
	passes 'chat/a?ephemeral=1&event=typing' Ada
	ask -H 'Content-Type: application/json' -d '{"by": 1.0}' "$URL/api/chat/a?event=typing&ephemeral=1"
	answers 202
	wait_for has stream 'data: {"by": 1.0}'
	wait_for has many 'data: {"by": 1.0}'
	wait_for has envelope '"by"'
	[ "$(data stream)" = $'Ada\n{"by": 1.0}' ]
	[ "$(data many)" = $'Ada\n{"by": 1.0}' ]
	counts stream 'event: typing' 2
	counts stream 'id: ' 1
	counts many 'id: ' 1
	counts envelope 'id: ' 1
	[[ $(data envelope | head -n 1) =~ ^\{\"topic\":\"chat/a\",\"time\":\"[0-9T:.-]+Z\",\"event\":\"typing\",\"data\":\"Ada\"\}$ ]]
	# 0 is a stored one.
	text 'chat/a?ephemeral=0' kept
	answers 201
	[[ $(header Last-Event-ID) = *:1 ]]
}

@test "ephemeral events are in no list, replay or export, and no id moves by them" {
	local store
	for store in events.db :memory:; do
		serve --db "$store"
		local id
		text any 1
		id=$(header Last-Event-ID)
		passes 'any?ephemeral=1' no
		passes 'only/ephemeral?ephemeral=1' no
		[[ $id = *:1 ]]
		ask "$URL/api/any"
		[ "$(cat body)" = '["1"]' ]
		[ "$(header Last-Event-ID)" = "$id" ]
		ask "$URL/api/only/ephemeral"
		[ "$(cat body)" = '[]' ]
		[ "$(header Last-Event-ID)" = "$id" ]
		text any 2
		[[ $(header Last-Event-ID) = *:2 ]]
		passes 'any?ephemeral=1' no
		text any 3
		ask "$URL/api/any?limit=3"
		[ "$(tr -d '\n' <body)" = '["1","2","3"]' ]
		# From the window, from the log, by time, with envelopes, of several topics.
		follow resumed /api/any/event -H "Last-Event-ID: $id"
		follow since '/api/any/event?since=all'
		follow envelope '/api/any/event?since=all&envelope=1'
		follow many '/api/event?topic=**&topic=any' -H "Last-Event-ID: $id"
		text any 4
		wait_for has resumed 'data: 4'
		wait_for has since 'data: 4'
		wait_for has envelope '"data":"4"'
		wait_for has many 'data: 4'
		[ "$(data resumed)" = $'2\n3\n4' ]
		[ "$(data since)" = $'1\n2\n3\n4' ]
		[ "$(data many)" = $'2\n3\n4' ]
		counts envelope 'event: ' 4
		# Once it is live it gets them again.
		passes 'any?ephemeral=1' yes
		wait_for has resumed 'data: yes'
		wait_for has many 'data: yes'
		if [ "$store" = events.db ]; then
			sse-serve --export --db events.db >log
			not has log ephemeral
			not has log '"no"'
			has log '"events":4,'
			stop
			run -0 sse-serve --verify --db events.db
			[ "$output" = 'events.db: ok, 4 events in 1 topics, positions 1 to 4' ]
		else
			stop
		fi
	done
}

@test "topics that had ephemeral events only leave no trace, and get their place when one is stored" {
	serve
	local i
	for i in 1 2 3; do
		passes "e$i?ephemeral=1" x
	done
	text stored 1
	text e2 2
	passes "e4?ephemeral=1" x
	text e3 3
	text stored 4
	follow all '/api/event?topic=**&since=all'
	wait_for has all 'data: 4'
	[ "$(data all)" = $'1\n2\n3\n4' ]
	stop
	[ "$(sqlite3 events.db 'SELECT name FROM topic ORDER BY id')" = $'stored\ne2\ne3' ]
	serve
	follow some '/api/event?topic=e2&topic=e3&topic=e1&since=all'
	wait_for has some 'data: 3'
	[ "$(data some)" = $'2\n3' ]
	ask "$URL/api/stored"
	[ "$(tr -d '\n' <body)" = '["1","4"]' ]
	stop
	run -0 sse-serve --verify --db events.db
}

@test "what is wrong with an ephemeral event is refused as with any other" {
	serve
	ask -H 'Content-Type: application/x-ndjson' --data-binary '1' "$URL/api/any?ephemeral=1"
	problem 400 'sent alone'
	json 'any?ephemeral=1' '{'
	problem 400 'not JSON'
	text 'any?ephemeral=yes' x
	problem 400 'ephemeral is 1 or 0'
	text 'any?ephemeral=1&ephemeral=1' x
	problem 400 'more than once'
	# It would be stored.
	text 'any?ephemeral' x
	problem 400 "'ephemeral' without a value"
	text 'any?event=typing&ephemeral&_=1' x
	problem 400 "'ephemeral' without a value"
	text 'any?ephemeral=' x
	problem 400 'ephemeral is 1 or 0'
	local type
	for type in gap join leave; do
		text "any?ephemeral=1&event=$type" x
		problem 400 'gap, join, leave, denied, uptodate, closed and deleted'
	done
	json 'users?ephemeral=1' '{}'
	problem 400 "'firstname' is missing"
	text 'any?ephemeral=1' x -H 'Origin: https://evil.example'
	problem 403 'may not publish'
	ask -d x "$URL/api/any?ephemeral=1"
	problem 415 'is not accepted'
	ask -H 'Content-Type: text/plain' -d x "$URL/api/a%20b?ephemeral=1"
	problem 400 'topic'
	# A key is not looked at: there is nothing that it could be stored with.
	passes 'any?ephemeral=1' x -H 'Idempotency-Key: k'
	passes 'any?ephemeral=1' y -H 'Idempotency-Key: k'
	text any x -H 'Idempotency-Key: k'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	text 'any?ephemeral=1' x --max-time 10 -H $'Idempotency-Key: \xc3\xa4'
	answers 202
}

# ready: does the server say that it can store events?
ready() {
	ask "$URL/readyz" && [ "$code" = 200 ]
}

@test "ephemeral events pass while the disk takes nothing" {
	serve
	text any 1
	follow stream /api/any/event
	prlimit --pid "$PID" --fsize=4096:
	text any 2
	# A node takes it later.
	if shared; then
		problem 503 'unknown: send it again'
	else
		answers 507
	fi
	passes 'any?ephemeral=1' live
	wait_for has stream 'data: live'
	not has stream 'data: 2'
	prlimit --pid "$PID" --fsize=unlimited:
	! shared || wait_for ready
	text any 3
	answers 201
	wait_for has stream 'data: 3'
	[ "$(grep -c 'data: 2' stream)" -eq "$(shared && echo 1 || echo 0)" ]
}

@test "ephemeral events among stored ones: streams with a window of 64k lose nothing that is stored" {
	# 800 KB of events go through a window of 512k; in memory the window is all that is kept, and has to
	# have room for them.
	local store
	for store in '--db events.db --window 512k' '--db :memory: --window 4M'; do
		# shellcheck disable=SC2086 # options
		serve --loops 2 $store --max-body 64k --tick 1ms
		flood 20 200 4 2000 0 3 mix
		stop
	done
	serve --loops 2 --window 64k --tick 1ms
	local publisher
	(
		while curl -sS -o /dev/null -H 'Content-Type: text/plain' -d x \
			"$URL/api/flood/[0-2]?ephemeral=1&event=noise" 2>/dev/null; do
			:
		done
	) 3>&- 4>&- &
	publisher=$!
	flood 20 300 4 3000 3 3 mix
	kill "$publisher"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: kill -9, full disks, a busy database, being stopped in the middle.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154
# ThreadSanitizer runs this file, too.

load serve_helpers

teardown() {
	if [ -n "${MOUNT:-}" ]; then
		serve_teardown && umount "$MOUNT"
		return
	fi
	serve_teardown
}

@test "a database that is removed or replaced under a running server is noticed, and nothing is said to be stored" {
	serve
	text any 1
	follow stream /api/any/event
	mv events.db moved.db
	text any 2
	problem 507 'events.db was removed or replaced'
	has err 'events.db was removed or replaced'
	ask "$URL/readyz"
	problem 503 'put it back'
	# What need not be stored goes on.
	ask -H 'Content-Type: text/plain' -d live "$URL/api/any?ephemeral=1"
	answers 202
	wait_for has stream 'data: live'
	cp moved.db events.db
	text any 2
	problem 507 'replaced'
	mv moved.db events.db
	text any 3
	answers 201
	ask "$URL/readyz"
	answers 200
	mv events.db-wal wal
	text any 4
	problem 507 'events.db-wal was removed'
	mv wal events.db-wal
	text any 5
	answers 201
	wait_for has stream 'data: 5'
	rm events.db
	text any 6
	problem 507 'removed'
	[ "$(sed -n 's/^data: //p' stream | tr '\n' ' ')" = 'live 3 5 ' ]
}

@test "kill -9, ten times over: what was acknowledged is stored once, and a reader sees each once" {
	serve
	local round port=$PORT publisher reader have
	: >acknowledged
	: >seen
	# From the beginning, whichever comes first, the reader or the first event.
	"$TOOLS/follow" "$PORT" '/api/numbers/event?since=all' >seen 3>&- &
	reader=$!
	json numbers '"first"'
	wait_for has seen first
	"$TOOLS/steady" "$PORT" numbers >acknowledged 3>&- &
	publisher=$!
	for round in {1..10}; do
		have=$(wc -l <acknowledged)
		wait_for grew acknowledged $((have + RANDOM % 40))
		crash
		serve_at "$port"
	done
	have=$(wc -l <acknowledged)
	wait_for grew acknowledged "$have"
	kill "$publisher"
	wait "$publisher"
	text numbers end
	answers 201
	wait_for gone "$reader"
	wait "$reader"

	ask -H 'Accept: application/x-ndjson' "$URL/api/numbers"
	answers 200
	tr -d '"' <body >stored
	# Each once, in the order in which they were sent.
	grep '^[0-9]' stored >numbers
	sort -n -u numbers | cmp - numbers
	# Nothing that was acknowledged is missing.
	sort acknowledged >a
	sort numbers >b
	[ -z "$(comm -23 a b)" ]
	# The reader saw what is stored: no more, no less, no gap.
	cut -d ' ' -f 2- seen | tr -d '"' | cmp - stored
}

@test "after kill -9 the socket file and the database are taken over" {
	serve --listen unix:s.sock
	user John DOE
	crash
	serve --listen unix:s.sock
	ask --unix-socket s.sock "http://localhost/api/users"
	[ "$(cat body)" = '[{"firstname":"John","lastname":"DOE"}]' ]
}

@test "a full disk: publishing gets 507 and a sentence, streams go on, and it works again after" {
	serve --heartbeat 100ms
	follow stream /api/any/event
	text any before
	# From now on no file of the server may grow.
	prlimit --pid "$PID" --fsize=4096:
	letters 20000 >large
	text any @large
	problem 507 'cannot store the event'
	text any small
	problem 507 'cannot store the event'
	has err 'cannot store the event'
	# What is there is there, and the streams are alive.
	beats_on stream
	ask "$URL/api/any"
	[ "$(cat body)" = '["before"]' ]
	follow resumed '/api/any/event?since=all'
	wait_for has resumed 'data: before'
	prlimit --pid "$PID" --fsize=unlimited:
	text any after
	answers 201
	wait_for has stream 'data: after'
	ask "$URL/api/any"
	[ "$(tr -d '\n' <body)" = '["before","after"]' ]
	[ "$(grep -c '^event:' stream)" -eq 2 ]
	stop
	serve
	ask "$URL/api/any"
	[ "$(tr -d '\n' <body)" = '["before","after"]' ]
}

@test "a file system without space: 507 says so, and it works again when there is some" {
	mkdir disk
	if ! mount -t tmpfs -o size=1M none disk 2>/dev/null; then
		skip 'mounting a small file system needs rights'
	fi
	MOUNT=$PWD/disk
	serve --db disk/events.db
	text any before
	answers 201
	letters 1000000 >disk/filler 2>/dev/null || true
	letters 100000 >large
	text any @large
	problem 507 'no space is left'
	ask "$URL/api/any"
	[ "$(cat body)" = '["before"]' ]
	rm disk/filler
	text any @large
	answers 201
	text any after
	answers 201
	ask "$URL/api/any?limit=1"
	[ "$(cat body)" = '["after"]' ]
	stop
	letters 1000000 >disk/filler 2>/dev/null || true
	rm -f disk/new.db
	refuses 74 'no space is left' --listen 0 --db disk/new.db
}

@test "a disk that is full at the start: one line that says so" {
	(
		ulimit -f 2
		refuses 74 'cannot use the database' --listen 0 --db events.db
	)
	# Nothing half made is left: with space it starts.
	serve
	user John DOE
}

@test "while another program writes to the database, publishing waits for it" {
	serve
	mkfifo commands
	sqlite3 events.db <commands >locked 2>&1 3>&- &
	exec 5>commands
	echo 'BEGIN IMMEDIATE; SELECT 12345;' >&5
	wait_for has locked 12345
	curl -sS -o /dev/null -w '%{http_code}' -H 'Content-Type: text/plain' -d waits "$URL/api/any" \
		>answer 3>&- 5>&- &
	# Others are served meanwhile.
	ask "$URL/api/any"
	answers 200
	[ "$(cat body)" = '[]' ]
	[ ! -s answer ]
	echo 'COMMIT;' >&5
	wait_for has answer 201
	exec 5>&-
}

@test "a database that another program locks for good is busy: 75 at the start" {
	serve
	user John DOE
	stop
	mkfifo commands
	sqlite3 events.db <commands >locked 2>&1 3>&- &
	exec 5>commands
	echo 'PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM topic WHERE id=99; SELECT 12345;' >&5
	wait_for has locked 12345
	refuses 75 'database' --listen 0 --db events.db
	exec 5>&-
	wait
	serve
	ask "$URL/api/users"
	[ "$(cat body)" = '[{"firstname":"John","lastname":"DOE"}]' ]
}

@test "SIGTERM: a publish that waits is answered, streams end whole, the next start has all" {
	serve
	follow stream /api/any/event
	mkfifo commands
	sqlite3 events.db <commands >locked 2>&1 3>&- &
	exec 5>commands
	echo 'BEGIN IMMEDIATE; SELECT 12345;' >&5
	wait_for has locked 12345
	curl -sSv -o /dev/null -w '%{http_code}' -H 'Content-Type: text/plain' -d waits "$URL/api/any" \
		>answer 2>trace 3>&- 5>&- &
	wait_for grep -q '^> POST' trace
	# Who asks later is answered later: the publish has reached the log.
	ask "$URL/healthz"
	ask "$URL/healthz"
	kill -TERM "$PID"
	wait_for has err 'stopping'
	[ ! -s answer ]
	echo 'COMMIT;' >&5
	exec 5>&-
	wait_for has answer 201
	wait_for gone "$PID"
	wait "$PID"
	PID=''
	wait_for gone "$FOLLOWER"
	has stream 'data: waits'
	[ -z "$(tail -n 1 stream)" ]
	serve
	ask "$URL/api/any"
	[ "$(cat body)" = '["waits"]' ]
}

@test "SIGTERM while many publish, read and list: it ends with 0, and what was acknowledged is there" {
	serve
	local i publishers=()
	letters 50000 >large
	for i in {1..40}; do
		text big @large
	done
	for i in {1..6}; do
		"$TOOLS/steady" "$PORT" "t$i" >"acknowledged$i" 3>&- &
		publishers+=($!)
		(while curl -s --limit-rate 20M -o /dev/null "$URL/api/big"; do :; done) 3>&- &
		curl -sN "$URL/api/big/event?since=all" >/dev/null 3>&- &
	done
	for i in {1..6}; do
		wait_for grew "acknowledged$i" 10
	done
	stop
	kill "${publishers[@]}"
	serve
	for i in {1..6}; do
		ask -H 'Accept: application/x-ndjson' "$URL/api/t$i"
		sort body >stored
		sort "acknowledged$i" | comm -23 - stored >missing
		[ ! -s missing ]
	done
}

@test "out of descriptors: open streams go on, and new clients are served when there are some" {
	serve
	follow stream /api/any/event
	local readers=() i limit one two three
	limit=$(($(descriptors) + 8))
	prlimit --pid "$PID" --nofile="$limit:"
	for i in {1..6}; do
		follow "r$i" /api/any/event
		readers+=("$FOLLOWER")
	done
	# A stream needs two for a moment, so these take the last ones; they say nothing, and stay.
	exec {one}<>"/dev/tcp/127.0.0.1/$PORT" {two}<>"/dev/tcp/127.0.0.1/$PORT" \
		{three}<>"/dev/tcp/127.0.0.1/$PORT"
	wait_for has err 'cannot accept connections'
	kill "${readers[@]}"
	ask "$URL/healthz"
	answers 200
	text any 'still here'
	answers 201
	wait_for has stream 'data: still here'
	exec {one}>&- {two}>&- {three}>&-
}

@test "started with its standard descriptors closed, the log is not written into the database" {
	serve --listen unix:s.sock
	text q first
	stop
	"$BIN/sse-serve" --listen unix:s.sock --db events.db -v <&- >&- 2>&- 3>&- &
	PID=$!
	answers_locally() {
		curl -sf --unix-socket s.sock http://localhost/healthz >healthz
	}
	wait_for answers_locally
	stop
	[ "$(head -c 15 events.db)" = "SQLite format 3" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: starting, refusing to start, its log, and ending.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

load serve_helpers

@test "--help and --version print to stdout and end with 0" {
	run -0 --separate-stderr sse-serve --help
	[[ $output = *--listen*--db*--tick* ]]
	# shellcheck disable=SC2030,SC2031,SC2034,SC2154
	[ -z "$stderr" ]
	[ "$(awk 'length > 80' <<<"$output")" = '' ]
	run -0 --separate-stderr sse-serve --version
	[[ $output = sse-serve*libmicrohttpd/*SQLite/* ]]
	[ -z "$stderr" ]
}

@test "an unknown option is 64 and suggests the nearest; arguments are refused" {
	refuses 64 '--listen' --lisen 8000
	refuses 64 '--max-body' --maxbody 1M
	refuses 64 'argument' 8000
	refuses 64 '--db' --db a.db --db b.db
	refuses 64 '' --web
}

@test "a bad number names its range" {
	refuses 64 '100ms' --heartbeat 1ms
	refuses 64 '100ms' --heartbeat 0.05s
	refuses 64 'not a whole number of milliseconds' --heartbeat 0.2005s
	refuses 64 '64k' --window 10k
	refuses 64 '256M' --max-body 1G
	refuses 64 '65535' --listen 70000
	refuses 64 'text' --log xml
	refuses 64 '--window must be at least 8 times' --db :memory: --window 64k --max-body 9k
}

@test "it prints one line with the address that it really listens on" {
	serve
	[ "$(wc -l <out)" -eq 1 ]
	[[ $(cat out) =~ ^Listening\ on\ http://localhost:[1-9][0-9]*$ ]]
	ask "$URL/healthz"
	answers 200
	stop
	serve_at 127.0.0.1:0
	[[ $URL =~ ^http://127.0.0.1:[1-9][0-9]*$ ]]
	ask "$URL/healthz"
	answers 200
	[ "$(wc -l <out)" -eq 1 ]
}

@test "options can come from the environment" {
	SSE_TICK=30ms serve
	follow stream /api/users/event
	wait_for has stream 'Hello, world!'
}

@test "a port that is taken, by sse-serve or another, is 69 and says what to do" {
	serve
	refuses 69 "port $PORT" --listen "$PORT" --db other.db
	has refused.err '--listen'
	refuses 69 "port $PORT" --listen "127.0.0.1:$PORT" --db other.db
	# Its database was not touched, and the one that has the port still serves.
	[ ! -e other.db ]
	ask "$URL/healthz"
	answers 200
}

@test "listening beyond loopback is refused without --open, which is said to mean what it means" {
	local address
	for address in 0.0.0.0:0 '*:0' '[::]:0' 0:0; do
		refuses 64 '--open' --listen "$address" --db events.db
		has refused.err 'everyone'
	done
	[ ! -e events.db ]
	serve_at 0.0.0.0:0 --open
	ask "http://127.0.0.1:$PORT/healthz"
	answers 200
}

@test "addresses that cannot be meant are 64" {
	refuses 64 'brackets' --listen ::1:8000
	refuses 64 'ADDR:PORT' --listen localhost
	refuses 64 'ADDR:PORT' --listen localhost:http
	refuses 64 'ADDR:PORT' --listen ''
	refuses 64 'unix:' --listen unix:
	refuses 64 'unix:' --listen "unix:/tmp/$(letters 200)"
	refuses 64 'not an address' --listen no.such.host.invalid:0
	refuses 64 'at most 253 characters' --listen "$(letters 254):0"
}

@test "a database that another sse-serve has is 75, and stays usable" {
	serve
	user John DOE
	refuses 75 'in use by another sse-serve' --listen 0 --db events.db
	user Ada LOVELACE
	ln -s events.db link.db
	refuses 75 'in use by another sse-serve' --listen 0 --db link.db
	stop
	serve
	ask "$URL/api/users"
	[ "$(grep -c firstname body)" -eq 2 ]
}

@test "a database of a newer version is 65 and is left alone" {
	serve
	user John DOE
	stop
	sqlite3 events.db 'PRAGMA user_version=99; PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	cksum events.db >before
	refuses 65 'newer' --listen 0 --db events.db
	has refused.err upgrade
	cksum events.db | cmp - before
	sqlite3 fresh.db 'PRAGMA user_version=99'
	refuses 65 'newer' --listen 0 --db fresh.db
}

@test "another program's database, and a file that is none, are 65 and left alone" {
	sqlite3 other.db 'CREATE TABLE mine(x); INSERT INTO mine VALUES(1)'
	cksum other.db >before
	refuses 65 'not a database of sse-serve' --listen 0 --db other.db
	cksum other.db | cmp - before
	[ "$(sqlite3 other.db 'PRAGMA journal_mode; SELECT x FROM mine' | tr '\n' ' ')" = 'delete 1 ' ]
	seq 1000 >text
	refuses 65 'not a database of sse-serve' --listen 0 --db text
	seq 1000 | cmp - text
	echo short >text
	refuses 65 'not a database of sse-serve' --listen 0 --db text
	[ "$(cat text)" = short ]
}

@test "a database that was damaged is refused, not served" {
	serve
	local i
	letters 3000 >large
	for i in {1..30}; do
		text any @large
	done
	stop
	sqlite3 events.db 'PRAGMA journal_mode=DELETE' >/dev/null
	# All but the first page.
	dd if=/dev/urandom of=events.db bs=4096 seek=1 count=20 conv=notrunc 2>/dev/null
	local status=0
	timeout 60 "$BIN/sse-serve" --listen 0 --db events.db >refused.out 2>refused.err 3>&- || status=$?
	[ "$status" -eq 65 ] || [ "$status" -eq 74 ]
	[ ! -s refused.out ]
	[ "$(wc -l <refused.err)" -eq 1 ]
}

@test "a folder that is not there or not writable is 73 and names --db" {
	refuses 73 '--db' --listen 0 --db no/such/folder/events.db
	mkdir folder
	refuses 73 '--db' --listen 0 --db folder
	chmod 555 folder
	needs_drop
	UNDER=drop refuses 73 'Permission denied' --listen 0 --db "$PWD/folder/events.db"
	has refused.err '--db'
}

@test "without --db it keeps its database in the state folder, which it makes, for its user alone" {
	start "$BIN/sse-serve" --listen 0
	[ -f .local/state/sse-serve/events.db ]
	[ "$(stat -c %a .local/state/sse-serve)" = 700 ]
	[ "$(stat -c %a .local/state/sse-serve/events.db)" = 600 ]
	stop
	mkdir xdg
	XDG_STATE_HOME=$PWD/xdg start "$BIN/sse-serve" --listen 0
	[ -f xdg/sse-serve/events.db ]
	stop
	mkdir systemd
	STATE_DIRECTORY=$PWD/systemd XDG_STATE_HOME=$PWD/xdg start "$BIN/sse-serve" --listen 0
	[ -f systemd/events.db ]
	stop
	HOME='' refuses 64 '--db' --listen 0
}

@test "--web of a folder that is not there is 66" {
	refuses 66 'no/such' --listen 0 --db events.db --web no/such
	touch file
	refuses 66 'not a folder' --listen 0 --db events.db --web file
}

@test "a local socket is served, and its file is removed at the end" {
	serve --listen unix:s.sock
	[ -S s.sock ]
	curl -sN --unix-socket s.sock http://localhost/api/users/event >stream 3>&- &
	wait_for has stream 'id:'
	ask --unix-socket s.sock -H 'Content-Type: application/json' \
		-d '{"firstname":"John","lastname":"DOE"}' http://localhost/api/users
	answers 201
	wait_for has stream DOE
	refuses 69 'unix:s.sock' --listen unix:s.sock --db other.db
	ask --unix-socket s.sock http://localhost/healthz
	answers 200
	stop
	[ ! -e s.sock ]
	# A file that is no socket is not removed.
	echo mine >s.sock
	refuses 69 'unix:s.sock' --listen unix:s.sock --db other.db
	[ "$(cat s.sock)" = mine ]
	refuses 73 'no/such' --listen unix:no/such/folder --db other.db
}

@test "SIGTERM and SIGINT end it with 0, and end the streams" {
	local signal
	for signal in TERM INT; do
		serve
		follow stream /api/any/event
		stop "$signal"
		wait_for gone "$FOLLOWER"
		wait "$FOLLOWER"
		has err stopping
	done
}

@test "an idle client does not hold up the end" {
	serve
	exec 4<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf' >&4
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	ask "$URL/healthz"
	stop
	exec 4>&- 5>&-
}

@test "the log as JSON is one object a line, whatever was asked for" {
	serve --log json -v
	ask "$URL/healthz"
	ask "$URL/%00%ff%22"
	printf 'GET /a"b\\c\x01\x1b[31m\xff\xc2\x9b31m\xe2\x80\xae HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
		raw >/dev/null
	ask -X $'F\x1bOO' "$URL/x" || true
	wait_for has err '/a\"b'
	stop
	node -e '
		const lines = require("fs").readFileSync("err", "utf8").trimEnd().split("\n")
		for (const line of lines) {
			const entry = JSON.parse(line)
			if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(entry.time) || !entry.level) process.exit(1)
		}
		if (!lines.some(line => JSON.parse(line).status === 200)) process.exit(2)
		if (lines.length < 5) process.exit(3)'
}

@test "control characters in a request never reach the log as they are" {
	serve -v
	printf 'GET /marked\x01\x07\x1b[31m\x7f\xc2\x9b31m\xc2\x85\xe2\x80\xa8 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
		raw >/dev/null
	ask "$URL/other"
	wait_for has err /other
	has err /marked
	# C0 but the line end, DEL, and C1 as UTF-8.
	not env LC_ALL=C grep -aq $'[\x01-\x09\x0b-\x1f\x7f]' err
	not env LC_ALL=C grep -aqP '\xc2[\x80-\x9f]' err
	stop
	# Each line begins with its time: none was forged.
	not grep -av '^[0-9]\{4\}-[0-9][0-9]-[0-9][0-9]T' err
}

@test "its log cannot be written: it serves all the same" {
	[ -e /dev/full ] || skip 'no /dev/full'
	"$BIN/sse-serve" --listen 0 --db events.db -v >out 2>/dev/full 3>&- &
	PID=$!
	wait_for has out Listening
	URL=$(sed -n 's/^Listening on //p' out)
	ask "$URL/healthz"
	answers 200
}

@test "a reader of its stdout that went away does not end it" {
	"$BIN/sse-serve" --listen 0 --db events.db 2>err 3>&- > >(head -c 1 >/dev/null) &
	wait_for has err Listening
	URL=$(sed -n 's/.*Listening on //p' err)
	ask "$URL/healthz"
	answers 200
}

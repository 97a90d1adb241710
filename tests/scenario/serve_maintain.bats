#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve's maintenance of its database: --verify, --export, --import.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

load serve_helpers

# fill: a database with several topics, kinds of data and incarnations.
fill() {
	serve
	user Ada LOVELACE
	text notes $'two\nlines, "quotes", \\ and \xe2\x80\xa8'
	json 'numbers?event=sum' '{"a": 1.10,"big":123456789012345678901234567890, "e":1E400}'
	stop
	serve
	json numbers $'[\n  1,\n  "{\\"["\n]'
	json deep "$(letters 200 '[')$(letters 200 ']')"
	answers 201
	text notes ''
	text notes '{"json":"but said to be text"}'
	text empty/so 'x'
	stop
	sqlite3 events.db "INSERT INTO publish_key SELECT position, topic, 'key \"1\" ' || char(228),
		-5, time FROM event WHERE position IN (2, 8) GROUP BY topic"
}

# list_all: what there is of databases.
list_all() {
	find . -name '*.db*' -exec sha256sum {} + | sort
}

# imports FILE STATUS [OPTION]...: --import of the file ends with the status.
imports() {
	local file=$1 want=$2 status=0
	shift 2
	"$BIN/sse-serve" --import "$@" <"$file" >import.out 2>import.err || status=$?
	cat import.err >&2
	[ "$status" -eq "$want" ] || { echo "status $status, not $want" >&2; return 1; }
	[ ! -s import.out ]
}

@test "--verify says that a database is well, and leaves it as it is" {
	fill
	list_all >before
	run -0 sse-serve --verify --db events.db
	[ "$output" = 'events.db: ok, 8 events in 5 topics, positions 1 to 8' ]
	list_all >after
	cmp before after
}

@test "--verify tells topics that hold events from those that are empty" {
	serve --retain-topic 'gone/*=1s'
	text gone/one 1
	text gone/two 2
	text kept 3
	emptied() {
		ask "$URL/api/gone/one" && [ "$(cat body)" = '[]' ] &&
			ask "$URL/api/gone/two" && [ "$(cat body)" = '[]' ]
	}
	wait_for emptied
	stop
	run -0 sse-serve --verify --db events.db
	[ "$output" = 'events.db: ok, 1 events in 1 topics, positions 3 to 3; 2 topics are empty' ]
}

@test "--verify refuses a database that a server has, that is none, or that is not there" {
	serve
	refuses 75 'in use by another sse-serve' --verify --db events.db
	stop
	refuses 66 'cannot read' --verify --db missing.db
	[ ! -e missing.db ]
	echo 'not a database, but long enough to be looked at' >text.db
	refuses 65 'not a database of sse-serve' --verify --db text.db
	refuses 64 ':memory:' --verify --db :memory: || has refused.err 'need a --db file'
	refuses 64 'one at a time' --verify --export
}

@test "--verify after a crash reads what the log had, and changes nothing of it" {
	serve
	user Ada LOVELACE
	crash
	sha256sum events.db events.db-wal >before
	run -0 sse-serve --verify --db events.db
	[[ $output = *'ok, 1 events in'* ]]
	sha256sum events.db events.db-wal >after
	cmp before after
}

@test "--verify names what is wrong" {
	fill
	sqlite3 events.db "
		UPDATE event SET data = '{bad' WHERE position = 1;
		UPDATE event SET data = CAST(X'ff41' AS TEXT) WHERE position = 2;
		UPDATE event SET topic = 99 WHERE position = 3;
		UPDATE topic SET removed = 4 WHERE id = 3;
		INSERT INTO publish_key VALUES(77, 1, 'k', 1, 1);
		REPLACE INTO counter VALUES(2, 5, 5, 8)"
	run -65 --separate-stderr sse-serve --verify --db events.db
	[ -z "$output" ]
	[[ $stderr = *'event 1: its data is not JSON'* ]]
	[[ $stderr = *'event 2: its data is not valid UTF-8'* ]]
	[[ $stderr = *'event 3: no topic has number 99'* ]]
	[[ $stderr = *'event 4 is marked as removed, but stored'* ]]
	[[ $stderr = *'key of event 77'* ]]
	[[ $stderr = *'its counter says 5'* ]]
	sqlite3 events.db "UPDATE event SET data = 'bad', json = 1;
		INSERT INTO event SELECT position + 100, topic, time, 1, type, data, subject FROM event;
		INSERT INTO event SELECT position + 300, topic, time, 1, type, data, subject FROM event"
	run -65 --separate-stderr sse-serve --verify --db events.db
	[ "$(wc -l <<<"$stderr")" -eq 21 ]
	[[ ${stderr##*$'\n'} = *': and '*' more' ]]
}

@test "--verify finds a damaged page" {
	fill
	printf 'damage' | dd of=events.db bs=1 seek=$((3 * 4096 + 100)) conv=notrunc status=none
	printf 'damage' | dd of=events.db bs=1 seek=$((4 * 4096)) conv=notrunc status=none
	run -65 --separate-stderr sse-serve --verify --db events.db
	[ -n "$stderr" ]
}

@test "a log goes out and in again, byte for byte, and clients go on with their ids" {
	fill
	sse-serve --export --db events.db >one
	[ "$(head -n 1 one)" = '{"sse-log":1,"head":8}' ]
	has one '"fingerprint":"fffffffffffffffb"'
	has one '"data":{"a": 1.10,"big":123456789012345678901234567890, "e":1E400}'
	imports one 0 --db moved.db
	sse-serve --export --db moved.db >two
	cmp one two
	run -0 sse-serve --verify --db moved.db
	[ "$output" = 'moved.db: ok, 8 events in 5 topics, positions 1 to 8' ]
	[ "$(sqlite3 moved.db 'SELECT position, topic, time, json, type, data FROM event' | sha256sum)" = \
		"$(sqlite3 events.db 'SELECT position, topic, time, json, type, data FROM event' | sha256sum)" ]
	[ -z "$(find . -name '*import-*')" ]
	# An id from before the move.
	id=$(sed -n 's/.*"topic":"notes","id":"\([^"]*\)".*/\1/p' one | head -n 1)
	serve --db moved.db
	ask "$URL/api/notes/$id"
	answers 200
	follow stream /api/notes/event -H "Last-Event-ID: $id"
	wait_for has stream 'said to be text'
	not has stream gap
	json notes 1
	answers 201
	[[ $(header Location) = *:9 ]]
}

@test "--export works beside a server" {
	serve
	user Ada LOVELACE
	sse-serve --export --db events.db >one
	has one LOVELACE
	user Grace HOPPER
	sse-serve --export --db events.db >two
	has two HOPPER
	stop
	imports two 0 --db moved.db
}

@test "--export to a full disk or a reader that went away is an error" {
	fill
	[ -e /dev/full ] || skip 'no /dev/full'
	run -74 --separate-stderr bash -c 'sse-serve --export --db events.db >/dev/full'
	[[ $stderr = *'No space left'* ]]
	# More than a pipe holds.
	serve
	letters 900000 >large
	text notes @large
	stop
	{ sse-serve --export --db events.db 2>export.err || echo $? >status; } | head -c 10 >/dev/null
	[ "$(cat status)" -eq 74 ]
	[ ! -s export.err ]
	refuses 66 'cannot read' --export --db missing.db
}

@test "--import refuses a database that holds events, and one that is in use" {
	fill
	sse-serve --export --db events.db >one
	sha256sum events.db >before
	imports one 73 --db events.db
	has import.err 'holds events'
	sha256sum -c before
	serve --db empty.db
	imports one 75 --db empty.db
	stop
	# One in which nothing was ever published is taken.
	imports one 0 --db empty.db
	sse-serve --export --db empty.db >two
	cmp one two
	imports one 73 --db no/such/folder.db
}

@test "--import of a log that is cut off, or not one, says where, and leaves nothing behind" {
	local lines
	fill
	sse-serve --export --db events.db >one
	lines=$(wc -l <one)
	for cut in 0 1 2 5 $((lines - 1)); do
		head -n "$cut" one >torn
		imports torn 65 --db new.db
		has import.err 'incomplete'
	done
	head -c -100 one >torn
	imports torn 65 --db new.db
	has import.err "line "
	# A line that is missing, twice, wrong, out of place.
	sed 10d one >torn
	imports torn 65 --db new.db
	sed 10p one >torn
	imports torn 65 --db new.db
	has import.err 'line 11: '
	sed '10s/"time":"[^"]*"/"time":"yesterday"/' one >torn
	imports torn 65 --db new.db
	has import.err 'line 10: yesterday is not a time'
	sed '10s/"id":"[^:]*:/"id":"XXXXXXXX:/' one >torn
	imports torn 65 --db new.db
	has import.err 'line 10: XXXXXXXX'
	(cat one; echo '{}') >torn
	imports torn 65 --db new.db
	echo 'hello' >torn
	imports torn 65 --db new.db
	has import.err 'line 1: '
	echo '{"topic":"a","removed":0}' >torn
	imports torn 65 --db new.db
	has import.err 'this is not a log'
	sed '0,/"event":"update"/s/\("data":\).*}$/\1null,"raw":"{x"}/' one >torn
	imports torn 65 --db new.db
	has import.err 'raw is not JSON'
	echo '{"sse-log":2,"head":0}' >torn
	imports torn 65 --db new.db
	has import.err 'newer'
	[ -z "$(find . -name 'new.db*')" ]
}

@test "--import refuses what --verify would fault: a wrong closing, a key of another topic or of no event" {
	serve
	json 'a?close=1' 1
	answers 201
	text b 2 -H 'Idempotency-Key: k'
	text b 3
	stop
	sse-serve --export --db events.db >one
	imports one 0 --db whole.db
	"$BIN/sse-serve" --verify --db whole.db
	# The second event of a closed it; the key is in the line before the last.
	local closing key
	closing=$(grep -n '"event":"closed"' one | cut -d : -f 1)
	key=$(grep -n '"key":"k"' one | cut -d : -f 1)
	sed "$closing"'s/"event":"closed"/"event":"update"/' one >torn
	imports torn 65 --db new.db
	has import.err "line $closing: the event closed the topic a, so its type must be closed, and not update"
	sed "$key"'s/"topic":"b"/"topic":"a"/' one >torn
	imports torn 65 --db new.db
	has import.err "line $key: the key is for the topic a, but its event is of b"
	grep -v '"event".*"data":"2"' one | sed 's/"events":4/"events":3/' >torn
	[ "$(wc -l <torn)" -eq $(($(wc -l <one) - 1)) ]
	imports torn 65 --db new.db
	has import.err "line $((key - 1)): no line before has the event of the key, or a mark that it was removed"
	[ -z "$(find . -name 'new.db*')" ]
	# The key of an event that is marked as removed stays known.
	sed '0,/^{"topic":"b",/s//{"topic":"b","deleted":3,/' torn >marked
	grep -q '"topic":"b".*"deleted":3' marked
	imports marked 0 --db new.db
	"$BIN/sse-serve" --verify --db new.db
}

@test "--import that is stopped leaves nothing behind" {
	local status=0 importer
	fill
	sse-serve --export --db events.db | sed '$d' >torn
	mkfifo pipe
	sse-serve --import --db new.db <pipe 2>import.err 3>&- &
	importer=$!
	exec 6>pipe
	cat torn >&6
	wait_for test -e new.db
	kill -TERM "$importer"
	wait "$importer" || status=$?
	[ "$status" -eq 75 ]
	exec 6>&-
	has import.err 'nothing was imported'
	[ -z "$(find . -name 'new.db*')" ]
}

@test "an export to a closed standard output is no success" {
	serve
	text any 1
	stop
	local status=0
	"$BIN/sse-serve" --export --db events.db >&- 2>refused.err || status=$?
	[ "$status" -eq 74 ]
	has refused.err 'cannot write'
}

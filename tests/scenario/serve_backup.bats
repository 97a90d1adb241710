#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve's --backup: a copy of the database beside a server that uses it, and the way
# back.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154
# ThreadSanitizer runs this file, too.

load serve_helpers

teardown() {
	rm -f hold broken
	if [ -n "${MOUNT:-}" ]; then
		serve_teardown && umount "$MOUNT"
	else
		serve_teardown
	fi
}

# backup FILE: copy the database, without a word.
backup() {
	run -0 "$BIN/sse-serve" --backup "$1" --db events.db
	[ -z "$output" ] || { echo "it said: $output" >&2; return 1; }
}

# is_well FILE: --verify finds no fault.
is_well() {
	run -0 sse-serve --verify --db "$1"
	[[ $output = *': ok, '* ]]
}

# nothing_of NAME: neither the file nor an unfinished one of it is there.
nothing_of() {
	[ -z "$(find . -name "$1*")" ] || { find . -name "$1*" >&2; return 1; }
}

# slow_backup VARIABLE=VALUE...: copy it to slow.db in the background, on a disk that the shim makes; BACKUP
# is the process.
slow_backup() {
	[ -z "${SANITIZER:-}" ] || skip 'a sanitizer and LD_PRELOAD do not go together'
	mkdir -p shimmed
	cp "$TOOLS/shim_sync.so" shimmed/
	env "$@" LD_PRELOAD="$PWD/shimmed/shim_sync.so" "$BIN/sse-serve" --backup slow.db --db events.db \
		>slow.out 2>slow.err 3>&- &
	BACKUP=$!
}

# more_than_a_step: fill the database with more than a backup copies at once.
more_than_a_step() {
	local i
	letters 900000 >large
	for i in {1..4}; do
		text large @large
		answers 201
	done
}

# is_begun: has the backup that is under way written something?
is_begun() {
	[ -n "$(find . -name 'slow.db.backup-*' -size +0)" ]
}

@test "a backup beside a server that is publishing has all that was acknowledged before, and is well" {
	serve
	more_than_a_step
	"$TOOLS/steady" "$PORT" numbers >acknowledged 3>&- &
	local publisher=$! round first
	for round in 1 2 3; do
		wait_for grew acknowledged $((round * 20))
		first=$(tail -n 1 acknowledged)
		backup "copy$round.db"
		is_well "copy$round.db"
		[ "$(stat -c %a "copy$round.db")" = 600 ]
		# All up to some moment after it began, without a hole.
		sqlite3 "copy$round.db" "SELECT data FROM event WHERE topic = (
			SELECT id FROM topic WHERE name = 'numbers') ORDER BY position" >copied
		[ "$(wc -l <copied)" -ge "$first" ]
		seq "$(wc -l <copied)" | cmp - copied
	done
	kill "$publisher"
	wait "$publisher"
	stop
	# Nothing but the three, and the database.
	[ "$(echo ./*.db*)" = './copy1.db ./copy2.db ./copy3.db ./events.db' ]
	is_well events.db
}

@test "a server on a backup: readers go on with their ids, and are told what is lost" {
	local kept lost
	serve
	text any one
	kept=$(header Last-Event-ID)
	text any two
	backup copy.db
	text any three -H 'Idempotency-Key: k3'
	lost=$(header Last-Event-ID)
	stop
	rm -f events.db*
	cp copy.db events.db
	serve
	ask "$URL/api/any"
	[ "$(cat body)" = $'["one",\n"two"]' ] || [ "$(tr -d '\n' <body)" = '["one","two"]' ]
	# What is sent again is new; it must not get an id that somebody knows for something else.
	text any three -H 'Idempotency-Key: k3'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	[ "$(header Last-Event-ID)" != "$lost" ]
	follow had_one /api/any/event -H "Last-Event-ID: $kept"
	wait_for has had_one 'data: three'
	not has had_one gap
	[ "$(data had_one)" = $'two\nthree' ]
	# Whoever had read what is lost is told, and gets all.
	follow had_three /api/any/event -H "Last-Event-ID: $lost"
	wait_for has had_three 'data: three'
	has had_three '"reason":"unknown-log"'
	[ "$(data had_three | tail -n 3)" = $'one\ntwo\nthree' ]
}

@test "--backup replaces nothing" {
	serve
	text any 1
	echo mine >taken
	refuses 73 'taken exists, and a backup replaces nothing' --backup taken --db events.db
	[ "$(cat taken)" = mine ]
	ln -s nowhere link
	refuses 73 'link exists' --backup link --db events.db
	refuses 73 'events.db exists' --backup events.db --db events.db
	refuses 73 'No such file or directory' --backup no/such/folder.db --db events.db
	refuses 66 'cannot read the database missing.db' --backup copy.db --db missing.db
	echo 'not a database, but long enough to be looked at' >text.db
	refuses 65 'not a database of sse-serve' --backup copy.db --db text.db
	refuses 64 'need a database' --backup copy.db --db :memory:
	refuses 64 'one at a time' --backup copy.db --verify
	nothing_of copy.db
	nothing_of nowhere
}

@test "somebody takes the name while the backup is made: it is not replaced" {
	serve
	more_than_a_step
	touch hold
	slow_backup SHIM_SYNC_HOLD="$PWD/hold"
	wait_for is_begun
	echo mine >slow.db
	rm hold
	ended "$BACKUP" 73
	has slow.err 'slow.db exists'
	[ "$(cat slow.db)" = mine ]
	[ -z "$(find . -name 'slow.db.*')" ]
}

@test "kill -9 in the midst of a backup leaves no file of that name, and a signal leaves none at all" {
	serve
	more_than_a_step
	touch hold
	slow_backup SHIM_SYNC_HOLD="$PWD/hold"
	wait_for is_begun
	kill -KILL "$BACKUP"
	wait "$BACKUP" || true
	[ ! -e slow.db ]
	rm -f slow.db.backup-*
	# The server was not concerned.
	text any after
	answers 201
	slow_backup SHIM_SYNC_HOLD="$PWD/hold"
	wait_for is_begun
	kill -TERM "$BACKUP"
	rm hold
	ended "$BACKUP" 75
	has slow.err 'no backup was made'
	nothing_of slow.db
	backup slow.db
	is_well slow.db
}

@test "publishing goes on while a backup stands still, and the WAL ends when it does" {
	serve
	more_than_a_step
	touch hold
	slow_backup SHIM_SYNC_HOLD="$PWD/hold"
	wait_for is_begun
	text any during
	answers 201
	ask -X DELETE "$URL/api/any"
	answers 204
	rm hold
	ended "$BACKUP" 0
	is_well slow.db
	# The backup began before.
	[ "$(sqlite3 slow.db 'SELECT count(*) FROM event')" -eq 4 ]
	# What the server could not remove meanwhile, it removes now.
	is_cut() { text other any && not has events.db during 2>&- && not has events.db-wal during 2>&-; }
	wait_for is_cut
}

@test "no backup has a trace of what was deleted before it" {
	serve --max-body 8M
	# Few enough are kept that SQLite joins pages, and copies what is on them.
	awk 'BEGIN { for (i = 1; i <= 8000; i++) {
		printf "{\"topic\":\"a\",\"data\":\"<secret%d>%*s\"}\n", i, i * 37 % 300, ""
		if (i % 4 == 0) printf "{\"topic\":\"b\",\"data\":\"<kept%d>%*s\"}\n", i, i * 53 % 300, ""
	} }' >input
	ask -H 'Content-Type: application/x-ndjson' --data-binary @input "$URL/api"
	answers 201
	mkfifo commands
	sqlite3 events.db <commands >reading 2>&1 3>&- &
	exec 5>commands
	echo 'BEGIN; SELECT count(*) FROM event;' >&5
	wait_for has reading 10000
	# The reader is in the way: the files cannot be cleaned up yet.
	ask -X DELETE "$URL/api/a"
	answers 204
	has events.db-wal '<secret'
	backup copy.db
	has copy.db '<kept'
	not has copy.db '<secret'
	is_well copy.db
	exec 5>&-
	backup later.db
	not has later.db '<secret'
}

@test "a backup for which the disk has no space: a sentence, and no file" {
	serve
	more_than_a_step
	UNDER='prlimit --fsize=1000000' refuses 74 'cannot write the backup copy.db' --backup copy.db --db events.db
	nothing_of copy.db
	mkdir disk
	if mount -t tmpfs -o size=1M none disk 2>/dev/null; then
		MOUNT=$PWD/disk
		refuses 74 'no space is left' --backup disk/copy.db --db events.db
		[ -z "$(ls disk)" ]
	fi
	backup copy.db
	is_well copy.db
}

@test "a backup whose sync fails is none" {
	serve
	text any 1
	touch broken
	slow_backup SHIM_SYNC_FAIL="$PWD/broken"
	ended "$BACKUP" 74
	has slow.err 'cannot write the backup slow.db: Input/output error'
	nothing_of slow.db
}

@test "a backup without a server, after a crash, and of an older version" {
	serve
	text any stored
	crash
	backup copy.db
	[ "$(sqlite3 copy.db 'SELECT data FROM event')" = stored ]
	is_well copy.db
	rm events.db*
	gunzip -c "$BATS_TEST_DIRNAME/version-2.db.gz" >events.db
	sha256sum events.db >before
	backup old.db
	sha256sum -c before
	is_well old.db
	[ "$(sqlite3 old.db 'PRAGMA user_version')" = 2 ]
}

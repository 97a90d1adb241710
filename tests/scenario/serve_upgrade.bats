#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of a database of the version before: version-2.db.gz was made by sse-serve when it wrote
# version 2, with a restart between, keys, and a topic of which only the two newest events were kept.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

load serve_helpers

OLD=${BATS_TEST_FILENAME%/*}/version-2.db.gz

# The keys are as old as the file.
KEPT='3650d'

unpack() {
	gunzip -c "$OLD" >events.db
}

# is_all_there: the server has what the file had.
is_all_there() {
	ask "$URL/api/users"
	[ "$(cat body)" = '[{"firstname":"Ada","lastname":"Lovelace"},
{"firstname":"Grace","lastname":"Hopper"}]' ]
	ask "$URL/api/chat/lobby?envelope=1"
	has body '"id":"9yhq3ZN9:3","time":"2026-11-30T14:09:06.778Z","event":"message","data":"two\nlines é"}'
	ask "$URL/api/numbers"
	[ "$(cat body)" = '[{"n": 1.50, "big": 12345678901234567890}]' ]
	ask "$URL/api/short?envelope=1"
	[ "$(grep -o '"data":"[^"]*"' body)" = $'"data":"short4"\n"data":"short5"' ]
	# What retention had removed is still known to be gone.
	ask "$URL/api/short/event?until=now" -H 'Last-Event-ID: 9yhq3ZN9:4'
	has body '"reason":"expired"'
	[ "$(grep -c '^data: short' body)" -eq 2 ]
	# So are the keys, of events that are gone too.
	text short short1 -H 'Idempotency-Key: s1'
	answers 201
	[ "$(header Last-Event-ID)" = 9yhq3ZN9:4 ]
	text short other -H 'Idempotency-Key: s5'
	answers 409
}

@test "a database of version 2 is checked and exported as it is" {
	unpack
	chmod 0444 events.db
	sha256sum events.db >before
	run -0 sse-serve --verify --db events.db
	[ "$output" = 'events.db: ok, 6 events in 4 topics, positions 1 to 9' ]
	run -0 sse-serve --export --db events.db
	[ "${lines[-1]}" = '{"end":true,"events":6,"keys":6}' ]
	sha256sum -c before
	# Its log is read by this version.
	run -0 sse-serve --import --db new.db <<<"$output"
	run -0 sse-serve --verify --db new.db
	[ "$output" = 'new.db: ok, 6 events in 4 topics, positions 1 to 9' ]
}

@test "a database of version 2 opens, and everything in it is there" {
	unpack
	serve --idempotency-window "$KEPT"
	is_all_there
	# Its ids are good, and go on.
	ask "$URL/api/event?topic=**&until=now" -H 'Last-Event-ID: 9yhq3ZN9:2'
	has body 'id: 9yhq3ZN9:3'
	has body 'data: lines é'
	not has body 'data: {"firstname"'
	text chat/lobby next
	answers 201
	[ "$(header Last-Event-ID | cut -d : -f 2)" = 10 ]
	stop
	run -0 sse-serve --verify --db events.db
	[ "$output" = 'events.db: ok, 7 events in 4 topics, positions 1 to 10' ]
	[ "$(sqlite3 events.db 'PRAGMA user_version')" = 3 ]
	serve --idempotency-window "$KEPT"
	is_all_there
}

@test "a server that is killed as it upgrades a database leaves all of it there" {
	local i
	for i in $(seq 5); do
		unpack
		"$SSE_SERVE" --db events.db --listen localhost:0 >/dev/null 2>&1 3>&- &
		# At another place each time, or never before the end.
		timeout 0.0$((i * 2)) tail --pid=$! -f /dev/null || true
		kill -9 $! 2>/dev/null || true
		wait $! || true
		serve --idempotency-window "$KEPT"
		is_all_there
		stop
		run -0 sse-serve --verify --db events.db
		rm -f events.db*
	done
}

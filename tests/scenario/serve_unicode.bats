#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Topics whose names are not ASCII, with all three programs: published, followed, listed, granted, deleted, moved.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2153,SC2154
# NATS runs this file, too.

load access_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=30s SSE_RECONNECT_DELAY=10ms LC_ALL=C.UTF-8
}

teardown() {
	serve_teardown
}

# What a person types, and what a URL has.
ROOM=채팅/한국어 CODED=%EC%B1%84%ED%8C%85/%ED%95%9C%EA%B5%AD%EC%96%B4
NFD=$'cafe\u0301' NFC=$'caf\u00e9'

# tail_of ARGUMENT...: sse-tail, until it has all that is stored.
tail_of() {
	SSE_URL=$URL timeout 60 sse-tail --since all --until end "$@"
}

@test "a Korean topic is typed as it is written, in both clients, and URLs have it percent-encoded" {
	serve
	post "$ROOM" -d 안녕
	post "$ROOM" -v text=하나 2>err.post
	has err.post "/api/$CODED"
	run -0 tail_of "$ROOM" -o data
	[ "$output" = $'안녕\n{"text":"하나"}' ]
	run -0 tail_of "$ROOM" users -F '%T %d'
	[ "${lines[0]}" = "$ROOM 안녕" ]
	run -0 tail_of '채팅/*' --exec 'printf "%s " "$SSE_MSG_TOPIC"; cat'
	[[ $output == "$ROOM 안녕$ROOM "* ]]
	run -0 tail_of '채팅/**' -o json
	[ "$(jq -r .topic <<<"${lines[1]}")" = "$ROOM" ]
	# By another program, raw or encoded.
	[ "$(stored "$CODED" limit=1)" = '{"text":"하나"}' ]
	[ "$(stored "$ROOM" limit=1)" = '{"text":"하나"}' ]
}

@test "each answer that names a Korean topic has a header of ASCII, and a body of UTF-8" {
	serve
	text "$CODED" 안녕
	answers 201
	local location
	location=$(header Location)
	[[ $location =~ ^/api/$CODED/[A-Za-z0-9]+:[0-9]+$ ]]
	ask "$URL$location?envelope=1"
	[ "$(jq -r .topic body)" = "$ROOM" ]
	text "$CODED/2" 둘
	text zebra 0
	ask "$URL/api?limit=1&topic=%EC%B1%84%ED%8C%85/**"
	[ "$(jq -r '.[].topic' body)" = "$ROOM" ]
	[ "$(header Link)" = "</api?topic=%EC%B1%84%ED%8C%85/**&limit=1&after=$CODED>; rel=\"next\"" ]
	ask "$URL/api?limit=1&topic=%EC%B1%84%ED%8C%85/**&after=$CODED"
	[ "$(jq -r '.[].topic' body)" = "$ROOM/2" ]
	# By the order of bytes they come after ASCII.
	ask "$URL/api"
	[ "$(jq -r '.[].topic' body | paste -sd ' ')" = "users zebra $ROOM $ROOM/2" ]
	follow stream "/api/$CODED/event?envelope=1&as=Ann"
	follow system '/api/$sys/event'
	wait_for has system "\"topic\":\"$ROOM\""
	ask "$URL/api/$CODED/presence"
	[ "$(jq -r '.names[]' body)" = Ann ]
	text "$CODED" 셋
	wait_for has stream "\"topic\":\"$ROOM\""
	json "$CODED" '{"a":' && problem 400 JSON
	ask -X DELETE "$URL$location" && answers 204
	wait_for has stream 'event: deleted'
	ask "$URL$location" && problem 410 ''
	ask -X POST "$URL/api/$CODED?close=1" && answers 201
	text "$CODED" more
	problem 409 "the topic $ROOM is closed for good"
}

@test "one POST for many topics, a closing and a mirror carry Korean names" {
	serve
	printf '%s\n' "{\"topic\":\"$ROOM\",\"data\":\"하나\"}" '{"topic":"\ucc44\ud305/two","data":"둘"}' |
		post / --envelopes
	run -0 tail_of '**' -F '%T %d'
	[ "$output" = "$ROOM 하나"$'\n''채팅/two 둘' ]
	post "$ROOM" --close </dev/null
	SSE_URL=$URL timeout 60 sse-tail "$ROOM" --since all -o data >closed
	has closed 하나
}

@test "a topic that is not what it looks like is refused, with the reason, by the server and the clients" {
	serve
	run -65 post "$NFD" -d x
	[[ $output == *"not a valid topic: a topic's name is in Unicode's Normalization Form C (NFC); in that form, this is $NFC"* ]]
	post "$NFC" -d x
	run -65 timeout 60 env SSE_URL="$URL" sse-tail "$NFD"
	[[ $output == *"(NFC); in that form, this is $NFC"* ]]
	run -65 post $'a\u202eb' -d x
	[[ $output == *'letters, digits, . _ ~ - and /; it has U+202E'* ]]
	run -65 post $'a\uff0eb' -d x
	[[ $output == *'it has U+FF0E'* ]]
	run -65 post $'a\u3164' -d x
	[[ $output == *'only what can be seen; it has U+3164'* ]]
	run -64 post $'a\xff' -d x
	[[ $output == *'is not a valid topic: it is not in UTF-8' ]]
	run -64 post 'a b' -d x
	[[ $output == *'letters, digits and . _ ~ -, with single slashes between, not at its ends' ]]
	ask --data-binary x -H 'Content-Type: text/plain' "$URL/api/a%C3"
	problem 400 "a topic's name is UTF-8; this is not"
	ask "$URL/api/event?topic=a%E2%80%AE" && problem 400 'U+202E'
	ask "$URL/api?after=a%E2%80%AE" && problem 400 'U+202E'
	ask -H 'Content-Type: application/x-ndjson' --data-binary '{"topic":"a\u202eb","data":1}' "$URL/api"
	problem 400 'line 1: this is not a valid topic'
	# The longest has 200 bytes, not letters.
	ask "$URL/api/$(printf '%%ED%%95%%9C%.0s' {1..66})ab" && answers 200
	ask "$URL/api/$(printf '%%ED%%95%%9C%.0s' {1..67})" && problem 400 'at most 200 bytes; this has 201'
}

@test "Korean patterns grant, are retained by, and stand in a configuration" {
	{
		line ann "publish=채팅/* read=채팅/**"
		line bob "read=채팅/다른"
	} >access
	chmod 600 access
	cat >conf <<-END
		access access
		retain-topic 채팅/**=,2
	END
	serve --config conf
	AS=(-H "Authorization: Bearer $(token ann)")
	for i in 1 2 3; do
		text "$CODED" "$i" "${AS[@]}"
		answers 201
	done
	two_left() {
		[ "$(curl -sf "${AS[@]}" -H 'Accept: application/x-ndjson' "$URL/api/$CODED" | paste -sd ' ')" = '"2" "3"' ]
	}
	wait_for two_left
	ask "${AS[@]}" "$URL/api/session"
	[ "$(jq -r '.publish[]' body)" = '채팅/*' ]
	text other x "${AS[@]}" && problem 403 ''
	AS=(-H "Authorization: Bearer $(token bob)")
	ask "${AS[@]}" "$URL/api/$CODED" && problem 403 ''
	ask "${AS[@]}" "$URL/api/%EC%B1%84%ED%8C%85/%EB%8B%A4%EB%A5%B8" && answers 200
}

@test "--export, --import and --verify keep Korean topics" {
	about_the_file 'an export is one of the database'
	serve
	post "$ROOM" -d 안녕
	post "$ROOM" --close </dev/null
	stop
	sse-serve --verify --db events.db
	sse-serve --export --db events.db >log
	has log "\"topic\":\"$ROOM\""
	sse-serve --import --db moved.db <log
	serve --db moved.db
	run -0 tail_of "$ROOM" -o data
	[ "${lines[0]}" = 안녕 ]
}

@test "what waits in a spool for a Korean topic arrives there" {
	serve
	stop
	post --spool spool "$ROOM" -d 기다림
	serve_at "$PORT"
	post --spool spool --flush
	[ "$(stored "$CODED")" = '"기다림"' ]
}

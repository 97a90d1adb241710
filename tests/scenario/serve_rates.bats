#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: how often a client may do something, which client it is, and how many
# topics there may be.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154,SC2317

load serve_helpers

# for_client ADDRESS ARGUMENT...: a request as a proxy on loopback passes it on.
for_client() {
	ask -H "X-Forwarded-For: $1" "${@:2}"
}

# publish_for ADDRESS TOPIC [ARGUMENT...]: publish one event for that client.
publish_for() {
	for_client "$1" -H 'Content-Type: text/plain' --data-binary x "${@:3}" "$URL/api/$2"
}

# open_for ADDRESS [ARGUMENT...]: does a stream open for it?  It is closed again.
open_for() {
	for_client "$1" --max-time 1 "${@:2}" "$URL/api/any/event" || true
	[ "$code" = 200 ]
}

@test "beyond --rate a client gets 429, when to try again, and the reason; others go on" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=3/h:3,stream=2/h:2
	local i
	for i in 1 2 3; do
		publish_for 192.0.2.1 any
		answers 201
	done
	publish_for 192.0.2.1 any
	problem 429 'publish=3/h:3 (--rate)'
	# A third of an hour.
	[ "$(header Retry-After)" -ge 1100 ]
	[ "$(header Retry-After)" -le 1200 ]
	has body "again in $(header Retry-After) seconds"
	# Neither is stored, nor are ephemeral ones a way around.
	publish_for 192.0.2.1 'any?ephemeral=1'
	answers 429
	[ "$(stored any | wc -l)" -eq 3 ]
	publish_for 192.0.2.2 any
	answers 201
	# Streams have their own count, for HEAD too.
	open_for 192.0.2.1
	for_client 192.0.2.1 -I "$URL/api/any/event"
	answers 200
	for_client 192.0.2.1 "$URL/api/any/event"
	problem 429 'stream=2/h:2 (--rate)'
	[ "$(header Retry-After)" -ge 1700 ]
	for_client 192.0.2.1 -I "$URL/api/any/event"
	answers 429
	for_client 192.0.2.1 --max-time 1 "$URL/api/event?topic=**" || true
	answers 429
	open_for 192.0.2.2
	# Lists are not limited.
	for_client 192.0.2.1 "$URL/api/any"
	answers 200
}

@test "--rate counts a /64 of IPv6 as one client, and an IPv4 address alone" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=1/h
	publish_for 2001:db8::1 any
	answers 201
	publish_for 2001:db8::ffff:1 any
	answers 429
	publish_for '[2001:db8::2]:4000' any
	answers 429
	publish_for 2001:db8:0:1::1 any
	answers 201
	publish_for 192.0.2.1 any
	answers 201
	publish_for 192.0.2.1:4000 any
	answers 429
	publish_for ::ffff:192.0.2.1 any
	answers 429
	publish_for 192.0.2.2 any
	answers 201
}

@test "--rate counts each event of a batch, and a refused one stores nothing" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=1/m:10
	printf '%s\n' {1..9} >lines
	for_client 192.0.2.1 -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/any"
	answers 201
	# One is left: a batch may take more than there is, and then owes the rest.
	for_client 192.0.2.1 -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/any"
	answers 201
	publish_for 192.0.2.1 any
	problem 429 'publish=1/m:10'
	[ "$(header Retry-After)" -gt 480 ]
	[ "$(header Retry-After)" -le 540 ]
	for_client 192.0.2.1 -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/any"
	answers 429
	[ "$(stored any | wc -l)" -eq 18 ]
	# What is not valid takes nothing.
	local i
	for i in {1..12}; do
		for_client 192.0.2.2 -H 'Content-Type: application/json' -d '{' "$URL/api/any"
		answers 400
	done
	publish_for 192.0.2.2 any
	answers 201
}

@test "a client of --rate may go on when its tokens are back" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=1/s
	allowed() {
		publish_for 192.0.2.1 any
		[ "$code" = 201 ]
	}
	wait_for allowed
	refused() {
		publish_for 192.0.2.1 any
		[ "$code" = 429 ]
	}
	wait_for refused
	[ "$(header Retry-After)" = 1 ]
	has body 'again in 1 second"'
	wait_for allowed
}

@test "loopback and local sockets are not limited by --rate, by whatever header they claim otherwise" {
	serve_at 127.0.0.1:0 --rate publish=1/h,stream=1/h --listen "unix:$PWD/socket"
	local i
	for i in 1 2 3; do
		text any "$i"
		answers 201
		opens /api/any/event
		text any "$i" --unix-socket socket
		answers 201
		publish_for 192.0.2.1 any
		answers 201
	done
}

@test "the clients send again after the Retry-After of --rate, and lose nothing" {
	serve_at 127.0.0.1:0 -v --trust-proxy 127.0.0.1 --rate publish=10/s
	printf '%s\n' {1..50} | post any -H 'X-Forwarded-For: 192.0.2.1'
	printf '%s\n' {51..60} | post any -H 'X-Forwarded-For: 192.0.2.1'
	[ "$(stored any | wc -l)" -eq 60 ]
	has err '"POST" "/api/any" 429'
}

@test "a bad --rate says what would be right" {
	refuses 64 'the unit is missing: /s, /m or /h' --rate publish=50
	refuses 64 'as in publish=50/s,stream=300/m:20' --rate publish=50
	refuses 64 "'read=5/s': this is neither publish= nor stream=" --rate publish=5/s,read=5/s
	refuses 64 'given twice' --rate publish=5/s,publish=6/s
	refuses 64 'burst' --rate publish=5/s:0
}

@test "without --trust-proxy X-Forwarded-For is ignored; from an address that is not named, too" {
	local trust
	for trust in '' '--trust-proxy 192.0.2.7' '--trust-proxy unix'; do
		# shellcheck disable=SC2086 # words
		serve_at 127.0.0.1:0 -v $trust --db :memory: --rate publish=1/h
		publish_for 198.51.100.1 any
		answers 201
		publish_for 198.51.100.1 any
		answers 201
		stop
		has err '127.0.0.1 "POST" "/api/any" 201'
		not has err 198.51.100.1
	done
}

@test "--trust-proxy unix believes local sockets, and no others" {
	serve_at 127.0.0.1:0 --trust-proxy unix --rate publish=1/h --listen "unix:$PWD/socket"
	publish_for 198.51.100.1 any --unix-socket socket
	answers 201
	publish_for 198.51.100.1 any --unix-socket socket
	answers 429
	publish_for 198.51.100.1 any
	answers 201
	publish_for 198.51.100.1 any
	answers 201
}

@test "what a client writes into X-Forwarded-For itself changes nothing behind a trusted proxy" {
	serve_at 127.0.0.1:0 -v --trust-proxy 127.0.0.0/8 --trust-proxy 10.0.0.0/8 --rate publish=1/h
	publish_for 192.0.2.1 any
	answers 201
	# The proxy appends to the client's, in one header or as a second one, perhaps over a second
	# proxy.
	publish_for '203.0.113.9, 192.0.2.1' any
	answers 429
	publish_for 'unknown, 192.0.2.1' any
	answers 429
	publish_for '192.0.2.1, 10.0.0.1, 127.0.0.1' any
	answers 429
	publish_for 203.0.113.9 any -H 'X-Forwarded-For: 192.0.2.1'
	answers 429
	publish_for "$(letters 4000 ,)192.0.2.1" any
	answers 429
	publish_for "$(printf '203.0.113.9,%.0s' {1..300})192.0.2.1" any
	answers 429
	publish_for '192.0.2.1, 203.0.113.9' any
	answers 201
	# What is no address says nothing: then it is the proxy that asks.
	publish_for '192.0.2.1, unknown' any
	answers 201
	publish_for '192.0.2.1, unknown' any
	answers 201
	wait_for has err '203.0.113.9 "POST" "/api/any" 201'
	wait_for has err '127.0.0.1 "POST" "/api/any" 201'
	# More than a head may hold.
	publish_for "$(letters 60000 1)" any
	[[ "$code" = 431 || "$code" = 400 || "$code" = 413 || "$code" = 000 ]]
	publish_for 192.0.2.3 any
	answers 201
}

@test "--max-streams-per-address counts the clients of a trusted proxy" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --max-streams-per-address 1
	follow one /api/any/event -H 'X-Forwarded-For: 192.0.2.1'
	for_client 192.0.2.1 "$URL/api/any/event"
	problem 429 'max-streams-per-address'
	open_for 192.0.2.2
	follow two /api/any/event
	follow three /api/any/event
	for_client 192.0.2.1 "$URL/api/any/event"
	answers 429
}

@test "the server's figures are for clients that a trusted proxy says are local, and no others" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1
	ask "$URL/metrics"
	answers 200
	for_client 127.0.0.1 -H 'Via: 1.1 proxy' "$URL/metrics"
	answers 200
	for_client ::1 "$URL/metrics"
	answers 200
	local client
	for client in 192.0.2.1 '127.0.0.1, 192.0.2.1' 'unknown' '127.0.0.1, unknown' ''; do
		for_client "$client," "$URL/metrics"
		answers 403
	done
	ask -H 'Via: 1.1 proxy' "$URL/metrics"
	answers 403
	stop
	# As ever without trust.
	serve_at 127.0.0.1:0
	for_client 127.0.0.1 "$URL/metrics"
	answers 403
}

@test "a bad --trust-proxy says what would be right" {
	refuses 64 'not an address; give one, as in 192.0.2.1' --trust-proxy localhost
	refuses 64 '0 to 32' --trust-proxy 10.0.0.0/33
	refuses 64 'bits after the first 8, which must be 0' --trust-proxy 10.0.0.1/8
}

@test "beyond --max-topics a new topic gets 507 and a reason, in a batch too; known ones go on" {
	serve_at 127.0.0.1:0 --max-topics 2
	text one 1
	answers 201
	text 'two?ephemeral=1' 1
	answers 202
	text three 1
	problem 507 'the limit of 2 topics is reached (--max-topics), and three would be a new one'
	text 'three?ephemeral=1' 1
	problem 507 'max-topics'
	text one 2
	answers 201
	text two 2
	answers 201
	printf '%s\n' 1 2 >lines
	ask -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/three"
	problem 507 'and three would be a new one'
	ask "$URL/api/three"
	[ "$(cat body)" = '[]' ]
	ask -H 'Content-Type: application/x-ndjson' --data-binary @lines "$URL/api/one"
	answers 201
	# The log tells once.
	counts err 'max-topics' 1
	# What is in the database is known, even if it is more.
	stop
	serve_at 127.0.0.1:0 --max-topics 1
	text two 3
	answers 201
	text three 1
	answers 507
	# More room.
	stop
	serve_at 127.0.0.1:0 --max-topics 3
	text three 1
	answers 201
}

@test "many publishers at once do not get beyond --max-topics" {
	serve_at 127.0.0.1:0 --max-topics 50 --loops 4
	local i topic jobs=()
	for i in 1 2 3 4; do
		for topic in {1..40}; do
			printf 'url = "%s/api/t/%s.%s"\n' "$URL" "$i" "$topic"
		done >"config.$i"
		curl -s -K "config.$i" -H 'Content-Type: text/plain' -d 1 -w '%{http_code}\n' >"codes.$i" 3>&- &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	[ "$(cat codes.* | grep -c '201$')" -eq 50 ]
	[ "$(cat codes.* | grep -c '507$')" -eq 110 ]
}

@test "beyond --max-topics a stream of an unknown topic opens, but no name can join it" {
	serve_at 127.0.0.1:0 --max-topics 1 --open-status
	text one 1
	follow all '/api/event?topic=**'
	follow other /api/other/event
	follow named '/api/one/event?as=ann'
	ask "$URL/api/other/event?as=ann"
	problem 507 'a name that joins other would create a new one'
	ask "$URL/api/event?topic=one&topic=other&as=bob"
	answers 507
	wait_for has all 'event: join'
	ask "$URL/api/other/presence"
	not has body ann
	# The server's own topic has its place.
	follow figures "/api/\$sys/event"
	wait_for has figures 'data: {'
	text one 2
	answers 201
	wait_for has all 'data: 2'
}

# metric NAME: its value.
metric() {
	curl -sf "$URL/metrics" | sed -n "s/^$1 //p"
}

# ephemeral PREFIX COUNT: publish an ephemeral event to each of that many new topics; the codes are
# in codes.
ephemeral() {
	seq -f "url = \"$URL/api/$1/%.0f?ephemeral=1\"" "$2" >config
	curl -s -K config -H 'Content-Type: text/plain' -d x -w '%{http_code}\n' >codes
}

@test "topics of which nothing is left make room for others; what is stored or read stays" {
	serve_at 127.0.0.1:0 --window 64k --max-topics 2500 --loops 4
	text stored 1
	answers 201
	follow named /api/named/event
	text 'named?ephemeral=1' 1
	ephemeral a 10000
	[ "$(sort -u codes)" = 202 ]
	[ "$(metric sse_topics)" -lt 2500 ]
	# What streams read stays, so it has its limit too.
	follow all '/api/event?topic=**'
	local all=$FOLLOWER
	ephemeral b 5000
	[ "$(grep -c '^202' codes)" -gt 1000 ]
	[ "$(grep -c '507$' codes)" -gt 1000 ]
	text stored 2
	answers 201
	text 'named?ephemeral=1' 2
	answers 202
	wait_for has all 'data: 2'
	wait_for has named 'data: 2'
	# On a busy machine so small a window can lose what is ephemeral.
	[ "$(grep -c 'data: x' all)" -gt 0 ]
	[ "$(grep -c 'data: x' all)" -le "$(grep -c '^202' codes)" ]
	kill "$all"
	makes_room() {
		ephemeral c 200
		[ "$(sort -u codes)" = 202 ]
	}
	wait_for makes_room
	[ "$(stored stored | wc -l)" -eq 2 ]
}

@test "topics that come and go take no more memory each time" {
	[ -z "$SANITIZER" ] || skip 'a sanitizer keeps what was freed'
	serve_at 127.0.0.1:0 --window 64k
	local first
	ephemeral a 40000
	first=$(resident)
	ephemeral b 40000
	[ "$(metric sse_topics)" -lt 5000 ]
	# As many as before would take 4 MB.
	[ "$(resident)" -lt $((first + 1500)) ]
}

@test "a topic that comes back after it was forgotten reaches streams, lists and figures" {
	serve_at 127.0.0.1:0 --window 64k --loops 2
	local i readers=()
	follow figures "/api/\$sys/event"
	for i in 1 2 3; do
		# Streams of it wait from before, and come after.
		follow "named.$i" /api/again/event
		readers+=("$FOLLOWER")
		text 'again?ephemeral=1' "first $i"
		wait_for has "named.$i" "data: first $i"
		follow "pattern.$i" '/api/event?topic=*&topic=again/*'
		readers+=("$FOLLOWER")
		text 'again?ephemeral=1' "second $i"
		wait_for has "named.$i" "data: second $i"
		wait_for has "pattern.$i" "data: second $i"
		kill "${readers[@]}"
		readers=()
		ephemeral "other.$i" 5000
		ask "$URL/api/again"
		[ "$(cat body)" = '[]' ]
	done
	text again 1
	answers 201
	[ "$(stored again)" = '"1"' ]
	# More than all others were published lately.
	for i in {1..10}; do
		text again "$i"
	done
	wait_for has figures '"topic":"again","streams":0,"published":11'
}

@test "streams of all sorts come and go while topics do" {
	serve_at 127.0.0.1:0 --window 64k --loops 4 --max-topics 100000
	local i jobs=()
	for i in 1 2 3; do
		{
			seq -f "url = \"$URL/api/a.$i/%.0f?ephemeral=1\"" 1500
			seq -f "url = \"$URL/api/b/%.0f?ephemeral=1\"" 1500
		} >"config.$i"
		curl -s -K "config.$i" -H 'Content-Type: text/plain' -d x -w '%{http_code}\n' \
			>"codes.$i" 3>&- &
		jobs+=($!)
	done
	for i in {1..6}; do
		follow "all.$i" '/api/event?topic=**'
		follow "some.$i" "/api/event?topic=a.1/*&topic=b/$i&topic=new&as=n$i"
		ask "$URL/api/b/$i"
		answers 200
		kill "$FOLLOWER"
	done
	wait "${jobs[@]}"
	[ "$(sort -u codes.?)" = 202 ]
	text new 1
	for i in {1..6}; do
		wait_for has "all.$i" 'data: 1'
	done
}

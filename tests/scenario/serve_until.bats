#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: streams that begin with the newest events, say when they have caught up, and
# end there.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# ended PATH [ARGUMENT...]: the data of all events of a stream that ends by itself.
ended() {
	curl -sN --max-time 60 "${@:2}" "$URL$1" >ended
	[ "$(tail -n 3 ended | head -n 1)" = 'event: uptodate' ]
	data ended | sed '$d'
}

# tail_of ARGUMENT...: sse-tail to the server.
tail_of() {
	SSE_URL=$URL timeout 60 "$BIN/sse-tail" "$@"
}

@test "a stream begins with the newest events, of one topic and of many, and goes on without a seam" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		seq 10 | post a -l -q
		seq 11 12 | post b/c -l -q
		seq 13 14 | post a -l -q
		[ "$(ended '/api/a/event?last=3&until=now')" = $'10\n13\n14' ]
		[ "$(ended '/api/event?topic=a&topic=b/*&last=4&until=now')" = $'11\n12\n13\n14' ]
		[ "$(ended '/api/event?topic=**&last=100000&until=now' | wc -l)" -eq 14 ]
		[ -z "$(ended '/api/a/event?last=0&until=now')" ]
		[ -z "$(ended '/api/nothing/event?last=5&until=now')" ]
		follow stream '/api/a/event?last=2'
		wait_for has stream 'data: 14'
		text a live
		wait_for has stream 'data: live'
		[ "$(data stream)" = $'13\n14\nlive' ]
		kill "$FOLLOWER"
		stop
	done
}

@test "an id outranks last, so that a client that comes back misses nothing" {
	serve
	seq 5 | post a -l -q
	text a six
	local id
	id=$(header Last-Event-ID)
	text a seven
	[ "$(ended '/api/a/event?last=1&until=now' -H "Last-Event-ID: $id")" = seven ]
	[ "$(ended "/api/a/event?last=5&until=now&last_event_id=$id")" = seven ]
	[ "$(ended '/api/a/event?last=2&until=now' -H "Last-Event-ID;")" = $'six\nseven' ]
}

@test "what retention removed before the newest events is no gap" {
	serve --retain-topic 'a=3'
	seq 50 | post a -l -q
	wait_for stores_3
	curl -sN --max-time 60 "$URL/api/a/event?last=10&until=now" >stream
	not has stream 'event: gap'
	[ "$(data stream | sed '$d')" = $'48\n49\n50' ]
}

stores_3() {
	[ "$(stored a | wc -l)" -eq 3 ]
}

@test "a stream is told when it has caught up, and after each time it was behind" {
	serve
	seq 3 | post a -l -q
	local id
	id=$(curl -s -o /dev/null -D - "$URL/api/a" | tr -d '\r' | sed -n 's/^Last-Event-ID: //p')
	follow stream '/api/a/event?mark=1&since=all'
	wait_for has stream uptodate
	[ "$(data stream)" = $'1\n2\n3\n{"id":"'"$id"'"}' ]
	# It has no id: the client's last id stays that of an event.
	[ "$(grep -A2 '^event: uptodate' stream)" = $'event: uptodate\ndata: {"id":"'"$id"$'"}' ]
	text a live
	wait_for has stream 'data: live'
	[ "$(grep -c uptodate stream)" -eq 1 ]
	# Without the word, none.
	follow plain '/api/a/event?since=all'
	wait_for has plain 'data: live'
	not has plain uptodate
	# At once where nothing is stored, and in a stream of envelopes.
	follow other '/api/event?topic=none/**&envelope=1&mark=1'
	wait_for has other uptodate
	text "a?event=uptodate" x
	problem 400 uptodate
}

@test "until=now ends with what was stored, however slowly it is read and whatever is published meanwhile" {
	serve --window 64k
	letters 300 >line
	yes "$(cat line)" | head -n 2000 | post a -l -q
	(while :; do post a -d later -q || exit 0; done) 3>&- &
	curl -sN --limit-rate 400k --max-time 60 "$URL/api/a/event?since=all&until=now" >slow
	[ "$(tail -n 3 slow | head -n 1)" = 'event: uptodate' ]
	# All of what was there, then what came before the stream was opened, and the mark.
	[ "$(data slow | grep -c "^$(cat line)\$")" -eq 2000 ]
	[ "$(data slow | sed 1,2000d | sed '$d' | sort -u)" = later ] || [ "$(data slow | wc -l)" -eq 2001 ]
	[ "$(grep '^id: ' slow | tail -n 1)" = "id: $(data slow | sed -n '$s/.*"id":"\(.*\)"}/\1/p')" ]
}

@test "sse-tail --until end shows what is stored and ends; a count of it is exact" {
	serve
	seq 5000 | post logs/app -l -q
	[ "$(tail_of logs/app --since all --until end | wc -l)" -eq 5000 ]
	[ "$(tail_of logs/app --last 10 --until end -o data)" = "$(seq 4991 5000)" ]
	[ -z "$(tail_of logs/app --until end)" ]
	[ "$(tail_of logs/app --state id --since all --until end -o data | tail -n 1)" = 5000 ]
	post logs/app -d 5001 -q
	[ "$(tail_of logs/app --state id --since all --until end -o data)" = 5001 ]
	[ -z "$(tail_of logs/app --state id --until end)" ]
	# The mark is no event: it is neither shown nor counted, and runs no command.
	run -0 tail_of logs/app --last 2 --until end --exec cat
	[ "$output" = $'50005001' ]
	run -0 tail_of logs/app --last 2 --until end -n 3 -o data
	[ "$output" = $'5000\n5001' ]
}

# over_a_kill FIRST LAST [OPTION]...: sse-tail reads from a server with the events 1 to 4000, which is killed
# when 100 were read; then come the events up to LAST.  It must have each from FIRST to LAST once.
over_a_kill() {
	local first=$1 last=$2 tail port line
	shift 2
	serve
	numbered 1 4000
	mkfifo pipe
	SSE_URL=$URL "$BIN/sse-tail" a "$@" -o data --reconnect-delay 10ms >pipe 2>err.tail 3>&- &
	tail=$! port=$PORT
	exec 5<pipe
	for _ in $(seq 100); do
		read -r line <&5
		echo "${line%% *}"
	done >got
	crash
	serve_at "$port"
	numbered 4001 "$last"
	sed 's/ .*//' <&5 >>got
	exec 5<&-
	wait "$tail"
	diff got <(seq "$first" "$last")
}

# numbered FIRST LAST: publish these numbers, each followed by enough to keep a socket full.
numbered() {
	seq "$1" "$2" | sed "s/\$/ $(letters 200)/" | post a -l -q
}

@test "a server that is killed while it is read to the end: all comes once, and then the end" {
	over_a_kill 1 4000 --since all --until end
}

@test "a server that is killed while it sends the newest events: they, and what follows, come once" {
	over_a_kill 1001 4100 --last 3000 -n 3100
}

@test "what says where a stream starts and ends is checked" {
	serve
	ask "$URL/api/a/event?last=x"
	problem 400 'last must be a number from 0 to 100000'
	ask "$URL/api/a/event?last=100001"
	problem 400 'last must be a number from 0 to 100000'
	ask "$URL/api/a/event?last=1&since=all"
	problem 400 'since and last both say where the stream starts'
	ask "$URL/api/a/event?until=tomorrow"
	problem 400 'the only value is now'
	ask "$URL/api/a/event?mark=yes"
	problem 400 'mark is 1 or 0'
	ask -I "$URL/api/a/event?until=now"
	answers 200
	[ "$(header Stream-Until)" = now ]
	ask -I "$URL/api/a/event"
	[ -z "$(header Stream-Until)" ]
	run -64 tail_of a --last 1 --since all
	[[ $output == *"--since and --last both say where the stream starts; give one" ]]
	run -64 tail_of a --until now
	[[ $output == *"end"* ]]
}

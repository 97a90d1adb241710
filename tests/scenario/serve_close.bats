#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: topics that are closed, and the end of their streams.
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154,SC2317
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# close TOPIC [ARGUMENT...]: close it, without a last event.
close() {
	ask -X POST "${@:2}" "$URL/api/$1?close=1"
}

# whole FILE PATH [ARGUMENT...]: all of a stream that ends by itself.
whole() {
	curl -sN --max-time 60 "${@:3}" "$URL$2" >"$1"
}

# closes FILE ID: is the last event of the stream in the file what closed the topic, with that id?
closes() {
	tail -n 4 "$1" | is $'event: closed\ndata: {}\nid: '"$2"
}

# kinds TOPIC: the types of its stored events.
kinds() {
	stored "$1" envelope=1 | sed 's/.*"event":"\([a-z]*\)".*/\1/'
}

# looks_at_closing: with what store ever.
looks_at_closing() {
	text run/1 one
	follow live '/api/run/1/event?since=all'
	local live=$FOLLOWER closed
	wait_for has live 'data: one'
	follow many '/api/event?topic=run/*&envelope=1&since=all'
	ask -H 'Content-Type: text/plain' -d two "$URL/api/run/1?close=1"
	answers 201
	closed=$(header Last-Event-ID)
	[ "$(header Location)" = "/api/run/1/$closed" ]
	# The reader that was there, who came before, and who comes later: all, and then the end.
	wait "$live"
	closes live "$closed"
	[ "$(data live)" = $'one\ntwo\n{}' ]
	whole later '/api/run/1/event?since=all'
	[ "$(data later)" = $'one\ntwo\n{}' ]
	closes later "$closed"
	whole last '/api/run/1/event?last=1'
	[ "$(data last)" = '{}' ]
	whole now /api/run/1/event
	closes now "$closed"
	[ "$(data now)" = '{}' ]
	# EventSource comes back with the id of the last event.
	ask -H "Last-Event-ID: $closed" "$URL/api/run/1/event"
	answers 204
	[ ! -s body ]
	ask -I -H "Last-Event-ID: $closed" "$URL/api/run/1/event?until=now"
	answers 204
	ask -H "Last-Event-ID: $closed" "$URL/api/run/1/event?latest=1"
	answers 204
	# A pattern has other topics.
	text run/2 three
	wait_for has many '"data":"three"'
	[ "$(grep -c '"event":"closed","data":{}}' many)" -eq 1 ]
	# It is an event like others, and not to be told from data where the type is not shown.
	[ "$(kinds run/1)" = $'update\nupdate\nclosed' ]
	stored run/1 | is $'"one"\n"two"'
	stored run/1 limit=1 | is '"two"'
	ask "$URL/api/run/1/$closed"
	[ "$(cat body)" = '{}' ]
	ask "$URL/api?topic=run/*"
	has body '"topic":"run/1","events":3,'
	has body '"closed":true'
	[ "$(grep -o '"closed":' body | wc -l)" -eq 1 ]
	# For good.
	text run/1 four
	problem 409 'the topic run/1 is closed for good: no event can follow'
	ask -H 'Content-Type: text/plain' -d x "$URL/api/run/1?ephemeral=1"
	problem 409 'the topic run/1 is closed for good'
	ask -H 'Content-Type: text/plain' -d x "$URL/api/run/1?close=1"
	problem 409 'the topic run/1 is closed for good'
	close run/1
	answers 201
	[ "$(header Last-Event-ID)" = "$closed" ]
	[ "$(header Idempotency-Replayed)" = true ]
	[ "$(kinds run/1)" = $'update\nupdate\nclosed' ]
	kill "$FOLLOWER"
}

@test "a closed topic has had its last event, and its streams end" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		looks_at_closing
		stop
	done
	serve
	text run/1 four
	problem 409 'the topic run/1 is closed for good'
	ask -H "Last-Event-ID: $(stored run/1 envelope=1 | sed -n '$s/.*"id":"\([^"]*\)".*/\1/p')" \
		"$URL/api/run/1/event"
	answers 204
}

@test "a topic can be closed before its first event, and by what is sent with a batch" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		close empty
		answers 201
		[ "$(kinds empty)" = closed ]
		ask -H 'Content-Type: application/x-ndjson' -H 'Accept: application/x-ndjson' \
			--data-binary $'1\n2\n3' "$URL/api/batch?close=1"
		answers 201
		lines_of body 4
		[ "$(kinds batch)" = $'update\nupdate\nupdate\nclosed' ]
		# What a form may not do otherwise it may not do without a body either.
		close other -H 'Origin: http://example.com'
		problem 403 'example.com'
		[ -z "$(kinds other)" ]
		stop
	done
}

@test "what was stored before can be sent again by its key, also after the end" {
	local db first
	for db in events.db :memory:; do
		serve --db "$db"
		text t 1 -H 'Idempotency-Key: k1'
		first=$(header Last-Event-ID)
		ask -H 'Content-Type: text/plain' -d 2 -H 'Idempotency-Key: k2' "$URL/api/t?close=1"
		answers 201
		local last
		last=$(header Last-Event-ID)
		text t 1 -H 'Idempotency-Key: k1'
		answers 201
		[ "$(header Last-Event-ID)" = "$first" ]
		ask -H 'Content-Type: text/plain' -d 2 -H 'Idempotency-Key: k2' "$URL/api/t?close=1"
		answers 201
		[ "$(header Last-Event-ID)" = "$last" ]
		text t 1 -H 'Idempotency-Key: k2'
		problem 409 'known for another event'
		text t 3 -H 'Idempotency-Key: k3'
		problem 409 'closed for good'
		# A key that was refused is not taken.
		text u 3 -H 'Idempotency-Key: k3'
		answers 201
		close t -H 'Idempotency-Key: k4'
		answers 201
		[ "$(header Last-Event-ID)" = "$last" ]
		[ "$(kinds t)" = $'update\nupdate\nclosed' ]
		stop
	done
}

@test "If-Match holds for the closing too" {
	serve
	text t 1
	local first
	first=$(header Last-Event-ID)
	close t -H 'If-Match: made:up'
	answers 412
	text t 2
	answers 201
	close t -H "If-Match: $first"
	answers 412
	close t -H 'If-Match: *'
	answers 201
	[ "$(kinds t)" = $'update\nupdate\nclosed' ]
}

# many LINES: envelopes for all topics.
many() {
	ask -H 'Content-Type: application/x-ndjson' --data-binary "$1" "$URL/api"
}

@test "an envelope of the type closed closes its topic, and a closed topic refuses a whole batch" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		many '{"topic":"a","data":1}
{"topic":"b","data":2}
{"topic":"a","event":"closed","data":{}}
{"topic":"b","data":"3"}'
		answers 201
		[ "$(kinds a)" = $'update\nclosed' ]
		[ "$(kinds b)" = $'update\nupdate' ]
		many '{"topic":"b","data":4}
{"topic":"c","data":5}
{"topic":"a","data":6}'
		problem 409 'line 3: the topic a is closed for good: no event can follow; nothing of the batch'
		[ "$(kinds b)" = $'update\nupdate' ]
		[ -z "$(kinds c)" ]
		many '{"topic":"c","data":1}
{"topic":"c","event":"closed","data":"{}"}
{"topic":"c","data":2}'
		problem 409 'line 3: the topic c is closed'
		[ -z "$(kinds c)" ]
		# Refused as a whole, it has closed nothing.
		text c 1
		answers 201
		# To close again what is closed is no fault: a mirror may send it twice.
		many '{"topic":"b","data":4}
{"topic":"a","event":"closed","data":"{}"}'
		answers 201
		many '{"topic":"b","event":"closed","data":{"reason":"late"}}'
		problem 400 'line 1: the event type closed closes the topic, so its data must be {}'
		ask -H 'Content-Type: application/x-ndjson' \
			--data-binary '{"event":"closed","data":{}}' "$URL/api/b?envelope=1"
		answers 201
		[ "$(kinds b)" = $'update\nupdate\nupdate\nclosed' ]
		stop
	done
}

@test "what cannot be the last event is refused, and the type is the server's own" {
	serve
	ask -H 'Content-Type: text/plain' -d x "$URL/api/t?close=1&ephemeral=1"
	problem 400 'an ephemeral event is not stored, so it cannot be the last'
	ask -H 'Content-Type: text/plain' -d x "$URL/api/t?close=yes"
	problem 400 'close is 1 or 0'
	ask -H 'Content-Type: text/plain' -d x "$URL/api/t?event=closed"
	problem 400 'is one of gap, join, leave, denied, uptodate, closed and deleted, which only the server sends'
	ask -H 'Content-Type: text/csv' -d x "$URL/api/t?close=1"
	problem 415 'text/csv'
	ask -d x -H 'Content-Type:' "$URL/api/t?close=1"
	problem 415 'the Content-Type is missing'
	ask -X POST "$URL/api/t?close=1&subject=x"
	problem 400 'close=1 without a body sends no event that could have the subject'
	many '{"topic":"t","event":"closed","subject":"x","data":{}}'
	problem 400 'line 1: the event that closes the topic t cannot have a subject'
	many '{"topic":"t","data":1}'
	ask -H 'Content-Type: application/x-ndjson' -d '{"topic":"t","data":1}' "$URL/api?close=1"
	problem 400 "'close' is a parameter of a POST"
	[ "$(kinds t)" = update ]
}

@test "a stream of several topics ends when all are closed, and not before" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		close a
		follow both '/api/event?topic=a&topic=b&envelope=1&since=all'
		local both=$FOLLOWER
		wait_for has both '"topic":"a"'
		text b 1
		wait_for has both '"data":"1"'
		close b
		wait "$both"
		[ "$(data both | sed 's/"id.*"event"/"event"/')" = '{"topic":"a","event":"closed","data":{}}
{"topic":"b","event":"update","data":"1"}
{"topic":"b","event":"closed","data":{}}' ]
		ask -H "Last-Event-ID: $(header Last-Event-ID)" "$URL/api/event?topic=a&topic=b"
		answers 204
		ask -H "Last-Event-ID: $(stored b 'envelope=1&limit=2' |
			sed -n '1s/.*"id":"\([^"]*\)".*/\1/p')" "$URL/api/event?topic=a&topic=b"
		answers 200
		# Not yet known, so not closed.
		opens '/api/event?topic=a&topic=c'
		stop
	done
}

@test "who does not want the event or cannot have it is told of the end all the same" {
	local db
	for db in events.db :memory:; do
		serve --db "$db" --window 64k --max-body 8k
		text a 1
		local first
		first=$(header Last-Event-ID)
		follow notes '/api/a/event?event=note'
		local notes=$FOLLOWER closed
		close a
		closed=$(header Last-Event-ID)
		wait "$notes"
		closes notes "$closed"
		[ "$(data notes)" = '{}' ]
		whole lines '/api/a/event?event=update&since=all' -H 'Accept: application/x-ndjson'
		[ "$(tail -n 1 lines)" = '{"topic":"a","id":"'"$closed"'","event":"closed","data":{}}' ]
		lines_of lines 3
		# Until the log does not have it any more.
		if [ "$db" = events.db ]; then
			stop
			serve --retain-topic 'a=1s'
		fi
		wait_for forgets a
		whole gone /api/a/event -H "Last-Event-ID: $first"
		has gone '"reason":"expired"'
		closes gone "$closed"
		[ "$(grep -c '^event: ' gone)" -eq 2 ]
		ask -H "Last-Event-ID: $closed" "$URL/api/a/event"
		answers 204
		text a 2
		problem 409 'closed for good'
		close a
		answers 201
		[ "$(header Last-Event-ID)" = "$closed" ]
		ask "$URL/api?topic=a"
		has body '"events":0,'
		has body '"closed":true'
		stop
	done
	# The mark outlives all events, and a restart.
	serve
	text a 2
	problem 409 'closed for good'
}

# forgets TOPIC: is nothing of it stored any more?  In memory others push it out.
forgets() {
	text other "$(letters 3000)"
	[ -z "$(kinds "$1")" ]
}

# endings FILE: which topics a stream of envelopes says are closed, and whether with an id.
endings() {
	sed -n 's/^data: //; /^{"topic":.*"event":"closed"/p' "$1" |
		jq -r '.topic + (if .id then "+" else "" end)' | paste -sd ' '
}

@test "of several topics whose closings are gone, each is told, once and in its place" {
	local db both='/api/event?topic=a&topic=b&envelope=1' first a b live
	for db in events.db :memory:; do
		serve --db "$db" --window 64k --max-body 8k
		text a 1
		first=$(header Last-Event-ID)
		text b 1
		follow live "$both&since=all"
		live=$FOLLOWER
		wait_for has live '"topic":"b"'
		close a
		a=$(header Last-Event-ID)
		text b 2
		close b
		b=$(header Last-Event-ID)
		wait "$live"
		[ "$(endings live)" = 'a+ b+' ]
		# With a type that it does not want, and after both, it is told at its end.
		whole typed "$both&event=update" -H "Last-Event-ID: $first"
		[ "$(endings typed)" = 'a b+' ]
		whole now "$both"
		[ "$(endings now)" = 'a b+' ]
		[ "$(grep '^id: ' now | tail -n 1)" = "id: $b" ]
		# Of one that is open it waits for the end, and knows of the other.
		follow open '/api/event?topic=a&topic=d&envelope=1'
		live=$FOLLOWER
		wait_for has open '"topic":"a"'
		whole last '/api/event?topic=a&topic=d&envelope=1&last=1&until=now'
		[ "$(endings last)" = a+ ]
		text d 1
		whole last '/api/event?topic=a&topic=d&envelope=1&last=1&until=now'
		[ "$(endings last)" = a ]
		[ "$(grep -c '"event":"update"' last)" -eq 1 ]
		close d
		wait "$live"
		[ "$(endings open)" = 'a d+' ]
		if [ "$db" = events.db ]; then
			stop
			serve --retain-topic 'a=1s' --retain-topic 'b=1s'
		fi
		wait_for forgets a
		wait_for forgets b
		whole gone "$both" -H "Last-Event-ID: $first"
		[ "$(endings gone)" = 'a+ b+' ]
		[ "$(grep '^event: ' gone | uniq)" = $'event: gap\nevent: closed' ]
		has gone "id: $a"
		closes_with gone "$b"
		# Whoever has the first comes back for the second; and for no more.
		whole second "$both" -H "Last-Event-ID: $a"
		[ "$(endings second)" = b+ ]
		ask -H "Last-Event-ID: $b" "$URL$both"
		answers 204
		whole all "$both&since=all"
		# In memory all begins after what was pushed out.
		[ "$(endings all | tr -d +)" = 'a b' ]
		whole lines "$both&since=all" -H 'Accept: application/x-ndjson'
		[ "$(endings lines | tr -d +)" = 'a b' ]
		whole present "$both&latest=1"
		[ "$(endings present)" = 'a+ b+' ]
		whole plain '/api/event?topic=a&topic=b&since=all'
		[ "$(grep -c '^event: closed' plain)" -eq 2 ]
		stop
	done
}

# closes_with FILE ID: is that the id of the last event in the file?
closes_with() {
	[ "$(sed -n 's/^id: //p' "$1" | tail -n 1)" = "$2" ]
}

@test "the mark comes last, until=now ends before what comes later, and presence does not mind" {
	serve
	text a 1
	whole now '/api/a/event?since=all&until=now'
	[ "$(grep '^event: ' now)" = $'event: update\nevent: uptodate' ]
	follow ann '/api/a/event?as=ann&mark=1&since=all'
	local ann=$FOLLOWER
	wait_for has ann uptodate
	close a
	wait "$ann"
	[ "$(grep -v 'event: join' ann | grep '^event: ')" = $'event: update\nevent: uptodate\nevent: closed' ]
	whole now '/api/a/event?since=all&until=now'
	[ "$(grep '^event: ' now)" = $'event: update\nevent: closed\nevent: uptodate' ]
}

@test "a reader that is far behind gets all that came before the end" {
	local db
	for db in events.db :memory:; do
		serve --db "$db" --window 16M
		mkfifo pipe
		curl -sN --max-time 60 "$URL/api/a/event?since=all" >pipe 2>/dev/null 3>&- &
		local slow=$!
		exec 5<pipe
		local line
		read -r line <&5
		seq 2000 | sed "s/\$/ $(letters 500)/" | post a -l -q --close
		sed -n 's/^data: //p' <&5 | sed 's/ .*//' | diff - <(seq 2000; echo '{}')
		exec 5<&-
		wait "$slow"
		rm pipe
		stop
	done
}

@test "--verify and --export know the end, and nothing is imported after it" {
	serve
	text a 1
	close a
	text b 2
	stop
	"$BIN/sse-serve" --db events.db --verify
	"$BIN/sse-serve" --db events.db --export >log
	"$BIN/sse-serve" --db copy.db --import <log
	serve --db copy.db
	text a 3
	problem 409 'closed for good'
	[ "$(kinds a)" = $'update\nclosed' ]
	stop
	# As if the third event were of the closed topic.
	sed '/"event":"update"/s/"topic":"b"/"topic":"a"/' log >forged
	run -65 "$BIN/sse-serve" --db forged.db --import <forged
	[[ $output == *'the event comes after the one that closed the topic a' ]]
	[ ! -e forged.db ]
	sqlite3 events.db 'UPDATE event SET topic = (SELECT id FROM topic WHERE name = "a")' 2>/dev/null ||
		skip 'sqlite3 is not there'
	run -65 "$BIN/sse-serve" --db events.db --verify
	[[ $output == *'is stored after its topic was closed'* ]]
}

@test "what was closed is closed after a kill -9, and has all of its events" {
	serve
	local round topic writer reader
	for round in 1 2 3; do
		: >acknowledged
		(
			n=0
			while curl -sf -o said -H 'Content-Type: application/x-ndjson' --data-binary \
				$'1\n2' "$URL/api/run/$round/$n?close=1"; do
				echo "run/$round/$n" >>acknowledged
				: $((n++))
			done
		) 3>&- &
		writer=$!
		wait_for grew acknowledged 20
		crash
		wait "$writer" || true
		serve_at "$PORT"
		while read -r topic; do
			[ "$(kinds "$topic")" = $'update\nupdate\nclosed' ]
			text "$topic" 3
			answers 409
		done <acknowledged
		# And the others are whole, or not there.
		ask -H 'Accept: application/x-ndjson' "$URL/api?topic=run/$round/*&limit=10000"
		answers 200
		not grep -v '"events":3,.*"closed":true}$' body
	done
	stop
	"$BIN/sse-serve" --db events.db --verify
}

@test "a reader over a kill -9 ends when the topic is closed, and has had everything once" {
	serve
	seq 3000 | post a -l -q
	mkfifo pipe
	SSE_URL=$URL timeout 60 "$BIN/sse-tail" a --since all -o data --reconnect-delay 10ms \
		>pipe 2>err.tail 3>&- &
	local tail=$! port=$PORT line
	exec 5<pipe
	for _ in $(seq 100); do
		read -r line <&5
		echo "$line"
	done >got
	crash
	serve_at "$port"
	seq 3001 4000 | post a -l -q --close
	cat <&5 >>got
	exec 5<&-
	wait "$tail"
	diff got <(seq 4000)
}

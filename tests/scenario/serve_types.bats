#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: streams of some event types.
# shellcheck disable=SC2153,SC2154
# NATS runs this file, too.

load serve_helpers

# types FILE: the types of the events of the stream in the file, without repeats, sorted.
types() {
	sed -n 's/^event: //p' "$1" | sort -u | tr '\n' ' '
}

# texts FILE: the data of the events in the stream, without that of the mark.
texts() {
	data "$1" | grep -v '^{"id"'
}

@test "?event= leaves out events of other types, stored and new, of one topic and of many" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		text 'a?event=one' 1
		text 'a?event=two' 2
		text 'b?event=two' 3
		text 'a?event=three' 4
		follow single '/api/a/event?event=two&since=all&mark=1'
		follow many '/api/event?topic=*&event=two&event=one&since=all&mark=1'
		follow envelopes '/api/event?topic=*&event=two&envelope=1&since=all&mark=1'
		follow plain '/api/a/event?since=all&mark=1'
		follow now '/api/a/event?event=two&mark=1'
		# What is ephemeral is only for a stream that has caught up.
		local stream
		for stream in single many envelopes plain now; do
			wait_for has "$stream" uptodate
		done
		text 'a?event=three' 5
		text 'a?event=twofold' 6
		text 'a?event=two&ephemeral=1' 7
		text 'b?event=one' 8
		text 'a?event=two' 9
		wait_for has single 'data: 9'
		wait_for has many 'data: 9'
		wait_for has envelopes '"data":"9"'
		wait_for has plain 'data: 9'
		wait_for has now 'data: 9'
		[ "$(texts single)" = $'2\n7\n9' ]
		[ "$(texts many)" = $'1\n2\n3\n7\n8\n9' ]
		[ "$(texts envelopes | sed 's/.*"data":"\(.*\)"}/\1/')" = $'2\n3\n7\n9' ]
		[ "$(texts plain)" = $'1\n2\n4\n5\n6\n7\n9' ]
		[ "$(texts now)" = $'7\n9' ]
		# Each counts as a stream of the topic.
		ask "$URL/api/a/presence"
		has body '"streams":5'
		crash
		end_jobs
		rm -f events.db*
	done
}

@test "a stream of some types resumes from the log and from the window, and knows when it has caught up" {
	serve --window 64k
	letters 200 >line
	for type in one two one three; do
		yes "$type $(cat line)" | head -n 1500 | post a -l -q -e "$type"
	done
	post a -d last -e two -q
	local id want
	curl -sN --max-time 60 "$URL/api/a/event?event=one&event=three&until=now&since=all" >all
	[ "$(types all)" = 'one three uptodate ' ]
	[ "$(data all | wc -l)" -eq 4501 ]
	[ "$(data all | cut -d ' ' -f 1 | uniq | head -n 3)" = $'one\nthree\n{"id":"'"$(tail -n 2 all | sed -n 's/.*"id":"\(.*\)"}/\1/p')"'"}' ]
	curl -sN --max-time 60 --limit-rate 300k "$URL/api/a/event?event=two&until=now&since=all" >slow
	[ "$(data slow | grep -c ^two)" -eq 1500 ]
	[ "$(data slow | tail -n 2 | head -n 1)" = last ]
	id=$(grep '^id: ' slow | sed -n '1000s/^id: //p')
	curl -sN --max-time 60 "$URL/api/a/event?event=two&until=now&last_event_id=$id" >rest
	want=$(grep '^id: ' slow | sed -n '1001,$p')
	[ "$(grep '^id: ' rest | sed 1d)" = "$want" ]
}

@test "a server that is killed: a reader of one type gets each event of it once" {
	serve
	local port=$PORT i
	SSE_URL=$URL "$BIN/sse-tail" "$URL/api/a/event?event=two&since=all" -o data --reconnect-delay 10ms \
		>got 2>err.tail 3>&- &
	local tail=$!
	for i in $(seq 60); do
		post a -e one -d "other $i" -q
		post a -e two -d "$i" -q
		if [ "$i" = 30 ]; then
			crash
			serve_at "$port"
		fi
	done
	wait_for last_is_60
	kill "$tail"
	diff got <(seq 60)
}

last_is_60() {
	[ "$(tail -n 1 got)" = 60 ]
}

@test "joins are a type like others; what cannot be a type is refused" {
	serve --presence-grace 100ms
	follow joined '/api/a/event?event=join'
	text a hello
	follow named '/api/a/event?as=Ada'
	wait_for has joined 'event: join'
	[ "$(types joined)" = 'join ' ]
	ask "$URL/api/a/event?event="
	problem 400 'the event type in ?event= is empty'
	ask "$URL/api/a/event?event=a%0Ab"
	problem 400 'the event type in ?event= contains a newline'
	ask "$URL/api/a/event?$(printf 'event=t%s&' $(seq 33))"
	problem 400 'a stream can name at most 32 event types'
	ask "$URL/api/a/event?event=a&last=3"
	problem 400 'last counts events of all types'
	ask -d x -H 'Content-Type: text/plain' "$URL/api/a?event=a&event=b"
	problem 400 "'event' more than once"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-tail --state: killed again and again, at random moments, by kill -9.
# make fault runs them at length: FAULT_ROUNDS kills.
# ThreadSanitizer runs this file, too.

load serve_helpers

# No more than this is read at a time (client_init() of lib/follow/client.c), and an event of ours takes
# no less on the wire: so many events are the most that one write can have.
READ=65536
EVENT=25

setup() {
	common_setup
	ROUNDS=${FAULT_ROUNDS:-30}
	MOST=150
	[ -z "${SANITIZER:-}" ] || ROUNDS=8 MOST=900
	serve
	# From before the first event, so that none can be lost before there is a state.
	curl -sI "$URL/api/numbers" | tr -d '\r' | sed -n 's/^Last-Event-ID: //p' >state
	[ -s state ]
	: >out
	echo 0 >cuts
	cp state states
}

teardown() {
	touch stop
	serve_teardown
}

# publish: the numbers from 1 on, one event each, until the file stop is there; then the file last
# has the last one.
publish() {
	{
		local number=0
		while [ ! -e stop ]; do
			echo $((++number))
		done
		echo $number >last
	} | sse-post "$URL/api/numbers"
}

# lives OPTION...: sse-tail appends to out for a while, is killed with all that it started, and what
# it left is noted: how long out is, and the state.
lives() {
	setsid sse-tail "$URL/api/numbers/event" --state state "$@" >>out 2>>tail.err 3>&- 4>&- &
	local tail=$!
	sleep "$(printf '0.%03d' $((RANDOM % MOST)))"
	kill -KILL -- "-$tail" 2>/dev/null || kill -KILL "$tail"
	wait "$tail" 2>/dev/null || true
	# A command that it was just starting holds the state until it has ended too.
	wait_for flock --nonblock "$PWD/state" true
	wc -c <out >>cuts
	cat state >>states
}

# catches_up OPTION...: the last one lives until the last number is there.
catches_up() {
	sse-tail "$URL/api/numbers/event" --state state "$@" >>out 2>>tail.err 3>&- 4>&- &
	local tail=$!
	# As long as it gets on: after many lives that may be far.
	local size=-1
	while ! wait_for grep -qx "$(cat last)" out; do
		[ "$(wc -c <out)" -gt "$size" ]
		size=$(wc -c <out)
	done
	kill -TERM "$tail"
	wait "$tail" || [ $? -eq 143 ]
	wc -c <out >>cuts
	[ ! -s tail.err ] || {
		cat tail.err
		return 1
	}
}

# complete MOST: in each life the numbers follow each other; a life begins behind the state that was
# left to it, so that nothing is missing and no more than MOST are repeated; the last is the last.
complete() {
	local from to id line=0 next=1 first end
	while read -r to; do
		line=$((line + 1))
		# The first cut is where all begins.
		[ "$line" -gt 1 ] || { from=$to; continue; }
		id=$(sed -n "$((line - 1))p" states)
		# A number whose line end did not come was not written.
		tail -c "+$((from + 1))" out | head -c "$((to - from))" | sed -n '$!p' >life
		[ "$to" -eq "$from" ] || tail -c "+$to" out | head -c 1 | grep -q . ||
			tail -c "+$((from + 1))" out | head -c "$((to - from))" >life
		from=$to
		[ -s life ] || continue
		read -r first <life
		end=$(tail -n 1 life)
		seq "$first" "$end" | cmp -s - life || { echo "life $line: not in order"; return 1; }
		[ "$first" -eq $((${id#*:} + 1)) ] || { echo "life $line: $first is behind $id"; return 1; }
		[ "$first" -le "$next" ] || { echo "life $line: $next is lost, $first came"; return 1; }
		[ $((next - first)) -le "$1" ] || { echo "life $line: from $first to $next again"; return 1; }
		repeated=$((${repeated:-0} + next - first))
		[ "$end" -lt "$next" ] || next=$((end + 1))
	done <cuts
	[ $((next - 1)) -eq "$(cat last)" ] || { echo "$next and on are lost"; return 1; }
	echo "# $((line - 2)) kills, $((next - 1)) events, ${repeated:-0} repeated" >&3
}

@test "kill -9 at random moments: nothing is lost, the order is kept, at most a write is repeated" {
	local round publisher
	publish &
	publisher=$!
	for ((round = 0; round < ROUNDS; round++)); do
		lives -o data
	done
	touch stop
	wait "$publisher"
	catches_up -o data
	complete $((READ / EVENT))
}

@test "kill -9 at random moments while a command runs for each event: at most that event is repeated" {
	local round
	# shellcheck disable=SC2016 # for the shell of --exec
	local write='read -r number; echo "$number" >>out'
	seq $((ROUNDS * 15)) | tee >(tail -n 1 >last) | sse-post "$URL/api/numbers"
	for ((round = 0; round < ROUNDS; round++)); do
		lives --exec "$write"
	done
	catches_up --exec "$write"
	complete 1
}

@test "what is lost or written twice is found: the test of the kill can fail" {
	seq 100 | tee >(tail -n 1 >last) | sse-post "$URL/api/numbers"
	local tag spoilt
	tag=$(cut -d : -f 1 state)
	for spoilt in 5 40; do
		sse-tail "$URL/api/numbers/event" -o data --state state -n 20 >>out
		wc -c <out >>cuts
		cat state >>states
		echo "$tag:$spoilt" >state
	done
	catches_up -o data
	not complete 10
}

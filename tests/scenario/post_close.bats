#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-post --close: one closing after all events, whatever breaks; and closings on their way through
# envelopes, event streams and the spool.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154

load serve_helpers

# kinds TOPIC: the types of its stored events.
kinds() {
	stored "$1" envelope=1 | sed 's/.*"event":"\([a-z]*\)".*/\1/'
}

# closed TOPIC COUNT: has it so many events, and then the closing?
closed() {
	[ "$(kinds "$1" | uniq -c | tr -s ' ')" = " $2 update"$'\n'' 1 closed' ]
}

@test "--close closes the topic after the last line, after one event, or alone; twice is no fault" {
	serve
	seq 100 | post run/1 --lines --close
	closed run/1 100
	stored run/1 | diff - <(seq 100)
	post run/2 a=1 --close
	closed run/2 1
	post run/3 --close </dev/null
	[ "$(kinds run/3)" = closed ]
	post run/3 --close </dev/null
	[ "$(kinds run/3)" = closed ]
	printf 'text' | post run/4 -s --close -o json >out.json
	closed run/4 1
	lines_of out.json 2
	run -65 post run/1 -d more
	[[ $output == *'the topic run/1 is closed for good: no event can follow' ]]
	run -65 post run/1 --lines --close <<<more
	[[ $output == *'closed for good'*'0 of 2 lines were accepted, line 1 is the first'* ]]
	# By a key of its own, a run can be made again.
	seq 3 | post run/5 -l --close --idempotency-key job5
	seq 3 | post run/5 -l --close --idempotency-key job5
	closed run/5 3
	post run/6 a=1 --close --idempotency-key job6
	post run/6 a=1 --close --idempotency-key job6
	closed run/6 1
	printf '{"n":1}\n{"n":2}\n' | post run/7 -l --close --idempotency-key-from /n
	closed run/7 2
}

@test "in a terminal there is nothing to wait for" {
	needs_terminal
	serve
	SSE_URL=$URL script -qec 'sse-post run/1 --close' /dev/null </dev/null
	[ "$(kinds run/1)" = closed ]
}

@test "nothing overtakes what comes before the closing, in many connections or one request each" {
	serve
	seq 400 | post run/1 --parallel 4 --batch never --close
	closed run/1 400
	seq 20000 | post run/2 --parallel 3 --close
	closed run/2 20000
	seq 50 | post run/3 --batch never --close
	closed run/3 50
}

@test "a line that is refused leaves the topic open, unless it is to be left out" {
	serve
	printf '{"firstname":"A","lastname":"B"}\n{}\n' >lines
	run -65 post users -l --close <lines
	[[ $output == *"line 2 is the first that was not" ]]
	[ "$(kinds users)" = update ]
	run -65 post users -l --close --skip-bad <lines
	[ "$(kinds users | tail -n 1)" = closed ]
	printf 'good\n\xff\n' >bad
	run -65 post run/2 -l --close <bad
	[ "$(kinds run/2)" = update ]
}

@test "the closing goes through the spool, after all events" {
	serve
	stop
	export SSE_SPOOL=$PWD/spool
	seq 10 | post run/1 -l --close
	post run/2 --close </dev/null
	post --spool-status >status
	has status '11 events'
	serve_at "$PORT"
	post --flush
	closed run/1 10
	stored run/1 | diff - <(seq 10)
	[ "$(kinds run/2)" = closed ]
	# Stored, and killed before it knew: what is sent again is known.
	seq 3 | post run/3 -l --close --idempotency-key x
	crash
	seq 3 | post run/3 -l --close --idempotency-key x
	serve_at "$PORT"
	post --flush
	closed run/3 3
}

@test "a server that is killed amid it all: one closing, after all lines" {
	serve
	local sender
	(seq 30000; while [ ! -e enough ]; do sleep 0.01; done; seq 30001 31000) |
		SSE_URL=$URL sse-post run/1 --lines --close --retry-max-time 60s 3>&- &
	sender=$!
	wait_for stores_some
	crash
	serve_at "$PORT"
	touch enough
	wait "$sender"
	closed run/1 31000
	stored run/1 | diff - <(seq 31000)
}

stores_some() {
	[ -n "$(stored run/1 limit=1)" ]
}

@test "sse-post that is killed closes nothing, and a second run by the same key ends it" {
	serve
	mkfifo lines
	SSE_URL=$URL sse-post run/1 -l --close --idempotency-key job <lines 3>&- &
	local sender=$!
	exec 5>lines
	seq 5 >&5
	wait_for has_5
	kill -KILL "$sender"
	wait "$sender" || true
	exec 5>&-
	[ "$(kinds run/1 | sort -u)" = update ]
	seq 7 | post run/1 -l --close --idempotency-key job
	closed run/1 7
	stored run/1 | diff - <(seq 7)
}

has_5() {
	[ "$(stored run/1 | wc -l)" -eq 5 ]
}

@test "a mirror closes what is closed, a bridge too" {
	serve
	seq 3 | post run/1 -l --close
	post run/2 a=1
	post run/3 --close </dev/null
	curl -sN --max-time 60 "$URL/api/event?topic=run/**&envelope=1&since=all&until=now" \
		-H 'Accept: application/x-ndjson' | sed '/"uptodate"/d; /^{"id":"[^"]*"}$/d' >envelopes
	local from=$URL first=$PID
	PID=
	serve --db other.db
	SSE_URL=$from timeout 60 sse-tail "$from/api/event?topic=run/**&envelope=1&since=all" \
		--until end -o json | post / -E
	closed run/1 3
	[ "$(kinds run/2)" = update ]
	[ "$(kinds run/3)" = closed ]
	post / -E <envelopes
	closed run/1 3
	# One topic into another.
	timeout 60 sse-tail "$from/api/run/1/event?since=all" -o sse | post run/4 -i sse
	closed run/4 3
	timeout 60 sse-tail "$from/api/run/1/event?since=all" -o json | post run/5 -E
	closed run/5 3
	stop
	PID=$first
}

@test "what --close does not go with is named" {
	serve
	run -64 post / -E --close </dev/null
	[[ $output == *'"event":"closed"'* ]]
	run -64 post t a=1 --close --if-match '*'
	[[ $output == *'--if-match is for one event, and --close sends one more'* ]]
	run -64 post --flush --spool spool --close
	[[ $output == *'--close is about new events; --flush sends none' ]]
	run -64 post t -d '{}' -e closed
	[[ $output == *'--close sends it' ]]
	run -65 post t -E <<<'{"event":"closed","data":"shop"}'
	[[ $output == *'closed'* ]]
	[ -z "$(kinds t)" ]
}

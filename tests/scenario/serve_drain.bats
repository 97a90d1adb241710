#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: how it stops.  Where it must not be done before the test says so, the drain
# takes an hour, and a second signal or the end of what is open ends it.
# shellcheck disable=SC2154
# ThreadSanitizer runs this file, too.

load serve_helpers

# unready: does /readyz say that the server is stopping?
unready() {
	ask "$URL/readyz" && [ "$code" = 503 ]
}

# keep: open a connection, as descriptor 5, on which the server has answered.
keep() {
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	get /healthz
	[ "$status" = 200 ]
}

# get PATH / send TEXT...: ask on that connection; the answer's status, and whether it closes.
get() {
	send 'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' "$1"
	answer
}
send() {
	# shellcheck disable=SC2059 # it is a format
	printf "$@" >&5
}
answer() {
	local line length=0
	status='' closes=''
	while IFS= read -r -t 60 line <&5 && [ "$line" != $'\r' ]; do
		case $line in
		HTTP*) status=${line:9:3} ;;
		Content-Length*) length=${line//[^0-9]/} ;;
		'Connection: close'*) closes=yes ;;
		esac
	done
	[ "$length" -eq 0 ] || read -r -N "$length" -t 60 line <&5
}

@test "for --drain-delay only /readyz says that it is stopping, and a second signal ends it at once" {
	serve --drain-delay 1h
	follow stream /api/any/event
	kill -TERM "$PID"
	wait_for unready
	has body 'stopping'
	[ "$(header Retry-After)" = 1 ]
	ask "$URL/healthz"
	answers 200
	text any 'as ever'
	answers 201
	wait_for has stream 'data: as ever'
	follow other /api/any/event
	keep
	[ -z "$closes" ]
	exec 5>&-
	has err 'stopping: Terminated'
	stop INT
	has err 'ending at once: Interrupt'
}

@test "then nothing is accepted, and streams end one after the other with a time to come back" {
	local i gone='' followers=()
	serve --loops 1 --drain 1h
	for i in 1 2 3 4; do
		follow "stream$i" /api/any/event
		followers+=("$FOLLOWER")
	done
	keep
	kill -TERM "$PID"
	wait_for closed
	# The first at once, the second after a quarter of an hour.
	one_is_gone() {
		for i in 1 2 3 4; do
			! gone "${followers[i - 1]}" || gone=$i
		done
		[ -n "$gone" ]
	}
	wait_for one_is_gone
	[ "$(sed -n 's/^retry: //p' "stream$gone" | tail -n 1)" -gt 2400000 ]
	[ "$(sed -n 's/^retry: //p' "stream$gone" | tail -n 1)" -lt 2710000 ]
	[ -z "$(tail -n 1 "stream$gone")" ]
	# What comes over a connection that was accepted is answered, but it is the last there.
	send 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nlast'
	answer
	[ "$status" = 201 ]
	[ -n "$closes" ]
	for i in 1 2 3 4; do
		[ "$i" -eq "$gone" ] || wait_for has "stream$i" 'data: las'
	done
	not has "stream$gone" 'data: las'
	exec 5>&-
	stop
}

@test "the streams that --drain ends come back to the next server, and miss nothing" {
	serve --drain 200ms
	sse-tail -q "$URL/api/any/event" -o data >tail1 3>&- &
	sse-tail -q "$URL/api/any/event" -o data >tail2 3>&- &
	two() { [ "$(curl -s "$URL/metrics" | sed -n 's/^sse_streams //p')" = 2 ]; }
	wait_for two
	text any before
	stop
	serve_at "$PORT"
	text any after
	wait_for lines_of tail1 2
	wait_for lines_of tail2 2
	[ "$(cat tail1)" = $'before\nafter' ]
	cmp tail1 tail2
}

@test "a stream that is opened on a connection that was accepted begins as any, and ends with the others" {
	serve --loops 1 --drain 1h
	# One ends at once, one stays.
	follow stream1 /api/any/event
	follow stream2 /api/any/event
	keep
	kill -TERM "$PID"
	wait_for closed
	send 'GET /api/other/event HTTP/1.1\r\nHost: localhost\r\n\r\n'
	timeout 60 cat <&5 >other
	has other 'HTTP/1.1 200'
	[ "$(grep -c ^retry: other)" -eq 2 ]
	[ "$(grep -c ^id: other)" -eq 1 ]
	exec 5>&-
	stop
}

@test "a POST whose body is on its way is answered" {
	serve --drain 1h
	keep
	send 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nhalf'
	# The head has arrived before what is asked later is answered, if not always by the same loop.
	ask "$URL/healthz"
	kill -TERM "$PID"
	wait_for closed
	send half
	answer
	[ "$status" = 201 ]
	exec 5>&-
	ends_itself
	serve
	[ "$(stored any)" = '"halfhalf"' ]
}

@test "a list is sent to its end to a client that reads slowly" {
	local i
	serve --drain 1h
	letters 900000 >large
	for i in {1..18}; do
		text big @large
		answers 201
	done
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	send 'GET /api/big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	read -r -t 60 line <&5
	[[ $line = 'HTTP/1.1 200'* ]]
	kill -TERM "$PID"
	wait_for closed
	timeout 60 cat <&5 >list
	[ "$(tr -dc x <list | wc -c)" -ge 16200000 ]
	[ "$(tr -d '\r' <list | grep -c '^0$')" -eq 1 ]
	exec 5>&-
	ends_itself
}

@test "a poll that waits is answered" {
	serve --drain 1h
	text any one
	curl -s -o polled -w '%{http_code}' "$URL/api/any?after=$(header Last-Event-ID)&wait=5m" >answer 3>&- &
	local poll=$!
	waits() { [ "$(curl -s "$URL/metrics" | sed -n 's/^sse_streams //p')" = 1 ]; }
	wait_for waits
	kill -TERM "$PID"
	ends_itself
	wait "$poll"
	[ "$(cat answer)" = 204 ]
}

@test "a client that never ends its request does not hold up the end" {
	serve
	keep
	send 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nhalf'
	stop
	exec 5>&-
}

@test "without --drain a stream gets what was stored before the end, and keeps its time to come back" {
	serve
	follow stream /api/any/event
	text any last
	stop INT
	wait_for gone "$FOLLOWER"
	has stream 'data: last'
	[ "$(grep -c ^retry: stream)" -eq 1 ]
}

@test "a time that is not valid is refused, and its range is named" {
	refuses 64 '--drain' --listen 0 --db :memory: --drain soon
	refuses 64 '--drain-delay' --listen 0 --db :memory: --drain-delay 2h
}

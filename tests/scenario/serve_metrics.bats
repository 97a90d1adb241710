#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: what it counts for Prometheus, ids of requests, and what its log says of the
# end of a stream.
# shellcheck disable=SC2013,SC2016,SC2030,SC2031,SC2034,SC2094,SC2153,SC2154
# ThreadSanitizer runs this file, too.

load serve_helpers

# metric NAME [LABEL]: its value, as in metric sse_responses_total 'code="201"'.
metric() {
	local name=$1
	[ -z "${2:-}" ] || name+="{$2}"
	curl -sS "$URL/metrics" >metrics
	sed -n "s/^$name //p" metrics
}

# becomes VALUE NAME [LABEL]: does the metric have that value?  What ends a request is counted after the
# client has its answer.
becomes() {
	[ "$(metric "${@:2}")" = "$1" ]
}

# well_formed: are the metrics the text format of Prometheus, each with its help and type before it, and
# are the buckets of histograms in order, up to the count?
well_formed() {
	curl -sS "$URL/metrics" >metrics
	awk '
		function fail(why) { print NR ": " why ": " $0 >"/dev/stderr"; failed = 1; exit 1 }
		/^# HELP / { help = $3; if (helped[help]++) fail("twice"); next }
		/^# TYPE / {
			if ($3 != help) fail("no help before")
			type = $4; base = $3; last = -1; bound = -1
			if (type != "counter" && type != "gauge" && type != "histogram") fail("no type")
			if (type == "counter" && base !~ /_total$/) fail("a counter ends with _total")
			next
		}
		!/^[a-z_]+([{][a-z]+="[^"{}\\]*"(,[a-z]+="[^"{}\\]*")*[}])? [0-9]+([.][0-9]+)?$/ { fail("no sample") }
		{
			name = $1; sub(/[{].*/, "", name)
			if (name != base && !(type == "histogram" && name ~ "^" base "_(bucket|sum|count)$"))
				fail("not of " base)
			if (seen[$1]++) fail("twice")
		}
		name ~ /_bucket$/ {
			le = $1; sub(/.*le="/, "", le); sub(/".*/, "", le)
			if (le != "+Inf" && le + 0 <= bound) fail("bounds out of order")
			bound = le + 0
			if ($2 + 0 < last) fail("fewer than in the bucket before")
			last = $2 + 0
			all = le == "+Inf"
		}
		name ~ /_count$/ && type == "histogram" && (!all || $2 + 0 != last) { fail("not all are counted") }
		END { exit failed }' metrics
}

# ended_as REASON FILE: does the log have a line of the end of the stream in this file, for this reason?
# Its head says which request it was.  EVENTS is how many it says.
ended_as() {
	local id line
	id=$(tr -d '\r' <"$2" | sed -n 's/^X-Request-ID: //p')
	line=$(grep -F "\"request\":\"$id\"" err | grep -F "\"ended\":\"$1\"") || return
	[[ $line =~ \"events\":([0-9]+),\"seconds\":[0-9]+\.[0-9]{6}\}$ ]] && EVENTS=${BASH_REMATCH[1]}
}

@test "histograms add up to the requests that were made" {
	serve --rate publish=1000/s
	local i
	for i in 1 2 3; do
		text any "$i"
		answers 201
	done
	ask "$URL/api/any"
	ask "$URL/nothing/here"
	answers 404
	ask "$URL/api/any?wrong=1"
	answers 400
	# Each look at the metrics is a request too, but not yet counted when it is answered.
	counted() {
		local count all
		count=$(metric sse_request_seconds_count)
		all=$(awk '/^sse_responses_total/ { all += $2 } END { print all }' metrics)
		[ "$count" -ge 6 ] && [ "$count" = "$all" ] &&
			[ "$(sed -n 's/^sse_responses_total{code="200"} //p' metrics)" -eq $((count - 5)) ]
	}
	wait_for counted
	becomes 3 sse_responses_total 'code="201"'
	becomes 1 sse_responses_total 'code="404"'
	becomes 1 sse_responses_total 'code="400"'
	becomes 3 sse_publish_seconds_count
	becomes 3 sse_publish_seconds_bucket 'le="+Inf"'
	[ "$(metric sse_sync_seconds_count)" -ge 3 ]
	# Nobody read.
	becomes 0 sse_publish_sent_seconds_count
	well_formed
	[[ $(metric sse_build_info 'version="[0-9.]*",libmicrohttpd="[0-9.]*"') = 1 ]]
}

@test "how long it takes to send a publish is counted once a pass, not once a stream" {
	serve --loops 1
	local i
	for i in {1..10}; do
		follow "stream$i" /api/any/event
	done
	for i in 1 2 3; do
		text any "event $i"
		answers 201
	done
	for i in {1..10}; do
		wait_for has "stream$i" 'event 3'
	done
	sent() {
		local count
		count=$(metric sse_publish_sent_seconds_count)
		[ "$count" -ge 1 ] && [ "$count" -le 3 ]
	}
	wait_for sent
	becomes 30 sse_events_delivered_total
}

@test "what a slow disk delays is in the right buckets" {
	serve_with shim_sync SHIM_SYNC_MS=120
	text any 1
	answers 201
	[ "$(metric sse_publish_seconds_bucket 'le="0.1"')" = 0 ]
	[ "$(metric sse_publish_seconds_count)" = 1 ]
	[[ $(metric sse_publish_seconds_sum) =~ ^[0-9]+\.[0-9]{6}$ ]]
	well_formed
}

@test "refusals for too many requests are counted by what is limited" {
	serve_at 127.0.0.1:0 --trust-proxy 127.0.0.1 --rate publish=2/h:2
	CLIENT=198.51.100.7
	text any 1
	text any 2
	text any 3
	answers 429
	CLIENT=
	wait_for becomes 1 sse_rate_limited_total 'kind="publish"'
	wait_for becomes 1 sse_responses_total 'code="429"'
}

@test "an answer has the id of its request, and so has the log" {
	serve -v --log json
	local id seen=''
	for target in /healthz /nothing /api/any '/api/any/event?last=0x' '/%'; do
		ask "$URL$target"
		id=$(header X-Request-ID)
		[[ $id =~ ^[0-9a-f]{16}$ ]]
		[[ $seen != *$id* ]]
		seen+=" $id"
		wait_for has err "\"request\":\"$id\""
		[ "$(grep -F "\"request\":\"$id\"" err | sed 's/.*"status":\([0-9]*\).*/\1/')" = "$code" ]
	done
	# Nobody but a trusted proxy gives ids.
	ask -H 'X-Request-ID: mine' "$URL/healthz"
	[ "$(header X-Request-ID)" != mine ]
	# Also an answer that comes before the body is read, and one that had to wait.
	ask -H 'Content-Type: text/plain' -H 'Content-Length: 100000000' -d x "$URL/api/any" || true
	[[ $(header X-Request-ID) =~ ^[0-9a-f]{16}$ ]]
	text any 1
	ask "$URL/api/any?after=$(header Last-Event-ID)&wait=10ms"
	answers 204
	[[ $(header X-Request-ID) =~ ^[0-9a-f]{16}$ ]]
}

@test "the id of a trusted proxy is taken over if it is clean" {
	serve_at 127.0.0.1:0 -v --log json --trust-proxy 127.0.0.1
	local id given
	given='7f3c-A.b_9'
	ask -H "X-Request-ID: $given" "$URL/healthz"
	[ "$(header X-Request-ID)" = "$given" ]
	wait_for has err "\"request\":\"$given\""
	for given in 'a b' 'a"b' $'\xc3\xa4' 'a{b}' "$(letters 65)"; do
		ask -H "X-Request-ID: $given" "$URL/healthz"
		[[ $(header X-Request-ID) =~ ^[0-9a-f]{16}$ ]]
	done
	ask -H "X-Request-ID: $(letters 64)" "$URL/healthz"
	[ "$(header X-Request-ID)" = "$(letters 64)" ]
}

@test "the end of each stream is a line of the log: why, how long, and how many events" {
	(umask 077 && printf 'anonymous read=** publish=** status\nguest sha256:%s read=**\n' "$(printf sse_guest2222222222222222222222222222 | sha256sum | cut -d ' ' -f 1)" >rules)
	serve -v --log json --access rules --heartbeat 100ms
	text any 1
	text any 2
	# The client goes.
	follow client '/api/any/event?since=all' -i
	wait_for has client 'data: 2'
	kill "$FOLLOWER"
	wait_for ended_as client client
	[ "$EVENTS" = 2 ]
	# It was to end.
	curl -siN "$URL/api/any/event?since=all&until=now" >complete
	wait_for ended_as complete complete
	[ "$EVENTS" = 2 ]
	# Its topic is closed.
	follow closed /api/over/event -i
	text 'over?close=1' last
	answers 201
	wait_for ended_as closed closed
	# Its token is gone.
	follow denied /api/any/event -i -H 'Authorization: Bearer sse_guest2222222222222222222222222222'
	(umask 077 && echo 'anonymous read=** publish=** status' >rules)
	kill -HUP "$PID"
	wait_for ended_as denied denied
	for reason in client complete closed denied; do
		wait_for becomes 1 sse_streams_ended_total "reason=\"$reason\""
	done
	# The server stops.
	follow stopped /api/any/event -i
	stop
	ended_as stopped stopped
	[ "$EVENTS" = 0 ]
}

@test "the end of a stream that stalls is told, and of none without -v" {
	serve --log json --stall-timeout 1s --heartbeat 200ms -v
	letters 300000 >large
	exec 4<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /api/any/event HTTP/1.1\r\nHost: localhost\r\n\r\n' >&4
	read -r -u 4 -t 60 _
	local i
	for i in {1..40}; do
		text any @large
		answers 201
	done
	wait_for becomes 1 sse_streams_ended_total 'reason="stalled"'
	wait_for has err '"ended":"stalled"'
	exec 4>&-
	stop
	: >err
	serve --log json
	follow stream /api/any/event
	stop
	not has err ended
}

@test "the alert rules of the man page are about metrics that there are" {
	serve
	local page=$BATS_TEST_DIRNAME/../../man/sse-serve.1 name
	curl -sS "$URL/metrics" >metrics
	sed -n '/^groups:/,/^\.Ed/p' "$page" | sed '$d' >rules.yml
	[ "$(grep -c 'alert: ' rules.yml)" -eq 6 ]
	for name in $(grep -o 'sse_[a-z_]*' rules.yml | sed 's/_bucket$//' | sort -u); do
		has metrics "# TYPE $name " || { echo "there is no $name" >&2; return 1; }
	done
	for name in $(grep -o 'reason="[a-z]*"' rules.yml); do
		has metrics "sse_streams_ended_total{$name}"
	done
	# Every metric that the page tells of.
	for name in $(sed -n 's/^\.It Cm \(sse_[a-z_]*\)$/\1/p' "$page"); do
		has metrics "# TYPE $name "
	done
}

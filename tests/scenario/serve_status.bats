#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: its own figures, by $sys and /metrics, and whether it is ready.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2153,SC2154

load serve_helpers

# stats FILE: the newest event's data.
stats() {
	sed -n 's/^data: //p' "$1" | tail -n 1
}

# samples: the figures of the last ten minutes.
samples() {
	ask "$URL/api/\$sys"
	answers 200 && cat body
}

# says FILE TEXT: does the newest event have it?
says() {
	[[ $(stats "$1") = *"$2"* ]]
}

# metric NAME: its value.
metric() {
	ask "$URL/metrics"
	answers 200 && sed -n "s/^$1 //p" body
}

@test "\$sys tells the server's figures once a second, without an id and without storing them" {
	serve
	local port
	json any 1
	text any 2
	text 'any?ephemeral=1' 3
	follow stream /api/any/event
	follow named '/api/other/event?as=Ada'
	follow sys '/api/$sys/event'
	wait_for has sys 'event: stats'
	text any 4
	wait_for says sys '{"topic":"any","streams":1,"published":4}'
	wait_for says sys '"streams":2,"behind":0,"names":1,"published":5,'
	stats sys | node -e '
		const stats = JSON.parse(require("fs").readFileSync(0, "utf8"))
		const number = (value) => { if (!Number.isInteger(value) || value < 0) throw value }
		number(stats.uptime), number(stats.delivered), number(stats.requests)
		if (new Date(stats.time).toJSON() !== stats.time || stats.version === "") throw stats.time
		number(stats.window.bytes), number(stats.window.events)
		if (stats.window.cap !== 64 << 20 || stats.database.events !== 3) throw stats.database
		number(stats.database.bytes)
		for (const times of [stats.sync_us, stats.publish_us]) number(times.count), number(times.mean), number(times.max)
		if (stats.topics.some((one) => one.topic === "$sys")) throw stats.topics'
	counts sys 'id: ' 1
	# One that comes later, by the other spelling, with envelopes.
	follow again '/api/%24sys/event?envelope=1'
	wait_for has again '{"topic":"$sys","time":"2'
	ask "$URL/api/any"
	[[ $(header Last-Event-ID) = *:3 ]]
	stop
	[ "$(sqlite3 events.db "SELECT count(*) FROM topic WHERE name LIKE '%sys%'")" = 0 ]
}

@test "who looks at the server's figures does not change them" {
	serve
	follow sys '/api/$sys/event'
	follow again '/api/$sys/event?envelope=1'
	wait_for says sys '"streams":0,"behind":0,"names":0,"published":0,"delivered":0,"requests":0,"topics":[],"window":{"bytes":0,'
	local path
	for path in / /status /status.js /favicon.ico /api '/api/$sys' /metrics /readyz /healthz /api/session; do
		ask "$URL$path"
	done
	ask -X OPTIONS "$URL/api/any"
	counted() {
		counts sys 'event: stats' "$1"
	}
	wait_for counted $(($(grep -c '^event: stats' sys) + 2))
	says sys '"streams":0,"behind":0,"names":0,"published":0,"delivered":0,"requests":0,"topics":[],"window":{"bytes":0,'
	[ "$(metric sse_streams)" = 0 ]
	[ "$(metric sse_window_events)" = 0 ]
	[ "$(metric sse_requests_total)" -ge 13 ]
	# What others do is counted.
	text any 1
	ask "$URL/api/any"
	ask "$URL/api/any/presence"
	follow stream /api/any/event
	wait_for says sys '"streams":1,"behind":0,"names":0,"published":1,"delivered":0,"requests":4,'
	# The times are those since the event before.
	wait_for says sys '"publish_us":{"count":0,"mean":0,"max":0}'
}

@test "GET /api/\$sys has a sample of the figures each five seconds, from the start of the server on" {
	serve
	text any 1
	follow stream /api/any/event
	# Nobody reads the figures meanwhile.
	several() {
		samples | node -e '
			const samples = JSON.parse(require("fs").readFileSync(0, "utf8"))
			process.exit(samples.length < 3 ? 1 : 0)'
	}
	wait_for several
	[ "$(header Content-Type)" = application/json ]
	[ "$(header Cache-Control)" = no-store ]
	node -e '
		const samples = JSON.parse(require("fs").readFileSync("body", "utf8"))
		const [first, second] = samples, last = samples.at(-1)
		const is = (value, wanted) => { if (value !== wanted) throw new Error(`${value}, not ${wanted}`) }
		is(first.published, 0), is(first.requests, 0), is(first.streams, 0)
		is(last.published, 1), is(last.requests, 2), is(last.streams, 1), is(last.behind, 0)
		is(samples.reduce((sum, { publish_us: { count } }) => sum + count, 0), 1)
		const one = samples.find(({ publish_us: { count } }) => count > 0)
		is(one.publish_us.max, one.publish_us.mean), is(one.publish_us.max > 0, true)
		for (const [i, sample] of samples.entries()) {
			is(new Date(sample.time).toJSON(), sample.time)
			is(i === 0 || new Date(sample.time) - new Date(samples[i - 1].time) >= 4500, true)
		}'
	stop
	serve
	samples | grep -qv '"published":1'
	ask "$URL/api/\$sys?limit=1"
	problem 400 'takes none'
	# They are for those that the figures are for.
	ask -H 'X-Forwarded-For: 127.0.0.1' "$URL/api/\$sys"
	problem 403 'open-status'
}

@test "\$sys is a stream and samples: no events, no POST, no name, and no pattern matches it" {
	serve
	follow sys '/api/$sys/event'
	follow all '/api/event?topic=**&topic=*'
	wait_for has sys 'event: stats'
	local name
	for name in '$sys' %24sys; do
		ask "$URL/api/$name/presence"
		problem 404 'GET /api/$sys/event'
		ask "$URL/api/$name/tag:1"
		problem 404 'GET /api/$sys/event'
		text "$name" x
		problem 405 GET
		text "$name?ephemeral=1" x
		problem 405 GET
		text "$name/event" x
		problem 405 GET
		ask "$URL/api/$name/event?as=Ada"
		problem 400 "'as' is a parameter of a topic's stream, not of"
		ask "$URL/api/event?topic=$name&topic=a"
		problem 400 'topic='
		ask --head "$URL/api/$name/event"
		answers 200
		[ "$(header Content-Type)" = text/event-stream ]
		ask -X GET -d x "$URL/api/$name/event"
		problem 400 'must not have a body'
	done
	text any end
	wait_for has all 'data: end'
	not has all stats
	# It goes on from an id like any stream, and misses what was.
	follow resumed '/api/$sys/event?since=all'
	wait_for has resumed 'event: stats'
}

@test "the 20 most active topics are told, those with events or streams before others" {
	serve
	local i
	for i in {1..30}; do
		curl -sS -H 'Content-Type: text/plain' -d x "$URL/api/t/$i?_=[1-$((i > 10 ? 3 : 1))]"
	done
	follow sys '/api/$sys/event'
	wait_for has sys 'event: stats'
	stats sys | node -e '
		const { topics } = JSON.parse(require("fs").readFileSync(0, "utf8"))
		if (topics.length !== 20 || topics.some((one) => one.published !== 3)) throw topics'
	# What is read by someone comes first among equals.
	stop
	serve
	follow sys '/api/$sys/event'
	wait_for has sys '"topics":[]'
	follow reader /api/t/7/event
	wait_for says sys '"topics":[{"topic":"t/7","streams":1,"published":0}]'
}

@test "a reader that is behind is counted, and so is what went out" {
	serve --stall-timeout 1h
	follow sys '/api/$sys/event'
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /api/any/event HTTP/1.1\r\nHost: localhost\r\n\r\n' >&5
	wait_for says sys '"streams":1,'
	letters 900000 >large
	local i
	for i in {1..12}; do
		text any @large
	done
	wait_for says sys '"behind":1,'
	exec 5<&- 5>&-
	wait_for says sys '"streams":0,"behind":0,'
	follow reader '/api/any/event?since=all'
	complete() {
		counts reader 'event: update' 12
	}
	wait_for complete
	at_least() {
		[ "$(stats sys | sed 's/.*"delivered":\([0-9]*\),.*/\1/')" -ge 12 ]
	}
	wait_for at_least
}

@test "\$sys and /metrics are for this machine only, unless --open-status says otherwise" {
	local address port
	address=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 '\.') || true
	serve --listen unix:s.sock
	ask --unix-socket s.sock http://localhost/metrics
	answers 200
	ask --max-time 1 --unix-socket s.sock 'http://localhost/api/$sys/event' || true
	answers 200
	# Through a proxy anybody could come from here.
	local header
	for header in 'X-Forwarded-For: 127.0.0.1' 'Forwarded: for=127.0.0.1' 'Via: 1.1 x' 'X-Real-IP: ::1'; do
		ask -H "$header" "$URL/api/\$sys/event"
		problem 403 'open-status'
		ask -H "$header" "$URL/metrics"
		problem 403 'open-status'
		ask --head -H "$header" "$URL/api/\$sys/event"
		answers 403
		ask -H "$header" "$URL/readyz"
		answers 200
	done
	stop
	serve --open-status
	ask -H 'X-Forwarded-For: 192.0.2.1' "$URL/metrics"
	answers 200
	stop
	[ -n "$address" ] || skip 'this machine has no address beyond loopback'
	local option
	for option in '' --open-status; do
		serve --open --listen 0.0.0.0:0 $option
		port=$(sed -n 's/.*Listening on .*0\.0\.0\.0:\([0-9]*\).*/\1/p' err | tail -n 1)
		ask "http://$address:$port/metrics"
		answers "$([ -n "$option" ] && echo 200 || echo 403)"
		ask --max-time 1 "http://$address:$port/api/\$sys/event" || true
		answers "$([ -n "$option" ] && echo 200 || echo 403)"
		stop
	done
}

@test "/metrics has the figures for Prometheus" {
	serve --retain ,1000
	text any 1
	text any 2
	follow stream '/api/any/event?since=all&mark=1'
	# What is ephemeral, like a join, is only for a stream that has caught up.
	wait_for has stream uptodate
	follow named '/api/any/event?as=Ada'
	wait_for has named join
	[ "$(metric sse_streams)" = 2 ]
	[ "$(metric sse_names)" = 1 ]
	[ "$(metric sse_events_published_total)" = 3 ]
	delivered() {
		[ "$(metric sse_events_delivered_total)" = 4 ]
	}
	wait_for delivered
	[ "$(metric sse_database_events)" = 2 ]
	[ "$(metric sse_sync_seconds_count)" -ge 2 ]
	[ "$(metric sse_publish_seconds_count)" = 2 ]
	[[ $(header Content-Type) = 'text/plain; version=0.0.4'* ]]
	not grep -vE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+)$' body
	ask -X POST -d x "$URL/metrics"
	problem 405 GET
	stop
	serve --db :memory:
	[ -z "$(metric sse_database_events)" ]
}

@test "/healthz and /readyz" {
	serve
	ask "$URL/readyz"
	answers 200
	[ "$(cat body)" = ready ]
	ask --head "$URL/readyz"
	answers 200
	ask "$URL/healthz"
	[ "$(cat body)" = ok ]
}

@test "stored events are counted over restarts, and while retention removes them" {
	serve
	text a 1
	text b 2
	[ "$(metric sse_database_events)" = 2 ]
	stop
	serve --retain ,2
	[ "$(metric sse_database_events)" = 2 ]
	text a 3
	text a 4
	text a 5
	[ "$(metric sse_database_events)" = 2 ]
	stop
	serve --retain-topic a=,1
	[ "$(metric sse_database_events)" -le 2 ]
	text b 6
	at_most_two() {
		[ "$(metric sse_database_events)" = 2 ]
	}
	wait_for at_most_two
	stop
	# Without a rule they are counted too.
	serve
	[ "$(metric sse_database_events)" = 2 ]
	text b 7
	[ "$(metric sse_database_events)" = 3 ]
	[ "$(metric sse_database_bytes)" -gt 10000 ]
}

@test "/readyz is 503 while the server is stopping" {
	serve --loops 1
	local status length=0
	# Another program holds the database, so that a POST is under way for as long as we like.
	mkfifo hold
	sqlite3 events.db <hold >held 3>&- 4>&- &
	exec 6>hold
	echo "BEGIN IMMEDIATE; SELECT 'it is';" >&6
	wait_for has held 'it is'
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	# get PATH: ask on the connection that is open; its status.
	get() {
		local line
		printf 'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' "$1" >&5
		status=''
		while IFS= read -r -t 60 line <&5 && [ "$line" != $'\r' ]; do
			case $line in
			HTTP*) status=${line:9:3} ;;
			Content-Length*) length=${line//[^0-9]/} ;;
			esac
		done
		read -r -N "$length" -t 60 line <&5
	}
	get /readyz
	[ "$status" = 200 ]
	curl -sSv -o posted -H 'Content-Type: text/plain' -d x "$URL/api/any" 2>post.err 3>&- 4>&- 5>&- 6>&- &
	local post=$!
	wait_for grep -q 'Content-Length: 1' post.err
	get /healthz
	kill -TERM "$PID"
	refused() {
		get /readyz && [ "$status" = 503 ]
	}
	wait_for refused
	echo 'COMMIT;' >&6
	exec 6>&-
	wait "$post"
	has post.err '201 Created'
	exec 5>&-
	wait "$PID"
	PID=''
}

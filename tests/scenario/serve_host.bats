#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which requests name this server, and which pages of other origins may use it.
# shellcheck disable=SC2016,SC2153

load serve_helpers

# says LINE...: the answer to a request of these header lines, as it came.
says() {
	{
		printf '%s\r\n' "$@"
		printf 'Connection: close\r\n\r\n'
	} | raw >answer
}

# other_address: one of this machine beyond loopback, or nothing.
other_address() {
	hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 '\.' || true
}

# by_name NAME ARGUMENT...: ask for something of the server under that name.
by_name() {
	ask -H "Host: $1" "${@:2}"
}

# misdirected: the last answer is that of a server that does not go by evil.example.
misdirected() {
	problem 421 "'evil.example' is not a name of this server; its operator can add a name with --host NAME" &&
		[ "$(header Connection)" = close ]
}

@test "whatever is asked for by another name is 421, and told of --host" {
	mkdir web
	echo own >web/own.txt
	serve --web web --open-status
	local method path
	for path in / /own.txt /sse.js /none /healthz /readyz /metrics /api/any /api/any/event \
		/api/event?topic=any /api/any/presence /api/any/x:1 '/api/$sys/event' '/api/$sys' \
		/api/a%00b /api/any?limt=1 /api//; do
		for method in GET POST PUT DELETE OPTIONS FOO; do
			by_name "evil.example:$PORT" -X "$method" -d x "$URL$path"
			misdirected
			[ -z "$(header Allow)" ]
		done
		by_name evil.example --head "$URL$path"
		answers 421
	done
	says 'OPTIONS * HTTP/1.1' 'Host: evil.example'
	has answer 'HTTP/1.1 421 '
	by_name localhost "$URL/own.txt"
	[ "$(cat body)" = own ]
}

@test "a page that has its name lead here can neither read nor publish" {
	serve
	text any secret
	local origin=http://evil.example:$PORT
	text any hello -H "Host: evil.example:$PORT" -H "Origin: $origin" -H 'Sec-Fetch-Site: same-origin'
	misdirected
	by_name "evil.example:$PORT" "$URL/api/any?since=all"
	misdirected
	not has body secret
	[ "$(stored any)" = '"secret"' ]
	# A person is told so in words.
	by_name "evil.example:$PORT" -H 'Accept: text/html,*/*;q=0.8' "$URL/"
	answers 421
	has body '<h1>421 '
	has body 'with --host NAME'
}

@test "localhost and the loopback addresses are the server's, by any port" {
	serve
	local name
	for name in localhost "localhost:$PORT" LOCALHOST:1 localhost. 127.0.0.1 127.9.9.9:80 '[::1]' \
		'[::1]:8000' 0.0.0.0:8000; do
		by_name "$name" "$URL/healthz"
		answers 200
	done
	for name in evil.example localhost.evil.example 127.0.0.1.evil.example 10.0.0.1 '[::2]' 127.1; do
		by_name "$name" "$URL/healthz"
		problem 421 "'$name'"
	done
}

@test "a Host that is missing, empty, there twice or not a host is 400" {
	serve
	local host
	says 'GET /healthz HTTP/1.1'
	has answer 'HTTP/1.1 400 '
	# Newer versions of libmicrohttpd say it in words of their own.
	has answer Host
	says 'GET /healthz HTTP/1.1' 'Host: localhost' 'Host: localhost'
	has answer 'HTTP/1.1 400 '
	says 'GET /healthz HTTP/1.1' 'Host: localhost' 'hOST: evil.example'
	has answer 'HTTP/1.1 400 '
	for host in '' ' ' 'evil.example@localhost' 'localhost evil.example' 'localhost:' \
		'localhost:x' 'localhost:65536' 'localhost/' '[::1' $'local\x01host' $'local\xffhost'; do
		says 'GET /healthz HTTP/1.1' "Host: $host"
		if [ "$host" = localhost: ]; then
			has answer 'HTTP/1.1 200 '
		else
			has answer 'HTTP/1.1 400 '
		fi
	done
	# Health probes of HTTP/1.0 have none; if they have one, it counts.
	says 'GET /healthz HTTP/1.0'
	has answer ' 200 OK'
	says 'GET /healthz HTTP/1.0' 'Host: evil.example'
	has answer ' 421 '
}

@test "a target in absolute form has the host, and Host does not count" {
	serve
	says 'GET http://localhost/healthz HTTP/1.1' 'Host: evil.example'
	has answer ' 200 OK'
	says 'GET http://evil.example/healthz HTTP/1.1' 'Host: localhost'
	has answer ' 421 '
	has answer "'evil.example' is not"
	says 'GET HTTP://evil.example HTTP/1.1' 'Host: localhost'
	has answer ' 421 '
	says 'GET http://evil.example@localhost/healthz HTTP/1.1' 'Host: localhost'
	has answer ' 400 '
	says 'GET http:///healthz HTTP/1.1' 'Host: localhost'
	has answer ' 400 '
	says 'GET http://localhost/healthz HTTP/1.1'
	has answer ' 400 '
	says 'GET http://localhost/healthz HTTP/1.1' 'Host: a b'
	has answer ' 400 '
	says 'GET http://evil.example/healthz HTTP/1.0'
	has answer ' 421 '
	# Of the server itself is what the target names, not what Host does.
	says 'POST http://localhost:1/api/any HTTP/1.1' 'Host: evil.example' 'Origin: http://evil.example' \
		'Content-Type: text/plain' 'Content-Length: 0'
	has answer ' 403 '
	says 'POST http://localhost:1/api/any HTTP/1.1' 'Host: evil.example' 'Origin: http://localhost:1' \
		'Content-Type: text/plain' 'Content-Length: 0'
	has answer ' 201 '
}

@test "nothing else of a request by another name is looked at" {
	serve --max-body 1000
	local i
	# Not how long its body is, and what follows it is not a request.
	printf 'POST /api/any HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s' \
		$'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n' | raw >answer
	has answer 'HTTP/1.1 421 '
	counts answer HTTP/1.1 1
	letters 2000 >large
	text any @large -H 'Host: evil.example'
	misdirected
	# A name is repeated only so far.
	by_name "$(letters 200)" "$URL/"
	problem 421 "'$(letters 100)' is not"
	# The library has no connection left open by them.
	i=$(descriptors)
	for _ in {1..20}; do
		by_name evil.example "$URL/"
	done
	wait_for down_to "$i"
}

@test "--host gives the server more names" {
	serve --host events.example.org --host '*.Wild.example' --host 192.0.2.1
	local name
	for name in events.example.org EVENTS.example.org.:443 a.wild.example a.b.wild.example:80 \
		192.0.2.1 localhost; do
		by_name "$name" "$URL/healthz"
		answers 200
	done
	for name in wild.example a.events.example.org evil.example 192.0.2.2; do
		by_name "$name" "$URL/healthz"
		problem 421 "'$name'"
	done
	# Its pages are the server's own.
	text any hello -H 'Host: events.example.org' -H 'Origin: https://events.example.org'
	answers 201
	text any hello -H 'Host: events.example.org' -H 'Origin: https://evil.example'
	problem 403 'may not publish'
	stop
	SSE_HOST=one.example serve
	by_name one.example "$URL/healthz"
	answers 200
}

@test "a --host that is more than a name is 64, and told what is right" {
	local bad
	for bad in example.org:80 http://example.org example.org/ 'a b' '*' 'a.*.b' ::1 a@b ''; do
		refuses 64 '--host' --host "$bad" --db events.db
		[ -z "$bad" ] || has refused.err 'without scheme, port or path, as in events.example.org'
	done
	[ ! -e events.db ]
}

@test "the address that a connection came in on is the server's" {
	local address port
	address=$(other_address)
	[ -n "$address" ] || skip 'this machine has no address beyond loopback'
	serve --open --listen 0.0.0.0:0
	port=$(sed -n 's/.*Listening on .*0\.0\.0\.0:\([0-9]*\).*/\1/p' err | tail -n 1)
	# Twice on one connection.
	local each=(-sS -o body -w '%{http_code} %{num_connects}\n' "http://$address:$port/healthz")
	curl "${each[@]}" --next "${each[@]}" >codes
	[ "$(tr '\n' ' ' <codes)" = '200 1 200 0 ' ]
	by_name evil.example "http://$address:$port/healthz"
	misdirected
	by_name 192.0.2.1 "http://$address:$port/healthz"
	problem 421 "'192.0.2.1'"
	# On loopback it is not.
	by_name "$address" "$URL/healthz"
	problem 421 "'$address'"
	by_name localhost "http://$address:$port/healthz"
	answers 200
}

@test "a name that is listened on is the server's" {
	start "$BIN/sse-serve" --listen "$(hostname):0" --open --db events.db
	URL=$(sed -n 's/^Listening on //p' out)
	if [ -z "$URL" ]; then
		PID=''
		skip 'the name of this machine leads to no address of it'
	fi
	ask "$URL/healthz"
	answers 200
	by_name evil.example "$URL/healthz"
	misdirected
}

@test "a local socket asks for a name too" {
	start "$BIN/sse-serve" --listen "unix:$PWD/s.sock" --db events.db
	ask --unix-socket s.sock http://localhost/healthz
	answers 200
	ask --unix-socket s.sock http://evil.example/healthz
	misdirected
	ask --unix-socket s.sock http://s.sock/healthz
	problem 421 "'s.sock'"
}

# preflight ORIGIN PATH METHOD [ARGUMENT...]
preflight() {
	ask -X OPTIONS -H "Origin: $1" -H "Access-Control-Request-Method: $3" "${@:4}" "$URL$2"
	answers 204
}

@test "a preflight is answered by what the target takes, for the origins of --cors only" {
	serve --cors https://good.example
	preflight https://good.example /api/any POST -H 'Access-Control-Request-Headers: authorization,content-type'
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
	[ "$(header Access-Control-Allow-Methods)" = 'GET, HEAD, POST, DELETE, OPTIONS' ]
	[ "$(header Access-Control-Allow-Credentials)" = true ]
	[ "$(header Access-Control-Allow-Headers)" = \
		'Authorization, Content-Type, Last-Event-ID, Idempotency-Key, If-Match, If-None-Match, Cache-Control' ]
	[ "$(header Vary)" = Origin ]
	[ -z "$(header Access-Control-Allow-Private-Network)" ]
	preflight https://good.example /api/any/event GET
	[ "$(header Access-Control-Allow-Methods)" = 'GET, HEAD, OPTIONS' ]
	preflight https://evil.example /api/any POST -H 'Access-Control-Request-Private-Network: true'
	not has head Access-Control
	[ "$(header Vary)" = Origin ]
	preflight null /api/any POST -H 'Access-Control-Request-Private-Network: true'
	not has head Access-Control
}

@test "credentials are for origins that are named, also where all are allowed" {
	serve --cors '*' --cors https://good.example
	local origin path
	for path in /api/any /nothing /healthz; do
		ask -H 'Origin: https://good.example' "$URL$path"
		[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
		[ "$(header Access-Control-Allow-Credentials)" = true ]
		[[ $(header Access-Control-Expose-Headers) = *Retry-After*WWW-Authenticate* ]]
		for origin in https://other.example null '*'; do
			ask -H "Origin: $origin" "$URL$path"
			[ "$(header Access-Control-Allow-Origin)" = '*' ]
			[ -z "$(header Access-Control-Allow-Credentials)" ]
		done
	done
	follow named /api/any/event -i -H 'Origin: https://good.example'
	has named $'Access-Control-Allow-Origin: https://good.example\r'
	has named $'Access-Control-Allow-Credentials: true\r'
	follow any /api/any/event -i -H 'Origin: https://other.example'
	has any $'Access-Control-Allow-Origin: *\r'
	not has any Credentials
	# What is answered by hand, before the body has come.
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nOrigin: https://good.example\r\nContent-Length: 9999999\r\n\r\n' |
		raw >answer
	has answer ' 413 '
	has answer $'Access-Control-Allow-Credentials: true\r'
	ask "$URL/healthz"
	not has head Access-Control
}

@test "only an origin that is named is let in from the public network to a private one" {
	serve --cors '*' --cors https://good.example
	local wish='Access-Control-Request-Private-Network: true'
	preflight https://good.example /api/any POST -H "$wish"
	[ "$(header Access-Control-Allow-Private-Network)" = true ]
	preflight https://good.example /api/any POST
	[ -z "$(header Access-Control-Allow-Private-Network)" ]
	preflight https://other.example /api/any POST -H "$wish"
	[ "$(header Access-Control-Allow-Origin)" = '*' ]
	[ -z "$(header Access-Control-Allow-Private-Network)" ]
	[ -z "$(header Access-Control-Allow-Credentials)" ]
}

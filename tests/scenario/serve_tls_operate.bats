#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of TLS for who operates the server: plain ports beside it, certificates that are replaced,
# clients that prove themselves by a certificate, cookies and other headers, figures.
# shellcheck disable=SC2016,SC2153
# ThreadSanitizer runs this file, too.

load tls_helpers

setup() {
	tls_setup
}

# replace NAME: put that certificate and its key in the place of the server's.
replace() {
	mv "$1.key" server.key
	mv "$1.pem" server.pem
}

# subject: whom the server's certificate is for.
subject() {
	client </dev/null
	sed -n 's/^subject=//p' said
}

# has_subject NAME
has_subject() {
	[[ $(subject) = CN?(' ')=?(' ')"$1" ]]
}

@test "https: and http: side by side; a plain request from elsewhere is redirected" {
	local address plain
	address=$(other_address)
	[ -n "$address" ] || skip 'this machine has no address beyond loopback'
	start sse-serve --db :memory: --open --tls-cert server.pem --tls-key server.key \
		--listen https:0.0.0.0:0 --listen http:0.0.0.0:0
	has out 'Listening on https://0.0.0.0:'
	PORT=$(sed -n 's/.*https:\/\/0.0.0.0:\([0-9]*\),.*/\1/p' err)
	plain=$(sed -n 's/.*, http:\/\/0.0.0.0:\([0-9]*\)$/\1/p' err)
	URL=http://$address:$plain
	ask "$URL/api/chat?limit=1"
	problem 308 'https://'
	[ "$(header Location)" = "https://$address:$PORT/api/chat?limit=1" ]
	text chat one
	answers 308
	ask -H 'Host: evil.example' "$URL/"
	answers 421
	ask --http1.0 -H 'Host:' "$URL/"
	problem 400 'no Host header'
	# Absolute form, as to a proxy.
	ask --proxy "$URL" "$URL/api"
	answers 308
	[ "$(header Location)" = "https://$address:$PORT/api" ]
	# From this machine, plain requests are served.
	URL=http://127.0.0.1:$plain
	text chat one
	answers 201
	URL=https://127.0.0.1:$PORT
	[ "$(stored chat | jq -r .)" = one ]
}

@test "SIGHUP reads the certificate again; streams go on; a pair that does not fit changes nothing" {
	serve_tls
	text chat one
	follow stream /api/chat/event
	has_subject localhost
	certificate other /CN=other
	# The certificate without its key.
	cp other.pem server.pem
	kill -HUP "$PID"
	wait_for has err 'server.key is not the key of the certificate in --tls-cert server.pem'
	not has_subject other
	text chat two
	answers 201
	replace other
	kill -HUP "$PID"
	wait_for has err 'reloaded'
	has_subject other
	text chat three
	answers 201
	wait_for has stream 'data: three'
}

@test "a certificate that changes on the disk is used without a signal" {
	serve_tls
	text chat one
	follow stream /api/chat/event
	certificate other /CN=other
	replace other
	wait_for has err 'the certificate was replaced'
	has_subject other
	echo rubbish >server.pem
	wait_for has err 'the old certificate stays in force'
	counts err 'the old certificate stays in force' 1
	text chat two
	answers 201
	wait_for has stream 'data: two'
}

@test "certificates change under load: no connection fails, and no stream ends or misses anything" {
	local i pids=()
	serve_tls
	for i in 1 2 3; do
		follow "stream$i" /api/load/event
		pids+=("$FOLLOWER")
	done
	ask_on() {
		while [ ! -e enough ]; do
			curl -sSf -o /dev/null --max-time 90 -H 'Content-Type: text/plain' -d "$1" "$URL/api/load" || return
		done
	}
	ask_on one 2>one.err 3>&- &
	local one=$!
	ask_on two 2>two.err 3>&- &
	local two=$!
	for ((i = 1; i <= 6; i++)); do
		certificate other "/CN=number$i"
		replace other
		[ $((i % 2)) -eq 0 ] || kill -HUP "$PID"
		wait_for has_subject "number$i"
	done
	touch enough
	ended "$one" 0
	ended "$two" 0
	stored load >all
	grew all 12
	for i in 1 2 3; do
		wait_for same_data "stream$i"
		not gone "${pids[i - 1]}"
	done
}

# same_data FILE: has the stream all that is stored?
same_data() {
	data "$1" | cmp -s - <(jq -r . all)
}

@test "the certificate may be a link, as certbot makes it, that leads to another file later" {
	mkdir -p live archive
	mv server.pem server.key archive
	ln -s ../archive/server.pem live/cert.pem
	ln -s ../archive/server.key live/key.pem
	serve --tls-cert live/cert.pem --tls-key live/key.pem
	certificate archive/other /CN=other
	ln -sf ../archive/other.key live/key.pem
	ln -sf ../archive/other.pem live/cert.pem
	wait_for has err 'the certificate was replaced'
	has_subject other
}

@test "--client-ca: only clients with a certificate of that CA, whom the access file can name" {
	new_ca clients
	certificate ann /CN=ann 10 clients
	certificate eve /CN=eve 10 clients
	certificate mallory /CN=ann 10 ca
	printf 'ann certificate publish=chat read=chat as=Ann\n' >rules
	chmod go= rules
	serve_tls --client-ca clients.pem --access rules
	ask "$URL/healthz" || true
	answers 000
	ask --cert mallory.pem --key mallory.key "$URL/healthz" || true
	answers 000
	ask --cert eve.pem --key eve.key "$URL/healthz"
	answers 200
	text chat one --cert eve.pem --key eve.key
	answers 401
	text chat one --cert ann.pem --key ann.key
	answers 201
	text news one --cert ann.pem --key ann.key
	problem 403 'ann may not publish to the topic news'
	ask --cert ann.pem --key ann.key "$URL/api/session"
	[ "$(jq -r '.name + " " + .as' body)" = 'ann Ann' ]
	# A browser shows the certificate to the requests of any page.
	text chat one --cert ann.pem --key ann.key -H 'Origin: https://evil.example'
	problem 403 'a page of https://evil.example may not'
	# The name alone is no proof.
	text chat one --cert eve.pem --key eve.key -H 'Authorization: Bearer ann'
	answers 401
	follow stream /api/chat/event --cert ann.pem --key ann.key
	SSE_URL=$URL sse-post --cert ann.pem --key ann.key chat -d two
	wait_for has stream 'data: two'
	printf 'ann certificate publish=chat\n' >rules
	kill -HUP "$PID"
	wait_for has stream 'event: denied'
}

@test "when a client's certificate expires, its streams end, and its connection is of no use" {
	echo 0 >clock
	new_ca clients
	certificate ann /CN=ann 10 clients
	printf 'ann certificate publish=chat read=chat\n' >rules
	chmod go= rules
	serve_with shim_clock SHIM_CLOCK="$PWD/clock" -- --tls-cert server.pem --tls-key server.key \
		--client-ca clients.pem --access rules
	text chat one --cert ann.pem --key ann.key
	answers 201
	follow stream /api/chat/event --cert ann.pem --key ann.key
	local follower=$FOLLOWER
	ask -X POST --cert ann.pem --key ann.key "$URL/api/ticket?topic=chat"
	answers 201
	follow second "/api/chat/event?ticket=$(jq -r .ticket body)" --cert ann.pem --key ann.key
	{
		printf 'GET /api/chat HTTP/1.1\r\nHost: localhost\r\n\r\n'
		wait_for has said 'HTTP/1.1 200'
		echo $((11 * 86400)) >clock
		printf 'GET /api/chat HTTP/1.1\r\nHost: localhost\r\n\r\n'
		wait_for has said 'the certificate has expired'
		wait_for has said 'Connection: close'
	} | client -cert ann.pem -key ann.key -ign_eof
	wait_for gone "$follower"
	has stream 'data: {"reason":"the certificate has expired"}'
	wait_for gone "$FOLLOWER"
	has second 'data: {"reason":"the certificate has expired"}'
	ask --cert ann.pem --key ann.key "$URL/healthz" || true
	answers 000
}

@test "a CA of clients that is gone ends the streams of its certificates, and no others" {
	local name
	new_ca one
	new_ca two
	certificate ann /CN=ann 10 one
	certificate bob /CN=bob 10 two
	printf '%s certificate publish=chat read=chat\n' ann bob >rules
	chmod go= rules
	cat one.pem two.pem >clients.pem
	serve_tls --client-ca clients.pem --access rules
	for name in ann bob; do
		text chat "$name" --cert $name.pem --key $name.key
		answers 201
		follow $name /api/chat/event --cert $name.pem --key $name.key
	done
	cp two.pem clients.pem
	{
		printf 'GET /api/chat HTTP/1.1\r\nHost: localhost\r\n\r\n'
		wait_for has said 'HTTP/1.1 200'
		kill -HUP "$PID"
		wait_for has ann 'data: {"reason":"the CA of the certificate was withdrawn"}'
		printf 'GET /api/chat HTTP/1.1\r\nHost: localhost\r\n\r\n'
		wait_for has said 'Connection: close'
		has said 'the CA of the certificate was withdrawn'
	} | client -cert ann.pem -key ann.key -ign_eof
	ask --cert ann.pem --key ann.key "$URL/healthz" || true
	answers 000
	text chat 'as ever' --cert bob.pem --key bob.key
	wait_for has bob 'data: as ever'
	not has bob denied
	# Without a signal.
	cp one.pem clients.pem
	wait_for has bob 'data: {"reason":"the CA of the certificate was withdrawn"}'
}

@test "--client-ca without an access file" {
	new_ca clients
	certificate ann /CN=ann 10 clients
	serve_tls --client-ca clients.pem
	ask "$URL/healthz" || true
	answers 000
	sse-post --cert ann.pem --key ann.key "$URL/api/chat" -d one
	sse-tail --cert ann.pem --key ann.key "$URL/api/chat/event" --since all -n 1 -o data >got
	[ "$(cat got)" = one ]
}

@test "over TLS cookies are Secure, and a page that came without TLS is a stranger" {
	local token
	sse-serve --new-token ann >rules 2>token
	chmod go= rules
	token=$(cat token)
	serve_tls --access rules --hsts 180d
	ask -X POST -H "Authorization: Bearer $token" "$URL/api/session"
	answers 201
	[[ $(header Set-Cookie) = *'; Secure' ]]
	[ "$(header Strict-Transport-Security)" = max-age=15552000 ]
	text chat one -H "Authorization: Bearer $token" -H "Origin: $URL"
	answers 201
	text chat one -H "Authorization: Bearer $token" -H "Origin: http://localhost:$PORT"
	problem 403 "a page of http://localhost:$PORT may not"
	ask --max-time 1 -H "Authorization: Bearer $token" "$URL/api/chat/event" || true
	[ "$(header Strict-Transport-Security)" = max-age=15552000 ]
	ask -H "Authorization: Bearer $token" "$URL/api/chat?after=$(header Last-Event-ID)" || true
}

@test "/metrics has the days that the certificate is valid" {
	certificate server /CN=localhost 10
	serve_tls
	ask "$URL/metrics"
	grep -Ex 'sse_certificate_days_left (9|10)' body
	not has body Strict-Transport-Security
	stop
	serve
	ask "$URL/metrics"
	not has body sse_certificate
}

@test "--client-ca and --hsts need --tls-cert" {
	refuses 64 'need --tls-cert' --hsts 1d
	refuses 64 'need --tls-cert' --client-ca ca.pem
	echo nothing >empty.pem
	refuses 65 '--client-ca empty.pem' --listen 0 --db :memory: --tls-cert server.pem \
		--tls-key server.key --client-ca empty.pem
}

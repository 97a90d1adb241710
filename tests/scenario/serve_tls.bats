#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of TLS: requests, streams and polls over it, versions, and clients that do it badly.
# shellcheck disable=SC2016,SC2153
# ThreadSanitizer runs this file, too.

load tls_helpers

setup() {
	tls_setup
}

@test "over TLS: publishing, lists, a stream, a stream that ends, a list that waits" {
	local id
	serve_tls
	[[ $URL = https://localhost:* ]]
	has err "Listening on $URL"
	follow stream /api/chat/event
	post chat -d one
	post chat -d two
	wait_for has stream 'data: two'
	[ "$(stored chat | jq -r .)" = $'one\ntwo' ]
	ask "$URL/api/chat/event?since=all&until=now"
	answers 200
	has body 'event: uptodate'
	[ "$(data body | head -n 2)" = $'one\ntwo' ]
	id=$(header Last-Event-ID)
	ask "$URL/api/chat"
	id=$(header Last-Event-ID)
	ask "$URL/api/chat?after=$id&wait=200ms"
	answers 204
	curl -sS --max-time 60 "$URL/api/chat?after=$id&wait=50s" >list 3>&- &
	wait_for waits_in chat 2
	post chat -d three
	ended $! 0
	[ "$(cat list)" = '["three"]' ]
}

# waits_in TOPIC COUNT: are there so many streams and polls of the topic?
waits_in() {
	[ "$(curl -s "$URL/api" | jq ".[] | select(.topic == \"$1\").streams")" = "$2" ]
}

@test "over TLS: requests on one connection, then a stream on the same" {
	serve_tls
	text chat one
	cat >requests.mjs <<-'END'
		import tls from 'node:tls'
		const [port] = process.argv.slice(2)
		const ask = target => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`
		const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost' })
		// At once, without waiting for the answers.
		socket.write(ask('/healthz') + ask('/api/chat') + ask('/api/chat/event?since=all&until=now'))
		socket.pipe(process.stdout)
	END
	timeout 60 node requests.mjs "$PORT" >answers
	counts answers 'HTTP/1.1 200 OK' 3
	has answers '["one"]'
	has answers 'event: uptodate'
}

@test "over TLS: a slow reader gets each event once and in order, from the log too" {
	local reader
	serve_tls --window 64k
	mkfifo pipe
	# A topic is known from its first event on.
	text chat 0
	sse-tail "$URL/api/chat/event" --no-reconnect -n 2000 -o data >pipe 2>tail.err 3>&- &
	reader=$!
	exec 5<pipe
	wait_for waits_in chat 1
	seq 2000 | sed "s/\$/ $(letters 5000)/" | post chat -l -q
	sed 's/ .*//' <&5 >got
	exec 5<&-
	ended $reader 0
	seq 2000 | cmp - got
}

@test "over TLS: a body as large as the limit, one that is larger, and a large list" {
	serve_tls --max-body 3M
	letters 3000000 >large
	text chat @large
	answers 201
	letters 4000000 >large
	text chat @large
	answers 413
	has body '--max-body'
	[ "$(stored chat | jq -j . | wc -c)" -eq 3000000 ]
}

@test "TLS 1.2 and 1.3, nothing older; no renegotiation, no compression; HTTP/1.1 by ALPN" {
	local version
	serve_tls
	client -tls1_2 -alpn h2,http/1.1 </dev/null
	has said 'Protocol  : TLSv1.2'
	has said 'ALPN protocol: http/1.1'
	has said 'Compression: NONE'
	has said 'Verification: OK'
	client -tls1_3 </dev/null
	has said 'New, TLSv1.3'
	for version in -tls1 -tls1_1; do
		not client $version -cipher DEFAULT@SECLEVEL=0 </dev/null
		has said 'alert protocol version'
	done
	not client -alpn h2 </dev/null
	has said 'no application protocol'
	# R on a line of its own asks s_client to renegotiate.
	printf 'R\n' | client -tls1_2 || true
	has said 'no renegotiation'
}

@test "an address may be written as a URL begins" {
	start "$BIN/sse-serve" --db :memory: --listen https://localhost:0 --listen HTTP://127.0.0.1:0 \
		--tls-cert server.pem --tls-key server.key
	has out 'Listening on https://localhost:'
	has err ', http://127.0.0.1:'
}

@test "/metrics counts handshakes, and -v logs why they failed" {
	serve_tls -v
	text chat one
	ask "http://localhost:$PORT/"
	answers 400
	new_ca other
	ask --cacert other.pem "$URL/" || true
	not client -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null
	wait_for has err ': TLS handshake failed: unsupported protocol'
	has err ': TLS handshake failed: it speaks plain HTTP'
	wait_for grep -E '^[^ ]+ (127.0.0.1|::1): TLS handshake failed: .*alert unknown ca' err
	ask "$URL/metrics"
	grep -Ex 'sse_tls_handshakes_total [2-9]' body
	grep -Fx 'sse_tls_handshake_failures_total 3' body
	stop
	serve
	ask "$URL/metrics"
	not has body sse_tls
}

@test "no ciphers without encryption or certificate, no early data; sessions are resumed, but not those of certificates" {
	local ciphers version
	serve_tls
	for ciphers in eNULL aNULL; do
		not client -tls1_2 -cipher "$ciphers:@SECLEVEL=0" </dev/null
		has said 'handshake failure'
	done
	for version in -tls1_2 -tls1_3; do
		resumes $version
		has said 'Reused, TLSv1.'
	done
	has session.text 'Max Early Data: 0'
	stop
	certificate ann /CN=ann
	serve_tls --client-ca ca.pem
	for version in -tls1_2 -tls1_3; do
		not resumes $version -cert ann.pem -key ann.key
		not has said Reused
	done
}

# resumes [OPTION]...: a client asks for something, and its next session goes on from the first; false if
# there is nothing to go on from.
resumes() {
	rm -f session said
	{
		printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
		wait_for has said closed
	} | client -sess_out session "$@"
	has said 'HTTP/1.1 200'
	cp said session.text
	[ -s session ] || return
	client -sess_in session "$@" </dev/null
	has said Reused
}

@test "plain HTTP on the TLS port is answered in plain HTTP" {
	serve_tls
	ask "http://localhost:$PORT/api/chat"
	problem 400 'this port speaks TLS: use https://'
	text chat later
	answers 201
	printf 'DELETE / HTTP/1.1\r\n' | raw >answer
	has answer 'HTTP/1.1 400 Bad Request'
}

@test "a client that stalls in the handshake, or sends a byte now and then, is cut off" {
	serve_tls --request-timeout 500ms
	local before
	before=$(descriptors)
	exec 5<>"/dev/tcp/127.0.0.1/$PORT" 6<>"/dev/tcp/127.0.0.1/$PORT" 7<>"/dev/tcp/127.0.0.1/$PORT"
	# The beginning of a handshake of 512 bytes.
	printf '\026\003\001\002\000\001\000\001\374' >&6
	printf '\026\003\001\002\000\001\000\001\374' >&7
	(
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			printf x >&7
			sleep 0.1
		done
	) 2>/dev/null || true
	timeout 30 cat <&5 >/dev/null
	timeout 30 cat <&6 >/dev/null
	timeout 30 cat <&7 >/dev/null || true
	exec 5>&- 6>&- 7>&-
	wait_for down_to "$((before + 3))"
	text chat later
	answers 201
}

@test "a request that stalls within a session is cut off too" {
	serve_tls --request-timeout 500ms
	{
		printf 'GET / HTTP/1.1\r\nHost: localhost\r\n'
		wait_for has said 'Verify return code'
		wait_for has said closed
	} | client
}

@test "a ClientHello without end is refused" {
	serve_tls
	# Records of 16,000 bytes of a handshake message of 2 MB.
	{
		printf '\026\003\001\076\200'
		letters 16000
	} >record
	{
		printf '\026\003\001\076\200\001\037\377\377\003\003'
		letters 15994
		cat record record record record record record record record record record
	} >hello
	raw <hello >answer
	text chat later
	answers 201
	printf 'rubbish\r\n\r\n' | raw >answer
	text chat later
	answers 201
}

@test "a client that ends its side after a request gets the answer; its stream ends" {
	serve_tls
	text chat one
	cat >half.mjs <<-'END'
		import tls from 'node:tls'
		const [port, target] = process.argv.slice(2)
		const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', allowHalfOpen: true })
		socket.end(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
		socket.pipe(process.stdout)
	END
	timeout 60 node half.mjs "$PORT" /api/chat >answer
	has answer '["one"]'
	timeout 60 node half.mjs "$PORT" /api/chat/event >answer
	wait_for waits_in chat 0
}

@test "the server ends well with requests and streams over TLS open" {
	serve_tls
	follow stream /api/chat/event
	{
		printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
		wait_for gone "$PID"
	} | client &
	wait_for has said 'HTTP/1.1 200'
	stop
}

@test "TLS options that do not fit are refused" {
	refuses 64 'go together' --tls-cert server.pem
	refuses 64 'go together' --tls-key server.key
	refuses 64 'needs a certificate' --listen https:0
	refuses 64 "'https:unix:x.sock': a local socket never has TLS" --listen https:unix:x.sock
	refuses 64 "'http:::1:0': a scheme is http: or https:, and an IPv6 address" --listen http:::1:0
	refuses 64 "'http://localhost': this is not ADDR:PORT" --listen http://localhost
	refuses 64 'has no effect' --listen http:0 --tls-cert server.pem --tls-key server.key
	refuses 66 'cannot open missing.pem' --listen 0 --db :memory: --tls-cert missing.pem --tls-key server.key
	refuses 66 'cannot open missing.key' --listen 0 --db :memory: --tls-cert server.pem --tls-key missing.key
	refuses 65 'is not the key of the certificate' --listen 0 --db :memory: --tls-cert server.pem \
		--tls-key ca.key
	openssl pkey -in server.key -aes128 -passout pass:x -out locked.key
	chmod go= locked.key
	refuses 65 'the key is encrypted' --listen 0 --db :memory: --tls-cert server.pem --tls-key locked.key
	chmod go+w server.key
	refuses 66 'can be written by users other than its owner' --listen 0 --db :memory: \
		--tls-cert server.pem --tls-key server.key
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: what it must live through, over TLS.  make fault breaks FAULT_SESSIONS streams,
# floods with FAULT_FLOOD events and kills FAULT_TLS_ROUNDS times.
# shellcheck disable=SC2016,SC2153
# ThreadSanitizer runs this file, too.

load tls_helpers

setup() {
	tls_setup
	export TMPDIR=$PWD
}

# front PORT: in front of the server there: FRONT is the port where clients without TLS are served.
front() {
	node "$BATS_TEST_DIRNAME/tls_front.mjs" "$1" >front.out 2>&1 3>&- 4>&- &
	wait_for test -s front.port
	FRONT=$(cat front.port)
}

# free_port: one that nobody uses, and that the system gives to no client.
free_port() {
	local port
	for ((port = 20000 + RANDOM % 10000; ; port++)); do
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# streams COUNT: are there so many?
streams() {
	[ "$(curl -s "$URL/metrics" | sed -n 's/^sse_streams //p')" = "$1" ]
}

@test "streams that are opened and broken, many at once, leave nothing behind" {
	local before count=${FAULT_SESSIONS:-400}
	serve_tls
	text chat one
	before=$(descriptors)
	cat >many.mjs <<-'END'
		// Each stream is broken when all of its round are open: half of them without a word.
		import { once } from 'node:events'
		import tls from 'node:tls'
		const [port, count, width] = process.argv.slice(2).map(Number)
		const open = async () => {
			const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost' })
			socket.on('error', () => {})
			socket.write('GET /api/chat/event HTTP/1.1\r\nHost: localhost\r\n\r\n')
			const [head] = await once(socket, 'data')
			if (!String(head).startsWith('HTTP/1.1 200')) throw new Error(String(head))
			return socket
		}
		let opened = 0
		while (opened < count) {
			const round = await Promise.all(Array.from({ length: Math.min(width, count - opened) }, open))
			opened += round.length
			const closed = round.map(socket => once(socket, 'close'))
			round.forEach((socket, i) => i % 2 ? socket.destroy() : socket.end())
			await Promise.all(closed)
		}
		console.log(`${opened} streams, ${width} at once`)
	END
	timeout $((120 + count / 20)) node many.mjs "$PORT" "$count" $((count < 10000 ? count / 4 : 2000)) >figures
	sed 's/^/# /' figures >&3
	wait_for streams 0
	wait_for down_to "$((before + 2))"
}

@test "a flood: each stream gets each event once, in order and whole, also slow ones" {
	serve_tls
	front "$PORT"
	"$TOOLS/flood" "$FRONT" 24 "${FAULT_FLOOD:-60}" 6 9000 3 4 mix >figures
	sed 's/^/# /' figures >&3
}

@test "kill -9 at random moments: nothing that was acknowledged is lost, repeated or out of order" {
	local port rounds=10
	port=$(free_port)
	front "$port"
	# kill knows only where its clients connect.
	printf '#!/bin/sh\nshift 2\nexec "%s" --listen %s "$@"\n' "$BIN/sse-serve" "$port" >behind
	chmod +x behind
	"$TOOLS/kill" --rounds "${FAULT_TLS_ROUNDS:-$rounds}" --port "$FRONT" ./behind -- \
		--tls-cert "$PWD/server.pem" --tls-key "$PWD/server.key" >figures 2>sentence 3>&- || {
		cat sentence
		return 1
	}
	sed 's/^/# /' figures >&3
}

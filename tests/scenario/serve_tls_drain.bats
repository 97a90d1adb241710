#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of TLS while the server stops: what was accepted is answered, and no session is cut off.
# Where it must not be done before the test says so, the drain takes an hour.
# shellcheck disable=SC2154

load tls_helpers

setup() {
	tls_setup
}

@test "a handshake that has begun is ended, and the request that follows is answered" {
	local client
	serve_tls --drain 1h --request-timeout 5m
	cat >hold.mjs <<-'END'
		// Says hello, and goes on when there is the file go.
		import { existsSync, writeFileSync } from 'node:fs'
		import net from 'node:net'
		import tls from 'node:tls'
		import { Duplex } from 'node:stream'
		const [port] = process.argv.slice(2)
		const wire = net.connect(port, '127.0.0.1')
		let writes = 0
		const waits = async () => { while (!existsSync('go')) await new Promise(done => setTimeout(done, 10)) }
		const held = new Duplex({
			read() {},
			async write(bytes, encoding, done) {
				if (++writes === 2) {
					writeFileSync('held', '')
					await waits()
				}
				wire.write(bytes, done)
			},
		})
		wire.on('data', bytes => held.push(bytes)).on('end', () => held.push(null)).on('close', () => held.destroy())
		const socket = tls.connect({ socket: held, servername: 'localhost' })
		socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
		socket.on('error', () => {})
		socket.pipe(process.stdout)
	END
	timeout 120 node hold.mjs "$PORT" >answer 3>&- &
	client=$!
	wait_for test -e held
	kill -TERM "$PID"
	wait_for closed
	touch go
	ended "$client" 0
	has answer 'HTTP/1.1 200 OK'
	has answer 'Connection: close'
	ends_itself
}

@test "a client that reads slowly gets what the server had made for it before" {
	local client
	serve_tls -v --drain 1h
	letters 100000 >large
	for _ in {1..60}; do
		text big @large
		answers 201
	done
	cat >slow.mjs <<-'END'
		// Lists of all sizes, none of which is read at first.  Those that the server has made whole, as its log
		// says, are read when there is the file go: a part of the largest is not in the client's socket yet.
		import { existsSync, readFileSync, writeFileSync } from 'node:fs'
		import tls from 'node:tls'
		const [port] = process.argv.slice(2)
		const sleep = () => new Promise(done => setTimeout(done, 10))
		const made = count => new RegExp(`/api/big.limit=${count}"`).test(readFileSync('err', 'utf8'))
		const sockets = []
		for (let count = 1; count <= 60; count++) {
			const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost' })
			socket.on('error', () => {})
			socket.write(`GET /api/big?limit=${count} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
			await new Promise(done => socket.once('readable', done))
			sockets.push({ socket, count })
		}
		while (!made(1)) await sleep()
		for (let i = 0; i < 30; i++) await sleep()
		const whole = sockets.filter(({ count }) => made(count))
		for (const one of sockets) if (!whole.includes(one)) one.socket.destroy()
		writeFileSync('held', '')
		while (!existsSync('go')) await sleep()
		for (const { socket, count } of whole) {
			let letters = 0
			for await (const bytes of socket) for (const byte of bytes) letters += byte === 0x78
			// Some are in the head.
			console.log(letters >= count * 100000 ? 'whole' : 'part', count, letters)
		}
	END
	timeout 120 node slow.mjs "$PORT" >lists 3>&- &
	client=$!
	wait_for test -e held
	kill -TERM "$PID"
	wait_for closed
	# Time to end too early.
	sleep 0.5
	touch go
	ended "$client" 0
	cat lists
	grew lists 0
	not has lists part
	ends_itself
}

@test "a stream that a drain ends, or the end of the server, ends its session too" {
	local options
	for options in '--drain 200ms' '--drain 0'; do
		rm -f said
		# shellcheck disable=SC2086 # words
		serve_tls $options
		text chat one
		follow stream '/api/chat/event?since=all'
		wait_for has stream 'data: one'
		printf 'GET /api/chat/event HTTP/1.1\r\nHost: localhost\r\n\r\n' >request
		{
			cat request
			wait_for gone "$PID"
		} | client -ign_eof &
		wait_for has said retry:
		stop
		ended "$FOLLOWER" 0
		# openssl tells of a session that was cut off.
		wait_for has said closed
		not has said eof
		not has said error
	done
}

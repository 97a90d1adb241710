#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve as a service: sockets that are handed over, and what the service manager is
# told.  service_manager.c plays systemd's part.
# make fault restarts the server FAULT_RESTARTS times under load.
# shellcheck disable=SC2034,SC2154
# ThreadSanitizer runs this file, too.

load tls_helpers

setup() {
	common_setup
	MANAGER=''
}

# The service must end well.
teardown() {
	local result=0
	touch enough
	[ -z "$MANAGER" ] || end_manager || result=1
	# Printed by bats only if the test failed.
	[ ! -e said ] || sed 's/^/said: /' said
	serve_teardown && return $result
}

# manage [OPTION]... COMMAND...: a service manager (MANAGER), which has not started the service yet.
# What happens is in the file said, what the service logs in err.  PORT and URL are those of the first
# socket.
manage() {
	# What the one before said is not its word.
	rm -f commands said err
	mkfifo commands
	"$TOOLS/service_manager" "$@" <commands >said 2>err 3>&- &
	MANAGER=$!
	exec 7>commands
	wait_for test -e said
}

# socket NUMBER: the port of that socket of the network, from 1 on.
socket() {
	sed -n 's/^port //p' said | sed -n "$1p"
}

# order COMMAND: the manager is told.
order() {
	echo "$1" >&7
}

# end_manager: it ends its service, and then itself.
end_manager() {
	local pid=$MANAGER
	MANAGER=''
	order end
	exec 7>&-
	wait_for gone "$pid"
	wait "$pid"
}

# ready COUNT: has the service said so that often?
ready() {
	counts said 'told READY=1' "$1"
}

# run_service [OPTION]... COMMAND...: a service that is ready, on a port (PORT, URL).
run_service() {
	manage -l 127.0.0.1 "$@"
	wait_for has said 'port '
	PORT=$(socket 1)
	URL=http://127.0.0.1:$PORT
	order start
	wait_for ready 1
}

# stop_service: it ends with 0.
stop_service() {
	order stop
	wait_for has said 'ended '
	has said 'ended 0'
}

# fails STATUS TEXT [OPTION]... COMMAND...: the service does not start, and says why.
fails() {
	local status=$1 text=$2
	shift 2
	manage "$@"
	order start
	wait_for has said 'ended '
	has said "ended $status"
	has err "$text"
	not has said 'told READY=1'
	end_manager
}

@test "it serves the socket that is handed over, and says that it is ready, and what it is called" {
	run_service "$BIN/sse-serve" --db events.db
	has said "Listening on http://127.0.0.1:$PORT"
	has err "took over the socket web0, http://127.0.0.1:$PORT"
	user John DOE
	# Only there: not on the default port.
	[ "$(grep -c 'Listening on' err)" -eq 1 ]
	not has err ':8000'
	stop_service
	has said 'told STOPPING=1'
	# The socket is the manager's: whoever connects now waits for the next server.
	ask --max-time 300 "$URL/healthz" 3>&- &
	local asked=$!
	order start
	wait_for ready 2
	wait "$asked"
}

@test "--listen adds to the sockets that are handed over" {
	run_service "$BIN/sse-serve" --db events.db --listen unix:more.sock
	ask "$URL/healthz"
	answers 200
	ask --unix-socket more.sock http://localhost/healthz
	answers 200
	stop_service
	[ ! -e more.sock ]
}

@test "a local socket is handed over too, and its file stays" {
	manage -a -l unix:service.sock "$BIN/sse-serve" --db events.db
	order start
	wait_for ready 1
	ask --unix-socket service.sock http://localhost/healthz
	answers 200
	stop_service
	[ -S service.sock ]
}

@test "with a certificate the sockets that are handed over speak TLS; those called http redirect" {
	local address plain
	tls_setup
	address=$(other_address)
	run_service -l https=0.0.0.0 -l http=0.0.0.0 -l https=unix:service.sock \
		"$BIN/sse-serve" --db events.db --tls-cert server.pem --tls-key server.key --open
	PORT=$(socket 2) plain=$(socket 3)
	has said "Listening on https://127.0.0.1:$(socket 1)"
	has err "took over the socket https, https://0.0.0.0:$PORT"
	has err "took over the socket http, http://0.0.0.0:$plain"
	URL=https://127.0.0.1:$PORT
	follow stream /api/chat/event
	text chat one
	answers 201
	wait_for has stream 'data: one'
	ask "http://127.0.0.1:$PORT/api/chat"
	problem 400 'this port speaks TLS'
	# On this machine plain requests are served, also on local sockets.
	ask "http://127.0.0.1:$plain/api/chat"
	answers 200
	ask --unix-socket service.sock http://localhost/api/chat
	answers 200
	[ -n "$address" ] || return 0
	# The first address with TLS, which is another one.
	ask "http://$address:$plain/api/chat?limit=1"
	problem 308 'https://'
	[ "$(header Location)" = "https://$address:$(socket 1)/api/chat?limit=1" ]
}

@test "a certificate and the sockets that are handed over must go together" {
	tls_setup
	fails 64 'no address has TLS' -l http=127.0.0.1 "$BIN/sse-serve" --db events.db \
		--tls-cert server.pem --tls-key server.key
	fails 64 'has the name https' -l https=127.0.0.1 "$BIN/sse-serve" --db events.db
	# systemd gives no sockets to the check before a reload.
	sse-serve --check-config --db events.db --listen unix:more.sock \
		--tls-cert server.pem --tls-key server.key >checked
	has checked 'need a socket with TLS from the service manager'
	# One of --listen has it.
	manage -l http=127.0.0.1 "$BIN/sse-serve" --db events.db --listen 0 \
		--tls-cert server.pem --tls-key server.key
	order start
	wait_for ready 1
	has err 'Listening on https://localhost:'
	ask "http://127.0.0.1:$(socket 1)/healthz"
	answers 200
}

@test "the status has the number of streams" {
	run_service -a "$BIN/sse-serve" --db events.db --drain 0
	has said 'told STATUS=0 streams'
	follow one /api/any/event
	wait_for has said 'told STATUS=1 stream'
	follow two /api/any/event
	wait_for has said 'told STATUS=2 streams'
}

@test "a reload begins and ends, also one of files with a mistake or of none" {
	(umask 077 && echo 'anonymous read=** publish=**' >rules)
	run_service "$BIN/sse-serve" --db events.db --access rules
	order reload
	wait_for ready 2
	[ "$(grep -c 'told RELOADING=1' said)" -eq 1 ]
	grep -qE 'told MONOTONIC_USEC=[0-9]+$' said
	# Nothing was changed, so nothing needs a restart.
	has err 'reloaded'
	run grep 'needs a restart' err
	[ "$output" = '' ]
	echo 'what is this' >rules
	order reload
	wait_for ready 3
	has err 'the old rules stay in force'
	stop_service
	end_manager
	run_service "$BIN/sse-serve" --db events.db
	order reload
	wait_for ready 2
	ask "$URL/healthz"
	answers 200
}

@test "streams end over ten seconds unless --drain says otherwise, and the manager waits as long" {
	run_service "$BIN/sse-serve" --db events.db --drain-delay 100ms
	stop_service
	has said 'told EXTEND_TIMEOUT_USEC=72100000'
	end_manager
	SSE_DRAIN=0 run_service "$BIN/sse-serve" --db events.db
	stop_service
	has said 'told EXTEND_TIMEOUT_USEC=62000000'
}

@test "the watchdog hears of the loops, also while the server drains" {
	run_service -w 6000 "$BIN/sse-serve" --db events.db --loops 3 --drain-delay 1h
	beats() {
		[ "$(grep -c 'told WATCHDOG=1' said)" -ge "$1" ]
	}
	wait_for beats 2
	order stop
	wait_for has said 'told STOPPING=1'
	wait_for beats $(($(grep -c 'told WATCHDOG=1' said) + 2))
	stop_service
	not has said unheard
}

@test "a loop that hangs is noticed: the watchdog hears nothing more, and the log says so" {
	[ -z "${SANITIZER:-}" ] || skip 'a sanitizer and LD_PRELOAD do not go together'
	# What is preloaded must have no space in its path.
	cp "$TOOLS/shim_hang.so" .
	run_service -w 3000 env LD_PRELOAD="$PWD/shim_hang.so" "$BIN/sse-serve" --db events.db --loops 3
	touch hang
	wait_for has said unheard
	wait_for has said "ended $((128 + $(kill -l ABRT)))"
	has err 'hangs'
	rm hang
	order start
	wait_for ready 2
	ask "$URL/healthz"
	answers 200
}

@test "what is no stream socket that listens, or is not called for, is refused" {
	fails 64 'ListenStream=' -l datagram "$BIN/sse-serve" --db events.db
	fails 64 'web1' -l 127.0.0.1 -l datagram "$BIN/sse-serve" --db events.db
	fails 64 "LISTEN_FDS is '99'" -l 127.0.0.1 -f 99 "$BIN/sse-serve" --db events.db
	fails 64 "LISTEN_FDS is 'x'" -l 127.0.0.1 -f x "$BIN/sse-serve" --db events.db
	# There are fewer.
	fails 64 'descriptor 4' -l 127.0.0.1 -f 2 "$BIN/sse-serve" --db events.db
	fails 64 'with --open' -l 0.0.0.0 "$BIN/sse-serve" --db events.db
}

@test "two servers on one database: the second is refused, also with a socket of its own" {
	serve
	fails 75 'in use by another' -l 127.0.0.1 "$BIN/sse-serve" --db events.db
	: >err
}

@test "sockets and messages for another process are not ours" {
	NOTIFY_SOCKET=$PWD/nobody LISTEN_PID=1 LISTEN_FDS=3 WATCHDOG_USEC=x serve
	has err 'cannot report to the service manager'
	has err "$PWD/nobody"
	user John DOE
}

# publish_singly NAME: until there is the file enough, an event for each connection.
publish_singly() {
	local i
	for ((i = 0; ; i++)); do
		[ ! -e enough ] || return 0
		sse-post "$URL/api/load" "from=$1" "n:=$i" || return
	done
}

# write_lines: until there is the file enough, a line now and then.
write_lines() {
	local i
	for ((i = 0; ; i++)); do
		[ ! -e enough ] || return 0
		echo "{\"from\":\"lines\",\"n\":$i}"
		sleep 0.02
	done
}

# ask_singly: until there is the file enough, a request for each connection, which nobody tries again.
ask_singly() {
	while [ ! -e enough ]; do
		curl -sSf -o /dev/null --max-time 90 "$URL/healthz" || return
	done
}

# restart_under_load ROUNDS: publishers see no error, readers miss and repeat nothing.
restart_under_load() {
	local i rounds=$1 pids=()
	export SSE_RETRY_MAX_TIME=5m
	for i in 1 2 3; do
		sse-tail "$URL/api/load/event?since=all" -o json >"tail$i" 2>"tail$i.err" 3>&- 7>&- &
	done
	publish_singly one >/dev/null 2>one.err 3>&- 7>&- &
	pids+=($!)
	publish_singly two >/dev/null 2>two.err 3>&- 7>&- &
	pids+=($!)
	ask_singly 2>ask.err 3>&- 7>&- &
	pids+=($!)
	write_lines 3>&- 7>&- | sse-post "$URL/api/load" --lines >/dev/null 2>lines.err 3>&- 7>&- &
	pids+=($!)
	all_read() {
		[ "$(curl -s --max-time 90 "$URL/metrics" | sed -n 's/^sse_streams //p')" = 3 ]
	}
	for ((i = 1; i <= rounds; i++)); do
		wait_for all_read
		order restart
		wait_for ready $((i + 1))
	done
	wait_for all_read
	touch enough
	for i in "${pids[@]}"; do
		ended "$i" 0
	done
	cat ./*.err
	[ ! -s one.err ]
	[ ! -s two.err ]
	[ ! -s lines.err ]
	[ "$(grep -c '^ended 0$' said)" -eq "$rounds" ]
	stored load envelope=1 | jq -r .id >ids
	grew ids $((rounds * 3))
	for i in 1 2 3; do
		wait_for lines_of "tail$i" "$(wc -l <ids)"
		jq -r .id "tail$i" | cmp - ids
		not grep -q '"event":"gap"' "tail$i"
	done
	# Each once, too.
	[ "$(stored load | sort -u | wc -l)" -eq "$(wc -l <ids)" ]
	echo "# $(wc -l <ids) events over $rounds restarts" >&3
}

@test "restarts under load refuse no connection: publishers see no error, readers miss and repeat nothing" {
	run_service "$BIN/sse-serve" --db events.db --drain 300ms
	restart_under_load "${FAULT_RESTARTS:-3}"
}

@test "restarts under load refuse no connection with TLS either" {
	tls_setup
	run_service "$BIN/sse-serve" --db events.db --drain 300ms --tls-cert server.pem --tls-key server.key
	URL=https://127.0.0.1:$PORT
	restart_under_load "${FAULT_RESTARTS:-2}"
}

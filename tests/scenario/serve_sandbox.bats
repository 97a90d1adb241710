#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: the sandbox, which is on in all other scenarios too, and --user.

load serve_helpers

# taken_over ATTEMPT [OPTION]...: a server that somebody has got control of makes that attempt
# (shim_escape.c) at the first connection.
taken_over() {
	local attempt=$1 status=0
	shift
	[ -z "${SANITIZER:-}" ] || skip 'a sanitizer and LD_PRELOAD do not go together'
	mkdir -p shimmed
	# What is preloaded must have no space in its path.
	cp "$TOOLS/shim_escape.so" shimmed/
	printf '#!/bin/sh\nexec env LD_PRELOAD="%s" SHIM_ESCAPE=%s "%s" "$@"\n' \
		"$PWD/shimmed/shim_escape.so" "$attempt" "$BIN/sse-serve" >shimmed/sse-serve
	chmod +x shimmed/sse-serve
	: >err
	BIN=$PWD/shimmed serve "$@"
	wait_for has err 'andbox'
	# It tries before it answers.
	curl -s --max-time 60 "$URL/healthz" >answer || true
}

# needs_part NAME: skip the test if the kernel lacks that part of the sandbox.
needs_part() {
	serve
	wait_for has err 'andbox'
	stop
	grep -q "sandbox: .*$1" err || skip "this kernel has no $1"
}

# denied ATTEMPT REASON: in the sandbox it is denied, and the server goes on; outside it is done.
denied() {
	taken_over "$1"
	has err "escape: denied: $2"
	grep -qx ok answer
	user John DOE
	stop
	taken_over "$1" --no-sandbox
	has err 'escape: done'
	stop
}

@test "what the sandbox has is said once at the start, and that there is none with --no-sandbox" {
	serve
	wait_for has err 'andbox'
	counts err 'andbox' 1
	# As on any machine of the last years; another warns, a line for each part that it lacks.
	grep -qE 'sandbox: seccomp, Landlock \(ABI [0-9]+\)$|warning: the sandbox lacks ' err
	grep -qE '^Seccomp:\s+2' "/proc/$PID/status" || has err 'lacks seccomp'
	grep -qE '^NoNewPrivs:\s+1' "/proc/$PID/status"
	stop
	: >err
	serve --no-sandbox
	wait_for has err 'warning: the sandbox is off: --no-sandbox'
	counts err 'andbox' 1
	grep -qE '^Seccomp:\s+0' "/proc/$PID/status" || skip 'everything here runs under seccomp'
}

@test "a server that was taken over cannot read /etc/passwd" {
	needs_part Landlock
	denied open 'Permission denied'
}

@test "... nor make a file outside of its folder" {
	needs_part Landlock
	mkdir elsewhere inside
	export SHIM_ESCAPE_FILE=$PWD/elsewhere/file
	taken_over write --db inside/events.db
	has err 'escape: denied: Permission denied'
	[ ! -e elsewhere/file ]
	stop
	taken_over write --db inside/events.db --no-sandbox
	has err 'escape: done'
	[ -e elsewhere/file ]
}

@test "... nor connect to anything" {
	needs_part seccomp
	denied socket 'Function not implemented'
	denied connect 'Function not implemented'
}

@test "... nor make a process, nor code" {
	needs_part seccomp
	denied fork 'Function not implemented'
	denied code 'Function not implemented'
}

# ends STATUS: the server ends by itself.
ends() {
	local pid=$PID
	wait_for gone "$pid" || return
	PID=''
	ended "$pid" "$1"
}

@test "... nor execute a program: it is ended at the attempt" {
	needs_part seccomp
	taken_over exec
	ends $((128 + $(kill -l SYS)))
	not has err escape:
	# Outside it becomes true.
	taken_over exec --no-sandbox
	ends 0
}

@test "a core dump of the server is not written, and would hold no memory" {
	serve
	grep -qE '^Max core file size +0 +0 ' "/proc/$PID/limits"
	[ ! -e "/proc/$PID/coredump_filter" ] || [ $((0x$(cat "/proc/$PID/coredump_filter"))) -eq 0 ]
}

@test "the database may be a link, to a file that is there or not, in a folder of its own" {
	local i
	mkdir data links here
	ln -s ../data/real.db links/second.db
	ln -s "$PWD/links/second.db" here/events.db
	for i in 1 2; do
		serve --db here/events.db
		user John DOE
		stored users | counts /dev/stdin John "$i"
		stop
	done
	[ -s data/real.db ]
}

@test "the secrets of a hook may be in a folder of their own, and in another file when they are read again" {
	mkdir data secrets
	(umask 077 && echo old >secrets/key)
	serve --db data/events.db --hook github=gh:secrets/key
	(umask 077 && echo new >secrets/other)
	mv secrets/other secrets/key
	kill -HUP "$PID"
	wait_for has err 'reloaded who may do what'
	ask -H "X-Hub-Signature-256: sha256=$(printf '{}' | openssl dgst -sha256 -hmac new -r | cut -d ' ' -f 1)" \
		-H 'X-GitHub-Delivery: 1' -H 'Content-Type: application/json' -d '{}' "$URL/hook/github"
	answers 201
}

@test "a local socket is removed at the end, wherever it is" {
	mkdir data sockets
	start "$BIN/sse-serve" --listen "unix:$PWD/sockets/s" --db data/events.db
	[ "$(curl -s --unix-socket sockets/s http://localhost/healthz)" = ok ]
	stop
	[ ! -e sockets/s ]
}

# --- --user -----------------------------------------------------------------

@test "--user: it listens as root, then is that user in all it does, for good" {
	local name
	[ "$(id -u)" -eq 0 ] || skip 'only root becomes another user'
	name=$(id -nu "$NOBODY" 2>/dev/null) || skip "no user has the number $NOBODY"
	needs_drop
	mkdir data
	chown "$NOBODY" data
	serve --user "$name" --db data/events.db
	user John DOE
	grep -qE "^Uid:\s+$NOBODY\s+$NOBODY\s+$NOBODY\s+$NOBODY$" "/proc/$PID/status"
	grep -qE "^Gid:\s+$(id -g "$name")\s" "/proc/$PID/status"
	[ "$(sed -n 's/^Groups:\s*\(.*[0-9]\)\s*$/\1/p' "/proc/$PID/status")" = "$(id -G "$name")" ]
	grep -qE '^CapEff:\s+0+$' "/proc/$PID/status"
	grep -qE '^CapPrm:\s+0+$' "/proc/$PID/status"
	[ "$(stat -c %u data/events.db)" = "$NOBODY" ]
}

@test "--user: the folder of the database must be the user's" {
	local name
	[ "$(id -u)" -eq 0 ] || skip 'only root becomes another user'
	name=$(id -nu "$NOBODY" 2>/dev/null) || skip "no user has the number $NOBODY"
	needs_drop
	mkdir -m 755 data
	refuses 73 'Permission denied' --listen 0 --user "$name" --db data/events.db
}

@test "--user: one that does not exist, root, and a start without root's rights are usage errors" {
	if [ "$(id -u)" -eq 0 ]; then
		refuses 64 'no such user' --listen 0 --user no.such.user --db :memory:
		refuses 64 "has root's rights" --listen 0 --user root --db :memory:
	fi
	needs_drop
	UNDER=drop refuses 64 'only root can become another user' --listen 0 --user "$(id -nu)" \
		--db :memory:
}

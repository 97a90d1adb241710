# SPDX-License-Identifier: MIT
# What the scenarios of sse-serve share: servers on ports of their own, requests, streams, waiting.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120

load "${BASH_SOURCE[0]%/*}/helpers"

setup() {
	common_setup
}

teardown() {
	serve_teardown
}

# Every server that a test leaves running must end well: with 0, and without a sanitizer's word.
serve_teardown() {
	local result=0
	if [ -n "$PID" ]; then
		stop || result=1
	fi
	end_jobs
	# Printed by bats only if the test failed.
	if [ -s err ]; then
		echo "--- the server's log"
		tail -n 40 err
	fi
	return $result
}

listens_or_ended() {
	has out 'Listening on' || gone "$PID"
}

# start COMMAND...: start a server in the background (PID), and wait until it listens or has ended.
start() {
	# What a server before it said there is not its word; the log goes on after a restart.
	: >out
	"$@" >out 2>>err 3>&- 4>&- &
	PID=$!
	wait_for listens_or_ended
}

# serve [OPTION]...: start a server on a free port (PORT, URL, PID), with events.db as database; under
# tests/scenario/nats.sh that is its copy of a log in NATS, a new one if the database is new.
serve() {
	serve_at 0 "$@"
}

# serve_at PORT [OPTION]...: as above, on that port.
serve_at() {
	local port=$1
	shift
	case " $* " in
	*' --db '*) ;;
	*) set -- --db events.db "$@" ;;
	esac
	! shared || share "$@"
	start "$BIN/sse-serve" --listen "$port" "${SHARED[@]}" "$@"
	URL=$(sed -n 's/^Listening on //p' out)
	PORT=${URL##*:}
	[ -n "$URL" ] || { echo "the server did not start" >&2; cat err >&2; return 1; }
}

# shared: is the log in NATS (tests/scenario/nats.sh), and the database a copy of it?
shared() {
	[ -n "${NATS:-}" ]
}

# share OPTION...: SHARED are the options for the log in NATS of which the database is a copy; it is noted
# beside the database.  One that came from elsewhere is a log by itself.
share() {
	local db=
	while [ "$1" != --db ]; do
		shift
	done
	db=$2
	SHARED=()
	[ "$db" != :memory: ] || return 0
	[ -e "$db" ] || echo "test-$BATS_TEST_NUMBER-${EPOCHREALTIME/[.,]/-}" >"$db.cluster"
	[ ! -e "$db.cluster" ] ||
		SHARED=(--store "$NATS" --cluster "$(cat "$db.cluster")" --replicas 1)
}

# about_the_file WHY: skip the test where the log is in NATS, and the database only a copy of it.
about_the_file() {
	! shared || skip "the log is in NATS: $1"
}

# serve_with SHIM VARIABLE=VALUE... [-- OPTION...]: a server behind it; its clients are not.
serve_with() {
	local shim=$1 status=0
	shift
	[ -z "${SANITIZER:-}" ] || skip 'a sanitizer and LD_PRELOAD do not go together'
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		export "${1?}"
		shift
	done
	[ $# -eq 0 ] || shift
	mkdir -p shimmed
	# What is preloaded must have no space in its path.
	cp "$TOOLS/$shim.so" shimmed/
	printf '#!/bin/sh\nexec env LD_PRELOAD="%s" "%s" "$@"\n' "$PWD/shimmed/$shim.so" \
		"$BIN/sse-serve" >shimmed/sse-serve
	chmod +x shimmed/sse-serve
	BIN=$PWD/shimmed serve "$@" || status=$?
	return $status
}

# threads_of PID: what each thread waits for: D is the disk.
threads_of() {
	local task
	for task in "/proc/$1/task"/*; do
		echo "thread ${task##*/}: $(sed -n 's/^State:[[:space:]]*//p' "$task/status")," \
			"$(cat "$task/wchan"), $(cat "$task/syscall")"
	done 2>/dev/null
}

# stop [SIGNAL]: end the server, which must end with 0.
stop() {
	local pid=$PID status=0
	PID=''
	kill -"${1:-TERM}" "$pid" || return
	wait_for gone "$pid" 2>/dev/null || { threads_of "$pid" >&2; kill -ABRT "$pid"; return 1; }
	wait "$pid" || status=$?
	[ "$status" -eq 0 ] || { echo "sse-serve ended with $status" >&2; return 1; }
}

# closed: does nobody listen on the port any more?
closed() {
	local status=0
	curl -s -o /dev/null --max-time 5 "$URL/healthz" || status=$?
	[ "$status" -eq 7 ]
}

# ends_itself: the server ends with 0, without another signal.
ends_itself() {
	local pid=$PID
	wait_for gone "$pid"
	PID=''
	ended "$pid" 0
}

# crash: kill -9.
crash() {
	local pid=$PID
	PID=''
	kill -KILL "$pid"
	wait "$pid" || true
}

# refuses STATUS TEXT [OPTION]...: the server does not start, ends with the status, and says so in
# one line that contains the text.  UNDER is a command to run it by, as in UNDER=drop refuses ...
refuses() {
	local status=0 want=$1 text=$2
	shift 2
	# shellcheck disable=SC2086 # words
	${UNDER:-} timeout 60 "$BIN/sse-serve" "$@" >refused.out 2>refused.err 3>&- || status=$?
	cat refused.err >&2
	[ "$status" -eq "$want" ] || { echo "status $status, not $want" >&2; return 1; }
	[ ! -s refused.out ]
	[ "$(wc -l <refused.err)" -eq 1 ]
	has refused.err "$text"
}

# ask ARGUMENT...: a request by curl.  The answer is in the variable code, and in the files head and
# body.  CLIENT, if it is set, is the address that a proxy says it is for.
ask() {
	local head=
	: >body
	code=$(curl -sS --max-time 90 -o body -D head.crlf -w '%{http_code}' \
		${CLIENT:+-H "X-Forwarded-For: $CLIENT"} "$@")
	read -r -N 65536 head <head.crlf || true
	head=${head//$'\r'/}
	printf %s "$head" >./head
}

# header NAME: its value in the last answer.
header() {
	local line name=${1,,}:
	while read -r line; do
		[[ ${line,,} != "$name "* ]] || echo "${line:${#name}+1}"
	done <./head
}

# answers CODE: was it the last answer's?
answers() {
	[ "$code" = "$1" ] && return
	echo "the answer is $code, not $1:" >&2
	cat head body >&2
	return 1
}

# problem CODE TEXT: the last answer is a problem with that status whose sentence has the text.
problem() {
	answers "$1" || return
	[ "$(header Content-Type)" = application/problem+json ] && has body "\"status\":$1" &&
		has body "$2" && return
	cat head body >&2
	return 1
}

# json TOPIC BODY / text TOPIC BODY [ARGUMENT...]: publish; the body may be @FILE.
json() {
	ask -H 'Content-Type: application/json' --data-binary "$2" "${@:3}" "$URL/api/$1"
}
text() {
	ask -H 'Content-Type: text/plain' --data-binary "$2" "${@:3}" "$URL/api/$1"
}

# user FIRSTNAME LASTNAME: publish to users, as the tutorial does; it must be taken.
user() {
	json users "{\"firstname\":\"$1\",\"lastname\":\"$2\"}"
	answers 201
}

# post ARGUMENT...: sse-post to the server.
post() {
	SSE_URL=$URL sse-post "$@"
}

# stored TOPIC [QUERY]: what the server has, one a line.
stored() {
	curl -sf -H 'Accept: application/x-ndjson' "$URL/api/$1${2:+?$2}"
}

# follow FILE PATH [ARGUMENT...]: open a stream into the file; returns when its head is there.
follow() {
	local file=$1 path=$2
	shift 2
	rm -f "$file"
	: >"$file"
	curl -sN --max-time 300 "$@" "$URL$path" >"$file" 2>"$file.err" 3>&- &
	FOLLOWER=$!
	wait_for has "$file" retry:
}

# data FILE: the data of the events of the stream in the file, one line each.
data() {
	sed -n 's/^data: //p' "$1"
}

# opens PATH: does the server open that stream?  It is closed again.
opens() {
	ask --max-time 1 "$URL$1" || true
	[ "$code" = 200 ]
}

# beats_on FILE: wait for three more heartbeats in the stream in the file.
beats_on() {
	local now
	now=$(grep -c '^:' "$1") || true
	wait_for beats_beyond "$1" $((now + 2))
}

beats_beyond() {
	[ "$(grep -c '^:' "$1")" -gt "$2" ]
}

# raw: send the standard input as it is, and print what comes until the server closes.
raw() {
	exec 4<>"/dev/tcp/127.0.0.1/$PORT"
	cat >&4 2>/dev/null || true
	timeout 60 cat <&4 || true
	exec 4>&-
}

# letters COUNT [LETTER]: that many of them.
letters() {
	head -c "$1" /dev/zero | tr '\0' "${2:-x}"
}

# descriptors: how many the server has open.
descriptors() {
	find "/proc/$PID/fd" -mindepth 1 | wc -l
}

# down_to COUNT: does the server have so few open again?  It is asked something, so that it has seen
# what came before.
down_to() {
	ask "$URL/healthz" && [ "$(descriptors)" -le "$1" ]
}

# resident: how much of the server is in memory, in KiB, what it shares included.
resident() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$PID/status"
}

# flood ARGUMENT...: the tool of that name on the server's port.
flood() {
	"$TOOLS/flood" "$PORT" "$@"
}

# SPDX-License-Identifier: MIT
# What the scenarios of sse-post and sse-tail share: a scripted server each, following it, and waiting.
# shellcheck shell=bash disable=SC2034

bats_require_minimum_version 1.5.0

# Each test runs in a folder of its own, with an environment of its own.
client_setup() {
	local root=$BATS_TEST_DIRNAME/../.. name
	BIN=$(cd "${BIN:-$root/build/bin}" && pwd)
	TOOLS=$(cd "${TOOLS:-$root/build/tests}" && pwd)
	cd "$BATS_TEST_TMPDIR" || return
	for name in "${!SSE_@}"; do
		unset "$name"
	done
	unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY NO_COLOR
	export PATH=$BIN:$PATH LC_ALL=C.UTF-8 TZ=UTC TERM=xterm
	# No client outlives a test that went wrong.
	export SSE_TIMEOUT=30s
	# What a test does not ask about should not take its time.
	export SSE_RECONNECT_DELAY=10ms
	SERVER_PID=
}

client_teardown() {
	local pid
	for pid in $SERVER_PID $(jobs -p); do
		kill "$pid" 2>/dev/null || true
	done
}

# wait_for COMMAND...: until the command succeeds; at most half a minute.
wait_for() {
	local try
	for ((try = 0; try < 3000; try++)); do
		"$@" && return
		sleep 0.01
	done
	echo "waited in vain for: $*" >&2
	return 1
}

# has FILE TEXT: does the file contain the text?
has() {
	grep -qsF -- "$2" "$1"
}

# lines_of FILE COUNT: does the file have that many lines?
lines_of() {
	[ "$(wc -l <"$1")" -eq "$2" ]
}

# serve: start a server that plays the script on the standard input; URL is where.  Words in it:
# @STREAM is the head of an event stream, @CREATED a whole 201, @EMPTY goes behind a status line.
serve() {
	sed -e 's/@STREAM/HTTP\/1.1 200 OK\\r\\nContent-Type: text\/event-stream\\r\\n\\r\\n/' \
		-e 's/@CREATED/HTTP\/1.1 201 Created\\r\\nContent-Length: 0\\r\\nLast-Event-ID: t:1\\r\\n\\r\\n/' \
		-e 's/@EMPTY/\\r\\nContent-Length: 0\\r\\n\\r\\n/' >script
	rm -f port
	"$TOOLS/scripted_server" script log >port 3>&- &
	SERVER_PID=$!
	wait_for test -s port
	URL=http://127.0.0.1:$(cat port)
}

# stream [LINE]...: start a server whose first stream is what the standard input says, and then ends;
# the lines are how its script goes on.
stream() {
	{
		printf 'accept\nrequest\nsend @STREAM'
		cat
		printf '\n'
		printf '%s\n' close "$@"
	} >streamed
	serve <streamed
}

# ended_stream: the same, and whoever connects again gets a 204: there is nothing more to come.
ended_stream() {
	stream accept request 'send HTTP/1.1 204 No\r\n\r\n'
}

# follow ARGUMENT...: sse-tail in the background, its output in the file out; PID is its process.
follow() {
	# What an earlier one wrote must not be taken for the output of this one.
	: >out
	sse-tail "$@" >out 2>err 3>&- &
	PID=$!
}

# free_url: a URL on a port where nobody listens.
free_url() {
	serve </dev/null
	wait "$SERVER_PID"
	SERVER_PID=
}

# requests COUNT: did the server get that many?
requests() {
	[ "$(grep -c ' HTTP/1.1' log)" -eq "$1" ]
}

# ended PID STATUS: wait for the end of a program that was started in the background.
ended() {
	local status=0
	wait "$1" || status=$?
	[ "$status" -eq "$2" ] || { echo "ended with $status" >&2; return 1; }
}

# needs_terminal: skip the test if `script -qec COMMAND /dev/null` cannot run it in a terminal.
needs_terminal() {
	script -qec true /dev/null >/dev/null 2>&1 || skip "script(1) of util-linux is not there"
}

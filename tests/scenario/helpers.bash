# SPDX-License-Identifier: MIT
# What all scenarios share: a folder and an environment of their own, waiting, looking into files, a
# server that plays a script, running something without root's rights.
# shellcheck shell=bash disable=SC2034

bats_require_minimum_version 1.5.0

# common_setup: each test runs in a folder of its own, with an environment of its own.
common_setup() {
	local root=$BATS_TEST_DIRNAME/../.. name
	BIN=$(cd "${BIN:-$root/build/bin}" && pwd)
	TOOLS=$(cd "${TOOLS:-$root/build/tests}" && pwd)
	cd "$BATS_TEST_TMPDIR" || return
	for name in "${!SSE_@}"; do
		unset "$name"
	done
	unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY NO_COLOR
	unset XDG_STATE_HOME STATE_DIRECTORY
	unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
	export PATH=$BIN:$PATH LC_ALL=C.UTF-8 TZ=UTC TERM=xterm HOME=$PWD
	PID='' URL='' PORT='' SERVER_PID='' SHARED=()
	# What nap waits for: nothing ever comes.
	exec {NOTHING}<> <(:)
}

# end_jobs: end what the test left running in the background.
end_jobs() {
	local pid
	for pid in $(jobs -p); do
		kill -KILL "$pid" 2>/dev/null || true
		# The shell would tell of its end.
		wait "$pid" 2>/dev/null || true
	done
}

# --- waiting ----------------------------------------------------------------

# A test calls some of these functions a hundred times, so they start no process if they need none:
# on a busy machine that takes longer than all that the programs do.

# nap SECONDS: sleep, without a process.
nap() {
	local nothing
	read -r -t "$1" -u "$NOTHING" nothing || true
}

# wait_for COMMAND...: until the command succeeds; at most half a minute.
wait_for() {
	local try
	for ((try = 0; try < 3000; try++)); do
		"$@" && return
		nap 0.01
	done
	echo "waited in vain for: $*" >&2
	return 1
}

# ended PID STATUS: wait for the end of a program that was started in the background.
ended() {
	local status=0
	wait "$1" || status=$?
	[ "$status" -eq "$2" ] || { echo "ended with $status" >&2; return 1; }
}

# gone PID: has the process ended?
gone() {
	! kill -0 "$1" 2>/dev/null
}

# has_open PID FILE: has the process opened the file of this folder?
has_open() {
	[ -n "$(find "/proc/$1/fd" -lname "$PWD/$2" 2>/dev/null)" ]
}

# --- looking ----------------------------------------------------------------

# not COMMAND...: it must fail.  (A line that begins with ! never fails a test.)
not() {
	if "$@"; then
		echo "this should not be so: $*" >&2
		return 1
	fi
}

# has FILE TEXT: does the file contain the text?
has() {
	# What is read is counted in bytes.
	local begin LC_ALL=C
	[ -r "$1" ] || return 1
	read -r -N 65536 begin <"$1" || true
	[[ $begin = *"$2"* ]] || { [ ${#begin} -eq 65536 ] && grep -aqsF -- "$2" "$1"; }
}

# counts FILE TEXT NUMBER: does that many of its lines contain the text?
counts() {
	[ "$(grep -acsF -- "$2" "$1")" -eq "$3" ]
}

# lines_of FILE COUNT: does the file have that many lines?
lines_of() {
	[ "$(wc -l <"$1")" -eq "$2" ]
}

# grew FILE COUNT: does the file have more lines than that?
grew() {
	[ "$(wc -l <"$1")" -gt "$2" ]
}

# is TEXT: is that all that the standard input has?
is() {
	local got
	got=$(cat)
	[ "$got" = "$1" ] || { echo "got: $got" >&2; return 1; }
}

# --- a server that plays a script -------------------------------------------

# play: start a server that plays the script on the standard input; URL is where, SERVER_PID its
# process, the file log what it was sent.  scripted_server.c has the commands; besides,
#	answer TEXT   is accept, request and send TEXT
# and in a text @STREAM is the head of an event stream, @CREATED a whole 201, @204 a whole 204, with
# which a server says that nothing more will come, and @EMPTY, after a status line, an empty body.
play() {
	sed -e 's/^answer /accept\nrequest\nsend /' \
		-e 's/@STREAM/HTTP\/1.1 200 OK\\r\\nContent-Type: text\/event-stream\\r\\n\\r\\n/' \
		-e 's/@CREATED/HTTP\/1.1 201 Created\\r\\nContent-Length: 0\\r\\nLast-Event-ID: t:1\\r\\n\\r\\n/' \
		-e 's/@204/HTTP\/1.1 204 No\\r\\n\\r\\n/' \
		-e 's/@EMPTY/\\r\\nContent-Length: 0\\r\\n\\r\\n/' >script
	rm -f port
	"$TOOLS/scripted_server" script log >port 3>&- 4>&- &
	SERVER_PID=$!
	wait_for test -s port
	URL=http://127.0.0.1:$(cat port)
}

# stalls: play a server that takes a request and never answers.
stalls() {
	play <<<$'accept\nrequest\nstall'
}

# set_aside: the server that plays is somewhere else from now on: ELSEWHERE is its URL, elsewhere.log
# its log, and there can be another.
set_aside() {
	ELSEWHERE=$URL
	mv log elsewhere.log
}

# requests COUNT: did the server that plays get that many?
requests() {
	[ "$(grep -c ' HTTP/1.1' log)" -eq "$1" ]
}

# --- what a machine may lack ------------------------------------------------

# needs_terminal: skip the test if `script -qec COMMAND /dev/null` cannot run it in a terminal.
needs_terminal() {
	script -qec true /dev/null >/dev/null 2>&1 || skip "script(1) of util-linux is not there"
}

# Who has no rights.
NOBODY=65534

# needs_drop: skip the test where drop cannot run the programs.  The test's folder becomes
# passable for all.
needs_drop() {
	local up=$PWD
	[ "$(id -u)" -eq 0 ] || return 0
	while [ "$up" != / ]; do
		chmod a+x "$up"
		up=$(dirname "$up")
	done
	drop test -x "$BIN/sse-serve" || skip 'the programs cannot be reached without rights'
}

# drop COMMAND...: run it without root's rights.
drop() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		setpriv --reuid $NOBODY --regid $NOBODY --clear-groups "$@"
	fi
}

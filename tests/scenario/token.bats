#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The clients' tokens: where they come from, how one is replaced, and what its end means.
# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # words that are to be split; those of bats

load client_helpers

setup() {
	client_setup
	umask 077
}

# tokens: those of the requests that the server got, in their order.
tokens() {
	sed -n 's/^Authorization: Bearer \([^\r]*\).*/\1/p' log | paste -sd ' ' -
}

# replace TOKEN: put another token into the file, as programs do that issue tokens.
replace() {
	printf '%s\n' "$1" >token.new
	mv token.new token
}

# waiting: the files of events that wait in the spool.
waiting() {
	find spool -name '*.events' -not -path '*/failed/*' 2>/dev/null | sort
}

# Answers, as a script has them.
UNAUTHORIZED='answer HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: 34\r\n\r\n{"detail":"the token has expired"}'
FORBIDDEN='answer HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: 37\r\n\r\n{"detail":"may not publish on users"}'
DENIED='event: denied\ndata: {"reason":"the token has expired"}\n\n'

# --- the file -------------------------------------------------------------------------------------

@test "the token is the first line of the file, without blanks around it, in both clients" {
	play <<<$'answer @204\nanswer @CREATED'
	printf ' first \r\nanother line\n' >token
	run -0 sse-tail "$URL/x" --token-file token
	run -0 sse-post "$URL/x" -d x --token-file token
	[ -z "$output" ]
	[ "$(tokens)" = 'first first' ]
}

@test "a file that cannot be read is 66, one that holds no token is 65, and no message shows it" {
	local program
	for program in 'sse-tail http://localhost/x' 'sse-post http://localhost/x -d x'; do
		run -66 $program --token-file nowhere
		[[ $output == *"--token-file: cannot read 'nowhere': No such file or directory" ]]
		: >token
		run -65 $program --token-file token
		[[ $output == *"the first line of 'token' is empty"* ]]
		printf 'hid\x01den' >token
		run -65 $program --token-file token
		[[ $output == *"the first line of 'token' is not a token"* && $output != *hid* ]]
		head -c 20000 /dev/zero | tr '\0' x >token
		run -65 $program --token-file token
		[[ $output == *"longer than a token can be, 16384 bytes" ]]
	done
}

@test "two ways to log in are a usage error; on the command line one replaces that of the environment" {
	local program
	replace of-file
	for program in 'sse-tail http://localhost/x' 'sse-post http://localhost/x -d x'; do
		run -64 $program --token-file token --oauth2-bearer hidden
		[[ $output == *'two ways to log in'* && $output != *hidden* ]]
		run -64 $program --token-file token -u me:hidden
		SSE_TOKEN=hidden SSE_TOKEN_FILE=token run -64 $program
	done
	play <<<$'answer @204\nanswer @204\nanswer @204'
	SSE_TOKEN=of-variable run -0 sse-tail "$URL/x" --token-file token
	SSE_TOKEN_FILE=token run -0 sse-tail "$URL/x" --oauth2-bearer of-option
	SSE_TOKEN_FILE=token run -0 sse-tail "$URL/x"
	[ "$(tokens)" = 'of-file of-option of-file' ]
}

@test "a token with a blank or a letter that is not ASCII is a usage error that does not show it" {
	local token
	for token in 'hid den' hiddenä $'hidden\t'; do
		SSE_TOKEN=$token run -64 sse-post http://localhost/x -d x
		[[ $output == *'this is not a token'* && $output != *hid* ]]
	done
}

@test "a file that every user can read is warned about once, unless -q" {
	replace secret
	chmod 644 token
	play <<<$'answer @CREATED\nanswer @CREATED\nanswer @204'
	run -0 sse-post "$URL/x" -d x --token-file token --parallel 4
	[ "$output" = 'sse-post: every user of this machine can read the token in token: chmod 600 protects it' ]
	run -0 sse-post "$URL/x" -d x --token-file token -q
	[ -z "$output" ]
	chmod 640 token
	run -0 sse-tail "$URL/x" --token-file token
	[ -z "$output" ]
}

@test "a pipe is read once, and its token serves for all connections and attempts" {
	play <<<$'answer HTTP/1.1 503 Busy\\r\\nConnection: close@EMPTY\nanswer @CREATED'
	run -0 bash -c "sse-post $URL/x -d x --parallel 3 --token-file <(echo of-pipe)"
	[ "$(tokens)" = 'of-pipe of-pipe' ]
}

@test "a token goes to no other origin after a redirect, and the 401 there says so" {
	play <<<"$UNAUTHORIZED"
	set_aside
	play <<END
answer HTTP/1.1 307 Go\r\nLocation: $ELSEWHERE/y@EMPTY
END
	replace hidden
	run -77 sse-tail "$URL/x" --token-file token
	[[ $output == *'requires a login, which is not sent after a redirect from another origin (401 Unauthorized)'* ]]
	[ "$(tokens)" = hidden ]
	run ! has elsewhere.log hidden
}

# --- another token --------------------------------------------------------------------------------

@test "sse-tail reads the file for each attempt, and goes on with the last token while the file is away" {
	replace one
	play <<'END'
answer @STREAMid: 1\ndata: a\n\n
wait replaced
close
answer @STREAMid: 2\ndata: b\n\n
wait removed
close
answer @204
END
	follow "$URL/x" --token-file token -o data -v
	wait_for lines_of out 1
	replace two
	touch replaced
	wait_for lines_of out 2
	rm token
	touch removed
	ended "$PID" 0
	[ "$(tokens)" = 'one two two' ]
	has err "cannot read 'token': No such file or directory; sending the last token"
	run ! grep -E 'one|two' err
}

@test "sse-post reads the file for each request" {
	replace one
	play <<'END'
answer @CREATED
request
send @CREATED
END
	mkfifo pipe
	sse-post "$URL/x" --token-file token -v <pipe 3>&- 2>err &
	local pid=$!
	exec 4>pipe
	echo a >&4
	wait_for has err accepted
	replace two
	echo b >&4
	exec 4>&-
	ended "$pid" 0
	[ "$(tokens)" = 'one two' ]
}

# replaced_on_401: play a server that takes a request, waits until the token is replaced, answers 401,
# and then what the arguments say.
replaced_on_401() {
	{
		echo accept
		echo request
		echo 'wait replaced'
		echo "${UNAUTHORIZED/answer/send}"
		echo close
		printf '%s\n' "$@"
	} >played
	play <played
}

@test "after 401 another token in the file is tried at once, and the same one is not" {
	replaced_on_401 'answer @STREAMid: 2\ndata: b\n\n' hold
	replace one
	SSE_RECONNECT_DELAY=1h follow "$URL/x" --token-file token -o data -n 1 --last-event-id 1
	wait_for has log 'Bearer one'
	replace two
	touch replaced
	ended "$PID" 0
	[ "$(tokens)" = 'one two' ]
	[ "$(grep -c 'Last-Event-ID: 1' log)" -eq 2 ]

	play <<<"$UNAUTHORIZED"
	run -77 sse-tail "$URL/x" --token-file token
	[ "$output" = "sse-tail: $URL/x does not accept the token of --token-file (401 Unauthorized): the token has expired" ]
	requests 1
}

@test "sse-post, too, tries another token at once, and an event without a key as well" {
	local option
	for option in '' --at-most-once; do
		rm -f replaced
		replaced_on_401 'answer @CREATED'
		replace one
		sse-post "$URL/x" --token-file token -d x --retry-max-time 0 $option 3>&- &
		PID=$!
		wait_for has log 'Bearer one'
		replace two
		touch replaced
		ended "$PID" 0
		[ "$(tokens)" = 'one two' ]
	done
	play <<<"$UNAUTHORIZED"
	run -77 sse-post "$URL/x" --token-file token -d x
	[ "$output" = "sse-post: $URL/x does not accept the token of --token-file (401 Unauthorized): the token has expired" ]
	requests 1
}

# --- the end of a stream --------------------------------------------------------------------------

@test "a stream that the server denies ends with 77, the reason and what would help; no format shows the event" {
	local format
	stream <<<'id: 1\ndata: a\n\n'"$DENIED"
	run --separate-stderr -77 sse-tail "$URL/x" -o data
	[ "$output" = a ]
	[ "$stderr" = "sse-tail: $URL/x: the server ended the stream: the token has expired" ]

	stream <<<'id: 1\ndata: a\n\n'"$DENIED"
	SSE_TOKEN=hidden run --separate-stderr -77 sse-tail "$URL/x" -o data
	[ "$stderr" = "sse-tail: $URL/x: the server ended the stream: the token has expired; give another token; one in a --token-file can be replaced at any time" ]

	replace hidden
	for format in pretty json sse data; do
		stream <<<'id: 1\ndata: a\n\n'"$DENIED"
		run --separate-stderr -77 sse-tail "$URL/x" -o $format --token-file token
		[[ $output == *a* && $output != *denied* ]]
		[[ $stderr == *'the token has expired; put another token into the file of --token-file' ]]
	done
	stream <<<'id: 1\ndata: a\n\n'"$DENIED"
	run --separate-stderr -77 sse-tail "$URL/x" -o raw
	[[ $output == *$'event: denied\ndata: {"reason":"the token has expired"}' ]]
}

@test "a denied event counts whatever -e says, and its reason cannot steer the terminal" {
	stream <<<'event: denied\ndata: {"reason":"\\u001b[2J\\nx"}\n\n'
	run -77 sse-tail "$URL/x" -e other
	[[ $output == *'the server ended the stream: \u001b[2J\nx' ]]
}

@test "another server's events of the type denied are events" {
	ended_stream <<<'event: denied\nid: 1\ndata: {"reason":"x"}\n\nevent: denied\ndata: {"reason":"x","user":"y"}\n\nevent: denied\ndata: no\n\n'
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	[ "$output" = $'{"reason":"x"}\n{"reason":"x","user":"y"}\nno' ]
}

@test "a denied stream goes on at once, after its last event, if the file has another token by then" {
	replace one
	play <<END
answer @STREAMid: 1\ndata: a\n\n
wait replaced
send $DENIED
close
answer @STREAM\xef\xbb\xbfid: 2\ndata: b\n\n
close
answer @204
END
	follow "$URL/x" --token-file token -o json -v
	wait_for lines_of out 1
	replace two
	touch replaced
	ended "$PID" 0
	jq -c '[.data, .id]' out | is $'["a","1"]\n["b","2"]'
	[ "$(tokens)" = 'one two two' ]
	has log 'Last-Event-ID: 1'
	has err 'the server ended the stream: the token has expired'
	has err 'the file of --token-file has another token now: trying again'
}

# --- the spool ------------------------------------------------------------------------------------

@test "an event that cannot be sent because of the login is in the spool, 77; the next run with a good token sends it first" {
	local refusal
	for refusal in "$UNAUTHORIZED" "$FORBIDDEN"; do
		play < <(printf '%s\n' "$refusal" "$refusal" 'answer @CREATED' 'request' 'send @CREATED' 'request' 'send @CREATED')
		replace wrong
		run -77 sse-post "$URL/x" --spool spool --token-file token -d first
		[[ $output == "sse-post: $URL/x does not "*"; the event is in the spool" ]]
		[ "${#lines[@]}" -eq 1 ]
		run -77 sse-post "$URL/x" --spool spool --token-file token -d second
		[ "$(waiting | wc -l)" -eq 2 ]
		run ! grep -rq wrong spool
		replace good
		run -0 sse-post "$URL/x" --spool spool --token-file token -d third
		[ -z "$output" ]
		[ -z "$(waiting)" ]
		grep -oE '^(first|second|third)$' log | tail -n 3 | is $'first\nsecond\nthird'
		rm -rf spool
	done
}

@test "--flush with a login that is not accepted leaves all where it is, 77" {
	play < <(printf '%s\n' "$UNAUTHORIZED" "$FORBIDDEN" "$UNAUTHORIZED" 'answer @CREATED')
	run -77 sse-post "$URL/x" --spool spool -d x
	SSE_TOKEN=t run -77 sse-post --spool spool --flush
	[ "$output" = "sse-post: $URL/x does not permit this with this token (403 Forbidden): may not publish on users" ]
	# A run that adds nothing warns, and is not to blame.
	run -0 sse-post "$URL/x" --spool spool </dev/null
	[[ $output == 'sse-post: events wait in the spool: '*'(401 Unauthorized): the token has expired' ]]
	[ "$(waiting | wc -l)" -eq 1 ]
	[ -z "$(find spool -path '*/failed/*')" ]
	run -0 sse-post --spool spool --flush
	[ -z "$(waiting)" ]
}

@test "--flush sends a token to one host only" {
	local i
	replace hidden
	for i in 1 2; do
		free_url
		run -0 sse-post "$URL/x" --spool spool -d x
	done
	run -64 sse-post --spool spool --flush --token-file token
	[[ $output == *'give the URL that the login or header is for' ]]
}

@test "all lines are spooled while the login is not accepted, and a pipe is served again with a new token" {
	play < <(printf '%s\n' "$UNAUTHORIZED" "$UNAUTHORIZED"; yes 'answer @CREATED' | head -n 3)
	replace bad
	mkfifo pipe
	sse-post "$URL/x" --spool spool --token-file token <pipe 3>&- 2>err &
	local pid=$!
	exec 4>pipe
	printf 'one\ntwo\n' >&4
	# It is tried again after a pause.
	wait_for has err 'events wait in the spool and will be tried again'
	replace good
	echo three >&4
	wait_for has err 'the login is accepted again'
	exec 4>&-
	ended "$pid" 0
	[ -z "$(waiting)" ]
	lines_of err 2
}

@test "with many lines the message says how many are in the spool" {
	play < <(yes "$UNAUTHORIZED" | head -n 3)
	seq 5 >file
	run -77 sse-post "$URL/x" --spool spool -o json <file
	[ "$(grep -c '"result":"spooled"' <<<"$output")" -eq 5 ]
	[[ $output == *'; 0 of 5 lines were accepted, 5 are in the spool' ]]
}

@test "without a spool the event is refused, 77, and what would help is said" {
	play < <(printf '%s\n' "$UNAUTHORIZED" "$FORBIDDEN" "$UNAUTHORIZED")
	run -77 sse-post "$URL/x" -d x
	[ "$output" = "sse-post: $URL/x requires a login: give a token with --token-file FILE or SSE_TOKEN, or a password with -u (401 Unauthorized): the token has expired" ]
	SSE_TOKEN=t run -77 sse-post "$URL/x" -d x
	[ "$output" = "sse-post: $URL/x does not permit this with this token (403 Forbidden): may not publish on users" ]
	run -77 sse-post "$URL/x" -d x -u me:hidden
	[[ $output == *'does not accept the login (401 Unauthorized)'* && $output != *hidden* ]]
}

# --- secrets --------------------------------------------------------------------------------------

# given WAY COMMAND...: run the command in the background with the token given in this way.
given() {
	local way=$1
	shift
	case $way in
	option) "$@" --oauth2-bearer hidden-token ;;
	variable) SSE_TOKEN=hidden-token "$@" ;;
	file) "$@" --token-file token ;;
	esac >out 2>err 3>&- &
	PID=$!
}

# child: the process of a client that `given` began.
child() {
	pgrep -P "$PID" || echo "$PID"
}

@test "a token is in no message, no headers of -vv, no state, no spool and no list of processes, however it is given" {
	local way
	replace hidden-token
	for way in option variable file; do
		play <<'END'
answer @STREAMid: 1\ndata: a\n\n
wait go-on
close
answer HTTP/1.1 401 No@EMPTY
END
		given $way sse-tail "$URL/x" -vv --state state
		wait_for has err '< HTTP/1.1 200 OK'
		run ! grep -aq hidden "/proc/$(child)/cmdline"
		touch go-on
		ended "$PID" 77
		has err '> Authorization: [not shown]'
		run ! grep -aq hidden out err state
		[ "$(tokens)" = 'hidden-token hidden-token' ]
		rm -f go-on state

		play <<<$'accept\nrequest\nwait go-on\nsend HTTP/1.1 401 No@EMPTY'
		given $way sse-post "$URL/x" -vv -d x --spool spool
		wait_for has log hidden-token
		run ! grep -aq hidden "/proc/$(child)/cmdline"
		touch go-on
		ended "$PID" 77
		has err '> Authorization: [not shown]'
		[ -n "$(waiting)" ]
		run ! grep -raq hidden out err spool
		rm -rf go-on spool
	done
}

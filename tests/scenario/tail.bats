#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a user of sse-tail sees, against a server that does what each test says.
# shellcheck disable=SC2154,SC2119,SC2030,SC2031

load client_helpers

# --- the request ----------------------------------------------------------------------------------

@test "a topic word, no word and a URL lead to the stream, asked for as the standard says" {
	play <<'END'
answer @204
answer @204
answer @204
END
	SSE_URL=$URL run --separate-stderr -0 sse-tail
	[ -z "$output$stderr" ]
	has log 'GET /api/users/event HTTP/1.1'
	has log 'Accept: text/event-stream'
	has log 'Cache-Control: no-cache'
	has log 'User-Agent: sse-tail/'
	run ! grep -qi accept-encoding log
	run ! grep -qi last-event-id log
	SSE_URL=$URL/base run -0 sse-tail chat/lobby
	has log 'GET /base/api/chat/lobby/event HTTP/1.1'
	run -0 sse-tail "$URL/stream?x=1"
	has log 'GET /stream?x=1 HTTP/1.1'
}

@test "what makes no sense is a usage error: an unknown format, a bad id" {
	run -64 sse-tail -o xml
	[[ $output == *"pretty, json, data, raw"* ]]
	run -64 sse-tail --last-event-id $'a\nb'
	run -64 sse-tail --last-event-id ' a'
	run -64 sse-tail -H 'last-event-id: a'
	run -64 sse-tail -o raw -e update
	run -64 sse-tail -n 0
	run -64 sse-tail event
	run -64 sse-tail --reconect
	[[ $output == *"did you mean --reconnect?"* ]]
	run -64 sse-tail --reconnect --no-reconnect
	run -64 sse-tail --state a --resume-from b
	run -64 sse-tail --since yesterday
	[[ $output == *"--since: 'yesterday' is not a time"* ]]
	run -64 sse-tail --since 2026-11-22T19:00:00
	[[ $output == *"no time zone"* ]]
	run -64 sse-tail --pointer a/b
	[[ $output == *"is not a valid JSON pointer"* ]]
	run -64 sse-tail -F '%q'
	[[ $output == *"%q is not known"* ]]
	run -64 sse-tail -o template
	run -64 sse-tail -d -
	[[ $output == *"the standard input is not read"* ]]
	run -64 sse-tail -d a --json '{}'
	run -64 sse-tail -X 'A B'
	run -64 sse-tail -j -0
	run -64 sse-tail -t=local
	run -65 sse-tail --json '{'
	run -66 sse-tail -d @nowhere
}

@test "headers and login go with every connection" {
	ended_stream <<<''
	run -0 sse-tail "$URL/x" -H 'X-One: 1' -u me:pw -H 'Accept: text/event-stream, x/y'
	[ "$(grep -c 'X-One: 1' log)" -eq 2 ]
	[ "$(grep -c 'Authorization: Basic bWU6cHc=' log)" -eq 2 ]
	[ "$(grep -c '^Accept:' log)" -eq 2 ]
}

# --- events come at once --------------------------------------------------------------------------

@test "an event is shown the moment it is complete, also behind a lone CR, in pieces of a byte" {
	play <<'END'
answer @STREAM
bytes event: one\rdata: 1\r\r
wait one
bytes data: 2\r\n\r
wait two
bytes \ndata: 3\n
pause 20
bytes \n
wait three
send data: cut off
close
END
	follow "$URL/x" -o data --no-reconnect
	wait_for has out 1
	touch one
	wait_for has out 2
	touch two
	wait_for has out 3
	touch three
	ended "$PID" 0
	[ "$(cat out)" = $'1\n2\n3' ]
}

@test "into a pipe the format is json: one line an event, data a string, NUL and quotes kept" {
	stream <<<'event: up"date\nid: a:1\ndata: {"n": 1.00}\ndata: x\0y\n\ndata\n\n'
	run -0 sse-tail "$URL/x" --no-reconnect
	[ "${lines[0]}" = '{"event":"up\"date","data":"{\"n\": 1.00}\nx\u0000y","id":"a:1","origin":"'"$URL"'"}' ]
	[ "${lines[1]}" = '{"event":"message","data":"","id":"a:1","origin":"'"$URL"'"}' ]
}

@test "data prints the data alone, as it came" {
	stream <<<'data: {"n": 123456789012345678901234567890}\n\ndata: a\ndata:\ndata: b\n\n'
	run -0 sse-tail "$URL/x" --no-reconnect -o data
	[ "$output" = $'{"n": 123456789012345678901234567890}\na\n\nb' ]
}

@test "raw prints the bytes as they came, and -n ends behind the event" {
	held_stream <<<'\xef\xbb\xbf: hi\r\ndata: \xff\0\r\n\r\ndata: 2\n\ndata: 3\n\n'
	sse-tail "$URL/x" -o raw -n 2 >out
	printf '\xef\xbb\xbf: hi\r\ndata: \xff\0\r\n\r\ndata: 2\n\n' | cmp - out
}

@test "an event of a megabyte comes whole" {
	play <<'END'
answer @STREAMdata: 
repeat 104858 0123456789
send \n\n
close
END
	run -0 bash -c "sse-tail $URL/x --no-reconnect -o data | wc -c"
	[ "$output" -eq 1048581 ]
}

@test "invalid UTF-8 becomes the replacement character" {
	stream <<<'data: a\xffb\xc3\n\n'
	run -0 sse-tail "$URL/x" --no-reconnect -o data
	[ "$output" = 'a�b�' ]
}

@test "a stream that the server compressed without being asked is read" {
	printf 'data: squeezed\n\n' | gzip -c >body
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n
file body
close
END
	run -0 sse-tail "$URL/x" --no-reconnect -o data
	[ "$output" = squeezed ]
}

# A gzip stream of an event that is neither compressed nor the last, in the escapes of a script.
GZIP_HEAD='HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n'
GZIP_EVENT='\x1f\x8b\x08\0\0\0\0\0\0\x03\0\x0f\0\xf0\xffid: 1\ndata: 1\n\n'

@test "bytes after the end of a compressed stream are said to be so, and it goes on after its events" {
	local how
	printf 'id: 1\ndata: 1\n\n' | gzip -c >whole
	{ cat whole; printf 'more'; } >body
	for how in 'file body' $'file whole\nwait shown\nsend more' $'file whole\nwait shown\nfile whole'; do
		printf '%s\n' "answer $GZIP_HEAD" "$how" close \
			'answer @STREAMid: 2\ndata: 2\n\n' close >sent
		play <sent
		rm -f shown state
		follow "$URL/x" -v -o data -n 2 --state state
		wait_for has out 1
		touch shown
		ended "$PID" 0
		[ "$(cat out)" = $'1\n2' ]
		grep -q "x sent bytes after the end of the compressed stream; connecting again in 0" err
		grep -q '^Last-Event-ID: 1' log
		[ "$(cat state)" = 2 ]
	done
	play <sent
	run -69 --separate-stderr sse-tail "$URL/x" -o data --no-reconnect --state alone
	[ "$output" = 1 ]
	[ "$stderr" = "sse-tail: $URL/x sent bytes after the end of the compressed stream" ]
	[ "$(cat alone)" = 1 ]
}

@test "compressed data that is damaged is a connection that broke; cut off it is one that ended" {
	local rest words
	while read -r rest words; do
		printf '%s\n' "answer $GZIP_HEAD$GZIP_EVENT$rest" close \
			'answer @STREAMdata: 2\n\n' close >sent
		play <sent
		run -0 --separate-stderr sse-tail "$URL/x" -v -o data -n 2
		[ "$output" = $'1\n2' ]
		[[ $stderr == *"$URL/x $words; connecting again in 0"* ]]
		grep -q '^Last-Event-ID: 1' log
	done <<'END'
\x07 sent compressed data that is damaged
\0\x0f\0\xf0\xffid:2\nda ended the stream
END
	printf '%s\n' "answer $GZIP_HEAD$GZIP_EVENT\\x07" close >sent
	play <sent
	run -69 --separate-stderr sse-tail "$URL/x" -o data --no-reconnect
	[ "$output" = 1 ]
	[ "$stderr" = "sse-tail: $URL/x sent compressed data that is damaged" ]
}

@test "a stream that is never what its Content-Encoding says ends it with 76, as one that cannot be read" {
	printf '%s\n' "answer ${GZIP_HEAD}data: 1\\n\\n" hold >sent
	play <sent
	run -76 sse-tail "$URL/x"
	[ "$output" = "sse-tail: $URL/x sends a stream that is not compressed as its Content-Encoding says" ]
	local coding name
	while read -r coding name; do
		play <<END
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: $coding\r\n\r\n
hold
END
		run -76 sse-tail "$URL/x"
		[[ $output == "sse-tail: $URL/x compresses the stream with '$name', which this libcurl cannot decompress" ]]
	done <<'END'
lzma lzma
gzip,\tx-other,br x-other
gzip\r\nContent-Encoding:GZ GZ
END
	# These say that nothing is compressed.
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding:\r\nContent-Encoding: , Identity,none,\r\n\r\ndata: 1\n\n
close
END
	run -0 sse-tail "$URL/x" -o data --no-reconnect
	[ "$output" = 1 ]
}

@test "a chunked stream is read, and the Content-Type may be spelt in any way" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nCONTENT-TYPE:Text/Event-Stream;charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n
send 5\r\ndata:\r\n3\r\n 1\n\r\n1\r\n\n\r\n0\r\n\r\n
END
	run -0 sse-tail "$URL/x" --no-reconnect -o data
	[ "$output" = 1 ]
}

# --- pretty ---------------------------------------------------------------------------------------

@test "pretty shows time, type and id in a line, small data on it, and larger JSON indented with the digits that came" {
	stream <<'END'
event: update\nid: a:1\ndata: {"b":1.10,"a":123456789012345678901234567890,"l":[],"t":"x","n":[ 1, 2,3 ],"long":"so that it is more than a line"}\n\ndata: two\ndata: lines\n\nid: a:2\ndata: {"b":1.10,"n":[1, 2,3]}\n\ndata: [1,2,3]\n\ndata: some text\n\n
END
	run -0 sse-tail "$URL/x" --no-reconnect -o pretty
	[[ ${lines[0]} =~ ^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\ update\ a:1$ ]]
	[ "$(printf '%s\n' "${lines[@]:1:8}")" = '  {
    "b": 1.10,
    "a": 123456789012345678901234567890,
    "l": [],
    "t": "x",
    "n": [1,2,3],
    "long": "so that it is more than a line"
  }' ]
	[[ ${lines[9]} =~ ^[0-9:]{8}\ message$ ]]
	[ "${lines[10]}" = '  two' ]
	[ "${lines[11]}" = '  lines' ]
	[ "${lines[12]:8}" = ' message a:2  {"b": 1.10, "n": [1,2,3]}' ]
	[ "${lines[13]:8}" = ' message  [1,2,3]' ]
	[ "${lines[14]:8}" = ' message  some text' ]
}

@test "pretty shows what would steer the terminal instead of obeying it, in type, id, text and JSON" {
	play <<'END'
answer @STREAMevent: \x1b[31mred\nid: \x1b]0;t\x07\ndata: \x1b[2J \x07\x08\x7f \xc2\x9b31m \xe2\x80\xae \xe2\x81\xa6 \t.\n\n
send data: {"\xe2\x80\xaek":"\x7f\xc2\x9b\xe2\x80\xae"}\n\n
close
END
	run -0 sse-tail "$URL/x" --no-reconnect -o pretty
	[[ $output != *$'\e'* ]]
	[ "$(printf %s "$output" | LC_ALL=C tr -d '\n' | LC_ALL=C grep -c '[[:cntrl:]]')" -eq 0 ]
	[[ ${lines[0]} == *' \u001b[31mred \u001b]0;t\u0007  \u001b[2J \u0007\u0008\u007f \u009b31m \u202e \u2066 \t.' ]]
	[[ $output == *'"\u202ek": "\u007f\u009b\u202e"'* ]]
}

@test "colour comes with --color=always, and not into a pipe by itself" {
	play <<'END'
answer @STREAMdata: {"a":1}\n\n
close
answer @STREAMdata: {"a":1}\n\n
close
END
	run -0 sse-tail "$URL/x" --no-reconnect -o pretty --color=always
	[[ $output == *$'\e['* ]]
	run -0 sse-tail "$URL/x" --no-reconnect -o pretty
	[[ $output != *$'\e['* ]]
}

@test "in a terminal pretty and colour are the default, and NO_COLOR and TERM=dumb are obeyed" {
	needs_terminal
	play <<'END'
answer @STREAMevent: update\ndata: {"a":1}\n\n
close
answer @STREAMevent: update\ndata: {"a":1}\n\n
close
answer @STREAMevent: update\ndata: {"a":1}\n\n
close
END
	run -0 script -qec "sse-tail $URL/x --no-reconnect" /dev/null
	[[ $output == *$'\e['*update* ]]
	NO_COLOR=1 run -0 script -qec "sse-tail $URL/x --no-reconnect" /dev/null
	[[ $output == *update* && $output != *$'\e['* ]]
	TERM=dumb run -0 script -qec "sse-tail $URL/x --no-reconnect" /dev/null
	[[ $output == *update* && $output != *$'\e['* ]]
}

@test "a gap is shown as a warning, and told on the standard error where -e leaves it out" {
	play <<'END'
answer @STREAMevent: gap\nid: b:9\ndata: {"after":"b:1","oldest":"b:9","reason":"expired"}\n\nevent: gap\ndata: my own\n\n
close
answer @STREAMevent: gap\nid: b:9\ndata: {"after":"\\u001b","oldest":null,"reason":"unknown-log"}\n\n
close
END
	run --separate-stderr -0 sse-tail "$URL/x" --no-reconnect -o pretty
	[[ ${lines[0]} == *'events are missing here: those after b:1 are no longer stored' ]]
	[[ ${lines[1]} == *' gap  my own' ]]
	run --separate-stderr -0 sse-tail "$URL/x" --no-reconnect -e update
	[ -z "$output" ]
	[ "$stderr" = 'sse-tail: events are missing here: those after \u001b are not known: the id belongs to another log' ]
}

# --- choosing and ending --------------------------------------------------------------------------

@test "-e shows the types that match one of the globs, -n counts what is shown" {
	held_stream <<'END'
event: user.join\ndata: 1\n\nevent: other\ndata: 2\n\ndata: 3\n\nevent: user.leave\ndata: 4\n\nevent: user.x\ndata: 5\n\n
END
	run -0 sse-tail "$URL/x" -o data -e 'user.*' -e message -n 3
	[ "$output" = $'1\n3\n4' ]
}

@test "--timeout ends with 0, and with 75 if -n was not reached" {
	play <<'END'
answer @STREAMdata: 1\n\n
hold
answer @STREAMdata: 1\n\n
hold
END
	run --separate-stderr -0 sse-tail "$URL/x" -o data --timeout 1s
	[ "$output$stderr" = 1 ]
	run --separate-stderr -75 sse-tail "$URL/x" -o data --timeout 1s -n 2
	[[ $stderr == *"--timeout is up, and 1 of 2 events came" ]]
}

@test "--timeout also ends the wait between connections" {
	free_url
	run -0 sse-tail "$URL/x" --timeout 200ms --reconnect-delay 1h
}

@test "SIGINT ends it with 130, SIGTERM with 143, and all that came was written" {
	local signal want
	while read -r signal want; do
		held_stream <<<'data: 1\n\n'
		follow "$URL/x" -o data
		wait_for has out 1
		kill "-$signal" "$PID"
		ended "$PID" "$want"
		[ ! -s err ]
		kill "$SERVER_PID" || true
	done <<'END'
INT 130
TERM 143
END
}

@test "when the reader of the pipe goes away it ends at once, without a word" {
	held_stream <<<'data: 1\n\n'
	(sse-tail "$URL/x" -o data 2>err 3>&- || echo $? >status) | head -n 1 >out
	[ "$(cat out)" = 1 ]
	[ "$(cat status)" -eq 141 ]
	[ ! -s err ]
}

@test "output that cannot be written is 74: a full disk, a closed stdout" {
	play <<'END'
answer @STREAMdata: 1\n\n
hold
answer @STREAMdata: 1\n\n
hold
END
	[ -c /dev/full ] || skip "no /dev/full"
	run -74 bash -c "sse-tail $URL/x 2>&1 >/dev/full"
	[[ $output == "sse-tail: cannot write to the standard output: "* ]]
	run -74 bash -c "sse-tail $URL/x 2>&1 >&-"
}

@test "a reader that stalls slows the stream down, and a signal still ends it" {
	play <<'END'
answer @STREAM
repeat 200000 data: a line that fills the pipe and then the buffers of the kernel, too\n\n
log all sent
hold
END
	follow_pipe "$URL/x" -o data
	read -r line <&4
	[[ $line == "a line"* ]]
	run ! has log 'all sent'
	kill "$PID"
	ended "$PID" 143
	exec 4<&-
}

@test "a signal that comes just before a write that blocks ends it, too" {
	[ -z "${SANITIZER:-}" ] || skip "a shim does not go with a sanitizer"
	play <<'END'
answer @STREAMdata: 1\n\n
wait read
repeat 20000 data: a line that fills the pipe
send \n\n
hold
END
	mkfifo pipe
	# What is preloaded must have no space in its path.
	cp "$TOOLS/shim_term.so" .
	LD_PRELOAD=$PWD/shim_term.so sse-tail "$URL/x" -o data >pipe 2>err 3>&- &
	PID=$!
	exec 4<pipe
	read -r line <&4
	touch read
	ended "$PID" 143
	exec 4<&-
}

@test "it does not read the standard input" {
	stream <<<'data: 1\n\n'
	printf 'left alone' >file
	run -0 bash -c "(sse-tail $URL/x --no-reconnect -o data; cat) <file"
	[ "$output" = $'1\nleft alone' ]
}

# --- connecting again -----------------------------------------------------------------------------

@test "after the end of the stream it goes on from the last id, silently, and 204 ends it with 0" {
	play <<'END'
answer @STREAMid: a:1\ndata: 1\n\nid: a:2\n\nid: a:3\ndata: torn
close
answer @STREAMdata: 2\n\n
reset
answer @204
END
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	[ "$output" = $'1\n2' ]
	[ -z "$stderr" ]
	[ "$(grep -c 'Last-Event-ID: a:2' log)" -eq 2 ]
	requests 3
}

@test "--last-event-id is sent, and an empty id in the stream takes it back" {
	ended_stream <<<'id\ndata: 1\n\n'
	run -0 sse-tail "$URL/x" --last-event-id 'ü:1'
	has log 'Last-Event-ID: ü:1'
	[ "$(grep -c 'Last-Event-ID' log)" -eq 1 ]
}

@test "an id that HTTP cannot carry is left out with a warning" {
	ended_stream <<<'id: a\x01b\ndata: 1\n\n'
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	[[ $stderr == *"the id 'a\u0001b' cannot be sent"* ]]
	run ! has log 'Last-Event-ID'
}

@test "the server's retry field sets the pause, in force without a blank line behind it" {
	ended_stream <<<'retry: 400\nretry: 10x\n'
	run -0 sse-tail -v "$URL/x"
	[[ $output =~ connecting\ again\ in\ 0\.([4-7][0-9][0-9]|800)\ s ]]
}

@test "a server that asks for no pause and ends each stream is asked at most ten times a second" {
	local n
	for ((n = 0; n < 40; n++)); do
		printf '%s\n' "answer @STREAMretry: 0\\nid: $n\\ndata: $n\\n\\n" close
	done >pauses
	play <pauses
	run -0 --separate-stderr sse-tail -v "$URL/x" -o data --timeout 1s
	# Each pause is at least 100 ms, so eleven requests fit however fast all else is.
	n=$(grep -c '^GET ' log)
	[ "$n" -ge 2 ]
	[ "$n" -le 11 ]
	# And each is at most 200 ms: an event came each time.
	grep -q 'the server asks for 0 ms' <<<"$stderr"
	run ! grep -vE ' in 0\.(1[0-9][0-9]|200) s' <(grep 'connecting again in' <<<"$stderr")
	run -64 sse-tail "$URL/x" --reconnect-delay 0
	[[ $output == *"'0' is not a duration from 10ms to 1h"* ]]
}

@test "a server that is away, breaks, or answers 500, 429 or 408 is asked again" {
	play <<'END'
away
wait called
back
answer HTTP/1.1 500 Oops@EMPTY
request
send HTTP/1.1 429 Slow\r\nRetry-After: 1@EMPTY
request
send HTTP/1.1 408 Slow@EMPTY
close
accept
request
close
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\ndata: 1\n\n
close
answer @204
END
	follow -v "$URL/x" -o data
	wait_for has err 'Connection refused'
	touch called
	ended "$PID" 0
	[ "$(cat out)" = 1 ]
	has err '(500 Oops); connecting again'
	# Not before Retry-After; the back-off may be longer by then.
	sed -n 's/.*(429 Slow); connecting again in \(.*\) s$/\1/p' err >pause
	[ -s pause ]
	awk '$1 < 1 { exit 1 }' pause
	has err 'closed the connection without an answer'
	has err 'closed the connection too early'
}

@test "other 4xx end it at once, with the server's reason" {
	local code want
	while read -r code want; do
		play <<END
answer HTTP/1.1 $code No\r\nContent-Type: application/problem+json\r\nContent-Length: 17\r\n\r\n{"detail":"why!"}
hold
END
		run "-$want" sse-tail "$URL/x"
		[[ $output == "sse-tail: $URL/x "*"($code No): why!" ]]
		requests 1
	done <<'END'
400 65
401 77
403 77
404 69
410 69
END
}

@test "a refusal whose body never ends is still a refusal" {
	play <<'END'
answer HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\r\n
repeat 100000 a lot of words that go on and on and on and on
hold
END
	run -69 sse-tail "$URL/x"
}

@test "--retry-max ends it after so many failures in a row, 75; an event starts the count anew" {
	play <<'END'
accept
request
close
answer @STREAMdata: 1\n\n
close
accept
request
close
accept
request
close
END
	run --separate-stderr -75 sse-tail "$URL/x" -o data --retry-max 2
	[ "$output" = 1 ]
	[[ $stderr == *"gave up after 3 attempts in a row: "* ]]
	requests 4
}

@test "--no-reconnect: 0 when the stream ended, 69 when it broke or nobody was there, 75 for 5xx" {
	play <<'END'
answer @STREAMdata: 1\n\n
close
answer @STREAMdata: 1\n\n
pause 50
reset
answer HTTP/1.1 503 Busy@EMPTY
END
	run -0 sse-tail "$URL/x" --no-reconnect
	run -69 sse-tail "$URL/x" --no-reconnect
	[[ $output == *"the connection to $URL/x broke"* ]]
	run -75 sse-tail "$URL/x" --no-reconnect
	wait "$SERVER_PID"
	run -69 sse-tail "$URL/x" --no-reconnect
	[[ $output == "sse-tail: cannot connect to $URL/x: Connection refused" ]]
}

@test "--read-timeout takes silence for a broken connection; a comment is life" {
	play <<'END'
answer @STREAMdata: 1\n\n
pause 500
send :\n
pause 500
send :\n
wait silent
answer @204
END
	follow -v "$URL/x" -o data --read-timeout 1s
	wait_for has err 'nothing came from'
	touch silent
	ended "$PID" 0
	has err 'for 1s; connecting again'
	requests 2
}

@test "trouble of more than 10 s is told once, and that it is over; -q keeps silent" {
	free_url
	sse-tail -q "$URL/x" --timeout 11s 2>quiet 3>&- &
	local quiet_pid=$!
	play <<'END'
answer @STREAMdata: 0\n\n
close
answer HTTP/1.1 503 Busy\r\nRetry-After: 11\r\nConnection: close@EMPTY
answer @STREAMdata: 1\n\n
hold
END
	follow "$URL/x" -o data -n 2
	wait_for has err 'still trying' || wait_for has err 'still trying'
	[ "$(head -n 1 err)" = "sse-tail: no stream for 10s: $URL/x cannot answer now (503 Busy); still trying" ]
	ended "$PID" 0
	[[ $(tail -n 1 err) == "sse-tail: the stream is back after 1"[1-9]s ]]
	lines_of err 2
	ended "$quiet_pid" 0
	[ ! -s quiet ]
}

@test "who waits at a terminal for a first stream hears at once that there is none" {
	needs_terminal
	free_url
	TERM=xterm run -0 script -qec "sse-tail $URL/x --timeout 1s" /dev/null
	[[ $output == *"sse-tail: connection refused: ${URL#*://}, trying again"* ]]
	# Where a line cannot be written over it is a sentence.
	TERM=dumb run -0 script -qec "sse-tail $URL/x --timeout 1s" /dev/null
	[[ $output == *"sse-tail: no stream yet: cannot connect to $URL/x: Connection refused; still trying"* ]]
	run -75 script -qec "sse-post $URL/x -d x --retry-max-time 600ms" /dev/null
	[[ $output == "sse-post: cannot connect to $URL/x: Connection refused; trying again for 600ms"* ]]
}

@test "redirects are followed, and the next connection asks the URL that was given" {
	local code
	for code in 301 302 303 307 308; do
		play <<END
answer HTTP/1.1 $code Go\r\nLocation: /y@EMPTY
request
send @STREAMdata: 1\n\n
close
answer @204
END
		run -0 sse-tail "$URL/x" -o data
		[ "$output" = 1 ]
		[ "$(grep -c 'GET /x ' log)" -eq 2 ]
		[ "$(grep -c 'GET /y ' log)" -eq 1 ]
	done
}

@test "a redirect may lead to a server that takes its time" {
	play <<'END'
answer HTTP/1.1 302 Go\r\nLocation: /y@EMPTY
request
pause 5200
send @STREAMdata: 1\n\n
close
END
	run -0 sse-tail "$URL/x" -o data --no-reconnect
	[ "$output" = 1 ]
}

@test "a redirect without end or without Location is 76" {
	local _
	{
		echo accept
		for _ in {1..21}; do
			printf '%s\n' request 'send HTTP/1.1 302 Go\r\nLocation: /y@EMPTY'
		done
	} >redirects
	play <redirects
	run -76 sse-tail "$URL/x"
	[[ $output == *"redirects too often"* ]]
	play <<<'answer HTTP/1.1 302 Go@EMPTY'
	run -76 sse-tail "$URL/x"
	[[ $output == *"no Location"* ]]
}

@test "an answer that means no redirect is none, whatever its Location: 300, 304, 305, 306" {
	local code
	for code in 300 304 305 306; do
		play <<END
answer HTTP/1.1 $code Go\r\nLocation: /y@EMPTY
hold
END
		run -76 sse-tail "$URL/x"
		[[ $output == "sse-tail: $URL/x gave an unexpected answer ($code Go)" ]]
		requests 1
	done
}

@test "a new stream begins anew: its byte order mark, its torn line and its event are not the last one's" {
	play <<'END'
answer @STREAM\xef\xbb\xbfid: 1\ndata: one\n\nid: 2\nevent: torn\ndata: torn
close
answer @STREAM\xef\xbb\xbfdata: two\n\ndata: three\r
close
answer @STREAM\ndata: four\n\n
close
answer @204
END
	run -0 sse-tail "$URL/x" -F '%e %i %d'
	[ "$output" = $'message 1 one\nmessage 1 two\nmessage 1 four' ]
	[ "$(grep -c 'Last-Event-ID: 1' log)" -eq 3 ]
}

@test "the media type is read as the standard has it: parameters of any kind, nothing behind it" {
	local type
	while IFS= read -r type; do
		play <<END
answer HTTP/1.1 200 OK\r\nContent-Type: ${type#* }\r\n\r\ndata: 1\n\n
close
END
		run "-${type%% *}" sse-tail "$URL/x" -o data --no-reconnect
		wait "$SERVER_PID"
	done <<'END'
0 text/event-stream;
0 text/event-stream ; charset=windows-1252
0 TEXT/EVENT-STREAM;x bogus
0 \ttext/event-stream\t
76 text/event-stream x
76 text/event-stream, text/html
76 text/x-event-stream
76 x-text/event-stream
END
}

@test "origin is that of the stream itself, behind redirects, without a password" {
	stream <<<'data: 1\n\n'
	local pid=$SERVER_PID
	set_aside
	play <<<"answer HTTP/1.1 302 Go\r\nLocation: $ELSEWHERE/y@EMPTY"
	run -0 sse-tail "${URL/\/\////me:pw@}/x" --no-reconnect
	[[ $output == *"\"origin\":\"$ELSEWHERE\"}" ]]
	wait "$pid"
	run ! grep -q Authorization elsewhere.log
}

# --- not an event stream --------------------------------------------------------------------------

@test "a URL that is no event stream is 76, and it says what came instead" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>
hold
answer HTTP/1.1 200 OK\r\n\r\nx
hold
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\n\r\n
hold
answer HTTP/1.1 206 Partial\r\nContent-Type: text/event-stream@EMPTY
END
	run -76 sse-tail "$URL/x"
	[ "$output" = "sse-tail: $URL/x is not an event stream: its Content-Type is 'text/html'" ]
	run -76 sse-tail "$URL/x"
	[[ $output == *"Content-Type is missing" ]]
	run -76 sse-tail "$URL/x"
	run -76 sse-tail "$URL/x"
}

@test "something that is not HTTP is 76" {
	play <<'END'
answer 220 mail.example.com ESMTP\r\n
close
END
	run -76 sse-tail "$URL/x"
	[[ $output == *"does not speak HTTP"* ]]
}

@test "an event larger than 64 MiB ends it with 76, it does not fill the memory" {
	play <<'END'
answer @STREAMdata: 1\n\ndata: 
repeat 700000 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
hold
END
	run --separate-stderr -76 sse-tail "$URL/x" -o data
	[ "$output" = 1 ]
	[[ $stderr == *"sent an event larger than 64 MiB" ]]
}

@test "an event takes at most three times its size in memory, whatever is made of it" {
	local small peak
	shown() {
		tail -c 300 out | grep -q the-end
	}
	# of BEFORE TIMES TEXT BEHIND ARGUMENT...: show an event of so many TEXT; the most memory, in KiB.
	of() {
		play <<-END
			answer @STREAMdata: $1
			repeat $2 $3
			send $4\n\ndata: the-end\n\n
			hold
		END
		rm -f out
		follow "$URL/x" "${@:5}"
		wait_for shown
		peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$PID/status")
		kill "$PID" "$SERVER_PID"
		wait "$PID" || true
		[ -n "${SANITIZER:-}" ] || [ "$peak" -lt $((small + 3 * 8000)) ] ||
			{ echo "$peak KiB instead of $small for a small event: ${*:5}" >&2; return 1; }
	}
	# 8,000,000 bytes: text, what JSON escapes, and JSON of small values, of which sed makes the same.
	local text controls json='{"a \\"b\\"":[1.50,null],"text":"'
	text=$(printf '%0100d' 7)
	controls=$(printf '\\x01%.0s' {1..100})
	json=$json${text:${#json}+1}'"},'
	small=100000
	of '' 1 "$text" '' -o json
	small=$peak
	of '' 80000 "$text" '' -o data
	of '' 80000 "$text" '' -o json
	of '' 80000 "$text" '' -o pretty
	of '' 80000 "$text" '' -o sse
	of '' 80000 "$controls" '' -o pretty
	[ "$(head -n 2 out | tail -n 1 | wc -c)" -eq $((2 + 6 * 8000000 + 1)) ]
	of '' 80000 "$controls" '' -o json
	of '' 80000 "$controls" '' -F '%D\n'
	of [ 80000 "$json" 0] -o json --nest
	head -n 1 out | jq -ce '.data | length == 80001 and .[79999]["a \"b\""] == [1.5,null]'
	of [ 80000 "$json" 0] -o json
	head -n 1 out | jq -ce '.data | fromjson | length == 80001'
	of [ 80000 "$json" 0] -o pretty
	sed '1d; /^  ]$/q' out | jq -ce 'length == 80001 and .[79999]["a \"b\""] == [1.5,null]'
}

@test "a reader that cannot take a large event is told of, and the state stays before it" {
	play <<-END
		answer @STREAMid: 1\ndata: 1\n\n
		wait go
		send id: 2\n
		repeat 30000 data: $(printf '%0100d' 7)\n
		send \n
		hold
	END
	mkfifo pipe
	sse-tail "$URL/x" --no-reconnect -o json --state state >pipe 2>err 3>&- &
	PID=$!
	head -n 1 <pipe >out
	touch go
	ended "$PID" 141
	[ ! -s err ]
	[ "$(cat state)" = 1 ]
}

@test "a certificate that nobody vouches for is 76, --cacert or -k accept it" {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost 2>/dev/null
	openssl s_server -accept 0 -key key -cert cert -www >server 2>&1 3>&- &
	SERVER_PID=$!
	wait_for has server ACCEPT
	URL=https://localhost:$(sed -n 's/^ACCEPT .*://p' server | head -n 1)
	run -76 sse-tail "$URL/x"
	[[ $output == *"a certificate that is not trusted (--cacert "* ]]
	run -76 sse-tail "$URL/x" -k
	[[ $output == *"not an event stream"*text/html* ]]
	run -76 sse-tail "$URL/x" --cacert cert
	[[ $output == *"not an event stream"* ]]
	run -66 sse-tail "$URL/x" --cacert missing
}

@test "a host that does not exist is asked again, and 69 with --no-reconnect" {
	run -69 sse-tail http://no-such-host.invalid/x --no-reconnect
	[[ $output == *"cannot find the host of"* ]]
}

# --- words ----------------------------------------------------------------------------------------

@test "-vv shows headers but no secret, and the server's cannot steer the terminal" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Evil: \x1b[2J\r\nSet-Cookie: hidden2\r\n\r\n
close
END
	run -0 sse-tail -vv "$URL/x" --oauth2-bearer hidden1 --no-reconnect
	[[ $output != *hidden* ]]
	[[ $output != *$'\e'* ]]
	[[ $output == *'< X-Evil: \u001b[2J'* ]]
}

@test "--help fits 80 columns and lists the formats; --version names libcurl" {
	run --separate-stderr -0 sse-tail --help
	[ -z "$stderr" ]
	[ -z "$(awk 'length > 80' <<<"$output")" ]
	[[ $output == *pretty* && $output == *--no-reconnect* ]]
	run -0 sse-tail --version
	[[ $output == "sse-tail (sse-tools) "*libcurl* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a user of sse-post sees, against a server that does what each test says.
# shellcheck disable=SC2154,SC2119,SC2030,SC2031

load client_helpers

# --- what is sent ---------------------------------------------------------------------------------

@test "NAME=TEXT makes one JSON object in the order given, posted to users, without a word" {
	takes 1
	SSE_URL=$URL run --separate-stderr -0 sse-post firstname=John 'lastname=D"OE' age:=7
	[ -z "$output$stderr" ]
	has log 'POST /api/users HTTP/1.1'
	has log 'Content-Type: application/json'
	has log 'User-Agent: sse-post/'
	grep -qxF '{"firstname":"John","lastname":"D\"OE","age":7}' log
}

@test "NAME:=JSON keeps every digit and the key order, and dots nest" {
	takes 1
	run -0 sse-post "$URL/x" 'n:=123456789012345678901234567890.10e+5' a.b=1 a.c:='{ "z":1, "a":[ ] }' 'd\.e=x' z=
	grep -qxF '{"n":123456789012345678901234567890.10e+5,"a":{"b":"1","c":{"z":1,"a":[]}},"d.e":"x","z":""}' log
}

@test "a name given twice is a usage error that names it" {
	run -64 sse-post a=1 b=2 a=3
	[[ $output == *"'a=3'"*before* ]]
	run -64 sse-post a.b=1 a=3
	run -64 sse-post a=1 a.b=3
	[[ $output == *"'a.b=3'"* ]]
	run -64 sse-post =1
	run -64 sse-post a..b=1
}

@test "a value of := that is not JSON is refused before anything is sent, 65" {
	run -65 sse-post 'a:=01'
	[[ $output == "sse-post: 'a:=01' is not NAME:=JSON: "* ]]
	run -65 sse-post 'a:='
	run -65 sse-post "a=$(printf '\xff')"
}

@test "--data goes as JSON if it is JSON, else as text, and --as decides otherwise" {
	takes 3
	run -0 sse-post "$URL/x" -d '{"a": 1.0}'
	has log 'Content-Type: application/json'
	grep -qxF '{"a": 1.0}' log
	run -0 sse-post "$URL/x" -d 'Hello, all'
	has log 'Content-Type: text/plain; charset=utf-8'
	grep -qxF 'Hello, all' log
	run -0 sse-post "$URL/x" -d 123 --as text
	[ "$(grep -c text/plain log)" -eq 2 ]
	run -65 sse-post "$URL/x" -d '{"a":' --as json
	[[ $output == *"not JSON"*"byte 6"* ]]
}

@test "--data @FILE and --data - send the whole without its last line end" {
	takes 2
	printf 'one\ntwo\n' >file
	run -0 sse-post "$URL/x" -d @file
	has log 'Content-Length: 7'
	run -0 bash -c "printf 'three\r\n' | sse-post $URL/x -d -"
	has log 'Content-Length: 5'
}

@test "a file that cannot be read is 66 and named" {
	run -66 sse-post -d @missing
	[[ $output == "sse-post: cannot open missing: No such file or directory" ]]
	run -66 sse-post -d @.
}

@test "empty data is an event without text" {
	takes 1
	run -0 sse-post "$URL/x" -d ''
	has log 'Content-Length: 0'
}

@test "a large event and a NUL in text arrive whole" {
	takes 2
	head -c 3000000 /dev/zero | tr '\0' x >file
	run -0 sse-post "$URL/x" -d @file
	has log 'Content-Length: 3000000'
	run -0 bash -c "printf 'a\0b\n' | sse-post $URL/x"
	has log 'Content-Length: 3'
}

@test "--event becomes the query, percent-encoded, behind one that is there" {
	takes 2
	SSE_URL=$URL run -0 sse-post chat/lobby -e 'a b&c=é' -d x
	grep -qiF 'POST /api/chat/lobby?event=a%20b%26c%3D%C3%A9 HTTP/1.1' log
	run -0 sse-post "$URL/x?k=v" -e join -d x
	has log 'POST /x?k=v&event=join HTTP/1.1'
}

@test "an event type with a newline, or an empty one, is a usage error" {
	run -64 sse-post a=1 -e $'x\r\nHost: y'
	run -64 sse-post a=1 -e $'x\ny'
	[[ $output == *"newline"* ]]
	run -64 sse-post a=1 -e ''
}

@test "text that is not UTF-8 is refused before anything is sent, with its line and place" {
	takes 1
	run -65 bash -c "printf 'good\nb\xffd\n' | sse-post $URL/x"
	[[ $output == *"line 2 is not UTF-8: byte 2 is wrong; 1 of 2 lines were accepted, line 2 is the first that was not" ]]
	requests 1
}

# --- where to -------------------------------------------------------------------------------------

@test "a topic that cannot be one is a usage error that says what one is like" {
	for topic in /api/users a//b a/ .. a/event localhost:8000 ftp://x/y 'a b' 'a,b'; do
		run -64 sse-post "$topic" a=1
		[[ $output == *"'$topic'"* ]]
	done
	run -64 sse-post users chat a=1
	run -64 sse-post 'http://[::1' a=1
}

@test "a URL with an equals sign in it is still the URL" {
	takes 1
	run -0 sse-post "$URL/x?a=b" c=d
	has log 'POST /x?a=b HTTP/1.1'
}

@test "SSE_URL may have a path, and a wrong one is a usage error" {
	takes 1
	SSE_URL=$URL/base// run -0 sse-post a=1
	has log 'POST /base/api/users HTTP/1.1'
	SSE_URL=localhost:8000 run -64 sse-post a=1
	[[ $output == *SSE_URL* ]]
}

@test "headers, name and password, and token are sent; a header can replace ours" {
	takes 2
	run -0 sse-post "$URL/x" -d x -H 'X-One: 1' -H 'Content-Type: application/x-own' -u me:pw
	has log 'X-One: 1'
	has log 'Authorization: Basic bWU6cHc='
	has log 'Content-Type: application/x-own'
	run ! has log text/plain
	SSE_OAUTH2_BEARER=tok run -0 sse-post "$URL/x" -d x
	has log 'Authorization: Bearer tok'
}

@test "a header with a line end, or none, is a usage error" {
	run -64 sse-post a=1 -H $'X: 1\r\nY: 2'
	run -64 sse-post a=1 -H 'no header'
	run -64 sse-post a=1 -u a:b --oauth2-bearer t
}

@test "an option misspelt suggests the nearest; one given twice is an error" {
	run -64 sse-post a=1 --evnt x
	[[ $output == *"did you mean --event?"* ]]
	run -64 sse-post a=1 --event x --event y
	run -64 sse-post a=1 --timeout 1y
	[[ $output == *"--timeout"*"500ms, 1.5s"* ]]
}

@test "-d and NAME=TEXT together are a usage error" {
	run -64 sse-post a=1 -d x
}

# --- lines ----------------------------------------------------------------------------------------

@test "each line of a pipe is an event, over one connection; blank lines are none" {
	play <<'END'
answer @CREATED
request
send @CREATED
request
send @CREATED
hold
END
	run --separate-stderr -0 bash -c "printf '{\"a\":1}\r\n\n  \ntwo words\nlast' | sse-post $URL/x"
	[ -z "$output$stderr" ]
	requests 3
	grep -qxF '{"a":1}' log
	grep -qxF 'two words' log
	grep -qxF 'last' log
	[ "$(grep -c '== connection' log)" -eq 1 ]
}

@test "each line of a file is an event" {
	play <<'END'
answer @CREATED
request
send @CREATED
END
	printf 'a\nb\n' >file
	run -0 sse-post "$URL/x" <file
	requests 2
}

@test "a line is sent as soon as it is complete, while the pipe stays open" {
	play <<'END'
answer @CREATED
request
send @CREATED
END
	mkfifo pipe
	sse-post "$URL/x" <pipe 3>&- &
	local pid=$!
	exec 4>pipe
	echo one >&4
	wait_for has log one
	printf tw >&4
	echo o >&4
	wait_for has log two
	exec 4>&-
	ended "$pid" 0
}

@test "no input at all sends nothing and is no error: /dev/null, an empty pipe, a closed stdin" {
	free_url
	run -0 sse-post "$URL/x" </dev/null
	run -0 bash -c "printf '' | sse-post $URL/x"
	run -0 bash -c "sse-post $URL/x <&-"
	run -0 bash -c "printf '\n\n' | sse-post $URL/x"
	[ -z "$output" ]
}

@test "without data and with a terminal as input it says what to give" {
	needs_terminal
	run -64 script -qec "sse-post users" /dev/null </dev/null
	[[ $output == *"nothing to send"*"NAME=TEXT"* ]]
}

@test "with an error in the middle it says how many lines were accepted, and which is the first that was not" {
	play <<'END'
answer @CREATED
request
send HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: 36\r\n\r\n{"detail":"\\"lastname\\" is missing"}
END
	printf '1\n\n2\n3\n4\n' >file
	run -65 sse-post "$URL/x" <file
	[[ $output == "sse-post: $URL/x refused the request (400 Bad Request): \"lastname\" is missing; 1 of 4 lines were accepted, line 3 is the first that was not" ]]
}

@test "--as json stops at the first line that is not JSON" {
	takes 1
	run -65 bash -c "printf '1\n{\n3\n' | sse-post $URL/x --as json"
	[[ $output == *"line 2 is not JSON"*"1 of 3 lines were accepted"* ]]
}

# --- what the server says -------------------------------------------------------------------------

@test "each refusal has its exit status, and is not tried again" {
	local code want
	while read -r code want; do
		play <<END
answer HTTP/1.1 $code Reason@EMPTY
hold
END
		run "-$want" sse-post "$URL/x" -d x
		[[ $output == "sse-post: $URL/x "*"($code Reason)"* ]]
		requests 1
	done <<'END'
400 65
409 65
413 65
422 65
415 65
404 69
405 69
410 69
401 77
403 77
501 75
507 75
304 76
END
}

@test "408, 429, 500, 502, 503 and 504 are tried again with the same key; with --retry-max-time 0 they are 75" {
	local code key
	for code in 408 429 500 502 503 504; do
		play <<END
answer HTTP/1.1 $code Reason@EMPTY
request
send @CREATED
END
		run -0 sse-post "$URL/x" -d x
		[ -z "$output" ]
		requests 2
		key=$(grep -a '^Idempotency-Key: ' log | sort -u | tr -d '\r')
		[[ $key =~ ^Idempotency-Key:\ [0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]]
		play <<<"answer HTTP/1.1 $code Reason@EMPTY"
		run -75 sse-post "$URL/x" -d x --retry-max-time 0
		[[ $output == *"($code Reason)" ]]
	done
}

@test "any 2xx is an acceptance, also when the answer's body is cut" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf
reset
answer HTTP/1.1 202 Accepted@EMPTY
END
	run -0 sse-post "$URL/x" -d x
	run -0 sse-post "$URL/x" -d x
}

@test "an accepted event is accepted, though the body of the answer never ends" {
	play <<'END'
answer HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf
hold
END
	run -0 sse-post "$URL/x" -d x
}

@test "the server's reason cannot steer the terminal" {
	play <<'END'
answer HTTP/1.1 400 B\x1b[2Jd\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\x1b]0;title\x07 \xc2\x9b1m\xe2\x80\xaegone
END
	run -65 sse-post "$URL/x" -d x
	[[ $output == *'B\u001b[2Jd'*'\u001b]0;title\u0007 \u009b1m\u202egone' ]]
	[[ $output != *$'\e'* ]]
}

@test "an answer without end is not read without end" {
	play <<'END'
answer HTTP/1.1 400 No\r\nContent-Type: text/plain\r\n\r\n
repeat 100000 a lot of words that go on and on and on and on
hold
END
	run -65 sse-post "$URL/x" -d x --timeout 20s
}

@test "429 and 503 are tried again, not before Retry-After, given in seconds or as a date" {
	play <<'END'
answer HTTP/1.1 503 Busy\r\nRetry-After: 1@EMPTY
request
send HTTP/1.1 429 Slow\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT@EMPTY
request
send @CREATED
END
	run -0 sse-post -v "$URL/x" -d x
	[[ $output == *"503 Busy"*"trying again in 1."* ]]
	requests 3
}

@test "a Retry-After beyond the time for retries gives up at once, 75" {
	play <<<'answer HTTP/1.1 503 Busy\r\nRetry-After: 3600@EMPTY'
	run -75 sse-post "$URL/x" -d x
	[[ $output == *"asked to wait for 1h"* ]]
}

@test "503 until the time for retries is over is 75" {
	# More often than it can ask in that time.
	play < <(echo accept; yes $'request\nsend HTTP/1.1 503 Busy@EMPTY' | head -n 200)
	SSE_RETRY_MAX_TIME=300ms run -75 sse-post "$URL/x" -d x
	[[ $output == *"gave up after 300ms"*"503 Busy"* ]]
	play <<<'answer HTTP/1.1 503 Busy@EMPTY'
	run -75 sse-post "$URL/x" -d x --retry-max-time 0
}

@test "a server that takes an event and does not answer is given up when the time for retries is over" {
	stalls
	run -75 sse-post -v "$URL/x" -d x --retry-max-time 1s
	[[ $output == *"no answer yet from $URL/x; waiting for up to 3s more"* ]]
	[[ $output == *"gave up after 5s: $URL/x did not answer within 5 s; the event may or may not have been stored" ]]
	needs_terminal
	stalls
	TERM=xterm run -75 script -qec "sse-post $URL/x -d x --timeout 4s" /dev/null
	[[ $output == "sse-post: no answer yet from $URL/x; waiting for up to 2s more"* ]]
	# Below a line of progress, not within it.
	stalls
	TERM=xterm run -75 script -qec "seq 3 | sse-post $URL/x --timeout 4s" /dev/null </dev/null
	[[ $output == *'0 sent'*$'\n'"sse-post: no answer yet from $URL/x"* ]]
	[[ $output != *sentsse-post* ]]
}

@test "a server that is back within the time for retries gets the event, once" {
	play <<'END'
away
wait called
back
answer @CREATED
END
	(sse-post -v "$URL/x" -d x 3>&- 2>err; echo $? >status) &
	wait_for has err 'trying again'
	touch called
	wait_for test -s status
	[ "$(cat status)" -eq 0 ]
	requests 1
}

@test "a refused connection is 69 with retrying turned off, and 75 when time is over" {
	free_url
	run -69 sse-post "$URL/x" -d x --retry-max-time 0
	[[ $output == "sse-post: cannot connect to $URL/x: Connection refused" ]]
	run -75 sse-post "$URL/x" -d x --retry-max-time 200ms
}

@test "a host that does not exist is named, 69" {
	run -69 sse-post http://no-such-host.invalid/x -d x --retry-max-time 0
	[[ $output == *"cannot find the host of http://no-such-host.invalid/x" ]]
}

@test "a connection that breaks after the request is tried again, with the same key" {
	local how
	for how in reset close 'send HTTP/1.1 20' 'send HTTP/1.1 201 Created\r\nLast-Ev'; do
		play <<END
accept
request
$how
reset
answer @CREATED
END
		run -0 sse-post "$URL/x" -d x
		requests 2
		[ "$(grep -ac '^Idempotency-Key: ' log)" -eq 2 ]
		[ "$(grep -a '^Idempotency-Key: ' log | sort -u | wc -l)" -eq 1 ]
	done
}

@test "so it is on a connection that was kept, where libcurl itself sends it again" {
	play <<'END'
answer @CREATED
request
close
answer @CREATED
END
	run -0 bash -c "printf 'one\ntwo\n' | sse-post $URL/x"
	requests 3
	[ "$(grep -a '^Idempotency-Key: ' log | sort -u | wc -l)" -eq 2 ]
}

@test "an event that may have been stored when the time for retries is over is told so, 75" {
	play <<'END'
accept
request
reset
END
	run -75 sse-post "$URL/x" -d x --retry-max-time 0
	[[ $output == *"may or may not have been stored" ]]
}

@test "--at-most-once sends no key, and nothing again that may have been stored" {
	play <<'END'
accept
request
reset
answer @CREATED
END
	run -75 sse-post "$URL/x" -d x --at-most-once
	[[ $output == *"may or may not have been stored" ]]
	requests 1
	run ! has log Idempotency-Key
	play <<'END'
answer @CREATED
request
close
answer @CREATED
END
	run -75 bash -c "printf 'one\ntwo\n' | sse-post $URL/x --at-most-once"
	[[ $output == *"may or may not have been stored; 1 of 2 lines were accepted, line 2 is the first that was not" ]]
	requests 2
	local code
	for code in 500 502 504; do
		play <<<"answer HTTP/1.1 $code Reason@EMPTY"
		run -75 sse-post "$URL/x" -d x --at-most-once
		requests 1
	done
	play <<'END'
answer HTTP/1.1 503 Busy@EMPTY
request
send @CREATED
END
	run -0 sse-post "$URL/x" -d x --at-most-once
}

@test "a kept connection that the server closed meanwhile is replaced" {
	play <<'END'
answer @CREATED
close
log closed
answer @CREATED
END
	mkfifo pipe
	sse-post "$URL/x" <pipe 3>&- &
	local pid=$!
	exec 4>pipe
	echo one >&4
	wait_for has log closed
	echo two >&4
	exec 4>&-
	ended "$pid" 0
	requests 2
}

@test "307 and 308 are followed with the data" {
	play <<'END'
answer HTTP/1.1 307 Go\r\nLocation: /y@EMPTY
request
send HTTP/1.1 308 Go\r\nLocation: /z@EMPTY
request
send @CREATED
END
	run -0 sse-post "$URL/x" -d data
	has log 'POST /y HTTP/1.1'
	has log 'POST /z HTTP/1.1'
	[ "$(grep -cx data log)" -eq 3 ]
}

@test "301, 302 and 303 are not followed, as a GET would come of it: 76 and where to" {
	local code
	for code in 301 302 303; do
		play <<END
answer HTTP/1.1 $code Go\r\nLocation: http://elsewhere.invalid/y@EMPTY
hold
END
		run -76 sse-post "$URL/x" -d data
		[[ $output == *"$code, a redirect to http://elsewhere.invalid/y"* ]]
		requests 1
	done
	play <<<"answer HTTP/1.1 302 Go@EMPTY"
	run -76 sse-post "$URL/x" -d data
	[[ $output == *"no Location"* ]]
}

@test "credentials are not taken along to another host by a redirect" {
	play <<<'answer HTTP/1.1 307 Go\r\nLocation: http://localhost:9/y@EMPTY'
	run -75 sse-post -vv "$URL/x" -u me:secret -d data --retry-max-time 1ms
	[[ $output != *secret* ]]
	[ "$(grep -c Authorization log)" -eq 1 ]
}

@test "something that is not HTTP is 76" {
	play <<'END'
answer SSH-2.0-OpenSSH_9.2\r\n
close
END
	run -76 sse-post "$URL/x" -d x
	[[ $output == *"does not speak HTTP"* ]]
}

@test "what a proxy says to CONNECT is not taken for the server's answer" {
	play <<'END'
answer HTTP/1.1 200 Connection established\r\n\r\n
close
END
	https_proxy=$URL run -69 sse-post https://example.invalid/x -d x --retry-max-time 0
	has log 'CONNECT example.invalid:443'
}

@test "JSON as an operand, and broken JSON that a server does not take as text, get a hint" {
	run -64 sse-post users '{"a":"b=c"}'
	[[ $output == *"looks like JSON; give it with --data" ]]
	run -64 sse-post '{"a":1}'
	play <<<'answer HTTP/1.1 415 Unsupported Media Type@EMPTY'
	run -65 sse-post "$URL/x" -d '{"a":1'
	[[ $output == *"it was sent as text, because it is not JSON (--as json says why)" ]]
}

@test "a line longer than 64 MiB is refused, it does not fill the memory" {
	free_url
	run -65 bash -c "head -c 70000000 /dev/zero | tr '\0' x | sse-post $URL/x"
	[[ $output == *"line 1 of the standard input is larger than 64 MiB, the limit for one event"* ]]
}

@test "a server that never answers is left when --timeout is over, 75" {
	stalls
	run -75 sse-post "$URL/x" -d x --timeout 1s
	[[ $output == *"--timeout is up"*"may or may not have been stored" ]]
}

@test "--timeout also ends the wait for input" {
	free_url
	mkfifo pipe
	exec 4<>pipe
	run -75 sse-post "$URL/x" --timeout 200ms <pipe
	exec 4>&-
	[[ $output == *"--timeout is up"* ]]
}

# --- signals and words ----------------------------------------------------------------------------

@test "SIGINT ends it with 130, SIGTERM with 143, and it says what was accepted" {
	local signal want
	while read -r signal want; do
		play <<'END'
answer @CREATED
request
stall
END
		printf 'one\ntwo\nthree\n' >file
		sse-post "$URL/x" <file 3>&- 2>err &
		local pid=$!
		wait_for has log two
		kill "-$signal" "$pid"
		ended "$pid" "$want"
		has err "stopped by SIG$signal"
		has err '1 of 3 lines were accepted, line 2 is the first that was not'
		kill "$SERVER_PID"
	done <<'END'
INT 130
TERM 143
END
}

@test "-v prints the id that the server gave, on the standard error" {
	takes 1
	run --separate-stderr -0 sse-post -v "$URL/x" -d x
	[ -z "$output" ]
	[[ $stderr == *"201, accepted, id t:1"* ]]
}

@test "-vv shows headers but no secret" {
	play <<'END'
answer HTTP/1.1 201 Created\r\nSet-Cookie: sid=hidden3\r\nX-Seen: yes\r\nContent-Length: 0\r\n\r\n
END
	run -0 sse-post -vv "${URL/\/\////me:hidden1@}/x?sig=hidden4" -d x -H 'X-Api-Key: hidden2' -H 'X-Plain: shown'
	[[ $output != *hidden* ]]
	[[ $output == *'> X-Plain: shown'*'< X-Seen: yes'* ]]
	[[ $output == *'> Authorization: [not shown]'* ]]
}

@test "a password or token in the URL is not repeated in an error" {
	free_url
	run -69 sse-post "$URL/x?a=b&access_token=hidden&c" -d x --retry-max-time 0 -vv
	[[ $output != *hidden* ]]
	[[ $output == *"/x?a=b&access_token=...&c"* ]]
	run -69 sse-post "${URL/\/\////me:hidden@}/x" -d x --retry-max-time 0
	[[ $output != *hidden* ]]
}

@test "--help fits 80 columns and goes to the standard output; --version names libcurl" {
	run --separate-stderr -0 sse-post --help
	[ -z "$stderr" ]
	[ -z "$(awk 'length > 80' <<<"$output")" ]
	[[ $output == *--retry-max-time* ]]
	run -0 sse-post --version
	[[ $output == "sse-post (sse-tools) "*libcurl* ]]
}

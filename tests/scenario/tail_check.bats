#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What sse-tail --check says of a stream, against a server that does what each test says.
# shellcheck disable=SC2154,SC2119

load client_helpers

setup() {
	client_setup
	# A check has its own.
	unset SSE_TIMEOUT
}

# check STATUS ARGUMENT...: run it; each finding is a line that begins with one of three words.
check() {
	local status=$1
	shift
	run --separate-stderr "-$status" timeout 60 sse-tail --check "$@"
	if grep -qvE '^(ok  |note|BAD ) ' <<<"$output"; then
		return 1
	fi
	# At the end they are summed up.
	if [ "$status" -eq 0 ]; then
		[[ ${lines[-1]} == 'ok   verdict: healthy ('*')' ]]
	else
		[[ ${lines[-1]} == 'BAD  verdict: not healthy ('*' BAD'*')' ]]
	fi
	[ "$status" -eq 0 ] || [[ $output == *$'BAD '* ]]
	[ "$status" -ne 0 ] || [[ $output != *$'BAD '* ]]
	echo "$output"
}

# says WORD TEXT: is there a finding of this kind with the text in it?
says() {
	grep -q "^$1 .*$2" <<<"$output"
}

@test "a healthy stream is 0, with a word on all that is looked at" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\nAccess-Control-Allow-Origin: *\r\n\r\n
send retry: 2000\nid: a:0\n\n
send : hello\n\nid: a:1\ndata: 1\n\nid: a:2\ndata: 2\n\n
close
answer @STREAMid: a:2\ndata: 2\n\n
hold
END
	check 0 "$URL/x"
	[ -z "$stderr" ]
	says ok 'status is 200, the Content-Type text/event-stream'
	says 'ok  ' 'the head came after [0-9.]* m\?s'
	says note 'HTTP/1.1: a browser opens at most six connections'
	says ok 'not compressed'
	says ok 'Cache-Control: no-cache'
	says ok 'X-Accel-Buffering: no'
	says ok "pages of '\*' can read it"
	says ok 'the first byte came .*, the first event'
	says ok 'comments'
	says ok 'retry is 2s'
	says ok 'the lines follow the standard'
	says ok 'events: 2, the largest of 1 bytes'
	says note 'the server ended the stream'
	says ok 'resuming works: asked to go on after the id a:1, it did'
	# Asked as it would be followed.
	[ "$(grep -c 'Accept: text/event-stream' log)" -eq 2 ]
	[ "$(grep -c 'Last-Event-ID: a:1' log)" -eq 1 ]
	requests 2
}

@test "what is no stream is BAD, with the status that following ends with" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>
hold
answer HTTP/1.1 401 No@EMPTY
close
answer @204
close
answer HTTP/1.1 503 Busy@EMPTY
close
END
	check 76 "$URL/x"
	says BAD "not an event stream: its Content-Type is 'text/html'"
	[[ $stderr == "sse-tail: $URL/x is not a healthy stream: 1 BAD" ]]
	check 77 "$URL/x"
	says BAD 'requires a login: give a token .* or a password with -u (401 No)'
	check 69 "$URL/x"
	says BAD 'the status is 204, which tells clients .* answer with a stream'
	check 75 "$URL/x"
	says BAD '503 Busy'
	requests 4
	free_url
	check 69 "$URL/x"
	says BAD 'Connection refused'
}

@test "a server that waits with its head is BAD when the time is up" {
	play <<'END'
accept
request
hold
END
	check 75 --timeout 400ms "$URL/x"
	says BAD 'no head came within .*; send the head at once'
}

@test "a stream that stays silent is a note, and what to do about it" {
	held_stream <<<''
	check 0 --timeout 1s "$URL/x"
	says note 'not a byte of the stream came in .*; send a comment when it begins'
	requests 1
}

@test "a redirect is told with where it led to; one that leaves the stream is 76" {
	play <<'END'
answer HTTP/1.1 302 Go\r\nLocation: /y@EMPTY
request
send @STREAMdata: 1\n\n
close
answer HTTP/1.1 302 Go@EMPTY
close
END
	check 0 "$URL/x"
	says note "redirected, 1 of them, to $URL/y: .* give them this one"
	check 76 "$URL/x"
	says BAD 'no Location'
}

@test "compression that was not asked for is BAD" {
	printf 'data: squeezed\n\n' | gzip -c >body
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n
file body
close
END
	check 76 "$URL/x"
	says BAD 'compressed (Content-Encoding: gzip) without being asked: .* turn it off'
	says ok 'events: 1'
}

@test "an answer that was complete before it was sent, or comes out of a cache, is BAD" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\nAge: 20\r\nCache-Control: max-age=60\r\n\r\ndata: 1\n\n
hold
END
	check 76 "$URL/x"
	says BAD 'Content-Length, 9: .* send each as it is made'
	says BAD 'out of a cache (Age: 20)'
}

@test "a proxy on the way is told, and what keeps it from buffering" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nServer: nginx/1.22\r\n\r\ndata: 1\n\n
close
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nVia: 1.1 squid\r\nCache-Control: private\r\n\r\ndata: 1\n\n
close
END
	check 0 "$URL/x"
	says note 'through nginx/1.22, which buffers unless'
	says note 'no Cache-Control, so a cache may keep'
	check 0 "$URL/x"
	says note 'a proxy on the way (Via: 1.1 squid) and no X-Accel-Buffering'
	says note "Cache-Control is 'private'"
}

@test "keep-alive comments that come together after a silence were held back by a buffer" {
	play <<'END'
answer @STREAMdata: 1\n\n
pause 1300
send : beat\n\n: beat\n\ndata: 2\n\n
pause 1300
send : beat\n\n
close
END
	check 76 "$URL/x"
	says BAD 'in bursts after silences: .* proxy_buffering off'
	says ok 'keep-alive comments come after 1\.[0-9] s of silence'
}

@test "events that come together after a silence are only a note" {
	play <<'END'
answer @STREAMdata: 1\n\n
pause 1300
send data: 2\n\ndata: 3\n\ndata: 4\n\n
close
END
	check 0 "$URL/x"
	says note 'several events came at once after a silence, 1 times'
	says note 'no keep-alive comment came; the longest silence was 1\.'
}

@test "events without ids cannot be resumed, which is a note" {
	stream <<<'data: 1\n\ndata: 2\n\n'
	check 0 "$URL/x"
	says note 'events have no id: .* send an id with each'
	says note 'no retry field'
	requests 1
}

@test "resuming that is refused, ignored or not kept is BAD" {
	local answer words
	while IFS='|' read -r answer words; do
		play <<END
answer @STREAMid: a:1\ndata: 1\n\nid: a:2\ndata: 2\n\nid: a:3\ndata: 3\n\n
close
accept
request
$answer
close
END
		check 76 "$URL/x"
		has log 'Last-Event-ID: a:2'
		says BAD "$words"
	done <<'END'
send @STREAMevent: gap\nid: b:9\ndata: {"after":"a:2","oldest":null,"reason":"unknown-log"}\n\n|the server did not: events are missing here: those after a:2 are not known
send @STREAMid: a:1\ndata: 1\n\nid: a:2\ndata: 2\n\n|the server began again with a:1; it must heed
send @STREAMretry: 2000\n\n|the server left out the event after it
send HTTP/1.1 500 Oops@EMPTY|there was no stream: .*500 Oops
END
}

@test "resuming that cannot be told for sure is no more than a note" {
	play <<'END'
answer @STREAMid: a:1\ndata: 1\n\n
close
answer @STREAM
close
answer @STREAMid: a:1\ndata: 1\n\nid: a:2\ndata: 2\n\n
close
answer @STREAMid: b:7\ndata: 7\n\n
close
answer @STREAMid: a:1\ndata: 1\n\nid: a:2\ndata: 2\n\n
close
answer @204
END
	check 0 "$URL/x"
	says note 'whether resuming works cannot be told: nothing came after the id a:1'
	check 0 "$URL/x"
	says note "went on with 'b:7' and not with a:2"
	check 0 "$URL/x"
	says ok 'says that no more will come (204)'
}

@test "a request with a body, or with --no-reconnect, is sent only once" {
	play <<'END'
answer @STREAMid: a:1\ndata: 1\n\n
close
answer @STREAMid: a:1\ndata: 1\n\n
close
END
	check 0 "$URL/x" --json '{"a":1}'
	has log 'POST /x'
	has log '{"a":1}'
	says note 'whether resuming works was not tested'
	check 0 "$URL/x" --no-reconnect
	says note 'whether resuming works was not tested'
	requests 2
}

@test "lines that clients pass over are BAD, with the first of them" {
	stream <<'END'
\xef\xbb\xbfdata: 1\n\n{"a":1}\r\n\r\nevent: ping\n\ndata: \xff\n\nid: a\0b\nretry: soon\ndata: 3\n\n
END
	check 76 "$URL/x"
	says note 'begins with a byte order mark'
	says BAD "neither field nor comment, 1 of them, the first '{\"a\":1}': .* begin each with 'data: '"
	says note "a type but no data, 1 of them, the first 'ping'"
	says BAD 'not UTF-8, 1 of them'
	says BAD 'ids hold a NUL, 1 of them'
	says BAD "retry are not digits, 1 of them, the first 'soon'"
}

@test "a stream that breaks off is BAD; one that waits very long to be asked again is a note" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n
send 18\r\nretry: 300000\ndata: 1\n\n\n\r\n
close
answer @STREAMretry: 10\ndata: 1\n\n
close
END
	check 76 "$URL/x"
	says BAD 'the stream broke after .*closed the connection too early'
	says note 'retry is 5m: clients stay away'
	check 0 "$URL/x"
	says note 'retry is 10ms: when the server restarts all clients come at once'
}

@test "an event that is larger than usual is a note" {
	play <<'END'
answer @STREAMdata: 
repeat 40000 0123456789
send \n\n
close
END
	check 0 "$URL/x"
	says note 'the largest event has 400000 bytes'
}

@test "what the server says cannot steer the terminal" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;\x1b[31m\r\nCache-Control: \x1b]0;t\x07\r\nVia: \xe2\x80\xae\x9b\r\n\r\n
send id: \xc2\x9b31m\ndata: 1\n\n\x1b[2J\n\n
close
answer HTTP/1.1 403 \x1b[31m@EMPTY
END
	check 76 "$URL/x"
	[[ $output == *'\u001b[31m'* && $output == *'\u001b]0;t\u0007'* && $output == *'\u202e\x9b'* ]]
	[[ $output == *'\u001b[2J'* && $output == *'\u009b31m'* ]]
	[ "$(tr -d '\n' <<<"$output" | LC_ALL=C grep -c '[[:cntrl:]]')" -eq 0 ]
}

@test "SIGINT ends it with what was found so far" {
	held_stream <<<'id: a:1\ndata: 1\n\n'
	sse-tail --check -v "$URL/x" >out 2>err 3>&- &
	PID=$!
	wait_for has out 'the status is 200'
	kill -INT "$PID"
	ended "$PID" 130
	has out 'first byte came'
	requests 1
}

@test "output that cannot be written is 74" {
	stream <<<'data: 1\n\n'
	[ -c /dev/full ] || skip "no /dev/full"
	run -74 bash -c "sse-tail --check $URL/x 2>&1 >/dev/full"
	[[ $output == *'cannot write to the standard output: '* ]]
}

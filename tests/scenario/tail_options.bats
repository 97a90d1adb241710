#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What sse-tail's options of formats, filters, ends, requests and commands do, as a user sees it.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016,SC1003,SC2034

load client_helpers

# --- formats --------------------------------------------------------------------------------------

@test "-o sse gives an event stream again, with ids where they change, and it reads the same" {
	stream <<'END'
retry: 5000\n: comment\n\nid: 1\nevent: a\ndata: x\ndata:  y\n\ndata: z\n\nid\ndata:\n\nevent: n\0l\ndata: NUL\n\nevent: message\nid: 2\ndata: w\n\n
END
	printf 'event: a\ndata: x\ndata:  y\nid: 1\n\ndata: z\n\ndata: \nid: \n\nevent: n\0l\ndata: NUL\n\ndata: w\nid: 2\n\n' >want
	sse-tail "$URL/x" -o sse --no-reconnect >out
	diff <(cat -v want) <(cat -v out)
	# What it wrote is a stream that says the same.
	play <streamed
	sse-tail "$URL/x" -o json --no-reconnect | sed "s/,\"origin.*//" >first
	{
		printf 'accept\nrequest\nsend @STREAM\nfile out\nclose\n'
	} >again
	play <again
	sse-tail "$URL/x" -o json --no-reconnect | sed "s/,\"origin.*//" >second
	diff first second
}

@test "-F shows each event as the text says, and names what it does not know" {
	stream <<<'id: 7\nevent: a\ndata: {"k": [1,\ndata:  2.50]}\n\ndata: plain "text"\n\n'
	run -0 sse-tail "$URL/x" -F '%n\t%e %i [%D] %o 100%% \\' --no-reconnect
	[ "${lines[0]}" = $'1\ta 7 [{"k":[1,2.50]}] '"$URL"' 100% \' ]
	[ "${lines[1]}" = $'2\tmessage 7 ["plain \\"text\\""] '"$URL"' 100% \' ]
	play <streamed
	sse-tail "$URL/x" -F '%d' -0 --no-reconnect >out
	printf '{"k": [1,\n 2.50]}\0plain "text"\0' | cmp - out
	play <streamed
	run -0 sse-tail "$URL/x" -F '%t' --no-reconnect -n 1
	[[ $output =~ ^[0-9]{2}:[0-9]{2}:[0-9]{2}$ ]]
	play <streamed
	run -0 sse-tail "$URL/x" -F '%t' -t --no-reconnect -n 1
	[[ $output =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z$ ]]
}

@test "--nest embeds JSON as it came, and a string there is always text" {
	stream <<'END'
data: {"a":1.10,\ndata: "b":[ ]}\n\ndata: "quoted"\n\ndata: 12345678901234567890\n\ndata: {broken\n\n
END
	run -0 sse-tail "$URL/x" -o json --nest --no-reconnect
	[[ ${lines[0]} == *'"data":{"a":1.10,"b":[]},'* ]]
	[[ ${lines[1]} == *'"data":"\"quoted\"",'* ]]
	[[ ${lines[2]} == *'"data":12345678901234567890,'* ]]
	[[ ${lines[3]} == *'"data":"{broken",'* ]]
}

@test "-0 ends each event with a NUL, in json and data" {
	stream <<<'data: a\ndata: b\n\ndata: c\n\n'
	sse-tail "$URL/x" -o data -0 --no-reconnect >out
	printf 'a\nb\0c\0' | cmp - out
	play <streamed
	sse-tail "$URL/x" -o json -0 --no-reconnect | tr '\0\n' '\n?' >out
	lines_of out 2
	has out '"data":"a\nb"'
}

@test "-t puts the time before the event, in JSON as a member" {
	local body='data: a\n\ndata: b\n\n'
	stream <<<"$body"
	run -0 sse-tail "$URL/x" -o data -t --no-reconnect
	[[ ${lines[0]} =~ ^[0-9]{4}-[0-9-]{5}T[0-9:.]{12}Z\ a$ ]]
	play <streamed
	run -0 sse-tail "$URL/x" -o data -tunix --no-reconnect
	[[ ${lines[1]} =~ ^[0-9]{10}\.[0-9]{3}\ b$ ]]
	play <streamed
	run -0 sse-tail "$URL/x" -o data -t=delta --no-reconnect
	[ "${lines[0]}" = "0.000 a" ]
	play <streamed
	run -0 sse-tail "$URL/x" -o json --time=unix --no-reconnect
	[[ ${lines[0]} =~ ,\"time\":[0-9]{10}\.[0-9]{3}\}$ ]]
	play <streamed
	run -0 sse-tail "$URL/x" -o json --time --no-reconnect
	[[ ${lines[0]} =~ ,\"time\":\"[0-9T:.-]{23}Z\"\}$ ]]
	play <streamed
	run -0 sse-tail "$URL/x" -o pretty --time=unix --no-reconnect
	[[ ${lines[0]} =~ ^[0-9]{10}\.[0-9]{3}\ message\  ]]
}

@test "--comments shows comments, in pretty, json and sse" {
	stream <<<': hello "you"\n\n:\ndata: 1\n\n'
	run -0 sse-tail "$URL/x" -o json --comments --no-reconnect
	[ "${lines[0]}" = '{"comment":" hello \"you\""}' ]
	[ "${lines[1]}" = '{"comment":""}' ]
	play <streamed
	run -0 sse-tail "$URL/x" -o pretty --comments --no-reconnect
	[[ ${lines[0]} == *' : hello "you"' ]]
	play <streamed
	run -0 sse-tail "$URL/x" -o sse --comments --no-reconnect
	[ "${lines[0]}" = ': hello "you"' ]
	play <streamed
	run -0 sse-tail "$URL/x" -o json --no-reconnect
	[ "${#lines[@]}" -eq 1 ]
}

@test "pretty shows letters that JSON has as escapes, and leaves half pairs and controls as they are" {
	stream <<<'data: {"a":"\\u65e5\\u672c \\ud83d\\ude00","b":"\\u001b[31m","c":"\\ud83d"}\n\n'
	run -0 sse-tail "$URL/x" -o pretty --no-reconnect
	[[ $output == *'"a": "日本 😀"'* ]]
	[[ $output == *'"b": "\u001b[31m"'* ]]
	[[ $output == *'"c": "\ud83d"'* ]]
}

# --- one value, filters ---------------------------------------------------------------------------

@test "--pointer shows one value of each event that has it, a string as text, digits as they came" {
	stream <<'END'
data: {"u":{"n":"Ada\\n\\u00e9"},"v":[1.50, {"a/b": [ 1, 2 ]}]}\n\ndata: {"u":null}\n\ndata: not JSON\n\nevent: other\ndata: {"z":1e999}\n\n
END
	run -0 sse-tail "$URL/x" --pointer /u/n --no-reconnect
	[ "$output" = $'Ada\né' ]
	play <streamed
	run -0 sse-tail "$URL/x" --pointer /v/1/a~1b --pointer other:/z --no-reconnect
	[ "$output" = $'[1,2]\n1e999' ]
	play <streamed
	run -0 sse-tail "$URL/x" --pointer /v/0 -o json --no-reconnect -n 1
	[[ $output == *'"data":"1.50"'* ]]
}

@test "an answer of a language model is running text, and its own mark ends it" {
	held_stream <<'END'
data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\ndata: {"choices":[{"delta":{"content":"Hel"}}]}\n\ndata: {"choices":[{"delta":{"content":"lo,\\n"}}]}\n\ndata: {"choices":[{"delta":{"content":"you"}}]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n
END
	echo '{"stream":true,"messages":[]}' >request.json
	SSE_TOKEN=key sse-tail -d @request.json --pointer /choices/0/delta/content --join \
		--done '[DONE]' "$URL/v1/chat/completions" >out
	printf 'Hello,\nyou' | cmp - out
	has log 'POST /v1/chat/completions HTTP/1.1'
	has log 'Content-Type: application/json'
	has log 'Authorization: Bearer key'
	has log 'Accept: text/event-stream'
	has log '{"stream":true,"messages":[]}'
}

@test "--llm knows where OpenAI and Anthropic put text, end and errors" {
	stream <<'END'
data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: {"error":null,"choices":[{"delta":{"content":" there"}}]}\n\ndata: [DONE]\n\ndata: {"choices":[{"delta":{"content":"no"}}]}\n\n
END
	[ "$(sse-tail --llm openai --json '{}' "$URL/x")" = "Hi there" ]
	stream <<'END'
event: response.output_text.delta\ndata: {"delta":"A "}\n\nevent: response.output_text.delta\ndata: {"delta":"B"}\n\nevent: response.completed\ndata: {}\n\n
END
	[ "$(sse-tail --llm openai --json '{}' "$URL/x")" = "A B" ]
	stream <<'END'
event: message_start\ndata: {"type":"message_start"}\n\nevent: content_block_delta\ndata: {"delta":{"type":"text_delta","text":"Hi"}}\n\nevent: ping\ndata: {}\n\nevent: content_block_delta\ndata: {"delta":{"type":"text_delta","text":"!"}}\n\nevent: message_stop\ndata: {}\n\n
END
	[ "$(sse-tail --llm anthropic --json '{}' "$URL/x")" = "Hi!" ]
	stream <<'END'
event: content_block_delta\ndata: {"delta":{"text":"Hi"}}\n\nevent: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Over\\u001bloaded"}}\n\n
END
	run -69 --separate-stderr sse-tail --llm anthropic --json '{}' "$URL/x"
	[ "$output" = Hi ]
	[ "$stderr" = 'sse-tail: the service failed: Over\u001bloaded' ]
	stream <<<'data: {"error":{"message":"no such model","code":1}}\n\n'
	run -69 sse-tail --llm openai --json '{}' "$URL/x"
	[ "$output" = 'sse-tail: the service failed: no such model' ]
}

@test "--not-event leaves types out, also of those that -e lets through" {
	stream <<'END'
event: user.new\ndata: 1\n\nevent: user.gone\ndata: 2\n\nevent: job\ndata: 3\n\ndata: 4\n\n
END
	run -0 sse-tail "$URL/x" -o data --not-event 'user.g*' --not-event job --no-reconnect
	[ "$output" = $'1\n4' ]
	play <streamed
	run -0 sse-tail "$URL/x" -o data -e 'user.*' --not-event '*.gone' --no-reconnect
	[ "$output" = 1 ]
}

@test "the words of a language model's service are told, and half an answer is 69" {
	play <<'END'
answer HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{"error":{"message":"bad model"}}
END
	run -65 sse-tail --llm openai -d '{}' "$URL/x"
	[[ $output == *"(400 Bad): bad model" ]]
	stream <<<'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'
	run -69 --separate-stderr sse-tail --llm openai -d '{}' "$URL/x"
	[ "$output" = Hel ]
	[[ $stderr == *"ended the stream before its end mark came" ]]
	play <streamed
	run -0 sse-tail --llm openai -o json -d '{}' "$URL/x" -n 1
	[[ $output == *'"data":"Hel"'* ]]
}

# --- ends -----------------------------------------------------------------------------------------

@test "--until end says that it cannot know the end with a server that does not tell it" {
	held_stream <<<'id: 1\ndata: x\n\nevent: uptodate\ndata: {}\n\n'
	run -76 sse-tail "$URL/x" --until end
	[[ $output == *"--until: $URL/x?until=now does not say where its stored events end; only sse-serve does. End with --count, --timeout or --until-idle" ]]
	# Without the option an event of that type is like others, also with an end before it.
	play <streamed
	run -0 sse-tail "$URL/x" -o data -n 2
	[ "$output" = $'x\n{}' ]
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nStream-Until: now\r\n\r\ndata: x\n\n
close
END
	run -69 sse-tail "$URL/x" -o data --until end --no-reconnect
	[[ $output == *"ended the stream before its end mark came" ]]
}

@test "--latest says that it cannot know with a server that does not tell it, and hides the mark" {
	held_stream <<<'id: 1\ndata: x\n\n'
	run -76 sse-tail "$URL/x" --latest
	[[ $output == *"--latest: $URL/x?latest=1 does not say that it knows present values; only sse-serve does. Leave it out, or try --since or --last" ]]
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nStream-Latest: 1\r\n\r\ndata: x\n\nevent: uptodate\ndata: {}\n\ndata: y\n\n
hold
END
	run -0 sse-tail "$URL/x?envelope=1" -o data --latest -n 2
	[ "$output" = $'x\ny' ]
	has log 'GET /x?envelope=1&latest=1 '
	run -64 sse-tail x --latest --last 5
	[[ $output == *"--latest and --last both say where the stream starts; give one" ]]
	run -64 sse-tail x --latest --since all
	[[ $output == *"--latest and --since both say where the stream starts; give one" ]]
}

@test "--until-idle ends with 0 when no event came for so long, and with 75 if nobody was there" {
	play <<'END'
answer @STREAMdata: 1\n\n
bytes : life\n\n: life\n\n
hold
END
	run -0 sse-tail "$URL/x" -o data --until-idle 1.0s
	[ "$output" = 1 ]
	free_url
	run -75 sse-tail "$URL/x" --until-idle 1s
	[[ $output == *"--until-idle is up, but cannot connect to $URL/x: Connection refused" ]]
}

@test "a time is finer than a second, but not than a millisecond" {
	local time
	for time in 0.0001s 1.5ms 0.00001m; do
		run -64 sse-tail "$URL/x" --until-idle "$time"
		[ "$output" = "sse-tail: --until-idle: '$time' is not a whole number of milliseconds, the smallest unit of a duration" ]
	done
	for time in 1. .5 .5s 1.5.s; do
		run -64 sse-tail "$URL/x" --until-idle "$time"
		[ "$output" = "sse-tail: --until-idle: '$time' is not a duration from 0 to 365d (like 500ms, 1.5s, 5m, 2h or 7d)" ]
	done
	# A variable goes through the same reader.
	SSE_UNTIL_IDLE=0.0001s run -64 sse-tail "$URL/x"
	[[ $output == "sse-tail: SSE_UNTIL_IDLE: '0.0001s' is not"* ]]
}

@test "--done and --done-event end it with 0, and are not shown" {
	local option
	for option in '--done end' '--done no --done end' '--done-event by[e]'; do
		held_stream <<<'data: 1\n\nevent: bye\ndata: end\n\ndata: 2\n\n'
		# shellcheck disable=SC2086 # words
		run -0 sse-tail "$URL/x" -o data $option
		[ "$output" = 1 ]
	done
}

@test "--fail ends at once with 75 on 429 and 5xx" {
	play <<<'answer HTTP/1.1 503 Busy@EMPTY'
	run -75 sse-tail "$URL/x" --fail
	[[ $output == *"(503 Busy)" ]]
	requests 1
}

@test "--flush-eof shows an event that was cut off, else a word says that it is dropped" {
	stream <<<'data: 1\n\nid: 9\ndata: 2\ndata: 3'
	run -0 --separate-stderr sse-tail "$URL/x" -o data --no-reconnect
	[ "$output" = 1 ]
	[[ $stderr == *"the stream ended within an event, which is dropped (--flush-eof shows it)" ]]
	play <streamed
	run -0 --separate-stderr sse-tail "$URL/x" -o data --no-reconnect --flush-eof
	[ "$output" = $'1\n2\n3' ]
	[ -z "$stderr" ]
	# Where it will come again nobody has to hear of it.
	play <<'END'
answer @STREAMid: 1\ndata: 1\n\ndata: 2
close
answer @STREAMdata: 2\n\n
hold
END
	run -0 --separate-stderr sse-tail "$URL/x" -o data -n 2
	[ "$output" = $'1\n2' ]
	[ -z "$stderr" ]
}

@test "--flush-eof leaves the state before the event that was cut off" {
	local option
	for option in -q --no-reconnect -n2 --exec=true; do
		ended_stream <<<'id: 10\ndata: 1\n\nid: 11\ndata: 2'
		run -0 sse-tail "$URL/x" -o data --flush-eof --state state "$option"
		[ "$output" = $'1\n2' ]
		[ "$(cat state)" = 10 ]
		rm state
	done
}

@test "--strict ends with 69 where the server says that events are missing" {
	stream <<'END'
data: 1\n\nevent: gap\nid: 5\ndata: {"after":"a:1","oldest":"a:5","reason":"expired"}\n\ndata: 2\n\n
END
	run -69 --separate-stderr sse-tail "$URL/x" -o data --strict
	[ "$output" = 1 ]
	[[ $stderr == "sse-tail: events are missing here: those after a:1 are no longer stored" ]]
}

@test "the state is after the events that were shown before --strict or a failed service ended it" {
	local gap='event: gap\nid: 5\ndata: {"after":"a:1","oldest":"a:5","reason":"expired"}\n\n'
	stream <<<'id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n'"$gap"'id: 6\ndata: 6\n\n'
	run -69 --separate-stderr sse-tail "$URL/x" -o data --strict --state state
	[ "$output" = $'1\n2' ]
	[ "$(cat state)" = 2 ]
	# An event that is not shown is no reason to go back.
	play <<END
answer @STREAMid: 3\nevent: other\ndata: 3\n\nid: 4\ndata: 4\n\n
wait state4
send id: 7\nevent: other\ndata: 7\n\n
wait state7
send $gap
hold
END
	follow "$URL/x" -o data --strict --state state -e message
	wait_for has state 4
	touch state4
	wait_for has state 7
	touch state7
	ended "$PID" 69
	[ "$(cat out)" = 4 ]
	[ "$(cat state)" = 7 ]
	stream <<'END'
id: 8\nevent: content_block_delta\ndata: {"delta":{"text":"so far"}}\n\nid: 9\nevent: error\ndata: {"error":{"message":"busy"}}\n\n
END
	run -69 --separate-stderr sse-tail "$URL/x" --llm anthropic --state state
	[ "$output" = 'so far' ]
	[ "$(cat state)" = 8 ]
}

@test "--timeout and signals also end it amid events that came together" {
	local body='data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\ndata: 6\n\ndata: 7\n\ndata: 8\n\n'
	held_stream <<<"$body"
	run -0 sse-tail "$URL/x" --timeout 300ms --exec 'cat; echo; sleep 0.2'
	[ "${#lines[@]}" -lt 8 ]
	play <<END
answer @STREAM$body
hold
answer @STREAMdata: again\n\n
hold
END
	follow "$URL/x" --exec 'x=$(cat); echo "$x"; case $x in [0-9]) kill -HUP $PPID ;; *) kill $PPID ;; esac'
	ended "$PID" 143
	[ "$(cat out)" = $'1\nagain' ]
}

@test "--timeout also ends a write to a reader that stalls" {
	play <<'END'
answer @STREAMdata: 1\n\n
repeat 20000 data: a line that fills the pipe and then the buffers of the kernel, too\n\n
hold
END
	follow_pipe "$URL/x" -o data --timeout 1s
	ended "$PID" 0
	exec 4<&-
}

@test "a reader that is only busy still gets whole lines when a signal ends it" {
	play <<'END'
answer @STREAM
repeat 20000 data: a line that fills the pipe\n\n
hold
END
	follow_pipe "$URL/x" -o data
	read -r line <&4
	# As much as there is in a pipe that is full, or nearly.
	written() {
		[ "$(sed -n 's/^wchar: //p' "/proc/$PID/io")" -ge 40000 ]
	}
	wait_for written
	kill "$PID"
	cat <&4 >rest
	ended "$PID" 143
	exec 4<&-
	[ "$(tail -n 1 rest)" = "a line that fills the pipe" ]
	[ "$(tail -c 1 rest | od -An -c | tr -d ' ')" = '\n' ]
}

# --- state ----------------------------------------------------------------------------------------

@test "--state goes on where the last run ended, and moves with what was written" {
	play <<'END'
answer @STREAMid: one\ndata: 1\n\nid: two\ndata: 2\n\nid: three\ndata: 3\n\n
hold
answer @STREAMid: four\ndata: 4\n\nid: five\n\n
hold
END
	run -0 sse-tail "$URL/x" -o data --state state -n 2 --last-event-id zero
	[ "$output" = $'1\n2' ]
	[ "$(cat state)" = two ]
	has log 'Last-Event-ID: zero'
	follow "$URL/x" -o data --state state --last-event-id zero
	wait_for has state five
	kill "$PID"
	ended "$PID" 143
	has log 'Last-Event-ID: two'
	[ "$(cat out)" = 4 ]
	[ "$(cat state)" = five ]
	[ "$(find . -name 'state*' | wc -l)" -eq 1 ]
}

@test "--state does not move past what could not be written" {
	[ -c /dev/full ] || skip "no /dev/full"
	stream <<<'id: one\ndata: 1\n\n'
	run -74 bash -c "sse-tail $URL/x -o data --state state --no-reconnect >/dev/full"
	[ ! -s state ]
}

@test "--resume-from only reads the file, and --state says if it cannot be kept" {
	echo seven >state
	chmod 444 state
	stream <<<'id: eight\ndata: 8\n\n'
	run -0 sse-tail "$URL/x" -o data --resume-from state --no-reconnect
	has log 'Last-Event-ID: seven'
	[ "$(cat state)" = seven ]
	run -73 sse-tail "$URL/x" --state nowhere/state
	printf 'a\nb\n' >state2
	run -65 sse-tail "$URL/x" --state state2
	[ "$(cat state2)" = $'a\nb' ]
}

@test "--since is asked of the server, encoded" {
	play <<'END'
answer @204
close
answer @204
close
answer @204
close
answer @204
END
	run -0 sse-tail "$URL/x?a=b" --since 2026-11-22T19:00:00+01:00
	has log 'GET /x?a=b&since=2026-11-22T19:00:00%2b01:00 HTTP'
	run -0 sse-tail "$URL/x" --since 10m
	has log 'GET /x?since=10m HTTP'
	run -0 sse-tail "$URL/x" --since '2026-11-22 19:00:00 01:00'
	has log 'GET /x?since=2026-11-22%2019:00:00%2001:00 HTTP'
	run -0 sse-tail "$URL/x" --since 1764000000.5
	has log 'GET /x?since=1764000000.5 HTTP'
}

@test "an empty id is a usage error that says how to begin, where it would wait for ever" {
	local id
	run -64 sse-tail "$URL/x" --last-event-id "$id"
	[ "$output" = "sse-tail: --last-event-id: the value is empty; leave the option out to begin with what comes now, or give --since all for everything that is stored" ]
	run -64 sse-tail "$URL/x" --last-event-id=
	# A state may be empty: a first run has none.
	ended_stream <<<'data: 1\n\n'
	: >state
	run -0 sse-tail "$URL/x" -o data --state state
	[ "$output" = 1 ]
	run ! grep -qi '^Last-Event-ID' log
}

@test "a state keeps its mode, is kept by one process at a time, and is no pipe" {
	play <<'END'
answer @STREAMid: 1\ndata: 1\n\n
hold
accept
request
END
	: >state
	chmod 600 state
	follow "$URL/x" -o data --state state
	wait_for has state 1
	[ "$(stat -c %a state)" = 600 ]
	run -75 sse-tail "$URL/x" --state state
	[[ $output == *"is kept by another process"* ]]
	kill "$PID"
	ended "$PID" 143
	mkfifo pipe
	run -66 sse-tail "$URL/x" --state pipe
	run -66 sse-tail "$URL/x" --resume-from pipe
}

@test "an id that another sse-tail saves just before it ends is where this one begins" {
	[ -z "${SANITIZER:-}" ] || skip "a shim does not go with a sanitizer"
	stream <<<'id: three\ndata: 3\n\n'
	echo one >state
	echo two >saved
	# What is preloaded must have no space in its path.
	cp "$TOOLS/shim_lock.so" .
	LD_PRELOAD=$PWD/shim_lock.so run -0 sse-tail "$URL/x" -o data --state state --no-reconnect
	[ "$output" = 3 ]
	[ ! -e saved ]
	has log 'Last-Event-ID: two'
	[ "$(cat state)" = three ]
}

@test "a state that can be written but not read is 66" {
	needs_drop
	echo one >state
	chmod a+w .
	chmod 222 state
	run -66 drop sse-tail http://127.0.0.1/x --state state
	[[ $output == *"cannot read the state state: "* ]]
}

# --- commands -------------------------------------------------------------------------------------

@test "--exec runs a command for each event, the data as its input and words in its environment" {
	stream <<'END'
id: a b\nevent: $(touch hurt)\ndata: {"x":1}\ndata: `touch hurt`\n\nid: 2\ndata: -rf; touch hurt\n\n
END
	run -0 sse-tail "$URL/x" --no-reconnect \
		--exec 'printf "%s|%s|%s|" "$SSE_MSG_EVENT" "$SSE_MSG_ID" "$SSE_MSG_URL"; cat; echo'
	[ "${lines[0]}" = '$(touch hurt)|a b|'"$URL"'/x|{"x":1}' ]
	[ "${lines[1]}" = '`touch hurt`' ]
	[ "${lines[2]}" = "message|2|$URL/x|-rf; touch hurt" ]
	[ ! -e hurt ]
	play <streamed
	run -0 sse-tail "$URL/x" --no-reconnect -o data --exec 'echo "<$SSE_MSG_DATA>"'
	[ "${lines[0]}" = '{"x":1}' ]
	[ "${lines[2]}" = '<{"x":1}' ]
}

@test "--exec leaves data out of the environment that is too large or holds a NUL" {
	play <<'END'
answer @STREAMdata: a\0b\n\ndata: 
repeat 70000 x
send \n\n
close
END
	run -0 sse-tail "$URL/x" --no-reconnect --exec 'echo "${SSE_MSG_DATA-none} $(wc -c)"'
	[ "$output" = $'none 3\nnone 70000' ]
}

@test "a command that fails keeps the state before its event; with --strict it ends the run, 75" {
	local body='id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n'
	stream <<<"$body"
	run -0 --separate-stderr sse-tail "$URL/x" --no-reconnect --state state \
		--exec 'read x; echo "$x"; [ "$x" != 2 ]'
	[ "$output" = $'1\n2\n3' ]
	[[ $stderr == *"the command ended with 1; the state stays before this event" ]]
	[ "$(cat state)" = 1 ]
	rm state
	play <streamed
	run -75 --separate-stderr sse-tail "$URL/x" --no-reconnect --state state --strict \
		--exec 'read x; echo "$x"; [ "$x" != 2 ] || kill -9 $$'
	[ "$output" = $'1\n2' ]
	[[ $stderr == *"the command was killed by signal 9" ]]
	[ "$(cat state)" = 1 ]
}

@test "a command that does not read, or never ends, does not hold up the end" {
	play <<'END'
answer @STREAMdata: 
repeat 200000 x
send \n\nid: 2\ndata: 2\n\n
hold
END
	follow "$URL/x" --exec '[ "$SSE_MSG_ID" = 2 ] || exit 0; echo here; exec sleep 60'
	wait_for has out here
	kill "$PID"
	ended "$PID" 143
}

@test "a command that is done although a signal came has its event in the state" {
	held_stream <<<'id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n'
	follow "$URL/x" --state state --exec 'trap "" TERM; kill $PPID; sleep 0.1; echo done $SSE_MSG_ID'
	ended "$PID" 143
	[ "$(cat out)" = 'done 1' ]
	[ "$(cat state)" = 1 ]
}

@test "a command ignores a hangup where sse-tail was started so, as by nohup" {
	stream <<<'data: 1\n\n'
	run -0 bash -c 'trap "" HUP; exec "$@"' bash \
		sse-tail "$URL/x" --no-reconnect --exec 'kill -HUP $$; echo alive'
	[ "$output" = alive ]
}

@test "what a command leaves behind does not hold the stream" {
	play <<'END'
answer @STREAMdata: 1\n\n
hold
log closed
END
	run -0 sse-tail "$URL/x" -n 1 --exec 'sleep 20 >/dev/null 2>&1 </dev/null & echo $! >child'
	wait_for has log closed
	kill "$(cat child)"
}

# --- requests -------------------------------------------------------------------------------------

@test "-d, --json and -X make the request, which is made once unless --reconnect is given" {
	play <<'END'
answer @STREAMdata: 1\n\n
close
answer @STREAMdata: 2\n\n
close
answer @STREAMdata: 3\n\n
close
answer @204
close
answer @204
END
	run -0 sse-tail "$URL/a" -o data -d 'x=1&y=2'
	[ "$output" = 1 ]
	has log 'POST /a HTTP/1.1'
	has log 'Content-Type: application/x-www-form-urlencoded'
	has log 'x=1&y=2'
	run -0 sse-tail "$URL/b" -o data -X PUT --json '{"q": 1.0}' --reconnect
	[ "$output" = $'2\n3' ]
	[ "$(grep -c '^PUT /b HTTP/1.1' log)" -eq 3 ]
	[ "$(grep -cF '{"q": 1.0}' log)" -eq 3 ]
	run -0 sse-tail "$URL/c" -X QUERY
	has log 'QUERY /c HTTP/1.1'
}

@test "a body that is a pipe is waited for no longer than --timeout, or a signal, allows" {
	mkfifo pipe
	run -75 sse-tail -d @pipe --timeout 300ms
	sse-tail -d @pipe 2>err 3>&- &
	PID=$!
	# Opening it to write waits until it is open to be read.
	exec 4>pipe
	kill "$PID"
	ended "$PID" 143
	exec 4>&-
}

@test "a redirect keeps method and body with 307 and 308, and makes a GET of them with 303" {
	local code
	for code in 301 302 303 307 308; do
		play <<END
answer HTTP/1.1 $code Go\r\nLocation: /to$code@EMPTY
request
send @STREAMdata: 1\n\n
close
END
		run -0 sse-tail "$URL/x" -o data -d '{"body":1}'
		[ "$output" = 1 ]
		case $code in
		30[123])
			has log "GET /to$code HTTP/1.1"
			[ "$(grep -c 'Content-Type' log)" -eq 1 ]
			;;
		*)
			has log "POST /to$code HTTP/1.1"
			[ "$(grep -c '"body":1' log)" -eq 2 ]
			;;
		esac
	done
	play <<'END'
answer HTTP/1.1 302 Go\r\nLocation: /to@EMPTY
request
send HTTP/1.1 303 Go\r\nLocation: /then@EMPTY
request
send @STREAMdata: 1\n\n
close
END
	run -0 sse-tail "$URL/x" -o data -X PUT -d 'b'
	has log 'PUT /to HTTP/1.1'
	has log 'GET /then HTTP/1.1'
}

@test "no login, cookie or key goes to another origin, and all go to the own one" {
	stream <<<'data: 1\n\n'
	set_aside
	play <<END
answer HTTP/1.1 302 Go\r\nLocation: /own@EMPTY
request
send HTTP/1.1 302 Go\r\nLocation: $ELSEWHERE/x@EMPTY
END
	run -0 sse-tail "$URL/x" -o data --no-reconnect -b 'c=1' -H 'X-Api-Key: k1' \
		--oauth2-bearer k2 -H 'X-Plain: p'
	[ "$output" = 1 ]
	[ "$(grep -c 'Bearer k2' log)" -eq 2 ]
	[ "$(grep -c 'X-Api-Key: k1' log)" -eq 2 ]
	[ "$(grep -c 'Cookie: c=1' log)" -eq 2 ]
	has elsewhere.log 'X-Plain: p'
	run ! grep -E 'k1|k2|c=1' elsewhere.log
}

@test "cookies are read from a file and written to one, as curl has them" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie: s=2; Path=/\r\n\r\ndata: 1\n\n
close
answer @STREAMdata: 2\n\n
hold
END
	printf '127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1\n' >jar
	run -0 sse-tail "$URL/x" -o data -n 2 -b jar -c new
	has log 'Cookie: a=1'
	[ "$(grep -c 's=2' log)" -eq 1 ]
	has new $'s\t2'
}

@test "--netrc, --proxy and --unix-socket lead where they say" {
	play <<'END'
answer @204
close
answer @204
END
	printf 'machine 127.0.0.1 login me password secret\n' >.netrc
	run -0 sse-tail --netrc "$URL/x"
	has log "Authorization: Basic $(printf me:secret | base64)"
	run -0 sse-tail -x "$URL" http://elsewhere.invalid/y
	has log 'GET http://elsewhere.invalid/y HTTP/1.1'
	run -69 sse-tail --unix-socket "$PWD/none" http://localhost/x --no-reconnect
	[[ $output == *"No such file or directory" ]]
}

@test "a client certificate is shown with --cert and --key" {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
	local port
	openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -CAfile cert.pem -Verify 1 \
		-verify_return_error -WWW >server.out 2>&1 3>&- &
	SERVER_PID=$!
	wait_for has server.out ACCEPT
	port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.out)
	run -76 sse-tail "https://localhost:$port/cert.pem" --cacert cert.pem --cert cert.pem \
		--key key.pem --no-reconnect
	[[ $output == *"is not an event stream: its Content-Type is 'text/plain'" ]]
	run ! sse-tail "https://localhost:$port/cert.pem" --cacert cert.pem --no-reconnect
	[[ $output != *"Content-Type"* ]]
	run -64 sse-tail --key key.pem
	run -66 sse-tail --cert nowhere.pem
}

@test "what is secret is in neither the list of processes nor -vv" {
	[ -r /proc/self/cmdline ] || skip "no /proc"
	held_stream <<<'data: 1\n\n'
	follow -vv "${URL/http:\/\//http://me:pw1@}/x?access_token=pw2&a=b" -H 'X-Api-Key: pw3' -b 'c=pw4' -o data
	wait_for has out 1
	run ! grep -a 'pw[0-9]' "/proc/$PID/cmdline" err
	tr '\0' ' ' <"/proc/$PID/cmdline" | grep -qF "/x?access_token=...&a=b"
	kill "$PID"
	ended "$PID" 143
	has log 'access_token=pw2'
	has log 'X-Api-Key: pw3'
}

@test "SIGHUP connects again at once, with the last id" {
	play <<'END'
answer @STREAMid: 1\ndata: 1\n\n
hold
answer @STREAMdata: 2\n\n
hold
END
	follow "$URL/x" -o data --reconnect-delay 1h
	wait_for has out 1
	kill -HUP "$PID"
	wait_for has out 2
	has log 'Last-Event-ID: 1'
	kill "$PID"
	ended "$PID" 143
	[ ! -s err ]
}

@test "-v says at the end what came, and how to go on from there" {
	stream <<'END'
id: it's\nevent: a\ndata: 1\n\nevent: b\ndata: 2\n\nevent: a\ndata: 3\n\n
END
	run -0 --separate-stderr sse-tail -v "$URL/x" -o data --no-reconnect
	[[ $stderr == *"3 events in "*": a 2, b 1; "*" bytes, connected again 0 times"* ]]
	[[ $stderr == *"to go on from there: sse-tail $URL/x --last-event-id 'it'\''s'"* ]]
}

@test "a token, a cookie or a header with a control in it is a usage error" {
	run -64 sse-tail --oauth2-bearer $'a\r\nX-Evil: 1'
	[[ $output == *"--oauth2-bearer: this is not a token: it holds a blank, a line end"* ]]
	SSE_TOKEN=$'a\nb' run -64 sse-tail
	run -64 sse-tail -H $'X: a\x01b'
	run -64 sse-tail -b $'a=1\nb'
}

@test "300, 304 and 305 are no redirects: 76, and the body goes nowhere" {
	local code
	for code in 300 304 305; do
		play <<END
answer HTTP/1.1 $code X\r\nLocation: /z@EMPTY
request
END
		run -76 sse-tail "$URL/x" -d '{"a":1}'
		requests 1
	done
}

@test "a proxy that refuses is named, and who did not answer, too" {
	play <<<'answer HTTP/1.1 407 Who\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
	run -77 sse-tail -x "$URL" https://elsewhere.invalid/x
	[[ $output == *"the proxy on the way to https://elsewhere.invalid/x does not permit this"*"(407)" ]]
	free_url
	run -69 sse-tail -x "$URL" http://elsewhere.invalid/x --no-reconnect
	[[ $output == *"cannot connect to ${URL#http://}, on the way to http://elsewhere.invalid/x: "* ]]
	run -69 sse-tail --unix-socket "$PWD/none" http://localhost/x --no-reconnect
	[[ $output == *"cannot connect to the socket $PWD/none: No such file or directory" ]]
	play <<<'answer HTTP/1.1 302 Go\r\nLocation: ftp://127.0.0.1/x@EMPTY'
	run -76 sse-tail "$URL/x"
	[[ $output == *"a redirect to ftp://127.0.0.1/x" ]]
}

@test "-v tells of redirects, and what to add to a request that is not plain" {
	play <<'END'
answer HTTP/1.1 307 Go\r\nLocation: /y?token=abc@EMPTY
request
send @STREAMid: 4\ndata: 1\n\n
close
END
	run -0 --separate-stderr sse-tail -v "$URL/x" -d 1 -o data
	[[ $stderr == *"307, a redirect to $URL/y?token=..."* ]]
	[[ $stderr == *"to go on from there: the same with --last-event-id 4" ]]
}

@test "Retry-After is obeyed however many digits it has" {
	play <<<'answer HTTP/1.1 503 Busy\r\nRetry-After: 99999999999999999999@EMPTY'
	follow -v "$URL/x"
	wait_for has err 'connecting again in 3600.000 s'
	kill "$PID"
	ended "$PID" 143
}

@test "the last of several content types counts" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nContent-Type: text/html;x=",", text/event-stream\r\n\r\ndata: 1\n\n
close
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream, text/html\r\n\r\ndata: 1\n\n
close
END
	run -0 sse-tail "$URL/x" -o data --no-reconnect
	[ "$output" = 1 ]
	run -76 sse-tail "$URL/x" -o data --no-reconnect
}

# --- empty values, variables ----------------------------------------------------------------------

@test "an option that an empty value makes no sense of is a usage error that names it" {
	local option name
	while read -r option name; do
		run -64 sse-tail "$URL/x" "$option" ''
		[[ $output == "sse-tail: --$name: "* ]]
	done <<'END'
-F template
-e event
--not-event not-event
--exec exec
--done-event done-event
--state state
--resume-from resume-from
--since since
--json json
-n count
--timeout timeout
-o output
-X request
-H header
-u user
--oauth2-bearer oauth2-bearer
--token-file token-file
-b cookie
-c cookie-jar
--unix-socket unix-socket
--cacert cacert
--cert cert
--key key
END
	run -64 sse-tail "$URL/x" -d @
	[ "$output" = 'sse-tail: --data: the name of the file after @ is empty' ]
	run -64 sse-tail ''
	[[ $output == "sse-tail: '' is not a valid topic: a topic is like users"* ]]
}

@test "an empty value that means something is taken" {
	stream 'accept' 'request' 'send @STREAMdata: 1\n\n' 'hold' <<<'data: {"a":1}\n\ndata:\n\ndata: never\n\n'
	# The whole document, no data, and no proxy.
	http_proxy=http://127.0.0.1:1 run -0 sse-tail "$URL/x" --pointer '' --done '' -x ''
	[ "$output" = '{"a":1}' ]
	run -0 sse-tail "$URL/x" -d '' -n 1 -o data
	grep -q '^POST' log
}

@test "a variable that is empty counts as not set" {
	stream <<<'data: 1\n\n'
	SSE_OAUTH2_BEARER='' SSE_TOKEN=second SSE_LAST_EVENT_ID='' SSE_STATE='' SSE_DATA='' SSE_COUNT='' \
		SSE_OUTPUT='' SSE_VERBOSE='' SSE_EVENT='' SSE_TIMEOUT='' run -0 sse-tail "$URL/x" --no-reconnect
	[[ $output == '{"event":"message","data":"1",'* ]]
	grep -q '^GET /x HTTP' log
	grep -q '^Authorization: Bearer second' log
	run ! grep -qi '^Last-Event-ID' log
}

@test "the command line outranks a variable of another option that would not go with it" {
	stream <<<'data: 1\n\n'
	SSE_OUTPUT=json SSE_TOKEN=t SSE_RECONNECT=1 SSE_NULL=1 run -0 sse-tail "$URL/x" -F '%d' \
		-u me:pw --no-reconnect --join
	[ "$output" = 1 ]
	has log 'Authorization: Basic'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a user of sse-tail sees of a stream of JSON lines, against a server that does what each test
# says.
# shellcheck disable=SC2154,SC2119,SC2030,SC2031,SC2016

load client_helpers

# head_of TYPE [HEADER]: the head of an answer, for a script.
head_of() {
	printf '%s' 'HTTP/1.1 200 OK\r\nContent-Type: ' "$1" '\r\n' "${2:+$2\\r\\n}" '\r\n'
}

# ndjson [LINE]...: a server whose first answer is the lines on the standard input, and then ends in
# good order; the arguments are how its script goes on.
ndjson() {
	{
		printf 'answer %s' "$(head_of application/x-ndjson)"
		cat
		printf '%s\n' close "$@"
	} >lines_script
	play <lines_script
}

# shows DATA...: is the output, with -o data, exactly these lines?
shows() {
	[ "$output" = "$(printf '%s\n' "$@")" ]
}

# --- lines are events -----------------------------------------------------------------------------

@test "the Content-Type tells: a line is an event without an id, of the type message" {
	local type
	for type in application/x-ndjson application/ndjson application/jsonl application/jsonlines \
		application/x-jsonlines application/json-seq application/stream+json \
		'Application/X-NDJSON; charset=utf-8'; do
		play <<END
answer $(head_of "$type"){"a":1}\n{"b": "\\\\u00e9"}\n
close
END
		run --separate-stderr -0 sse-tail "$URL/x"
		[ "${lines[0]}" = '{"event":"message","data":"{\"a\":1}","id":"","origin":"'"$URL"'"}' ]
		[ "${lines[1]}" = '{"event":"message","data":"{\"b\": \"\\u00e9\"}","id":"","origin":"'"$URL"'"}' ]
		[ "${#lines[@]}" -eq 2 ]
		[ -z "$stderr" ]
	done
	# It asks as before.
	has log 'Accept: text/event-stream'
}

@test "data is the line as it came: digits, order, spaces" {
	ndjson <<<' {"z":1.00, "a" : 123456789012345678901234567890,"z":2e400} \n[1,\t2]\n"text"\n0.10\n'
	run -0 sse-tail "$URL/x" -o data
	shows ' {"z":1.00, "a" : 123456789012345678901234567890,"z":2e400} ' $'[1,\t2]' '"text"' 0.10
}

@test "a line is shown the moment it is complete, in pieces of a byte; CRLF, a BOM and RS do not belong to it" {
	play <<END
answer $(head_of application/json-seq)
bytes \xef\xbb\xbf\x1e{"n":1}\r\n
wait one
bytes \n\r\n \t\n\x1e{"n":"\xc3\xa9"}\n
wait two
bytes \x1e{"n":3
pause 20
bytes }
close
END
	follow "$URL/x" -o data
	wait_for has out '{"n":1}'
	touch one
	wait_for has out '{"n":"é"}'
	touch two
	ended "$PID" 0
	[ "$(cat out)" = $'{"n":1}\n{"n":"é"}\n{"n":3}' ]
	[ ! -s err ]
}

@test "a line that is not JSON is text: nothing is lost, made up, or taken for an event of a stream" {
	ndjson <<<'plain text\n{"half":\nevent: gap\nid: 7\ndata: {"reason":"expired"}\n{"ok":1}\n'
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	shows 'plain text' '{"half":' 'event: gap' 'id: 7' 'data: {"reason":"expired"}' '{"ok":1}'
	[ -z "$stderr" ]
	ndjson <<<'a\xffb\xc3\na\0b\na\rb\n'
	run -0 sse-tail "$URL/x"
	[[ ${lines[0]} == *'"data":"a�b�"'* ]]
	[[ ${lines[1]} == *'"data":"a\u0000b"'* ]]
	[[ ${lines[2]} == *'"data":"a\rb"'* ]]
	[ "${#lines[@]}" -eq 3 ]
}

@test "a line cannot steer the terminal" {
	needs_terminal
	local format
	for format in pretty json data sse "template -F '%d %D'"; do
		ndjson <<<'\x1b[2J\x1b]0;owned\x07 \xc2\x9b31m\n{"a":"\xe2\x80\xae\\u001b[2J","\x7f":1}\n'
		script -qec "sse-tail $URL/x --color=never -o $format" /dev/null | tr -d '\r' >shown
		has shown u001b
		run ! grep -aqP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' shown
	done
}

@test "raw passes the bytes, and -n ends behind the line; sse frames the lines anew" {
	play <<END
answer $(head_of application/x-ndjson)\xef\xbb\xbf\n{"n":1}\r\n\xff\n{"n":3}\n
hold
END
	sse-tail "$URL/x" -o raw -n 2 >out
	printf '\xef\xbb\xbf\n{"n":1}\r\n\xff\n' | cmp - out
	ndjson <<<'{"n":1}\n\ntext\n'
	run -0 sse-tail "$URL/x" -o sse --comments
	[ "$output" = $'data: {"n":1}\n\n:\n\ndata: text' ]
}

@test "a line longer than 64 MiB ends it with 76; one that is shorter comes whole" {
	play <<END
answer $(head_of application/x-ndjson)
repeat 104858 0123456789
send \n
repeat 700000 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
hold
END
	run --separate-stderr -76 bash -c "set -o pipefail; sse-tail $URL/x -o data | wc -c"
	[ "$output" -eq 1048581 ]
	[[ $stderr == *"sent a line larger than 64 MiB" ]]
}

# --- the end --------------------------------------------------------------------------------------

@test "a complete answer ends it with 0, as lines have no id to go on from; --reconnect asks again" {
	ndjson <<<'{"n":1}\n'
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	shows '{"n":1}'
	[ -z "$stderr" ]
	requests 1
	ndjson "answer $(head_of application/x-ndjson)"'{"n":2}\n' close \
		"answer $(head_of application/x-ndjson)" close 'answer @204' <<<'{"n":1}\n'
	run --separate-stderr -0 sse-tail "$URL/x" -o data --reconnect
	shows '{"n":1}' '{"n":2}'
	# Once.
	[ "$stderr" = 'sse-tail: JSON lines have no ids: after connecting again, some may be missing, or come again' ]
	requests 4
	ndjson <<<'{"n":1}\n'
	run -0 sse-tail "$URL/x" -o data -d '{"stream":true}'
	shows '{"n":1}'
	has log 'POST /x'
}

@test "at the end of a complete answer a last line needs no line end if it is complete JSON" {
	local rest
	for rest in '{"n":2}' '[2]\r' '"2"' 'true' '\x1e{"n":2} '; do
		ndjson <<<'{"n":1}\n'"$rest"
		run --separate-stderr -0 sse-tail "$URL/x" -o data
		[ "${#lines[@]}" -eq 2 ]
		[ -z "$stderr" ]
	done
	# Digits of a number may be missing.
	for rest in '{"n":' 12 text '\xef\xbb' '"a'; do
		ndjson <<<'{"n":1}\n'"$rest"
		run --separate-stderr -0 sse-tail "$URL/x" -o data
		shows '{"n":1}'
		[[ $stderr == *'the stream ended within a line, which is dropped (--flush-eof shows it)' ]]
		ndjson <<<'{"n":1}\n'"$rest"
		run --separate-stderr -0 sse-tail "$URL/x" -o data --flush-eof
		[ "${#lines[@]}" -eq 2 ]
		[ -z "$stderr" ]
	done
	ndjson <<<'{"n":1}\n \t\r'
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	shows '{"n":1}'
	[ -z "$stderr" ]
}

@test "a connection that breaks is tried again; the line that it cut is not shown, even if it is JSON" {
	play <<END
answer $(head_of application/x-ndjson 'Transfer-Encoding: chunked')c\r\n{"n":1}\n{"n"\r\n3\r\n:2}\r\n
close
answer $(head_of application/x-ndjson 'Content-Length: 100'){"n":3}\n{"n":4}
close
answer $(head_of application/x-ndjson 'Content-Length: 8'){"n":5}\n
close
END
	run --separate-stderr -0 sse-tail "$URL/x" -o data
	shows '{"n":1}' '{"n":3}' '{"n":5}'
	[ "$(grep -c 'ended within a line, which is dropped' <<<"$stderr")" -eq 2 ]
	[ "$(grep -c 'some may be missing, or come again' <<<"$stderr")" -eq 1 ]
	requests 3
	run ! grep -qi last-event-id log
}

@test "kill -9 of the source in the midst of a line: what came is shown once, complete lines only" {
	play <<END
answer $(head_of application/x-ndjson)
repeat 3000000 {"text":"0123456789"}\n
hold
END
	follow "$URL/x" -o data --no-reconnect
	wait_for grew out 1000
	kill -9 "$SERVER_PID"
	wait "$SERVER_PID" || true
	SERVER_PID=
	# By how it broke: with an end that looks like any, or a reset.
	wait "$PID" || [ $? -eq 69 ]
	[ "$(sort -u out)" = '{"text":"0123456789"}' ]
	play <<END
answer $(head_of application/x-ndjson)
send {"n":1}\n{"n":2}\n{"n":{"n":3}
hold
END
	follow "$URL/x" -o data --no-reconnect
	wait_for has out '{"n":2}'
	kill -9 "$SERVER_PID"
	wait "$SERVER_PID" || true
	SERVER_PID=
	ended "$PID" 0
	[ "$(cat out)" = $'{"n":1}\n{"n":2}' ]
	has err 'ended within a line, which is dropped'
}

# --- --lines --------------------------------------------------------------------------------------

@test "--lines reads lines of any type, and asks for them; without it the refusal names it" {
	local type
	for type in application/json text/plain text/event-stream; do
		play <<END
answer $(head_of "$type"){"type":"ADDED"}\ndata: x\n
close
END
		run --separate-stderr -0 sse-tail "$URL/x" --lines -o data
		shows '{"type":"ADDED"}' 'data: x'
		has log 'Accept: application/x-ndjson, application/jsonl, application/json, */*;q=0.1'
		run ! grep -q 'Accept: text/event-stream' log
	done
	play <<END
answer $(head_of application/json){"type":"ADDED"}\n
close
END
	run -76 sse-tail "$URL/x"
	[[ $output == *"its Content-Type is 'application/json'; if each line is an event, say so with --lines" ]]
	play <<END
answer $(head_of text/plain)a\n
close
END
	run -0 sse-tail "$URL/x" -l -o data -H 'Accept: text/plain'
	has log 'Accept: text/plain'
	run ! grep -q x-ndjson log
	play <<<'answer HTTP/1.1 406 No@EMPTY'
	run -65 sse-tail "$URL/x" -l
}

# --- everything else works with lines -------------------------------------------------------------

@test "filters, pointers, templates and --nest work with lines" {
	local body='{"type":"ADDED","object":{"metadata":{"name":"web"}}}\n\n{"type":"BOOKMARK"}\n'
	ndjson <<<"$body"
	run -0 sse-tail "$URL/x" --pointer /object/metadata/name
	shows web
	ndjson <<<"$body"
	run -0 sse-tail "$URL/x" --nest
	[[ ${lines[1]} == *'"data":{"type":"BOOKMARK"},"id":""'* ]]
	ndjson <<<"$body"
	run -0 sse-tail "$URL/x" -F '%n %e %i|%D'
	[ "${lines[1]}" = '2 message |{"type":"BOOKMARK"}' ]
	ndjson <<<"$body"
	run -0 sse-tail "$URL/x" --not-event message
	[ -z "$output" ]
	ndjson <<<'{"a":"one"}\n{"a":" two"}\n'
	run -0 sse-tail "$URL/x" --pointer /a -j
	shows 'one two'
}

@test "-n, --done and --exec work with lines" {
	play <<END
answer $(head_of application/x-ndjson){"n":1}\n{"n":2}\n{"n":3}\n
hold
answer $(head_of application/x-ndjson){"n":1}\n{"n":2}\n{"n":3}\n
hold
answer $(head_of application/x-ndjson){"n":1}\n
close
answer $(head_of application/x-ndjson){"n":1}\n{"n":2}\n
close
END
	run -0 sse-tail "$URL/x" -n 2 -o data
	shows '{"n":1}' '{"n":2}'
	run -0 sse-tail "$URL/x" --done '{"n":2}' -o data
	shows '{"n":1}'
	run -69 sse-tail "$URL/x" --done '{"n":2}' -o data
	[[ $output == *'ended the stream before --done came' ]]
	run -0 sse-tail "$URL/x" --exec 'read -r x; echo "$SSE_MSG_EVENT,$SSE_MSG_ID,$x"'
	shows 'message,,{"n":1}' 'message,,{"n":2}'
}

@test "a blank line is life for --read-timeout and no event for --until-idle; --comments shows it" {
	play <<END
answer $(head_of application/x-ndjson){"n":1}\n
pause 500
send \n
pause 500
send \r\n
wait silent
answer @204
END
	follow -v "$URL/x" -o data --read-timeout 1s
	wait_for has err 'nothing came from'
	touch silent
	ended "$PID" 0
	requests 2
	play <<END
answer $(head_of application/x-ndjson){"n":1}\n
$(yes $'send \\n\npause 50' | head -n 400)
hold
END
	run -0 sse-tail "$URL/x" -o data --until-idle 500ms
	shows '{"n":1}'
	ndjson <<<'{"n":1}\n\n'
	run -0 sse-tail "$URL/x" --comments
	[ "${lines[1]}" = '{"comment":""}' ]
}

@test "--llm ollama: the answer as running text, the last piece too; errors and half an answer are 69" {
	local chat='{"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}\n'
	play <<END
answer $(head_of application/x-ndjson)$chat{"message":{"content":"","thinking":"hm"},"done":false}\n{"message":{"content":"lo"},"done":true,"done_reason":"stop"}\n{"message":{"content":"never"}}\n
hold
answer $(head_of application/x-ndjson){"response":"a","done":false}\n{"response":"","done":true}\n
hold
answer $(head_of application/x-ndjson){"done":true,"done_reason":"load"}\n
hold
answer $(head_of application/x-ndjson)$chat{"error":"the model runner has stopped"}\n
close
answer $(head_of application/x-ndjson)$chat
close
answer HTTP/1.1 404 No\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{"error":"model 'x' not found"}
close
END
	local -a ask=(sse-tail --llm ollama "$URL/api/chat" -d '{"model":"m"}')
	run -0 "${ask[@]}"
	[ "$output" = Hello ]
	run -0 "${ask[@]}"
	[ "$output" = a ]
	run -0 "${ask[@]}"
	[ -z "$output" ]
	run --separate-stderr -69 "${ask[@]}"
	[ "$output" = Hel ]
	[[ $stderr == *'the service failed: the model runner has stopped' ]]
	run --separate-stderr -69 "${ask[@]}"
	[[ $stderr == *'ended the stream before its end mark came' ]]
	run --separate-stderr -69 "${ask[@]}"
	[[ $stderr == *"model 'x' not found"* ]]
}

# --- what lines cannot do -------------------------------------------------------------------------

@test "who wants to resume is told that lines have no ids; a state stays as it is" {
	local answer
	answer="answer $(head_of application/x-ndjson){\"n\":1}\\n"
	play <<END
$answer
close
$answer
close
$answer
close
$answer
close
END
	printf 'a:7\n' >state
	run --separate-stderr -0 sse-tail "$URL/x" -o data --state state
	shows '{"n":1}'
	[ "$stderr" = 'sse-tail: JSON lines have no ids: the file of --state stays as it is, and cannot say where to go on' ]
	[ "$(cat state)" = a:7 ]
	run --separate-stderr -0 sse-tail "$URL/x" -o data --state new
	[[ $stderr == *'the file of --state stays as it is'* ]]
	[ ! -s new ]
	run --separate-stderr -0 sse-tail "$URL/x" -o data --last-event-id a:1 --since all
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ ${stderr_lines[0]} == *'whether the server went on after that of --last-event-id' ]]
	[[ ${stderr_lines[1]} == *'whether the server heeds --since' ]]
	run --separate-stderr -0 sse-tail "$URL/x" -q -o data --resume-from state
	[ -z "$stderr" ]
	[ "$(grep -c 'Last-Event-ID: a:7' log)" -eq 2 ]
}

@test "--check knows lines: what they are, that no client can resume, and which are not JSON" {
	unset SSE_TIMEOUT
	play <<END
answer $(head_of application/x-ndjson){"n":1}\n\n{"n":2}\n
close
answer $(head_of application/x-ndjson){"n":1}\noops\n\xff\n
close
END
	run -0 timeout 60 sse-tail --check "$URL/x"
	grep -q '^ok .* the Content-Type application/x-ndjson' <<<"$output"
	grep -q '^ok .* each line is JSON' <<<"$output"
	grep -q '^ok .* empty lines came, 1 of them' <<<"$output"
	grep -q '^ok .* events: 2, the largest of 7 bytes' <<<"$output"
	grep -q '^note it is a stream of JSON lines, which have no ids, so no client can resume it' <<<"$output"
	grep -q '^note the server ended the stream .* take that for the end of all lines' <<<"$output"
	run ! grep -q 'retry\|comment' <<<"$output"
	run -76 timeout 60 sse-tail --check "$URL/x"
	grep -q "^BAD  lines are not JSON, 2 of them, the first 'oops'" <<<"$output"
	grep -q "^BAD  lines are not UTF-8, 1 of them" <<<"$output"
	requests 2
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Streams and heads that try to get from sse-tail into a terminal, a log, the next request, a shell,
# a state, a JSON line, or another stream.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016

load client_helpers

# What a terminal obeys: C0, DEL, C1 in UTF-8 and as a byte, an OSC title, bidi, a line separator.
EVIL='\x1b[2J\x1b]0;owned\x07\x08\x7f\xc2\x9b31m\x9b2J\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8'

# harmless FILE...: nothing in the files steers a terminal but line feeds.
harmless() {
	LC_ALL=C grep -a -n -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae\x8e\x8f]|\xe2\x81[\xa6-\xa9]' "$@" &&
		return 1
	iconv -f UTF-8 -t UTF-8 "$@" >/dev/null
}

# --- terminal and log -----------------------------------------------------------------------------

@test "in every format a terminal gets nothing that it would obey" {
	needs_terminal
	local format
	for format in pretty json data sse template 'json --nest --comments' 'pretty --comments --wrap=off'; do
		ended_stream <<END
: $EVIL\nevent: $EVIL\nid: $EVIL\ndata: $EVIL\n\ndata: {"$EVIL":"\\\\u001b$EVIL"}\n\n
END
		[ "$format" != template ] || format="template -F '%e|%i|%d|%D|%o'"
		# Messages too; the terminal makes CRLF of line feeds.
		script -qec "sse-tail $URL/x --color=never -vv -o $format" /dev/null | tr -d '\r' >shown
		grep -q 'u001b\|u009b' shown
		harmless shown
	done
}

@test "a head that would steer the terminal is shown escaped by -vv, and in what is wrong with it" {
	local code
	for code in 200 302 401 404 500; do
		play <<END
answer HTTP/1.1 $code $EVIL\r\nContent-Type: text/$EVIL\r\nX-Evil: a\rb $EVIL\r\nRetry-After: $EVIL\r\nWWW-Authenticate: $EVIL\r\nConnection: close\r\n\r\n$EVIL
END
		sse-tail -vv "$URL/x" --no-reconnect >out 2>err && false
		harmless err
		has err '\u001b[2J'
		[ ! -s out ]
	done
}

@test "the server's own words on a refusal are one line and harmless" {
	printf '{"detail":"%s"}' '\u001b[2J\u009b\u202e\u0000\nsse-tail: all is well' >body
	play <<'END'
answer HTTP/1.1 403 No\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n
file body
END
	sse-tail "$URL/x" 2>err && false
	harmless err
	lines_of err 1
	has err '(403 No): \u001b[2J\u009b\u202e'
}

@test "--check tells of a hostile head and stream without obeying them" {
	play <<END
answer HTTP/1.1 200 $EVIL\r\nContent-Type: text/event-stream; $EVIL\r\nServer: $EVIL\r\nVia: $EVIL\r\nX-Accel-Buffering: $EVIL\r\n\r\n: $EVIL\nevent: $EVIL\nid: $EVIL\ndata: $EVIL\n\n
close
answer @STREAM: $EVIL\n\n
hold
END
	sse-tail --check --timeout 1s "$URL/x" >out 2>err || true
	[ -s out ]
	harmless out err
}

@test "-v tells types, ids and the command to go on with so that neither terminal nor shell is hurt" {
	ended_stream <<END
event: $EVIL\nid: \$(touch hurt)'; touch hurt #\ndata: 1\n\n
END
	sse-tail -v "$URL/x" -o data >out 2>err
	harmless err
	# The command, run by a shell, asks for just that id.
	sed -n 's/^sse-tail: to go on from there: //p' err >go_on
	play <<<'answer @204'
	sed -i "s,http://[0-9.:]*/,$URL/," go_on
	sh ./go_on
	has log "Last-Event-ID: \$(touch hurt)'; touch hurt #"
	[ ! -e hurt ]
}

# --- the next request -----------------------------------------------------------------------------

@test "an id that spells line ends in any way adds no line to the next request" {
	local id
	while IFS= read -r id; do
		ended_stream <<END
id: ${id}X-Evil: 1\ndata: 1\n\n
END
		sse-tail "$URL/x" -o data >out 2>err
		requests 2
		[ "$(grep -c '^GET ' log)" -eq 2 ]
		run ! grep -qai '^X-Evil' log
		# Nor where the bytes are read as Latin-1, or cut to their last eight bits.
		LC_ALL=C sed 's/[\x85\r]/\n/g' log >narrow
		run ! grep -qai '^X-Evil' narrow
	done <<'END'
%0d%0a
\\r\\n
\r\n
\r
\xc4\x8d\xc4\x8a
\xe5\x98\x8d\xe5\x98\x8a
\xe2\x80\xa8
\x0b
\x0c
\x85
\xff\n
a\0\r\n
END
}

@test "an id with spaces around it or with controls is left out, since another would arrive" {
	local id
	while IFS= read -r id; do
		ended_stream <<END
id: $id\ndata: 1\n\n
END
		sse-tail "$URL/x" -o json >out 2>err
		has err "cannot be sent in a header: events may be missed when connecting again"
		lines_of err 1
		harmless err
		run ! has log Last-Event-ID
	done <<'END'
 before
behind 
\tbefore
\x01
\x7f
\x1b[2J
END
	# What HTTP can carry goes as it came.
	ended_stream <<<'id: a\tb c\xc3\xa9\xf0\x9f\x98\x80"\\;,:\ndata: 1\n\n'
	sse-tail "$URL/x" -o data 2>err
	[ ! -s err ]
	has log $'Last-Event-ID: a\tb cé😀"\\;,:\r'
}

@test "an id of megabytes is no request of megabytes, and what is in it is no way out of memory" {
	play <<'END'
answer @STREAMid: 
repeat 300000 0123456789
send \ndata: 1\n\n
close
answer @STREAMid: 2\ndata: 2\n\n
hold
END
	run -0 --separate-stderr sse-tail "$URL/x" -o data -n 2
	[ "$output" = $'1\n2' ]
	[[ $stderr == "sse-tail: the id '0123456789"*"' cannot be sent in a header"* ]]
	run ! has log Last-Event-ID
}

@test "a redirect to anything but http and https is not followed" {
	local target
	echo secret >here
	for target in "file://$PWD/here" gopher://127.0.0.1:1/ ftp://127.0.0.1:1/ 'javascript:alert(1)'; do
		play <<END
answer HTTP/1.1 302 Go\r\nLocation: $target\r\nContent-Length: 0\r\nConnection: close\r\n\r\n
END
		run -76 sse-tail "$URL/x" --no-reconnect
		[[ $output != *secret* ]]
		kill "$SERVER_PID" 2>/dev/null || true
	done
}

@test "an answer that is split by its own headers stays one answer" {
	play <<'END'
answer HTTP/1.1 200 OK\r\nX: a\r b\r\nContent-Type: text/event-stream\r\nHTTP/1.1 204 No: x\r\n\r\ndata: 1\n\n
close
answer @204
END
	run -0 sse-tail "$URL/x" -o data
	[ "$output" = 1 ]
}

# --- the shell ------------------------------------------------------------------------------------

@test "nothing that comes is run by --exec's shell, whatever it looks like" {
	ended_stream <<'END'
event: $(touch hurt)\nid: `touch hurt`\ndata: ;touch hurt;\ndata: $(touch hurt)\n\nevent: () { :; }; touch hurt\nid: -c 'touch hurt'\ndata: \x1b'"\\$IFS\n\nid: ' ; touch hurt ; '\nevent: | touch hurt\ndata: && touch hurt\n\n
END
	sse-tail "$URL/x" --exec 'printf "%s<%s>%s\n" "$SSE_MSG_EVENT" "$SSE_MSG_ID" "$SSE_MSG_DATA"
		bash -c : ; cat >/dev/null' >out
	[ ! -e hurt ]
	[ "$(head -n 1 out)" = '$(touch hurt)<`touch hurt`>;touch hurt;' ]
	[ "$(tail -n 1 out)" = "| touch hurt<' ; touch hurt ; '>&& touch hurt" ]
}

@test "the command's environment has what came and no other variable of the stream's choice" {
	ended_stream <<'END'
event: x\nPATH=/evil\nid: LD_PRELOAD=/evil.so\ndata: SSE_TOKEN=stolen\nSSE_MSG_URL: evil\n\n
END
	sse-tail "$URL/x" --exec 'env | grep -a -e evil -e stolen -e ^SSE_MSG; cat >/dev/null' | sort >out
	[ "$(cat out)" = "SSE_MSG_DATA=SSE_TOKEN=stolen
SSE_MSG_EVENT=x
SSE_MSG_ID=LD_PRELOAD=/evil.so
SSE_MSG_URL=$URL/x" ]
}

@test "an event's variables do not stay for the next event" {
	ended_stream <<<'id: 1\nevent: a\ndata: first\n\nid\nevent: b\0c\ndata: x\0y\n\n'
	sse-tail "$URL/x" --exec 'echo "${SSE_MSG_EVENT-none},${SSE_MSG_ID-none},${SSE_MSG_DATA-none}"
		cat >/dev/null' >out
	[ "$(cat out)" = $'a,1,first\nnone,,none' ]
}

# --- the state ------------------------------------------------------------------------------------

@test "whatever the id, the state holds it on one line, and the next run asks for it or says why not" {
	local id
	while IFS= read -r id; do
		rm -f state
		ended_stream <<END
id: $id\ndata: 1\n\n
END
		sse-tail "$URL/x" -o json --state state -n 1 >out
		lines_of state 1
		# The file's line is the id that the event shows.
		node -e 'const fs = require("fs");
			const id = JSON.parse(fs.readFileSync("out", "utf8")).id;
			process.exit(fs.readFileSync("state", "utf8") === id + "\n" ? 0 : 1);'
		play <<'SCRIPT'
answer @204
SCRIPT
		sse-tail "$URL/x" --state state 2>err
		has log Last-Event-ID || has err 'cannot be sent in a header'
	done <<'END'
../../etc/passwd
$(touch hurt)
 spaced 
\x1b[2J
%0aother
\xff\xfe
\xef\xbb\xbf1
"quoted"\\
END
	[ ! -e hurt ]
	[ "$(find . -newer streamed -name 'state*' | wc -l)" -eq 1 ]
}

@test "an id that no state can hold is told, and the state stays before it until the next" {
	play <<'END'
answer @STREAMid: good\ndata: 1\n\n
wait seen
send id: 
repeat 7000 0123456789
send \ndata: 2\n\n
wait told
send id: next\ndata: 3\n\n
hold
END
	follow "$URL/x" -o data --state state -n 3
	wait_for has state good
	touch seen
	wait_for has err 'an id of 70000 bytes is too long to be kept; the state stays before it'
	[ "$(cat state)" = good ]
	touch told
	ended "$PID" 0
	[ "$(cat state)" = next ]
}

# --- other formats --------------------------------------------------------------------------------

@test "an event cannot pass for two in JSON: each line is one event, whatever is in it" {
	ended_stream <<'END'
event: a","id":"forged\nid: 1"}\\n{"event":"forged\ndata: "}\ndata: {"event":"forged"}\ndata: \xe2\x80\xa8{"forged":1}\x85\n\ndata: {"a":1}\ndata: {"b":2}\n\n
END
	sse-tail "$URL/x" -o json >out
	lines_of out 2
	play <streamed
	sse-tail "$URL/x" -o json --nest >nested
	lines_of nested 2
	node -e 'const lines = require("fs").readFileSync("out", "utf8").trimEnd().split("\n").map(JSON.parse);
		const is = (a, b) => { if (a !== b) throw new Error(`${a} !== ${b}`); };
		is(lines[0].event, `a","id":"forged`);
		is(lines[0].id, `1"}\\n{"event":"forged`.replaceAll("\\\\", "\\"));
		is(lines[0].data, `"}\n{"event":"forged"}\n\u2028{"forged":1}\ufffd`);
		is(lines[1].data, `{"a":1}\n{"b":2}`);'
}

@test "a value out of JSON cannot add fields to what -o sse writes, whatever line ends it has" {
	local data='x\\nid: forged\\revent: forged\\r\\n\\r\\ndata: forged\\n\\n: \\u2028\\u0085\\u0000'
	ended_stream <<END
id: 1\nevent: real\ndata: {"t":"$data"}\n\nid: 2\ndata: {"t":"\\\\n"}\n\n
END
	sse-tail "$URL/x" -o sse --pointer /t >again
	play <<'END'
answer @STREAM
file again
close
END
	sse-tail "$URL/x" -o json --no-reconnect >out
	node -e 'const lines = require("fs").readFileSync("out", "utf8").trimEnd().split("\n").map(JSON.parse);
		const want = [
			{ event: "real", id: "1",
				data: "x\nid: forged\nevent: forged\n\ndata: forged\n\n: \u2028\u0085\u0000" },
			{ event: "message", id: "2", data: "\n" },
		];
		lines.forEach((line) => delete line.origin);
		if (lines.length !== 2 || want.some((event, i) =>
			["event", "id", "data"].some((name) => event[name] !== lines[i][name])))
			throw new Error(JSON.stringify(lines));'
}

@test "a stream that was read and written again is the same to its reader, byte order marks and all" {
	ended_stream <<'END'
\xef\xbb\xbfdata: \xef\xbb\xbf1\n\nevent: \xef\xbb\xbf\nid: : x\ndata:  two\ndata\ndata: :\n\nevent: data: x\ndata: retry: 1\n\nid\ndata: \xff\n\n
END
	sse-tail "$URL/x" -o sse >again
	play <streamed
	sse-tail "$URL/x" -o json | sed 's/,"origin.*//' >first
	play <<'END'
answer @STREAM
file again
close
END
	sse-tail "$URL/x" -o json --no-reconnect | sed 's/,"origin.*//' >second
	diff first second
	lines_of first 4
}

@test "the service's words of an --llm error are one harmless line" {
	ended_stream <<<'data: {"error":{"message":"\\u001b[2J\\u009b\\u202e\\nsse-tail: fine"}}\n\n'
	sse-tail "$URL/x" --llm openai 2>err && false
	harmless err
	lines_of err 1
	has err 'sse-tail: the service failed: \u001b[2J\u009b\u202e\nsse-tail: fine'
}

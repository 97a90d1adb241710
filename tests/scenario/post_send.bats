#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a user of sse-post sees with sse-serve: many events, keys, batches, results, cron.
# shellcheck disable=SC2154,SC2119,SC2030,SC2031,SC2016

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=60s
}

# --- what is sent ---------------------------------------------------------------------------------

@test "NAME=@FILE and NAME:=@FILE take text and JSON from a file, with every digit" {
	serve
	printf 'two\nlines "quoted"\n' >text
	printf ' {"b":1.10,\n "a":[1]}\n' >json
	run -0 post t note=@text 'deep.value:=@json' 'plain=\@john'
	stored t | is '{"note":"two\nlines \"quoted\"","deep":{"value":{"b":1.10,"a":[1]}},"plain":"@john"}'
	run -66 post t note=@missing
	[[ $output == *"'note=@missing': cannot open missing: No such file"*'\@'* ]]
	printf '{"a":' >json
	run -65 post t 'v:=@json'
	printf '\xff' >text
	run -65 post t v=@text
	[[ $output == *"not UTF-8"* ]]
}

@test "--file sends a file as one event, with --lines each of its lines" {
	serve
	printf 'one\ntwo\n' >file
	run -0 post a -f file
	run -0 post b -l -f file
	stored a | is '"one\ntwo"'
	stored b | is $'"one"\n"two"'
	run -66 post a -f missing
	run -66 post a -l -f missing
}

@test "--null takes records that end with NUL and keeps their line ends, --slurp takes all as one event" {
	serve
	run -0 bash -c "printf 'a\nb\0\0c\0' | SSE_URL=$URL sse-post nul -0"
	stored nul | is $'"a\\nb"\n"c"'
	run -0 bash -c "printf '{\"a\":1,\n\"b\":2}\n' | SSE_URL=$URL sse-post whole -s"
	curl -s "$URL/api/whole" | is $'[{"a":1,\n"b":2}]'
}

@test "--envelopes takes what sse-tail -o json prints: type, text and its id as the key" {
	serve
	printf '%s\n' '{"event":"note","data":"{\"n\":1}","id":"a:1","origin":"http://x"}' \
		'{"data":{"n":2}}' '{"event":"x","data":"text","key":"k"}' >lines
	run -0 post t -E -e fallback <lines
	run -0 post t -E -e fallback <lines
	# The second has no id, and is there twice.
	stored t | is $'"{\\"n\\":1}"\n{"n":2}\n"text"\n{"n":2}'
	stored t envelope=1 | grep -o '"event":"[a-z]*"' | head -n 3 | is $'"event":"note"\n"event":"fallback"\n"event":"x"'
	sse-tail "$URL/api/t/event?since=all" -n 4 -o json | SSE_URL=$URL sse-post copy -E
	[ "$(stored copy | wc -l)" -eq 4 ]
}

@test "an envelope that is none is refused with its line and what one is like" {
	serve
	local line words
	while IFS='|' read -r line words; do
		run -65 bash -c 'printf "%s\n" "$1" | SSE_URL=$2 sse-post t -E' - "$line" "$URL"
		[[ $output == "sse-post: line 1"*"$words"* ]] || { echo "$output"; false; }
	done <<'END'
[1]|{"data":...}
{"event":"x"}|no member 'data'
{"data":1,"evnt":"x"}|has the member "evnt"; an envelope has
{"data":1,"data":2}|twice
{"data":1,"event":7}|must be a string
{"data":1,"event":"a\nb"}|line end
{"data":|not JSON
END
}

@test "--input sse sends the events of a stream with their types, and each id once" {
	serve
	printf 'event: note\nid: a:1\ndata: one\ndata: two\n\ndata: {"n":1.0}\nid: a:2\n\ndata: same id\n\n: x\n' >stream
	run -0 post t -i sse <stream
	run -0 post t -i sse <stream
	stored t | is $'"one\\ntwo"\n{"n":1.0}\n"same id"'
	stored t envelope=1 | grep -o '"event":"[a-z]*"' | is $'"event":"note"\n"event":"message"\n"event":"message"'
}

@test "a gap at the source is told and not sent, nor are the comings and goings of readers there" {
	serve
	printf 'event: gap\nid: a:5\ndata: {"after":"a:1","oldest":"a:5","reason":"expired"}\n\nevent: join\ndata: {}\n\nid: a:6\ndata: x\n\n' >stream
	run -0 post t -i sse --state state <stream
	[[ $output == *'events are missing at the source: {"after":"a:1"'* ]]
	stored t | is '"x"'
	is a:6 <state
}

@test "with --state an id that comes without an event is kept too, once all before it is accepted" {
	serve
	printf 'id: a:3\n\n' | SSE_URL=$URL sse-post t -i sse --state state
	is a:3 <state
	printf 'id: a:4\ndata: x\n\nid: a:7\n\n: x\n\nid: a:8\n' | SSE_URL=$URL sse-post t -i sse --state state
	is a:7 <state
	# On a stream that goes on, at once.
	mkfifo pipe
	SSE_URL=$URL sse-post t -i sse --state state <pipe 3>&- &
	local pid=$!
	exec 4>pipe
	printf 'data: y\nid: a:9\n\nid: a:10\n\n' >&4
	wait_for grep -q a:10 state
	exec 4>&-
	wait "$pid"
	# What is not accepted holds it back.
	stop
	run -69 bash -c "printf 'id: a:11\ndata: z\n\nid: a:12\n\n' |
		SSE_URL=$URL sse-post t -i sse --state state --retry-max-time 0"
	is a:10 <state
}

@test "with --input sse what is no event stream is refused, 65, and JSON lines hear of --envelopes" {
	serve
	printf '{"data":1}\n{"data":2}\n' >json
	run -65 post t -i sse <json
	[[ $output == "sse-post: the standard input is not an event stream: it has no field like data:; "*"--envelopes"* ]]
	printf '<html>\n<p>data: x</p>\n</html>\n' >html
	run -65 post t -i sse -f html
	[[ $output == "sse-post: html is not an event stream: it has no field like data:" ]]
	# Also while it goes on.
	run -65 bash -c "yes '12:00 a line of a log' | SSE_URL=$URL sse-post t -i sse"
	[ -z "$(stored t)" ]
	# A stream may have nothing but this.
	run -0 post t -i sse <<<': nothing yet'
	run -0 post t -i sse <<<''
	printf '\xef\xbb\xbfdata\n\nnew: field\n\n' >bom
	run -0 post t -i sse <bom
	[ "$(stored t)" = '""' ]
}

@test "with --input sse an event that the end of the input cuts is told and not sent, 65" {
	serve
	run -65 post t -i sse <<<'data: only'
	[ "$output" = "sse-post: the standard input ends within event 1, which is not sent: an empty line ends an event; 0 of 1 events were accepted, event 1 is the first that was not" ]
	[ -z "$(stored t)" ]
	# What comes before it is sent.
	printf 'data: one\nid: a:1\n\nid: a:2\n\nid: a:3\ndata: tw' >part
	run -65 post t -i sse -f part --state state
	[[ $output == "sse-post: part ends within event 2, "*"; 1 of 2 events were accepted, event 2 is the first that was not" ]]
	stored t | is '"one"'
	is a:2 <state
	run --separate-stderr -65 post u -i sse --skip-bad <part
	[[ $stderr == "sse-post: left out: the standard input ends within event 2, "*"sse-post: 1 left out; 1 of 2 events were accepted" ]]
	stored u | is '"one"'
	# Without data there is no event; a CR ends a line too.
	local end
	for end in 'id: b:1\n' 'id: b:1' ': x\n' ': x' 'event: x\n' 'retry: 1\n' 'data: y\r\r' 'data: y\r\n\r'; do
		printf '%b' "data: x\n\n$end" >whole
		run -0 post v -i sse <whole
	done
}

@test "--as form sends NAME=TEXT as a form, for servers that want one" {
	play <<<'answer HTTP/1.1 200 OK@EMPTY'
	run -0 sse-post "$URL/hub" --as form 'topic=https://x/y?z' 'data=a b&c=é'
	has log 'Content-Type: application/x-www-form-urlencoded'
	has log 'topic=https%3A%2F%2Fx%2Fy%3Fz&data=a+b%26c%3D%C3%A9'
	run -64 sse-post --as form 'a:=1'
}

@test "lines that are not JSON where JSON is wanted: the line and what is wrong, 65; --skip-bad goes on" {
	serve
	printf '1\n{"a":\n3\nnull\n' >file
	run -65 post t --as json <file
	[[ $output == "sse-post: line 2 is not JSON: "*"at byte 6; 1 of 4 lines were accepted, line 2 is the first that was not" ]]
	run --separate-stderr -65 post u --as json --skip-bad <file
	[[ $stderr == "sse-post: left out: line 2 is not JSON: "*"sse-post: 1 left out; 3 of 4 lines were accepted" ]]
	stored u | is $'1\n3\nnull'
	run -65 post -q v --as json --skip-bad <file
	[[ $output == "sse-post: 1 left out; 3 of 4 lines were accepted" ]]
}

@test "two ways to give the data, and options that exclude each other, are usage errors that say which" {
	run -64 sse-post -l -0
	[[ $output == *"--lines"*"--null"* ]]
	run -64 sse-post -l -i sse
	run -64 sse-post -l a=1
	run -64 sse-post -f x -d y
	run -64 sse-post --idempotency-key a --idempotency-key-from /n
	run -64 sse-post --idempotency-key-from n
	[[ $output == *"'n' is not a valid JSON pointer"* ]]
	run -64 sse-post --idempotency-key ''
	run -64 sse-post --idempotency-key "$(printf 'a\nb')"
	run -64 sse-post --at-most-once --idempotency-key a
	run -64 sse-post --rate 5/d a=1
	[[ $output == *"50/s"* ]]
	run -64 sse-post --rate 0 a=1
	run -64 sse-post --parallel 0 a=1
	[[ $output == *"1"*"64"* ]]
	run -64 sse-post -i sse --state s --parallel 2
	run -64 sse-post -l --state s
	run -64 sse-post --flush
	[[ $output == *"--spool DIR"* ]]
	run -64 sse-post --spool d --flush a=1
	run -64 sse-post --spool d --flush --spool-status
	run -64 sse-post -H 'Idempotency-Key: x' -l
	run -64 sse-post -H 'Idempotency-Key: x' --idempotency-key y a=1
}

@test "a FIFO that nobody writes to is left when --timeout is over, and is read when somebody does" {
	serve
	mkfifo pipe
	run -75 post t -f pipe --timeout 200ms
	[[ $output == "sse-post: the time of --timeout is up" ]]
	run -75 post t k=@pipe --timeout 200ms
	run -75 post t -d @pipe --timeout 200ms
	run -75 post t -l -f pipe --timeout 200ms
	SSE_URL=$URL sse-post t -f pipe 3>&- 2>said &
	local pid=$! status=0
	wait_for has_open "$pid" pipe
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ "$(cat said)" = 'sse-post: stopped by SIGTERM' ]
	SSE_URL=$URL sse-post t k=@pipe 3>&- &
	pid=$!
	echo value >pipe
	wait "$pid"
	SSE_URL=$URL sse-post t -l -f pipe 3>&- &
	pid=$!
	seq 2 >pipe
	wait "$pid"
	stored t | is $'{"k":"value"}\n1\n2'
}

@test "an empty file sends nothing, and a file without a name is said to be so" {
	serve
	run -0 post t -f /dev/null
	run -0 post t -d @/dev/null
	[ -z "$(stored t)" ]
	run -64 post t x=@
	[[ $output == *"'x=@': the name of the file is empty"* ]]
	run -64 post t -d @
	[ "$output" = 'sse-post: --data: the name of the file after @ is empty' ]
}

@test "with --skip-bad a line longer than 64 MiB is left out, and the lines behind it are sent" {
	serve
	run -65 bash -c "(seq 2; head -c 70000000 /dev/zero | tr '\0' x; echo; seq 4 5) |
		SSE_URL=$URL sse-post t --skip-bad"
	[[ $output == *"left out: line 3 of the standard input is larger than the 64 MiB"*"1 left out; 4 of 5 lines were accepted" ]]
	stored t | is $'1\n2\n4\n5'
}

# --- keys -----------------------------------------------------------------------------------------

@test "--idempotency-key makes a job that is run twice publish once; another event under it is 65" {
	serve
	run -0 post jobs job=backup --idempotency-key backup-1
	run -0 post jobs job=backup --idempotency-key backup-1
	[ "$(stored jobs | wc -l)" -eq 1 ]
	run -65 post jobs job=other --idempotency-key backup-1
	[[ $output == *"409"*"backup-1"* ]]
	run -0 post jobs job=backup -H 'Idempotency-Key: backup-1'
	[ "$(stored jobs | wc -l)" -eq 1 ]
}

@test "--idempotency-key with lines gives each line a key of its own, the same in each run" {
	serve
	run -0 bash -c "seq 300 | SSE_URL=$URL sse-post t --idempotency-key run-1"
	run -0 bash -c "seq 300 | SSE_URL=$URL sse-post t --idempotency-key run-1"
	[ "$(stored t | wc -l)" -eq 300 ]
}

@test "--idempotency-key-from takes the key from the data, so that a file sent twice is there once" {
	serve
	seq -f '{"order":{"id":%.0f,"name":"ü"}}' 300 >orders
	run -0 post t --idempotency-key-from /order/id <orders
	run -0 post t --idempotency-key-from /order/id <orders
	[ "$(stored t | wc -l)" -eq 300 ]
	# What is not printable ASCII is one too.
	run -0 post u -d '{"id":"ü 1%"}' --idempotency-key-from /id
	run -0 post u -d '{"id":"ü 1%"}' --idempotency-key-from /id
	[ "$(stored u | wc -l)" -eq 1 ]
	run -65 bash -c "printf '{\"n\":1}\n{\"m\":2}\n' | SSE_URL=$URL sse-post v --idempotency-key-from /n"
	[[ $output == *"line 2 has no /n for its idempotency key; 1 of 2"* ]]
	run -65 post v -d '{"n":[1]}' --idempotency-key-from /n
	[[ $output == *"a string or a number"* ]]
	run -65 post v -d '{"n":""}' --idempotency-key-from /n
	run -65 post v -d '{"n":"\ud800"}' --idempotency-key-from /n
	[[ $output == *"half of a surrogate pair"* ]]
	run -65 post v -d text --idempotency-key-from /n
	run -65 post v -d "{\"n\":\"$(head -c 300 /dev/zero | tr '\0' x)\"}" --idempotency-key-from /n
	[[ $output == *"300 bytes; it can have 255"* ]]
}

# --- many -----------------------------------------------------------------------------------------

@test "lines that wait go as batches: 20,000 arrive once and in order, types and text too" {
	serve
	seq 20000 >want
	run --separate-stderr -0 post -v t <want
	stored t >got
	cmp got want
	[ "$(grep -c 'a batch of' <<<"$stderr")" -ge 4 ]
	[ "$(grep -c 'POST' <<<"$stderr")" -lt 100 ]
}

@test "a Content-Type of the user's own is that of each line, never of a batch" {
	serve
	run -0 bash -c "seq 300 | SSE_URL=$URL sse-post t -H 'Content-Type: text/plain'"
	[ "$(stored t | wc -l)" -eq 300 ]
}

@test "JSON strings, values on several lines and text keep what they are among lines that go as a batch" {
	serve
	run -0 bash -c "printf '%s\0' 1 '\"a string\"' text '[1,
2]' 'line
text' 2 | SSE_URL=$URL sse-post t -0"
	curl -s "$URL/api/t" | is $'[1,\n"a string",\n"text",\n[1,\n2],\n"line\\ntext",\n2]'
	# Sent singly they are the same under the same keys.
	run -0 bash -c "printf '%s\0' 1 '\"a string\"' text | SSE_URL=$URL sse-post k -0 --idempotency-key j"
	run -0 bash -c "printf '%s\0' 1 '\"a string\"' text | SSE_URL=$URL sse-post k -0 --idempotency-key j --batch never"
	[ "$(stored k | wc -l)" -eq 3 ]
}

@test "a batch that is too large for the server is halved until it fits, and an event that never fits is 65" {
	serve --max-body 2000
	seq 5000 >want
	run -0 post t <want
	stored t | cmp - want
	run -65 bash -c "(seq 3; head -c 3000 /dev/zero | tr '\0' x; echo; seq 5 8) | SSE_URL=$URL sse-post u"
	[[ $output == *"413"*"3 of 8 lines were accepted, line 4 is the first that was not" ]]
	stored u | is $'1\n2\n3'
	run -65 bash -c "(seq 3; head -c 3000 /dev/zero | tr '\0' x; echo; seq 5 8) | SSE_URL=$URL sse-post w --skip-bad"
	stored w | is $'1\n2\n3\n5\n6\n7\n8'
}

@test "a line that the server refuses in the middle of a batch is named, and what is before it is stored" {
	serve
	{
		seq -f '{"firstname":"a","lastname":"%.0f"}' 100
		echo '{"firstname":"bad"}'
		seq -f '{"firstname":"b","lastname":"%.0f"}' 100
	} >file
	run -65 post users <file
	[[ $output == *"users refused the request (400 Bad Request): the field 'lastname' is missing; it must be a string; 100 of 201 lines were accepted, line 101 is the first that was not" ]]
	[ "$(stored users | wc -l)" -eq 100 ]
	run --separate-stderr -65 post users --skip-bad <file
	[[ $stderr == *"left out: line 101: "*"'lastname' is missing"*"1 left out; 200 of 201 lines were accepted" ]]
	[ "$(stored users | wc -l)" -eq 300 ]
}

@test "a key of another event in the middle of a batch is 65 and names the line" {
	serve
	run -0 post t -d '{"n":5,"v":1}' --idempotency-key-from /n
	seq -f '{"n":%.0f,"v":2}' 9 >file
	run -65 post t --idempotency-key-from /n <file
	[[ $output == *"409"*"line 5 is the first that was not" ]]
	[ "$(stored t | wc -l)" -eq 5 ]
}

@test "--parallel sends over several connections; all arrive, the order is given up" {
	serve
	seq 20000 >want
	run -0 post t --parallel 4 <want
	stored t | sort -n | cmp - want
}

@test "--rate sends no more than that in a time" {
	serve
	# Ten events at ten a second are not there before most of a second has passed.
	run -0 bash -c "seq 10 | SSE_URL=$URL sse-post t --rate 10/s -v"
	[ "$(stored t | wc -l)" -eq 10 ]
	local first last
	first=$(stored t envelope=1 | head -n 1 | sed 's/.*"time":"\([^"]*\)".*/\1/')
	last=$(stored t envelope=1 | tail -n 1 | sed 's/.*"time":"\([^"]*\)".*/\1/')
	[ $(($(date -d "$last" +%s%3N) - $(date -d "$first" +%s%3N))) -ge 700 ]
}

@test "progress is shown on a terminal while many are sent for over a second, and not with -q" {
	needs_terminal
	serve
	run -0 env SSE_URL="$URL" script -qec "seq 30 | sse-post t --rate 15/s" /dev/null </dev/null
	[[ $output == *" sent, "*"/s"* ]]
	# At its end it is a summary.
	[[ $output == *"sse-post: 30 events sent in "*"/s)"* ]]
	run -0 env SSE_URL="$URL" script -qec "seq 30 | sse-post t --rate 15/s -q" /dev/null </dev/null
	[ -z "$output" ]
}

@test "a file says how much of it is left" {
	needs_terminal
	serve
	seq 40 >file
	run -0 env SSE_URL="$URL" script -qec "sse-post t --rate 20/s <file" /dev/null </dev/null
	[[ $output == *" % "*" left"* || $output == *" %, "*" left"* ]]
}

@test "two hundred at once against one server: each stored once, no error" {
	serve
	local i pids=() failed=0 many=200
	[ -z "${SANITIZER:-}" ] || many=40
	for i in $(seq $many); do
		SSE_URL=$URL sse-post t "n:=$i" 3>&- 2>>errors &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || failed=$((failed + 1))
	done
	[ "$failed" -eq 0 ] || { cat errors; false; }
	[ ! -s errors ]
	[ "$(stored t | sort -u | wc -l)" -eq $many ]
	[ "$(stored t | wc -l)" -eq $many ]
}

# --- results --------------------------------------------------------------------------------------

@test "-v prints the ids that the server gave, also those of a batch, and which were there already" {
	serve
	run -0 bash -c "seq 3 | SSE_URL=$URL sse-post t -v --idempotency-key k 2>&1"
	[ "$(grep -c 'line [123]: 201, accepted, id ' <<<"$output")" -eq 3 ]
	run -0 bash -c "seq 3 | SSE_URL=$URL sse-post t -v --idempotency-key k 2>&1"
	[ "$(grep -c 'which the server had already' <<<"$output")" -eq 3 ]
}

@test "-o json prints one result line for each event: stored, duplicate, refused, failed" {
	serve
	printf '1\n2\n' >file
	run -0 post t -o json --idempotency-key k <file
	run -0 post t -o json --idempotency-key k <file
	[ "$(grep -c '^{"result":"stored","line":[12],"key":"k:[12]","id":"[^"]*:[12]","duplicate":true}$' <<<"$output")" -eq 2 ]
	run --separate-stderr -65 post users -o json firstname=x
	[[ $output == '{"result":"refused","key":"'*'","reason":"'*lastname*'"}' ]]
	run --separate-stderr -65 bash -c "printf '{}\n{}\n' | SSE_URL=$URL sse-post users -o json"
	[ "$(grep -c '"result":"failed","line":2' <<<"$output")" -eq 1 ] || [ "$(wc -l <<<"$output")" -eq 1 ]
	stop
	run --separate-stderr -75 post t -o json -d x --retry-max-time 1ms
	[[ $output == '{"result":"failed","key":"'*'Connection refused"}' ]]
	run -74 bash -c "SSE_URL=$URL sse-post t -o json -d x --retry-max-time 1ms >/dev/full" || [ "$status" -eq 75 ]
}

@test "results wait for room in a pipe that another process made non-blocking, until a signal" {
	serve
	mkfifo pipe
	exec 4<>pipe
	# It fills the pipe too.
	dd if=/dev/zero bs=4k oflag=nonblock >&4 2>dd.err || true
	seq 3000 >file
	SSE_URL=$URL sse-post t -o json <file >&4 2>err 3>&- 4>&- &
	local pid=$!
	exec 5<pipe 4>&-
	stores() { [ -n "$(stored "$1")" ]; }
	wait_for stores t
	cat <&5 | tr -d '\0' >results
	ended "$pid" 0
	[ "$(grep -c '^{"result":"stored",' results)" -eq 3000 ]
	# Nobody reads.
	exec 4>pipe
	dd if=/dev/zero bs=4k oflag=nonblock >&4 2>dd.err || true
	SSE_URL=$URL sse-post u -o json <file >&4 2>err 3>&- 4>&- 5<&- &
	pid=$!
	wait_for stores u
	kill -TERM "$pid"
	ended "$pid" 143
	exec 4>&- 5<&-
}

@test "results that nobody reads any more end it quietly" {
	serve
	run bash -c "set -o pipefail; seq 100000 | SSE_URL=$URL sse-post t -o json | head -n 1 >first"
	[ -z "$output" ]
	grep -q stored first
}

# --- what ends it ---------------------------------------------------------------------------------

@test "with --timeout and a spool all lines that were read are in the spool, 0" {
	stalls
	run -0 bash -c "seq 10 | sse-post $URL/x --spool spool --timeout 1s"
	[ -z "$output" ]
	grep -oh '"json":[0-9]*' spool/*/*.events | cut -d: -f2 | is "$(seq 10)"
	# But not what may be stored and has no key.
	stalls
	run -75 bash -c "seq 10 | sse-post $URL/x --spool once --timeout 1s --at-most-once"
	[[ $output == *"may or may not have been stored; 0 of 10 lines were accepted, 9 are in the spool, line 1 is the first that was not" ]]
}

@test "SIGTERM, SIGINT and SIGHUP put all lines that were read into the spool, and say so" {
	local signal want pid status
	while read -r signal want; do
		stalls
		rm -rf spool pipe
		mkfifo pipe
		sse-post "$URL/x" --spool spool <pipe 3>&- 2>said &
		pid=$! status=0
		exec 4>pipe
		seq 10 >&4
		wait_for has log 1
		kill "-$signal" "$pid"
		wait "$pid" || status=$?
		exec 4>&-
		[ "$status" -eq "$want" ]
		has said "stopped by SIG$signal; 0 of 10 lines read so far were accepted, 10 are in the spool"
		grep -oh '"json":[0-9]*' spool/*/*.events | cut -d: -f2 | is "$(seq 10)"
	done <<'END'
HUP 129
INT 130
TERM 143
END
}

@test "a single event that a signal stops is said to be in the spool" {
	stalls
	sse-post "$URL/x" --spool spool a=1 3>&- 2>said &
	local pid=$! status=0
	wait_for has log '"a"'
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	has said 'stopped by SIGTERM; the event is in the spool'
}

@test "lines of a file that are neither accepted nor in the spool when time is up: the first is named" {
	stalls
	seq 200000 >file
	run -75 sse-post "$URL/x" --spool spool --timeout 500ms <file
	local spooled=$(($(grep -oh '"json"' spool/*/*.events | wc -l)))
	[[ $output == *"0 of 200000 lines were accepted, $spooled are in the spool, line $((spooled + 1)) is the first that was not" ]]
}

@test "results that cannot be written: 74, and whether the event is stored" {
	serve
	run -74 bash -c "SSE_URL=$URL sse-post t a=1 -o json >/dev/full"
	[[ $output == *"No space left on device; the event was accepted" ]]
	run -74 bash -c "seq 10 | SSE_URL=$URL sse-post t -o json >/dev/full"
	[[ $output == *"1 of 10 lines were accepted, line 2 is the first that was not" ]]
}

@test "a spool is asked again no sooner than the server said in Retry-After" {
	play <<'END'
answer HTTP/1.1 503 No\r\nRetry-After: 4@EMPTY
request
send HTTP/1.1 201 Created@EMPTY
END
	mkfifo pipe
	sse-post "$URL/x" --spool spool --retry-max-time 0 <pipe 3>&- &
	local pid=$! asked
	exec 4>pipe
	asked=$(date +%s%3N)
	echo 1 >&4
	wait_for counts log 'POST ' 2
	[ $(($(date +%s%3N) - asked)) -ge 3500 ]
	exec 4>&-
	wait "$pid"
}

@test "without a usable spool what can be sent is sent; what cannot, with both reasons" {
	serve
	: >file
	run -0 post t n:=1 --spool file
	run -0 bash -c "seq 2 3 | SSE_URL=$URL sse-post t --spool missing/spool"
	[ -z "$output" ]
	stored t | is $'{"n":1}\n2\n3'
	stop
	run -73 post t n:=1 --spool missing/spool --retry-max-time 0
	[[ $output == *"Connection refused; and cannot make the spool missing/spool: No such file"* ]]
	run -73 post t --spool missing/spool --retry-max-time 100ms <<<$'1\n2'
	[[ $output == *"gave up after"*"cannot make the spool"*"line 1 is the first that was not" ]]
}

@test "a state that cannot be written any more: 74, and the first event that was not sent" {
	serve
	printf 'id: %s\ndata: x\n\n' a b c >stream
	# No file may hold anything: as on a full disk, the write fails.
	run -74 bash -c "trap '' XFSZ; ulimit -f 0; SSE_URL=$URL exec sse-post t -i sse --state state <stream"
	[[ $output == *"state"*"File too large; 1 of "*"event 2 is the first that was not" ]] || { echo "$output"; false; }
}

# --- cron, secrets --------------------------------------------------------------------------------

@test "from cron, with an empty environment, no terminal and no input, it is silent and does not hang" {
	serve
	local post setsid
	post=$(command -v sse-post)
	setsid=$(command -v setsid)
	run --separate-stderr -0 env -i SSE_URL="$URL" "$setsid" "$post" t a=1 </dev/null
	[ -z "$output$stderr" ]
	run --separate-stderr -0 env -i SSE_URL="$URL" PATH= HOME= "$setsid" "$post" t -d x --timeout 1m </dev/null
	[ -z "$output$stderr" ]
	# Nothing to send is no error, and nothing hangs.
	run --separate-stderr -0 env -i SSE_URL="$URL" "$setsid" "$post" t </dev/null
	run --separate-stderr -0 env -i SSE_URL="$URL" "$setsid" "$post" t -l </dev/null
	run --separate-stderr -0 env -i SSE_URL="$URL" "$setsid" "$post" t -s </dev/null
	run --separate-stderr -0 bash -c "exec env -i SSE_URL='$URL' $setsid $post t -E <&-"
	run --separate-stderr -0 env -i SSE_URL="$URL" "$setsid" "$post" t -i sse </dev/null
	[ -z "$output$stderr" ]
	[ "$(stored t | wc -l)" -eq 2 ]
	stop
	run --separate-stderr -69 env -i SSE_URL="$URL" "$setsid" "$post" t a=1 --retry-max-time 0 </dev/null
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "a pipe that stays open behind data that was given as arguments is not read" {
	serve
	mkfifo pipe
	exec 4<>pipe
	run -0 post t a=1 <pipe
	run -0 post t -d x <pipe
	exec 4>&-
}

@test "no secret is in the list of processes, in -vv, or in an error" {
	serve
	mkfifo pipe
	SSE_URL=$URL sse-post t -vv -u me:hidden1 -H 'X-Api-Key: hidden2' -b 'sid=hidden3' <pipe 3>&- 2>said &
	local pid=$!
	exec 4>pipe
	echo one >&4
	wait_for has said 'accepted'
	tr '\0' ' ' <"/proc/$pid/cmdline" >shown
	run ! grep -q hidden shown
	exec 4>&-
	wait "$pid"
	run ! grep -q hidden said
	stop
	run -69 post "${URL/\/\////me:hidden4@}/x?token=hidden5" -d x --retry-max-time 0 --oauth2-bearer hidden6
	[[ $output != *hidden* ]]
}

# --- other servers --------------------------------------------------------------------------------

# other STATUS: a server that is no sse-serve, and takes what comes one after another.
other() {
	local i
	for i in $(seq 20); do
		printf 'request\nsend HTTP/1.1 %s\\r\\nContent-Length: 2\\r\\n\\r\\nok\n' "$1"
	done | cat <(echo accept) - >others
	play <others
}

@test "another server gets one request a line, and never a batch that it might take for one event" {
	other '200 OK'
	run -0 bash -c "seq 10 | sse-post $URL/hook"
	[ "$(grep -c '^POST /hook HTTP/1.1' log)" -eq 10 ]
	run ! has log ndjson
}

@test "a server that is told to take batches and does not is told of, 76, or gets one request a line" {
	other '200 OK'
	run -76 bash -c "seq 10 | sse-post $URL/hook --batch always"
	[[ $output == *"reported on 1"*"--batch never"*"; all 10 lines were accepted" ]]
	echo 'answer HTTP/1.1 415 No@EMPTY' >singly
	for _ in 1 2 3 4 5; do
		printf '%s\n' request 'send HTTP/1.1 200 OK@EMPTY' >>singly
	done
	play <singly
	run -0 bash -c "seq 5 | sse-post $URL/x --batch always"
	[ "$(grep -c '^POST ' log)" -eq 6 ]
}

@test "with --batch always a server that accepts without results has all of the batch, 0" {
	play <<<'answer HTTP/1.1 202 Accepted@EMPTY'
	run -0 bash -c "seq 3 | sse-post $URL/x --batch always -o json"
	[ "$(grep -c '^{"result":"accepted","line":[123],"key":"[^"]*","duplicate":false}$' <<<"$output")" -eq 3 ]
}

@test "-o json says accepted, and not stored, of a 202 and of a method that stores nothing" {
	other '202 Accepted'
	run -0 sse-post "$URL/x" a=1 -o json
	[[ $output == '{"result":"accepted",'* ]]
	other '200 OK'
	run -0 sse-post "$URL/x" a=1 -o json -X OPTIONS
	[[ $output == '{"result":"accepted",'* ]]
	other '200 OK'
	run -0 sse-post "$URL/x" a=1 -o json
	[[ $output == '{"result":"stored",'* ]]
}

@test "a status that HTTP does not have is 76, with a spool too; an empty SSE_SPOOL is none" {
	other '999 What'
	run -76 sse-post "$URL/x" a=1
	other '999 What'
	run -76 sse-post "$URL/x" a=1 --spool spool
	[ -z "$(find spool -name '*.events')" ]
	other '200 OK'
	SSE_SPOOL='' run -0 sse-post "$URL/x" a=1
	run -64 sse-post "$URL/x" a=1 --spool ''
}

@test "--request PUT, with headers, posts to anything that takes HTTP" {
	other '204 No Content'
	run -0 sse-post "$URL/item/7" -X PUT -H 'Title: hello' -d body
	has log 'PUT /item/7 HTTP/1.1'
	has log 'Title: hello'
}

@test "a header that holds a secret does not follow a redirect to another host" {
	play <<<'answer HTTP/1.1 200 OK@EMPTY'
	set_aside
	play <<<"answer HTTP/1.1 307 Go\r\nLocation: http://localhost:${ELSEWHERE##*:}/y@EMPTY"
	run -0 sse-post "$URL/x" -H 'X-Api-Key: hidden' -H 'Title: shown' -d data
	has log hidden
	has elsewhere.log 'Title: shown'
	run ! has elsewhere.log hidden
}

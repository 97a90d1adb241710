#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The spool of sse-post: what cannot be sent now is kept, and sent later, in order and once.
# shellcheck disable=SC2154,SC2119,SC2030,SC2031,SC2016,SC2046 # names without blanks

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=60s SSE_SPOOL=$PWD/spool
}

teardown() {
	chmod -R u+w spool 2>/dev/null || true
	serve_teardown
}

# place: URL and PORT of a server that is down.
place() {
	serve
	stop
	rm -f events.db*
}

# waiting: the files of events that wait.
waiting() {
	find spool -name '*.events' -not -path '*/failed/*' | sort
}

@test "with the server down an event goes into the spool at once, silently, with exit 0; the next run sends it first" {
	place
	run --separate-stderr -0 post t n:=1
	[ -z "$output$stderr" ]
	seq 2 5 >file
	run -0 post t <file
	[ "$(waiting | wc -l)" -eq 2 ]
	serve_at "$PORT"
	run --separate-stderr -0 post t n:=6
	[ -z "$output$stderr" ]
	stored t | is $'{"n":1}\n2\n3\n4\n5\n{"n":6}'
	[ -z "$(waiting)" ]
}

@test "--flush sends what waits, for all URLs or the one given, and no new event" {
	place
	run -0 post a n:=1
	run -0 post b n:=2
	run -69 post --flush --retry-max-time 0
	[[ $output == *"cannot connect"* ]]
	serve_at "$PORT"
	run -0 post b --flush
	stored b | is '{"n":2}'
	[ -z "$(stored a)" ]
	run -0 post --flush
	stored a | is '{"n":1}'
	run -0 post --flush
	[ -z "$output" ]
}

@test "--flush -o json tells of each event what became of it" {
	place
	run -0 post t --idempotency-key k-1 n:=1
	run -0 post users --idempotency-key k-2 firstname=John
	seq 3 4 >file
	run -0 post t <file
	serve_at "$PORT"
	run --separate-stderr -65 post --flush -o json
	jq -c '[.result, .key == "k-1" or .key == "k-2", .line, .duplicate, (.reason // "" | length > 0)]' \
		<<<"$output" | sort | is '["refused",true,null,null,true]
["stored",false,null,false,false]
["stored",false,null,false,false]
["stored",true,null,false,false]'
	run --separate-stderr -0 post --flush -o json
	[ -z "$output" ]
}

@test "a reader of --flush -o json that is full is told of, and the events are sent all the same" {
	place
	run -0 post t n:=1
	serve_at "$PORT"
	run -74 bash -c 'sse-post --flush -o json >/dev/full'
	[[ $output == *"cannot write to the standard output: No space left on device"* ]]
	stored t | is '{"n":1}'
}

@test "a file of the spool can be read by a person, and holds type, key, text and JSON with its digits" {
	place
	run -0 post t -e note --idempotency-key k-1 -d '{"n":1.10}'
	run -0 post t -d 'two
lines'
	run -0 post t -d '"a string"'
	run -0 post t -d '[1,
2]'
	run -0 post t --as form -d a=b
	cat "$(waiting | head -n 1)" >first
	head -n 1 first | is 'sse-post spool 1'
	grep -qx "url: http://localhost:$PORT/api/t" first
	grep -qE '^spooled: 20[0-9-]*T[0-9:.]*Z$' first
	grep -q '^reason: cannot connect' first
	grep -qx 'events: 1' first
	tail -n 1 first | is '{"key":"k-1","event":"note","json":{"n":1.10}}'
	serve_at "$PORT"
	run -65 post --flush
	[[ $output == *"1 set aside"*"x-www-form"* ]]
	curl -s "$URL/api/t" | is $'[{"n":1.10},\n"two\\nlines",\n"a string",\n[1,\n2]]'
}

@test "--spool-status tells count, size and age for each URL, also as JSON" {
	place
	run -0 post --spool-status
	[ -z "$output" ]
	seq 3 >file
	run -0 post a <file
	run -0 post b n:=2
	run -0 post --spool-status
	[[ $output == "http://localhost:$PORT/api/a: 3 events, "*" bytes, the oldest for "*$'\n'"http://localhost:$PORT/api/b: 1 event, "* ]]
	run -0 post a --spool-status -o json
	[[ $output == '{"url":"http://localhost:'"$PORT"'/api/a","events":3,"bytes":'*',"failed":0,"oldest":"20'*'Z","age":'*'}' ]]
}

@test "an event that is refused goes to failed/ with the reason, and the others go on; moved back it is tried again" {
	place
	run -0 post users firstname=a lastname=b
	run -0 post users firstname=only
	run -0 post users firstname=c lastname=d
	serve_at "$PORT"
	run --separate-stderr -0 post users firstname=e lastname=f
	[[ $stderr == "sse-post: from the spool, set aside: "*"/failed/"*"lastname"* ]]
	[ "$(stored users | wc -l)" -eq 3 ]
	[ -z "$(waiting)" ]
	run -0 post --spool-status
	[[ $output == *": 0 events, 0 bytes; 1 refused, in failed/" ]]
	local failed
	failed=$(echo spool/*/failed/*.events)
	grep -q "^reason: .*'lastname' is missing" "$failed"
	sed -i 's/"firstname":"only"/&,"lastname":"now"/' "$failed"
	mv "$failed" spool/*/
	run -0 post --flush
	stored users | tail -n 1 | is '{"firstname":"only","lastname":"now"}'
}

@test "credentials are not written into the spool, and go to no other host" {
	place
	run -0 post "${URL/\/\////me:hidden1@}/api/t?_token=hidden2" -d x -u u:hidden3 -H 'X-Api-Key: hidden4' -b 'sid=hidden5'
	run ! grep -rq hidden spool
	grep -rq '_token=\.\.\.' spool
	run -64 post --flush
	[[ $output == *"give the whole URL"* ]]
	serve_at "$PORT"
	run -0 post "${URL/\/\////me:hidden1@}/api/t?_token=hidden2" --flush
	stored t | is '"x"'
	stop
	run -0 post t n:=1
	run -0 sse-post "http://127.0.0.2:$PORT/api/t" n:=1
	run -64 post --flush -u u:hidden
	[[ $output == *"give the URL"* && $output != *hidden* ]]
}

@test "at the cap by count or size an event is refused with a clear word, and what is there stays" {
	place
	run -0 post t n:=1
	run -0 post t n:=2
	run -69 post t n:=3 --spool-max 2 --retry-max-time 0
	[[ $output == *"cannot connect"*"the spool is full: 2 events wait for this URL, and --spool-max allows 2" ]] ||
		[[ $output == *"the spool is full: 2 events wait"* ]]
	run -69 post t n:=3 --spool-max-size 100 --retry-max-time 0
	[[ $output == *"--spool-max-size allows 100"* ]]
	[ "$(waiting | wc -l)" -eq 2 ]
	# A count that a kill left too high is counted again.
	printf 'next %016d events %016d bytes %016d\n' 3 999999999 999999999 >spool/*/lock
	run -0 post t n:=3
	[ "$(waiting | wc -l)" -eq 3 ]
}

@test "what is read fills the spool up to its cap, and the first line that is in neither place is named" {
	place
	seq 10 >file
	run -69 post t --spool-max 3 --retry-max-time 0 <file
	[[ $output == *"cannot connect"*"the spool is full: 3 events wait for this URL, and --spool-max allows 3; 0 of "*" accepted, 3 are in the spool, line 4 is the first that was not" ]]
	run -69 post t n:=1 --spool-max 1 --retry-max-time 0
	[[ $output == *"3 events wait"*"--spool-max allows 1" ]]
	serve_at "$PORT"
	run -0 post t --flush
	stored t | is $'1\n2\n3'
	stop
	# A file of one event is about 200 bytes.
	run -69 post u --spool-max-size 400 --retry-max-time 0 <file
	[[ $output == *"bytes wait for this URL, and --spool-max-size allows 400"* ]]
	local kept there
	kept=$(sed -n 's/.*accepted, \([0-9]*\) are in the spool, line \([0-9]*\) .*/\1 \2/p' <<<"$output")
	grep -h '^{' $(waiting) >lines
	there=$(wc -l <lines)
	[ "$there $((there + 1))" = "$kept" ]
}

@test "what waited longer than --spool-max-age is put aside, not sent; a clock that was set back makes nothing old" {
	place
	run -0 post t n:=1
	run -0 post t n:=2
	run -0 post t n:=3
	sed -i 's/^spooled: .*/spooled: 2020-01-01T00:00:00.000Z/' "$(waiting | head -n 1)"
	sed -i 's/^spooled: .*/spooled: 2999-01-01T00:00:00.000Z/' "$(waiting | sed -n 2p)"
	serve_at "$PORT"
	run -65 post --flush --spool-max-age 1d
	[[ $output == *"1 set aside"*"longer than --spool-max-age, 1d" ]]
	stored t | is $'{"n":2}\n{"n":3}'
	[ "$(find spool -path '*/failed/*.events' | wc -l)" -eq 1 ]
}

@test "each file that is damaged is put aside and named by where it is now, with the reason beside it, the others are sent" {
	place
	run -0 post t n:=1
	run -0 post t n:=2
	run -0 post t n:=3
	truncate -s 40 "$(waiting | head -n 1)"
	echo no >"$(waiting | sed -n 2p)"
	serve_at "$PORT"
	run -65 post --flush
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == *"from the spool, set aside: /"*"/failed/0000000000000001.1.events: it is cut off"* ]]
	[[ ${lines[1]} == *"2 set aside; the last: /"*"/failed/0000000000000002.1.events: it is not a spool file" ]]
	is 'reason: it is not a spool file' <"$(echo spool/*/failed/0000000000000002.1.events.reason)"
	grep -q '^reason: it is cut off' spool/*/failed/0000000000000001.1.events.reason
	stored t | is '{"n":3}'
}

@test "a file of a later version stays where it is, 74, with what is behind it, and is no loss" {
	place
	run -0 post t n:=1
	run -0 post t n:=2
	run -0 post t n:=3
	sed -i '1s/1$/2/' "$(waiting | sed -n 2p)"
	serve_at "$PORT"
	run -74 post --flush
	[[ $output == *"0000000000000002.1.events: its version is 2; this sse-post knows version 1" ]]
	stored t | is '{"n":1}'
	[ "$(waiting | wc -l)" -eq 2 ]
	[ -z "$(find spool -name failed)" ]
	sed -i '1s/2$/1/' "$(waiting | head -n 1)"
	run -0 post --flush
	stored t | is $'{"n":1}\n{"n":2}\n{"n":3}'
}

@test "what was put aside before is never replaced: three refusals are three files, whole files too" {
	local i
	place
	for i in 1 2 3; do
		run -0 post users x=bad$i
		serve_at "$PORT"
		run -65 post --flush
		stop
	done
	cat spool/*/failed/*.events | grep -c '"x":"bad' | is 3
	# Also if the numbers begin again.
	for i in 4 5; do
		rm -f spool/*/lock
		run -0 post users x=bad$i
		truncate -s 40 "$(waiting)"
		serve_at "$PORT"
		run -65 post --flush
		stop
	done
	[ "$(find spool -path '*/failed/*.events' | wc -l)" -eq 5 ]
	run -0 post --spool-status
	[[ $output == *": 0 events, 0 bytes; 5 refused, in failed/" ]]
}

@test "a FIFO, a symlink or a folder named like a file of the spool holds nothing up and is put aside with a word" {
	place
	run -0 post t n:=1
	run -0 post t n:=4
	local queue
	queue=$(dirname "$(waiting | head -n 1)")
	mkfifo "$queue/0000000000000000.1.events" "$queue/new"
	ln -s /dev/zero "$queue/0000000000000003.1.events"
	mkdir "$queue/0000000000000004.1.events"
	run -0 timeout 10 env SSE_URL="$URL" sse-post --spool-status
	serve_at "$PORT"
	run -65 timeout 10 env SSE_URL="$URL" sse-post --flush
	[ "$(grep -c 'it is not a regular file' <<<"$output")" -eq 3 ]
	stored t | is $'{"n":1}\n{"n":4}'
	[ -p "$queue/failed/0000000000000000.1.events" ]
}

@test "JSON that is as deep as it may be goes through the spool, alone, in a file with others, and in an envelope" {
	place
	local deep
	deep=$(printf '[%.0s' {1..200})$(printf ']%.0s' {1..200})
	run -0 post t -d "$deep"
	printf '1\n%s\n2\n' "$deep" >file
	run -0 post t <file
	printf '{"data":%s}\n' "$deep" >file
	run -0 post t -E <file
	serve_at "$PORT"
	run -0 post --flush
	[ "$(stored t | wc -l)" -eq 5 ]
	[ "$(stored t | grep -cxF "$deep")" -eq 3 ]
	stop
	printf '{"data":[%s]}\n' "$deep" >file
	run -65 post t -E <file
}

@test "a line of a file that is damaged goes aside by itself, as it is, and its neighbours are sent" {
	place
	seq 5 >file
	run -0 post t <file
	sed -i -e 's/"json":2}/"json":2/' -e 's/"json":4}/"json":04}/' "$(waiting | tail -n 1)"
	serve_at "$PORT"
	run -65 post --flush
	[[ $output == *"/failed/0000000000000002.2.events: they cannot be read as events" ]]
	stored t | is $'1\n3\n5'
	grep -cE '"json":(2|04})$' spool/*/failed/0000000000000002.2.events | is 2
	[ -z "$(waiting)" ]
}

# resetting: a server that takes three requests and answers none.
resetting() {
	printf '%s\n' accept request reset accept request reset accept request reset >resets
	play <resets
}

@test "an event of --at-most-once is sent from the spool one time: unanswered, it goes to failed/ and is told" {
	resetting
	run -0 sse-post "$URL/x" -d once --at-most-once --unix-socket "$PWD/none"
	run -75 sse-post "$URL/x" --flush
	[[ $output == *"from the spool, set aside: "*"/failed/0000000000000001-1.1.events: "*"may or may not have been stored"* ]]
	[ -z "$(waiting)" ]
	run -0 sse-post --flush
	[ "$(grep -c ^POST log)" -eq 1 ]
}

@test "an event of --at-most-once whose run was killed while it was sent goes to failed/, not out again" {
	local code=0
	stalls
	run -0 sse-post "$URL/x" -d x --at-most-once --unix-socket "$PWD/none"
	sse-post "$URL/x" --flush 3>&- &
	wait_for has log POST
	kill -KILL $!
	# Not by run: another shell has no such child.
	wait $! || code=$?
	[ "$code" -eq 137 ]
	run -65 sse-post "$URL/x" --flush
	[[ $output == *"1 set aside"*"may or may not have been stored" ]]
	[ -z "$(waiting)" ]
}

@test "an event of --at-most-once waits in the spool while the server is away, and is stored once" {
	place
	run -0 post t n:=1 --at-most-once
	run -0 post t n:=2
	run -0 post t n:=3 --at-most-once
	run -69 post t --flush --retry-max-time 0
	serve_at "$PORT"
	run -0 post t --flush
	stored t | is $'{"n":1}\n{"n":2}\n{"n":3}'
	[ -z "$(find spool -name sending)" ]
}

@test "--flush --at-most-once takes no event with a key out of the spool that the server did not answer" {
	resetting
	run -0 sse-post "$URL/x" -d x --unix-socket "$PWD/none"
	run -75 sse-post "$URL/x" --flush --at-most-once --retry-max-time 0
	[ "$(waiting | wc -l)" -eq 1 ]
	[ -z "$(find spool -name '*.events' -path '*/failed/*')" ]
}

@test "a queue whose file url is missing, empty or cut off is flushed all the same; one that cannot be told is named, 74" {
	place
	run -0 post t n:=1
	rm spool/*/url
	run -0 post --spool-status
	[[ $output == "http://localhost:$PORT/api/t: 1 event, "* ]]
	serve_at "$PORT"
	run -0 post --flush
	stored t | is '{"n":1}'
	stop
	run -0 post t n:=2
	: >"$(echo spool/*/url)"
	run -0 post t n:=3
	truncate -s 20 spool/*/url
	mkdir spool/other
	cp "$(waiting | head -n 1)" spool/other
	serve_at "$PORT"
	run -74 post --flush
	[[ $output == *"events wait in "*"/spool/other, and neither its file url nor the events name a URL that is its own" ]]
	stored t | is $'{"n":1}\n{"n":2}\n{"n":3}'
	run -74 post --spool-status
}

@test "lines of a pipe that the server refuses are in failed/ with the reason, with and without --skip-bad" {
	serve
	printf '%s\n' '{"firstname":"a","lastname":"b"}' '{"firstname":"c"}' '{"firstname":"d","lastname":"e"}' '{"x":1}' >file
	run -65 post users --skip-bad <file
	[ "$(find spool -path '*/failed/*.1.events' | wc -l)" -eq 2 ]
	grep -q "^reason: .*'lastname' is missing" $(grep -l '"firstname":"c"' spool/*/failed/*)
	run -65 post users <file
	[ "$(find spool -path '*/failed/*.1.events' | wc -l)" -eq 3 ]
	[ -z "$(waiting)" ]
}

@test "--flush over several URLs has a line for each that fails" {
	place
	run -0 post a n:=1
	run -0 post b n:=2
	run -69 post --flush --retry-max-time 0
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == *"/api/a"* && ${lines[1]} == *"/api/b"* ]]
	run -69 post --flush --retry-max-time 0 -q
	[ "${#lines[@]}" -eq 1 ]
}

@test "--rate holds for what comes from the spool: from many files and from one, until --timeout" {
	place
	local begin
	seq 8 >file
	run -0 post t <file
	run -0 post t n:=9
	serve_at "$PORT"
	begin=$(date +%s%N)
	run -75 post t --flush --rate 10/s --timeout 350ms
	[[ $output == *"the time of --timeout is up"* ]]
	[ "$(stored t | wc -l)" -lt 6 ]
	run -0 post t --flush --rate 10/s
	run -0 post t --rate 10/s -d 10
	[ $(($(date +%s%N) - begin)) -gt 700000000 ]
	stored t | is $'1\n2\n3\n4\n5\n6\n7\n8\n{"n":9}\n10'
}

@test "what a killed run left behind does not stand in the way" {
	place
	run -0 post t n:=1
	# It was killed while it wrote its file, and before the lock said what is there.
	echo half >"$(dirname "$(waiting)")/new"
	: >"$(dirname "$(waiting)")/lock"
	run -0 post t n:=2
	serve_at "$PORT"
	run -0 post t n:=3
	stored t | is $'{"n":1}\n{"n":2}\n{"n":3}'
}

@test "a run that is killed between the answer and the removal makes no second event" {
	place
	run -0 post t n:=1
	cp "$(waiting)" kept
	local name
	name=$(waiting)
	serve_at "$PORT"
	run -0 post --flush
	cp kept "$name"
	run -0 post --flush
	stored t | is '{"n":1}'
}

@test "the time for retries passes before a server that answers 503 is given up, then it is the spool" {
	play <<'END'
answer HTTP/1.1 503 Busy@EMPTY
request
send HTTP/1.1 503 Busy@EMPTY
hold
END
	run -0 sse-post "$URL/x" -d x --retry-max-time 10ms
	grep -q 'reason: gave up after 10ms: .*503' "$(waiting)"
}

@test "a request whose answer was cut off is in the spool with its key, and there once" {
	play <<<$'accept\nrequest\nreset'
	run -0 sse-post "$URL/x" -d x --retry-max-time 0
	local key
	key=$(sed -n 's/^Idempotency-Key: \([^\r]*\).*/\1/p' log)
	grep -q "\"key\":\"$key\"" "$(waiting)"
}

@test "what is definitely refused is told and not spooled: 65, 69" {
	serve
	run -65 post users firstname=x
	[ -z "$(waiting)" ]
	play <<<'answer HTTP/1.1 404 No@EMPTY'
	run -69 sse-post "$URL/x" -d x
	[ -z "$(waiting)" ]
}

@test "a refusal counts only while what it was about waits: later events are spooled all the same" {
	play <<'END'
answer HTTP/1.1 503 Away@EMPTY
answer HTTP/1.1 404 No@EMPTY
answer HTTP/1.1 503 Away@EMPTY
END
	mkfifo pipe
	sse-post "$URL/x" -v --retry-max-time 0 <pipe 3>&- 2>said &
	local pid=$! status=0
	exec 4>pipe
	echo one >&4
	# After a pause it is tried again, and refused.
	wait_for has said 'the events in the spool stay there'
	# Someone else takes it away.
	rm $(waiting)
	echo two >&4
	wait_for eval '[ -n "$(waiting)" ]'
	echo three >&4
	exec 4>&-
	wait "$pid" || status=$?
	[ "$status" -eq 0 ]
	grep -oh '"text":"[a-z]*"' $(waiting) | is '"text":"two"
"text":"three"'
}

@test "with --timeout the event that a server does not answer is in the spool when time is up, exit 0" {
	stalls
	run -0 sse-post "$URL/x" -d x --timeout 300ms
	[ "$(waiting | wc -l)" -eq 1 ]
}

@test "SIGTERM puts what was read from a pipe and is not sent into the spool" {
	stalls
	mkfifo pipe
	sse-post "$URL/x" <pipe 3>&- 2>said &
	local pid=$! status=0
	exec 4>pipe
	printf 'one\ntwo\n' >&4
	wait_for has log one
	kill -TERM "$pid"
	wait "$pid" || status=$?
	exec 4>&-
	[ "$status" -eq 143 ]
	grep -oh '"text":"[a-z]*"' $(waiting) | head -n 1 | is '"text":"one"'
	has said 'in the spool'
}

@test "a pipe goes on while the server is down, and what it gave is sent when the server is back, without a further line" {
	place
	mkfifo pipe
	SSE_URL=$URL sse-post t <pipe 3>&- 2>said &
	local pid=$!
	exec 4>pipe
	printf '1\n2\n' >&4
	wait_for eval '[ -n "$(waiting 2>/dev/null)" ]'
	printf '3\n' >&4
	wait_for eval 'grep -qs "\"json\":3" $(waiting)'
	serve_at "$PORT"
	wait_for eval '[ -z "$(waiting)" ]'
	printf '4\n' >&4
	exec 4>&-
	wait "$pid"
	stored t | is $'1\n2\n3\n4'
	[ ! -s said ]
}

# at_terminal COMMAND: run it in a terminal.
at_terminal() {
	run -0 env SSE_URL="$URL" script -qec "$1" /dev/null </dev/null
}

@test "a terminal is told that an event went to the spool, what was sent from it, and that it is empty" {
	needs_terminal
	place
	at_terminal "sse-post t n:=1"
	[[ $output == *"Connection refused; 1 event is in the spool, for the next run or --flush to send"* ]]
	seq 3 >file
	at_terminal "sse-post t -l -f file"
	[[ $output == *"3 events are in the spool"* ]]
	at_terminal "sse-post t n:=2 -q"
	[ -z "$output" ]
	serve_at "$PORT"
	at_terminal "sse-post --flush"
	[[ $output == *"sse-post: 5 events of the spool sent to $URL/api/t"* ]]
	at_terminal "sse-post --flush"
	[[ $output == *"sse-post: no event waits in the spool $SSE_SPOOL"* ]]
	at_terminal "sse-post --flush t"
	[[ $output == *"sse-post: no event waits in the spool for $URL/api/t"* ]]
	at_terminal "sse-post --spool-status"
	[[ $output == *"sse-post: no event waits in the spool $SSE_SPOOL"* ]]
	at_terminal "sse-post --spool-status -q"
	[ -z "$output" ]
}

@test "progress is shown while what waits in the spool is sent and not answered" {
	script -qec true /dev/null >/dev/null 2>&1 || skip "script(1) of util-linux is not there"
	printf '%s\n' accept request stall >script
	"$TOOLS/scripted_server" script log >port 3>&- &
	OTHERS+=($!)
	wait_for test -s port
	URL=http://127.0.0.1:$(cat port)/x
	run -0 sse-post "$URL" -d waits --unix-socket "$PWD/none"
	run -0 env TERM=xterm script -qec "seq 3 | sse-post $URL --timeout 2s" /dev/null </dev/null
	[[ $output == *"0 sent"* ]]
	[ "$(grep -c ^POST log)" -eq 1 ]
	grep -oh '"text":"waits"\|"json":[0-9]' $(waiting) | is $'"text":"waits"\n"json":1\n"json":2\n"json":3'
}

@test "two hundred at once with the server down: all are in the spool, then stored once, in order of their files" {
	place
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
	grep -h '^{' $(waiting) | sed 's/.*"json"://; s/}$//' >want
	[ "$(wc -l <want)" -eq $many ]
	serve_at "$PORT"
	run -0 post --flush
	stored t | cmp - want
}

@test "two hundred at once that find a spool and a server: one delivers, the others leave it theirs, all is stored once" {
	place
	local i pids=() failed=0 many=200
	[ -z "${SANITIZER:-}" ] || many=40
	run -0 bash -c "seq 1000 1300 | SSE_URL=$URL sse-post t"
	serve_at "$PORT"
	for i in $(seq $many); do
		SSE_URL=$URL sse-post t -d "$i" 3>&- 2>>errors &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || failed=$((failed + 1))
	done
	[ "$failed" -eq 0 ] || { cat errors; false; }
	run -0 post --flush
	[ -z "$(waiting)" ]
	stored t | head -n 301 | cmp - <(seq 1000 1300)
	stored t | tail -n +302 | sort -n | cmp - <(seq $many)
}

@test "a spool on a disk that is full is said to be so, 74, and holds no half of an event" {
	place
	run -0 post t n:=1
	# No file may be larger than a block: as on a full disk, the write fails.
	head -c 100000 /dev/zero | tr '\0' x >large
	run -74 bash -c "trap '' XFSZ; ulimit -f 8; exec env SSE_URL=$URL sse-post t -d @large --retry-max-time 0"
	[[ $output == *"cannot connect"*"cannot store events in the spool"*"File too large"* ]]
	[ "$(waiting | wc -l)" -eq 1 ]
	[ "$(find spool -name new)" = '' ]
}

@test "a spool that cannot be made is said to be so, 73, where it is needed" {
	place
	export SSE_RETRY_MAX_TIME=0
	run -73 post t n:=1 --spool missing/spool
	[[ $output == *"cannot make the spool missing/spool: No such file"* ]]
	: >file
	run -73 post t n:=1 --spool file
	needs_drop
	mkdir readonly
	chmod 555 readonly
	run -73 drop env SSE_URL="$URL" "$BIN/sse-post" t n:=1 --spool "$PWD/readonly"
	[[ $output == *"cannot make the spool $PWD/readonly/"*"Permission denied"* ]]
	run -73 drop env SSE_URL="$URL" "$BIN/sse-post" t n:=1 --spool "$PWD/readonly/spool"
	[[ $output == *"cannot make the spool $PWD/readonly/spool: Permission denied"* ]]
}

@test "a spool is for its user alone, and one of a group's folder is the group's" {
	place
	(
		umask 077
		run -0 post t n:=1
	)
	[ "$(stat -c %a spool)" = 700 ]
	[ "$(stat -c %a "$(waiting)")" = 600 ]
	[ "$(id -u)" -eq 0 ] || skip 'it takes two users'
	needs_drop
	run -73 drop env SSE_URL="$URL" "$BIN/sse-post" t n:=2 --retry-max-time 0
	[[ $output == *"Permission denied"* ]]
	mkdir group
	chgrp 65534 group
	chmod 2770 group
	run -0 post t n:=1 --spool group
	run -0 drop env SSE_URL="$URL" "$BIN/sse-post" t n:=2 --spool "$PWD/group"
	serve_at "$PORT"
	run -0 drop env SSE_URL="$URL" "$BIN/sse-post" t n:=3 --spool "$PWD/group"
	stored t | is $'{"n":1}\n{"n":2}\n{"n":3}'
}

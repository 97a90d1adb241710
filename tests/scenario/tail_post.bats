#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-tail --post: events that go on to another HTTP server.

load client_helpers

KEY=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
NEWER=whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g

# receiver [ANSWER...]: start a receiver of webhooks (receiver.mjs has the answers), which logs into
# received; TO is its URL, RECEIVER its process.
receiver() {
	: >received
	receiver_at 0 "$@"
}

# receiver_at PORT [ANSWER...]: the same on a port, and the log goes on.
receiver_at() {
	local port=$1
	shift
	rm -f receiver.port
	node "$BATS_TEST_DIRNAME/receiver.mjs" "$port" received $KEY $NEWER -- "$@" >receiver.err 2>&1 3>&- 4>&- &
	RECEIVER=$!
	wait_for test -s receiver.port
	TO=http://127.0.0.1:$(cat receiver.port)/in
}

# got FILTER TEXT: is that what jq makes of the log?
got() {
	jq -r "$1" received | is "$2"
}

# numbers LAST: the text of a script for the events 1 to LAST, which have their numbers as ids and data.
numbers() {
	seq "$1" | sed 's/.*/id: &\\ndata: &\\n\\n/' | tr -d '\n'
	echo
}

# --- what is sent ---------------------------------------------------------------------------------

@test "--post sends each event, in order, with its data, type and id, and then moves the state" {
	receiver
	ended_stream <<'END'
id: t:1\ndata: {"n": 1.0}\n\nid: t:2\nevent: chat.msg\ndata: one\ndata: två\n\nid: t:3\nevent: a b%\ndata:\n\n
END
	run -0 sse-tail "$URL/x?token=s3cret" --post "$TO?a=b" --state state
	[ -z "$output" ]
	[ "$(cat state)" = t:3 ]
	got '[.method, .url, .data, .headers["content-type"]] | join("|")' "POST|/in?a=b|{\"n\": 1.0}|application/json
POST|/in?a=b|one
två|text/plain; charset=utf-8
POST|/in?a=b||text/plain; charset=utf-8"
	got '[.id, .headers["idempotency-key"], .headers["sse-msg-id"], .headers["sse-msg-event"]] | join(" ")' \
		't:1 t:1 t:1 message
t:2 t:2 t:2 chat.msg
t:3 t:3 t:3 a%20b%25'
	got '.headers["sse-msg-url"]' "$URL/x?token=...
$URL/x?token=...
$URL/x?token=..."
	got '.headers | has("webhook-signature")' $'false\nfalse\nfalse'
	got '.headers["user-agent"] | startswith("sse-tail/")' $'true\ntrue\ntrue'
}

@test "--post sends the events that pass the filters, and shows them only if a format is given" {
	receiver
	ended_stream <<'END'
id: 1\nevent: a\ndata: {"x":{"y":"deep"}}\n\nid: 2\nevent: b\ndata: {"x":{"y":2}}\n\nid: 3\ndata: no\n\nid: 4\nevent: a\ndata: {"x":{"y":4}}\n\nid: 5\ndata: DONE\n\n
END
	run -0 sse-tail "$URL/x" --post "$TO" -e a --pointer /x/y --state state
	[ -z "$output" ]
	got .data $'deep\n4'
	[ "$(cat state)" = 5 ]
	: >received
	rm state
	play <streamed
	run -0 sse-tail "$URL/x" --post "$TO" --done DONE -o data -n 2 --state state
	[ "$output" = $'{"x":{"y":"deep"}}\n{"x":{"y":2}}' ]
	got .id $'1\n2'
	[ "$(cat state)" = 2 ]
}

@test "a topic names a receiver on the server of SSE_URL" {
	receiver
	ended_stream <<<'id: 1\ndata: 1\n\n'
	SSE_URL=${TO%/in}/base run -0 sse-tail "$URL/x" --post copies/of
	got '"\(.url) \(.id)"' '/base/api/copies/of 1'
}

@test "an event is signed with each key, as another implementation checks" {
	receiver 500 200
	(umask 077 && printf '%s\n%s\n' $NEWER $KEY >keys)
	ended_stream <<<'id: 1\ndata: {"test": 2432232314}\n\nid: 2\ndata: text\ndata: ünd mehr\n\n'
	run -0 sse-tail "$URL/x" --post "$TO" --sign-key keys
	[ -z "$output" ]
	got '.signatures | join(" ")' $'2 1\n2 1\n2 1'
}

@test "an id that a header cannot have is sent as its hash, and an event without one gets a name" {
	receiver 500 500 500
	ended_stream <<'END'
data: a\n\nid: 1.5\ndata: b\n\ndata: c\n\nid: 7\ndata: d\n\nid: 7\ndata: d\n\nid: x y\ndata: e\n\n
END
	run -0 sse-tail "$URL/x" --post "$TO"
	# Attempts of one event have one name.
	[ "$(jq -r .id received | uniq | wc -l)" -eq 6 ]
	[ "$(jq -r .id received | sort -u | wc -l)" -eq 6 ]
	got 'select(.data == "b") | .id' "sha256-$(printf 1.5 | sha256sum | cut -d ' ' -f 1)"
	got 'select(.data == "e") | .id' "sha256-$(printf 'x y' | sha256sum | cut -d ' ' -f 1)"
	got 'select(.data == "e") | .headers["sse-msg-id"]' x%20y
	got 'select(.id == "7") | .data' d
	local name='^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$'
	got "select(.id | test(\"$name\")) | .data" $'a\na\na\na\nc\nd'
}

@test "an event that has the id of the state is not the one that the state is of" {
	receiver
	echo 7 >state
	ended_stream <<<'id: 7\ndata: the second half of 7\n\n'
	run -0 sse-tail "$URL/x" --post "$TO" --state state
	got '.id != "7"' true
}

@test "nothing of the source's login goes to the receiver, and the receiver's stays secret" {
	receiver
	ended_stream <<<'id: 1\ndata: 1\n\n'
	echo tok3n >token
	chmod 600 token
	run -0 --separate-stderr sse-tail "$URL/x" --token-file token -H 'X-Api-Key: k3y' -b a=c00kie \
		--post "${TO/\/\//\/\/me:p4ss@}" --post-header 'X-Secret: s3cret' --post-header 'User-Agent: me' \
		--post-header SSE-Msg-Url: -vv
	has log 'Authorization: Bearer tok3n'
	has log 'X-Api-Key: k3y'
	not has received tok3n
	not has received k3y
	not has received c00kie
	got '.headers["x-secret"] + .headers["user-agent"]' s3cretme
	got '.headers | has("sse-msg-url")' false
	got '.headers.authorization' "Basic $(printf me:p4ss | base64)"
	[[ $stderr == *'> X-Secret: [not shown]'* ]]
	[[ $stderr != *s3cret* && $stderr != *p4ss* ]]
}

@test "the list of processes does not show where events go and by which login" {
	receiver
	held_stream <<<'id: 1\ndata: 1\n\n'
	follow "$URL/x" --post "$TO/hidden" --post-header 'X-Secret: s3cret'
	wait_for lines_of received 1
	tr '\0' '\n' <"/proc/$PID/cmdline" >shown
	has shown sse-tail
	not has shown hidden
	not has shown s3cret
}

# --- again ----------------------------------------------------------------------------------------

@test "a delivery that fails is tried again under its name, and no later event overtakes it" {
	receiver 500 drop 404 200 503
	ended_stream < <(numbers 3)
	run -0 sse-tail "$URL/x" --post "$TO" --state state
	[ -z "$output" ]
	got '"\(.id) \(.answer)"' '1 500
1 drop
1 404
1 200
2 503
2 200
3 200'
	[ "$(cat state)" = 3 ]
}

@test "a receiver that is away gets all when it is back, and the stream goes on after its last id" {
	receiver
	kill "$RECEIVER"
	wait "$RECEIVER" || true
	# The source ends the stream while the first event waits.
	stream 'answer @STREAMid: 3\ndata: 3\n\n' hold < <(numbers 2)
	follow "$URL/x" --post "$TO" --state state -v
	wait_for has err 'Connection refused; trying again in'
	[ ! -s state ]
	local port=${TO##*:}
	receiver_at "${port%/in}"
	wait_for lines_of received 3
	got .id $'1\n2\n3'
	wait_for has state 3
	has log 'Last-Event-ID: 2'
}

@test "Retry-After is obeyed, and SIGHUP tries at once" {
	receiver 429/1 503/3000
	held_stream < <(numbers 2)
	follow "$URL/x" --post "$TO" --state state -v
	wait_for has err 'trying again in 3000.000 s'
	grep -q 'receives too many requests (429.*; trying again in 1\.' err
	got .id $'1\n1'
	kill -HUP "$PID"
	wait_for lines_of received 4
	got .id $'1\n1\n1\n2'
}

@test "lasting trouble is told once, and that it is over" {
	receiver 503/11
	ended_stream <<<'id: 1\ndata: 1\n\n'
	run -0 --separate-stderr sse-tail "$URL/x" --post "$TO"
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ ${stderr_lines[0]} == "sse-tail: no delivery yet: $TO cannot answer now (503 "*'; still trying' ]]
	[[ ${stderr_lines[1]} == 'sse-tail: deliveries work after 1'?s ]]
}

@test "a receiver that asks for a login, or redirects, is named with what would help" {
	receiver '307>http://127.0.0.1:9/elsewhere' 401
	ended_stream <<<'id: 1\ndata: 1\n\n'
	run -0 --separate-stderr sse-tail "$URL/x" --post "$TO" -v
	[[ $stderr == *"$TO answered 307, a redirect to http://127.0.0.1:9/elsewhere; trying again"* ]]
	[[ $stderr == *"$TO requires a login, which --post-header can give (401 "*'; trying again'* ]]
	got .url $'/in\n/in\n/in'
}

@test "a signal ends the wait for a receiver at once, and the state is that of the last delivery" {
	receiver 200 503/3000
	held_stream < <(numbers 3)
	follow "$URL/x" --post "$TO" --state state -v
	wait_for has err 'trying again in 3000'
	kill "$PID"
	ended "$PID" 143
	[ "$(cat state)" = 1 ]
	# So it does while a receiver takes its time.
	kill "$RECEIVER"
	receiver hang
	play <streamed
	follow "$URL/x" --post "$TO" --state state
	wait_for lines_of received 1
	kill -INT "$PID"
	ended "$PID" 130
	[ "$(cat state)" = 1 ]
}

@test "--timeout ends the wait for a receiver with 75, and --until-idle does not count it" {
	receiver 503/3000
	held_stream < <(numbers 2)
	run -75 --separate-stderr sse-tail "$URL/x" --post "$TO" --state state --timeout 3s
	[[ $stderr == *"the time of --timeout is up, and an event is not delivered: $TO cannot answer now"* ]]
	[ ! -s state ]
	kill "$RECEIVER"
	receiver 503/2
	play <streamed
	run -0 sse-tail "$URL/x" --post "$TO" --state state --until-idle 1s
	[ "$(cat state)" = 2 ]
}

# --- giving up ------------------------------------------------------------------------------------

@test "an event that is given up is in the file of --failed, and sse-post sends it again" {
	receiver 200 500 500 200
	ended_stream <<'END'
id: 1\ndata: 1\n\nid: 2\nevent: b\ndata: {"t":"\xff"}\n\nid: 3.5\ndata: 3\n\nid: 4\ndata: 4\n\n
END
	run -0 --separate-stderr sse-tail "$URL/x" --post "$TO" --state state --give-up 0 --failed failed
	[ "$(cat state)" = 4 ]
	[ "$(stat -c %a failed)" = 600 ]
	[ "${stderr_lines[0]}" = "sse-tail: the event 2 was not delivered, it is in failed: $TO failed (500 Internal Server Error)" ]
	got .id "$(printf '1\n2\nsha256-%s\n4' "$(printf 3.5 | sha256sum | cut -d ' ' -f 1)")"
	jq -r '[.event, .data, .id, .origin] | join("|")' failed | is "b|{\"t\":\"�\"}|2|$URL
message|3|3.5|$URL"
	jq -r .reason failed | is "$TO failed (500 Internal Server Error)
$TO failed (500 Internal Server Error)"
	# Under the names that they had.
	sed -n 2,3p received | jq -r .id >names
	: >received
	run -0 sse-post "$TO" -E -f failed
	got '.headers["idempotency-key"]' "$(cat names)"
}

@test "410 gives up at once; without --failed that ends the run, 75, before the event" {
	receiver 200 410
	held_stream < <(numbers 3)
	run -75 --separate-stderr sse-tail "$URL/x" --post "$TO" --state state
	[ "$stderr" = "sse-tail: the event 2 was not delivered, and no file of --failed takes it: $TO no longer exists (410 Gone)" ]
	[ "$(cat state)" = 1 ]
	got .id $'1\n2'
}

@test "--give-up bounds the attempts, and a Retry-After beyond it" {
	receiver 500/3000
	held_stream < <(numbers 1)
	run -75 sse-tail "$URL/x" --post "$TO" --give-up 1m
	got .id 1
	free_url
	TO=$URL
	held_stream < <(numbers 1)
	run -75 --separate-stderr sse-tail "$URL/x" --post "$TO" --give-up 2s -v
	[[ $stderr == *'trying again'*"the event 1 was not delivered"*'Connection refused' ]]
}

@test "a line of --failed that a loss of power cut off does not spoil the next one" {
	receiver 410 410
	printf '{"event":"upd' >failed
	ended_stream < <(numbers 2)
	run -0 sse-tail "$URL/x" --post "$TO" --failed failed
	[ "$(sed -n 1p failed)" = '{"event":"upd' ]
	sed -n '2,$p' failed | jq -r .id | is $'1\n2'
	lines_of failed 3
}

@test "a file of --failed that cannot be written ends the run, 73 or 74, and the state stays" {
	receiver 200 503/3000 410
	held_stream < <(numbers 2)
	run -73 sse-tail "$URL/x" --post "$TO" --failed /nonexistent/failed
	[[ $output == *"--failed: cannot write '/nonexistent/failed': No such file"* ]]
	run -73 sse-tail "$URL/x" --post "$TO" --failed /dev/null
	[[ $output == *"it is not a regular file"* ]]
	[ ! -s received ]
	mkdir folder
	follow "$URL/x" --post "$TO" --failed folder/failed --state state -v
	wait_for has err 'trying again in 3000'
	rm -r folder
	kill -HUP "$PID"
	ended "$PID" 74
	has err "--failed: cannot write 'folder/failed': No such file or directory"
	[ "$(cat state)" = 1 ]
}

# --- gaps -----------------------------------------------------------------------------------------

@test "a gap is delivered as an event, unless its type is filtered out, and is warned of" {
	local gap='id: g:5\nevent: gap\ndata: {"after":"g:1","reason":"expired"}\n\n'
	receiver
	ended_stream <<<"$gap"'id: g:6\nevent: u\ndata: {"x":6}\n\n'
	run -0 --separate-stderr sse-tail "$URL/x" --post "$TO" --pointer /x --state state
	[ "$stderr" = 'sse-tail: events are missing here: those after g:1 are no longer stored' ]
	got '"\(.id) \(.headers["sse-msg-event"]) \(.data)"' 'g:5 gap {"after":"g:1","reason":"expired"}
g:6 u 6'
	: >received
	play <streamed
	run -0 --separate-stderr sse-tail "$URL/x" --post "$TO" -e u
	[ "$stderr" = 'sse-tail: events are missing here: those after g:1 are no longer stored' ]
	got .id g:6
	play <streamed
	run -69 sse-tail "$URL/x" --post "$TO" --strict
	got .id g:6
}

# --- what is refused ------------------------------------------------------------------------------

@test "options of --post that make no sense are refused with the reason" {
	run -64 sse-tail x --post y --exec true
	[[ $output == *'--exec and --post each decide when the state moves; give one' ]]
	run -64 sse-tail x --post y -o raw
	[[ $output == *'--output raw shows the stream, --post is for its events; give one' ]]
	run -64 sse-tail x --post y --flush-eof
	[[ $output == *'--flush-eof: an event that was cut off is not for --post'* ]]
	run -64 sse-tail x --sign-key y
	[[ $output == *'--sign-key belongs to --post; give that too' ]]
	run -64 sse-tail x --failed y
	[[ $output == *'--failed belongs to --post; give that too' ]]
	run -64 sse-tail x --post-header 'A: b'
	[[ $output == *'--post-header belongs to --post; give that too' ]]
	run -64 sse-tail x --post y --post-header 's3cret'
	[[ $output == *"--post-header: this is not a header; one is like 'Name: value'" ]]
	run -64 sse-tail x --post y --post-header 'content-length: 3'
	[[ $output == *"leave out Content-Length and Transfer-Encoding" ]]
	[[ $output != *s3cret* ]]
	run -64 sse-tail x --post ftp://localhost/x
	run -64 sse-tail x --post ''
}

@test "files that do not hold keys are refused unseen, and those that others can read are told" {
	receiver
	run -66 sse-tail x --post "$TO" --sign-key nowhere
	[[ $output == *'cannot open nowhere: No such file or directory' ]]
	echo s3cret >key
	run -65 sse-tail x --post "$TO" --sign-key key
	[[ $output == *"--sign-key: line 1 of 'key' is not a key; one is whsec_ and the base64 of 24 to 64 bytes" ]]
	[[ $output != *s3cret* ]]
	echo $KEY >key
	chmod 644 key
	ended_stream < <(numbers 1)
	run -0 sse-tail "$URL/x" --post "$TO" --sign-key key
	[ "$output" = 'sse-tail: other users of this machine can read the keys in key: chmod 600 protects them' ]
	play <streamed
	run -0 sse-tail "$URL/x" --post "$TO" --sign-key <(echo $KEY) -vv
	[[ $output != *MfKQ9r8* ]]
	got '.signatures | join(" ")' $'1\n1'
}

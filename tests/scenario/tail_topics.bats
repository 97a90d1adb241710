#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-tail with several topics and patterns, which are one stream, and with the times of its events.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=30s SSE_RECONNECT_DELAY=10ms
}

# tail_of ARGUMENT...: sse-tail to the server.
tail_of() {
	SSE_URL=$URL timeout 60 sse-tail "$@"
}

# stored_of ARGUMENT...: all that is stored.
stored_of() {
	tail_of --since all --until end "$@"
}

# fill: events of four topics.
fill() {
	serve
	post users firstname=Ada lastname=LOVELACE
	post chat/lobby -e message -d '{"text":"hi","n":[1, 2]}'
	post chat/lobby -d 'Hello, all'
	post chat/lobby/side -d deep
	post other -d hidden
	post chat/news --subject weather -d '"sunny"'
}

@test "topics and patterns are one stream, whose events know their topics" {
	fill
	run -0 stored_of users 'chat/*'
	[ "$(jq -r '[.topic, .event, .data] | join("|")' <<<"$output")" = \
'users|update|{"firstname":"Ada","lastname":"LOVELACE"}
chat/lobby|message|{"text":"hi","n":[1, 2]}
chat/lobby|update|Hello, all
chat/news|update|sunny' ]
	[ "$(jq -r '.subject // empty' <<<"$output")" = weather ]
	run -0 stored_of '**' -o data
	[ "${#lines[@]}" -eq 6 ]
	# One pattern is enough, and one that matches nothing yet waits.
	run -0 stored_of 'chat/**' -F '%T %d'
	[ "${lines[2]}" = 'chat/lobby/side deep' ]
	run -0 stored_of 'none/*'
	[ -z "$output" ]
}

@test "a topic that is created later is part of the stream" {
	serve
	tail_of 'chat/*' users -n 2 -F '%T %d' >out.tail 2>err.tail -v 3>&- &
	local tail=$!
	wait_for has err.tail 'the stream is open'
	post chat/new -d first
	post other -d no
	post users firstname=A lastname=B
	ended "$tail" 0
	is 'chat/new first
users {"firstname":"A","lastname":"B"}' <out.tail
}

@test "for people each is a line with its time, topic and type, and the data" {
	fill
	run -0 stored_of users 'chat/*' -o pretty
	[ "$(printf %s "$output" | sed 's/^[0-9:]\{8\} //')" = \
'users update  {"firstname": "Ada", "lastname": "LOVELACE"}
chat/lobby message  {"text": "hi", "n": [1,2]}
chat/lobby update  Hello, all
chat/news update weather  sunny' ]
	# Of one topic, which is known, the id is more use.
	run -0 stored_of chat/news -o pretty
	[[ $output =~ ^[0-9:]{8}\ update\ weather\ [^\ ]+:6\ \ sunny$ ]]
}

@test "data and sse are of the events themselves, raw is the stream with its envelopes" {
	fill
	run -0 stored_of users 'chat/*' -o data
	[ "$output" = '{"firstname":"Ada","lastname":"LOVELACE"}
{"text":"hi","n":[1, 2]}
Hello, all
sunny' ]
	run -0 stored_of users 'chat/*' -o sse
	[[ $output == *$'event: update\ndata: {"firstname":"Ada","lastname":"LOVELACE"}\nid: '*':1'* ]]
	[[ $output != *topic* ]]
	run -0 stored_of users 'chat/*' -o raw
	[[ $output == *'data: {"topic":"chat/lobby","id":"'*'"event":"update","data":"Hello, all"}'* ]]
}

@test "filters, --pointer, --nest and --done see the events, not their envelopes" {
	fill
	run -0 stored_of '**' -e message -o data
	[ "$output" = '{"text":"hi","n":[1, 2]}' ]
	run -0 stored_of '**' --pointer /text
	[ "$output" = hi ]
	run -0 stored_of 'chat/*' -e message --nest
	jq -e '.data.n == [1, 2] and .topic == "chat/lobby"' <<<"$output"
	run -0 tail_of '**' --since all --done 'Hello, all' -o data
	[ "${#lines[@]}" -eq 2 ]
}

@test "a command has the data and the topic, a receiver too; unknown topics are left out" {
	fill
	run -0 stored_of users 'chat/*' --exec 'echo "$SSE_MSG_TOPIC:$(cat)"'
	[ "$output" = 'users:{"firstname":"Ada","lastname":"LOVELACE"}
chat/lobby:{"text":"hi","n":[1, 2]}
chat/lobby:Hello, all
chat/news:sunny' ]
	run -0 stored_of users --exec 'echo "$SSE_MSG_TOPIC:$SSE_MSG_DATA"'
	[[ $output == users:* ]]
	SSE_MSG_TOPIC=mine run -0 stored_of "$URL/api/users/event" --exec 'echo "${SSE_MSG_TOPIC-none}"'
	[ "$output" = none ]
	printf '%s\n' accept request 'send HTTP/1.1 204 No Content\r\n\r\n' >script
	for _ in 1 2 3; do
		printf '%s\n' request 'send HTTP/1.1 204 No Content\r\n\r\n' >>script
	done
	"$TOOLS/scripted_server" script log >port 3>&- &
	OTHERS+=($!)
	wait_for test -s port
	run -0 stored_of users 'chat/*' --post "http://127.0.0.1:$(cat port)/in"
	[ "$(grep -i '^SSE-Msg-Topic: ' log | tr -d '\r' | tr '[:upper:]' '[:lower:]')" = 'sse-msg-topic: users
sse-msg-topic: chat/lobby
sse-msg-topic: chat/lobby
sse-msg-topic: chat/news' ]
	grep -q 'Hello, all' log
	run ! grep -q '"topic"' log
}

@test "what it prints goes to the same topics of another server" {
	fill
	stored_of '**' --nest >events
	stop
	rm -f events.db*
	serve
	SSE_URL=$URL sse-post / -E -f events
	stored chat/lobby | is '{"text":"hi","n":[1,2]}
"Hello, all"'
	stored 'chat/news' 'envelope=1' | grep -q '"subject":"weather"'
}

@test "the state goes on after the last event of all topics, also with other topics" {
	fill
	run -0 stored_of users 'chat/*' --state id
	[ "${#lines[@]}" -eq 4 ]
	post chat/lobby -d more
	post other -d 'not yet'
	run -0 tail_of users 'chat/*' --state id --until end -o data
	[ "$output" = more ]
	run -0 tail_of other --state id --until end -o data
	[ "$output" = 'not yet' ]
	run -0 tail_of '**' --since all --until end -v -n 1
	[[ $output == *"sse-tail '**' --last-event-id "* ]]
}

@test "a stream of topics polls, resumes and is checked as one of a topic is" {
	fill
	run -0 tail_of users 'chat/*' --poll --since all -n 4 -o data
	[ "${lines[3]}" = sunny ]
	run -0 tail_of --check users 'chat/*' --last 2 --timeout 3s
	[[ $output == *'verdict: healthy'* ]]
}

@test "URLs do not mix with topics, and a pattern has its stars in their places" {
	local words
	while IFS='|' read -r operands words; do
		eval "run -64 sse-tail $operands"
		[[ $output == *"$words"* ]]
		[ "${#lines[@]}" -eq 1 ]
	done <<'END'
users http://user:pass@localhost/x|'http://localhost/x' is a URL, which is a stream of its own
http://localhost/x users|is a URL, which is a stream of its own: give one URL, or topics
http://localhost/x http://localhost/y|is a URL, which is a stream of its own
'a/**/b'|'a/**/b' is not a valid pattern
'a*'|'a*' is not a valid pattern
'a/*/'|is not a valid pattern
users 'a,b'|'a,b' is not a valid topic
users event|'event' cannot be a part of one
/|the pattern '**' matches all topics
users -t unix|'unix' is a topic here; for that style of the time give --time=unix
users chat --lines|--lines is for streams of other servers
END
	# To send, a pattern is no place.
	run -64 sse-post 'chat/*' -d x
	[[ $output == *"'chat/*' is not a valid topic"* ]]
}

@test "a topic that is closed does not end the others; when all are, the run ends with 0" {
	serve
	post run/1 -d 1 --close
	post run/2 -d 2
	tail_of run/1 run/2 --since all -F '%T %e %d' >out.tail 3>&- &
	local tail=$!
	wait_for has out.tail 'run/2 update 2'
	post run/2 --close
	ended "$tail" 0
	is 'run/1 update 1
run/2 update 2' <out.tail
	run -0 stored_of run/1 run/2
	[ "$(jq -r '[.topic, .event] | join(" ")' <<<"$output")" = 'run/1 update
run/1 closed
run/2 update
run/2 closed' ]
}

# old: a server whose events were published years ago.
old() {
	serve
	post run n:=1
	post run -e text -d '{"topic":"users"}'
	stop
	"$BIN/sse-serve" --export --db events.db |
		sed 's/"time":"[^"]*"/"time":"2020-02-03T04:05:06.789Z"/' >exported
	rm -f events.db*
	"$BIN/sse-serve" --import --db events.db <exported 2>/dev/null
	serve
}

@test "the time is when an event was published: of one topic, several, and a stream of ours by its URL" {
	local target
	export TZ=UTC
	old
	for target in run "'**'" "$URL/api/run/event" "'$URL/api/event?topic=run'"; do
		eval "run -0 stored_of $target -o pretty"
		[[ ${lines[0]} == '2020-02-03 04:05:06 '*'update'*'{"n": 1}' ]]
		[[ ${lines[1]} == '2020-02-03 04:05:06 '*'text'*'{"topic": "users"}' ]]
		eval "run -0 stored_of $target -t"
		[ "$(jq -r .time <<<"${lines[0]}")" = 2020-02-03T04:05:06.789Z ]
		[ "$(jq -r .data <<<"${lines[1]}")" = '{"topic":"users"}' ]
		eval "run -0 stored_of $target -F '%t %d' --time=unix"
		[ "${lines[0]}" = '1580702706.789 {"n":1}' ]
	done
	# What the user asked for stays, and tells the time all the same.
	run -0 stored_of "$URL/api/run/event?envelope=1" -o data -t
	[[ ${lines[0]} == '2020-02-03T04:05:06.789Z {"topic":"run",'*'"data":{"n":1}}' ]]
}

@test "without a time to show nothing is asked for: the data of one topic is as it is stored" {
	serve
	post t -d '"a string"'
	run -0 stored_of t
	[ "$(jq -r .data <<<"$output")" = '"a string"' ]
	[ "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" = 'event data id origin' ]
	run -0 stored_of t -o data
	[ "$output" = '"a string"' ]
	run -0 stored_of t -v -o data
	[[ $output != *envelope* ]]
	run -0 stored_of t -v -o sse -t
	[[ $output != *envelope* ]]
}

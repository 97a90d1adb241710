#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Events with a subject by sse-post, and servers that are mirrored with them.
# shellcheck disable=SC2153,SC2154 # PORT is of the helpers

load serve_helpers

setup() {
	common_setup
	export SSE_TIMEOUT=60s
}

# subjects TOPIC: the subject and the data of each of its events, as envelopes have them.
subjects() {
	stored "$1" envelope=1 |
		sed -E 's/^.*,"event":"[^"]*"(,"subject":"((\\.|[^"\\])*)")?,"data":(.*)}$/\2 \4/'
}

@test "--subject gives an event its subject, and -d '' clears it" {
	serve
	post hosts --subject web1 up:=true
	post hosts --subject 'web 2/é&"' -e state -d down
	post hosts n:=1
	post hosts --subject web1 -d ''
	post hosts --subject web2 -d '""' --as json
	cat >wanted <<-'END'
		web1 {"up":true}
		web 2/é&\" "down"
		 {"n":1}
		web1 ""
		web2 ""
	END
	subjects hosts | diff wanted -
	stored hosts envelope=1 | grep -c '"event":"state"' | is 1
	# Nothing is no event, and clears none: not from a file, a pipe or a line.
	: >empty
	post hosts --subject web1 -f empty
	post hosts --subject web1 -s </dev/null
	printf '\n' | post hosts --subject web1
	subjects hosts | diff wanted -
	SSE_SUBJECT=web3 post hosts -d 3
	subjects hosts | tail -n 1 | is 'web3 3'
}

@test "lines have the subject of the run, envelopes their own or that" {
	serve
	seq 2000 | post t --subject all -v 2>said
	has said 'a batch of'
	subjects t | diff <(seq 2000 | sed 's/^/all /') -
	printf '%s\n' '{"subject":"web1","data":1}' '{"data":"text"}' '{"subject":"w\u00e9b","data":""}' |
		post e -E --subject other
	subjects e | is $'web1 1\nother "text"\nwéb ""'
	printf '%s\n' '{"topic":"x","subject":"web1","data":1}' '{"topic":"y/z","data":2}' |
		post / -E --subject other
	subjects x | is 'web1 1'
	subjects y/z | is 'other 2'
	printf 'data: 1\n\nevent: note\ndata: two\n\n' | post s -i sse --subject stream
	subjects s | is $'stream 1\nstream "two"'
	# One request for each is the same.
	printf '%s\n' '{"subject":"web1","data":1}' '{"data":"text"}' | post one -E --batch never
	subjects one | is $'web1 1\n "text"'
}

@test "what cannot be a subject is a usage error, or names its line" {
	serve
	local subject want
	while IFS='|' read -r subject want; do
		run -64 post t --subject "$(printf '%b' "$subject")" -d x
		[[ $output = *"$want"* ]]
	done <<-END
		|--subject
		a\\tb|--subject: the subject contains a control character; one has 1 to 200 bytes of UTF-8
		a\\0302\\0205|--subject: the subject contains a control character
		\\0377|--subject: the subject is not UTF-8
		$(letters 201)|--subject: the subject is longer than 200 bytes
	END
	printf '%s\n' '{"data":1}' '{"data":2,"subject":"a\u0001"}' >lines
	run -65 post t -E -f lines
	[[ $output = *'line 2: its subject contains a control character'* ]]
	printf '%s\n' '{"data":2,"subject":7}' >lines
	run -65 post t -E -f lines
	[[ $output = *"line 1: its member 'subject' must be a string"* ]]
	stored t | is 1
	post t --subject "$(letters 200)" -d x
	subjects t | tail -n 1 | is "$(letters 200) \"x\""
}

@test "a subject waits in the spool with its event, and is there after a kill -9" {
	serve
	local port=$PORT
	post hosts --subject web1 -d before
	crash
	export SSE_SPOOL=$PWD/spool
	post hosts --subject 'web "2"' n:=1
	post hosts --subject web1 -d ''
	seq 3 | post hosts --subject lines
	grep -rh '"key"' spool --include='*.events' | sed 's/"key":"[^"]*",//' >waits
	is $'{"subject":"web \\"2\\"","json":{"n":1}}\n{"subject":"web1","text":""}' < <(sort waits | tail -n 2)
	serve_at "$port"
	post hosts -d now
	cat >wanted <<-'END'
		web1 "before"
		web \"2\" {"n":1}
		web1 ""
		lines 1
		lines 2
		lines 3
		 "now"
	END
	subjects hosts | diff wanted -
}

@test "a server is mirrored with its subjects" {
	serve
	post hosts --subject web1 up:=true
	post hosts/a --subject 'web "2"' -e state -d down
	post hosts --subject web1 -d ''
	post hosts none:=1
	sse-tail "$URL/api/event?topic=**&envelope=1" --since all --until end -o json >lines
	counts lines subject 3
	subjects hosts >wanted
	subjects hosts/a >wanted.a
	stop
	serve --db target.db
	post / -E -f lines
	subjects hosts | diff wanted -
	subjects hosts/a | diff wanted.a -
	# One topic under another name, from its list.
	stored hosts envelope=1 | post copy -E
	subjects copy | diff wanted -
}

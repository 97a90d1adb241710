#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: the present value of each subject, as a list and as what a stream begins with,
# and --retain-topic PATTERN=latest.
# shellcheck disable=SC2030,SC2031,SC2153,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load serve_helpers

# value TOPIC SUBJECT TEXT: publish it; without a text the subject is cleared.
value() {
	text "$1?subject=$2" "$3"
	answers 201
}

# batch TOPIC: publish the lines "SUBJECT DATA" of the standard input as one batch.
batch() {
	sed -E 's/^([^ ]*) ?(.*)$/{"subject":"\1","data":"\2"}/' >many
	ask -H 'Content-Type: application/x-ndjson' --data-binary @many "$URL/api/$1?envelope=1"
	answers 201
}

# presents TOPIC: the present values, as lines "SUBJECT DATA".
presents() {
	stored "$1" 'latest=1&envelope=1' | pairs
}

# pairs: the subjects and data of the envelopes among the lines of the standard input.
pairs() {
	sed -nE 's/^(data: )?\{.*"subject":"([^"]*)","data":"(.*)"\}$/\2 \3/p'
}

# now_of PATH [ARGUMENT...]: the subjects and values that a stream of envelopes ends with by itself.
now_of() {
	curl -sfN --max-time 60 "${@:2}" "$URL$1&envelope=1&until=now" >ended
	[ "$(tail -n 3 ended | head -n 1)" = 'event: uptodate' ]
	pairs <ended
}

# last_id FILE: the id that a client which read this stream resumes after.
last_id() {
	sed -n 's/^id: //p' "$1" | tail -n 1
}

head_of() {
	curl -sf -o /dev/null -D - "$URL/api/$1" | tr -d '\r' | sed -n 's/^Last-Event-ID: //p'
}

shows_present_values() {
	value hosts web1 one
	value hosts db up
	text hosts 'no subject'
	value hosts web1 two
	value other x y
	value hosts gone soon
	value hosts gone ''
	ask "$URL/api/hosts?latest=1"
	answers 200
	[ "$(cat body)" = $'["up",\n"two"]' ]
	[ "$(header Last-Event-ID)" = "$(head_of hosts)" ]
	[ "$(presents hosts)" = $'db up\nweb1 two' ]
	[ "$(stored hosts latest=0 | wc -l)" -eq 6 ]
	[ -z "$(stored nothing latest=1)" ]
	# A stream begins with them, says that these are all, and goes on with whatever comes.
	follow stream '/api/hosts/event?latest=1'
	wait_for has stream uptodate
	value hosts db down
	text hosts 'no subject either'
	value hosts web1 ''
	wait_for counts stream 'data: ' 6
	data stream | sed 's/^{"id":.*/MARK/' | is $'up\ntwo\nMARK\ndown\nno subject either'
	[ "$(last_id stream)" = "$(head_of hosts)" ]
	kill "$FOLLOWER"
	[ "$(presents hosts)" = 'db down' ]
}

@test "the present values are a list, and what a stream begins with, without a seam" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		shows_present_values
		stop
	done
}

resumes() {
	value a x 1
	value a y 1
	value b/c x 1
	value b/c z 1
	[ "$(now_of '/api/event?topic=a&topic=b/**&latest=1')" = $'x 1\ny 1\nx 1\nz 1' ]
	local id
	id=$(last_id ended)
	[ "$(head -n 1 <(grep -a '^id:' ended))" != "id: $id" ]
	value a y 2
	value b/c x 2
	value b/c x 3
	value b/c z ''
	value d x 1
	# Only what changed since then; what was cleared too, for the reader has it.
	[ "$(now_of '/api/event?topic=a&topic=b/**&latest=1' -H "Last-Event-ID: $id")" = $'y 2\nx 3\nz ' ]
	not has ended 'event: gap'
	[ "$(now_of "/api/event?topic=**&latest=1&last_event_id=$id")" = $'y 2\nx 3\nz \nx 1' ]
	[ "$(now_of '/api/event?topic=**&latest=1')" = $'x 1\ny 2\nx 3\nx 1' ]
	# With nothing new there is only the mark.
	id=$(head_of a)
	[ -z "$(now_of '/api/event?topic=**&latest=1' -H "Last-Event-ID: $id")" ]
	# An id of another log: a gap, and all values.
	[ "$(now_of '/api/a/event?latest=1' -H 'Last-Event-ID: other:1')" = $'x 1\ny 2' ]
	has ended '"reason":"unknown-log"'
	# The frames that EventSource sees, and lines.
	curl -sfN "$URL/api/a/event?latest=1&until=now" | data /dev/stdin | sed '$d' | is $'1\n2'
	curl -sfN -H 'Accept: application/x-ndjson' "$URL/api/a/event?latest=1&until=now" |
		pairs | is $'x 1\ny 2'
}

@test "a reader that comes back is sent what changed, of many topics too" {
	local db
	for db in events.db :memory:; do
		serve --db "$db"
		resumes
		stop
	done
}

@test "more topics and values than fit into one read" {
	serve
	local i
	seq 3000 | sed "s/.*/s& $(letters 200)/" | batch big
	seq 3000 | sed 's/.*/s& &/' | batch big
	for i in $(seq 20); do
		value "t$i" x "$i"
	done
	[ "$(presents big | wc -l)" -eq 3000 ]
	[ "$(now_of '/api/big/event?latest=1')" = "$(seq 3000 | sed 's/.*/s& &/')" ]
	[ "$(now_of '/api/event?topic=*&latest=1' | tail -n 20)" = "$(seq 20 | sed 's/.*/x &/')" ]
	[ "$(now_of '/api/event?topic=*&latest=1' | wc -l)" -eq 3020 ]
}

@test "what it cannot be combined with is refused with a sentence" {
	serve
	value a x 1
	ask "$URL/api/a?latest=1&limit=5"
	problem 400 'latest=1 lists all present values: it cannot be combined with limit'
	ask "$URL/api/hosts?latest=1&after=x:1"
	problem 400 'latest=1 lists all present values: it cannot be combined with after'
	ask "$URL/api/a?latest=1&since=1h"
	problem 400 'it cannot be combined with since'
	ask "$URL/api/a?latest=1&before=$(head_of a)"
	problem 400 'it cannot be combined with before'
	ask "$URL/api/a?latest=yes"
	problem 400 'latest is 1 or 0'
	ask "$URL/api/a/event?latest=1&last=5"
	problem 400 'latest=1 says where the stream starts: it cannot be combined with last'
	ask "$URL/api/event?topic=a&latest=1&since=all"
	problem 400 'it cannot be combined with since'
	ask "$URL/api/a/event?latest=1&event=update"
	problem 400 'latest looks at events of all types: it cannot be combined with event'
	ask -d x "$URL/api/a?latest=1"
	problem 400 "'latest' is a parameter of a topic's stream, not of a POST"
	refuses 64 'need a database' --db :memory: --retain-topic 'a=latest'
	refuses 64 "latest is a rule for topics: --retain-topic '**=latest'" --retain latest
	refuses 64 'give AGE,EVENTS,BYTES' --retain-topic 'a=latest,,'
}

@test "with =latest only the newest event of each subject is kept, and a reader of values knows no gap" {
	serve --retain-topic 'hosts/**=latest'
	value hosts/a x 1
	local id
	id=$(header Last-Event-ID)
	text hosts/a 'no subject'
	value hosts/a y 1
	value hosts/a x 2
	value hosts/b x 1
	value hosts/a x 3
	value hosts/a y ''
	value other x 1
	value other x 2
	stored hosts/a | is $'"no subject"\n"3"\n""'
	stored other | is $'"1"\n"2"'
	presents hosts/a | is 'x 3'
	# For a reader of values nothing is missing; for others there is.
	now_of '/api/event?topic=hosts/**&latest=1' -H "Last-Event-ID: $id" | is $'x 1\nx 3\ny '
	not has ended 'event: gap'
	curl -sfN "$URL/api/hosts/a/event?until=now" -H "Last-Event-ID: $id" >gap
	has gap '"reason":"superseded"'
	run --separate-stderr -0 sse-tail "$URL/api/hosts/a/event" --last-event-id "$id" --until end -e update
	[[ $stderr == *"those after $id were replaced by newer events of their subjects" ]]
	data gap | sed -n '2,4p' | is $'no subject\n3'
	# An event that is gone.
	ask "$URL/api/hosts/a/$id"
	problem 410 'no longer kept'
	stop
	sse-serve --verify --db events.db
	sse-serve --export --db events.db >export.ndjson
	sse-serve --import --db copy.db <export.ndjson
	sse-serve --verify --db copy.db
	serve --db copy.db
	presents hosts/a | is 'x 3'
	now_of '/api/event?topic=hosts/**&latest=1' -H "Last-Event-ID: $id" | is $'x 1\nx 3\ny '
	not has ended 'event: gap'
}

@test "sse-tail --latest shows the present values and goes on; --state goes on from there" {
	serve --retain-topic 'hosts=latest'
	seq 10 | sed 's/.*/web& up/' | batch hosts
	value hosts web3 down
	value hosts web4 ''
	export SSE_URL=$URL
	sse-tail hosts --latest --until end -o data --state id >values
	[ "$(sort values | uniq -c | xargs)" = '1 down 8 up' ]
	: >live
	sse-tail hosts --latest -o data >live 3>&- &
	local tail=$!
	wait_for lines_of live 9
	value hosts web5 down
	text hosts 'no subject'
	wait_for has live 'no subject'
	[ "$(tail -n 2 live)" = $'down\nno subject' ]
	kill "$tail"
	# What changed since then, each once, and what was cleared since then as an event without data.
	value hosts web3 ''
	value hosts web5 up
	sse-tail hosts --latest --until end --state id -F '<%d>' >values
	is $'<>\n<up>' <values
}

stored_lines() {
	[ "$(stored "$1" | wc -l)" -eq "$2" ]
}

@test "a new rule removes what stands superseded, after the start" {
	serve
	seq 5000 | sed 's/.*/s& old/' | batch a
	seq 5000 | sed 's/.*/s& new/' | batch a
	seq 10 | sed 's/.*/x &/' | batch b
	stop
	serve --retain-topic 'a=latest' --retain-topic 'b=latest,,3'
	wait_for stored_lines a 5000
	wait_for stored_lines b 1
	presents a | grep -c ' new$' | is 5000
	# A restart without the rule finds nothing to do, and the counts right.
	stop
	sse-serve --verify --db events.db
	serve
	stored_lines a 5000
	value a s1 newest
	stored_lines a 5001
}

@test "where values expired, a reader that comes back is told, and sent all that there are" {
	serve --retain-topic 'a=latest,3'
	value a x 1
	value a y 1
	value a z 1
	local id
	id=$(header Last-Event-ID)
	value a z ''
	now_of '/api/a/event?latest=1' -H "Last-Event-ID: $id" | is 'z '
	not has ended 'event: gap'
	# The limit takes x, y and what cleared z.
	value a u 1
	value a v 1
	value a w 1
	wait_for stored_lines a 3
	now_of '/api/a/event?latest=1' -H "Last-Event-ID: $id" | is $'u 1\nv 1\nw 1'
	has ended "\"after\":\"$id\""
	has ended '"reason":"expired"'
	# A new reader has nothing to be told of.
	now_of '/api/a/event?latest=1' | is $'u 1\nv 1\nw 1'
	not has ended 'event: gap'
}

# gaps FILE: how many gaps for deletions a reader was told of.
gaps() {
	grep -c '"reason":"deleted"' "$1"
}

# begins_anew FILE: what a reader of values has since its last gap.
begins_anew() {
	awk '/^event: gap/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$1" | pairs
}

@test "where a value is deleted, readers of values are told, now or later, and sent all that there are" {
	local db before deleted
	for db in events.db :memory:; do
		serve --db "$db"
		value a x 1
		value a y 1
		before=$(header Last-Event-ID)
		value a x 2
		deleted=$(header Last-Event-ID)
		value b z 1
		follow values '/api/a/event?latest=1&envelope=1'
		follow many '/api/event?topic=*&latest=1&envelope=1'
		follow others '/api/b/event?latest=1&envelope=1'
		follow plain '/api/a/event?mark=1&envelope=1'
		for file in values many others plain; do
			wait_for has $file uptodate
		done
		ask -X DELETE "$URL/api/a/$deleted"
		answers 204
		for file in values many; do
			wait_for counts $file 'event: uptodate' 2
			[ "$(gaps $file)" -eq 1 ]
			# First which, then the rest.
			[ "$(grep -nm 1 '"event":"deleted"' $file | cut -d: -f1)" -lt \
				"$(grep -nm 1 '^event: gap' $file | cut -d: -f1)" ]
		done
		begins_anew values | is $'x 1\ny 1'
		begins_anew many | is $'x 1\ny 1\nz 1'
		# One that was away, and had the value.
		now_of '/api/a/event?latest=1' -H "Last-Event-ID: $deleted" | is $'x 1\ny 1'
		[ "$(gaps ended)" -eq 1 ]
		has ended '"after":"'"$deleted"'"'
		# It is told once: it knows by its last id how far it has come.
		now_of '/api/a/event?latest=1' -H "Last-Event-ID: $(last_id ended)" | is ''
		not has ended 'event: gap'
		now_of '/api/a/event?latest=1' -H "Last-Event-ID: $(last_id values)" | is ''
		not has ended 'event: gap'
		now_of '/api/a/event?latest=1' | is $'x 1\ny 1'
		not has ended 'event: gap'
		# All up to an event, and all of a topic; who comes later has nothing to be told of.
		ask -X DELETE "$URL/api/a?before=$before"
		answers 204
		wait_for counts values 'event: uptodate' 3
		begins_anew values | is 'y 1'
		value a w 1
		wait_for has values '"subject":"w"'
		ask -X DELETE "$URL/api/a"
		answers 204
		wait_for counts values 'event: uptodate' 4
		begins_anew values | is ''
		value a v 1
		wait_for has values '"subject":"v"'
		wait_for has plain '"subject":"v"'
		value b z 2
		wait_for has others '"z","data":"2"'
		not has others gap
		not has plain gap
		[ "$(gaps values)" -eq 3 ]
		stop
	done
}

@test "kill -9 after a value was deleted: who comes back is told all the same" {
	local deleted
	serve
	value a x 1
	value a x 2
	deleted=$(header Last-Event-ID)
	ask -X DELETE "$URL/api/a/$deleted"
	answers 204
	crash
	serve
	now_of '/api/a/event?latest=1' -H "Last-Event-ID: $deleted" | is 'x 1'
	[ "$(gaps ended)" -eq 1 ]
	# The deletion's own id is not given to an event.
	value a x 3
	now_of '/api/a/event?latest=1' -H "Last-Event-ID: $(last_id ended)" | is 'x 3'
	not has ended 'event: gap'
	stop
	"$BIN/sse-serve" --db events.db --export >log
	"$BIN/sse-serve" --db copy.db --import <log
	serve --db copy.db
	now_of '/api/a/event?latest=1' -H "Last-Event-ID: $deleted" | is 'x 3'
	[ "$(gaps ended)" -eq 1 ]
}

# changes: values of some of ten subjects.
changes() {
	local i
	for i in {1..20}; do
		echo "s$((RANDOM % 10)) $SRANDOM"
	done
}

# keeps_up FILE: does the reader's file end with the last value of each of the ten subjects?
keeps_up() {
	[ "$(pairs <"$1" | awk '{ last[$1] = $2 } END { for (s in last) print s, last[s] }' | sort)" = \
		"$(presents hosts | sort)" ]
}

@test "over kill -9 of the server in its midst, a reader of values ends with the present ones" {
	serve --retain-topic 'hosts=latest'
	local round
	: >live
	sse-tail "$URL/api/hosts/event?envelope=1" --latest -o data --reconnect-delay 100ms \
		>live 2>/dev/null 3>&- &
	for round in 1 2 3; do
		(while changes | batch hosts; do :; done) >/dev/null 2>&1 3>&- &
		wait_for grew live $((round * 100))
		crash
		wait $! || true
		sse-serve --verify --db events.db
		serve_at "$PORT" --retain-topic 'hosts=latest'
		value hosts after "$round"
		# One for each subject, whatever was cut.
		[ "$(stored hosts 'latest=1' | wc -l)" -eq "$(stored hosts | wc -l)" ]
	done
	wait_for keeps_up live
	stop
	sse-serve --verify --db events.db
}

@test "a slow reader of many values gets each, and what changes meanwhile" {
	serve --window 64k
	seq 2000 | sed "s/.*/s& $(letters 300)/" | batch a
	follow slow '/api/a/event?latest=1&envelope=1' --limit-rate 400k
	(until [ -e enough ]; do value a s1 "$SRANDOM"; done) 3>&- &
	local publisher=$!
	wait_for has slow uptodate
	touch enough
	ended "$publisher" 0
	value a s1 last
	wait_for has slow '"data":"last"'
	not has slow 'event: gap'
	# Each once, but for the one that changes.
	pairs <slow | sed 's/ .*//' | grep -vx s1 | sort | uniq -d | is ''
	pairs <slow | sed 's/ .*//' | sort -u | wc -l | is 2000
	pairs <slow | sed '/^s1 /!d' | tail -n 1 | is 's1 last'
	# The ids grow, so that a client can come back at any.
	sed -n 's/^id: .*://p' slow | sort -n -c
}

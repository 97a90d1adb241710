#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: GET /api, the list of topics.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
# ThreadSanitizer runs this file, too.
# NATS runs this file, too.

load access_helpers

# topics [QUERY]: the page into the file topics, a topic each line.
topics() {
	ask "${AS[@]}" -H 'Accept: application/x-ndjson' "$URL/api${1:+?$1}" && answers 200 &&
		cp body topics
}

# names [QUERY]: those of the page, in one line.
names() {
	topics "$@" && jq -r .topic topics | paste -sd ' '
}

# next: the path and query of the next page; nothing after the last.
next() {
	sed -n 's/^Link: <\(.*\)>; rel="next"$/\1/p' head
}

# pages [QUERY]: all pages one after the other into the file pages; PAGES is how many there were.
pages() {
	local query=$1 link
	: >pages
	for ((PAGES = 1; ; PAGES++)); do
		topics "$query" && cat topics >>pages || return
		link=$(next)
		[ -n "$link" ] || break
		query=${link#/api?}
	done
}

# row TOPIC MEMBER: of the file topics.
row() {
	jq -c "select(.topic == \"$1\") | .$2" topics
}

# agree: do the rows of the file topics say what the lists of the topics have?
agree() {
	local topic want
	jq -r .topic topics >asked
	while read -r topic; do
		curl -sf "${AS[@]}" "$URL/api/$topic?envelope=1" >stored || return
		want=$(jq -c '[length, .[-1].id, .[-1].time]' stored)
		jq -c --argjson want "$want" 'select(.topic == "'"$topic"'") |
			select([.events, .id, .time] != $want)' topics >wrong
		[ ! -s wrong ] || { echo "the list has $want:" "$(cat wrong)" >&2; return 1; }
	done <asked
	[ -s asked ]
}

end_follower() {
	kill "$1"
	wait "$1" || true
}

is_unlisted() {
	[[ " $(names) " != *" $1 "* ]]
}

@test "topics are listed in the order of their bytes, with what is stored of each" {
	serve
	[ "$(names)" = users ]
	[ "$(cat topics)" = '{"topic":"users","events":0,"id":null,"time":null,"streams":0}' ]
	local topic
	for topic in b chat/x a/b Z chat a chat-1 '~' a. chat/a/b; do
		text $topic one
	done
	text chat two
	text 'passing?ephemeral=1' x
	[ "$(names)" = 'Z a a. a/b b chat chat-1 chat/a/b chat/x passing users ~' ]
	[ "$(row chat events)" = 2 ]
	[ "$(row chat id)" = "\"$(header Last-Event-ID)\"" ]
	agree
	[ "$(row passing events,.id,.time)" = $'0\nnull\nnull' ]
	# The same as an array, which is what others get.
	ask "$URL/api"
	[ "$(header Content-Type)" = application/json ]
	diff <(jq -c '.[]' body) topics
	[ "$(wc -l <body)" -eq "$(wc -l <topics)" ]
	ask "$URL/api/"
	diff <(jq -c '.[]' body) topics
}

@test "streams are counted as presence counts them, and a name makes its topic known" {
	serve
	text chat/a x
	follow one /api/chat/a/event
	follow two '/api/event?topic=chat/*&topic=late'
	follow three '/api/late/event?as=Ada'
	wait_for has three Ada
	topics
	[ "$(row chat/a streams)" = 2 ]
	[ "$(row late streams)" = 2 ]
	[ "$(row late events)" = 0 ]
	[ "$(row users streams)" = 0 ]
	ask "$URL/api/late/presence"
	has body '"streams":2'
	# Of a room that was only visited nothing stays.
	end_follower "$FOLLOWER"
	follow five '/api/visited/event?as=Ada'
	wait_for has five Ada
	[ "$(names)" = 'chat/a late users visited' ]
	end_follower "$FOLLOWER"
	wait_for is_unlisted visited
	# The server's own topic is not for lists.
	follow four '/api/$sys/event'
	wait_for has four 'event: stats'
	[ "$(names)" = 'chat/a late users' ]
}

@test "patterns and names choose, several any of them" {
	serve
	local topic
	for topic in chat chat/a chat/b chat/a/b logs/chat x; do
		text $topic 1
	done
	[ "$(names 'topic=chat/*')" = 'chat/a chat/b' ]
	[ "$(names 'topic=chat/**')" = 'chat/a chat/a/b chat/b' ]
	[ "$(names 'topic=chat')" = chat ]
	[ "$(names 'topic=*/chat')" = logs/chat ]
	[ "$(names 'topic=*')" = 'chat users x' ]
	[ "$(names 'topic=**')" = "$(names)" ]
	[ "$(names 'topic=x&topic=chat/*/b&topic=logs/**&topic=x')" = 'chat/a/b logs/chat x' ]
	[ "$(names 'topic=none&topic=none/**')" = '' ]
	[ -z "$(next)" ]
	ask "$URL/api?topic=none"
	[ "$(cat body)" = '[]' ]
	[ "$(names 'topic=chat/**&after=chat/a')" = 'chat/a/b chat/b' ]
	[ "$(names 'topic=chat/**&after=chat')" = 'chat/a chat/a/b chat/b' ]
	[ "$(names 'topic=chat/*&topic=x&after=chat/b')" = x ]
	[ "$(names 'topic=chat/**&after=d')" = '' ]
}

@test "pages follow each other by the names, whatever comes and goes between them" {
	serve
	local topic
	for topic in {10..19} a/{1..5} b; do
		text "t$topic" 1
	done
	[ "$(names 'limit=3')" = 't10 t11 t12' ]
	[ "$(next)" = '/api?limit=3&after=t12' ]
	# One before the next page, one in it.
	text t0 1
	text t13.5 1
	[ "$(names 'limit=3&after=t12')" = 't13 t13.5 t14' ]
	# The name need not be known.
	[ "$(names 'limit=2&after=t13.7')" = 't14 t15' ]
	pages 'limit=4&topic=ta/*&topic=users'
	[ "$PAGES" -eq 2 ]
	[ "$(jq -r .topic pages | paste -sd ' ')" = 'ta/1 ta/2 ta/3 ta/4 ta/5 users' ]
	# A page that is full, and nothing after it.
	[ "$(names 'limit=5&topic=ta/*')" = 'ta/1 ta/2 ta/3 ta/4 ta/5' ]
	[ -z "$(next)" ]
	pages 'limit=1'
	topics
	diff pages topics
	[ "$PAGES" -eq "$(wc -l <topics)" ]
}

@test "topics that are forgotten are left out, and paging goes on where they were" {
	serve --window 64k
	local i
	for i in {1..300}; do
		printf 'url = "%s/api/gone/%s?ephemeral=1"\n' "$URL" "$i"
	done >config
	curl -sf -K config -H 'Content-Type: text/plain' -d 1
	text kept 1
	[ "$(names 'topic=gone/*&limit=2')" = 'gone/1 gone/10' ]
	# The window goes on, and the registry with it.
	letters 4000 >large
	forgotten() {
		text kept @large
		[ "$(names 'topic=gone/*&after=gone/10')" = '' ]
	}
	wait_for forgotten
	[ "$(names)" = 'kept users' ]
}

@test "the list says after which event a stream goes on without a seam" {
	serve
	text a 1
	text b 2
	topics
	local id
	id=$(header Last-Event-ID)
	text b 3
	text c 4
	follow stream '/api/event?topic=**' -H "Last-Event-ID: $id"
	wait_for has stream 'data: 4'
	[ "$(data stream)" = $'3\n4' ]
}

@test "HEAD, OPTIONS and pages of other sites get what they get for lists" {
	serve --cors https://good.example
	text a 1
	ask --head "$URL/api?limit=1"
	answers 200
	[ "$(header Content-Length)" -gt 10 ]
	[ "$(next)" = '/api?limit=1&after=a' ]
	[ ! -s body ] || not has body topic
	ask -X OPTIONS "$URL/api" -H 'Origin: https://good.example'
	answers 204
	[[ $(header Allow) = GET,\ HEAD* ]]
	ask "$URL/api?limit=1" -H 'Origin: https://good.example'
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
	[[ $(header Access-Control-Expose-Headers) = *Link* ]]
	[ "$(header Cache-Control)" = no-cache ]
	ask -X DELETE "$URL/api"
	answers 405
}

@test "a slip in the query is refused with what would be right" {
	serve --max-topics-per-stream 3
	local limit
	for limit in 0 -1 x 10001 '' 1.5; do
		ask "$URL/api?limit=$limit"
		problem 400 'limit must be a number from 1 to 10000'
	done
	ask "$URL/api?after=a//b"
	problem 400 'give the topic after which the list begins'
	ask "$URL/api?after="
	problem 400 'cannot be empty'
	ask "$URL/api?topic=a&topic=b&topic=c&topic=d"
	problem 400 'at most 3 topics (--max-topics-per-stream)'
	ask "$URL/api?topic=a*"
	problem 400 'topic=a*: '
	ask "$URL/api?topic=%24sys"
	problem 400 'topic=$sys'
	ask "$URL/api?x=a"
	problem 400 "'x' is not a parameter of /api, which takes topic, limit and after"
	ask "$URL/api?limit=10000"
	answers 200
}

@test "as many patterns as fit into the Link to the next page are paged" {
	serve
	local name query='limit=1' i
	for i in {10..30}; do
		name=$(letters 190 n)/$i
		query+="&topic=$name/*"
	done
	text "$name/1" 1
	text "$name/2" 1
	[ "$(names "$query")" = "$name/1" ]
	[ "$(names "$(next | sed 's/.*?//')")" = "$name/2" ]
	[ -z "$(next)" ]
	ask "$URL/api?$query&topic=$name"
	problem 400 'more than the 4096 that fit into the Link'
}

@test "only what one may read is listed, and nothing of the rest can be counted" {
	(umask 077 && all_lines >rules)
	serve --access rules
	as root
	local topic
	for topic in chat/{a..d} chat/a/{a..d} news other secret; do
		text "$topic" 1 "${AS[@]}"
		answers 201
	done
	[ "$(names 'limit=5')" = 'chat/a chat/a/a chat/a/b chat/a/c chat/a/d' ]
	# Of everyone.
	AS=()
	[ "$(names)" = news ]
	[ -z "$(next)" ]
	as star
	[ "$(names)" = 'chat/a chat/b chat/c chat/d news' ]
	[ "$(names 'topic=chat/**')" = 'chat/a chat/b chat/c chat/d' ]
	[ "$(names 'topic=secret&topic=other')" = '' ]
	[ "$(names 'topic=chat/a/**')" = '' ]
	# After the last page there are only others' topics.
	[ "$(names 'topic=chat/**&limit=4')" = 'chat/a chat/b chat/c chat/d' ]
	[ -z "$(next)" ]
	pages 'limit=2'
	[ "$PAGES" -eq 3 ]
	[ "$(jq -r .topic pages | paste -sd ' ')" = 'chat/a chat/b chat/c chat/d news' ]
	as deep
	[ "$(names 'after=chat/a&limit=2')" = 'chat/a/a chat/a/b' ]
	as reader
	[ "$(names | wc -w)" -eq 12 ]
	# Everyone may read news, and so may who only publishes.
	as writer
	[ "$(names)" = news ]
}

@test "who may read no topic at all gets 401 or 403, and a wrong proof is none" {
	(umask 077 && all_lines | grep -v '^anonymous' >rules)
	serve --access rules
	ask "$URL/api"
	problem 401 'requires a proof'
	[ "$(header WWW-Authenticate)" = 'Bearer realm="sse-serve"' ]
	ask --head "$URL/api/"
	answers 401
	as writer
	ask "${AS[@]}" "$URL/api"
	problem 403 'writer may not read any topic'
	[[ $(header WWW-Authenticate) = *insufficient_scope* ]]
	as looker
	ask "${AS[@]}" "$URL/api?topic=chat/*"
	answers 403
	as eve
	ask "${AS[@]}" "$URL/api"
	answers 401
	[[ $(header WWW-Authenticate) = *invalid_token* ]]
	log_in star
	text chat/a 1 "${AS[@]}"
	answers 201
	AS=(-H "Cookie: $SESSION")
	[ "$(names)" = chat/a ]
	AS=(-H "Cookie: $SESSION"x)
	ask "${AS[@]}" "$URL/api"
	answers 401
}

@test "after a restart the list is the same, but for what was not stored" {
	serve --retain-topic 'logs/**=,2'
	local i
	for i in 1 2 3 4 5; do
		text logs/a $i
		text logs/b $i
		text notes $i
	done
	text 'passing?ephemeral=1' 1
	topics
	agree
	[ "$(row logs/a events)" = 2 ]
	[ "$(row notes events)" = 5 ]
	sed /passing/d topics >before
	stop
	# Without rules the counts go on.
	serve
	topics
	diff topics before
	text logs/a 6
	text new 1
	topics
	agree
	[ "$(row logs/a events)" = 3 ]
	stop
	# All of a topic is gone; it stays known.
	serve --retain 1s
	gone_all() { [ "$(topics && jq -c '[.events, .id]' topics | sort -u)" = '[0,null]' ]; }
	wait_for gone_all
	[ "$(names)" = 'logs/a logs/b new notes users' ]
	agree
}

@test "the list of a log in memory counts what is still in the window" {
	serve --db :memory: --window 64k --max-body 4k
	letters 2000 >large
	text early 1
	local i
	for i in {1..50}; do
		text busy @large
	done
	text late 1
	[ "$(names)" = 'busy early late users' ]
	[ "$(row early events,.id)" = $'0\nnull' ]
	[ "$(row late events)" = 1 ]
	[ "$(row busy events)" -lt 50 ]
	agree
}

# publish_all FILE: to 40 topics, for as long as the server is there; each answer goes to the file.
publish_all() {
	local i
	while :; do
		for i in {1..40}; do
			printf '%s\n' "$i" "$i" >lines
			printf 'next\nurl = "%s/api/t/%s"\nsilent\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' \
				"$URL" "$i"
			printf 'header = "Content-Type: application/x-ndjson"\ndata-binary = @lines\n'
		done >config
		curl -K config >>"$1" 2>/dev/null || return 0
	done
}

@test "after kill -9 in the midst of publishing, the counts are those of the lists" {
	serve --retain-topic 't/1=,5'
	local round
	for round in 1 2 3; do
		: >"codes.$round"
		publish_all "codes.$round" 3>&- &
		# More than five events of each topic, and a moment of its own in each round.
		wait_for grew "codes.$round" $((80 + round * 30))
		# While it goes on, too, a row is as of one moment.
		topics
		jq -c 'select((.events == 0) != (.id == null))' topics >torn
		[ ! -s torn ]
		crash
		wait
		serve_at "$PORT" --retain-topic 't/1=,5'
		pages 'limit=7'
		mv pages topics
		[ "$(wc -l <topics)" -eq 41 ]
		agree
		[ "$(row t/1 events)" = 5 ]
	done
	stop
	run -0 sse-serve --verify --db events.db
}

# many COUNT: an export of that many topics of one event each.
many() {
	awk -v n="$1" 'BEGIN {
		print "{\"sse-log\":1,\"head\":" n "}\n{\"incarnation\":\"abcdefgh\",\"opened\":0}"
		for (i = 0; i < n; i++)
			print "{\"topic\":\"" name(i) "\",\"removed\":0}"
		for (i = 0; i < n; i++)
			printf "{\"topic\":\"%s\",\"id\":\"abcdefgh:%d\",\"time\":" \
				"\"2026-11-30T07:35:19.587Z\",\"event\":\"update\",\"data\":1}\n", name(i), i + 1
		print "{\"end\":true,\"events\":" n ",\"keys\":0}"
	}
	function name(i) { return (i % 2 ? "chat/" : "logs/app/") (i * 7919 % n) }'
}

@test "100000 topics: all pages together are all topics, and deliveries go on meanwhile" {
	many 100000 | sse-serve --import --db events.db
	serve
	pages 'limit=10000'
	[ "$PAGES" -eq 11 ]
	[ "$(wc -l <pages)" -eq 100001 ]
	jq -r .topic pages >got
	LC_ALL=C sort -c got
	[ "$(jq -c 'select(.events != 1)' pages | wc -l)" -eq 1 ]
	pages 'topic=chat/**&limit=9999'
	[ "$(wc -l <pages)" -eq 50000 ]
	[ "$(names 'topic=logs/app/*&limit=2&after=logs/app/99')" = 'logs/app/990 logs/app/9900' ]
	[ "$(names 'topic=*/*/*/*')" = '' ]
	# Many lists that find nothing, and a stream.
	follow stream /api/chat/1/event
	local i jobs=()
	for i in 1 2 3 4 5 6 7 8; do
		curl -sf "$URL/api?topic=*/x&topic=*/y/*" >"found.$i" 3>&- &
		jobs+=($!)
	done
	for i in {1..20}; do
		text chat/1 "now $i"
		wait_for has stream "data: now $i"
	done
	wait "${jobs[@]}"
	cat found.* | sort -u | is '[]'
}

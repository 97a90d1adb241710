#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: publishing and reading over HTTP, and the answers to bad requests.
# shellcheck disable=SC2154,SC2016

load serve_helpers

@test "the tutorial's curl line gets 201, no body, and where the event is" {
	serve
	json users '{"firstname":"John","lastname":"DOE"}'
	answers 201
	[ ! -s body ]
	[[ $(header Last-Event-ID) =~ ^[A-Za-z0-9]+:1$ ]]
	[ "$(header Location)" = "/api/users/$(header Last-Event-ID)" ]
	ask "$URL$(header Location)"
	answers 200
	[ "$(header Content-Type)" = application/json ]
	[ "$(cat body)" = '{"firstname":"John","lastname":"DOE"}' ]
	ask "$URL/api/users"
	[ "$(cat body)" = '[{"firstname":"John","lastname":"DOE"}]' ]
}

@test "other fields of a user are left out, and white space and key order do not matter" {
	serve
	json users ' { "age" : 7, "lastname" : "D\u00d6E" ,"x":{"firstname":"no"},"firstname":"J" } '
	answers 201
	ask "$URL/api/users"
	[ "$(cat body)" = '[{"firstname":"J","lastname":"D\u00d6E"}]' ]
}

@test "a user without its fields is refused, and the answer names the field" {
	serve
	json users '{"lastname":"DOE"}'
	problem 400 "'firstname' is missing"
	json users '{"firstname":"John"}'
	problem 400 "'lastname' is missing"
	json users '{"firstname":"John","lastname":7}'
	problem 400 "'lastname' must be a string"
	json users '{"firstname":null,"lastname":"DOE"}'
	problem 400 "'firstname' must be a string"
	json users '{"firstname":"a","firstname":"b","lastname":"c"}'
	problem 400 "'firstname' appears twice"
	json users '{"firstname":"a","\u0066irstname":"b","lastname":"c"}'
	problem 400 "'firstname' appears twice"
	json users '["firstname","lastname"]'
	problem 400 "JSON object"
	json users '"x"'
	problem 400 "JSON object"
	ask "$URL/api/users"
	[ "$(cat body)" = '[]' ]
}

@test "what is not JSON is refused, and the answer says at which byte" {
	serve
	local bad
	for bad in '' '{' '{"a":1' '{"a":1}x' '{"a":1} {"b":2}' '{a:1}' "{'a':1}" '[1,]' '01' '1.' \
		'+1' '.5' '1e' 'nul' 'True' 'NaN' '"\x"' '"\u12"' '[1 2]' '{"a" 1}' ']' '/**/1'; do
		json any "$bad"
		problem 400 'the body is not JSON: at byte'
	done
	printf '\xef\xbb\xbf{}' >bom
	json any @bom
	problem 400 'at byte 1'
	printf '"a\tb"' >tab
	json any @tab
	problem 400 'at byte 3'
	ask "$URL/api/any"
	[ "$(cat body)" = '[]' ]
}

@test "JSON that is nested deeper than 200 is refused, however deep" {
	serve
	{ letters 200 '['; letters 200 ']'; } >deep
	json any @deep
	answers 201
	{ letters 201 '['; letters 201 ']'; } >deep
	json any @deep
	problem 400 'deeper than 200'
	letters 100000 '[' >deep
	json any @deep
	problem 400 'deeper than 200'
	yes '{"a":' | head -n 100000 >deep
	json any @deep
	problem 400 'deeper than 200'
}

@test "invalid UTF-8 and NUL are refused, as JSON and as text" {
	serve
	printf '"a\xff"' >bad
	json any @bad
	problem 400 'at byte 3'
	printf '"\xed\xa0\x80"' >bad
	json any @bad
	problem 400 'at byte 2'
	printf 'ab\xc0\xaf' >bad
	text any @bad
	problem 400 'not UTF-8: byte 3'
	printf 'a\0b' >bad
	text any @bad
	problem 400 'NUL'
	json any @bad
	problem 400 'not JSON'
	printf '"a\0b"' >bad
	json any @bad
	problem 400 'at byte 3'
	json any '"\u0000"'
	answers 201
}

@test "numbers keep the digits that came" {
	serve
	json any '{"b":1.0e+007, "a":123456789012345678901234567890.10,"b":-0}'
	answers 201
	ask "$URL/api/any"
	[ "$(cat body)" = '[{"b":1.0e+007, "a":123456789012345678901234567890.10,"b":-0}]' ]
}

@test "a missing or wrong Content-Type is 415 and says which are taken" {
	serve
	ask -H 'Content-Type:' -d '{}' "$URL/api/any"
	problem 415 'application/json, application/x-ndjson or text/plain'
	local type
	for type in application/x-www-form-urlencoded 'multipart/form-data; boundary=x' text/html \
		application/jsonp application/x-json; do
		ask -H "Content-Type: $type" -d '{}' "$URL/api/any"
		problem 415 "$type"
	done
	ask -H 'Content-Type: application/json; charset=iso-8859-1' -d '{}' "$URL/api/any"
	problem 415 'UTF-8'
	ask -H 'Content-Type: Application/JSON ;charset="UTF-8"' -d '{}' "$URL/api/any"
	answers 201
	text users 'John DOE'
	problem 415 'application/json'
	ask "$URL/api/users"
	[ "$(cat body)" = '[]' ]
}

@test "every type that ends with +json is taken as JSON is" {
	serve
	local type
	for type in application/vnd.api+json 'Application/LD+JSON; charset=utf-8' application/x+y+json; do
		ask -H "Content-Type: $type" -d '{"b":1.0, "a":2}' "$URL/api/any"
		answers 201
		ask -H "Content-Type: $type" -d '{a}' "$URL/api/any"
		problem 400 'the body is not JSON: at byte 2'
		ask -H "Content-Type: $type" -d '{}' "$URL/api/users"
		problem 400 "'firstname' is missing"
	done
	ask -H 'Content-Type: application/vnd.api+json; charset=iso-8859-1' -d '{}' "$URL/api/any"
	problem 415 'UTF-8'
	for type in application/+json application/json+x application/x+jsons image/svg+json text/x+json \
		'application/xml;x=+json'; do
		ask -H "Content-Type: $type" -d '{}' "$URL/api/any"
		problem 415 'application/json (or another +json), application/x-ndjson or text/plain'
	done
	ask "$URL/api/any"
	[ "$(tr -d '\n' <body)" = '[{"b":1.0, "a":2},{"b":1.0, "a":2},{"b":1.0, "a":2}]' ]
}

@test "a body in a coding is 415 and told to come without one" {
	serve
	local coding
	gzip -c <<<'{}' >packed
	for coding in gzip x-gzip deflate br 'identity, gzip'; do
		ask -H "Content-Encoding: $coding" -H 'Content-Type: application/json' \
			--data-binary @packed "$URL/api/any"
		problem 415 "the Content-Encoding '$coding' is not accepted: send the body as it is"
		[ "$(header Accept-Encoding)" = identity ]
	done
	# It is the head that is refused, whatever the body is.
	text 'any?ephemeral=1' x -H 'Content-Encoding: gzip'
	problem 415 Content-Encoding
	text any 1 -H 'Content-Encoding: Identity'
	answers 201
	text any 2 -H 'Content-Encoding;'
	answers 201
	ask "$URL/api/any"
	[ "$(tr -d '\n' <body)" = '["1","2"]' ]
}

@test "a page of another site cannot publish, not even by a form" {
	serve
	text any hello -H 'Origin: https://evil.example'
	problem 403 'https://evil.example'
	text any hello -H 'Origin: null'
	problem 403 'null'
	text any hello -H 'Sec-Fetch-Site: cross-site'
	problem 403 'another site'
	json any '{}' -H "Origin: http://localhost:1$PORT"
	problem 403 'may not publish'
	text any hello -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: same-origin'
	problem 403 'may not publish'
	ask "$URL/api/any"
	[ "$(cat body)" = '[]' ]
	text any hello -H "Origin: $URL" -H 'Sec-Fetch-Site: same-origin'
	answers 201
	[ -z "$(header Access-Control-Allow-Origin)" ]
}

@test "--cors lets the pages of one origin publish and read, and no others" {
	serve --cors https://good.example --cors http://also.example:81
	text any hello -H 'Origin: https://good.example' -H 'Sec-Fetch-Site: cross-site'
	answers 201
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
	[[ $(header Access-Control-Expose-Headers) = *Last-Event-ID*Location* ]]
	[ "$(header Vary)" = Origin ]
	text any hello -H 'Origin: http://also.example:81'
	answers 201
	text any hello -H 'Origin: https://good.example.evil.example'
	problem 403 'may not publish'
	[ -z "$(header Access-Control-Allow-Origin)" ]
	ask -X OPTIONS -H 'Origin: https://good.example' \
		-H 'Access-Control-Request-Method: POST' "$URL/api/any"
	answers 204
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
	[[ $(header Access-Control-Allow-Methods) = *POST* ]]
	[[ $(header Access-Control-Allow-Headers) = *Content-Type*Last-Event-ID* ]]
	ask -X OPTIONS -H 'Origin: https://evil.example' "$URL/api/any"
	[ -z "$(header Access-Control-Allow-Origin)" ]
	json any '{' -H 'Origin: https://good.example'
	problem 400 'not JSON'
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
	follow stream /api/any/event -i -H 'Origin: https://good.example'
	has stream 'Access-Control-Allow-Origin: https://good.example'
}

@test "--cors '*' lets every page read and publish" {
	serve --cors '*'
	text any hello -H 'Origin: https://anyone.example' -H 'Sec-Fetch-Site: cross-site'
	answers 201
	[ "$(header Access-Control-Allow-Origin)" = '*' ]
	ask -H 'Origin: null' "$URL/api/any"
	[ "$(header Access-Control-Allow-Origin)" = '*' ]
}

@test "a bad topic is refused, with what a topic is made of" {
	serve
	local bad
	for bad in event presence a/event/b a/presence/b . .. a/../b %2e%2e a//b a/ /a 'a%20b' 'a%2Cb' \
		'%24sysx' 'a%24sys' 'a/%24sys' 'a%E2%80%AE' 'a@b' 'a%0ab'; do
		ask --path-as-is -H 'Content-Type: text/plain' -d x "$URL/api/$bad"
		problem 400 'topic'
		ask --path-as-is "$URL/api/$bad"
		problem 400 'topic'
	done
	ask --path-as-is "$URL/api//"
	problem 400 'empty'
	ask --path-as-is -d x -H 'Content-Type: text/plain' "$URL/api/a%00b"
	problem 400 NUL
	ask "$URL/api/a%zz"
	problem 400 'percent escape'
	ask "$URL/api/a%4"
	problem 400 'percent escape'
	text "$(letters 200)" x
	answers 201
	text "$(letters 201)" x
	problem 400 'at most 200'
	text 'chat/lobby.1/~me_-' x
	answers 201
}

@test "an event type has no newline, is not one of the server's own, and is not empty" {
	serve
	text 'any?event=a%0ab' x
	problem 400 'contains a newline'
	text 'any?event=a%0Db' x
	problem 400 'contains a newline'
	text 'any?event=a%00b' x
	problem 400 'NUL'
	text 'any?event=%ff' x
	problem 400 'UTF-8'
	text 'any?event=' x
	problem 400 empty
	text "any?event=$(letters 201)" x
	problem 400 200
	local type
	for type in gap join leave; do
		text "any?event=$type" x
		problem 400 'gap, join, leave, denied, uptodate, closed and deleted'
	done
	text 'any?_=1&event=b%C3%A4d+news' x
	answers 201
	ask "$URL/api/any?envelope=1"
	has body '"event":"bäd news"'
}

@test "a body over the limit is 413 before it was sent whole, by length and in chunks" {
	serve --max-body 1000
	letters 1000 >fits
	text any @fits
	answers 201
	letters 1001 >over
	text any @over
	problem 413 '1000 bytes'
	text any @over -H 'Transfer-Encoding: chunked'
	problem 413 '--max-body'
	# Only the head is sent: the answer comes all the same.
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1001\r\n\r\n' |
		raw >answer
	has answer 'HTTP/1.1 413'
	# Nobody ever says that the chunks end.
	{
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n'
		printf 'Transfer-Encoding: chunked\r\n\r\n320\r\n'
		letters 800
		printf '\r\n320\r\n'
		letters 800
		printf '\r\n'
	} | raw >answer
	has answer 'HTTP/1.1 413'
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n' |
		raw >answer
	grep -aq '^HTTP/1.1 4[01][03]' answer
	ask "$URL/api/any"
	[ "$(grep -c x body)" -eq 1 ]
}

@test "a body of many megabytes over the limit gets its answer, not a reset" {
	serve
	letters 30000000 >large
	text any @large -H 'Expect:'
	problem 413 '1048576'
	text any @large -H 'Expect:' -H 'Transfer-Encoding: chunked'
	problem 413 '1048576'
}

@test "a client that sends its request too slowly is cut off" {
	serve --request-timeout 1s
	printf 'POST /api/any HT' | raw >answer
	printf 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ' | raw >answer
	# A byte now and then is no sign of life: the whole request has a limit.
	{
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\n'
		for _ in {1..500}; do
			printf x 2>/dev/null || break
			sleep 0.02
		done
	} | raw >answer 2>/dev/null
	not has answer ' 201 '
	ask "$URL/api/any"
	[ "$(cat body)" = '[]' ]
}

@test "text is stored with LF for each of CR, LF and CRLF, and the list and the stream agree" {
	serve
	follow stream /api/any/event
	printf 'a\rb\nc\r\nd\r\r\n\ne' >lines
	text any @lines
	answers 201
	wait_for has stream 'data: e'
	ask "$URL/api/any"
	[ "$(cat body)" = '["a\nb\nc\nd\n\n\ne"]' ]
	[ "$(grep -c '^data: ' stream)" -eq 7 ]
	not grep -q $'\r' stream
	text any ''
	answers 201
	printf 'x\r' >lines
	text any @lines
	ask "$URL/api/any?limit=2"
	[ "$(cat body)" = '["",
"x\n"]' ]
}

@test "one event is served as what it is: JSON, or text" {
	serve
	printf 'two\nlines' >lines
	text any @lines
	ask "$URL$(header Location)"
	answers 200
	[ "$(header Content-Type)" = 'text/plain; charset=utf-8' ]
	[ "$(cat body)" = $'two\nlines' ]
	json 'any?event=news' '[1]'
	local location
	location=$(header Location)
	ask "$URL$location?envelope=1"
	[[ $(cat body) =~ ^\{\"topic\":\"any\",\"id\":\"[^\"]+:2\",\"time\":\"[0-9T:.-]+Z\",\"event\":\"news\",\"data\":\[1\]\}$ ]]
	ask "$URL${location/any/other}"
	problem 404 other
	ask "$URL${location%:2}:3"
	problem 404 any
	ask "$URL/api/any/AAAAAAAA:1"
	problem 404 any
	ask "$URL/api/any/x:"
	problem 404 any
	ask -X PUT "$URL$location"
	problem 405 GET
}

@test "the list has the newest N, those before an id, and those since a time" {
	serve
	local i ids=()
	for i in 1 2 3 4 5 6; do
		json any "$i"
		ids[i]=$(header Last-Event-ID)
		json other "$i"
	done
	ask "$URL/api/any"
	[ "$(tr -d '\n' <body)" = '[1,2,3,4,5,6]' ]
	ask "$URL/api/any?limit=2"
	[ "$(tr -d '\n' <body)" = '[5,6]' ]
	ask "$URL/api/any?limit=2&before=${ids[5]}"
	[ "$(tr -d '\n' <body)" = '[3,4]' ]
	ask "$URL/api/any?limit=99&before=${ids[3]}"
	[ "$(tr -d '\n' <body)" = '[1,2]' ]
	ask "$URL/api/any?before=${ids[1]}"
	[ "$(cat body)" = '[]' ]
	ask "$URL/api/any?since=1h"
	[ "$(tr -d '\n' <body)" = '[1,2,3,4,5,6]' ]
	ask "$URL/api/any?since=all&limit=1"
	[ "$(tr -d '\n' <body)" = '[6]' ]
	ask "$URL/api/any?since=2000-01-01T00:00:00%2B01:00"
	[ "$(tr -d '\n' <body)" = '[1,2,3,4,5,6]' ]
	ask "$URL/api/any?since=2999-01-01T00:00:00.5Z"
	[ "$(cat body)" = '[]' ]
	[ "$(header Vary)" = 'Accept, Accept-Encoding' ]
	ask -H 'Accept: application/x-ndjson' "$URL/api/any?limit=3"
	[ "$(header Content-Type)" = application/x-ndjson ]
	[ "$(header Vary)" = 'Accept, Accept-Encoding' ]
	[ "$(cat body)" = $'4\n5\n6' ]
	ask -H 'Accept: application/json, application/x-ndjson;q=0.5' "$URL/api/any?limit=1"
	[ "$(header Content-Type)" = application/json ]
}

@test "an NDJSON list has one line an event, also for JSON of several lines" {
	serve
	printf '{\n"a":\r\n[1,\r2]}\n' >lines
	json any @lines
	answers 201
	ask -H 'Accept: application/x-ndjson' "$URL/api/any?envelope=1"
	[ "$(wc -l <body)" -eq 1 ]
	node -e '
		const line = JSON.parse(require("fs").readFileSync("body", "utf8"))
		process.exit(line.data.a[1] === 2 && line.event === "update" ? 0 : 1)'
}

@test "a bad limit, before or since is refused, with what would be right" {
	serve
	json any 1
	local bad
	for bad in 0 -1 x 1.5 '' 99999999999999999999; do
		ask "$URL/api/any?limit=$bad"
		[ -z "$bad" ] || problem 400 limit
	done
	ask "$URL/api/any?before=AAAAAAAA:1"
	problem 400 before
	ask "$URL/api/any?before=7"
	problem 400 before
	for bad in yesterday 10x -5m 1.h .5h 0.0001s 2026-13-01T00:00:00Z 2026-02-30 17640000001; do
		ask "$URL/api/any?since=$bad"
		problem 400 "since: '$bad'"
	done
	ask "$URL/api/any?since=2026-11-27T10:00:00"
	problem 400 'no time zone: end it with Z'
}

@test "since is how long ago, Unix time, a date, or a time with its zone" {
	serve
	json any 1
	local now past later form
	now=$(date +%s) past=$((now - 3600)) later=$((now + 3600))
	for form in 1h 0.5h 3600 "$past" "$past.25" "${past}123" "$(date -u -d "@$past" +%FT%TZ)" \
		"$(date -u -d "@$((now - 86400))" +%F)" all; do
		ask "$URL/api/any?since=$form"
		[ "$(cat body)" = '[1]' ]
	done
	for form in "$later" "$later.5" "${later}000" "$(date -u -d "@$later" +%FT%TZ)" \
		"$(date -u -d "@$((now + 172800))" +%F)"; do
		ask "$URL/api/any?since=$form"
		[ "$(cat body)" = '[]' ]
	done
}

@test "a parameter that cannot be decoded is refused, not ignored" {
	serve
	json any 1
	json any 2
	ask "$URL/api/any?limit=%zz"
	answers 400
	ask "$URL/api/any?before=%00"
	answers 400
	ask "$URL/api/any?since=1%"
	answers 400
}

@test "a parameter that is misspelt or of something else is refused, and the answer says what is taken" {
	serve
	json any 1
	ask "$URL/api/any?limt=1"
	problem 400 "'limt' is not a parameter of a list; did you mean 'limit'?"
	ask "$URL/api/any?foo=1&limit=1"
	problem 400 "'foo' is not a parameter of a list, which takes limit, before, after, since, latest, wait and envelope"
	ask --max-time 9 "$URL/api/any/event?limit=1"
	problem 400 "'limit' is a parameter of a list, not of a topic's stream, which takes"
	ask "$URL/api/any/presence?envelope=1"
	problem 400 'presence, which takes none'
	text 'any?since=1m' 2
	problem 400 "'since' is a parameter of a topic's stream, not of a POST, which takes"
	text 'any?evnt=news' 2
	problem 400 "did you mean 'event'?"
	ask "$URL/api/any?%22%0a%ff=1"
	problem 400 'is not a parameter of a list'
	node -e 'JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(require("fs").readFileSync("body")))'
	ask "$URL/api/any"
	[ "$(cat body)" = '[1]' ]
	# HEAD is GET without a body, OPTIONS is not about the query.
	ask --head "$URL/api/any?limt=1"
	answers 400
	ask --head "$URL/api/any/event?limit=1"
	answers 400
	ask -X OPTIONS "$URL/api/any?limt=1"
	answers 204
	# A wrong method or target is told before its parameters.
	ask -X PUT "$URL/api/any?limt=1"
	problem 405 POST
	ask "$URL/api/a//b?limt=1"
	problem 400 'topic'
}

@test "a name that begins with _ is ignored, as is the query of what is not the API" {
	serve
	text 'any?_=1785621600000&_token=x%20y&_' 1
	answers 201
	ask "$URL/api/any?_=1&limit=1&_=2"
	[ "$(cat body)" = '["1"]' ]
	follow stream '/api/any/event?_&since=all'
	wait_for has stream 'data: 1'
	local path
	for path in / /healthz /readyz /metrics; do
		ask "$URL$path?limt=1&limt=2&x=%zz&%00"
		answers 200
	done
	ask "$URL/chat?room=lobby"
	answers 200
}

@test "an unknown topic is an empty list" {
	serve
	ask "$URL/api/nobody/was/here"
	answers 200
	[ "$(cat body)" = '[]' ]
	[[ $(header Last-Event-ID) = *:0 ]]
	ask -H 'Accept: application/x-ndjson' "$URL/api/nobody"
	[ ! -s body ]
}

@test "HEAD is answered like GET, without a body" {
	serve
	user John DOE
	ask --head "$URL/api/users"
	answers 200
	[[ $(header Last-Event-ID) = *:1 ]]
	ask --head "$URL/healthz"
	answers 200
	ask --head "$URL/api/users/event"
	answers 200
	[ "$(header Content-Type)" = text/event-stream ]
	# It has no length.
	[ -z "$(header Content-Length)" ]
	ask --head "$URL/nothing"
	answers 404
	# On one connection: a body would be taken for the next answer.
	curl -sS --head "$URL/api/users" --next -sS "$URL/healthz" >both
	[ "$(tail -n 1 both)" = ok ]
	# An answer without a length ends with its connection, since nothing else tells where it ends.
	curl -sS --head "$URL/api/users/event" --next -sS "$URL/healthz" >both
	[ "$(tail -n 1 both)" = ok ]
	head -c 200000 /dev/zero | tr '\0' x >large
	for _ in {1..8}; do
		ask -H 'Content-Type: text/plain' --data-binary @large "$URL/api/large"
		answers 201
	done
	curl -sS --head "$URL/api/large" --next -sS "$URL/healthz" >both
	grep -qx $'Transfer-Encoding: chunked\r' both
	[ "$(tail -n 1 both)" = ok ]
}

@test "a wrong method is 405 and told which are right; OPTIONS tells too" {
	serve
	local method
	for method in PUT PATCH TRACE FOO; do
		ask -X "$method" "$URL/api/users"
		problem 405 POST
		[ "$(header Allow)" = 'GET, HEAD, POST, DELETE, OPTIONS' ]
	done
	ask -X POST -d x "$URL/api/users/event"
	problem 405 GET
	[ "$(header Allow)" = 'GET, HEAD, OPTIONS' ]
	ask -X POST -d x "$URL/"
	problem 405 GET
	ask -X OPTIONS "$URL/api/users"
	answers 204
	[ "$(header Allow)" = 'GET, HEAD, POST, DELETE, OPTIONS' ]
	[ -z "$(header Access-Control-Allow-Origin)" ]
}

@test "OPTIONS * asks what the server takes at all" {
	serve
	printf 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw | tr -d '\r' >answer
	has answer 'HTTP/1.1 204 No Content'
	grep -qx 'Allow: GET, HEAD, POST, DELETE, OPTIONS' answer
	printf 'OPTIONS * HTTP/1.0\r\n\r\n' | raw >answer
	has answer ' 204 No Content'
	printf 'GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >answer
	has answer 'HTTP/1.1 400'
	has answer 'which accepts only OPTIONS'
	printf 'OPTIONS *x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >answer
	has answer 'HTTP/1.1 400'
	ask -X OPTIONS "$URL/api/any/event?x"
	answers 204
	[ "$(header Allow)" = 'GET, HEAD, OPTIONS' ]
}

@test "a wrong address says what would be right" {
	serve
	ask "$URL/users"
	problem 404 'if you meant the topic users, it is at /api/users, and its stream at /api/users/event'
	ask "$URL/logs/a/event"
	problem 404 'its stream at /api/logs/a/event'
	ask "$URL/event"
	problem 404 'topics are at /api/TOPIC, and their streams at /api/TOPIC/event'
	ask -d x "$URL/users"
	problem 405 'events are published at /api/TOPIC'
	ask -d x "$URL/api/users/event"
	problem 405 'events are published at /api/users'
	ask -g "$URL/api/users/*"
	problem 400 'but a pattern, and patterns are only for reading: /api/event?topic=users/* streams'
	ask -g -d x "$URL/api/users/*"
	problem 400 'patterns are only for reading'
	ask -g "$URL/api/**/event"
	problem 400 '/api/event?topic=** streams the topics that match it'
	ask "$URL/api/users/"
	problem 400 'because of the slash at its end: the topic is at /api/users'
	ask "$URL/api/event/users"
	problem 400 'their streams at /api/TOPIC/event'
	run -69 sse-tail "$URL/users"
	[[ $output == "sse-tail: $URL/users was not found (404 Not Found): no such page; if you meant the topic users"* ]]
	run -76 sse-tail "$URL/api/users"
	[[ $output == *"its Content-Type is 'application/json'; streams of sse-serve are at /api/TOPIC/event" ]]
	run -69 sse-post "$URL/users" -d x
	[[ $output == *"does not accept this method (405 Method Not Allowed)"*'events are published at /api/TOPIC' ]]
}

@test "a person's browser at a wrong address gets a page, with what was wrong in plain text" {
	serve
	local browser='text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' accept
	ask -H "Accept: $browser" "$URL/no/such/page"
	answers 404
	[ "$(header Content-Type)" = 'text/html; charset=utf-8' ]
	[ "$(header Vary)" = Accept ]
	[ "$(header X-Content-Type-Options)" = nosniff ]
	[ "$(header Referrer-Policy)" = same-origin ]
	has body '<h1>404 Not Found</h1>'
	has body 'no such page; if you meant the topic no/such/page, it is at /api/no/such/page'
	has body '<a href="/">'
	has body 'color-scheme:light dark'
	# Nothing is loaded, no script runs, and of styles only the one in the page counts.
	header Content-Security-Policy >policy
	node -e '
		const { readFileSync } = require("fs"), { createHash } = require("crypto")
		const style = /<style>(.*)<\/style>/s.exec(readFileSync("body", "utf8"))[1]
		const hash = createHash("sha256").update(style).digest("base64")
		if (readFileSync("policy", "utf8") !== "default-src \u0027none\u0027; " +
			`style-src \u0027sha256-${hash}\u0027; base-uri \u0027none\u0027; ` +
			"form-action \u0027none\u0027; frame-ancestors \u0027none\u0027\n") throw hash'
	ask -H "Accept: $browser" "$URL/api/any?%3Cscript%3Ealert(%22%26%22)%3C/script%3E=%ff"
	answers 400
	has body '&#60;script&#62;alert(&#34;&#38;&#34;)&#60;/script&#62;'
	not has body '<script'
	ask --head -H "Accept: $browser" "$URL/no/such/page"
	answers 404
	[ "$(header Content-Type)" = 'text/html; charset=utf-8' ]
	ask -X PUT -H "Accept: $browser" "$URL/api/any"
	answers 405
	[ "$(header Allow)" = 'GET, HEAD, POST, DELETE, OPTIONS' ]
	has body 'this address accepts GET, HEAD, POST, DELETE, OPTIONS'
	# Programs: curl, fetch, EventSource, one that takes both alike.
	for accept in '*/*' text/event-stream application/json 'text/html, application/json' \
		'text/html;q=0' 'text/html;q=0.5, application/problem+json'; do
		ask -H "Accept: $accept" "$URL/no/such/page"
		problem 404 'no such page'
		[ "$(header Vary)" = Accept ]
		[ -z "$(header Content-Security-Policy)" ]
	done
	ask -H 'Accept:' "$URL/no/such/page"
	problem 404 'no such page'
	# What is not a problem is what it is.
	ask -H "Accept: $browser" "$URL/api/any"
	answers 200
	[ "$(header Content-Type)" = application/json ]
	follow stream /api/any/event -i -H "Accept: $browser"
	has stream 'Content-Type: text/event-stream'
}

@test "with --cors what is answered depends on the page's origin and on what it takes" {
	serve --cors https://good.example
	ask -H 'Origin: https://good.example' -H 'Accept: text/html' "$URL/nothing"
	answers 404
	[ "$(header Vary | sort | tr '\n' ' ')" = 'Accept Origin ' ]
	[ "$(header Access-Control-Allow-Origin)" = https://good.example ]
}

@test "a connection is kept after errors" {
	serve
	local each=(-sS -w '%{http_code} %{num_connects}\n' -o /dev/null)
	curl "${each[@]}" -H 'Content-Type: application/json' -d '{' "$URL/api/any" \
		--next "${each[@]}" -X PUT -d x "$URL/api/any" \
		--next "${each[@]}" -H 'Content-Type: text/html' -d x "$URL/api/any" \
		--next "${each[@]}" "$URL/nothing" \
		--next "${each[@]}" -H 'Origin: https://evil.example' -d x "$URL/api/any" \
		--next "${each[@]}" -d x "$URL/api/a%20b" \
		--next "${each[@]}" -H 'Content-Type: text/plain' -d x "$URL/api/any" >codes
	[ "$(tr '\n' ' ' <codes)" = '400 1 405 0 415 0 404 0 403 0 400 0 201 0 ' ]
}

@test "pipelined requests are answered in order" {
	serve
	{
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\na'
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nb'
		printf 'GET /api/any HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	} | raw >answer
	counts answer 'HTTP/1.1 201' 2
	has answer '["a",'
	has answer '"b"]'
}

@test "a client that closes its sending side still gets its answer" {
	serve
	# sse-serve's HTTP is spoken by a tool that shuts down its side right after the request.
	printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\na' |
		"$TOOLS/halfclose" "$PORT" >answer
	has answer 'HTTP/1.1 201'
	printf 'GET /api/any HTTP/1.1\r\nHost: localhost\r\n\r\n' | "$TOOLS/halfclose" "$PORT" >answer
	has answer '["a"]'
}

@test "HTTP/1.0 clients are served, lists too" {
	serve
	local i
	letters 9000 >large
	for i in {1..20}; do
		text any @large
	done
	ask --http1.0 "$URL/api/any"
	answers 200
	[ "$(grep -c xxx body)" -eq 20 ]
	node -e 'if (JSON.parse(require("fs").readFileSync("body")).length !== 20) process.exit(1)'
	printf 'GET /healthz HTTP/1.0\r\n\r\n' | raw >answer
	has answer ' 200 OK'
}

@test "a long list comes whole, and twice the same" {
	serve
	local i
	for i in {1..40}; do
		letters 30000 >large
		text any @large
	done
	ask "$URL/api/any"
	answers 200
	[ "$(wc -c <body)" -eq $((40 * 30002 + 39 * 2 + 3)) ]
	mv body first
	ask --limit-rate 2M "$URL/api/any"
	cmp body first
	# One who goes away in the middle harms nobody.
	curl -sS "$URL/api/any" | head -c 1000 >/dev/null || true
	ask "$URL/healthz"
	answers 200
}

@test "what is not HTTP is refused, and the server goes on" {
	serve
	head -c 4000 /dev/urandom | raw >/dev/null
	printf '\r\n\r\n\r\n' | timeout 5 "$TOOLS/halfclose" "$PORT" >/dev/null || true
	printf '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n' | raw >/dev/null
	printf 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' | "$TOOLS/halfclose" "$PORT" >/dev/null
	printf 'GET\r\n\r\n' | "$TOOLS/halfclose" "$PORT" >/dev/null
	printf 'GET api/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >answer
	has answer ' 400 '
	printf 'CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >answer
	grep -aq ' 40[05] ' answer
	printf 'GET http://localhost/api/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >answer
	has answer ' 200 OK'
	{
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: -5\r\nConnection: close\r\n\r\n'
	} | raw >answer
	has answer ' 400 '
	{
		printf 'POST /api/any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n'
		printf 'Connection: close\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'
	} | raw >answer
	not has answer ' 201 '
	ask "$URL/api/any"
	answers 200
	[ "$(cat body)" = '[]' ]
}

@test "an HTTP/1.1 request without Host is refused, as its standard says" {
	serve
	printf 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n' | raw >answer
	has answer 'HTTP/1.1 400'
}

@test "huge heads are refused, and the server goes on" {
	serve
	ask -H "X-Huge: $(letters 60000)" "$URL/healthz"
	[[ $code = 4* ]]
	ask "$URL/$(letters 60000)"
	[[ $code = 4* ]]
	{
		printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'
		for _ in {1..5000}; do printf 'X-%s: y\r\n' $RANDOM; done
		printf '\r\n'
	} | raw >answer 2>/dev/null
	grep -aq '^HTTP/1.1 4' answer
	ask "$URL/healthz"
	answers 200
}

@test "a bare GET / and the API answer over IPv4 and IPv6 alike" {
	serve
	ask -4 "$URL/healthz"
	answers 200
	[ "$(cat body)" = ok ]
	if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
		ask -6 "$URL/healthz"
		answers 200
	fi
}

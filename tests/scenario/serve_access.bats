#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attacks on a server with --access: proofs of all kinds on every route, topics that are almost those
# that one may have, requests that hide in others, pages of other sites.

load access_helpers

setup_file() {
	guard --cors https://good.example --cors '*'
}

teardown_file() {
	unguard
}

setup() {
	guarded_setup
}

teardown() {
	end_jobs
}

@test "every route, with its method and its verb, is in the table of the attacks" {
	local source=$BATS_TEST_DIRNAME/../../cmd/sse-serve/api/routes.c
	tr -d '\n\t ' <"$source" | grep -o '{ROUTE_[^}]*}' |
		sed 's/{ROUTE_\([A-Z]*\),"\([A-Z]*\)",.*,VERB_\([A-Z]*\),FOR_[A-Z]*}/\1 \2 \3/' | sort >served
	echo "$ROUTES" | awk 'NF { print $1, $2, $4 }' | sort >attacked
	[ "$(grep -c ROUTE_ "$source")" -eq "$(wc -l <served)" ]
	diff served attacked
	# Of no kind of target there is a method that is not in the table.
	local method target
	for method in GET POST DELETE PUT PATCH TRACE MKCOL; do
		echo "$ROUTES" | awk -v m=$method 'NF && $2 == m { print $1 }' >taken
		echo "$ROUTES" | grep -vwFf taken | sed "s|ID|$GUARDED_ID|" |
			awk -v m=$method 'NF && !seen[$1]++ { print m, $3 }' >others
		as root
		batch "${AS[@]}" <others
		[ "$(grep -cE ' (405|400) $' answered)" -eq "$(wc -l <others)" ]
	done
	nothing_happened
}

@test "whoever may do everything gets at every target: the attacks below are refused for their proof alone" {
	as root
	targets READ PUBLISH STATUS DELETE | grep -v '^GET .*event' | batch "${AS[@]}"
	cat answered
	[ "$(grep -cE ' 20[014] $' answered)" -eq "$(wc -l <answered)" ]
	# And the witness sees what is published, and who comes.
	follow present '/api/secret/event?as=Root' "${AS[@]}"
	has "$WITNESS" 'data: stolen'
	wait_for has "$WITNESS" 'data: {"name":"Root","count":1}'
	not nothing_happened
}

@test "at a hook only a signature counts: no proof publishes there" {
	as root
	ask "${AS[@]}" -H 'Content-Type: application/json' -d stolen "$URL/hook/github"
	answers 401
	[[ $(header WWW-Authenticate) = X-Hub-Signature-256\ * ]]
	log_in root
	ask -b "$SESSION" -H "Origin: $URL" -H 'Content-Type: application/json' -d stolen "$URL/hook/github"
	answers 401
	nothing_happened
}

@test "no proof, and proofs of no worth, on every route" {
	attack 'no proof' '401?' ALL
	attack 'a token of nobody' 401 ALL -H "Authorization: Bearer $(token eve)"
	attack 'a token that is wrong in its last digit' 401 ALL -H "Authorization: Bearer $(token root | sed 's/.$/3/')"
	attack 'a token without its last digit' 401 ALL -H "Authorization: Bearer $(token root | sed 's/.$//')"
	attack 'a token with a digit more' 401 ALL -H "Authorization: Bearer $(token root)2"
	attack 'a token in capitals' 401 ALL -H "Authorization: Bearer $(token root | tr '[:lower:]' '[:upper:]')"
	attack 'the digest of a token' 401 ALL -H "Authorization: Bearer $(token root | tr -d '\n' | sha256sum | cut -c 1-64)"
	attack 'another scheme' 401 ALL -H "Authorization: Basic $(token root)"
	attack 'a scheme of the same length' 401 ALL -H "Authorization: Beaver $(token root)"
	attack 'no scheme' 401 ALL -H "Authorization: $(token root)"
	attack 'no token' 401 ALL -H 'Authorization: Bearer'
	attack 'an empty header' 401 ALL -H 'Authorization;'
	attack 'two tokens' 401 ALL -H "Authorization: Bearer $(token root) $(token root)"
	attack 'a token and a comma' 401 ALL -H "Authorization: Bearer $(token root), Bearer $(token root)"
	attack 'a token in quotes' 401 ALL -H "Authorization: Bearer \"$(token root)\""
	attack 'a token as a password' 401 ALL -u "root:$(token root)"
	attack 'a token in another header' '401?' ALL -H "X-Authorization: Bearer $(token root)"
	attack 'a token for a proxy' '401?' ALL -H "Proxy-Authorization: Bearer $(token root)"
	attack 'two headers' 400 ALL -H "Authorization: Bearer $(token root)" -H "authorization: Bearer $(token root)"
	attack 'two headers, one bad' 400 ALL -H "Authorization: Bearer $(token root)" -H "AUTHORIZATION: x"
	attack 'a token as a session' 401 ALL -H "Cookie: sse-session=$(token root)" -H "Origin: $URL"
	attack 'a session that never was' 401 ALL -H "Cookie: sse-session=$(token eve)" -H "Origin: $URL"
	attack 'a session of another name' '401?' ALL -H "Cookie: SSE-SESSION=$(token root); xsse-session=$(token root)"
	nothing_happened
}

@test "a valid proof for something else, on every route" {
	as poor
	attack 'grants on all topics but this one' 403 ALL "${AS[@]}"
	as reader
	attack 'may read' 403 PUBLISH,DELETE,STATUS "${AS[@]}"
	as writer
	attack 'may publish' 403 READ,DELETE,STATUS "${AS[@]}"
	as looker
	attack 'may see the figures' 403 READ,PUBLISH,DELETE "${AS[@]}"
	as eraser
	attack 'may delete' 403 READ,PUBLISH,STATUS "${AS[@]}"
	# The sentence names the verb and the topic.
	as poor
	ask "${AS[@]}" "$URL/api/secret"
	problem 403 'poor may not read the topic secret'
	ask "${AS[@]}" -H 'Content-Type: text/plain' -d x "$URL/api/secret"
	problem 403 'poor may not publish to the topic secret'
	ask "${AS[@]}" "$URL/metrics"
	problem 403 '(status)'
	nothing_happened
}

# asked AS METHOD TARGET: the status; AS is a name, or - for nobody.
asked() {
	AS=()
	[ "$1" = - ] || as "$1"
	batch "${AS[@]}" <<<"$2 $3"
	awk '{ print $3 }' answered
}

# rows: each line of the standard input is AS, METHOD, target and the status that it must be answered.
rows() {
	local who method target want got wrong=0
	while read -r who method target want; do
		got=$(asked "$who" "$method" "${target//ID/$GUARDED_ID}")
		[ "$got" = "$want" ] || { echo "$who $method $target: $got, not $want" >&2; wrong=1; }
	done
	return $wrong
}

@test "a pattern is granted whole or not at all, and so is a list of topics" {
	rows <<-'END'
		star HEAD /api/event?topic=chat/*                  200
		star HEAD /api/event?topic=chat/a                  200
		star HEAD /api/event?topic=chat/**                 403
		star HEAD /api/event?topic=**                      403
		star HEAD /api/event?topic=*                       403
		star HEAD /api/event?topic=*/a                     403
		star HEAD /api/event?topic=*/*                     403
		star HEAD /api/event?topic=chat/*/x                403
		star HEAD /api/event?topic=chat/a/b                403
		star HEAD /api/event?topic=chat/a/*                403
		star HEAD /api/event?topic=chat                    403
		star HEAD /api/event?topic=cha/*                   403
		star HEAD /api/event?topic=chat.x/a                403
		star HEAD /api/chat/event                          403
		star HEAD /api/chat/a/b                            403
		star POST /api/chat                                403
		star POST /api/chat/a/b                            403
		star POST /api/chat/*                              400
		star POST /api/ticket?topic=chat/**                403
		star POST /api/ticket?topic=chat/*                 201
		deep HEAD /api/event?topic=chat/**                 200
		deep HEAD /api/event?topic=chat/*                  200
		deep HEAD /api/event?topic=chat/*/x                200
		deep HEAD /api/event?topic=chat/a/b/c              200
		deep HEAD /api/event?topic=chat                    403
		deep HEAD /api/event?topic=**                      403
		deep POST /api/chat/a                              403
		pair HEAD /api/event?topic=a/b                     200
		pair HEAD /api/event?topic=a/*                     403
		pair HEAD /api/event?topic=*/b                     403
		pair HEAD /api/event?topic=a/**                    403
		pair HEAD /api/event?topic=a                       403
		pair HEAD /api/event?topic=a/b/c                   403
		one  HEAD /api/event?topic=*                       200
		one  HEAD /api/event?topic=a                       200
		one  HEAD /api/event?topic=*/*                     403
		one  HEAD /api/event?topic=**                      403
		one  HEAD /api/a/b                                 403
		star HEAD /api/event?topic=chat/a&topic=secret     403
		star HEAD /api/event?topic=secret&topic=chat/a     403
		star HEAD /api/event?topic=chat/a&topic=chat/b&topic=chat/** 403
		star HEAD /api/event?topic=chat/a&topic=chat/b     200
		star HEAD /api/event?topic=!&topic=secret          403
		star HEAD /api/event?topic=chat/a&topic=           400
		star HEAD /api/event                               400
		-    HEAD /api/event?topic=news                    200
		-    HEAD /api/event?topic=news&topic=secret       401
		-    HEAD /api/event?topic=news/*                  401
		-    POST /api/news                                401
		star HEAD /api/news                                200
	END
	as star
	ask "${AS[@]}" "$URL/api/event?topic=chat/a&topic=chat/**"
	problem 403 'star may not read all of chat/**: no single grant covers it'
	nothing_happened
}

@test "a topic by another spelling is the topic that it is decoded to, or none" {
	rows <<-'END'
		star HEAD /api/%63hat%2Fa                          200
		star HEAD /api/ch%61t/%61/event                    200
		star HEAD /api/%73ecret                            403
		star HEAD /api/chat%2Fa%2Fb                        403
		star HEAD /api/secret%2Fevent                      403
		star HEAD /api/secret%2fpresence                   403
		star HEAD /api/Chat/a                              403
		star HEAD /api/chat/A                              200
		star HEAD /api/CHAT/a                              403
		pair HEAD /api/a/B                                 403
		star HEAD /api/ch%61t%2f..%2fsecret                400
		star HEAD /api/chat/../secret                      400
		star HEAD /api/chat/a/../../secret                 400
		star HEAD /api/chat/%2e%2e/secret                  400
		star HEAD /api/./secret                            400
		star HEAD /api//secret                             400
		star HEAD /api/chat//a                             400
		star HEAD /api/chat%5C..%5Csecret                  400
		star HEAD /api/chat/a%00/../../secret              400
		star HEAD /api/chat/%25%32%65                      400
		star HEAD /api/%2573ecret                          400
		star HEAD /api/%C5%BFecret                         403
		star HEAD /api/secret;chat/a                       400
		star HEAD /api/secret%3Fx                          400
		star HEAD /api/secret%23/../chat/a                 400
		star HEAD /api/chat/a/event/../../secret           400
		star HEAD /%61pi/secret                            403
		star HEAD /api%2Fsecret                            403
		star HEAD //api/secret                             404
		star HEAD /API/secret                              404
		star HEAD /x/../api/secret                         404
		star HEAD /api/%24sys/event                        403
		star HEAD /api/$sys%2Fevent                        403
		star HEAD /%6Detrics                               403
		star HEAD /metrics/                                404
		reader HEAD /api/$sys/event                        403
		reader HEAD /api/event?topic=$sys                  400
		reader HEAD /api/event?topic=%24sys                400
		reader HEAD /api/%24%73ys/event                    403
		star HEAD /api/event?topic=%73ecret                403
		star HEAD /api/event?%74opic=secret                403
		star HEAD /api/event?topic=chat/a%26topic=secret   400
		star HEAD /api/event?topic=chat/a%0Asecret         400
		star HEAD /api/event?topic=secret%00               400
		star HEAD /api/event?topic=chat/a;topic=secret     400
		star HEAD /api/chat/a?topic=secret                 400
		star HEAD /api/chat/a/event?topic=secret           400
		star HEAD /api/chat/a/ID                           404
		star HEAD /api/secret/ID                           403
		star HEAD /api/chat/a/../../secret/ID              400
	END
	# The form that proxies send names the topic too.
	local target
	as star
	for target in http://localhost/api/secret http://localhost/api/%73ecret; do
		ask "${AS[@]}" --request-target "$target" "$URL"
		problem 403 'star may not read the topic secret'
	done
	nothing_happened
}

@test "an event of a topic that one may not read comes by no way of resuming" {
	as root
	ask "${AS[@]}" -H 'Content-Type: text/plain' -d shown "$URL/api/chat/a"
	answers 201
	look HAPPENED NEWEST
	local start=${GUARDED_ID%:*}:0 name file=0
	as star
	for name in last_event_id lastEventId lastEventID Last-Event-ID evs_last_event_id; do
		ask "${AS[@]}" "$URL/api/secret/event?$name=$start"
		problem 403 secret
		ask "${AS[@]}" "$URL/api/event?topic=chat/a&topic=secret&$name=$start"
		problem 403 secret
		follow "replay.$((++file))" "/api/event?topic=chat/*&$name=$start" "${AS[@]}"
		wait_for has "replay.$file" 'data: shown'
	done
	ask "${AS[@]}" -H "Last-Event-ID: $start" "$URL/api/secret/event"
	problem 403 secret
	follow replay.header /api/chat/a/event -H "Last-Event-ID: $start" "${AS[@]}"
	follow replay.since '/api/event?topic=chat/a&since=all' "${AS[@]}"
	wait_for has replay.header 'data: shown'
	wait_for has replay.since 'data: shown'
	ask "${AS[@]}" "$URL/api/chat/a?envelope=1"
	has body shown
	cat replay.* body >got
	not has got hidden
	nothing_happened
}

@test "what is not there is refused as what is there, and OPTIONS tells nobody more than all" {
	local kind verb there
	for there in secret nowhere; do
		for kind in '' /event /presence "/$GUARDED_ID" "/${GUARDED_ID%:*}:999999"; do
			ask "$URL/api/$there$kind"
			answers 401
			grep -v -e '^Date' -e '^X-Request-ID' head | cat - body >"is.$there.${kind//\//_}"
			ask -X OPTIONS "$URL/api/$there$kind"
			answers 204
			grep -v -e '^Date' -e '^X-Request-ID' head >"options.$there.${kind//\//_}"
			as root
			ask -X OPTIONS "${AS[@]}" "$URL/api/$there$kind"
			grep -v -e '^Date' -e '^X-Request-ID' head | diff - "options.$there.${kind//\//_}"
			as poor
			ask "${AS[@]}" "$URL/api/$there$kind"
			sed 's/nowhere/secret/; /^Date/d; /^X-Request-ID/d; /^Content-Length/d' head body >"poor.$there.${kind//\//_}"
		done
	done
	for kind in is options poor; do
		for there in "$kind".secret.*; do
			diff "$there" "${there/secret/nowhere}"
		done
	done
	not has is.secret._event secret
	nothing_happened
}

@test "a request lends its proof to none that comes after it on the connection" {
	local good wrong='Authorization: Bearer x' body
	good="Authorization: Bearer $(token root)"
	as root
	# One connection: with, without, with another, with.
	curl -sS -w '%{http_code} %{num_connects}\n' -o body "${AS[@]}" "$URL/api/secret" \
		--next -sS -w '%{http_code} %{num_connects}\n' -o body "$URL/api/secret" \
		--next -sS -w '%{http_code} %{num_connects}\n' -o body -H "$wrong" "$URL/api/secret" \
		--next -sS -w '%{http_code} %{num_connects}\n' -o body "${AS[@]}" "$URL/api/secret" |
		is $'200 1\n401 0\n401 0\n200 0'
	# All at once.
	printf 'GET /api/secret HTTP/1.1\r\nHost: localhost\r\n%s\r\nGET /api/secret HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' \
		"$good"$'\r\n' | raw >answer
	grep -ao 'HTTP/1.1 [0-9]*' answer | cut -d ' ' -f 2 | is $'200\n401'
	# The body of one that is refused is its body, whatever it looks like.
	body=$(printf 'POST /api/secret HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n' "$good")
	printf 'POST /api/secret HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%sGET /api/secret HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' \
		${#body} "$body" | raw >answer
	grep -ao 'HTTP/1.1 [0-9]*' answer | cut -d ' ' -f 2 | is $'401\n401'
	nothing_happened
}

@test "a request that two readers could end at different places is not read on" {
	local good lengths
	good="Authorization: Bearer $(token root)"
	for lengths in 'Content-Length: 4\r\nTransfer-Encoding: chunked' 'Content-Length: 4\r\nContent-Length: 40' \
		'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity' 'Transfer-Encoding: xchunked' \
		'Content-Length: +4' 'Content-Length: 4,4'; do
		printf 'POST /api/secret HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n%b\r\n\r\n0\r\n\r\nPOST /api/secret HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx' \
			"$lengths" "$good" | raw >answer
		grep -a '^HTTP' answer | head -n 1 | grep -q ' 40[01] '
		not has answer ' 201 '
	done
	# Headers that hold a proof in a way of their own.
	local line
	for line in "Authorization : Bearer $(token root)" " Authorization: Bearer $(token root)" \
		"X: y\r\n Authorization: Bearer $(token root)" "X: y\rAuthorization: Bearer $(token root)" \
		"X: y\x00\r\nAuthorization\x00: Bearer $(token root)" "Authorization:\r\n Basic Bearer $(token root)"; do
		printf 'GET /api/secret HTTP/1.1\r\nHost: localhost\r\n%b\r\nConnection: close\r\n\r\n' "$line" | raw >answer
		not has answer hidden
	done
	# A proof after the body is none.
	printf 'POST /api/secret HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n1\r\nx\r\n0\r\n%s\r\n\r\n' \
		"$good" | timeout 5 bash -c 'exec 4<>"/dev/tcp/127.0.0.1/'"$PORT"'"; cat >&4; head -n 1 <&4' | grep -q ' 401 '
	nothing_happened
}

@test "a head as long as 100 KiB, of a token or of cookies, is refused, and the server goes on" {
	local long
	long=$(letters 100000)
	printf 'GET /api/secret HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' "$long" | raw >answer
	head -n 1 answer | grep -qE '^HTTP/1.1 4(00|01|13|31) '
	printf 'GET /api/secret HTTP/1.1\r\nHost: localhost\r\nCookie: sse-session=%s\r\nConnection: close\r\n\r\n' "$long" | raw >answer
	head -n 1 answer | grep -qE '^HTTP/1.1 4(00|01|13|31) '
	printf 'GET /api/event?topic=secret&ticket=%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$long" | raw >answer
	head -n 1 answer | grep -qE '^HTTP/1.1 4(00|01|14|31) '
	as root
	ask "${AS[@]}" "$URL/api/secret"
	answers 200
	nothing_happened
}

@test "wrong proofs of one address are slowed, and a good one from there is let in all the same" {
	local args=() i
	move
	for i in {1..40}; do
		args+=(${args:+--next} -sS -m 30 -o body -w '%{http_code}\n' -H "X-Forwarded-For: $CLIENT"
			-H "Authorization: Bearer wrong$i" "$URL/api/secret")
	done
	curl "${args[@]}" >answered
	# While they are asked for, one or the other may return.
	[ "$(grep -c 401 answered)" -ge 20 ]
	[ "$(sort -u answered | tr '\n' ' ')" = '401 429 ' ]
	# One that returned meanwhile is used up by the first of these.
	for i in 1 2 3; do
		ask -H 'Authorization: Bearer wrong' "$URL/api/secret"
		[ "$code" = 401 ] || break
	done
	problem 429 'too many wrong tokens'
	[ "$(header Retry-After)" -ge 1 ]
	as poor
	ask "${AS[@]}" "$URL/api/secre"
	answers 200
	move
	ask -H 'Authorization: Bearer wrong' "$URL/api/secret"
	answers 401
	nothing_happened
}

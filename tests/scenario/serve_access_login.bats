#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attacks on the proofs of pages: session cookies, tickets, requests that another site makes a browser
# send.
# ThreadSanitizer runs this file, too.

load access_helpers

setup_file() {
	guard --cors https://good.example --cors '*' --session-lifetime 1h
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

# publishes STATUS ARGUMENT...: what a POST of a form's kind with the session's cookie is answered.
publishes() {
	ask -H "Cookie: $SESSION" -H 'Content-Type: text/plain' -d stolen "${@:2}" "$URL/api/secret"
	answers "$1"
}

@test "a session is a cookie that scripts cannot read, for this server alone, with the grants of its token" {
	log_in reader
	[ "$(header Set-Cookie)" = "$SESSION; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600" ] ||
		[ "$(header Set-Cookie)" = "$SESSION; Path=/; HttpOnly; SameSite=Strict; Max-Age=3599" ]
	[[ $SESSION =~ ^sse-session=sse_[a-z2-7]{32}$ ]]
	[ "$(header Cache-Control)" = no-store ]
	has body '"name":"reader"'
	not has body "${SESSION#*=}"
	as reader
	ask "${AS[@]}" -X POST -H "Origin: https://${URL#*://}" "$URL/api/session"
	[[ $(header Set-Cookie) = *'; Secure' ]]
	# With the cookie one may what the token may, and no more.
	targets READ | grep -v '^GET .*event' | batch -H "Cookie: $SESSION" -H "Origin: $URL"
	[ "$(grep -c ' 20[01] $' answered)" -eq "$(wc -l <answered)" ]
	attack 'a session of who may read' 403 PUBLISH,DELETE,STATUS -H "Cookie: $SESSION" -H "Origin: $URL"
	ask -H "Cookie: a=b; $SESSION; c=d" "$URL/api/secret"
	answers 200
	# It is a proof as a cookie alone.
	attack 'a session as a token' 401 ALL -H "Authorization: Bearer ${SESSION#*=}"
	ask "$URL/api/secret/event?ticket=${SESSION#*=}"
	problem 401 ticket
	nothing_happened
}

@test "of a cookie and a header that disagree, the header counts, even if it is worth nothing" {
	log_in root
	local mine=(-H "Cookie: $SESSION" -H "Origin: $URL")
	as poor
	attack 'a cookie of root, a token of another' 403 ALL "${mine[@]}" "${AS[@]}"
	attack 'a cookie of root, a wrong token' 401 ALL "${mine[@]}" -H "Authorization: Bearer $(token eve)"
	attack 'a cookie of root, another scheme' 401 ALL "${mine[@]}" -u a:b
	attack 'a cookie of root, an empty header' 401 ALL "${mine[@]}" -H 'Authorization;'
	attack 'a cookie of root, two headers' 400 ALL "${mine[@]}" "${AS[@]}" "${AS[@]}"
	attack 'a wrong cookie before that of root' 401 ALL -H "Cookie: sse-session=$(token eve); $SESSION" -H "Origin: $URL"
	ask "${mine[@]}" "$URL/api/secret/event?ticket=$(token eve)"
	problem 401 ticket
	nothing_happened
}

@test "an ended session ends its cookie, its streams and its tickets" {
	log_in root
	local cookie=$SESSION
	follow stream /api/secret/event -H "Cookie: $cookie"
	ask -X POST -H "Cookie: $cookie" -H "Origin: $URL" "$URL/api/ticket?topic=secret"
	answers 201
	TICKET=$(sed 's/.*"ticket":"\([^"]*\)".*/\1/' body)
	# Another site cannot end it.
	local header
	for header in 'Origin: https://evil.example' 'Origin: null' 'Sec-Fetch-Site: cross-site' \
		'Sec-Fetch-Site: same-site' 'Sec-Fetch-Site: none' 'Origin: https://good.example.evil.example'; do
		ask -X DELETE -H "Cookie: $cookie" -H "$header" "$URL/api/session"
		answers 403
	done
	ask -H "Cookie: $cookie" "$URL/api/secret"
	answers 200
	ask -X DELETE -H "Cookie: $cookie" -H "Origin: $URL" "$URL/api/session"
	answers 204
	[ "$(header Set-Cookie)" = 'sse-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0' ]
	wait_for has stream 'event: denied'
	wait_for gone "$FOLLOWER"
	has stream 'data: {"reason":"the session was ended"}'
	attack 'a session that has ended' 401 ALL -H "Cookie: $cookie" -H "Origin: $URL"
	ask "$URL/api/secret/event?ticket=$TICKET"
	problem 401 ticket
	ask -H "Cookie: $cookie" "$URL/api/session"
	problem 401 'the session has ended'
	[[ $(header Set-Cookie) = 'sse-session=;'*'Max-Age=0' ]]
	# The token is as good as before, and other sessions are.
	log_in root
	ask -H "Cookie: $SESSION" "$URL/api/secret"
	answers 200
	nothing_happened
}

@test "a session begins with a token alone, and no other site begins one" {
	log_in root
	local mine=(-H "Cookie: $SESSION" -H "Origin: $URL") header
	ask -X POST "${mine[@]}" "$URL/api/session"
	problem 401 'a session needs a token'
	[ -z "$(header Set-Cookie)" ]
	ask -X POST "$URL/api/session"
	problem 401 'a session needs a token'
	ask -X POST -d "token=$(token root)" "$URL/api/session"
	answers 401
	ask -X POST -H "Authorization: Bearer $(token eve)" "$URL/api/session"
	problem 401 'the token is not known'
	[ -z "$(header Set-Cookie)" ]
	as root
	for header in 'Origin: https://evil.example' 'Origin: null' 'Sec-Fetch-Site: cross-site'; do
		ask -X POST "${AS[@]}" -H "$header" "$URL/api/session"
		problem 403 'may not begin or end a session here'
		[ -z "$(header Set-Cookie)" ]
	done
	ask -X POST "${AS[@]}" "${AS[@]}" "$URL/api/session"
	problem 400 'two Authorization headers'
	nothing_happened
}

@test "a form of another site publishes nothing, though the browser sends the cookie with it" {
	log_in root
	local header host=${URL#*://}
	for header in 'Origin: https://evil.example' 'Origin: null' 'Origin;' 'X: y' 'Sec-Fetch-Site: cross-site' \
		'Sec-Fetch-Site: same-site' 'Sec-Fetch-Site: none' 'Sec-Fetch-Site;' "Referer: $URL/" \
		"Origin: $URL.evil.example" "Origin: http://evil.example/://$host" "Origin: $URL/" "Origin: $host" \
		"Origin: $URL, https://evil.example" 'Origin: *' 'Origin: http://localhost' 'Origin: https://good.example:8443' \
		'Origin: http://good.example' 'Origin: https://good.example.evil.example'; do
		publishes 403 -H "$header" || { echo "$header" >&2; return 1; }
		ask -X POST -H "Cookie: $SESSION" -H "$header" "$URL/api/ticket?topic=secret"
		answers 403 || { echo "ticket: $header" >&2; return 1; }
		ask --head -H "Cookie: $SESSION" -H "$header" "$URL/api/secret/event?as=Root"
		answers 403 || { echo "name: $header" >&2; return 1; }
	done
	# What another says is worth nothing beside an Origin.
	publishes 403 -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: same-origin'
	ask -H "Cookie: $SESSION" -H 'Origin: https://evil.example' -d 'text=stolen' "$URL/api/secret"
	answers 403
	ask -H "Cookie: $SESSION" -H 'Origin: https://evil.example' -F 'text=stolen' "$URL/api/secret"
	answers 403
	nothing_happened
	publishes 201 -H 'Sec-Fetch-Site: same-origin'
	publishes 201 -H "Origin: $URL"
	publishes 201 -H 'Origin: https://good.example' -H 'Sec-Fetch-Site: cross-site'
}

# opened TARGET [ARGUMENT...]: the status of a stream that is asked for with TICKET.
opened() {
	ask --head "${@:2}" "$URL$1ticket=$TICKET"
	echo "$code"
}

# A fresh ticket of root each: the topics that it is for, then the stream that is asked for, and how
# that is answered.
@test "a ticket opens the stream that it was made for, once" {
	local topics target want
	while read -r topics target want; do
		move
		ticket root "$topics"
		[ "$(opened "$target")" = "$want" ] || { echo "$topics $target" >&2; cat body >&2; return 1; }
		# It is used up, whatever it was used for.
		[ "$(opened "/api/event?$topics&")" = 401 ] || { echo "again: $topics $target" >&2; return 1; }
	done <<-'END'
		topic=secret            /api/event?topic=secret&                 200
		topic=secret            /api/secret/event?                       200
		topic=a&topic=b/*       /api/event?topic=b/*&topic=a&            200
		topic=secret            /api/secret/event?last_event_id=x&       200
		topic=secret            /api/event?topic=other&                  401
		topic=secret            /api/other/event?                        401
		topic=secret            /api/event?topic=secret&topic=other&     401
		topic=a&topic=secret    /api/event?topic=secret&                 401
		topic=secret            /api/event?topic=**&                     401
		topic=chat/*            /api/event?topic=chat/a&                 401
		topic=chat/a            /api/event?topic=chat/*&                 401
		topic=secret            /api/event?topic=Secret&                 401
		topic=secret            /api/$sys/event?                         401
		topic=a&topic=b         /api/event?topic=a%0Ab&                  400
	END
	# It counts nowhere else.
	ticket root topic=secret
	ask "$URL/api/secret?ticket=$TICKET"
	problem 400 "'ticket' is a parameter of a topic's stream"
	ask -H 'Content-Type: text/plain' -d stolen "$URL/api/secret?ticket=$TICKET"
	problem 400 ticket
	attack 'a ticket as a token' 401 ALL -H "Authorization: Bearer $TICKET"
	attack 'a ticket as a session' 401 ALL -H "Cookie: sse-session=$TICKET" -H "Origin: $URL"
	ask "$URL/api/secret/event?ticket="
	problem 401 ticket
	ask "$URL/api/secret/event?ticket=$TICKET&ticket=$TICKET"
	problem 400 'more than once'
	[ "$(opened /api/secret/event?)" = 200 ]
	nothing_happened
}

@test "a ticket is for the page and the address that it was given to" {
	local good=(-H 'Origin: https://good.example')
	ticket root topic=secret "${good[@]}"
	[ "$(opened /api/secret/event? "${good[@]}")" = 200 ]
	ticket root topic=secret "${good[@]}"
	[ "$(opened /api/secret/event? -H 'Origin: https://evil.example')" = 401 ]
	ticket root topic=secret "${good[@]}"
	[ "$(opened /api/secret/event?)" = 401 ]
	ticket root topic=secret
	[ "$(opened /api/secret/event? "${good[@]}")" = 401 ]
	ticket root topic=secret -H "Origin: $URL"
	[ "$(opened /api/secret/event?)" = 200 ]
	# The same address, or network of IPv6, and no other.
	ticket root topic=secret
	move
	[ "$(opened /api/secret/event?)" = 401 ]
	CLIENT=2001:db8:0:1::1 ticket root topic=secret
	[ "$(CLIENT=2001:db8:0:1::2 opened /api/secret/event?)" = 200 ]
	CLIENT=2001:db8:0:1::1 ticket root topic=secret
	[ "$(CLIENT=2001:db8:0:2::1 opened /api/secret/event?)" = 401 ]
	# All of loopback is one machine.
	CLIENT='' ticket root topic=secret
	[ "$(CLIENT='' opened /api/secret/event? --interface 127.0.0.2)" = 200 ]
	nothing_happened
}

@test "a ticket is for what its holder may read, and names no one else" {
	as star
	ask "${AS[@]}" -X POST "$URL/api/ticket?topic=chat/a&topic=secret"
	problem 403 'star may not read the topic secret'
	ask -X POST "$URL/api/ticket?topic=secret"
	problem 401 Bearer
	ask "${AS[@]}" -X POST "$URL/api/ticket"
	problem 400 'name the topics'
	ask "${AS[@]}" -X POST "$URL/api/ticket?topic=%24sys"
	answers 400
	ticket ann topic=room
	[ "$(opened '/api/room/event?as=Root&')" = 403 ]
	ticket ann topic=room
	[ "$(opened '/api/room/event?as=Ann&')" = 200 ]
	nothing_happened
}

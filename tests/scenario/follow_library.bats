#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a C program gets from libsse-follow (lib/follow/sse_follow.h).
# shellcheck disable=SC2154,SC2030,SC2031

load client_helpers

setup() {
	client_setup
	LIBRARY=$TOOLS/follow_library
}

@test "each event comes with type, id, data and origin, and after the stream's end the next ones" {
	play <<'END'
answer @STREAMid: 1\nevent: a\ndata: x\ndata: y\n\n: no comment\n\ndata:\n\nid: 2\n\nid: 3\ndata: cut
close
answer @STREAMdata: z\n\n
reset
answer @204
END
	run -1 --separate-stderr "$LIBRARY" "$URL/x" last_id=0 delay=10
	[ "$(grep -v text <<<"$output")" = "open
event (a)(1)(x|y) $URL
event (message)(1)() $URL
trouble
open
event (message)(2)(z) $URL
trouble
end 1 204 (2)" ]
	[[ $output == *"text $URL/x ended the stream"* ]]
	[ -z "$stderr" ]
	[ "$(sed -n 's/^Last-Event-ID: //p' log | tr -d '\r' | xargs)" = '0 2 2' ]
}

@test "what sse-serve says itself is told apart: a gap, up to date, closed, each with its fields" {
	play <<'END'
answer @STREAMevent: gap\nid: 7\ndata: {"reason":"expired","after":"3"}\n\nevent: uptodate\ndata: {}\n\nid: 8\nevent: closed\ndata: {}\n\n
close
END
	run -1 "$LIBRARY" "$URL/x"
	[ "$output" = "open
gap (gap)(7)({\"reason\":\"expired\",\"after\":\"3\"}) $URL
text events are missing here: those after 3 are no longer stored
uptodate (uptodate)(7)({}) $URL
closed (closed)(8)({}) $URL
end 1 200 (8)" ]
}

@test "the callback stops it, or sse_follow_stop(), and is told of nothing after that" {
	play <<'END'
answer @STREAMid: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n
hold
answer @STREAMid: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n
hold
answer HTTP/1.1 503 Busy@EMPTY
close
END
	run -3 "$LIBRARY" "$URL/x" stop=2
	[ "$(tail -n 2 <<<"$output")" = "event (message)(2)(2) $URL"$'\nend 3 200 (2)' ]
	run -3 "$LIBRARY" "$URL/x" late=2
	[ "$(tail -n 2 <<<"$output")" = "event (message)(2)(2) $URL"$'\nend 3 200 (2)' ]
}

@test "a loop of the program's own follows as well, by descriptors and time-outs, and sleeps meanwhile" {
	play <<'END'
answer @STREAMid: 1\ndata: a\n\n
pause 700
send data: b\n\n
close
answer HTTP/1.1 503 Busy\r\nRetry-After: 1@EMPTY
close
answer @204
END
	run -1 --separate-stderr "$LIBRARY" "$URL/x" loop delay=10
	[ "$(grep -v text <<<"$output")" = "open
event (message)(1)(a) $URL
event (message)(1)(b) $URL
trouble
trouble
end 1 204 (1)" ]
	# Some turns for each connection and each piece; without sleep there would be thousands.
	[ "${stderr%% turns*}" -lt 200 ]
	# A descriptor woke it for each answer and each piece.
	[ "${stderr##*turns }" -ge 4 ]
}

@test "with a token that is refused it ends, or goes on with the one that the callback sets" {
	play <<'END'
answer HTTP/1.1 401 No@EMPTY
close
answer HTTP/1.1 401 No@EMPTY
close
answer @STREAMdata: in\n\nevent: denied\ndata: {"reason":"the token expired"}\n\n
close
answer @STREAMdata: again\n\n
hold
END
	run -5 --separate-stderr "$LIBRARY" "$URL/x" token=old
	[ "$output" = "denied
text $URL/x does not accept the login (401 No)
end 5 401 ()" ]
	[ "$stderr" = "$URL/x does not accept the login (401 No)" ]
	run -3 "$LIBRARY" "$URL/x" renew=new stop=2 delay=10
	[ "$output" = "denied
text $URL/x requires a login (401 No)
trouble
text $URL/x requires a login (401 No)
open
event (message)()(in) $URL
denied
text $URL/x: the server ended the stream: the token expired
trouble
text $URL/x: the server ended the stream: the token expired
open
event (message)()(again) $URL
end 3 200 ()" ]
	[ "$(sed -n 's/^Authorization: //p' log | tr -d '\r' | xargs -n 2)" = 'Bearer old
Bearer new
Bearer new' ]
}

@test "headers, a name and password, a body and its type are sent with each attempt" {
	play <<'END'
answer @STREAMdata: 1\n\n
close
answer @204
END
	run -1 "$LIBRARY" "$URL/x" user=a:b 'header=X-One: 1' 'header=X-Two: 2' body='{"stream":true}' \
		user_agent=example/1 delay=10
	local line
	for line in 'POST /x HTTP/1.1' 'Authorization: Basic YTpi' 'X-One: 1' 'X-Two: 2' \
		'Content-Type: application/json' 'User-Agent: example/1' '{"stream":true}'; do
		[ "$(grep -cF "$line" log)" -eq 2 ]
	done
}

@test "the token of a file is read again for each attempt" {
	printf 'one\n' >token
	play <<'END'
answer @STREAMdata: 1\n\n
wait there
close
answer @204
END
	"$LIBRARY" "$URL/x" token_file=token delay=10 >out 3>&- &
	local pid=$!
	wait_for has out '(1)'
	printf 'two\n' >token
	touch there
	ended "$pid" 1
	[ "$(sed -n 's/^Authorization: Bearer //p' log | tr -d '\r' | xargs)" = 'one two' ]
}

@test "attempts, silence and time are limited; without reconnecting the stream's end is the end" {
	play <<'END'
answer HTTP/1.1 503 Busy@EMPTY
close
answer @STREAM: life\n
hold
answer @STREAMdata: 1\n\n
hold
answer @STREAMdata: 1\n\n
close
END
	run -6 --separate-stderr "$LIBRARY" "$URL/x" attempts=2 silence=300 delay=10
	[ "$stderr" = "gave up after 2 attempts in a row: nothing came from $URL/x for 300ms" ]
	run -4 --separate-stderr "$LIBRARY" "$URL/x" time=600
	[ "$output" = "open
event (message)()(1) $URL
end 4 200 ()" ]
	[ -z "$stderr" ]
	run -2 "$LIBRARY" "$URL/x" reconnect=0
	[ "${lines[2]}" = 'end 2 200 ()' ]
}

@test "what cannot work ends it with one sentence, which names no option of a program" {
	play <<'END'
answer HTTP/1.1 404 No@EMPTY
close
answer HTTP/1.1 200 OK\r\nContent-Type: application/json@EMPTY
close
END
	run -6 --separate-stderr "$LIBRARY" "$URL/x"
	[ "$stderr" = "$URL/x was not found (404 No)" ]
	run -6 --separate-stderr "$LIBRARY" "$URL/x"
	[ "$stderr" = "$URL/x is not an event stream: its Content-Type is 'application/json'" ]
	run -6 --separate-stderr "$LIBRARY" a/b
	[[ $stderr == "'a/b' is not a usable URL: "* ]]
	run -6 --separate-stderr "$LIBRARY" 'http://a b/'
	[[ $stderr == "'http://a b/' is not a usable URL: "* ]]
	run -6 "$LIBRARY"
}

@test "a value that cannot be used is refused when it is set" {
	local word
	for word in 'token=a b' token= 'user=a:b'$'\n' header=X 'header=X: 1'$'\r' $'last_id=a\nb' delay=9 \
		attempts=-1 connect=0 reconnect=2 time=99999999999 silence=-1 token_file=none; do
		run -64 "$LIBRARY" "http://127.0.0.1:1/x" "$word"
		[ "${#lines[@]}" -eq 1 ]
		[[ ${lines[0]} == "follow_library: "?* ]]
		[[ ${lines[0]} != *--* ]]
	done
	run -64 "$LIBRARY" "http://127.0.0.1:1/x" token=a user=b:c
	[[ $output == *'give one' ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a C program gets from lib/client/follow_run.h, without sse-tail around it.
# shellcheck disable=SC2154,SC2030,SC2031

load client_helpers

setup() {
	client_setup
	FOLLOWER=$TOOLS/follower
}

# calls: what was handed over, without the pieces, whose number is the network's.
calls() {
	printf '%s\n' "${lines[@]}" | grep -v ^piece
}

@test "each event comes with its type, id, data and origin, each comment as it is, behind the head" {
	play <<'END'
answer @STREAM: hi\nid: 1\nevent: a\ndata: x\ndata: y\n\n
send : there\ndata:\n\n
close
END
	run -0 "$FOLLOWER" "$URL/x" once
	[ "$(calls)" = "opened 200 text/event-stream
comment ( hi)
event (a)(1)(x|y) $URL
comment ( there)
event (message)(1)() $URL
end ended 0" ]
}

@test "behind each piece of the stream it says what the next request will send" {
	play <<'END'
answer @STREAM
wait one
send id: 1\ndata: x\n
wait two
send \nid: 2\n
wait three
send \n
close
END
	"$FOLLOWER" "$URL/x" once >out 3>&- &
	local pid=$!
	wait_for has out opened
	touch one
	wait_for has out 'piece 14 ()'
	touch two
	wait_for has out 'piece 7 (1)'
	touch three
	wait_for has out 'piece 1 (2)'
	ended "$pid" 0
}

@test "it connects again with the last id, until the server says 204" {
	play <<'END'
answer @STREAMid: 1\ndata: x\n\nid: 2\n\nid: 3\ndata: cut
close
answer @STREAMdata: y\n\n
reset
answer @204
END
	run -0 "$FOLLOWER" "$URL/x" id=0
	[ "$(calls)" = "opened 200 text/event-stream
event (message)(1)(x) $URL
opened 200 text/event-stream
event (message)(2)(y) $URL
end closed 0" ]
	[ "$(sed -n 's/^Last-Event-ID: //p' log | tr -d '\r' | xargs)" = '0 2 2' ]
}

@test "an event, a comment or a piece can be where it stops, and nothing is handed over after it" {
	play <<'END'
answer @STREAMdata: 1\n\ndata: 2\n\n: c\n\ndata: 3\n\n
hold
answer @STREAMdata: 1\n\ndata: 2\n\n: c\n\ndata: 3\n\n
hold
answer @STREAMdata: 1\n\n
hold
END
	run -0 "$FOLLOWER" "$URL/x" stop=2
	[ "$(calls | tail -n 2)" = "event (message)()(2) $URL"$'\nend stopped 0' ]
	run -0 "$FOLLOWER" "$URL/x" stop-comment
	[ "$(calls | tail -n 2)" = $'comment ( c)\nend stopped 0' ]
	run -0 "$FOLLOWER" "$URL/x" stop-piece
	[ "${lines[*]: -2:1}" = 'piece 9 ()' ]
	[ "${lines[*]: -1}" = 'end stopped 0' ]
}

@test "its time ends it: 0 with a stream, the reason without one, and the sink can give it more" {
	play <<'END'
answer @STREAMdata: 1\n\n
hold
answer @STREAMdata: 1\n\n
pause 600
send data: 2\n\n
pause 600
send data: 3\n\n
hold
accept
request
hold
END
	run -0 "$FOLLOWER" "$URL/x" until=1000
	[ "$(calls | tail -n 1)" = 'end time 0' ]
	run -0 "$FOLLOWER" "$URL/x" until=1000 longer
	[ "$(calls | grep -c event\ )" -eq 3 ]
	run -75 "$FOLLOWER" "$URL/x" until=100
	[[ $output == *'end time 75'*"no stream from $URL/x yet" ]]
	free_url
	run -69 "$FOLLOWER" "$URL/x" until=1000
	[[ $output == *'end time 69'*'Connection refused' ]]
}

@test "a body is sent with each attempt, by POST or the method that was named" {
	play <<'END'
answer @STREAMdata: 1\n\n
close
answer @STREAMdata: 2\n\n
close
answer @204
END
	run -0 "$FOLLOWER" "$URL/x" body=asked stop=2
	[ "$(grep -c '^POST /x HTTP' log)" -eq 2 ]
	[ "$(grep -c 'Content-Type: text/plain' log)" -eq 2 ]
	[ "$(grep -c '^asked' log)" -eq 2 ]
	run -0 "$FOLLOWER" "$URL/x" body=asked method=REPORT
	[ "$(grep -c '^REPORT /x HTTP' log)" -eq 1 ]
	[ "$(grep -c '^asked' log)" -eq 3 ]
}

@test "what is secret stays away from another origin, and is back with the next attempt" {
	stream <<<'data: 1\n\n'
	local pid=$SERVER_PID
	set_aside
	play <<END
answer HTTP/1.1 307 Go\r\nLocation: $ELSEWHERE/y@EMPTY
close
answer @204
END
	run -0 "$FOLLOWER" "$URL/x" bearer=t1 cookie=c=t2 'header=X-Auth-Token: t3' 'header=X-Plain: 1' id=5
	[ "$(calls | sed -n 2p)" = "event (message)(5)(1) $ELSEWHERE" ]
	wait "$pid"
	run ! grep -E 't1|t2|t3' elsewhere.log
	has elsewhere.log 'X-Plain: 1'
	has elsewhere.log 'Last-Event-ID: 5'
	[ "$(grep -cE 't1|t2|t3' log)" -eq 6 ]
}

@test "without reconnecting a stream that ends is the end, one that breaks or is refused a failure" {
	play <<'END'
answer @STREAMdata: 1\n\ndata: 2
close
answer HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: 1\n\ndata: 2\n
close
answer HTTP/1.1 404 No@EMPTY
answer HTTP/1.1 200 OK\r\nContent-Type: text/html@EMPTY
END
	run -0 "$FOLLOWER" "$URL/x" once
	[[ $output == *'follower: the stream ended within an event'* ]]
	[ "$(calls | grep -c event\ )" -eq 1 ]
	run -69 "$FOLLOWER" "$URL/x" once flush
	[[ $output == *"event (message)()(2) $URL"*'end failed 69'* ]]
	run -69 "$FOLLOWER" "$URL/x"
	[[ $output == *'end failed 69'*'(404 No)' ]]
	run -76 "$FOLLOWER" "$URL/x"
}

@test "so many attempts in a row without an event are enough; silence counts as a failure" {
	play <<'END'
answer HTTP/1.1 503 Busy@EMPTY
close
accept
request
close
answer @STREAM: life\n
hold
END
	run -75 "$FOLLOWER" "$URL/x" retries=2 silence=300
	[[ $output == *'end failed 75'*"gave up after 3 attempts in a row: nothing came from $URL/x for 300ms" ]]
	requests 3
}

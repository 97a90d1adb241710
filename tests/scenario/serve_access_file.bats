#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of --access: mistakes in the file, who could have written it, reading it again while
# streams are open, time that passes, and where a secret must not turn up.
# shellcheck disable=SC2016,SC2153
# ThreadSanitizer runs this file, too.

load access_helpers

# rules: write the access file from the standard input.
rules() {
	rm -f rules
	(umask 077 && cat >rules)
}

# faulty TEXT: the server does not start, since of the file's last line this is true.
faulty() {
	refuses 65 "$1" --db :memory: --listen 0 --access rules
	has refused.err "--access rules: line $(wc -l <rules)"
	[ -z "${2:-}" ] || not has refused.err "$2"
}

# reread TEXT: make the server read the file again, and wait until it says the text once more.
reread() {
	local count
	count=$(grep -cF -- "$1" err) || true
	kill -HUP "$PID"
	wait_for counts err "$1" $((count + 1))
}

@test "--new-token prints the line for the file and the token apart; the line works" {
	local token
	run -0 --separate-stderr sse-serve --new-token ann
	[[ $stderr =~ ^sse_[a-z2-7]{32}$ ]]
	token=$stderr
	[ "$output" = "ann sha256:$(printf %s "$token" | sha256sum | cut -c 1-64) publish=** read=** as=ann" ]
	echo "$output" | rules
	run -0 --separate-stderr sse-serve --new-token ann
	[ "$stderr" != "$token" ]
	[[ $output = ann\ sha256:* ]]
	serve --access rules
	ask -H "Authorization: Bearer $token" -H 'Content-Type: text/plain' -d x "$URL/api/chat"
	answers 201
	local name
	for name in anonymous 'a b' 'a#b' 'a"b' ä $'a\nb' "$(letters 65)" sse/x; do
		run -64 --separate-stderr sse-serve --new-token "$name"
		[ -z "$output" ]
		[[ $stderr = *'the name '* ]]
		[[ $stderr != *sse_* ]]
	done
	run -74 --separate-stderr bash -c 'sse-serve --new-token ann >/dev/full'
	[[ $stderr != *sse_* ]]
}

@test "a mistake in the access file refuses it, and names the line" {
	local good digest token line text
	good=$(line ann 'publish=chat')
	digest=$(token bob | tr -d '\n' | sha256sum | cut -c 1-64)
	token=$(token bob)
	# A line after two that are right, and what is said of it.
	while IFS=$'\t' read -r line text; do
		printf '# comment\n%s\n%s\n' "$good" "${line//DIGEST/sha256:$digest}" | rules
		faulty "$text" "$token"
	done <<-END
		bob	the digest of bob's token is missing
		bob publish=chat	the digest of bob's token is missing
		bob sha256:	there must be the 64 hexadecimal digits
		bob sha256:${digest}0	there must be the 64 hexadecimal digits
		bob sha256:${digest%?}g	there must be the 64 hexadecimal digits
		bob sha256:$token	it contains a token
		bob DIGEST DIGEST	it has two digests
		bob $token	it contains a token
		$token	it begins with a token
		$token publish=chat	it begins with a token
		bob DIGEST token=$token	it contains a token
		bob DIGEST publish=$token	it contains a token
		bob DIGEST as=$token	it contains a token
		bob DIGEST as="my $token"	it contains a token
		Bearer:$token	it begins with a token
		bob DIGEST token=${token%?}	it contains a token
		bob DIGEST write=chat	'write=chat' is not sha256:DIGEST
		bob DIGEST Publish=chat	'Publish=chat' is not
		bob DIGEST remove=chat	'remove=chat' is not
		bob DIGEST publish	'publish' is not
		bob DIGEST publish=	publish=: a topic's name cannot be empty
		bob DIGEST publish=chat,	cannot be empty
		bob DIGEST publish=chat, news	cannot be empty
		bob DIGEST publish=**/x	** matches all further segments
		bob DIGEST read=a*	* matches a whole segment
		bob DIGEST read=\$sys	it has U+0024
		bob DIGEST read=a/../b	'..' cannot be a segment
		bob DIGEST read=session	'session' is not a valid topic
		bob DIGEST publish=a publish=b	it has publish= twice
		bob DIGEST read=a read=b	it has read= twice
		bob DIGEST status status	it has status twice
		bob DIGEST as=Bob as=Bob	it has as= twice
		bob DIGEST as=* as=Bob	it has as= twice
		bob DIGEST as=	the name in as= is empty
		bob DIGEST as="Bob	a quote (") is not closed
		bob DIGEST as="Bob "	begins or ends with white space
		bob DIGEST as=$(letters 65)	longer than 64 bytes
		bob DIGEST status=yes	'status=yes' is not
		anonymous DIGEST read=chat	anonymous needs no token
		anonymous read=chat as=Eve	anonymous cannot have a name of its own
		b/b DIGEST	the name has a character other than
		"" DIGEST	the name is empty
		bob DIGEST publish=$(letters 5000)	longer than
	END
	# What is about two lines names both.
	printf '%s\n%s\n' "$good" "${good/ann/bob}" | rules
	refuses 65 'lines 1 and 2 have the same digest' --listen 0 --db :memory: --access rules
	printf '%s\n%s\n' "$(line ann as=Ann)" "$(line bob as=Ann)" | rules
	refuses 65 'lines 1 and 2: ann and bob cannot both be present as' --listen 0 --db :memory: --access rules
	printf 'anonymous read=a\nanonymous read=b\n' | rules
	faulty 'there is an earlier line for anonymous'
	printf 'bob DIGEST\0 publish=**\n' | sed "s/DIGEST/sha256:$digest/" | rules
	faulty 'NUL'
	# Nothing is more open than what the file says.
	rules </dev/null
	serve --access rules
	as bob
	ask "${AS[@]}" "$URL/api/chat"
	problem 401 'not known'
	ask "$URL/api/chat"
	answers 401
}

@test "an access file that another could have written, or that is none, is refused" {
	line ann 'read=**' | rules
	chmod g+w rules
	refuses 66 "rules can be written by users other than its owner; 'chmod go-w'" --listen 0 --db :memory: --access rules
	chmod 602 rules
	refuses 66 'can be written by users other than its owner' --listen 0 --db :memory: --access rules
	chmod 600 rules
	refuses 66 'cannot open nothing: No such file' --listen 0 --db :memory: --access nothing
	mkdir folder
	refuses 66 'folder is not a regular file' --listen 0 --db :memory: --access folder
	mkfifo fifo
	refuses 66 'fifo is not a regular file' --listen 0 --db :memory: --access fifo
	refuses 66 '/dev/null is not a regular file' --listen 0 --db :memory: --access /dev/null
	(letters 1100000 '#' && echo) | rules
	refuses 66 'larger than 1 MiB' --listen 0 --db :memory: --access rules
	[ "$(id -u)" -eq 0 ] || skip 'only root can give a file to another'
	line ann 'read=**' | rules
	chown "$NOBODY" rules
	refuses 66 'belongs to another user' --listen 0 --db :memory: --access rules
}

@test "an access file that others can read is used, and warned about" {
	line ann 'read=**' | rules
	chmod 644 rules
	serve --access rules
	has err 'other users can read it'
	has err 'chmod go= rules'
	stop
	: >err
	chmod 600 rules
	serve --access rules
	not has err 'other users can read it'
}

@test "beyond loopback a server needs --access, --jwt-keys or --open, and --open alone" {
	line ann 'read=**' | rules
	refuses 64 --open --db :memory: --listen 0.0.0.0:0
	refuses 64 'leave one of them out' --db :memory: --listen 0 --open --access rules
	refuses 64 'need --jwt-keys' --db :memory: --listen 0 --jwt-issuer x
	refuses 64 'need --jwt-keys' --db :memory: --listen 0 --access rules --jwt-audience x
	serve --listen 0.0.0.0:0 --access rules
	ask "$URL/api/chat"
	answers 401
}

@test "a stream ends when its line is removed or changed, and goes on when it is not" {
	{
		echo 'anonymous read=news'
		line ann 'read=chat'
		line bob 'read=chat'
		line eve 'read=chat,secret'
		line root 'publish=** read=**'
	} | rules
	serve --access rules
	local name
	follow everyone /api/news/event
	local everyone=$FOLLOWER
	for name in ann bob eve; do
		as $name
		follow $name /api/chat/event "${AS[@]}"
		eval "local $name=\$FOLLOWER"
		log_in $name
		follow $name.session /api/chat/event -H "Cookie: $SESSION"
		eval "local ${name}_cookie=\$SESSION"
		ticket $name topic=chat
		eval "local ${name}_ticket=\$TICKET"
	done
	# The line is removed; the line is changed; nothing else is.
	sed -i '/^bob/d; s/^\(eve.*\),secret/\1/' rules
	reread 'reloaded who may do what'
	for name in bob eve; do
		wait_for has $name 'event: denied'
		wait_for has $name.session 'event: denied'
		wait_for gone "${!name}"
	done
	has bob 'data: {"reason":"the token was withdrawn"}'
	has eve 'data: {"reason":"what the token may do has changed"}'
	for name in bob eve; do
		local cookie=${name}_cookie ticket=${name}_ticket
		ask -H "Cookie: ${!cookie}" "$URL/api/chat"
		problem 401 'the session has ended'
		ask --head "$URL/api/chat/event?ticket=${!ticket}"
		answers 401
	done
	as bob
	ask "${AS[@]}" "$URL/api/chat"
	problem 401 'the token is not known'
	as eve
	ask "${AS[@]}" "$URL/api/chat"
	answers 200
	as root
	text chat later "${AS[@]}"
	answers 201
	wait_for has ann 'data: later'
	wait_for has ann.session 'data: later'
	ask -H "Cookie: $ann_cookie" "$URL/api/chat"
	answers 200
	ask --head "$URL/api/chat/event?ticket=$ann_ticket"
	answers 200
	not has bob later
	not has eve later
	not has ann denied
	not has everyone denied
	# What everyone may, all may: it changes for all.
	sed -i 's/^anonymous.*/anonymous read=other/' rules
	reread 'reloaded who may do what'
	wait_for has everyone 'event: denied'
	wait_for has ann 'event: denied'
	wait_for gone "$everyone"
	ask "$URL/api/news"
	answers 401
}

@test "a token that is withdrawn while a body arrives publishes nothing" {
	line root 'publish=** read=**' | rules
	serve --access rules --loops 1
	line eve 'publish=chat' >>rules
	reread 'reloaded who may do what'
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'POST /api/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n' "$(token eve)" >&5
	printf 'Content-Type: text/plain\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n' >&5
	local status
	read -r -t 60 status <&5
	[[ $status = *' 100 '* ]]
	sed -i '/^eve/d' rules
	reread 'reloaded who may do what'
	printf 'stolen' >&5
	while [[ $status = *' 100 '* || $status = $'\r' ]]; do read -r -t 60 status <&5; done
	exec 5>&-
	[[ $status = *' 401 '* ]]
	as root
	ask "${AS[@]}" "$URL/api/chat"
	answers 200
	not has body stolen
}

@test "a file with a mistake, or that another could write, leaves the old rules in force, and says so" {
	line ann 'read=chat' | rules
	serve --access rules
	as ann
	follow stream /api/chat/event "${AS[@]}"
	echo 'anonymous read=** publish=** nonsense' >>rules
	reread "--access rules: line 2: 'nonsense' is not"
	has err 'the old rules stay in force'
	chmod 666 rules
	reread 'can be written by users other than its owner'
	mv rules gone
	reread 'cannot open rules'
	ask "${AS[@]}" "$URL/api/chat"
	answers 200
	ask "$URL/api/chat"
	answers 401
	ask "${AS[@]}" "$URL/api/other"
	answers 403
	not has stream denied
	line ann 'read=other' | rules
	reread 'reloaded who may do what'
	wait_for has stream 'event: denied'
	ask "${AS[@]}" "$URL/api/chat"
	answers 403
}

@test "time passes: a ticket is good for 30 s, a session for as long as --session-lifetime says" {
	{
		line root 'publish=** read=**'
		echo 'anonymous read=news'
	} | rules
	echo 0 >clock
	serve_with shim_clock SHIM_CLOCK="$PWD/clock" -- --access rules --session-lifetime 1h
	ticket root topic=chat
	local early=$TICKET
	ticket root topic=chat
	echo 25 >clock
	ask --head "$URL/api/chat/event?ticket=$early"
	answers 200
	echo 31 >clock
	ask --head "$URL/api/chat/event?ticket=$TICKET"
	answers 401
	log_in root
	follow stream /api/chat/event -H "Cookie: $SESSION"
	local session=$FOLLOWER
	ticket root topic=chat
	follow ticket "/api/chat/event?ticket=$TICKET"
	echo 3500 >clock
	ask -H "Cookie: $SESSION" "$URL/api/chat"
	answers 200
	echo 3700 >clock
	ask -H "Cookie: $SESSION" "$URL/api/chat"
	problem 401 'the session has ended'
	wait_for has stream 'event: denied'
	wait_for gone "$session"
	has stream 'expired'
	# A stream that a ticket opened lasts as long as the token.
	as root
	text chat later "${AS[@]}"
	wait_for has ticket 'data: later'
	not has stream later
}

# finds TEXT: print where it turned up, in what the server wrote or shows.
finds() {
	grep -alF -- "$1" err out events.db* stream stats metrics answers/* "/proc/$PID/cmdline" \
		"/proc/$PID/environ" 2>/dev/null
}

@test "a token, a session and a ticket turn up in no log, answer, figure, list of processes or database" {
	{
		line root 'publish=** read=** status'
		line ann 'read=chat as=Ann'
	} | rules
	serve --access rules -v --log json
	mkdir answers
	local token wrong i=0 secret found
	token=$(token root)
	wrong=$(token eve)
	as root
	follow stream '/api/event?topic=**' "${AS[@]}"
	follow stats '/api/$sys/event' "${AS[@]}"
	log_in root
	ticket root topic=chat
	text chat x "${AS[@]}"
	# Where a secret does not belong, and faults that could be told with it.
	local jwt
	jwt=eyJhbGciOiJub25lIn0.c2VjcmV0.$(letters 40 s)
	local targets=("/api/chat/event?ticket=$TICKET" "/api/chat/event?ticket=$TICKET" "/api/chat?ticket=$TICKET"
		"/api/chat?token=$token" "/api/$wrong/event?ticket=$token&x" "/api/event?topic=chat&tickett=$token"
		"/api/event?topic=$token" "/api/chat?access_token=$jwt" "/api/chat/event?authorization=$jwt"
		"/nothing?%74icket=$TICKET" "/api/chat?as=$token")
	for target in "${targets[@]}"; do
		ask --head "$URL$target"
		ask --head "${AS[@]}" "$URL$target"
		ask "$URL$target"
		# What is said to who sent it may repeat a topic that it named, and nothing else.
		[[ $target = /api/$wrong* || $target = *topic=$token ]] || cp body "answers/$((++i))"
	done
	for header in "Authorization: Bearer $wrong" "Authorization: Basic $token" "Authorization: Bearer $token x" \
		"Cookie: sse-session=$wrong" "Cookie: $SESSION" "Authorization: Bearer $jwt"; do
		ask -H "$header" "$URL/api/secret"
		cp body "answers/$((++i))"
		ask -X POST -H "$header" "$URL/api/session"
		cp body "answers/$((++i))"
	done
	ask "${AS[@]}" "$URL/api/session"
	cp body answers/session
	ask "${AS[@]}" "$URL/metrics"
	cp body metrics
	wait_for has stats 'event: stats'
	for secret in "$token" "$wrong" "${SESSION#*=}" "$TICKET" "$jwt"; do
		found=$(finds "$secret") || continue
		echo "$secret is in $found" >&2
		return 1
	done
	# They would be found: what belongs there is.
	finds /api/chat | grep -q err
	finds root | grep -q answers/session
}

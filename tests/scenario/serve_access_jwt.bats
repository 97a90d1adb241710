#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attacks on a server with --jwt-keys: forged JWTs of all kinds, on every route; keys that are
# withdrawn; what a JWT grants.
# shellcheck disable=SC2016,SC2153

load access_helpers

setup_file() {
	export JWTS=$BATS_FILE_TMPDIR/jwts
	mkdir -p "$JWTS"
	# Somebody listens where the forged headers point to, and should never be asked.
	local BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	common_setup
	node -e 'const fs = require("fs");
		require("net").createServer((socket) => fs.appendFileSync("asked", "x") ?? socket.end())
			.listen(0, "127.0.0.1", function () { fs.writeFileSync("port", `${this.address().port}`); });' 3>&- 4>&- &
	export ELSEWHERE_PID=$!
	wait_for test -s port
	ELSEWHERE=http://127.0.0.1:$(cat port)
	export ELSEWHERE
	node "$BATS_TEST_DIRNAME/forge.mjs" "$JWTS" "$ELSEWHERE"
	guard --jwt-keys "$JWTS/keys.json" --jwt-issuer us --jwt-audience here
}

teardown_file() {
	kill "$ELSEWHERE_PID" 2>/dev/null || true
	unguard
}

setup() {
	guarded_setup
}

teardown() {
	end_jobs
}

# bearer FILE: AS is curl's arguments for a request with this token.
bearer() {
	AS=(-H "Authorization: Bearer $(cat "$JWTS/$1")")
}

@test "a JWT that one of the keys signed is good for what it grants" {
	local file
	for file in "$JWTS"/good.*; do
		bearer "${file##*/}"
		targets READ PUBLISH STATUS | grep -v '^GET .*event' | batch "${AS[@]}"
		not grep -v ' 20[01] $' answered
	done
}

# all KIND: ask for every target of the table with every token of the kind, all in one run of curl;
# answered has token, METHOD, target, status and WWW-Authenticate of each.
all() {
	local file jwt method target BODY BODY_TYPE
	targets READ PUBLISH STATUS >asked
	for file in "$JWTS/$1".*; do
		jwt=$(<"$file")
		move
		while read -r method target; do
			printf '%s\n' next "url = \"$URL$target\"" silent 'max-time = 30' 'output = body' \
				"header = \"Authorization: Bearer $jwt\"" "header = \"X-Forwarded-For: $CLIENT\"" \
				"write-out = \"${file##*/} $method $target %{http_code} %header{WWW-Authenticate}\\n\""
			case $method in
			HEAD) echo head ;;
			POST)
				body_for "$target"
				printf '%s\n' "header = \"Content-Type: $BODY_TYPE\"" "data = \"${BODY//\"/\\\"}\""
				;;
			esac
		done <asked
	done >requests
	curl -sS -K requests >answered
	[ "$(wc -l <answered)" -eq $(($(find "$JWTS" -name "$1.*" | wc -l) * $(wc -l <asked))) ]
}

@test "a JWT that is forged, expired, not yet valid or for somebody else is refused on every route" {
	all bad
	not grep -m 20 -vx '[^ ]* [A-Z]* [^ ]* 401 Bearer realm="sse-serve", error="invalid_token"' answered
	nothing_happened
	# Somebody would have been asked for a key: it is there.
	curl -s "$ELSEWHERE" || true
	[ "$(cat "$BATS_FILE_TMPDIR/asked")" = x ]
	# Not even as a session.
	bearer bad.none
	ask -X POST "${AS[@]}" "$URL/api/session"
	problem 401 token
	[ -z "$(header Set-Cookie)" ]
	not has "$GUARDED_LOG" "$(cut -d . -f 2 <"$JWTS/good.rsa")"
}

@test "100 KiB of JWT are refused, and the server goes on" {
	local parts
	parts=$(cut -d . -f 1,2 <"$JWTS/good.rsa")
	printf 'GET /api/secret HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s.%s\r\nConnection: close\r\n\r\n' \
		"$parts" "$(letters 100000 A)" | raw >answer
	head -n 1 answer | grep -qE '^HTTP/1.1 4(00|01|13|31) '
	bearer good.rsa
	ask "${AS[@]}" "$URL/api/secret"
	answers 200
	nothing_happened
}

@test "a good JWT for something else is refused on every route" {
	all few
	not grep -vx '[^ ]* [A-Z]* [^ ]* 403 Bearer realm="sse-serve", error="insufficient_scope"' answered
	bearer few.mercure
	ask --head "${AS[@]}" "$URL/api/event?topic=chat/*"
	answers 200
	ask --head "${AS[@]}" "$URL/api/event?topic=chat/**"
	answers 403
	bearer few.as
	ask --head "${AS[@]}" "$URL/api/chat/a/event?as=Jay"
	answers 200
	ask --head "${AS[@]}" "$URL/api/chat/a/event?as=Ann"
	answers 403
	nothing_happened
}

@test "keys of one kind alone: RSA in PEM verifies no HMAC with its text as the secret" {
	serve --jwt-keys "$JWTS/key.pem" --jwt-issuer us --jwt-audience here
	bearer good.nokid
	ask "${AS[@]}" "$URL/api/chat"
	answers 200
	local name
	for name in bad.hmacpem bad.hmacpemnokid bad.hmacder bad.none bad.jwk good.hmac; do
		bearer $name
		ask "${AS[@]}" "$URL/api/chat"
		problem 401 token
	done
	stop
}

@test "a key that is withdrawn ends what its JWTs opened, sessions and tickets too" {
	cp "$JWTS/keys.json" keys
	serve --jwt-keys keys --jwt-issuer us --jwt-audience here
	bearer good.rsa
	local jay=("${AS[@]}")
	follow rsa /api/chat/event "${jay[@]}"
	local follower=$FOLLOWER
	ask -X POST "${jay[@]}" "$URL/api/session"
	answers 201
	SESSION=$(header Set-Cookie)
	SESSION=${SESSION%%;*}
	follow session /api/chat/event -H "Cookie: $SESSION"
	bearer good.ec
	follow ec /api/chat/event "${AS[@]}"
	cat "$JWTS/fewer.json" >keys
	kill -HUP "$PID"
	wait_for has rsa 'event: denied'
	wait_for has session 'event: denied'
	wait_for gone "$follower"
	ask "${jay[@]}" "$URL/api/chat"
	problem 401 token
	ask -H "Cookie: $SESSION" "$URL/api/chat"
	answers 401
	# The other key's go on.
	text chat later "${AS[@]}"
	answers 201
	wait_for has ec 'data: later'
	# Keys with a mistake change nothing.
	echo '{"keys":[{"kty":"RSA"}]}' >keys
	kill -HUP "$PID"
	wait_for has err 'the old rules stay in force'
	ask "${AS[@]}" "$URL/api/chat"
	answers 200
	not has ec denied
	stop
}

@test "a JWT that expires ends its stream and its session, whatever was seen before" {
	echo 0 >clock
	local JWTS=$PWD
	node "$BATS_TEST_DIRNAME/forge.mjs" . "$ELSEWHERE"
	serve_with shim_clock SHIM_CLOCK="$PWD/clock" -- --jwt-keys keys.json --jwt-issuer us --jwt-audience here
	bearer good.rsa
	ask -X POST "${AS[@]}" "$URL/api/session"
	answers 201
	SESSION=$(header Set-Cookie)
	SESSION=${SESSION%%;*}
	# Its stream alone: a look at another would be one at this, too.
	follow stream /api/chat/event -H "Cookie: $SESSION"
	local follower=$FOLLOWER
	echo 3000 >clock
	ask "${AS[@]}" "$URL/api/chat"
	answers 200
	echo 3700 >clock
	ask "${AS[@]}" "$URL/api/chat"
	problem 401 expired
	ask -H "Cookie: $SESSION" "$URL/api/chat"
	answers 401
	wait_for has stream 'event: denied'
	wait_for gone "$follower"
	stop
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of --hook: deliveries of webhooks, signed by openssl, and those that are not signed.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154

load serve_helpers

# secret FILE LINE...: write the secrets into the key file.
secret() {
	rm -f "$1"
	(umask 077 && printf '%s\n' "${@:2}" >"$1")
}

# mac SECRET: the HMAC of the standard input, in hexadecimal digits.
mac() {
	openssl dgst -sha256 -hmac "$1" -r | cut -d ' ' -f 1
}

# github SECRET ID EVENT BODY [ARGUMENT...]: a delivery as GitHub sends it.
github() {
	local hex
	hex=$(printf %s "$4" | mac "$1")
	ask -H 'Content-Type: application/json' -H "X-Hub-Signature-256: sha256=$hex" \
		-H "X-GitHub-Delivery: $2" -H "X-GitHub-Event: $3" --data-binary "$4" "${@:5}" \
		"${HOOK:-$URL/hook/github}"
}

# stripe SECRET TIME BODY: a delivery as Stripe sends it.
stripe() {
	local hex
	hex=$(printf %s "$2.$3" | mac "$1")
	ask -H 'Content-Type: application/json; charset=utf-8' \
		-H "Stripe-Signature: t=$2,v1=${OLDER:-00},v1=$hex,v0=00" --data-binary "$3" "$URL/hook/stripe"
}

# standard KEY ID TIME BODY: a delivery as Standard Webhooks have it; the key is the text that base64
# stands for in the secret.
standard() {
	local base64
	base64=$(printf %s "$2.$3.$4" | openssl dgst -sha256 -hmac "$1" -binary | base64)
	ask -H 'Content-Type: application/json' -H "webhook-id: $2" -H "webhook-timestamp: $3" \
		-H "webhook-signature: v1a,AAAA v1,$base64" --data-binary "$4" "$URL/hook/standard"
}

# refused TEXT: the last answer is a 401 of the hook, and the log says why.
refused() {
	problem 401 'no valid signature' &&
		[[ $(header WWW-Authenticate) = *' realm="sse-serve"' ]] && wait_for has err "$1"
}

# data_of TOPIC: what is stored, with type and topic.
data_of() {
	curl -sf "$URL/api/$1?envelope=1" | jq -c '.[] | [.event, .data]'
}

# reread TEXT: make the server read its files again, and wait until it says the text once more.
reread() {
	local count
	count=$(grep -cF -- "$1" err) || true
	kill -HUP "$PID"
	wait_for counts err "$1" $((count + 1))
}

@test "a delivery of GitHub is an event of the topic, as it came, and is there once" {
	secret key "It's a Secret to Everybody"
	serve --hook github=gh/acme:key
	follow stream /api/gh/acme/event
	github "It's a Secret to Everybody" 72d3162e push $'{"n": 1.000000000000000000001,\r\n "ä":[12345678901234567890]}' \
		-H 'X-GitHub-Hook-ID: 7' -H 'X-Other: no'
	answers 201
	local id
	id=$(header Last-Event-ID)
	[ "$(header Location)" = "/api/gh/acme/$id" ]
	wait_for has stream 'event: push'
	wait_for has stream "id: $id"
	has stream '"body":{"n": 1.000000000000000000001,'
	has stream ' "ä":[12345678901234567890]}}'
	curl -sf "$URL/api/gh/acme" | jq -c '.[].headers' |
		is '{"Content-Type":"application/json","X-GitHub-Event":"push","X-GitHub-Delivery":"72d3162e","X-GitHub-Hook-ID":"7"}'
	# Again, over a restart too; another delivery has another id.
	github "It's a Secret to Everybody" 72d3162e push '{"other":"attempt"}'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	[ "$(header Last-Event-ID)" = "$id" ]
	stop
	serve --hook github=gh/acme:key
	github "It's a Secret to Everybody" 72d3162e push '{}'
	answers 201
	[ "$(stored gh/acme | wc -l)" -eq 1 ]
	github "It's a Secret to Everybody" 72d3162f push '{}'
	answers 201
	[ -z "$(header Idempotency-Replayed)" ]
	[ "$(stored gh/acme | wc -l)" -eq 2 ]
}

@test "the recipe: a program gets the body of each delivery, and its type" {
	secret key s
	serve --hook github=gh/acme:key
	github s 1 ping '{"zen":"x"}'
	github s 2 push '{"ref":"main"}'
	sse-tail "$URL/api/gh/acme/event?since=all" -e push -n 1 \
		--exec 'printf "%s %s\n" "$SSE_MSG_EVENT" "$(jq -r .body.ref)" >>refs'
	is 'push main' <refs
}

@test "deliveries of Stripe and of Standard Webhooks have their id and type, and their time" {
	local now
	now=$(date +%s)
	secret stripe whsec_one
	secret standard "whsec_$(printf 'a key of 24 bytes or more' | base64)"
	serve --hook stripe=pay:stripe --hook standard=std:standard
	OLDER=$(printf 0 | mac x) stripe whsec_one "$now" '{"id":"evt_1","type":"invoice.paid","pending_webhooks":2}'
	answers 201
	# Stripe counts in the body.
	stripe whsec_one "$now" '{"id":"evt_1","type":"invoice.paid","pending_webhooks":1}'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	data_of pay | is '["invoice.paid",{"headers":{"Content-Type":"application/json; charset=utf-8"},"body":{"id":"evt_1","type":"invoice.paid","pending_webhooks":2}}]'
	stripe whsec_one "$((now - 400))" '{"id":"evt_2"}'
	refused 'was signed more than 5 minutes ago'
	has err 'hook stripe: the delivery from '
	stripe whsec_one "$((now + 800))" '{"id":"evt_2"}'
	refused 'was signed more than 5 minutes from now'
	stripe whsec_one "$now" '{"type":"x"}'
	problem 400 'the id of the delivery (id) is missing'
	stripe whsec_one "$now" 'not JSON'
	problem 400 'the id of the delivery (id) is missing'

	standard 'a key of 24 bytes or more' msg_1 "$now" '{"type":"user.created","id":9}'
	answers 201
	standard 'a key of 24 bytes or more' msg_1 "$((now + 1))" '{"type":"user.created","id":9}'
	[ "$(header Idempotency-Replayed)" = true ]
	standard 'a key of 24 bytes or more' msg_2 "$now" 'no JSON: "ä"'
	answers 201
	curl -sf "$URL/api/std?envelope=1" | jq -c '.[] | [.event, .data.body]' >got
	printf '%s\n' '["user.created",{"type":"user.created","id":9}]' '["update","no JSON: \"ä\""]' | is "$(cat got)"
	standard 'a key of 24 bytes or more' msg_3 "$((now - 400))" '{}'
	answers 401
	wait_for counts err 'was signed more than 5 minutes ago' 2
	standard 'a key of 24 bytes or more' a.b "$now" '{}'
	refused 'has a full stop in its id'
	[ "$(stored pay | wc -l),$(stored std | wc -l)" = 1,2 ]
}

@test "what is not signed, or not by the secret, or changed, is 401 and stores nothing" {
	secret key right
	serve --hook github=gh:key
	local hex args
	hex=$(printf %s '{}' | mac right)
	args=(-H 'Content-Type: application/json' -H 'X-GitHub-Event: push' -H 'X-GitHub-Delivery: 1' -d '{}' "$URL/hook/github")
	ask "${args[@]}"
	refused 'has no signature'
	ask -H 'X-Hub-Signature-256;' "${args[@]}"
	refused 'does not begin with sha256='
	ask -H "X-Hub-Signature-256: sha256=${hex^^}" "${args[@]}"
	refused 'is signed with another secret, or was changed on its way'
	ask -H "X-Hub-Signature-256: sha256=${hex%?}" "${args[@]}"
	answers 401
	ask -H "X-Hub-Signature-256: sha1=$hex" "${args[@]}"
	answers 401
	ask -H "X-Hub-Signature: sha256=$hex" "${args[@]}"
	answers 401
	ask -H "X-Hub-Signature-256: sha256=$hex" -H 'X-Hub-Signature-256: sha256=00' "${args[@]}"
	refused 'has a header twice that must appear only once'
	ask -H "X-Hub-Signature-256: sha256=$hex" -H 'X-GitHub-Delivery: 2' "${args[@]}"
	answers 401
	ask -H "X-Hub-Signature-256: sha256=$hex" "${args[@]}" -d ' '
	answers 401
	github wrong 1 push '{}'
	answers 401
	github '' 1 push '{}'
	answers 401
	ask "$URL/api/gh"
	[ "$(cat body)" = '[]' ]
	ask -H "X-Hub-Signature-256: sha256=$hex" "${args[@]}"
	answers 201
	# Neither the answers nor the log repeat a secret or a right signature.
	not grep -aF -e "$hex" -e 'right' err body head
}

@test "wrong signatures of one address are slowed; a right one from there is stored all the same" {
	secret key right
	serve --hook github=gh:key --trust-proxy 127.0.0.1 --trust-proxy ::1
	CLIENT=198.18.1.1
	local args=() i
	for i in {1..40}; do
		args+=(${args:+--next} -sS -m 30 -o body -w '%{http_code}\n' -H "X-Forwarded-For: $CLIENT"
			-H "X-Hub-Signature-256: sha256=$i" -d x -H 'Content-Type: application/json' "$URL/hook/github")
	done
	curl "${args[@]}" >answered
	[ "$(grep -c 401 answered)" -ge 20 ]
	[ "$(sort -u answered | tr '\n' ' ')" = '401 429 ' ]
	for i in 1 2 3; do
		github wrong 1 push '{}'
		[ "$code" = 401 ] || break
	done
	problem 429 'too many wrong signatures'
	[ "$(header Retry-After)" -ge 1 ]
	github right 1 push '{}'
	answers 201
	CLIENT=198.18.1.2
	github wrong 1 push '{}'
	answers 401
}

@test "what is answered at other names, methods and content types" {
	secret key s
	serve --hook github/shop=gh:key --hook stripe=pay:key
	HOOK=$URL/hook/github/shop
	github s 1 push '{}'
	answers 201
	local name method
	for name in '' github github/ github/shop/ GitHub/shop shop standard; do
		HOOK=$URL/hook/$name github s 1 push '{}'
		problem 404 'there is no hook of this name'
	done
	for method in GET PUT DELETE; do
		ask -X "$method" "$HOOK"
		problem 405 'this address accepts POST, OPTIONS'
		[ "$(header Allow)" = 'POST, OPTIONS' ]
	done
	ask -H "X-Hub-Signature-256: sha256=$(printf payload=x | mac s)" -d payload=x "$HOOK"
	problem 415 'set the content type of the webhook to application/json'
	github s 2 push '{}' -H 'Content-Encoding: gzip'
	problem 415 'without one'
	github s 3 push '{}' -H "Host: evil.example"
	answers 421
	[ "$(stored gh | wc -l)" -eq 1 ]
	# A page of another site may send, since it cannot sign.
	github s 4 push '{}' -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: cross-site'
	answers 201
	stop
	# Without hooks, it is a folder as any other.
	mkdir -p web/hook
	echo mine >web/hook/github
	serve --web web
	ask "$URL/hook/github"
	[ "$(cat body)" = mine ]
	ask "$URL/hook/stripe"
	answers 404
}

@test "what cannot be an event is refused, and what only its type cannot be is an update" {
	secret key s
	serve --hook github=gh:key --max-body 10k --max-topics 1
	local type
	for type in gap denied "$(letters 201)"; do
		github s "1 ${type::9}" "$type" '{}'
		answers 201
	done
	github s "$(letters 256)" push '{}'
	problem 400 'the id of the delivery (X-GitHub-Delivery) is longer than 255 bytes'
	github s 2 '' '{}' -H 'X-GitHub-Event:'
	answers 201
	curl -sf "$URL/api/gh?envelope=1" | jq -r '.[].event' | sort -u | is update
	github s '' push '{}' -H 'X-GitHub-Delivery:'
	problem 400 'the id of the delivery (X-GitHub-Delivery) is missing'
	github s 3 push $'\xff'
	problem 400 'the body is not UTF-8: byte 1 is wrong'
	github s 4 push "$(letters 10230 | tr x $'\001')"
	problem 413 'too many characters that a JSON string escapes'
	github s 5 push "$(letters 200 '[')$(letters 200 ']')"
	problem 400 'nested deeper than 200'
	github s 6 push "$(letters 10241)"
	answers 413
	github s 7 push "\"$(letters 10238)\""
	answers 201
	# One that has its id is there already, but not by a hook.
	text gh x -H 'Idempotency-Key: taken'
	github s taken push '{}'
	problem 409 "the delivery's id 'taken' is known for another event"
	stop
	serve --hook github=other:key --max-topics 1
	github s 8 push '{}'
	answers 507
}

@test "--access does not apply to a hook, and no token replaces a signature; --rate applies" {
	secret key s
	(umask 077 && echo "root sha256:$(printf sse_x | sha256sum | cut -c 1-64) publish=** read=**" >rules)
	serve --access rules --hook github=gh:key --rate publish=2/h:2 --trust-proxy 127.0.0.1 --trust-proxy ::1
	CLIENT=192.0.2.1
	ask -H 'Authorization: Bearer sse_x' -H 'X-GitHub-Delivery: 1' -H 'Content-Type: application/json' -d '{}' "$URL/hook/github"
	refused 'has no signature'
	github s 1 push '{}'
	answers 201
	github s 2 push '{}' -H 'Authorization: Bearer sse_wrong'
	answers 201
	github s 3 push '{}'
	problem 429 'publish=2/h:2 (--rate)'
	ask "$URL/api/gh"
	answers 401
	ask -H 'Authorization: Bearer sse_x' "$URL/api/gh"
	[ "$(jq length body)" -eq 2 ]
}

@test "each secret of the file counts; SIGHUP reads all files or none" {
	secret one old new
	secret two other
	serve --hook github=gh:one --hook stripe=pay:two
	github old 1 push '{}'
	answers 201
	github new 2 push '{}'
	answers 201
	secret one new newer
	reread 'reloaded who may do what'
	github old 3 push '{}'
	answers 401
	github newer 3 push '{}'
	answers 201
	# A mistake in one file, and the other is not used either.
	secret one newest
	: >two
	reread '--hook two: it has no secret'
	has err 'the old rules stay in force'
	github newest 4 push '{}'
	answers 401
	github new 4 push '{}'
	answers 201
	secret two other
	chmod 666 two
	reread '--hook two can be written by users other than its owner'
	mv two gone
	reread '--hook cannot open two'
	github new 5 push '{}'
	answers 201
	stripe other "$(date +%s)" '{"id":"evt"}'
	answers 201
	mv gone two
	chmod 644 two
	reread '--hook two: other users can read it'
	wait_for counts err 'reloaded who may do what' 2
	github newest 6 push '{}'
	answers 201
}

@test "a mistake in the access file leaves the secrets in force, too" {
	secret key old
	(umask 077 && echo 'anonymous read=**' >rules)
	serve --access rules --hook github=gh:key
	secret key new
	echo nonsense >>rules
	reread 'the old rules stay in force'
	github new 1 push '{}'
	answers 401
	github old 1 push '{}'
	answers 201
}

@test "mistakes in --hook are told at the start" {
	secret key s
	refuses 64 'there is no =' --db :memory: --hook github
	refuses 64 "this is not a kind of hook" --db :memory: --hook gitlab=x:key
	refuses 64 'another hook has this name' --db :memory: --hook github=x:key --hook github=y:key
	refuses 64 'the topic users takes only events with certain fields' --db :memory: --hook github=users:key
	refuses 66 'cannot open none' --db :memory: --hook github=x:none
	refuses 65 '--hook key: line 1: the secret is not whsec_' --db :memory: --hook standard=x:key
	: >key
	refuses 65 '--hook key: it has no secret' --db :memory: --hook github=x:key
	printf '# no comment\nsecret\n' >key
	refuses 65 'begins with #' --hook github=gh:key
	printf 'secret\r\n' >key
	refuses 65 'line 1: the secret contains a control character' --db :memory: --hook github=x:key
	not has refused.err secret$'\r'
	chmod 620 key
	refuses 66 "'chmod go-w' prevents that" --db :memory: --hook github=x:key
	# Signed or not, others can read and publish.
	secret key s
	refuses 64 --open --db :memory: --listen 0.0.0.0:0 --hook github=x:key
}

@test "killed in the midst of deliveries, each that is sent again is stored once" {
	secret key s
	serve --hook github=gh:key
	local round i port=$PORT pending
	for round in 1 2 3; do
		for i in {1..30}; do
			printf 'next\nurl = "%s"\nheader = "X-GitHub-Delivery: %s"\nheader = "X-GitHub-Event: push"\n' \
				"$URL/hook/github" "$round.$i"
			printf 'header = "Content-Type: application/json"\nheader = "X-Hub-Signature-256: sha256=%s"\n' \
				"$(printf '{"n":%s}' "$i" | mac s)"
			printf 'data = "{\\"n\\":%s}"\nsilent\noutput = body\nwrite-out = "%s %%{http_code}\\n"\nmax-time = 60\n' "$i" "$i"
		done >deliveries
		sed -i 1d deliveries
		# GitHub sends again what was not answered, and what was, if one asks it to.
		: >answered.$round
		curl -K deliveries >answered.$round 2>/dev/null 3>&- &
		pending=$!
		wait_for grew answered.$round $((round * 5))
		crash
		wait "$pending" || true
		serve_at "$port" --hook github=gh:key
		curl -K deliveries >again
		[ "$(grep -c ' 201$' again)" -eq 30 ]
		[ "$(stored gh 'limit=1000' | wc -l)" -eq $((round * 30)) ]
	done
	curl -sf "$URL/api/gh?limit=1000" | jq -r '.[].headers["X-GitHub-Delivery"]' | sort | uniq -d | is ''
}

@test "a delivery to a closed topic is refused, and one that it had before is not" {
	secret keys "$(letters 32 s)"
	serve --hook github=gh:keys
	github "$(letters 32 s)" d1 push '{"n":1}'
	answers 201
	ask -X POST "$URL/api/gh?close=1"
	answers 201
	github "$(letters 32 s)" d1 push '{"n":1}'
	answers 201
	[ "$(header Idempotency-Replayed)" = true ]
	github "$(letters 32 s)" d2 push '{"n":2}'
	problem 409 'the topic gh is closed for good'
}

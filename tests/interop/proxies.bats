#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-serve behind the proxies of sse-tools(7), each with the file of proxies/ that the page shows: streams over
# HTTP/2 are not held back, eight share a connection, a proxy that is reloaded or killed costs no event, and
# the server knows its clients.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load ../scenario/tls_helpers
load interop_helpers

STREAMS=8

setup() {
	tls_setup
	HERE=$BATS_TEST_DIRNAME
	export SSE_TIMEOUT=60s SSE_RECONNECT_DELAY=20ms
	SERVER='' PROXY=''
}

teardown() {
	[ -z "$PROXY" ] || kill_proxy
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
	end_jobs
}

# --- the proxies --------------------------------------------------------------

# recipe FILE: as it is shown, with this test's names, ports and files.
recipe() {
	sed -e "s#127\.0\.0\.1\([:,]\)8000#127.0.0.1\1${DIRECT##*:}#" -e "s#events\.example\.com#localhost#" \
		-e 's#\b10s#1s#' \
		-e "s#/etc/.*/events\.pem#$PWD/both.pem#" -e "s#/etc/.*/events\.key#$PWD/server.key#" "$HERE/proxies/$1"
}

# conf_NAME prints the whole file for the port, run_NAME becomes the proxy, in a process group of its own,
# reload_NAME has it load the file again.
conf_nginx() {
	[ "$(id -u)" -ne 0 ] || echo "user $(id -un) $(id -gn);"
	echo "daemon off; pid $PWD/nginx.pid; worker_shutdown_timeout 1s; events {} http { access_log off;"
	printf '%s_temp_path temp;\n' client_body proxy fastcgi uwsgi scgi
	recipe nginx.conf | sed "s/listen 443/listen 127.0.0.1:$PORT/"
	echo '}'
}

run_nginx() {
	exec setsid nginx -p "$PWD" -e error.log -c "$PWD/conf"
}

reload_nginx() {
	kill -HUP "$PROXY"
}

conf_haproxy() {
	recipe haproxy.cfg | sed "s/bind :443/bind 127.0.0.1:$PORT/"
}

run_haproxy() {
	exec setsid haproxy -W -f conf
}

reload_haproxy() {
	kill -USR2 "$PROXY"
}

conf_nghttpx() {
	recipe nghttpx.conf | sed "s/frontend=.*/frontend=127.0.0.1,$PORT/"
}

run_nghttpx() {
	exec setsid nghttpx --conf="$PWD/conf" --pid-file="$PWD/nghttpx.pid" --errorlog-file="$PWD/error.log"
}

reload_nghttpx() {
	kill -HUP "$PROXY"
}

# Without these lines Caddy gets a certificate by itself, and listens on other ports too.
conf_caddy() {
	printf '{\n\tadmin unix/%s/admin.sock\n\tauto_https disable_redirects\n}\n' "$PWD"
	recipe Caddyfile | sed -e "s#^localhost {#https://localhost:$PORT {#" \
		-e "/^https:/a\\\tbind 127.0.0.1\n\ttls $PWD/both.pem $PWD/server.key"
}

run_caddy() {
	exec setsid caddy run --config conf --adapter caddyfile
}

reload_caddy() {
	caddy reload --force --config conf --adapter caddyfile --address "unix/$PWD/admin.sock" 2>>proxy.err
}

# start_proxy [PORT]: the proxy NAME on the port, or on one that is free; PROXY is its process.
start_proxy() {
	on_port "${1:-}" run_proxy is_up proxy.err
	PROXY=$STARTED
}

run_proxy() {
	URL=https://localhost:$PORT
	"conf_$NAME" >conf
	"run_$NAME" >>proxy.err 2>&1 3>&- &
}

is_up() {
	curl -sf --max-time 10 -o healthz "$URL/healthz"
}

# kill_proxy: with all its processes.
kill_proxy() {
	kill -KILL -- "-$PROXY" 2>/dev/null || true
	wait "$PROXY" 2>/dev/null || true
	PROXY=''
}

# workers: the processes that the proxy has started.
workers() {
	cat "/proc/$PROXY/task/$PROXY/children"
}

# reload: the proxy loads its file again; those that have workers start others.
reload() {
	local before
	before=$(workers)
	"reload_$NAME"
	[ -z "$before" ] || wait_for has_other_workers "$before"
	wait_for curl -sf --max-time 10 -o healthz "$URL/healthz"
}

has_other_workers() { # THOSE-BEFORE
	local pid
	for pid in $(workers); do
		[[ " $1 " = *" $pid "* ]] || return 0
	done
	return 1
}

# behind NAME: sse-serve behind that proxy; URL is the proxy's, DIRECT and SERVER the server's.
behind() {
	NAME=$1
	command -v "$NAME" >/dev/null || skip "$NAME is not installed"
	cat server.pem server.key >both.pem
	serve_by sse-serve --listen 127.0.0.1:0 --db events.db --host localhost --trust-proxy 127.0.0.1 \
		--heartbeat 200ms -v --log json
	SERVER=$SERVER_PID DIRECT=$URL
	start_proxy
}

# --- what holds behind each of them -------------------------------------------

# beats FILE NUMBER: has the stream as many heartbeats?
beats() {
	[ "$(grep -c '^:' "$1")" -ge "$2" ]
}

# post TOPIC DATA [ARGUMENT...]: through the proxy, over HTTP/2.
post() {
	[ "$(curl -sS --http2 -o answer -D answer.head -w '%{http_version} %{http_code}' "${@:3}" \
		-H 'Content-Type: text/plain' --data-binary "$2" "$URL/api/$1")" = '2 201' ]
}

# passes_events_at_once: what the client receives while the stream stays open, has not been held back.
passes_events_at_once() {
	curl -sN --http2 -D events.head "$URL/api/t/event?since=all" >events 3>&- &
	curl -sN --http2 -H 'Accept: application/x-ndjson' "$URL/api/t/event?since=all" >lines 3>&- &
	wait_for has events.head 'text/event-stream'
	has events.head 'HTTP/2 200'
	post t one
	wait_for has events 'data: one'
	wait_for has lines '"data":"one"'
	wait_for beats events 5
	post t two
	wait_for has events 'data: two'
	wait_for has lines '"data":"two"'
	[ "$(jobs -r | grep -c curl)" -eq 2 ]
}

# tells_who_posts: the server knows the client, whatever that claims, and the request by the same id.
tells_who_posts() {
	local id
	post t hello --interface 127.0.0.2 -H 'X-Forwarded-For: 203.0.113.9'
	id=$(tr -d '\r' <answer.head | sed -n 's/^x-request-id: //Ip')
	[ -n "$id" ]
	grep -F "\"$id\"" server.err | jq -e 'select(.method == "POST") | .client == "127.0.0.2"'
}

# follow_all: sse-tail with a state, and a browser's streams.
follow_all() {
	follow --state seen "$URL/api/t/event"
	node "$HERE/browser_like.mjs" "$URL/api/t/event" "$STREAMS" >browser 2>browser.err 3>&- &
	wait_for opened 1
	wait_for lines_of browser $((STREAMS + 1))
}

# all_got LAST: the events up to that one, each once and in order.
all_got() {
	local n
	got 1 "$1"
	for ((n = 1; n <= STREAMS; n++)); do
		wait_for lines_of "out.$n" "$1"
		diff out "out.$n"
	done
}

# loses_nothing OPENED: eight streams share a connection; they and sse-tail go on when the proxy is reloaded,
# after which sse-tail has opened so many streams, and when it was killed.
loses_nothing() {
	follow_all
	publish "$DIRECT/api/t" 1 5
	all_got 5
	counts browser connected 1
	reload
	publish "$DIRECT/api/t" 6 10
	all_got 10
	wait_for opened "$1"
	publish "$DIRECT/api/t" 11 15
	all_got 15
	kill_proxy
	publish "$DIRECT/api/t" 16 20
	start_proxy "$PORT"
	publish "$DIRECT/api/t" 21 25
	all_got 25
}

@test "behind nginx events come at once, also on a slow stream, and the server knows who posts" {
	behind nginx
	passes_events_at_once
	tells_who_posts
}

@test "behind nginx eight streams of one connection, and sse-tail, lose nothing when it is reloaded and killed" {
	behind nginx
	loses_nothing 2
}

@test "behind HAProxy events come at once, also on a slow stream, and the server knows who posts" {
	behind haproxy
	passes_events_at_once
	tells_who_posts
}

@test "behind HAProxy eight streams of one connection, and sse-tail, lose nothing when it is reloaded and killed" {
	behind haproxy
	loses_nothing 2
}

@test "behind nghttpx events come at once, also on a slow stream, and the server knows who posts" {
	behind nghttpx
	passes_events_at_once
	tells_who_posts
}

@test "behind nghttpx eight streams of one connection, and sse-tail, lose nothing when it is reloaded and killed" {
	behind nghttpx
	loses_nothing 2
}

@test "behind Caddy events come at once, also on a slow stream, and the server knows who posts" {
	behind caddy
	passes_events_at_once
	tells_who_posts
}

@test "behind Caddy eight streams of one connection, and sse-tail, lose nothing when it is reloaded and killed" {
	# Caddy keeps the streams that are open.
	behind caddy
	loses_nothing 1
}

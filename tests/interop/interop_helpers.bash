# SPDX-License-Identifier: MIT
# What the tests with other people's servers share: starting them, publishing, following.
# shellcheck shell=bash disable=SC2034,SC2154

load ../scenario/helpers

setup() {
	HERE=$BATS_TEST_DIRNAME
	common_setup
	export SSE_TIMEOUT=60s SSE_RECONNECT_DELAY=20ms
	FOLLOWER=''
}

teardown() {
	# nginx ends its workers only when it may.
	[ -z "$SERVER_PID" ] || stop
	end_jobs
}

# needs_package FOLDER NAME: skip the test where npm could not get it.
needs_package() {
	[ -d "$HERE/$1/node_modules/$2" ] || skip "the npm package $2 is not there"
}

# serve_by PATTERN COMMAND...: start a server, which says where it listens after "Listening on";
# sets URL and PORT.
serve_by() {
	: >server.out
	"$@" >server.out 2>>server.err 3>&- &
	SERVER_PID=$!
	wait_for listens_or_ended
	has server.out 'Listening on' || { cat server.err >&2; return 1; }
	URL=$(sed -n 's/.*Listening on //p' server.out | head -n 1)
	URL=${URL%/}
	PORT=${URL##*:}
}

listens_or_ended() {
	has server.out 'Listening on' || ! kill -0 "$SERVER_PID" 2>/dev/null
}

serve_node() { # SCRIPT ARGUMENT...
	serve_by node "$HERE/$1" "${@:2}"
}

# stop: end the server, and its connections.
stop() {
	kill "$SERVER_PID" 2>/dev/null || true
	wait "$SERVER_PID" || true
	SERVER_PID=''
}

# connects: does somebody listen on PORT?
connects() {
	(exec 4<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
}

# on_port PORT START UP LOG: for servers that can pick no free port: have START start one in the background
# on PORT, or, if that is empty, on one that is free, until UP succeeds; then STARTED is its process, and
# PORT where it is.
on_port() {
	local try given=$1
	for try in {1..20}; do
		PORT=${given:-$((20000 + (RANDOM + try) % 10000))}
		"$2"
		STARTED=$!
		wait_for up_or_gone "$3"
		gone "$STARTED" || return 0
		[ -z "$given" ] || break
	done
	cat "$4" >&2
	return 1
}

up_or_gone() {
	gone "$STARTED" || "$1"
}

# serve_nginx BLOCKS [PORT]: start nginx on the port, or on one that is free, with these blocks in its
# server; sets URL, PORT.
serve_nginx() {
	BLOCKS=$1
	on_port "${2:-}" start_nginx connects server.err
	SERVER_PID=$STARTED URL=http://127.0.0.1:$PORT
}

start_nginx() {
	nginx_conf "$PORT" "$BLOCKS" >nginx.conf
	nginx -p "$PWD" -c "$PWD/nginx.conf" 2>>server.err 3>&- &
}

nchan_module() {
	find /usr/lib*/nginx/modules -name ngx_nchan_module.so 2>/dev/null | head -n 1
}

# needs_nchan: skip the test where its module is not installed, or does not start for this user: it makes
# a folder of its own in /var/lib/nginx.
needs_nchan() {
	[ -n "$(nchan_module)" ] || skip "the nchan module of nginx is not installed"
	nginx_conf 1 'location / { nchan_pubsub; }' >nginx.conf
	! nginx -t -p "$PWD" -c "$PWD/nginx.conf" 2>&1 | grep -q 'mkdir.*Permission denied' ||
		skip "nginx with nchan was never started by root here, which makes its folders"
}

nginx_conf() { # PORT BLOCKS
	local temp
	[[ $2 != *nchan_* ]] || echo "load_module $(nchan_module);"
	[ "$(id -u)" -ne 0 ] || echo "user $(id -un) $(id -gn);"
	cat <<-CONF
		worker_processes 1;
		daemon off;
		pid $PWD/nginx.pid;
		error_log $PWD/nginx.log;
		events { worker_connections 64; }
		http {
			access_log off;
	CONF
	for temp in client_body proxy fastcgi uwsgi scgi; do
		echo "	${temp}_temp_path $PWD/nginx-$temp;"
	done
	printf '	server {\n		listen 127.0.0.1:%s;\n%s\n	}\n}\n' "$1" "$2"
}

# publish URL FIRST LAST: POST the events {"n":FIRST} to {"n":LAST}, one after the other.
publish() {
	local n
	for ((n = $2; n <= $3; n++)); do
		[ "$n" -eq "$2" ] || echo next
		printf 'url = "%s"\ndata = "{\\"n\\":%d}"\nheader = "Content-Type: application/json"\n' \
			"$1" "$n"
		printf 'silent\nshow-error\nfail\noutput = "/dev/null"\n'
	done >publish.curl
	curl -K publish.curl
}

# follow ARGUMENT...: sse-tail in the background, the data of its events in the file out, its words
# in err; FOLLOWER is its process.
follow() {
	sse-tail -v -o data "$@" >>out 2>>err 3>&- &
	FOLLOWER=$!
}

# opened TIMES: has a stream been opened so often?
opened() {
	[ "$(grep -c 'the stream is open' err)" -ge "$1" ]
}

# end_follower: end it as its user would.
end_follower() {
	kill -INT "$FOLLOWER"
	ended "$FOLLOWER" 130
}

# numbers FIRST LAST: the data of the events that publish() sends.
numbers() {
	local n
	for ((n = $1; n <= $2; n++)); do
		echo "{\"n\":$n}"
	done
}

# got FIRST LAST: exactly these came, each once and in order.
got() {
	wait_for at_least "$(($2 - $1 + 1))" || true
	diff <(numbers "$1" "$2") out
}

at_least() {
	[ "$(wc -l <out)" -ge "$1" ]
}

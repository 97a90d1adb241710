#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The load generator of the benchmarks: it finds nothing wrong where nothing is, and finds what is.

load tls_helpers

# limit [OPTION]...: start the limit server; sets PORT.
limit() {
	: >limit.out
	"$TOOLS/limit_server" "$@" >limit.out 3>&- &
	wait_for has limit.out 'Listening on'
	PORT=$(sed -n 's/^Listening on .*://p' limit.out)
}

# put_load STATUS ARGUMENT...: run the load generator, which must end with that status.
put_load() {
	local want=$1 status=0
	shift
	"$TOOLS/load" --port "$PORT" "$@" >figures 2>words || status=$?
	cat words >&2
	[ "$status" -eq "$want" ] || { cat figures >&2; return 1; }
}

# figure NAME VALUE: did the load generator say so?
figure() {
	grep -qx "$1 $2" figures && return
	grep "^$1 " figures >&2
	return 1
}

all_is_well() {
	local what
	for what in lost repeated disordered torn closed refused; do
		figure $what 0
	done
}

@test "sse-serve: 50 streams get each event of 4 publishers once and in order" {
	serve
	put_load 0 -n 50 -m 4 -e 400 -w 40 --pid "$PID" fanout
	all_is_well
	figure posts 400
	figure deliveries 20000
	grep -q '^cpu_ns_per_delivery [1-9]' figures
	grep -q '^latency_p99_us [1-9]' figures
}

@test "sse-serve: readers that stall are given everything when they read on" {
	serve --window 64k
	put_load 0 -n 2 -m 4 --stalled 5 -e 3000 -s 2k --catch-up --pid "$PID" stall
	all_is_well
}

@test "sse-serve: what is stored is replayed whole, as JSON too" {
	serve
	put_load 0 -m 3 -e 300 --type application/json fanout
	put_load 0 -m 3 -e 300 --stream '/api/bench/event?since=all' replay
	figure events 300
	put_load 0 -n 5 -m 3 -e 300 --stream '/api/bench/event?since=all' replay
	figure events 1500
	all_is_well
	ask "$URL/api/bench?limit=10&envelope=1"
	put_load 0 --last-event-id "$(grep -o '"id":"[^"]*"' body | head -n 1 | cut -d '"' -f 4)" \
		--repeat 3 resume
	grep -q '^first_p50_us [1-9]' figures
}

@test "sse-serve: streams that sleep while events are published have each once, and when is known" {
	serve
	put_load 0 -n 50 -e 5 -w 2 --pid "$PID" asleep
	all_is_well
	grep -q '^last_p50_us [1-9]' figures
	grep -q '^cpu_ns_per_delivery [1-9]' figures
	put_load 64 -n 50 -e 5 asleep
	has words '--pid'
}

@test "sse-serve: idle streams are counted, and more than there can be are refused with a reason" {
	serve
	put_load 0 -n 80 -t 200ms --pid "$PID" idle
	figure streams 80
	(ulimit -n 50 && put_load 71 -n 80 fanout)
	has words 'limit of open files'
}

@test "sse-serve --access: each connection sends the next of the headers" {
	local name headers=()
	for name in ann bob; do
		sse-serve --new-token "$name" >>rules 2>"$name.token"
		headers+=(--header "Authorization: Bearer $(cat $name.token)")
	done
	chmod 600 rules
	sed -i '/^ann/s/publish=[^ ]*//; /^bob/s/read=[^ ]*//' rules
	serve --access rules
	put_load 0 -n 5 --pid "$PID" "${headers[0]}" "${headers[1]}" -t 100ms idle
	grep -q '^open_cpu_ns_per_stream [1-9]' figures
	put_load 0 -n 0 -e 20 "${headers[2]}" "${headers[3]}" fanout
	put_load 69 -n 2 "${headers[@]}" -t 100ms idle
	has words '403'
	put_load 69 -n 1 -t 100ms idle
	has words '401'
}

@test "over TLS: streams get each event once and in order, idle ones are counted" {
	new_ca ca
	certificate server /CN=localhost
	serve_tls
	put_load 0 --tls -n 50 -m 4 -e 400 -w 40 --pid "$PID" fanout
	all_is_well
	figure deliveries 20000
	grep -q '^tls TLSv1.3 TLS_AES_[^ ]* [^ ]' figures
	put_load 0 --tls -n 2 -m 4 --stalled 5 -e 3000 -s 2k --catch-up --pid "$PID" stall
	all_is_well
	put_load 0 --tls -n 80 -t 200ms --pid "$PID" idle
	figure streams 80
	put_load 69 -n 1 -t 100ms idle
	has words 'HTTP/1.1 400'
}

@test "visits: each connection asks once, and an answer that is not 200 is refused" {
	new_ca ca
	certificate server /CN=localhost
	serve_tls
	put_load 0 --tls -n 4 -e 40 --stream /healthz --pid "$PID" visit
	figure visits 40
	figure refused 0
	grep -q '^visits_per_cpu_s [1-9]' figures
	[ "$(curl -sS --cacert ca.pem "$URL/metrics" | sed -n 's/^sse_requests_total //p')" = 41 ]
	put_load 1 --tls -n 4 -e 40 --stream /nothing.here visit
	figure refused 40
	put_load 1 -n 2 -e 6 --stream /healthz visit
	figure refused 6
}

@test "the limit server: 50 streams get each event once, also from the loop that only sends" {
	limit
	put_load 0 -n 50 -m 4 -e 400 --publish /a --publish /pure fanout
	all_is_well
	grep -qx 'path /pure' figures
	[[ "$(curl -sS "http://127.0.0.1:$PORT/pure")" =~ ^[1-9][0-9]*\ [1-9][0-9]*$ ]]
}

@test "the limit server: it may answer first, and events may come at a rate" {
	limit --answer-first
	put_load 0 -n 50 -m 4 -e 400 fanout
	all_is_well
	put_load 0 -n 50 -m 2 -e 20 -r 200 fanout
	all_is_well
	figure deliveries 1000
}

@test "the limit server: with --sync it has stored what it sent" {
	limit --sync log
	put_load 0 -n 5 -m 2 -e 100 fanout
	all_is_well
	[ "$(grep -c '^id: ' log)" -eq 100 ]
}

@test "cat_server: each stream gets its file, and what it cost can be read" {
	local pid
	limit --sync log
	put_load 0 -n 1 -e 100 fanout
	mkdir files
	cp log files/0
	cp log files/1
	"$TOOLS/cat_server" files >cat.out 3>&- &
	pid=$!
	wait_for has cat.out 'Listening on'
	PORT=$(sed -n 's/^Listening on .*://p' cat.out)
	put_load 0 -n 2 -e 100 --stream '/{}' --pid "$pid" replay
	all_is_well
	figure events 200
	grep -q '^mb_per_cpu_s [1-9]' figures
	put_load 69 -n 3 -e 100 --stream '/{}' replay
}

@test "an event that one of the streams does not get is lost" {
	limit --drop 7
	put_load 1 -n 50 -e 200 fanout
	figure lost 28
	figure repeated 0
	figure disordered 0
	has words 'came before others'
}

@test "an event that one of the streams gets twice is repeated" {
	limit --repeat 7
	put_load 1 -n 50 -m 2 -e 200 fanout
	figure lost 0
	figure repeated 28
	figure disordered 0
	has words 'came again'
}

@test "an event that overtakes another is out of order" {
	limit --swap 7
	put_load 1 -n 50 -e 200 fanout
	figure lost 0
	figure repeated 0
	figure disordered 28
	has words 'came late'
}

@test "an event that is cut off is torn" {
	limit --tear 7
	put_load 1 -n 50 -m 2 -e 200 fanout
	not figure torn 0
}

@test "a server that does not answer as it should is no server to measure" {
	limit
	put_load 1 -n 5 -e 5 -t 100ms --answer 202 fanout
	not figure refused 0
	serve
	put_load 69 -n 1 --stream /nothing.here fanout
	has words 'HTTP/1.1 404'
}

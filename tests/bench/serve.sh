#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures sse-serve, beside the bare-epoll limit and the peers that are installed, and prints one
# Markdown table of ratios with the bars they are to reach.  `make bench` runs it; by itself:
#   BUILD=build tests/bench/serve.sh [GROUP...]      all groups, or these (see groups below)
# The group scale is left out unless it is named: it fills the machine for a quarter of an hour.
# BENCH_RUNS=5      interleaved runs, of which the medians and the spread are told
# BENCH_QUICK=1     small numbers and one run: whether it works, not how fast
# BENCH_FOLDER=/tmp where databases are made; about 4 GB, on the disk that is to be measured
# The server runs on core 0 and the load generator on core 1.  Each measurement is a line
# "RUN NAME VALUE" in a file, of which table.awk makes the table.  It ends with 1 if an event was
# lost, repeated or out of order anywhere; that a bar is missed does not count.
set -u
cd "$(dirname "$0")/../.." || exit 1
groups=(delivery hundred latency stored posts memory stall replay crowd resume topics loops access tls cluster)
bin=${BUILD:-build}/bin
tools=${BUILD:-build}/tests
here=tests/bench
. $here/proofs.sh
. $here/scale.sh
. $here/cluster.sh
work=$(mktemp -d "${BENCH_FOLDER:-${TMPDIR:-/tmp}}/sse-bench.XXXXXX") || exit 1
figures=$work/figures
runs=${BENCH_RUNS:-5}
server='' peer='' wrong=0 run=0
: >"$figures"
: >"$work/notes"

finish() {
	stop
	stop_nats
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- how much ---------------------------------------------------------------

few=1000 many=10000
hundred_one=4000 hundred_sixteen=40000 hundred_turns=3
stored_turns=3 # of latency, each of ten seconds
one_few=1000 one_many=100         # events one at a time, to few and to many streams
sixteen_few=8000 sixteen_many=800 # events of 16 publishers
seconds=5                         # of posting, and of looking at idle streams
stall_events=100000 stall_warm=70000 stall_window=64M
replay_events=1000000
crowd_events=16384 crowd_readers=100 crowd_turns=3 # events of 1 KiB for each reader: 16 MiB
wide=16000 wide_events=15 loops_turns=3 # streams, events for two loops
resume_near=10000 resume_far=10000000 resumes=200
topics_few=1000 topics_many=1000000 pages=500
tokens=1000 turns=8 access_events=200
access_load=(-m 16 -e 20000 -w 1000 fanout)
visits=5000 sessions=2000
if [ -n "${BENCH_QUICK:-}" ]; then
	runs=${BENCH_RUNS:-1}
	few=100 many=1000
	hundred_one=200 hundred_sixteen=800 hundred_turns=1
	stored_turns=1
	one_few=100 one_many=20 sixteen_few=400 sixteen_many=100
	seconds=1
	stall_events=10000 stall_warm=3000 stall_window=2M
	replay_events=20000
	crowd_events=64 crowd_readers=10 crowd_turns=1
	wide=1000 wide_events=3 loops_turns=1
	resume_near=1000 resume_far=50000 resumes=10
	topics_few=500 topics_many=5000 pages=20
	tokens=20 turns=2 access_events=20
	access_load=(-m 16 -e 2000 -w 100 fanout)
	visits=200 sessions=100
fi

# --- servers ----------------------------------------------------------------

# note WORDS: told below the table, once.
note() {
	grep -qxF -- "$*" "$work/notes" || echo "$*" >>"$work/notes"
}

# on_core NUMBER COMMAND...: run it there; a machine of one core has no choice.
on_core() {
	local core=$1
	shift
	if [ "$(nproc)" -gt 1 ]; then
		exec taskset -c "$core" "$@"
	fi
	exec "$@"
}

# await COMMAND...: until it succeeds or the server has ended.
await() {
	until "$@"; do
		kill -0 "$server" 2>/dev/null || return 1
		sleep 0.02
	done
}

listens() {
	grep -q '^Listening on ' "$work/out"
}

connects() {
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# start CORES COMMAND...: a server that says where it listens; sets port, pids and target.
start() {
	local cores=$1
	shift
	: >"$work/out"
	on_core "$cores" "$@" >"$work/out" 2>>"$work/log" &
	server=$!
	if ! await listens; then
		echo "bench: $1 did not start:" >&2
		tail -n 3 "$work/log" >&2
		return 1
	fi
	port=$(sed -n '1s/^Listening on .*://p' "$work/out")
	pids=("$server")
	target=()
}

# hold NAME: keep the server that was started, beside the next; use NAME: it is the one again.
declare -A held_as=()
held=()
hold() {
	held+=("$1")
	held_as[$1]=$(declare -p server port pids target peer | sed 's/^declare /declare -g /')
	server='' peer=''
}
use() {
	eval "${held_as[$1]}"
}

# stop: end the server that runs, and all that are held.
stop() {
	local name
	end_server
	for name in "${held[@]}"; do
		use "$name"
		end_server
	done
	held=()
}

end_server() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null
		wait "$server" 2>/dev/null
	fi
	server='' peer=''
}

# sse_has OPTION: does this sse-serve know it?
sse_has() {
	"$bin/sse-serve" --help | grep -q -e "^ .*$1\\b"
}

# start_sse LOOPS OPTION...: one loop stays on core 0, or on $alone; more have both.
alone=0
start_sse() {
	local loops=$1 cores=$alone
	shift
	if sse_has --loops; then
		set -- --loops "$loops" "$@"
	fi
	[ "$loops" -eq 1 ] || cores=0,1
	start $cores "$bin/sse-serve" --listen 0 "$@"
}

start_limit() {
	start 0 "$tools/limit_server" "$@"
}

start_express() {
	start 0 node $here/express/server.js || return
	peer=Express
	target=(--type application/json)
}

start_better() {
	start 0 node $here/peers/better_sse.mjs || return
	peer=better-sse
	target=(--type application/json)
}

start_durable() {
	start 0 node $here/peers/durable_streams.mjs || return
	peer=@durable-streams/server
	target=(--publish /bench --stream '/bench?offset=now&live=sse' --answer 20)
}

nchan_module() {
	local folder
	for folder in /usr/lib/nginx/modules /usr/lib64/nginx/modules /usr/share/nginx/modules; do
		[ -e "$folder/ngx_nchan_module.so" ] && echo "$folder/ngx_nchan_module.so" && return
	done
	return 1
}

# nginx_head CONNECTIONS: up to the first lines of http, with one worker.
nginx_head() {
	local temp
	[ "$(id -u)" -ne 0 ] || echo "user $(id -un) $(id -gn);"
	cat <<-CONF
		worker_processes 1;
		daemon off;
		pid $work/nginx.pid;
		error_log $work/nginx.log;
		worker_rlimit_nofile $(ulimit -Hn);
		events { use epoll; worker_connections $1; }
		http {
			access_log off;
			tcp_nodelay on;
			keepalive_requests 1000000000;
			client_body_buffer_size 64k;
	CONF
	for temp in client_body proxy fastcgi uwsgi scgi; do
		echo "	${temp}_temp_path $work/nginx-$temp;"
	done
}

# start_nginx WRITER: with the configuration that the function writes for a port.  nginx can pick no
# free port: try some.
start_nginx() {
	local try
	for try in {1..20}; do
		port=$((20000 + (RANDOM + try) % 10000))
		"$1" "$port" >"$work/nginx.conf"
		on_core 0 nginx -p "$work" -c "$work/nginx.conf" 2>>"$work/log" &
		server=$!
		if await connects; then
			mapfile -t pids < <(pgrep -P "$server")
			return
		fi
	done
	server=''
	echo 'bench: nginx did not start:' >&2
	tail -n 3 "$work/log" >&2
	return 1
}

nchan_conf() { # PORT
	echo "load_module $(nchan_module);"
	nginx_head $(($(ulimit -Hn) - 200))
	cat <<-CONF
			nchan_shared_memory_size 2G;
			server {
				listen 127.0.0.1:$1 backlog=4096;
				location = /publish { nchan_publisher; nchan_channel_id bench;
					nchan_message_buffer_length 1000; }
				location = /stream {
					nchan_subscriber eventsource;
					nchan_channel_id bench;
					nchan_subscriber_first_message newest;
				}
			}
		}
	CONF
}

start_nchan() {
	start_nginx nchan_conf || return
	peer=nchan
	target=(--publish /publish --stream /stream --answer 20)
}

# proxy_conf PORT: TLS in front of the plain server at $upstream.  The load generator knows no chunks,
# and the server sends a stream without them too.  When a sixteenth of its connections is left, two of
# which make a stream, nginx begins to close those that have sent no request.
proxy_conf() {
	nginx_head $((tls_many * 3))
	cat <<-CONF
			ssl_certificate $work/tls.pem;
			ssl_certificate_key $work/tls.key;
			ssl_protocols TLSv1.2 TLSv1.3;
			upstream plain {
				server 127.0.0.1:$upstream;
				keepalive 64;
				keepalive_requests 1000000000;
			}
			server {
				listen 127.0.0.1:$1 ssl backlog=4096;
				location / {
					proxy_pass http://plain;
					proxy_http_version 1.1;
					proxy_set_header Connection "";
					proxy_set_header Host \$http_host;
					proxy_buffering off;
					chunked_transfer_encoding off;
					proxy_read_timeout 1d;
				}
			}
		}
	CONF
}

# --- measuring --------------------------------------------------------------

# load ARGUMENT...: the load generator on the server that runs, with $headers; what it prints is in
# $work/load.
headers=()
load() {
	local pid status=0
	local -a given=(--port "$port" "${target[@]}")
	for pid in "${pids[@]}"; do
		given+=(--pid "$pid")
	done
	[ "$(nproc)" -lt 2 ] || given+=(--cpu 1)
	"$tools/load" "${given[@]}" "${headers[@]/#/--header=}" "$@" >"$work/load" || status=$?
	[ $status -ne 0 ] || return 0
	if [ $status -eq 1 ] && [ -n "$peer" ]; then
		note "$peer lost, repeated or reordered events; its figures count nevertheless."
		return 0
	fi
	if [ -n "$peer" ]; then
		note "$peer did not finish with load $*: that figure is missing."
		return $status
	fi
	wrong=1
	note "WRONG, in run $run: load $*: $(wrong_words)"
	echo "bench: load ended with $status: load ${given[*]} $*" >&2
	wrong_words >&2
	return $status
}

# wrong_words: "lost 5", as the load generator found it.
wrong_words() {
	awk '/^(lost|repeated|disordered|torn|closed|refused) [^0]/ { words = words sep $0; sep = ", " }
		END { print words }' "$work/load"
}

# keep NAME VALUE: a measurement of this run.
keep() {
	echo "$run $1 $2" >>"$figures"
}

# field NAME: the value of the load generator's line of that name.
field() {
	awk -v name="$1" '$1 == name { print $2 }' "$work/load"
}

# keep_field NAME FIELD
keep_field() {
	keep "$1" "$(field "$2")"
}

# seconds_of COMMAND...: how long it took; its output is dropped.
seconds_of() {
	local before=$EPOCHREALTIME
	(on_core 0 "$@") >/dev/null
	awk -v a="$before" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

# peers: those that can be started.
peers() {
	if ! command -v nginx >/dev/null || ! nchan_module >/dev/null; then
		note 'nchan is left out: nginx or its module is not installed; make bench-deps gets them.'
	else
		echo nchan
	fi
	if ! command -v node >/dev/null || [ ! -d $here/express/node_modules ]; then
		note 'Express is left out: it, or node, is not installed; make bench-deps gets it.'
	else
		echo express
	fi
	if ! command -v node >/dev/null || [ ! -d $here/node_modules/better-sse ]; then
		note 'better-sse and @durable-streams/server are left out: they, or node, are not' \
			'installed; make bench-deps gets them.'
	else
		echo better
		echo durable
	fi
}

# --- the groups -------------------------------------------------------------

# compare NAME EVENTS ARGUMENT...: CPU per delivery of each server that is held, one after the other;
# of a peer, which is slower, over fewer events.
compare() {
	local name=$1 events=$2 each
	shift 2
	for each in "${held[@]}"; do
		use "$each"
		load -e $((events / (${#peer} > 0 ? 10 : 1))) "$@" fanout &&
			keep_field "cpu.$name.$each" cpu_ns_per_delivery
	done
}

# pure NAME STREAMS EVENTS: the limit against a loop that only sends, on the same sockets, in turns.
pure() {
	local turns=4 turn answer
	local -a paths=()
	for ((turn = 0; turn < turns; turn++)); do
		paths+=(--publish /bench --publish /pure)
	done
	load -n "$2" -e $(($3 / turns)) -w 5 --lockstep "${paths[@]}" fanout || return
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /pure HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
	answer=$(timeout 5 sed '1,/^\r$/d;q' <&3)
	exec 3>&-
	keep "limit.$1" "$(awk '$1 == "path" { bench = $2 == "/bench" }
		bench && $1 == "cpu_ns_per_delivery" { sum += $2; n++ }
		END { print sum / n }' "$work/load")"
	keep "pure.$1" "$(awk '{ print $2 / $1 }' <<<"$answer")"
}

group_delivery() {
	local name
	start_sse 1 --db :memory: && hold sse
	start_limit && hold limit
	start_limit --answer-first && hold early
	for name in $(peers); do
		"start_$name" && hold "$name"
	done
	compare one.few $one_few -n $few -w 20 --lockstep
	compare one.many $one_many -n $many -w 5 --lockstep
	compare sixteen.few $sixteen_few -n $few -w 160 -m 16
	compare sixteen.many $sixteen_many -n $many -w 16 -m 16
	use limit
	pure few $few $one_few
	pure many $many $one_many
	stop
}

# Few streams: what a server does for an event, not for each stream, counts most there.  Two processes
# of the same server differ by some percent, as their memory lies, so that each turn has new ones.
group_hundred() {
	local turn name
	: >"$work/turns"
	for ((turn = 0; turn < hundred_turns; turn++)); do
		start_sse 1 --db :memory: && hold sse
		start_limit && hold limit
		start_limit --answer-first && hold early
		for name in $(order "${held[@]}"); do
			use "$name"
			load -n 100 -e $hundred_one -w 200 --lockstep fanout &&
				note_turn "cpu.one.hundred.$name" cpu_ns_per_delivery
			load -n 100 -e $hundred_sixteen -w 1600 -m 16 fanout &&
				note_turn "cpu.sixteen.hundred.$name" cpu_ns_per_delivery
		done
		stop
	done
	keep_medians
}

latency() { # NAME
	load -n $many -e $((10 * seconds * 2)) -r 10 -w 5 fanout &&
		keep_field "p99.$1" latency_p99_us && keep_field "p50.$1" latency_p50_us
}

group_latency() {
	start_sse 1 --db :memory: && latency sse
	stop
	start_limit && latency limit
	stop
}

stored() { # NAME
	local point
	load -n $few -e $((10 * seconds * 10)) -r 50 -w 50 fanout || return
	for point in p50 p99; do
		echo "$point.stored.$1 $(awk -v us="$(field latency_${point}_us)" 'BEGIN { print us / 1000 }')"
	done >>"$work/turns"
}

# With a database, to the limit that appends each event to a file on the same disk and syncs it.
group_stored() {
	local turn
	: >"$work/turns"
	for ((turn = 0; turn < stored_turns; turn++)); do
		rm -f "$work"/stored.*
		start_sse 1 --db "$work/stored.db" && stored sse
		stop
		start_limit --sync "$work/stored.log" && stored limit
		stop
	done
	keep_medians
}

posts() { # NAME PUBLISHERS
	load -m "$2" -e 2000000000 -t ${seconds}s -w 1000 fanout && keep_field "$1" posts_per_s
}

group_posts() {
	rm -f "$work"/posts.db*
	start_sse 1 --db "$work/posts.db" && posts durable.256 256 && posts durable.16 16 &&
		posts durable.1 1
	stop
	rm -f "$work"/posts.db*
	start_sse 1 --db :memory: && posts memory.256 256 && posts memory.16 16
	stop
	start_limit && posts limit.256 256 && posts limit.16 16
	stop
}

idle() { # NAME
	load -n $many -t ${seconds}s idle && keep_field "stream.$1" pss_bytes_per_stream &&
		keep_field "idle.$1" idle_cpu_ms_per_minute
}

group_memory() {
	local other
	start_sse 1 --db :memory: --heartbeat 1h && idle sse
	stop
	start_sse 1 --db :memory: --heartbeat ${seconds}s && load -n $many -t $((seconds * 4))s idle &&
		keep_field heartbeats.sse idle_cpu_ms_per_minute
	stop
	for other in limit $(peers); do
		"start_$other" && idle "$other"
		stop
	done
}

# stall NAME WARM [ARGUMENT...]: the events before fill the window, so that what grows then is not
# the window.
stall() {
	local name=$1 warm=$2
	shift 2
	load -n 1 -m 16 -s 1k -e $stall_events -w "$warm" "$@" --stalled 0 stall &&
		keep_field "stall.none.$name" posts_per_s
	load -n 1 -m 16 -s 1k -e $stall_events -w "$warm" "$@" --stalled 100 stall &&
		keep_field "stall.all.$name" posts_per_s &&
		keep "stall.grown.$name" "$(awk -v b="$(field grown_pss_bytes)" \
			'BEGIN { print b / 1048576 }')"
}

group_stall() {
	rm -f "$work"/stall.db*
	start_sse 1 --db "$work/stall.db" --window $stall_window && stall sse $stall_warm
	stop
	rm -f "$work"/stall.db*
	start_sse 1 --db :memory: --window $stall_window --max-body 128k &&
		stall forgets $stall_warm
	stop
	if peers | grep -qx nchan; then
		start_nchan && stall nchan 1000 -t $((seconds * 2))s
		stop
	fi
}

# fill FILE EVENTS: a log with that many events of the topic bench, numbered for the load
# generator.  sse-serve makes the tables and the first event; the rest goes in by SQL, in the
# columns that are named here: columns that came later must have a default.  With SUBJECTS, the events
# are of so many, in turn.
fill() { # FILE EVENTS [SUBJECTS]
	local file=$1 events=$2 known='position topic time json type data subject' column
	[ ! -e "$file" ] || return 0
	start_sse 1 --db "$file" && load -e 1 fanout || return
	stop
	for column in $(sqlite3 "$file" "SELECT name FROM pragma_table_info('event')
			WHERE \"notnull\" AND dflt_value IS NULL AND NOT pk"); do
		case " $known " in
		*" $column "*) ;;
		*)
			echo "bench: fill() in serve.sh has to learn the column event.$column" >&2
			return 1
			;;
		esac
	done
	sqlite3 "$file" "
		PRAGMA synchronous=OFF;
		INSERT INTO event(position, topic, time, json, type, data, subject)
		WITH RECURSIVE number(i) AS
			(SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < $events)
		SELECT first.position + i, first.topic, first.time, first.json, first.type,
			printf('<#0000%012x%016x#>%s!', i, 0, '$(printf 'x%.0s' {1..63})'),
			${3:+'subject' || i % }${3:-NULL}
		FROM number, (SELECT * FROM event LIMIT 1) AS first ORDER BY i;
		PRAGMA wal_checkpoint(TRUNCATE);" >/dev/null
	sync
}

group_replay() {
	local took
	fill "$work/replay.db" $replay_events || return
	start_sse 1 --db "$work/replay.db" &&
		load -n 1 -e $replay_events --stream '/api/bench/event?since=all' replay &&
		keep_field replay.sse events_per_s
	stop
	took=$(seconds_of sqlite3 "$work/replay.db" \
		'SELECT position, time, json, type, data FROM event ORDER BY position')
	keep replay.shell "$(awk -v n=$replay_events -v s="$took" 'BEGIN { print n / s }')"
}

# fill_crowd: a log with a topic for each reader, whose events came in turns, so that those of one topic
# do not lie together; and for cat a file for each reader, with the bytes of its stream.
fill_crowd() {
	local i file=$work/crowd.db filling
	[ ! -e "$file" ] || return 0
	fill "$file" 1 || return
	filling=$(printf 'x%.0s' {1..987})
	sqlite3 "$file" "
		PRAGMA synchronous=OFF;
		INSERT INTO topic(id, name) WITH RECURSIVE number(i) AS
			(SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < $crowd_readers)
		SELECT 2 + i, 'crowd' || i FROM number;
		INSERT INTO event(position, topic, time, json, type, data)
		WITH RECURSIVE number(i) AS
			(SELECT 0 UNION ALL SELECT i + 1 FROM number
				WHERE i + 1 < $crowd_events * $crowd_readers)
		SELECT first.position + 2 + i, 2 + i % $crowd_readers, first.time, first.json, first.type,
			printf('<#0000%012x%016x#>%s!', i / $crowd_readers, 0, '$filling')
		FROM number, (SELECT * FROM event LIMIT 1) AS first ORDER BY i;
		PRAGMA wal_checkpoint(TRUNCATE);" >/dev/null || return
	mkdir "$work/crowd"
	for ((i = 0; i < crowd_readers; i++)); do
		sqlite3 -newline $'\n\n' "$file" "SELECT printf('event: update%sdata: %s%sid: limit-is:%d',
			char(10), data, char(10), position) FROM event WHERE topic = 2 + $i ORDER BY position" \
			>"$work/crowd/$i"
	done
	sync
}

crowd() { # NAME PATH
	load -n $crowd_readers -e $crowd_events -s 1024 --stream "$2" replay &&
		note_turn "crowd.$1" mb_per_cpu_s
}

# Many readers at once, each of what nobody else reads; all of it is in the page cache.
group_crowd() {
	local turn
	fill_crowd || return
	cat "$work/crowd.db" "$work"/crowd/* >/dev/null
	: >"$work/turns"
	for ((turn = 0; turn < crowd_turns; turn++)); do
		start_sse 1 --db "$work/crowd.db" && crowd sse '/api/crowd{}/event?since=all'
		stop
		start 0 "$tools/cat_server" "$work/crowd" && crowd cat '/{}'
		stop
	done
	keep_medians
}

resume() { # NAME EVENTS
	local id
	fill "$work/resume.$1.db" "$2" 100 || return
	# Two topics that have only the oldest events.
	sqlite3 "$work/resume.$1.db" "INSERT OR IGNORE INTO topic(id, name)
			VALUES (2, 'rare/a'), (3, 'rare/b');
		UPDATE event SET topic = 2 + position % 2 WHERE position <= 20;" || return
	start_sse 1 --db "$work/resume.$1.db" || return
	id=$(curl -sS "http://127.0.0.1:$port/api/bench?limit=100&envelope=1" |
		sed 's/^[^{]*{[^}]*"id":"\([^"]*\)".*/\1/')
	load --repeat $resumes --last-event-id "$id" resume && keep_field "resume.$1" first_p50_us
	load --repeat $resumes --stream '/api/bench/event?last=100' resume &&
		keep_field "last.$1" first_p50_us
	load --repeat $resumes --stream '/api/event?topic=rare/*&last=10' resume &&
		keep_field "rare.$1" first_p50_us
	load --repeat $resumes --stream '/api/bench/event?latest=1' resume &&
		keep_field "latest.$1" first_p50_us
	# shellcheck disable=SC2016 # of the other shell
	keep "end.$1" "$(seconds_of bash -c \
		'for ((i = 0; i < $1; i++)); do "$2" "$3" --last 100 --until end; done' ends \
		$((resumes / 10)) "$bin/sse-tail" "http://127.0.0.1:$port/api/bench/event")"
	stop
}

group_resume() {
	resume near $resume_near
	resume far $resume_far
	stop
}

# fill_topics FILE COUNT: a log with that many topics of one event each, which were not created in the
# order of their names.
fill_topics() {
	[ ! -e "$1" ] || return 0
	awk -v n="$2" 'BEGIN {
		print "{\"sse-log\":1,\"head\":" n "}\n{\"incarnation\":\"abcdefgh\",\"opened\":0}"
		for (i = 0; i < n; i++)
			printf "{\"topic\":\"t/%07d\",\"removed\":0}\n", i * 7919 % n
		for (i = 0; i < n; i++)
			printf "{\"topic\":\"t/%07d\",\"id\":\"abcdefgh:%d\",\"time\":" \
				"\"2026-11-22T20:15:27.123Z\",\"event\":\"update\",\"data\":1}\n", i * 7919 % n, i + 1
		print "{\"end\":true,\"events\":" n ",\"keys\":0}"
	}' | "$bin/sse-serve" --import --db "$1"
}

# pages NAME COUNT: how long a page of 100 topics takes, of so many, at places all over.
pages() {
	local i
	fill_topics "$work/topics.$1.db" "$2" || return
	start_sse 1 --db "$work/topics.$1.db" || return
	for ((i = 0; i < pages; i++)); do
		printf 'url = "http://127.0.0.1:%s/api?topic=t/*&limit=100&after=t/%07d"\noutput = /dev/null\n' \
			"$port" $((i * 104729 % ($2 - 100)))
	done >"$work/pages"
	keep "page.$1" "$(on_core 1 curl -sS -K "$work/pages" -w '%{time_total}\n' | sort -n |
		awk '{ took[NR] = $1 } END { print took[int((NR + 1) / 2)] * 1e6 }')"
	stop
}

group_topics() {
	pages few $topics_few
	pages many $topics_many
}

loops() { # LOOPS
	start_sse "$1" --db :memory: --heartbeat 1h && load -n $wide -e $wide_events -w 2 asleep &&
		note_turn "loops.$1" last_p50_us && note_turn "loops.cpu.$1" cpu_ns_per_delivery
	stop
}

# From the POST to when the last stream had the event in its socket, as the kernel noted it: on two
# cores nobody could read meanwhile and not be in the way.  So the load generator sleeps until the
# server does, and reads then.  The kernel takes an event to the reader's socket at the expense of
# whoever sends, which counts; what wakes a reader, and its reading, does not.
group_loops() {
	local turn alone=0,1
	: >"$work/turns"
	for ((turn = 0; turn < loops_turns; turn++)); do
		loops 2
		loops 1
	done
	keep_medians
}

# What --access costs.  The guarded server checks a proof; the open one, without --access, is sent
# the same headers and ignores them.  Bare is the open one without these headers.
#
# Two processes of the same server differ by some percent, as their memory lies, and the rest of the
# machine is never idle.  So the servers are compared in turns, soon after each other, and each turn
# has new ones.  A run keeps the medians of its turns.

# proofs: made once, for all runs.
proofs() {
	[ -e "$work/proofs" ] || { mkdir "$work/proofs" && make_proofs "$bin" "$work/proofs" $tokens; }
	guard=(--access "$work/proofs/access" --jwt-keys "$work/proofs/keys")
}

# start_as open|guarded OPTION...: one of the two servers.
start_as() {
	local as=$1
	shift
	[ "$as" = open ] || set -- "$@" "${guard[@]}"
	start_sse 1 "$@"
}

# hold_both: with a database of each, or $db.
hold_both() {
	local as
	rm -f "$work"/access.*.db*
	for as in open guarded; do
		start_as $as --db "${db:-$work/access.$as.db}" && hold $as || return
	done
}

# load_as open|bare|guarded KIND ARGUMENT...: with the headers of that kind of proof.
load_as() {
	local as=$1 kind=$2
	local -a headers=()
	shift 2
	[ "$as" = bare ] || mapfile -t headers <"$work/proofs/$kind.headers"
	load "$@"
}

# order SERVER...: these; in every other turn the last first.
order() {
	((turn % 2)) && set -- "${@: -1}" "${@:1:$#-1}"
	echo "$@"
}

# note_turn NAME FIELD: a figure of the load generator, of this turn.
note_turn() {
	echo "$1 $(field "$2")" >>"$work/turns"
}

# each NAME FIELD KIND SERVERS ARGUMENT...: a figure of each of the servers that are held.
each() {
	local name=$1 field=$2 kind=$3 servers=$4 as
	shift 4
	# shellcheck disable=SC2086 # words
	for as in $(order $servers); do
		use "${as/bare/open}"
		load_as "$as" "$kind" "$@" && note_turn "$name.$as" "$field"
	done
}

# opening KIND FIGURE FIELD: a figure of opening the streams, of both servers, which are new.
opening() {
	local as
	for as in $(order open guarded); do
		start_as "$as" --db :memory: --heartbeat 1h &&
			load_as "$as" "$1" -n $many -t 200ms idle && note_turn "$2.$1.$as" "$3"
		stop
	done
}

# What was allocated for requests and is free again would count as the streams': glibc gives it back.
sizes() {
	local -x MALLOC_MMAP_THRESHOLD_=8192 MALLOC_TRIM_THRESHOLD_=4096 MALLOC_TOP_PAD_=0
	opening token size user_bytes_per_stream
}

# keep_medians: of the lines "NAME VALUE" in $work/turns.
keep_medians() {
	local name
	while read -r name; do
		keep "$name" "$(awk -v name="$name" '$1 == name { print $2 }' "$work/turns" | sort -g |
			awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }')"
	done < <(cut -d ' ' -f 1 "$work/turns" | sort -u)
}

group_access() {
	local turn kind db
	proofs
	: >"$work/turns"
	for ((turn = 0; turn < turns; turn++)); do
		db=:memory:
		if hold_both; then
			each post.token cpu_ns_per_post token 'open bare guarded' "${access_load[@]}"
			for kind in HS256 ES256 RS256; do
				each post.$kind cpu_ns_per_post $kind 'open guarded' "${access_load[@]}"
			done
			each delivery cpu_ns_per_delivery token 'open guarded' -n $few \
				-e $access_events -w 20 --lockstep fanout
		fi
		stop
		db=
		hold_both && each post.durable cpu_ns_per_post token 'open guarded' "${access_load[@]}"
		stop
		opening token open open_cpu_ns_per_stream
	done
	turn=0
	opening HS256 open open_cpu_ns_per_stream
	sizes
	keep_medians
	keep size.grown "$(awk -v run="$run" '$1 == run { size[$2] = $3 }
		END { print size["size.token.guarded"] - size["size.token.open"] }' "$figures")"
}

# What TLS costs, in the server itself (tls) and in nginx in front of the same server without it, on
# the same core (proxied); and whether it costs the streams that have none (beside).

certificate() {
	[ ! -e "$work/tls.pem" ] || return 0
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj /CN=localhost -keyout "$work/tls.key" -out "$work/tls.pem" 2>>"$work/log")
}

# hold_tls [OPTION]...: the server that speaks TLS, and its other listener, which is plain.
hold_tls() {
	start_sse 1 --db :memory: --tls-cert "$work/tls.pem" --tls-key "$work/tls.key" \
		--listen http:127.0.0.1:0 "$@" || return
	target=(--tls)
	hold tls
	use tls
	server=''
	port=$(sed -n 's/.*Listening on .*, http:.*://p' "$work/log" | tail -n 1)
	target=()
	hold beside
}

# hold_proxied [OPTION]...: the server without TLS, and nginx with TLS in front of it, which counts
# together with it.
hold_proxied() {
	local upstream behind
	start_sse 1 --db :memory: "$@" || return
	upstream=$port behind=$server
	hold plain
	if ! command -v nginx >/dev/null; then
		note 'nginx with TLS is left out: it is not installed; make bench-deps gets it.'
		return
	fi
	start_nginx proxy_conf || return
	pids+=("$behind")
	target=(--tls)
	hold proxied
}

# of_tls FUNCTION: with each of the servers that speak TLS and are held.
of_tls() {
	local each
	for each in "${held[@]}"; do
		use "$each"
		[ ${#target[@]} -eq 0 ] || "$1" "$each"
	done
}

shakes() { # NAME
	load -n 16 -e $visits --stream /healthz visit && keep_field "shakes.$1" visits_per_cpu_s &&
		keep_field "wall.$1" visits_per_s
	note "TLS of $1: $(sed -n 's/^tls //p' "$work/load"), a certificate of ECDSA P-256"
}

group_tls() {
	local many=$tls_many
	certificate || return
	hold_tls && hold_proxied
	compare tls.one.few $one_few -n $few -w 20 --lockstep
	compare tls.one.many $one_many -n $many -w 5 --lockstep
	compare tls.sixteen.few $sixteen_few -n $few -w 160 -m 16
	compare tls.sixteen.many $sixteen_many -n $many -w 16 -m 16
	of_tls shakes
	stop
	hold_tls --heartbeat 1h && hold_proxied --heartbeat 1h
	of_tls idle
	stop
	keep session.openssl "$("$tools/tls_memory" "$work/tls.pem" "$work/tls.key" $sessions |
		cut -d ' ' -f 2)"
}

# --- the table --------------------------------------------------------------

# what | store | name | measured against (- for the figure itself) | unit | bar
rows() {
	local server words
	while IFS='|' read -r server words; do
		cat <<-ROWS
			CPU per delivery, $few streams, one event at a time, $words|none|cpu.one.few.sse|cpu.one.few.$server|ns|$(bar "$server" one)
			CPU per delivery, $many streams, one event at a time, $words|none|cpu.one.many.sse|cpu.one.many.$server|ns|$(bar "$server" one)
			CPU per delivery, $few streams, 16 publishers, $words|none|cpu.sixteen.few.sse|cpu.sixteen.few.$server|ns|$(bar "$server" sixteen)
			CPU per delivery, $many streams, 16 publishers, $words|none|cpu.sixteen.many.sse|cpu.sixteen.many.$server|ns|$(bar "$server" sixteen)
		ROWS
	done <<-SERVERS
		limit|to the limit
		early|to the limit that answers first
		nchan|to nchan
		express|to Express
		better|to better-sse
		durable|to @durable-streams/server
	SERVERS
	cat <<-ROWS
		CPU per delivery, 100 streams, one event at a time, to the limit|none|cpu.one.hundred.sse|cpu.one.hundred.limit|ns|<= 1.08
		... to the limit that answers first|none|cpu.one.hundred.sse|cpu.one.hundred.early|ns|report
		CPU per delivery, 100 streams, 16 publishers, to the limit that answers first|none|cpu.sixteen.hundred.sse|cpu.sixteen.hundred.early|ns|<= 1.15
		... to the limit|none|cpu.sixteen.hundred.sse|cpu.sixteen.hundred.limit|ns|report
		p99 from publish to receipt, $few streams, 50 events/s, to the limit that syncs each event|SQLite|p99.stored.sse|p99.stored.limit|ms|<= 1.1
		... the median|SQLite|p50.stored.sse|p50.stored.limit|ms|report
		p99 from publish to receipt, $many streams, 10 events/s, to the limit|none|p99.sse|p99.limit|us|<= 1.15
		POST/s, 256 publishers, durable to not stored|SQLite|durable.256|memory.256|/s|>= 0.6
		POST/s, durable, 16 publishers to one|SQLite|durable.16|durable.1|/s|>= 5
		POST/s, 256 publishers, durable to the limit without storage|SQLite|durable.256|limit.256|/s|>= 0.45
		POST/s, 16 publishers, not stored, to the limit|memory|memory.16|limit.16|/s|>= 0.6
		user memory per idle stream, $many streams|none|stream.sse|-|B|<= 256
		... to the limit|none|stream.sse|stream.limit|B|report
		... to nchan|none|stream.sse|stream.nchan|B|report
		... to Express|none|stream.sse|stream.express|B|report
		... to better-sse|none|stream.sse|stream.better|B|report
		... to @durable-streams/server|none|stream.sse|stream.durable|B|report
		CPU a minute, $many idle streams, between heartbeats|none|idle.sse|-|ms|report
		CPU a minute, $many idle streams, a heartbeat every $seconds s|none|heartbeats.sse|-|ms|report
		publishes/s, 100 readers stalled to none, 1 KB events|SQLite|stall.all.sse|stall.none.sse|/s|>= 0.9
		memory that 100 stalled readers add|SQLite|stall.grown.sse|-|MiB|<= 16
		publishes/s, 100 readers stalled to none, 1 KB events|memory|stall.all.forgets|stall.none.forgets|/s|>= 0.9
		memory that 100 stalled readers add|memory|stall.grown.forgets|-|MiB|<= 16
		nchan: publishes/s, 100 readers stalled to none, 1 KB events|memory|stall.all.nchan|stall.none.nchan|/s|report
		nchan: memory that 100 stalled readers add in $((seconds * 2)) s|memory|stall.grown.nchan|-|MiB|report
		replay of $replay_events events, events/s, to the sqlite3 shell|SQLite|replay.sse|replay.shell|/s|>= 0.5
		replay to $crowd_readers readers at once, each a topic of its own of $((crowd_events / 1024)) MiB, bytes per second of CPU, to cat of the same bytes|SQLite|crowd.sse|crowd.cat|MB/s|>= 0.5
		first byte of a resume near the end, $resume_far stored to $resume_near|SQLite|resume.far|resume.near|us|<= 1.5
		first byte of the newest 100 events, $resume_far stored to $resume_near|SQLite|last.far|last.near|us|<= 1.5
		... of the newest 10 of a pattern, the oldest of all|SQLite|rare.far|rare.near|us|<= 1.5
		first byte of the present values of 100 subjects|SQLite|latest.far|latest.near|us|<= 1.5
		sse-tail --last 100 --until end, $((resumes / 10)) times, $resume_far stored to $resume_near|SQLite|end.far|end.near|s|<= 1.5
		page of 100 topics of GET /api, $topics_many topics to $topics_few|SQLite|page.many|page.few|us|report
		from the POST until the last of $wide streams has the event in its socket, two loops to one|none|loops.2|loops.1|us|<= 0.6
		... CPU per delivery|none|loops.cpu.2|loops.cpu.1|ns|report
		CPU per POST with a token, to the same without --access|memory|post.token.guarded|post.token.open|ns|<= 1.05
		... to one that has no token, without --access|memory|post.token.guarded|post.token.bare|ns|report
		... to the same without --access|SQLite|post.durable.guarded|post.durable.open|ns|<= 1.05
		CPU per POST with a JWT by HS256, seen before, to the same without --access|memory|post.HS256.guarded|post.HS256.open|ns|<= 1.10
		... by ES256|memory|post.ES256.guarded|post.ES256.open|ns|<= 1.10
		... by RS256|memory|post.RS256.guarded|post.RS256.open|ns|<= 1.10
		CPU for opening $many streams with $tokens tokens, to the same without --access|memory|open.token.guarded|open.token.open|ns|<= 1.3
		... with $tokens JWTs by HS256, not seen before|memory|open.HS256.guarded|open.HS256.open|ns|report
		user memory that --access adds to an idle stream, $many streams|memory|size.grown|-|B|<= 16
		CPU per delivery with --access, $few streams, one event at a time, to without|memory|delivery.guarded|delivery.open|ns|<= 1.02
		CPU per delivery over TLS, $few streams, one event at a time, to nginx with TLS in front|none|cpu.tls.one.few.tls|cpu.tls.one.few.proxied|ns|<= 0.6
		CPU per delivery over TLS, $tls_many streams, one event at a time, to nginx with TLS in front|none|cpu.tls.one.many.tls|cpu.tls.one.many.proxied|ns|<= 0.6
		CPU per delivery over TLS, $few streams, 16 publishers, to nginx with TLS in front|none|cpu.tls.sixteen.few.tls|cpu.tls.sixteen.few.proxied|ns|<= 0.6
		CPU per delivery over TLS, $tls_many streams, 16 publishers, to nginx with TLS in front|none|cpu.tls.sixteen.many.tls|cpu.tls.sixteen.many.proxied|ns|<= 0.6
		CPU per delivery over TLS, $few streams, one event at a time, to plain|none|cpu.tls.one.few.tls|cpu.tls.one.few.plain|ns|report
		CPU per delivery over TLS, $few streams, 16 publishers, to plain|none|cpu.tls.sixteen.few.tls|cpu.tls.sixteen.few.plain|ns|report
		CPU per delivery, plain, beside a listener with TLS, $few streams, one event at a time, to none|none|cpu.tls.one.few.beside|cpu.tls.one.few.plain|ns|<= 1.05
		CPU per delivery, plain, beside a listener with TLS, $tls_many streams, one event at a time, to none|none|cpu.tls.one.many.beside|cpu.tls.one.many.plain|ns|<= 1.05
		handshakes with a GET each, per second of CPU, to nginx with TLS in front|none|shakes.tls|shakes.proxied|/s|>= 0.9
		handshakes with a GET each, per second, to nginx with TLS in front|none|wall.tls|wall.proxied|/s|report
		user memory per idle TLS stream, $tls_many streams|none|stream.tls|-|B|<= 12000
		... of nginx with TLS in front, and the server|none|stream.proxied|-|B|report
		... of which OpenSSL takes, by itself|none|session.openssl|-|B|report
		POST/s to a cluster of 3 NATS servers, 256 publishers, to JetStream's client with 256 outstanding|NATS|cluster.posts|cluster.client|/s|>= 0.7
		... to the same server with a log of its own|NATS|cluster.posts|durable.256|/s|report
		CPU per delivery of a node, $few streams, one event at a time, to --db :memory:|NATS|cpu.cluster.one.cluster|cpu.cluster.one.sse|ns|<= 1.15
		CPU per delivery of a node, $few streams, 16 publishers, to --db :memory:|NATS|cpu.cluster.sixteen.cluster|cpu.cluster.sixteen.sse|ns|report
		replay of $replay_events events by a node, events/s, to JetStream's client|NATS|cluster.replay|cluster.read|/s|>= 0.6
		user memory of a node per idle stream, $many streams, to one with a log of its own|NATS|stream.cluster|stream.file|B|<= 1.05
		longest time without an acknowledgement, the leader of the NATS servers killed|NATS|cluster.failover|-|s|report
		$scale_nodes nodes with $scale_streams streams each: from the POST to the last stream|NATS|scale.last|-|ms|report
		... to the middle one|NATS|scale.middle|-|ms|report
		... Pss of a node|NATS|scale.pss|-|MiB|report
		... memory of the machine for a stream, both of its ends|NATS|scale.memory|-|B|report
		... bytes that a delivery carries, with TCP and IP|NATS|scale.wire|-|B|report
		CPU of the 3 NATS servers for an event that is a message|NATS|cluster.log|-|ns|report
		... for handing it to one of $followers followers|NATS|cluster.follow|-|ns|report
		streams at once, both ends on this machine, $scale_streams of each server|memory|machine.streams|-|streams|report
		... Pss of a server for each|memory|machine.user|-|B|report
		... slabs of the kernel for each, both ends|memory|machine.kernel|-|B|report
		... buffers of its sockets for each|memory|machine.buffers|-|B|report
		... Pss of the load generator for each|memory|machine.reader|-|B|report
		... memory of the machine for each, all of that together|memory|machine.memory|-|B|report
		... Pss of a server with its $scale_streams|memory|machine.pss|-|MiB|report
		... CPU a minute of all servers, idle for $scale_idle s, with heartbeats every 15 s|memory|machine.idle|-|ms|report
		... one event to all: from the first POST to the last stream|memory|machine.last|-|ms|report
		... from the POST to a server to the middle one of its streams|memory|machine.middle|-|ms|report
		... CPU of the servers for each|memory|machine.cpu|-|ns|report
		streams beside them that get $busy_rate events/s for $busy_seconds s, a fifth less than had them with a p99 of $((busy_late / 1000)) ms|memory|busy.streams|-|streams|report
		... p99 from publish to receipt|memory|busy.p99|-|ms|report
		... CPU per delivery|memory|busy.cpu|-|ns|report
		... how busy the server's core was with it|memory|busy.server|-||report
		... how busy the load generator's was|memory|busy.load|-||report
		the limit itself: CPU per delivery, $few streams, to a loop that only sends|none|limit.few|pure.few|ns|<= 1.05
		the limit itself: CPU per delivery, $many streams, to a loop that only sends|none|limit.many|pure.many|ns|<= 1.05
	ROWS
}

bar() { # SERVER KIND
	case $1.$2 in
	limit.one | early.one) echo '<= 1.10' ;;
	limit.sixteen | early.sixteen) echo '<= 1.15' ;;
	nchan.one) echo '<= 0.8' ;;
	nchan.sixteen) echo '<= 0.12' ;;
	*) echo report ;;
	esac
}

version_of() { # PACKAGE: as the system's packages have it
	dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo '?'
}

version_in() { # FOLDER PACKAGE: as its package.json has it
	sed -n "s|.*\"$2\": \"\(.*\)\".*|\1|p" "$here/$1/package.json"
}

machine() {
	local cpu
	cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
	echo "- ${cpu:-$(uname -m)}, $(nproc) cores; Linux $(uname -r); $(sed -n \
		's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
	echo "- TCP $(cat /proc/sys/net/ipv4/tcp_congestion_control); databases on $(df --output=fstype "$work" | tail -n 1)"
	echo "- $("$bin/sse-serve" --version | tr '\n' ' ')"
	command -v nginx >/dev/null && echo "- nginx $(version_of nginx), nchan" \
		"$(version_of libnginx-mod-nchan)"
	command -v node >/dev/null && echo "- node $(node --version), Express" \
		"$(version_in express express), better-sse $(version_in . better-sse)," \
		"@durable-streams/server $(version_in . @durable-streams/server)"
	echo "- $(date -u +%F), interleaved runs: $run${BENCH_QUICK:+, quick: the numbers mean little}"
}

table() {
	rows >"$work/rows"
	echo 'Server and load generator on a core each; medians, and in brackets the least and the'
	echo 'most of the runs.  Events of 100 bytes.  A bar counts as reached within the spread.'
	echo 'Memory is Pss.'
	echo
	awk -f $here/table.awk "$work/rows" "$figures"
	echo
	machine
	sed 's/^/- /' "$work/notes"
}

# --- running ----------------------------------------------------------------

need_files() {
	local limit
	limit=$(ulimit -Hn)
	[ "$limit" = unlimited ] || [ "$limit" -gt $((many + 500)) ] || {
		note "The limit of open files, $limit, allows no $many streams: it was $((limit - 500))."
		many=$((limit - 500))
	}
	[ "$limit" = unlimited ] || [ "$limit" -gt $((wide + 500)) ] || wide=$((limit - 500))
	# nginx in front of a server has two for each.
	tls_many=$many
	[ "$limit" = unlimited ] || [ "$limit" -gt $((many * 2 + 500)) ] || tls_many=$(((limit - 500) / 2))
}

[ $# -eq 0 ] || groups=("$@")
need_files
for ((run = 1; run <= runs; run++)); do
	for group in "${groups[@]}"; do
		echo "bench: run $run of $runs: $group" >&2
		"group_$group"
	done
done
run=$runs
table
[ $wrong -eq 0 ]

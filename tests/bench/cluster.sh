# SPDX-License-Identifier: MIT
# For serve.sh: three NATS servers on this machine, and sse-serves that have their log there.
# shellcheck shell=bash disable=SC2154,SC2034

jetstream_events=300000 failovers=3 followers=100 follower_events=20000
scale_nodes=10
if [ -n "${BENCH_QUICK:-}" ]; then
	jetstream_events=5000 failovers=1 followers=5 follower_events=1000
	scale_nodes=3
fi

. tests/scenario/nats_helpers.bash
nats_pids=() nats_urls=''

# start_nats: sets nats_urls and nats_pids.  They run on whichever core is free.
start_nats() {
	local i from=$((20000 + RANDOM % 10000)) url
	nats_urls='' nats_pids=()
	for i in 1 2 3; do
		sh .ci/nats-config $i $from "$work/nats$i" 8GB >"$work/nats$i.conf"
		nats-server -c "$work/nats$i.conf" >>"$work/nats.log" 2>&1 &
		nats_pids+=($!)
		url=nats://127.0.0.1:$((from + i - 1))
		nats_urls=${nats_urls:+$nats_urls,}$url
	done
}

stop_nats() {
	[ ${#nats_pids[@]} -gt 0 ] || return 0
	kill -KILL "${nats_pids[@]}" 2>/dev/null
	wait "${nats_pids[@]}" 2>/dev/null
	rm -rf "$work"/nats[123]
	nats_pids=()
}

# start_node LOG [OPTION]...: a node of that log, with a new copy of it; it waits for NATS.
nodes=0
start_node() {
	local log=$1
	shift
	nodes=$((nodes + 1))
	start_sse 1 --store "$nats_urls" --replicas 3 --cluster "$log" --db "$work/node$nodes.db" "$@"
}

# client ARGUMENT...: JetStream's own client, where the server would run.
client() {
	(on_core 0 "$tools/jetstream_client" "$@" | cut -d ' ' -f 2)
}

# keep_cpu NAME BEFORE COUNT: what they took for each of so many, since then.
keep_cpu() {
	keep "$1" $((($(cpu_of "${nats_pids[@]}") - $2) / $3))
}

cluster_posts() {
	local before
	start_node posts && posts cluster.posts 256
	stop
	before=$(cpu_of "${nats_pids[@]}")
	keep cluster.client "$(client publish "$nats_urls" client 3 256 "$jetstream_events")"
	keep_cpu cluster.log "$before" "$jetstream_events"
}

# What NATS has to do for each node that follows a log.
cluster_followers() {
	local i before
	local -a readers=()
	[ -n "$(client publish "$nats_urls" events 3 4096 "$follower_events")" ] || return
	before=$(cpu_of "${nats_pids[@]}")
	for ((i = 0; i < followers; i++)); do
		"$tools/jetstream_client" read "$nats_urls" events "$follower_events" >/dev/null &
		readers+=($!)
	done
	for i in "${readers[@]}"; do
		wait "$i" || wrong=1
	done
	keep_cpu cluster.follow "$before" $((followers * follower_events))
}

cluster_delivery() {
	start_sse 1 --db :memory: && hold sse
	start_node delivery && hold cluster
	compare cluster.one "$one_few" -n "$few" -w 20 --lockstep
	compare cluster.sixteen "$sixteen_few" -n "$few" -w 160 -m 16
	stop
}

# The same number of events of the same size; the node reads its copy of the log.
cluster_replay() {
	start_node replay && load -m 256 -e "$replay_events" fanout &&
		load -m 256 -n 1 -e "$replay_events" --stream '/api/bench/event?since=all' replay &&
		keep_field cluster.replay events_per_s
	stop
	client publish "$nats_urls" events 3 4096 "$replay_events" >/dev/null
	keep cluster.read "$(client read "$nats_urls" events "$replay_events")"
}

cluster_memory() {
	start_node memory --heartbeat 1h && idle cluster
	stop
	start_sse 1 --db "$work/memory.db" --heartbeat 1h && idle file
	stop
}

# leader STREAM: the number of the server that leads it, once there is one.
leader() {
	local port=${nats_urls##*:} i number=''
	for ((i = 0; i < 50 && ${#number} == 0; i++)); do
		number=$(nats_ask "\$JS.API.STREAM.INFO.$1" "$port" |
			sed -n 's/.*"leader":"nats\([1-3]\)".*/\1/p')
	done
	[ -n "$number" ] && echo "$number"
}

# acknowledged SECONDS: publish one event after the other, and write down when each was acknowledged.
acknowledged() {
	local until=$((SECONDS + $1))
	while ((SECONDS < until)); do
		[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 15 --data-raw x \
			-H 'Content-Type: text/plain' "http://127.0.0.1:$port/api/bench")" != 201 ] ||
			echo "$EPOCHREALTIME"
		sleep 0.02
	done
}

# Kill the leader, and see how long nothing is acknowledged.
cluster_failover() {
	local i which publisher
	for ((i = 0; i < failovers; i++)); do
		stop_nats
		start_nats
		start_node failover || break
		acknowledged 15 >"$work/acknowledged" &
		publisher=$!
		sleep 3
		which=$(leader failover) || break
		kill -KILL "${nats_pids[which - 1]}"
		wait "${nats_pids[which - 1]}" 2>/dev/null
		wait "$publisher"
		awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print most }' \
			"$work/acknowledged" >>"$work/failover.$run"
		stop
	done
	keep cluster.failover "$(sort -g "$work/failover.$run" | awk '{ v[NR] = $1 }
		END { print v[int((NR + 1) / 2)] }')"
}

# carried: bytes of loopback so far.
carried() {
	awk '$1 == "lo:" { print $2 }' /proc/net/dev
}

# Many nodes, each with as many streams as a process may have, and one event after the other to all.
cluster_scale() {
	local i all=$((scale_nodes * scale_streams)) memory bytes
	for ((i = 0; i < scale_nodes; i++)); do
		start_node scale --heartbeat 1h && hold "scale$i"
	done
	forget_connections
	memory=$(available)
	start_readers
	sleep 2
	keep scale.memory $(((memory - $(available)) / all))
	use scale0
	bytes=$(carried)
	load -e 5 -r 1 fanout
	sleep 5
	keep scale.wire $((($(carried) - bytes) / (5 * all)))
	end_readers 5
	stop
	keep scale.last $(($(seen MAX latency_max_us) / 1000))
	keep scale.middle $(($(seen MEAN latency_p50_us) / 1000))
	keep scale.pss $(($(seen MEAN after_pss_bytes) / 1048576))
}

group_cluster() {
	local part
	if ! command -v nats-server >/dev/null || ! sse_has --store; then
		note 'The cluster is left out: nats-server, or libnats for sse-serve, is not installed.'
		return
	fi
	for part in ${CLUSTER_PARTS:-posts delivery replay memory failover followers scale}; do
		stop_nats
		start_nats
		"cluster_$part"
		stop
	done
	stop_nats
}

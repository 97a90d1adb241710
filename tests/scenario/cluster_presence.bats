#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of several sse-serve with one log in NATS: who is present on which node, and what $sys says
# of the nodes.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2153,SC2154

load serve_helpers

declare -gA PIDS URLS

setup() {
	common_setup
	command -v nats-server >/dev/null || skip 'nats-server is not installed'
	PIDS=() URLS=()
	nats
}

# Every node that a test leaves running must end well.
teardown() {
	local result=0 name
	for name in "${!PIDS[@]}"; do
		leave "$name" || result=1
		if [ -s "$name.err" ]; then
			echo "--- the log of the node $name"
			tail -n 20 "$name.err"
		fi
	done
	end_jobs
	return $result
}

# nats: start a NATS server with JetStream, on a free port, or on NATS_PORT after it was started before.
nats() {
	local ports=
	rm -rf ports
	mkdir -p ports
	nats-server -a 127.0.0.1 -p "${NATS_PORT:--1}" -js -sd "$PWD/nats" --ports_file_dir "$PWD/ports" \
		>>nats.log 2>&1 3>&- 4>&- &
	NATS_PID=$!
	wait_for has "ports/nats-server_$NATS_PID.ports" ']'
	ports=$(cat "ports/nats-server_$NATS_PID.ports")
	[[ $ports =~ nats://127\.0\.0\.1:([0-9]+) ]]
	NATS_PORT=${BASH_REMATCH[1]}
}

# begin NAME [OPTION]...: start a node, which is called so, on a free port.
begin() {
	local name=$1 pid
	shift
	: >"$name.out"
	"$BIN/sse-serve" --store "nats://127.0.0.1:$NATS_PORT" --node "$name" --db "$name.db" \
		--listen 0 "$@" >"$name.out" 2>>"$name.err" 3>&- 4>&- &
	pid=$!
	wait_for started "$name" "$pid"
	if has "$name.err" 'built without the C client of NATS'; then
		skip 'sse-serve was built without libnats'
	fi
	URLS[$name]=$(sed -n 's/^Listening on //p' "$name.out")
	if [ -z "${URLS[$name]}" ]; then
		cat "$name.err" >&2
		return 1
	fi
	PIDS[$name]=$pid
}

started() {
	has "$1.out" 'Listening on' || gone "$2"
}

# leave NAME: end the node, with 0.
leave() {
	local pid=${PIDS[$1]}
	unset "PIDS[$1]"
	kill -TERM "$pid"
	wait_for gone "$pid"
	ended "$pid" 0
}

# die NAME: kill -9.
die() {
	local pid=${PIDS[$1]}
	unset "PIDS[$1]"
	kill -KILL "$pid"
	wait "$pid" || true
}

# at NODE COMMAND...: run it with this node's URL.
at() {
	local URL=${URLS[$1]}
	shift
	"$@"
}

# sees NODE TOPIC NAMES: does it say that these are present?  NAMES are as in JSON: "Ada","Bob"
sees() {
	local count
	ask "${URLS[$1]}/api/$2/presence"
	count=$(grep -o '"[^"]*"' <<<"$3" | wc -l)
	[[ $(cat body) = "{\"count\":$count,\"names\":[$3],"* ]]
}

# all_see TOPIC NAMES: wait until all nodes do.
all_see() {
	local name
	for name in "${!PIDS[@]}"; do
		wait_for sees "$name" "$1" "$2"
	done
}

# events FILE: type and data of its events, one line each.
events() {
	sed -n 's/^event: //p; s/^data: //p' "$1" | paste -d ' ' - -
}

# metric NODE NAME VALUE: is it that?
metric() {
	[ "$(curl -s "${URLS[$1]}/metrics" | sed -n "s/^$2 //p")" = "$3" ]
}

@test "a name is present on every node, whichever has its streams; each reader hears of it once" {
	local ada
	begin a --presence-grace 0
	begin b --presence-grace 0
	begin c --presence-grace 0
	at c follow seen /api/chat/x/event
	at a follow ada '/api/chat/x/event?as=Ada'
	ada=$FOLLOWER
	all_see chat/x '"Ada"'
	at b follow bob '/api/event?topic=chat/x&topic=chat/y&as=Bob'
	all_see chat/x '"Ada","Bob"'
	all_see chat/y '"Bob"'
	# A second stream of the name, at another node.
	at b follow too '/api/chat/x/event?as=Ada'
	kill "$ada"
	kill "$FOLLOWER"
	all_see chat/x '"Bob"'
	wait_for has seen 'event: leave'
	[ "$(events seen)" = 'join {"name":"Ada","count":1}
join {"name":"Bob","count":2}
leave {"name":"Ada","count":1}' ]
	# One that starts later knows it, and one that starts again.
	begin d
	wait_for sees d chat/x '"Bob"'
	leave a
	begin a
	all_see chat/x '"Bob"'
	all_see chat/y '"Bob"'
}

@test "the names of a node that is killed leave after the grace, but for those that are at another" {
	begin a --presence-grace 1s
	begin b --presence-grace 1s
	begin c --presence-grace 1s
	at a follow seen /api/chat/event
	at b follow ada '/api/chat/event?as=Ada'
	at b follow bob '/api/chat/event?as=Bob'
	at b follow cy '/api/chat/event?as=Cy'
	at c follow bob-too '/api/chat/event?as=Bob'
	all_see chat '"Ada","Bob","Cy"'
	wait_for metric a sse_cluster_nodes 3
	die b
	# Cy's client goes on elsewhere at once, as all clients do.
	at c follow cy-too '/api/chat/event?as=Cy'
	wait_for has seen 'event: leave'
	all_see chat '"Bob","Cy"'
	[ "$(events seen | sort)" = 'join {"name":"Ada","count":1}
join {"name":"Bob","count":2}
join {"name":"Cy","count":3}
leave {"name":"Ada","count":2}' ]
	metric a sse_cluster_nodes 2
	has a.err 'node b has said nothing for 5 s: its names leave'
	# It comes back, and so does Ada.
	begin b --presence-grace 1s
	at b follow ada '/api/chat/event?as=Ada'
	all_see chat '"Ada","Bob","Cy"'
	metric a sse_cluster_nodes 3
}

@test "a name that moves from node to node within the grace never leaves, even when a node ends" {
	local name stream
	begin a --presence-grace 4s
	begin b --presence-grace 4s
	at a follow seen /api/chat/event
	at b follow bob '/api/chat/event?as=Bob'
	at b follow ada '/api/chat/event?as=Ada'
	stream=$FOLLOWER
	for name in a b a b a; do
		kill "$stream"
		at $name follow ada '/api/chat/event?as=Ada'
		stream=$FOLLOWER
	done
	leave b
	wait_for metric a sse_cluster_nodes 1
	sees a chat '"Ada","Bob"'
	# After the grace, only who did not come back has left.
	wait_for has seen 'event: leave'
	[ "$(events seen | sort)" = 'join {"name":"Ada","count":2}
join {"name":"Bob","count":1}
leave {"name":"Bob","count":1}' ]
	sees a chat '"Ada"'
}

@test "while NATS is away the others' names stay until their nodes count as gone; then all is told again" {
	begin a --presence-grace 0
	begin b --presence-grace 0
	at a follow seen /api/chat/event
	at a follow ada '/api/chat/event?as=Ada'
	at b follow bob '/api/chat/event?as=Bob'
	all_see chat '"Ada","Bob"'
	kill -KILL "$NATS_PID"
	wait "$NATS_PID" || true
	sees a chat '"Ada","Bob"'
	# What happens in the meantime is known only here.
	at b follow cy '/api/chat/event?as=Cy'
	wait_for sees b chat '"Ada","Bob","Cy"'
	wait_for sees a chat '"Ada"'
	wait_for sees b chat '"Bob","Cy"'
	nats
	all_see chat '"Ada","Bob","Cy"'
	wait_for has seen '"name":"Cy"'
	[ "$(events seen | tail -n 2 | sort)" = 'join {"name":"Bob","count":2}
join {"name":"Cy","count":3}' ]
}

@test "\$sys says which node it is of and which there are, and /metrics how many" {
	begin a
	begin b
	at b follow one /api/any/event
	at b follow two /api/any/event
	at a follow sys '/api/$sys/event'
	wait_for has sys '"nodes":[{"node":"a",'
	wait_for has sys '"streams":2'
	# Streams of $sys do not count.
	sed -n 's/^data: //p' sys | tail -n 1 | node -e '
		const { node, nodes, streams } = JSON.parse(require("fs").readFileSync(0, "utf8"))
		const number = (value) => { if (!Number.isInteger(value) || value < 0) throw value }
		if (node !== "a" || streams !== 0) throw node
		if (nodes.map((one) => one.node + one.streams).join() !== "a0,b2") throw nodes
		for (const one of nodes) {
			number(one.uptime), number(one.behind), number(one.requests), number(one.delivered)
			if (typeof one.version !== "string") throw one
		}'
	metric a sse_cluster_nodes 2
	metric a sse_cluster_streams 2
	# One that has no name is called by its host and port.
	serve --store "nats://127.0.0.1:$NATS_PORT" --cluster other --db other.db
	follow other '/api/$sys/event'
	wait_for has other "\"node\":\"$HOSTNAME:$PORT\",\"nodes\":[{"
	stop
	# A server without others says nothing of nodes.
	serve
	follow alone '/api/$sys/event'
	wait_for has alone 'event: stats'
	not has alone '"node'
	ask "$URL/metrics"
	not has body sse_cluster
	stop
	refuses 64 '--node need --store' --node x
	refuses 64 '--node: the name is longer than 64 bytes' --store nats://127.0.0.1:1 \
		--node "$(letters 65)"
}

@test "many names that come and go at three nodes: in the end all agree, and count them right" {
	local i name followers=()
	begin a --presence-grace 0
	begin b --presence-grace 0
	begin c --presence-grace 0
	at a follow seen /api/chat/event
	for i in {1..20}; do
		for name in a b c; do
			curl -sN --max-time 60 "${URLS[$name]}/api/chat/event?as=N$i" >/dev/null 2>&1 3>&- 4>&- &
			followers+=($!)
		done
	done
	# Of each name, one node keeps it, if any.
	wait_for has seen '"count":20'
	for ((i = 0; i < 60; i++)); do
		[ $((i % 6)) -eq 0 ] || kill "${followers[i]}"
	done
	all_see chat '"N1","N11","N13","N15","N17","N19","N3","N5","N7","N9"'
	wait_for has seen '"count":10'
}

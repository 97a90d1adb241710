#!/bin/sh
# SPDX-License-Identifier: MIT
# What a cluster needs, from what was measured: nodes, memory and network for 100 thousand, 1 million and
# 10 million streams at 1, 10 and 1,000 events a second, each event to every stream.  It prints a table, and
# what ends first.  Each input can be set by a variable of its name, as in CORES=64 sh model.sh.
set -eu

# Measured, in RESULTS.md, but for the next three: they are of a node that read 400,000 events of 100 bytes, with
# keys, that sse-post had published in batches.  An event that is published alone costs a node about 0.25 ms.
: "${DELIVERY_NS:=7300}"     # CPU of a delivery, 10,000 streams, one event at a time
: "${DELIVERY_BUSY_NS:=310}" # the same where events come faster than a pass takes
: "${STREAM_BYTES:=100}"     # user memory of a stream
: "${SOCKET_BYTES:=4200}"    # kernel memory of its socket
: "${APPLY_NS:=2050}"        # CPU of a node to apply one event of the log to its copy
: "${LOG_BYTES:=159}"        # of such an event in a message of the log
: "${NODE_BYTES:=28000000}"  # Pss of a node without streams
: "${WIRE_BYTES:=222}"       # of a delivery of 100 bytes of data: its frame, TCP, IP, Ethernet's head
: "${MESSAGE_NS:=15000}"     # CPU of the three NATS servers together to store a message
: "${FOLLOW_NS:=2300}"       # CPU of theirs to hand it to one of 100 followers

# Not measured: more than 100 followers, more than one machine, other disks.

# Chosen.
: "${CORES:=16}"        # of a node, of which the kernel needs its share: it is in DELIVERY_NS
: "${MEMORY_GIB:=128}"  # of a node
: "${NETWORK_GBIT:=25}" # of a node
: "${USE:=0.6}"         # how much of a node may be used, so that one may be missing

awk -v delivery="$DELIVERY_NS" -v busy="$DELIVERY_BUSY_NS" -v stream="$STREAM_BYTES" \
	-v socket="$SOCKET_BYTES" -v wire="$WIRE_BYTES" -v apply="$APPLY_NS" -v log_bytes="$LOG_BYTES" \
	-v node="$NODE_BYTES" -v cores="$CORES" -v memory="$MEMORY_GIB" -v network="$NETWORK_GBIT" \
	-v use="$USE" -v message="$MESSAGE_NS" -v follow="$FOLLOW_NS" '
function ceil(x) { return x == int(x) ? x : int(x) + 1 }
# Nodes for that many streams and events a second; why[] gets what decides.
function nodes(streams, rate,    n, cpu, bytes, needed, best) {
	# Events that come while a pass is under way are sent together; the work of a pass is then that of one send.
	best = 0
	for (n = 1; n <= 1000000; n++) {
		pass = streams / n * delivery / 1e9 / cores
		together = rate * pass > 1 ? rate * pass : 1
		per = together > 1 ? busy + delivery / together : delivery
		if (per > delivery) per = delivery
		cpu = (streams / n * rate * per + rate * apply) / 1e9 / cores
		bytes = node + streams / n * (stream + socket)
		net = (streams / n * rate * wire + rate * log_bytes) * 8 / 1e9
		if (cpu <= use && bytes <= use * memory * 1073741824 && net <= use * network)
			break
		best = cpu > use ? "CPU" : net > use * network ? "network" : "memory"
		# Jump: the search is monotone.
		over = cpu / use; if (net / (use * network) > over) over = net / (use * network)
		if (bytes / (use * memory * 1073741824) > over) over = bytes / (use * memory * 1073741824)
		if (over > 1.02) n = ceil(n * (1 + (over - 1) / 2)) - 1
	}
	decides = best == 0 ? "-" : best
	cpu_used = cpu * 100; memory_used = bytes / 1073741824; net_used = net
	return n
}
BEGIN {
	printf "%12s %9s %8s %8s %12s %14s %8s %14s\n", "streams", "events/s", "nodes", "CPU %", "GiB a node",
		"Gbit/s a node", "decides", "cores of NATS"
	split("100000 1000000 10000000", s); split("1 10 1000", r)
	for (i = 1; i <= 3; i++) for (j = 1; j <= 3; j++) {
		n = nodes(s[i], r[j])
		printf "%12d %9d %8d %8.0f %12.1f %14.2f %8s %14.2f\n", s[i], r[j], n, cpu_used, memory_used, net_used,
			decides, r[j] * (message + n * follow) / 1e9
	}
	printf "\nA node applies every event of the log, so it takes at most %d events a second for %.0f %% of one core,\n" \
		"however many nodes there are: adding nodes adds readers, not events.\n", 1e9 * use / apply, use * 100
	printf "Each node receives the whole log, from NATS: by the CPU of three NATS servers of %d cores, %d nodes may\n" \
		"follow a log of 1,000 events a second (100 were tried), and receive %.2f Gbit/s together; a larger cluster\n" \
		"has to divide its topics among several logs.\n", cores, n = int((3 * cores * use * 1e9 / 1000 - message) / follow),
		n * 1000 * log_bytes * 8 / 1e9
}'

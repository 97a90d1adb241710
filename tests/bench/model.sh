#!/bin/sh
# SPDX-License-Identifier: MIT
# What one machine holds, and what a cluster needs, from what was measured.  Each event goes to every
# stream.  Two tables: the most streams of a machine of 16 and of 64 cores, idle and at 1, 10 and 100 events a
# second; and nodes, memory and network for 100 thousand, 1 million and 10 million streams at 1, 10 and 1,000
# events a second.  Each says what ends first.  Each input can be set by a variable of its name, as in
# CORES=64 sh model.sh.
set -eu

# Measured, in RESULTS.md, but for three: APPLY_NS, LOG_BYTES and NODE_BYTES are of a node that read 400,000
# events of 100 bytes, with keys, that sse-post had published in batches.  An event that is published alone costs
# a node about 0.25 ms.  The group scale of serve.sh prints the first, third and fourth.
: "${DELIVERY_NS:=7300}"     # CPU of a delivery, 10,000 streams, one event at a time; of a heartbeat as well
: "${DELIVERY_BUSY_NS:=310}" # the same where events come faster than a pass takes
: "${STREAM_BYTES:=200}"     # user memory of a stream
: "${SOCKET_BYTES:=5000}"    # kernel memory of its socket
: "${POST_NS:=23000}"        # CPU of a server with a log of its own for an event that is published
: "${APPLY_NS:=2050}"        # CPU of a node to apply one event of the log to its copy
: "${LOG_BYTES:=159}"        # of such an event in a message of the log
: "${NODE_BYTES:=28000000}"  # Pss of a node without streams
: "${WIRE_BYTES:=222}"       # of a delivery of 100 bytes of data: its frame, TCP, IP, Ethernet's head
: "${MESSAGE_NS:=15000}"     # CPU of the three NATS servers together to store a message
: "${FOLLOW_NS:=2300}"       # CPU of theirs to hand it to one of 100 followers

# Chosen.
: "${CORES:=16}"        # of a node, of which the kernel needs its share: it is in DELIVERY_NS
: "${MACHINES:=16 64}"  # cores of a machine by itself
: "${MEMORY_GIB:=128}"  # of a node, and of a machine
: "${NETWORK_GBIT:=25}" # of a node, and of a machine
: "${USE:=0.6}"         # how much of a node may be used, so that one may be missing
: "${HEARTBEAT_S:=15}"  # sse-serve --heartbeat

awk -v delivery="$DELIVERY_NS" -v busy="$DELIVERY_BUSY_NS" -v stream="$STREAM_BYTES" \
	-v socket="$SOCKET_BYTES" -v wire="$WIRE_BYTES" -v apply="$APPLY_NS" -v log_bytes="$LOG_BYTES" \
	-v node="$NODE_BYTES" -v cores="$CORES" -v memory="$MEMORY_GIB" -v network="$NETWORK_GBIT" \
	-v use="$USE" -v message="$MESSAGE_NS" -v follow="$FOLLOW_NS" -v post="$POST_NS" \
	-v machines="$MACHINES" -v heartbeat="$HEARTBEAT_S" '
function ceil(x) { return x == int(x) ? x : int(x) + 1 }
# What so many streams on so many cores take at a rate, if an event itself takes ${own} ns and ${in_bytes}: sets
# cpu, 1 being all cores; bytes; net, in Gbit/s.  True if that may be used; otherwise short is what does not suffice.
function fits(streams, rate, cores, own, in_bytes,    sends, pass, together, per) {
	# A stream has a heartbeat when it had no event for so long.
	sends = rate * heartbeat > 1 ? rate : 1 / heartbeat
	# Events that come while a pass is under way are sent together; the work of a pass is then that of one send.
	pass = streams * delivery / 1e9 / cores
	together = sends * pass > 1 && rate > 0 ? sends * pass : 1
	per = together > 1 ? busy + delivery / together : delivery
	if (per > delivery) per = delivery
	cpu = (streams * sends * per + rate * own) / 1e9 / cores
	bytes = node + streams * (stream + socket)
	net = (streams * sends * wire + rate * in_bytes) * 8 / 1e9
	short = cpu > use ? "CPU" : net > use * network ? "network" : "memory"
	return cpu <= use && bytes <= use * memory * 1073741824 && net <= use * network
}
# The most streams of one machine.
function most(rate, cores,    low, high, middle) {
	for (high = 1; fits(high, rate, cores, post, 0); high *= 2)
		low = high
	while (high - low > low / 1000) {
		middle = int((low + high) / 2)
		if (fits(middle, rate, cores, post, 0))
			low = middle
		else
			high = middle
	}
	fits(high, rate, cores, post, 0)
	decides = short
	fits(low, rate, cores, post, 0)
	return low
}
# Nodes for that many streams and events a second; decides is what would be short with fewer.
function nodes(streams, rate,    n, over) {
	decides = "-"
	for (n = 1; n <= 1000000 && !fits(streams / n, rate, cores, apply, log_bytes); n++) {
		decides = short
		# Jump: the search is monotone.
		over = cpu / use
		if (net / (use * network) > over) over = net / (use * network)
		if (bytes / (use * memory * 1073741824) > over) over = bytes / (use * memory * 1073741824)
		if (over > 1.02) n = ceil(n * (1 + (over - 1) / 2)) - 1
	}
	return n
}
BEGIN {
	printf "One machine of %d GiB, of which %.0f %% may be used:\n", memory, use * 100
	printf "%12s %9s %12s %8s %8s %8s %9s\n", "cores", "events/s", "streams", "CPU %", "GiB", "Gbit/s", "decides"
	machine_count = split(machines, m); rates = split("0 1 10 100", r)
	for (i = 1; i <= machine_count; i++) for (j = 1; j <= rates; j++) {
		n = most(r[j], m[i])
		printf "%12d %9d %12.0f %8.0f %8.1f %8.2f %9s\n", m[i], r[j], n, cpu * 100, bytes / 1073741824, net, decides
	}
	printf "\nA cluster of nodes of %d cores:\n", cores
	printf "%12s %9s %8s %8s %12s %14s %8s %14s\n", "streams", "events/s", "nodes", "CPU %", "GiB a node",
		"Gbit/s a node", "decides", "cores of NATS"
	split("100000 1000000 10000000", s); split("1 10 1000", r)
	for (i = 1; i <= 3; i++) for (j = 1; j <= 3; j++) {
		n = nodes(s[i], r[j])
		printf "%12d %9d %8d %8.0f %12.1f %14.2f %8s %14.2f\n", s[i], r[j], n, cpu * 100, bytes / 1073741824, net,
			decides, r[j] * (message + n * follow) / 1e9
	}
	printf "\nA node applies every event of the log, so it takes at most %d events a second for %.0f %% of one core,\n" \
		"however many nodes there are: adding nodes adds readers, not events.\n", 1e9 * use / apply, use * 100
	n = int((3 * cores * use * 1e9 / 1000 - message) / follow)
	printf "Each node receives the whole log, from NATS: by the CPU of three NATS servers of %d cores, %d nodes may\n" \
		"follow a log of 1,000 events a second (100 were tried), and receive %.2f Gbit/s together; a larger cluster\n" \
		"has to divide its topics among several logs.\n", cores, n, n * 1000 * log_bytes * 8 / 1e9
	print "\nNot measured, but assumed:"
	print "- that sixteen or 64 loops share the work without loss: two were tried, and took 0.6 of the time of one;"
	print "- that one kernel holds more than the million sockets that were tried, with as little memory for each;"
	print "- that a network card costs no more CPU than loopback, and that readers are fast enough to need no buffers;"
	print "- for a cluster, more than 100 followers, more than one machine, and other disks."
}'

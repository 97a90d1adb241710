# SPDX-License-Identifier: MIT
# For serve.sh: as many streams as this machine holds, over several servers and load generators, each
# with as many as a process may have.
#   SCALE_SERVERS=N   so many servers; if not given, as many as memory and open files allow
#   SCALE_IDLE=600    how long the streams are idle, in seconds
# shellcheck shell=bash disable=SC2154,SC2034

scale_streams=18000 # of a server
scale_idle=${SCALE_IDLE:-600}
busy_streams=250 busy_rate=100 busy_try=3 busy_seconds=60 # streams to begin with, events/s, seconds
busy_late=500000                                           # us: a p99 that is too long
if [ -n "${BENCH_QUICK:-}" ]; then
	scale_streams=500
	scale_idle=${SCALE_IDLE:-1}
	busy_streams=400 busy_try=1 busy_seconds=1
fi

# --- what the machine has, and what processes take --------------------------------

# available: memory of the machine that could be had, in bytes; slabs: what the kernel has in slabs.
available() {
	awk '/^MemAvailable:/ { printf "%.0f\n", $2 * 1024 }' /proc/meminfo
}

slabs() {
	awk '/^Slab:/ { printf "%.0f\n", $2 * 1024 }' /proc/meminfo
}

# buffers: memory of what is in TCP's sockets, in bytes.
buffers() {
	awk -v page="$(getconf PAGESIZE)" '$1 == "TCP:" { printf "%.0f\n", $11 * page }' /proc/net/sockstat
}

# cpu_of PID...: what they have taken, in ns.
cpu_of() {
	local pid
	for pid; do
		cut -d ' ' -f 14,15 "/proc/$pid/stat"
	done | awk -v ticks="$(getconf CLK_TCK)" '{ sum += $1 + $2 } END { printf "%.0f\n", sum / ticks * 1e9 }'
}

# pss_of PID...: memory, in bytes.
pss_of() {
	local pid
	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '$1 == "Pss:" { sum += $2 } END { printf "%.0f\n", sum * 1024 }'
}

# --- readers of all servers that are held -----------------------------------------

readers=()

held_pids() {
	local name
	for name in "${held[@]}"; do
		use "$name"
		echo "$server"
	done
}

# await_metric NAME LEAST: until the server that runs has come so far, or for two minutes.
await_metric() {
	local i now
	for ((i = 0; i < 600; i++)); do
		now=$(curl -s "http://127.0.0.1:$port/metrics" | awk -v name="$1" '$1 == name { print $2 }')
		[ "${now:-0}" -lt "$2" ] || return 0
		sleep 0.2
	done
	return 1
}

# forget_connections: those of the run before; looking for a free port takes very long among them.
forget_connections() {
	local i
	for ((i = 0; i < 90; i++)); do
		[ "$(awk '$1 == "TCP:" { print $7 }' /proc/net/sockstat)" -gt 20000 ] || break
		sleep 1
	done
}

# start_readers: a load generator for each server, with $scale_streams streams, one after the other.
# What each has seen is in $work/readers.NUMBER when they have ended.
start_readers() {
	local name
	readers=()
	rm -f "$work"/readers.*
	for name in "${held[@]}"; do
		use "$name"
		"$tools/load" --port "$port" --pid "$server" -n "$scale_streams" -t 24h idle \
			>"$work/readers.${#readers[@]}" 2>>"$work/log" &
		readers+=($!)
		await_metric sse_streams "$scale_streams"
	done
}

# end_readers EVENTS: each stream must have had so many, once and in order.
end_readers() {
	local words
	kill -TERM "${readers[@]}"
	wait "${readers[@]}"
	words=$(awk -v all=$((${#readers[@]} * scale_streams * $1)) '$1 == "received" { n += $2 }
		$1 ~ /^(repeated|disordered|torn|closed)$/ { wrong += $2 }
		END { if (n != all || wrong) print n + 0 " of " all " came, " wrong + 0 " wrong" }' \
		"$work"/readers.*)
	[ -n "$words" ] || return 0
	wrong=1
	note "WRONG, in run $run: ${#readers[@]} servers with $scale_streams streams each: $words"
}

# seen MAX|MIN|MEAN FIELD: of what the readers have seen.
seen() {
	awk -v how="$1" -v name="$2" '$1 == name { sum += $2; if (!n++ || $2 < min) min = $2; if ($2 > max) max = $2 }
		END { printf "%.0f\n", how == "MAX" ? max : how == "MIN" ? min : sum / n }' "$work"/readers.*
}

# --- one machine ------------------------------------------------------------------

# fitting: how many servers there is room for, with both ends of each stream on this machine.
fitting() {
	local used max by_files by_memory
	read -r used _ max </proc/sys/fs/file-nr
	by_files=$(((max - used) * 9 / (10 * (2 * scale_streams + 200))))
	by_memory=$(($(available) * 8 / (10 * (12000 * scale_streams + 20000000))))
	echo $((by_files < by_memory ? by_files : by_memory))
}

# post_to_all: an event to each server, at the same time as well as it goes, until it is delivered.
post_to_all() {
	local name
	local -a posts=()
	for name in "${held[@]}"; do
		use "$name"
		"$tools/load" --port "$port" -e 1 fanout >/dev/null 2>>"$work/log" &
		posts+=($!)
	done
	wait "${posts[@]}"
	for name in "${held[@]}"; do
		use "$name"
		await_metric sse_events_delivered_total "$scale_streams"
	done
}

# busy STREAMS SECONDS: as many streams of one more server, at the rate.
busy() {
	load -n "$1" -e $((busy_rate * $2)) -w 5 -r $busy_rate fanout
}

# in_time STREAMS: do they have every event in time?  A second try, as others may have disturbed.
in_time() {
	local try
	for try in 1 2; do
		busy "$1" $busy_try || return
		[ "$(field latency_p99_us | cut -d . -f 1)" -gt $busy_late ] || return 0
	done
	return 1
}

# scale_busy: the most streams that have every event in time, less a fifth, while the others are open.
scale_busy() {
	local streams=$busy_streams most=0
	start_sse 1 --db :memory: || return
	while [ "$streams" -le "$scale_streams" ] && in_time "$streams"; do
		most=$streams
		streams=$((streams * 5 / 4))
	done
	most=$((most * 4 / 5))
	keep busy.streams $most
	if [ $most -gt 0 ] && busy $most $busy_seconds; then
		keep busy.p99 "$(awk -v us="$(field latency_p99_us)" 'BEGIN { print us / 1000 }')"
		keep_field busy.cpu cpu_ns_per_delivery
		keep_field busy.server server_busy
		keep_field busy.load load_busy
	fi
	end_server
}

group_scale() {
	local i count=${SCALE_SERVERS:-$(fitting)} all memory kernel user tcp cpu delivery
	local -a processes
	[ -z "${BENCH_QUICK:-}" ] || count=3
	for ((i = 0; i < count; i++)); do
		alone=0,1 start_sse 1 --db :memory: && hold "scale$i" || return
	done
	mapfile -t processes < <(held_pids)
	all=$((count * scale_streams))
	forget_connections
	memory=$(available) kernel=$(slabs) tcp=$(buffers) user=$(pss_of "${processes[@]}")
	start_readers
	sleep 2
	keep machine.streams $all
	keep machine.memory $(((memory - $(available)) / all))
	kernel=$((($(slabs) - kernel) / all))
	keep machine.kernel $kernel
	keep machine.buffers $((($(buffers) - tcp) / all))
	user=$((($(pss_of "${processes[@]}") - user) / all))
	keep machine.user $user
	keep machine.pss $(($(pss_of "${processes[@]}") / count / 1048576))
	keep machine.reader $(($(pss_of "${readers[@]}") / all))
	cpu=$(cpu_of "${processes[@]}")
	sleep "$scale_idle"
	keep machine.idle $((($(cpu_of "${processes[@]}") - cpu) * 60 / scale_idle / 1000000))
	cpu=$(cpu_of "${processes[@]}")
	post_to_all
	delivery=$((($(cpu_of "${processes[@]}") - cpu) / all))
	keep machine.cpu $delivery
	note "For the model: STREAM_BYTES=$user SOCKET_BYTES=$((kernel / 2)) DELIVERY_NS=$delivery" \
		"sh tests/bench/model.sh"
	scale_busy
	end_readers 1
	keep machine.last $((($(seen MAX last_received_ns) - $(seen MIN first_sent_ns)) / 1000000))
	keep machine.middle $(($(seen MEAN latency_p50_us) / 1000))
	stop
}

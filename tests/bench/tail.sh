#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures sse-tail beside curl, alone and with sed and jq behind it, and prints one Markdown table
# with the bars.  `make bench` runs it; by itself:
#   BUILD=build tests/bench/tail.sh [GROUP...]      all groups, or these (see groups below)
# BENCH_RUNS=5      interleaved runs, of which the medians and the spread are told
# BENCH_QUICK=1     small numbers and one run: whether it works, not how fast
# stream_source is on core 1, who reads is on core 0 (a pipeline on both).  A run in which a reader
# did not end with 0 is left out, and it ends with 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
groups=(cpu json start memory terminal)
build=$(cd "${BUILD:-build}" && pwd) || exit 1
here=tests/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/sse-bench.XXXXXX") || exit 1
figures=$work/figures
runs=${BENCH_RUNS:-5}
source='' wrong=0 run=0
: >"$figures"
: >"$work/notes"
for name in "${!SSE_@}"; do
	unset "$name"
done
unset http_proxy all_proxy HTTP_PROXY ALL_PROXY

finish() {
	[ -z "$source" ] || kill "$source" 2>/dev/null
	tmux -L "sse-bench-$$" kill-server 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- how much ---------------------------------------------------------------

large=65536 small=180      # bytes of an event
total=$((256 << 20))       # of a stream
json_total=$((64 << 20))   # of one that goes through jq
flat_total=$((1 << 30))    # of one that is to need no more memory than a short one
huge=$((16 << 20))         # the largest event
starts=50
rate=10000 seconds=5       # in a terminal
if [ -n "${BENCH_QUICK:-}" ]; then
	runs=${BENCH_RUNS:-1}
	total=$((16 << 20)) json_total=$((1 << 20)) flat_total=$((64 << 20)) huge=$((1 << 20))
	starts=5 seconds=1
fi

# --- measuring --------------------------------------------------------------

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

start_source() {
	on_core 1 "$build/tests/stream_source" >"$work/out" &
	source=$!
	until grep -q '^Listening on ' "$work/out"; do
		kill -0 $source 2>/dev/null || return 1
		sleep 0.02
	done
	url=$(sed -n 's/^Listening on //p' "$work/out")
}

# keep NAME FIELD: a line of what was measured, as a figure of this run.
keep() {
	echo "$run $1 $(awk -v name="$2" '$1 == name { print $2 }' "$work/measured")" >>"$figures"
}

# measure COMMAND...: on core 0; what it writes is dropped.
measure() {
	(on_core 0 "$build/tests/measure" "$work/measured" "$@") >/dev/null 2>>"$work/log"
	ended_well "$@"
}

ended_well() {
	grep -qx 'status 0' "$work/measured" && return
	wrong=1
	note "WRONG, in run $run: $* ended with $(sed -n 's/^status //p' "$work/measured")"
	return 1
}

tail_of() { # PATH ARGUMENT...
	local path=$1
	shift
	measure "$build/bin/sse-tail" "$url/$path" --no-reconnect "$@"
}

curl_of() { # PATH
	measure curl -sN "$url/$1"
}

# --- the groups -------------------------------------------------------------

group_cpu() {
	local size
	for size in $large $small; do
		tail_of "$size/$((total / size))" -o data && keep "cpu.$size.tail" cpu_us
		curl_of "$size/$((total / size))" && keep "cpu.$size.curl" cpu_us
		tail_of "$size/$((total / size))" -o json && keep "cpu.$size.json" cpu_us
	done
}

# The whole machine is free for both: the pipeline runs on as many cores as it likes.
group_json() {
	local path="$small/$((json_total / small))"
	if ! command -v jq >/dev/null; then
		note 'jq is not installed: what is measured against it is left out.'
		return
	fi
	"$build/tests/measure" "$work/measured" \
		"$build/bin/sse-tail" "$url/$path" --no-reconnect -o json >/dev/null
	ended_well sse-tail -o json && keep json.tail wall_us
	"$build/tests/measure" "$work/measured" bash -c \
		"curl -sN '$url/$path' | sed -n 's/^data: //p' | jq -c ." >/dev/null
	ended_well 'curl | sed | jq' && keep json.jq wall_us
}

# first NAME COMMAND...: from its start to the first byte that it writes.
first() {
	local name=$1
	shift
	(on_core 0 "$build/tests/measure" --first $starts "$work/measured" "$@") 2>>"$work/log" || {
		wrong=1
		return
	}
	keep "$name" first_us
}

group_start() {
	first start.curl curl -sN "$url/$small/1/hold"
	first start.tail "$build/bin/sse-tail" "$url/$small/1/hold" -o data
}

group_memory() {
	tail_of "$large/$((flat_total / 16 / large))" -o data && keep memory.part most_kib
	tail_of "$large/$((flat_total / large))" -o data && keep memory.long most_kib
	local format
	for format in data json pretty; do
		tail_of "$large/1" -o $format && keep memory.least most_kib &&
			tail_of "$huge/4" -o $format && keep memory.most most_kib &&
			awk -v run="$run" -v format=$format -v huge=$((huge / 1024)) \
				'$1 == run { value[$2] = $3 } END { print run, "memory." format,
					(value["memory.most"] - value["memory.least"]) / huge }' \
				"$figures" >"$figures.more" && cat "$figures.more" >>"$figures"
	done
	rm -f "$figures.more"
}

# How much longer than it has to be a stream takes that is shown in a terminal as it comes.
group_terminal() {
	if ! command -v tmux >/dev/null; then
		note 'tmux is not installed: what is measured in a terminal is left out.'
		return
	fi
	rm -f "$work/measured"
	tmux -L "sse-bench-$$" -f /dev/null new-session -d -x 120 -y 40 \
		"TERM=screen-256color $build/tests/measure $work/measured $build/bin/sse-tail \
			$url/$small/$((rate * seconds))/$rate --no-reconnect -o pretty"
	while tmux -L "sse-bench-$$" has-session 2>/dev/null; do
		sleep 0.05
	done
	ended_well sse-tail in tmux || return
	keep terminal.tail wall_us
	echo "$run terminal.real $((seconds * 1000000))" >>"$figures"
	keep terminal.cpu cpu_us
}

# --- the table --------------------------------------------------------------

# what | format | name | measured against (- for the figure itself) | unit | bar
rows() {
	local mib=$((total >> 20))
	cat <<-ROWS
		CPU of $mib MiB in events of $large bytes, to curl|data|cpu.$large.tail|cpu.$large.curl|us|<= 1.3
		CPU of $mib MiB in events of $small bytes, to curl|data|cpu.$small.tail|cpu.$small.curl|us|<= 2.5
		CPU of $mib MiB in events of $large bytes, to curl|json|cpu.$large.json|cpu.$large.curl|us|report
		CPU of $mib MiB in events of $small bytes, to curl|json|cpu.$small.json|cpu.$small.curl|us|report
		time of curl, sed and jq for $((json_total >> 20)) MiB in events of $small bytes, to sse-tail's|json|json.jq|json.tail|us|>= 5
		start to first event, to curl|data|start.tail|start.curl|us|<= 1.2
		memory at most, over $((flat_total >> 20)) MiB to over a sixteenth of it|data|memory.long|memory.part|KiB|<= 1.05
		memory at most, with events of $((huge >> 20)) MiB, above that with small ones, in events|data|memory.data|-|events|<= 3
		the same|json|memory.json|-|events|<= 3
		the same|pretty|memory.pretty|-|events|<= 3
		time for $rate events/s shown in tmux, to the time they are sent in|pretty|terminal.tail|terminal.real|us|<= 1.05
		... CPU for $seconds s of that|pretty|terminal.cpu|-|us|report
	ROWS
}

machine() {
	local cpu
	cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
	echo "- ${cpu:-$(uname -m)}, $(nproc) cores; Linux $(uname -r); $(sed -n \
		's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
	echo "- $("$build/bin/sse-tail" --version | tr '\n' ' ')"
	echo "- $(curl --version | sed -n '1s/ (.*//p'), $(jq --version 2>/dev/null)," \
		"$(tmux -V 2>/dev/null)"
	echo "- $(date -u +%F), interleaved runs: $run${BENCH_QUICK:+, quick: the numbers mean little}"
}

table() {
	rows >"$work/rows"
	echo 'Who reads and who sends on a core each; medians, and in brackets the least and the most'
	echo 'of the runs.  CPU is user and system together.  A bar counts as reached within the spread.'
	echo
	awk -v second=format -f $here/table.awk "$work/rows" "$figures"
	echo
	machine
	sed 's/^/- /' "$work/notes"
}

# --- running ----------------------------------------------------------------

[ $# -eq 0 ] || groups=("$@")
start_source || exit 1
for ((run = 1; run <= runs; run++)); do
	for group in "${groups[@]}"; do
		echo "bench: run $run of $runs: $group" >&2
		"group_$group"
	done
done
run=$runs
table
[ $wrong -eq 0 ]

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures sse-post beside what is there anyhow, and prints one Markdown table of ratios with the bars
# they are to reach.  `make bench` runs it; by itself:
#   BUILD=build tests/bench/post.sh
# BENCH_RUNS=5      interleaved runs, of which the medians are told
# BENCH_QUICK=1     small numbers and one run: whether it works, not how fast
# BENCH_FOLDER=/tmp where databases are made
# It ends with 1 if an event is lost or out of order; that a bar is missed does not count.
# shellcheck disable=SC2317 # what a trap and seconds call
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=$(cd "${BUILD:-build}/bin" && pwd)
work=$(mktemp -d "${BENCH_FOLDER:-${TMPDIR:-/tmp}}/sse-bench.XXXXXX") || exit 1
runs=${BENCH_RUNS:-5} lines=1000000 single=100 at_once=200
if [ -n "${BENCH_QUICK:-}" ]; then
	runs=${BENCH_RUNS:-1} lines=20000 single=5 at_once=50
fi
server='' wrong=0
: >"$work/figures"

finish() {
	stop
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

start() {
	rm -f "$work"/events.db*
	"$bin/sse-serve" --listen 127.0.0.1:0 --db "$work/events.db" >"$work/out" 2>"$work/err" &
	server=$!
	until grep -q 'Listening on' "$work/out"; do
		kill -0 "$server" || exit 1
		sleep 0.05
	done
	url=$(sed -n 's/^Listening on //p' "$work/out")
}

stop() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; }
	server=
}

# seconds COMMAND...: how long it takes.
seconds() {
	local from
	from=$(date +%s%N)
	"$@" || wrong=1
	awk -v ns=$(($(date +%s%N) - from)) 'BEGIN { printf "%.4f", ns / 1e9 }'
}

figure() { # NAME VALUE
	echo "$1 $2" >>"$work/figures"
}

median() { # NAME
	awk -v n="$1" '$1 == n { print $2 }' "$work/figures" | sort -g |
		awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

import() {
	rm -f "$work"/import.db*
	sqlite3 "$work/import.db" >/dev/null <<-END
		PRAGMA synchronous=FULL;
		CREATE TABLE line(data TEXT);
		.mode ascii
		.separator "\001" "\n"
		.import $work/lines line
	END
}

bulk() {
	SSE_URL=$url "$bin/sse-post" bulk <"$work/lines"
}

# The most memory that a run needs, in kB: of the whole file, and of a tenth.
memory() { # FILE
	SSE_URL=$url "$bin/sse-post" memory <"$1" &
	local pid=$! kb=0 now
	while now=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
		kb=$now
		sleep 0.02
	done
	wait "$pid" || wrong=1
	echo "$kb"
}

singles() { # PROGRAM
	local i
	for ((i = 0; i < single; i++)); do
		case $1 in
		post) SSE_URL=$url "$bin/sse-post" one -d '{"n":1}' || return ;;
		curl) curl -sf -o /dev/null -H 'Content-Type: application/json' -d '{"n":1}' "$url/api/one" || return ;;
		esac
	done
}

together() {
	local i failed=0 pids=()
	for ((i = 0; i < at_once; i++)); do
		SSE_URL=$url "$bin/sse-post" together "n:=$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || failed=1
	done
	return "$failed"
}

# Lines of 100 bytes with their end.
awk -v n="$lines" 'BEGIN { for (i = 0; i < n; i++) printf "{\"n\":%07d,\"text\":\"%078d\"}\n", i + 1000000, 0 }' \
	>"$work/lines"
head -n $((lines / 10)) "$work/lines" >"$work/tenth"

for ((run = 0; run < runs; run++)); do
	start
	figure import "$(seconds import)"
	figure bulk "$(seconds bulk)"
	curl -s -H 'Accept: application/x-ndjson' "$url/api/bulk" | cmp -s - "$work/lines" || {
		echo "post.sh: lines were lost or changed" >&2
		wrong=1
	}
	figure single_curl "$(seconds singles curl)"
	figure single_post "$(seconds singles post)"
	figure together "$(seconds together)"
	figure memory_tenth "$(memory "$work/tenth")"
	figure memory_whole "$(memory "$work/lines")"
	stop
done

row() { # WORDS NAME BESIDE UNIT BAR
	awk -v words="$1" -v a="$(median "$2")" -v b="$(median "$3")" -v unit="$4" -v bar="$5" 'BEGIN {
		printf "| %s | %.3g %s | %.3g %s | %.2f | %s |\n", words, a, unit, b, unit, a / b, bar }'
}
echo "| medians of $runs runs | sse-post | beside it | ratio | bar |"
echo '|---|---|---|---|---|'
row "$lines lines of 100 bytes, with keys; sqlite3 .import, synchronous=FULL" bulk import s '≤ 5'
row "$single times one event, from start to exit; curl -d" single_post single_curl s '≤ 1.2'
row "memory for $lines lines; for a tenth of them" memory_whole memory_tenth kB '≈ 1'
echo "| $at_once at once | $(median together) s | | | no error |"
exit $wrong

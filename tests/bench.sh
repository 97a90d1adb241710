#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the benchmarks that make bench has built, one after the other on an otherwise idle machine,
# and the comparison with npm's parser where node is there.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
for source in tests/bench/bench_*.c; do
	name=$(basename "$source" .c)
	echo "== $name"
	"${BUILD:-build}/tests/$name" || status=1
done
if command -v node >/dev/null && command -v npm >/dev/null; then
	sh .ci/deps npm tests/bench || exit 1
	echo "== bench_eventsource_parser.mjs"
	node tests/bench/bench_eventsource_parser.mjs "${BUILD:-build}/tests/bench_parser" || status=1
else
	echo "== bench_eventsource_parser.mjs: left out, it needs node and npm"
fi
exit $status

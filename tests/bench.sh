#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the benchmarks that make bench has built, one after the other on an otherwise idle machine:
# the parser, the comparison with npm's where node is there, and the server (tests/bench/serve.sh,
# which says what can be set).  With RESULTS=1 the server's table is written to
# tests/bench/RESULTS.md too.
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD="${BUILD:-build}"
status=0
for source in tests/bench/bench_*.c; do
	name=$(basename "$source" .c)
	echo "== $name"
	"$BUILD/tests/$name" || status=1
done
if command -v node >/dev/null && command -v npm >/dev/null; then
	sh .ci/deps npm tests/bench || exit 1
	echo "== bench_eventsource_parser.mjs"
	node tests/bench/bench_eventsource_parser.mjs "$BUILD/tests/bench_parser" || status=1
else
	echo "== bench_eventsource_parser.mjs: left out, it needs node and npm"
fi
echo "== sse-serve"
table=$BUILD/bench.md
bash tests/bench/serve.sh >"$table" || status=1
cat "$table"
if [ -n "${RESULTS:-}" ]; then
	{
		printf '%s\n' '<!-- SPDX-License-Identifier: MIT -->' '# What sse-serve costs' '' \
			'Written by make bench RESULTS=1; tests/bench/serve.sh says what is measured.' ''
		cat "$table"
	} >tests/bench/RESULTS.md
fi
exit $status

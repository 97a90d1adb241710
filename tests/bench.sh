#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the benchmarks that make bench has built, one after the other on an otherwise idle machine:
# the parser, the comparison with npm's where node is there, the server (tests/bench/serve.sh, which
# says what can be set), sse-tail (tests/bench/tail.sh) and sse-post (tests/bench/post.sh).  With
# RESULTS=1 the tables of the last three are written to tests/bench/RESULTS.md too.
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
# tables PROGRAM SCRIPT: run the script; what it prints is shown and kept.
tables() {
	echo "== $1"
	bash "tests/bench/$2.sh" >"$BUILD/bench-$2.md" || status=1
	cat "$BUILD/bench-$2.md"
}
tables sse-serve serve
tables sse-tail tail
tables sse-post post
if [ -n "${RESULTS:-}" ]; then
	{
		printf '%s\n' '<!-- SPDX-License-Identifier: MIT -->' '# What sse-tools cost' \
			'' 'Written by make bench RESULTS=1.' ''
		for name in serve tail post; do
			printf '%s\n' "## sse-$name" '' "tests/bench/$name.sh says what is measured." ''
			cat "$BUILD/bench-$name.md"
			[ $name = post ] || echo
		done
	} >tests/bench/RESULTS.md
fi
exit $status

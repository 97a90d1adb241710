#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs fuzzers.  For `make fuzz`, by hand:
#   tests/fuzz.sh SECONDS          builds all, with clang's libFuzzer where it is, and runs each
# For tests/run, as a test that prints TAP:
#   tests/fuzz.sh NAME SECONDS     runs one that is built already, as a program of its own
# A fuzzer that fails leaves the input in a file crash-* in build/fuzz/.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
make=${MAKE:-make}

if [ $# -eq 2 ]; then
	echo 1..1
	if "$TOOLS/$1" "$2" >&2; then
		echo "ok 1 - $1 finds nothing in $2 s"
	else
		echo "not ok 1 - $1 finds nothing in $2 s"
		exit 1
	fi
	exit
fi

seconds=$1
mkdir -p "$build/fuzz"
if command -v clang >/dev/null && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
	clang -x c -fsanitize=fuzzer - -o "$build/fuzz/probe" 2>/dev/null; then
	"$make" --no-print-directory CC=clang BUILD="$build/fuzz" SANITIZE=fuzzer-no-link,address,undefined \
		FUZZ_CFLAGS= FUZZ_LDFLAGS=-fsanitize=fuzzer fuzzers
	for fuzzer in tests/fuzz/fuzz_*.c; do
		name=$(basename "$fuzzer" .c)
		mkdir -p "$build/fuzz/corpus-$name"
		echo "== $name, libFuzzer, $seconds s"
		"$build/fuzz/tests/$name" -max_total_time="$seconds" -print_final_stats=1 \
			-artifact_prefix="$build/fuzz/crash-$name-" "$build/fuzz/corpus-$name"
	done
else
	"$make" --no-print-directory BUILD="$build/asan" SANITIZE=address,undefined fuzzers
	for fuzzer in tests/fuzz/fuzz_*.c; do
		name=$(basename "$fuzzer" .c)
		echo "== $name, $seconds s"
		"$build/asan/tests/$name" "$seconds"
	done
fi

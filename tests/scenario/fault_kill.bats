#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: killed, and without power, again and again, at random moments.
# make fault runs them at length: FAULT_ROUNDS kills, FAULT_CUTS power cuts.
# ThreadSanitizer runs this file, too.

load serve_helpers

setup() {
	common_setup
	export TMPDIR=$PWD
}

# kills [OPTION]...: the tool; its figures are shown too.
kills() {
	"$TOOLS/kill" "$@" "$BIN/sse-serve" >figures 2>sentence 3>&- || {
		cat sentence
		return 1
	}
	sed 's/^/# /' figures >&3
}

# finds WORDS [OPTION]...: the tool fails, with a sentence that has one of the words.
finds() {
	local words=$1 try
	shift
	# On a busy machine so short a life may publish too little: then it has another.
	for ((try = 0; try < 10; try++)); do
		not kills "$@"
		grep -q 'too little was published' sentence || break
	done
	grep -E "$words" sentence
}

# The shim of power cuts, here, since what is preloaded must have no space in its path.
with_power() {
	[ -z "${SANITIZER:-}" ] || skip 'a sanitizer and LD_PRELOAD do not go together'
	cp "$TOOLS/shim_power.so" .
}

@test "kill -9 at random moments: nothing that was acknowledged is lost, repeated or out of order" {
	local rounds=50
	[ -z "${SANITIZER:-}" ] || rounds=10
	kills --rounds "${FAULT_ROUNDS:-$rounds}"
}

@test "the power goes at random moments, and what was not synced with it: nothing acknowledged is lost" {
	with_power
	# Many short lives: each begins with a database that is being made.
	local left=${FAULT_CUTS:-12}
	while [ "$left" -gt 0 ]; do
		kills --power "$PWD/shim_power.so" --run 5-120 --rounds $((left < 50 ? left : 50))
		left=$((left - 50))
	done
	# Otherwise nothing was tried.
	not grep ' 0 unsynced sectors' figures
}

@test "on a disk that lies about its syncs the loss is found: the test of the power can fail" {
	with_power
	local lie try
	for lie in all folder -wal .db; do
		# Each try begins with a database that is being made: its name can be lost only then.
		for ((try = 0; try < 20; try++)); do
			SHIM_LIE=$lie kills --power "$PWD/shim_power.so" --rounds 25 || break
		done
		# Events, names or whole pages are missing: what it says is a matter of chance.
		[ "$try" -lt 20 ]
		grep 'are kept in' sentence
	done
}

@test "an event that is gone, there twice, or in another's place is found: the test of the kill can fail" {
	finds 'is lost' --rounds 3 --run 50-150 --spoil delete
	finds 'twice' --rounds 3 --run 50-150 --spoil repeat
	finds 'should be' --rounds 3 --run 50-150 --spoil swap
}

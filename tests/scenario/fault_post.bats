#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-post: killed, and its server killed, again and again, at random moments.
# make fault runs them at length: FAULT_POST rounds.
# shellcheck disable=SC2030,SC2031

load serve_helpers

setup() {
	common_setup
	export TMPDIR=$PWD
}

teardown() {
	# The two ends of a bridge, if a test went wrong in the middle of it.
	for file in tail.pid post.pid; do
		[ ! -s "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || true
	done
	serve_teardown
}

# kills [OPTION]...: the tool; its figures are shown too.
kills() {
	"$TOOLS/post_kill" "$@" "$BIN/sse-serve" "$BIN/sse-post" >figures 2>sentence 3>&- || {
		cat sentence
		return 1
	}
	sed 's/^/# /' figures >&3
}

@test "kill -9 of sse-post and the server at random moments: a file that is run until exit 0 is stored once, in order" {
	local rounds=50
	[ -z "${SANITIZER:-}" ] || rounds=5
	kills --rounds "${FAULT_POST:-$rounds}"
}

@test "without keys the second event is found: the test of the kill can fail" {
	not kills --rounds 20 --no-keys
	grep 'is there twice' sentence
}

# bridge STATE: from the first server to the second, until it is killed or ends.
bridge() {
	# Both are started again together.
	(
		sse-tail "$A/api/t/event?since=all" --resume-from state -o sse 3>&- 2>>tail.err &
		echo $! >tail.pid
		wait
	) | (
		SSE_URL=$B sse-post copy -i sse --state state --retry-max-time 2s 3>&- 2>>post.err &
		echo $! >post.pid
		wait
	)
}

@test "a bridge of which any of the four processes is killed loses nothing and repeats nothing" {
	local victim try rounds=12 source=0
	[ -z "${SANITIZER:-}" ] || rounds=4
	serve --db a.db
	A=$URL A_PID=$PID A_PORT=$PORT
	serve --db b.db
	B=$URL B_PID=$PID B_PORT=$PORT
	for ((try = 0; try < rounds; try++)); do
		bridge 3>&- &
		local bridge=$!
		seq $((source + 1)) $((source + 3000)) | SSE_URL=$A sse-post t
		source=$((source + 3000))
		# Somewhere in the middle of it.
		wait_for moved "$((source - 2500))"
		victim=$((try % 4))
		case $victim in
		0) kill -KILL "$(cat tail.pid)" ;;
		1) kill -KILL "$(cat post.pid)" ;;
		2)
			PID=$A_PID
			crash
			serve_at "$A_PORT" --db a.db
			A_PID=$PID
			;;
		3)
			PID=$B_PID
			crash
			serve_at "$B_PORT" --db b.db
			B_PID=$PID
			;;
		esac
		# What is left of the two is ended, and both are started again.
		kill -KILL "$(cat tail.pid)" "$(cat post.pid)" 2>/dev/null || true
		wait "$bridge" || true
	done
	PID=$B_PID
	bridge 3>&- &
	wait_for moved "$source"
	kill "$(cat tail.pid)" "$(cat post.pid)"
	wait "$!" || true
	curl -sf -H 'Accept: application/x-ndjson' "$B/api/copy" | cmp - <(seq "$source")
}

# moved COUNT: has the second server that many events?
moved() {
	[ "$(curl -sf -H 'Accept: application/x-ndjson' "$B/api/copy" | wc -l)" -ge "$1" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of a cluster: servers and NATS servers that are killed at random under load, while readers go
# from server to server.  make fault runs them at length: FAULT_CLUSTER faults each.

load cluster_helpers

setup() {
	cluster_setup
}

teardown() {
	cluster_teardown
}

@test "kill -9 of servers and of NATS servers, one whose clock is wrong: nothing that was acknowledged is lost" {
	local rounds=5
	[ -z "${SANITIZER:-}" ] || rounds=2
	with_clock
	acts $rounds --faults node,nats,both "${CLOCK[@]}"
}

@test "kill -9 of all NATS servers at once, or of everything: nothing that was acknowledged is lost" {
	acts 2 --faults all,everything
}

@test "a database that differs from the others' is found: the test of the cluster can fail" {
	local status=0
	"$TOOLS/cluster" --rounds 1 --faults node --spoil "$BIN/sse-serve" 2>sentence 3>&- || status=$?
	cat sentence
	[ $status -eq 1 ]
	grep 'differ' sentence
}

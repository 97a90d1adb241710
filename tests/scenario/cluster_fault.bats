#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of a cluster: NATS servers that stop for a while, are cut off or have a full disk, and servers that
# stop for a while.  make fault runs them at length: FAULT_CLUSTER faults, FAULT_HOLD ms each.

load cluster_helpers

setup() {
	cluster_setup
	HOLD=${FAULT_HOLD:-5000}
}

teardown() {
	cluster_teardown
}

@test "a server that stops for a while loses nothing, and its readers lose nothing" {
	acts 1 --faults pause --hold "$HOLD"
}

@test "a NATS server whose disk is full, and that is started again: nothing is lost" {
	acts 1 --faults disk --hold "$HOLD"
}

@test "the leader of NATS stops for a while: nothing is lost" {
	acts 1 --faults stop --hold "$HOLD"
}

@test "NATS servers are killed, one of which has a clock that is 5 minutes wrong: nothing is lost" {
	acts 2 --faults nats --skew
}

@test "a NATS server that nobody can reach for a while: nothing is lost" {
	acts 1 --private --faults isolate --hold "$HOLD"
}

@test "a NATS server that the others cannot hear for a while: nothing is lost" {
	acts 1 --private --faults cut --hold "$HOLD"
}

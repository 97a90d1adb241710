#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fault tests at length, for make fault; the figures are in the lines with #.
# FAULT_ROUNDS kills, FAULT_CUTS power cuts, FAULT_STORM connections, FAULT_FLAPS comings and goings,
# FAULT_POST files that sse-post sends while it is killed; over TLS FAULT_SESSIONS streams that are broken,
# FAULT_FLOOD events for each of 24 streams, and FAULT_TLS_ROUNDS kills; FAULT_RESTARTS restarts under load;
# of a cluster FAULT_CLUSTER faults of each kind, which last FAULT_HOLD ms.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd)
export BIN="$BUILD/bin" TOOLS="$BUILD/tests"
export FAULT_ROUNDS="${FAULT_ROUNDS:-1000}" FAULT_CUTS="${FAULT_CUTS:-1000}"
export FAULT_STORM="${FAULT_STORM:-100000}" FAULT_SLOW="${FAULT_SLOW:-50}"
export FAULT_FLAPS="${FAULT_FLAPS:-100000}" FAULT_POST="${FAULT_POST:-500}"
export FAULT_SESSIONS="${FAULT_SESSIONS:-10000}" FAULT_FLOOD="${FAULT_FLOOD:-5000}"
export FAULT_TLS_ROUNDS="${FAULT_TLS_ROUNDS:-200}" FAULT_RESTARTS="${FAULT_RESTARTS:-50}"
export FAULT_CLUSTER="${FAULT_CLUSTER:-200}" FAULT_HOLD="${FAULT_HOLD:-15000}"
exec bats --tap tests/scenario/fault_*.bats tests/scenario/cluster_*.bats tests/scenario/serve_systemd.bats

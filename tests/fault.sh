#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fault tests at length, for make fault; the figures are in the lines with #.
# FAULT_ROUNDS kills, FAULT_CUTS power cuts, FAULT_STORM connections, FAULT_FLAPS comings and goings,
# FAULT_POST files that sse-post sends while it is killed.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd)
export BIN="$BUILD/bin" TOOLS="$BUILD/tests"
export FAULT_ROUNDS="${FAULT_ROUNDS:-1000}" FAULT_CUTS="${FAULT_CUTS:-1000}"
export FAULT_STORM="${FAULT_STORM:-100000}" FAULT_SLOW="${FAULT_SLOW:-50}"
export FAULT_FLAPS="${FAULT_FLAPS:-100000}" FAULT_POST="${FAULT_POST:-500}"
exec bats --tap tests/scenario/fault_*.bats

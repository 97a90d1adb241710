#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fault tests at length, for make fault; the figures are in the lines with #.
# FAULT_ROUNDS kills, FAULT_CUTS power cuts, FAULT_STORM connections, FAULT_FLAPS comings and goings.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd)
export BIN="$BUILD/bin" TOOLS="$BUILD/tests"
export FAULT_ROUNDS="${FAULT_ROUNDS:-1000}" FAULT_CUTS="${FAULT_CUTS:-1000}"
export FAULT_STORM="${FAULT_STORM:-100000}" FAULT_SLOW="${FAULT_SLOW:-50}"
export FAULT_FLAPS="${FAULT_FLAPS:-100000}"
exec bats --tap tests/scenario/fault_*.bats

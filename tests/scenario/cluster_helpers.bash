# SPDX-License-Identifier: MIT
# What the scenarios of a cluster share: running the tool that acts out its faults, and a NATS server.
# shellcheck shell=bash disable=SC2034,SC2154

load "${BASH_SOURCE[0]%/*}/serve_helpers"
load "${BASH_SOURCE[0]%/*}/nats_helpers"

cluster_setup() {
	common_setup
	export TMPDIR=$PWD
	"$BIN/sse-serve" --version | grep -q libnats || skip 'sse-serve is built without libnats'
	command -v nats-server >/dev/null || skip 'nats-server is not installed'
	NATS_PID=''
}

cluster_teardown() {
	serve_teardown || return
	rm -rf "$BATS_TEST_TMPDIR"/sse-fault.*
}

# acts ROUNDS [OPTION]...: the tool, for that many rounds, or FAULT_CLUSTER; its figures are shown, too.  NATS servers
# that do not agree any more are no test of what is built on them: then others are started, three times.
acts() {
	local rounds=$1 try status
	shift
	for ((try = 0; try < 3; try++)); do
		status=0
		"$TOOLS/cluster" --rounds "${FAULT_CLUSTER:-$rounds}" "$@" "$BIN/sse-serve" >figures \
			2>sentence 3>&- || status=$?
		sed 's/^/# /' figures >&3
		[ $status -eq 78 ] || break
		tail -n 1 sentence | sed 's/^/# /' >&3
	done
	case $status in
	0) return ;;
	77) skip "$(sed -n '$s/^cluster: //p' sentence)" ;;
	78) skip 'the NATS servers themselves do not have the same messages any more' ;;
	esac
	cat sentence
	return 1
}

# with_clock: CLOCK is what makes the first server's clock wrong, where that can be done.
with_clock() {
	CLOCK=()
	[ -z "${SANITIZER:-}" ] || return 0
	# What is preloaded must have no space in its path.
	cp "$TOOLS/shim_clock.so" .
	CLOCK=(--clock "$PWD/shim_clock.so")
}

# nats [PORT]: a NATS server with JetStream, on the port, or on one that is free: BROKER is its URL, NATS_PORT its port.
nats() {
	rm -rf ports
	mkdir -p ports
	nats-server -a 127.0.0.1 -p "${1:--1}" --ports_file_dir "$PWD/ports" -js -sd "$PWD/store" \
		>>nats.log 2>&1 3>&- &
	NATS_PID=$!
	wait_for has_ports
	BROKER=$(cat ports/*.ports | tr -d ' \n')
	BROKER=${BROKER#*'"nats":["'}
	BROKER=${BROKER%%'"'*}
	NATS_PORT=${BROKER##*:}
}

has_ports() {
	cat ports/*.ports 2>/dev/null | tr -d ' \n' | grep -q '}$'
}

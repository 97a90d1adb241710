# SPDX-License-Identifier: MIT
# Asking a NATS server by its own protocol, for scenarios and for the benchmark.
# shellcheck shell=bash

# nats_ask SUBJECT PORT: one request to JetStream; its answer.
nats_ask() {
	local line
	exec 5<>"/dev/tcp/127.0.0.1/$2" || return
	printf 'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB %s answer 0\r\n\r\n' "$1" >&5
	while read -r -t 10 line <&5; do
		[[ $line != '{'* ]] || break
	done
	exec 5>&-
	echo "$line"
}

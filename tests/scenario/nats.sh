#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs a command with a nats-server of its own, on a free port of loopback, whose URL is in the
# environment as NATS: then the scenarios' servers keep their events there (scenario/serve_helpers.bash).
#   nats.sh COMMAND...
# The server and its folder end with the command, whose exit status it returns.
set -u

folder=$(mktemp -d) || exit 1
nats-server -a 127.0.0.1 -p -1 --ports_file_dir "$folder" -js -sd "$folder/store" \
	>"$folder/log" 2>&1 3>&- &
server=$!
# shellcheck disable=SC2064 # the folder and the process of now
trap "kill -KILL $server; wait $server 2>/dev/null; rm -rf '$folder'" EXIT
trap 'exit 143' TERM INT

# It writes its ports down when it listens.
for ((try = 0; try < 3000; try++)); do
	NATS=$(cat "$folder"/*.ports 2>/dev/null | tr -d ' \n')
	[[ $NATS != *'}' ]] || break
	kill -0 $server 2>/dev/null || break
	sleep 0.01
done
NATS=${NATS#*'"nats":["'}
export NATS=${NATS%%'"'*}
if [[ $NATS != nats://* ]]; then
	echo 'nats-server did not start:' >&2
	cat "$folder/log" >&2
	exit 1
fi
"$@"
status=$?
if ! kill -0 $server 2>/dev/null; then
	echo 'nats-server has ended; its log:' >&2
	tail -n 30 "$folder/log" >&2
fi
exit $status

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lists every command that files of this project call and do not bring with them, a line for each:
#   PURPOSE COMMAND FILE
# PURPOSE is the suite that runs the file (scenario, browser, ...), or base for what everyone runs.
# tests/lint.sh compares the list with the table of .ci/deps.  Scripts are read by shfmt, so that
# quotes, here-documents and substitutions are what the shell takes them for; of JavaScript and C the
# calls that start a process; of README.md and the man pages the examples that are run.
#   tests/commands.sh FILE...     which may be of any kind
# Needs shfmt and jq.
set -eu -o pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Called, but not by the PATH: bats' own words and the shell's.
{
	printf '%s\n' run skip load bats_require_minimum_version sse-serve sse-post sse-tail
	compgen -b
	compgen -k
} >"$tmp/words"

# calls LANGUAGE: of the script on stdin, and of the scripts in it that another shell runs.
calls() {
	local tree line
	tree=$(shfmt -ln "$1" -tojson | jq -r -f tests/commands.jq) || return 1
	while read -r line; do
		case $line in
		'script '*) jq -r . <<<"${line#script }" | calls bash ;;
		?*) echo "$line" ;;
		esac
	done <<<"$tree"
}

# The examples that are run, as one script.
examples() {
	sed "$1" "$2" | awk '
	/^(<!-- |\.\\" )not run: / { out = 1; next }
	/^(<!-- |\.\\" )/ { out = 0; next }
	/^(```$|\.Ed)/ { out = 0; more = 0; next }
	/^(\.Dl )?\$ / || (more && /^> /) || rest {
		sub(/^\.Dl /, "")
		if (!out)
			print rest ? $0 : substr($0, 3)
		rest = /\\$/
		more = 1
		next
	}
	{ more = 0 }'
}

# commands FILE: what it calls.
commands() {
	case $1 in
	*.bats) calls bats <"$1" ;;
	*.mjs)
		grep -oE '\b(spawn|exec|execFile)(Sync)?\("[a-z][^" /]*"' "$1" |
			sed 's/.*"\(.*\)"/command \1/' || :
		;;
	*.c)
		grep -oE '\b(exec[lv]p?e?|system|popen)\("[a-z][^" ]*' "$1" |
			sed 's/.*"/command /' || :
		;;
	*.md) examples '' "$1" | calls bash ;;
	*.[1-8]) examples 's/\\e/\\/g; s/\\-/-/g; s/\\&//g; s/\\(aq/'"'"'/g' "$1" | calls bash ;;
	*.sh | *.bash | .ci/* | tests/run) calls bash <"$1" ;;
	esac
}

purpose_of() {
	case $1 in
	tests/scenario/* | tests/fault* | tests/unit/*) echo scenario ;;
	tests/bench*) echo bench ;;
	tests/interop/* | tests/browser/* | tests/package/*) echo "$1" | cut -d / -f 2 ;;
	tests/lint.sh | tests/commands.sh) echo lint ;;
	tests/fuzz*) echo fuzz ;;
	.ci/deb) echo deb ;;
	.ci/cluster) echo cluster ;;
	.ci/npm) echo package ;;
	tests/examples.sh | *.md | *.[1-8]) echo examples ;;
	*) echo base ;;
	esac
}

for file; do
	commands "$file" >"$tmp/found"
	sed -n 's/^function //p' "$tmp/found" >>"$tmp/words"
	sed -n "s|^command \(.*\)|$(purpose_of "$file") \1 $file|p" "$tmp/found" >>"$tmp/calls"
done
sort -u "$tmp/calls" | awk 'NR == FNR { own[$1]; next } !($2 in own)' "$tmp/words" -

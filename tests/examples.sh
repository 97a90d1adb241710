#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs what README.md and the man pages tell a reader to type, as TAP.
#   tests/examples.sh [FILE...]     with BIN, the folder of the programs
#
# An example is a line that begins with "$ ", in a ```console fence of README.md or in a literal
# block (.Bd -literal ... .Ed) or .Dl line of a man page.  It goes on in the next line after a
# backslash, or where that begins with "> ".  The lines below it, up to the next "$ ", are what it
# prints.  Each file has an sse-serve of its own for all of its examples, in their order; a block
# is one shell session in a terminal of 80 columns, in a folder that is empty at first; HOME, PATH
# and SSE_URL are set.  localhost:8000 in a command means that server, https://other.example a second
# one, https://api.example.com and localhost:11434, where Ollama listens, the language model of
# tests/interop/llm.mjs.  An example passes when it ends with status 0 within its time; in
# README.md it must also print what is shown (if anything is shown), with times, ids, ports,
# versions and durations taken as equal, and "..." standing for anything.
#
# A comment on the line before a block changes this: <!-- WORDS --> in README.md, .\" WORDS in a
# man page (there also inside of a block, for the rest of it).  WORDS are one of
#   not run: REASON     needs another machine, a key, root, ...
#   fails: STATUS       each command ends with this status
#   keeps running       the last command does not end by itself: it runs beside the examples after
#                       it, is interrupted at the end of the file, and has printed by then what is
#                       shown
# or begin with one of these and "; ", if any, before
#   first: COMMAND      runs this before, unseen
# An sse-serve without --help and the like keeps running without being told to, on a free port,
# and counts as soon as it says that it listens; it is ended before the next block.
# shellcheck disable=SC2016,SC2317 # text for other shells; functions that await calls
set -u
cd "$(dirname "$0")/.." || exit 1
: "${BIN:=$PWD/build/bin}"
tmp=$(mktemp -d)
count=0
bad=0
servers=()
trap 'stop_servers; rm -rf "$tmp"' EXIT

result() { # STATUS NAME: the test's line; a reason on stdin if it failed
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		bad=1
		echo "not ok $count - $2"
		sed 's/^/# /'
	fi
}

# --- reading: lines "@@begin LINE MARK", the block's lines, "@@end" ----------

blocks_of_readme() {
	awk '
	/^<!-- .* -->$/ { mark = substr($0, 6, length($0) - 9); next }
	/^```console *$/ { inside = 1; print "@@begin " NR " " mark; mark = ""; next }
	/^```/ && inside { inside = 0; print "@@end"; next }
	inside { print; next }
	NF { mark = "" }' "$1"
}

# mandoc renders the page, so that what is run is what the reader sees; marks become text first.
blocks_of_page() {
	awk '
	function begin() { return "@@begin " NR " " mark }
	/^\.\\" (not run:|fails:|keeps running|first:)/ {
		mark = substr($0, 5)
		if (inside)
			print "@@mark " mark
		next
	}
	/^\.Bd .*-(literal|unfilled)/ { print; print begin(); inside = 1; mark = ""; next }
	/^\.Ed/ { print "@@end"; inside = 0 }
	/^\.Dl \$ / { print ".Dl " begin(); print; print ".Dl @@end"; mark = ""; next }
	{ print }
	!/^\./ || /^\.(Sh|Ss|It)/ { if (!inside) mark = "" }' "$1" |
		mandoc -T ascii -O width=1000 | sed -e 's/.\x08//g' -e 's/^ *//'
}

# split FOLDER: from those lines on stdin, a folder a block with line, mark, and N.command and
# N.shown for each example.
split() {
	awk -v dir="$1" '
	function flush() {
		if (command != "") {
			printf "%s\n", command >(block "/" n ".command")
			printf "%s", shown >(block "/" n ".shown")
			close(block "/" n ".command"); close(block "/" n ".shown")
		}
		command = shown = ""
	}
	function begin(mark) {
		block = sprintf("%s/%03d", dir, ++blocks)
		system("mkdir -p " block)
		print line >(block "/line"); close(block "/line")
		print mark >(block "/mark"); close(block "/mark")
		n = 0; inside = 1; more = 0
	}
	/^@@begin / { line = $2; sub(/^@@begin [0-9]+ ?/, ""); begin($0); next }
	/^@@mark / { flush(); sub(/^@@mark /, ""); begin($0); next }
	/^@@end/ { flush(); inside = 0; next }
	!inside { next }
	more || /^> / && command != "" && shown == "" {
		sub(/^> /, "")
		command = command "\n" $0
		more = /\\$/
		next
	}
	/^\$ / { flush(); n++; command = substr($0, 3); more = /\\$/; next }
	command != "" { shown = shown $0 "\n" }'
}

# --- the server -------------------------------------------------------------

await() { # SECONDS COMMAND...: until it succeeds
	local tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# start_server NAME COMMAND...: sets the variable NAME to its port.
start_server() {
	local name=$1 said=$work.$1
	shift
	env -u SSE_URL HOME="$home" "$@" >"$said" 2>&1 </dev/null &
	servers+=($!)
	await 20 grep -qs 'http://127.0.0.1:[0-9]' "$said" || {
		cat "$said"
		return 1
	}
	printf -v "$name" %s "$(sed -n 's,.*http://127.0.0.1:\([0-9]*\).*,\1,p' "$said" | head -n 1)"
}

port='' other='' model=''
start_servers() {
	local serve=("$BIN/sse-serve" --listen 127.0.0.1:0 --db)
	start_server port "${serve[@]}" "$work.db" && start_server other "${serve[@]}" "$work.other.db" ||
		return
	! grep -qE 'api\.example\.com|localhost:11434' "$file" || start_server model node tests/interop/llm.mjs
}

stop_servers() {
	[ ${#servers[@]} -eq 0 ] || { kill "${servers[@]}" && wait "${servers[@]}"; } 2>/dev/null
	servers=()
}

# --- running ----------------------------------------------------------------

# Where util-linux's script is there, the session has a terminal, as the reader has.
terminal() { # COMMAND
	if script --version 2>/dev/null | grep -q util-linux; then
		script -qec "stty cols 80 rows 24 2>/dev/null; exec $1" /dev/null </dev/null
	else
		sh -c "$1" </dev/null 2>&1
	fi
}

serves() { # COMMAND: is it a server that goes on?
	[[ $1 =~ ^([^ ]*/)?sse-serve( |$) && ! $1 =~ \ --(help|version|check-config|print-config|completions|verify|export|import|backup) ]]
}

# write_session BLOCK MARK: a script that runs its commands and prints each status after a mark.
write_session() {
	local block=$1 i command
	echo "cd '$work' && trap : INT; echo \$\$ >'$block/pid'"
	[ ! -s "$block/first" ] || echo "{ $(cat "$block/first"); } >/dev/null 2>&1"
	for i in $(seq "$(find "$block" -name '*.command' | wc -l)"); do
		command=$(sed -E -e "s#(localhost|127\.0\.0\.1):8000#127.0.0.1:$port#g" \
			-e "s#https://other\.example#http://127.0.0.1:$other#g" \
			-e "s#https://api\.example\.com|http://localhost:11434#http://127.0.0.1:$model#g" \
			-e 's/SSE_TOKEN=\.\.\./SSE_TOKEN=key/' "$block/$i.command")
		if serves "$command"; then
			command=$(sed -E 's/(--listen[ =][^ ]*):[0-9]+/\1:0/g' <<<"$command")
			[[ $command = *--listen* ]] || command="SSE_LISTEN=127.0.0.1:0 $command"
		fi
		printf '%s\n' "$command" >"$block/$i.run"
		printf 'printf "\\001%d\\n"; eval "$(cat %q)"' "$i" "$block/$i.run"
		# How a client that goes on tells that it is connected.
		[ "$2" = 'keeps running' ] && printf ' 2>%q' "$block/$i.err"
		printf '; printf "\\001=%%d\\n" $?\n'
	done
}

run_session() { # BLOCK SECONDS
	(
		unset "${!SSE_@}" http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
		unset XDG_STATE_HOME STATE_DIRECTORY
		export HOME=$home PATH="$BIN:$PATH" NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8
		export SSE_URL="http://127.0.0.1:$port"
		[ "$(cat "$1/mark")" = 'keeps running' ] && export SSE_VERBOSE=1
		export -f terminal
		exec timeout -k 5 "$2" bash -c 'terminal "$1"' - "bash '$1/session'"
	) >"$1/out" 2>&1
}

# What one example printed, without the terminal's carriage returns; empty lines at the end go.  So
# does the line in which sse-tail says at a terminal what it follows or checks: it only says the
# command again.
printed() { # BLOCK N
	tr -d '\r' <"$1/out" | awk -v n="$2" '
	/\001=/ {
		sub(/\001=.*/, "")
		if (inside && $0 != "")
			print
		inside = 0
	}
	inside && !/^sse-tail: (following|reading|checking) / { print }
	/\001[0-9]/ { sub(/.*\001/, ""); inside = ($0 == n) }'
}

status_of() { # BLOCK N
	tr -d '\r' <"$1/out" | sed -n 's/.*\x01=\([0-9]*\)$/\1/p' | sed -n "$2p"
}

stable() {
	sed -E -e 's/\x1b\[[0-9;]*[A-Za-z]//g' -e 's/\x1b\]8;[^\x1b]*\x1b\\//g' -e 's/[[:space:]]+$//' \
		-e 's/(127\.0\.0\.1|localhost|\[::1\]):[0-9]+/HOST/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)?/TIME/g' \
		-e 's/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT/TIME/g' \
		-e 's/[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?/TIME/g' \
		-e 's/\b[0-9A-Za-z_-]{4,}:[0-9]+\b/ID/g' -e 's/(X-Request-ID: )[0-9a-f]{16}/\1ID/' -e 's/(retry: *)[0-9]+/\1N/' \
		-e 's/[0-9]+\.[0-9]+\.[0-9]+/VERSION/g' -e 's/\b[0-9.]+ ?(ms|s)\b/DURATION/g' |
		sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# as_shown BLOCK N: did it print what is shown, if something is?
as_shown() {
	local want got
	want=$(stable <"$1/$2.shown")
	[ -n "$want" ] || return 0
	got=$(printed "$1" "$2" | stable)
	want=$(sed -e 's/[][*?\\]/\\&/g' -e 's/\.\.\./*/g' -e 's/…/*/g' <<<"$want")
	# What keeps running may have printed more by now.
	[ "$(cat "$1/mark")" != 'keeps running' ] || want+='*'
	# shellcheck disable=SC2053 # a pattern
	[[ $got = $want ]]
}

explain() { # BLOCK N
	echo "it ran:"
	cat "$1/$2.run"
	echo "its status: $(status_of "$1" "$2")"
	echo "it printed:"
	printed "$1" "$2"
	[ ! -s "$1/$2.err" ] || cat "$1/$2.err"
	if [ -s "$1/$2.shown" ]; then
		echo "it is shown with:"
		cat "$1/$2.shown"
	fi
}

name_of() { # BLOCK N
	echo "$file:$(cat "$1/line"): $(head -n 1 "$1/$2.command")"
}

judge() { # BLOCK N WANTED-STATUS...
	local block=$1 n=$2 status fine=1 w
	status=$(status_of "$1" "$2")
	shift 2
	for w; do
		[ "$status" = "$w" ] && fine=0
	done
	[[ $file != *README.md ]] || as_shown "$block" "$n" || fine=1
	explain "$block" "$n" >"$block/why"
	result $fine "$(name_of "$block" "$n")" <"$block/why"
}

# started BLOCK N: the last command of a block that keeps running is at work.
started() {
	[ -n "$(printed "$1" "$2")" ] || grep -qsiE 'connected|20[01]' "$1/$2.err"
}

interrupt() { # BLOCK N
	local block=$1 n=$2 session
	session=$(cat "$block/pid" 2>/dev/null)
	[[ $file != *README.md ]] || await 10 as_shown "$block" "$n"
	[ -z "$session" ] || kill -INT -- "-$session" 2>/dev/null
	await 10 ended "$block"
	kill "$(cat "$block/job")" 2>/dev/null
	wait "$(cat "$block/job")" 2>/dev/null
}

ended() { # BLOCK
	! kill -0 "$(cat "$1/job")" 2>/dev/null
}

run_file() { # FILE, with work, home
	local block mark n i status ends
	local -a waiting=()
	for block in "$work.blocks"/*/; do
		block=${block%/}
		n=$(find "$block" -name '*.command' | wc -l)
		[ "$n" -gt 0 ] || continue
		mark=$(cat "$block/mark")
		if [[ $mark = *first:\ * ]]; then
			echo "${mark#*first: }" >"$block/first"
			mark=${mark%%first: *}
			mark=${mark%; }
		fi
		case $mark in
		'not run: '?*)
			for i in $(seq "$n"); do
				count=$((count + 1))
				echo "ok $count - $(name_of "$block" "$i") # SKIP ${mark#not run: }"
			done
			continue
			;;
		'keeps running' | 'fails: '[0-9]*) ;;
		*) mark= ;;
		esac
		# A server is in the way of the next one, unless it is said to keep running.
		ends=no
		serves "$(cat "$block/$n.command")" && [ -z "$mark" ] && ends=yes && mark='keeps running'
		echo "$mark" >"$block/mark"
		write_session "$block" "$mark" >"$block/session"
		: >"$block/out"
		if [ "$mark" = 'keeps running' ]; then
			run_session "$block" 200 &
			echo $! >"$block/job"
			await 10 started "$block" "$n"
			for i in $(seq $((n - 1))); do
				judge "$block" "$i" 0
			done
			if [ $ends = yes ]; then
				interrupt "$block" "$n"
				judge "$block" "$n" 0
			else
				waiting+=("$block")
			fi
			continue
		fi
		run_session "$block" 60
		status=0
		[[ $mark = fails:* ]] && status=${mark#fails: }
		for i in $(seq "$n"); do
			judge "$block" "$i" "$status"
		done
	done
	for block in "${waiting[@]}"; do
		n=$(find "$block" -name '*.command' | wc -l)
		interrupt "$block" "$n"
		judge "$block" "$n" 0 130 143
	done
}

[ $# -gt 0 ] || set -- README.md man/*.[1-8]
for file; do
	[ -e "$file" ] || continue
	work=$tmp/${file##*/}
	home=$work.home
	mkdir -p "$work/build" "$home" "$work.blocks"
	ln -s "$BIN" "$work/build/bin"
	case $file in
	*.md) blocks_of_readme "$file" ;;
	*) blocks_of_page "$file" ;;
	esac | split "$work.blocks"
	[ -n "$(ls "$work.blocks")" ] || continue
	if start_servers >"$work.why"; then
		run_file
	else
		result 1 "$file: the servers for its examples start" <"$work.why"
	fi
	stop_servers
done
echo "1..$count"
exit $bad

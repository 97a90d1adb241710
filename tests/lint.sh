#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What tools and rules can see in the sources without running them, as TAP: scripts, man pages,
# first lines, headers, layering, lock files, the top level.  A tool that is not there is skipped.
#   tests/lint.sh [WORDS]     all checks, or those that have WORDS in their name
# shellcheck disable=SC2317 # the functions are called by check
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
make=${MAKE:-make}
only=${1:-}
count=0
bad=0

# check WORDS COMMAND...: it holds if the command succeeds; what it printed explains a failure.
check() {
	local words=$1 said status=0
	shift
	[[ $words = *"$only"* ]] || return 0
	count=$((count + 1))
	said=$("$@" 2>&1) || status=$?
	if [ $status -eq 0 ]; then
		echo "ok $count - $words"
	else
		bad=1
		echo "not ok $count - $words"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

# needs TOOL WORDS COMMAND...: as check, where the tool is there.
needs() {
	if command -v "$1" >/dev/null; then
		shift
		check "$@"
	elif [[ $2 = *"$only"* ]]; then
		count=$((count + 1))
		echo "ok $count - $2 # SKIP $1 is not installed"
	fi
}

# Prints nothing and succeeds if the command prints nothing.
silent() {
	local said
	said=$("$@")
	[ -z "$said" ] || {
		echo "$said"
		return 1
	}
}

# The project's files, whatever else lies in the folder.
known() {
	if [ -e .git ]; then
		git ls-files
	else
		find . \( -path './build*' -o -name node_modules \) -prune -o -type f -print | sed 's,^\./,,'
	fi | LC_ALL=C sort
}
# files PATTERN: those whose path matches.
files() {
	known | grep -E "$1" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
}
scripts() {
	files '\.(sh|bats|bash)$|^\.ci/|^tests/run$'
}
sources() {
	files '\.([ch]|mjs|js|css|html|awk|jq|in|sh|bats|bash)$|^Makefile$|^man/.*\.[1-8]$|^\.ci/|^tests/run$'
}

# --- first lines ------------------------------------------------------------

without_licence() {
	sources | while read -r f; do
		head -n 5 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f: no SPDX line"
	done
}

# A comment of some words, beside the licence, in the first ten lines; a man page has .Nd.
without_purpose() {
	local mark
	sources | while read -r f; do
		case $f in
		*.[ch] | *.css | *.js | *.mjs) mark='/\*|\*|//' ;;
		*.html) mark='<!--|' ;;
		man/*) continue ;;
		*) mark='#' ;;
		esac
		head -n 10 "$f" | grep -v -e SPDX -e '^#!' |
			grep -qE "^[[:space:]]*($mark)[[:space:]].*[[:alpha:]].* +[[:alpha:]]+" ||
			echo "$f: does not say what it is for"
	done
}

# --- C ----------------------------------------------------------------------

warnings() {
	sed -n '/^WARNINGS = /,/[^\\]$/p' Makefile | tr -d '\\\n' | sed 's/^WARNINGS = //; s/\$.*//'
}

# Each header can be included first and alone.
headers_alone() {
	local f flags status=0
	flags=$(pkg-config --cflags libmicrohttpd libcurl libcjson sqlite3 cmocka)
	# Where the headers of lib/ are; and of sse-serve, for the parts of its unit tests.
	flags+=' -Ilib -iquotelib/common -iquotelib/json -iquotelib/follow -iquotelib/client -iquotecmd/sse-serve'
	for f in $(files '\.h$'); do
		# shellcheck disable=SC2046,SC2086 # lists of flags
		cc -std=c17 -D_GNU_SOURCE -iquote"$(dirname "$f")" \
			-iquote"$(cut -d / -f 1,2 <<<"${f%/*}")" $flags \
			$(warnings) -Werror -fsyntax-only -include "$f" -x c /dev/null || status=1
	done
	return "$status"
}

# is_known COMPILER FROM TO: is it of a major version for which its warnings are silenced?  Another
# may have found something new, which is no fault of the machine that it is on.
is_known() {
	local version
	version=$("$1" -dumpversion | cut -d . -f 1)
	[ "$version" -ge "$2" ] && [ "$version" -le "$3" ]
}

# builds COMPILER: everything that is C; its objects stay for the next time.
builds() {
	env -u MAKEFLAGS "$make" -s -k -j2 CC="$1" WERROR=1 BUILD="$build/$1" all units helpers \
		benches fuzzers >/dev/null
}

# include_only HEADER FILE...: these files alone include it.
include_only() {
	local header=$1
	shift
	grep -lE "#include <$header" -r lib cmd --include='*.[ch]' | grep -vxF -e "$(printf '%s\n' "$@")"
}

# What DESIGN.md shows (<), and what the includes say (>).
picture_is_true() {
	diff <(bash tests/rooms.sh shown) <(bash tests/rooms.sh picture)
}

framing_is_pure() {
	grep -nE '#include <(stdio|curl|microhttpd|sqlite|unistd|sys/)|#include "[^s]' \
		lib/*.[ch]
}

# Of lib/ and cmd/, the .c files that may have more than 500 lines, and why.
declare -A long=(
	[lib/json/json.c]='one grammar: the scanner and what reads the values that it finds'
)

long_files() {
	local f lines
	for f in $(files '^(lib|cmd)/.*\.c$'); do
		lines=$(wc -l <"$f")
		if [ "$lines" -gt 500 ] && [ -z "${long[$f]:-}" ]; then
			echo "$f has $lines lines: it hides a module; more than 500 need a reason in tests/lint.sh"
		elif [ "$lines" -le 500 ] && [ -n "${long[$f]:-}" ]; then
			echo "$f has $lines lines: it needs no exception in tests/lint.sh"
		fi
	done
}

# As clang-format lays them out, a function is from a { to a } in the first column.
long_functions() {
	files '^(lib|cmd)/.*\.c$' | while read -r f; do
		awk -v file="$f" '
		/^\{/ { from = FNR }
		/^\}/ && from {
			if (FNR - from - 1 > 60)
				print file ":" from ": a function of " FNR - from - 1 " lines, over 60"
			from = 0
		}' "$f"
	done
}

# --- npm and the tree -------------------------------------------------------

lock_files() {
	files '(^|/)package-lock\.json$' | xargs -r grep -nE '"resolved"|https?://.*\.tgz'
	files '(^|/)package\.json$' | xargs -r grep -nE '": "([~^*<>x]|latest)' | grep -v '"node":'
}

top_level() {
	known | cut -d / -f 1 | sort -u | grep -vxE \
		'\..*|Makefile|cmd|lib|man|tests|completions|README\.md|LICENSE|CHANGELOG\.md|DESIGN\.md'
}

# --- recipes ----------------------------------------------------------------

# Each file of a proxy that the tests use stands in sse-tools(7), whole; in README.md nginx's.
recipes_not_shown() {
	local f page readme
	page=$(<man/sse-tools.7) readme=$(<README.md)
	for f in $(files '^tests/interop/proxies/'); do
		[[ $page = *$'\n.Bd -literal -offset indent\n'"$(<"$f")"$'\n.Ed\n'* ]] ||
			echo "$f: man/sse-tools.7 does not show it as it is"
	done
	[[ $readme = *$'\n```nginx\n'"$(<tests/interop/proxies/nginx.conf)"$'\n```\n'* ]] ||
		echo 'tests/interop/proxies/nginx.conf: README.md does not show it as it is'
}

# --- commands ---------------------------------------------------------------

# What is called and stands neither in the table of .ci/deps for its purpose nor in its list of what
# every machine has.  .ci/deps itself looks before it calls.
unknown_commands() {
	local purpose called
	# shellcheck disable=SC2046 # names without spaces
	called=$(bash tests/commands.sh $(files '\.(c|mjs|md|[1-8])$') $(scripts | grep -vxF .ci/deps)) ||
		echo 'tests/commands.sh failed'
	cut -d ' ' -f 1 <<<"$called" | sort -u | while read -r purpose; do
		sh .ci/deps commands "$purpose" | awk -v purpose="$purpose" '
		NR == FNR { known[$1]; next }
		$1 == purpose && !($2 in known) {
			print $3 " calls " $2 ", which .ci/deps does not have for " purpose
		}' - <(echo "$called")
	done
}

for f in $(scripts); do
	# bats stops at a cd that fails; scenarios and what they load use each other's variables.
	leave_out=SC1091
	[[ $f != *.bats && $f != *.bash ]] || leave_out=SC1091,SC2030,SC2031,SC2034,SC2154,SC2164
	needs shellcheck "shellcheck $f" shellcheck -x -P SCRIPTDIR -e $leave_out "$f"
done
for f in completions/bash/*; do
	[ -e "$f" ] && needs shellcheck "shellcheck $f" shellcheck -s bash -e SC2034 "$f"
done
for f in man/*.[1-8]; do
	[ -e "$f" ] && needs mandoc "mandoc -T lint $f" mandoc -T lint -W warning "$f"
done
check 'each source has its SPDX line' silent without_licence
check 'each source says in its first lines what it is for' silent without_purpose
check 'each header can be included alone' headers_alone
for f in lib/sse.h lib/follow/sse_follow.h; do
	needs g++ "$f is C++ too" g++ -Wall -Wextra -Werror -fsyntax-only -Ilib -include "$f" -x c++ /dev/null
done
while read -r compiler from to; do
	if ! command -v "$compiler" >/dev/null || is_known "$compiler" "$from" "$to"; then
		needs "$compiler" "$compiler compiles everything without a warning" builds "$compiler"
	fi
done <<'END'
gcc 12 14
clang 14 19
END
needs musl-gcc 'everything that is C compiles with musl' sh tests/package/musl.sh
check 'the framing needs no I/O and no other module' silent framing_is_pure
check 'no .c file has more than 500 lines without a reason' silent long_files
check 'no function has more than 60 lines' silent long_functions
check 'only four modules of http/ know libmicrohttpd' silent include_only 'microhttpd' \
	cmd/sse-serve/http/{exchange.c,exchange.h,http.c,relay.c,request.c}
check 'rooms include only what is below them, and no modules each other in a circle' \
	silent bash tests/rooms.sh
check 'the picture of the rooms in DESIGN.md is what the includes say' picture_is_true
check 'npm packages are pinned and their lock files name no host' silent lock_files
check 'the top level holds nothing but what belongs there' silent top_level
check 'the recipes for proxies that are shown are the files that are tested' silent recipes_not_shown
check 'every command that is called stands in the table of .ci/deps' silent unknown_commands
check 'the changelog tells of this version' \
	grep -q "$(sed -n 's/^VERSION = //p' Makefile)" CHANGELOG.md
echo "1..$count"
exit $bad

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rules of tests/lint.sh that nothing else would show to be at work: each is broken once.

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	cd "$BATS_TEST_DIRNAME/../.."
	mkdir "$tree"
	cp -R .ci Makefile README.md CHANGELOG.md DESIGN.md cmd lib man completions "$tree"
	mkdir "$tree/tests"
	cp -R tests/*.* tests/run tests/scenario tests/fault "$tree/tests"
	# Without the packages of npm.
	mkdir "$tree/tests/package"
	cp tests/package/*.* "$tree/tests/package"
	cd "$tree"
}

lint() {
	bash tests/lint.sh "$@"
}

@test "lint: a command that is taken out of the table is missed by every file that calls it" {
	lint 'every command'
	sed -i '/command:jq /d' .ci/deps
	run lint 'every command'
	[ "$status" -eq 1 ]
	[[ $output == *'tests/scenario/post_spool.bats calls jq, which .ci/deps does not have for scenario'* ]]
	[[ $output == *'man/sse-tail.1 calls jq, which .ci/deps does not have for examples'* ]]
}

@test "lint: a new command is found in scripts, in what they give to shells, in JavaScript and in C" {
	mkdir tests/browser
	cat >tests/scenario/new.bash <<-'EOF'
		newly() {
			run -0 env A=1 timeout -k 5 "$seconds" frobnicate1 --all
			[ "$(frobnicate2)" = "$BIN/not-this" ]
			sse-tail x --exec 'read line; frobnicate3 "$line"'
			bash -c "frobnicate4 \"$1\" | cat"
			types "cd; frobnicate9 $URL"
			cat <<-END
				$(frobnicate5) not-this
			END
			known() { echo 'not-this-either'; }
			known
		}
	EOF
	echo 'const child = spawn("frobnicate6", []);' >tests/browser/new.mjs
	echo 'int f(void) { return execlp("frobnicate7", "x", (char *)0); }' >tests/fault/new.c
	printf '%s\n' '```console' '$ seq 3 |' '> frobnicate8' '```' '<!-- not run: it cannot be -->' \
		'```console' '$ not-this-one' '```' >>README.md
	run lint 'every command'
	[ "$status" -eq 1 ]
	for i in {1..9}; do
		[[ $output == *" calls frobnicate$i, which "* ]]
	done
	[[ $output != *not-this* ]]
}

@test "lint: an arrow up, a part of lib that knows a program, and a room that DESIGN.md lacks, are refused" {
	lint 'rooms include'
	echo '#include "api/batch.h"' >>cmd/sse-serve/log/topic.c
	echo '#include "batch.h"' >>lib/common/buf.c
	mkdir cmd/sse-serve/attic
	printf '/* x */\n#include "sse.h"\n' >cmd/sse-serve/attic/old.c
	run lint 'rooms include'
	[ "$status" -eq 1 ]
	[[ $output == *'cmd/sse-serve/attic/old is in a room that DESIGN.md does not show'* ]]
	[[ $output == *'cmd/sse-serve/log/topic includes cmd/sse-serve/api/batch: an arrow from cmd/sse-serve/log to cmd/sse-serve/api'* ]]
	[[ $output == *'lib/common/buf includes batch.h, which is neither in its program nor in lib'* ]]
}

@test "lint: a line of the picture of the rooms that leads up is refused, whatever the includes say" {
	sed -i 's/^log  .*-> /&api, /' DESIGN.md
	echo '#include "api/batch.h"' >>cmd/sse-serve/log/topic.c
	run lint 'rooms include'
	[ "$status" -eq 1 ]
	[[ $output == *'DESIGN.md: cmd/sse-serve/log includes cmd/sse-serve/api, which is not below it'* ]]
}

@test "lint: a new arrow between rooms, and one that DESIGN.md alone has, make its picture untrue" {
	lint 'picture of the rooms'
	echo '#include "base/logger.h"' >>cmd/sse-serve/maintain/verify.c
	run lint 'picture of the rooms'
	[ "$status" -eq 1 ]
	[[ $output == *'> maintain '*'-> log, base, '* ]]
	# The picture that includes it is true again.
	sed -i 's/^maintain .*-> log, /&base, /' DESIGN.md
	lint 'picture of the rooms'
	lint 'rooms include'
	sed -i 's/^cmd.sse-tail .*-> /&cmd\/sse-post, /' DESIGN.md
	run lint 'picture of the rooms'
	[ "$status" -eq 1 ]
	[[ $output == *'< cmd/sse-tail '*'-> cmd/sse-post, '* ]]
	# An arrow without its include, and a room without its line.
	sed -i '/"base.logger.h"/d' cmd/sse-serve/maintain/verify.c
	sed -i -e 's/cmd.sse-post, //' -e '/^base  /d' DESIGN.md
	run lint 'picture of the rooms'
	[ "$status" -eq 1 ]
	[[ $output == *'< maintain '*'-> log, base, '*'> maintain '*'-> log, lib'* ]]
	[[ $output == *'> base '*'-> lib'* ]]
}

@test "lint: a circle of modules is refused, with each arrow of it" {
	echo '#include "store.h"' >>cmd/sse-serve/log/topic.h
	run lint 'rooms include'
	[ "$status" -eq 1 ]
	[[ $output == *'in a circle: cmd/sse-serve/log/topic includes cmd/sse-serve/log/store'* ]]
	[[ $output == *'in a circle: cmd/sse-serve/log/store includes cmd/sse-serve/log/topic'* ]]
	[[ $output != *fanout* ]]
}

@test "lint: what lies about in a clone is not its business" {
	git init -q .
	git add .
	touch batch seen moved.db orders
	mkdir web
	touch web/index.js web/index.html
	lint 'top level'
	lint 'SPDX'
	git add web
	run lint 'top level'
	[ "$status" -eq 1 ]
}

# lines COUNT: so many of them.
lines() {
	yes '	x++;' | head -n "$1"
}

@test "lint: a file of more than 500 lines needs a reason, and a reason needs such a file" {
	lint 'more than 500 lines'
	lines 501 >lib/common/buf.c
	run lint 'more than 500 lines'
	[ "$status" -eq 1 ]
	[[ $output == *'lib/common/buf.c has 501 lines'* ]]
	sed -i '$d' lib/common/buf.c
	lint 'more than 500 lines'
	lines 500 >lib/json/json.c
	run lint 'more than 500 lines'
	[ "$status" -eq 1 ]
	[[ $output == *'lib/json/json.c has 500 lines: it needs no exception'* ]]
}

@test "lint: a function of more than 60 lines is found, a table is not" {
	lint 'more than 60 lines'
	{
		printf 'static const int table[] = {\n'
		lines 70
		printf '};\n\nvoid long_one(int x)\n{\n'
		lines 60
		echo '}'
	} >>cmd/sse-tail/deleted.c
	lint 'more than 60 lines'
	sed -i '$d' cmd/sse-tail/deleted.c
	printf '\tx++;\n}\n' >>cmd/sse-tail/deleted.c
	run lint 'more than 60 lines'
	[ "$status" -eq 1 ]
	[[ $output == *'cmd/sse-tail/deleted.c:'*': a function of 61 lines, over 60'* ]]
}

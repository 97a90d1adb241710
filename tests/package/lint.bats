#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rules of tests/lint.sh that nothing else would show to be at work: each is broken once.

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	cd "$BATS_TEST_DIRNAME/../.."
	mkdir "$tree"
	cp -R .ci Makefile README.md CHANGELOG.md cmd lib man completions "$tree"
	mkdir "$tree/tests"
	cp -R tests/*.* tests/run tests/scenario tests/package tests/fault "$tree/tests"
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
			bash -c "frobnicate4 | cat"
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
	for i in 1 2 3 4 5 6 7 8; do
		[[ $output == *" calls frobnicate$i, which "* ]]
	done
	[[ $output != *not-this* ]]
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
	lines 501 >lib/buf.c
	run lint 'more than 500 lines'
	[ "$status" -eq 1 ]
	[[ $output == *'lib/buf.c has 501 lines'* ]]
	sed -i '$d' lib/buf.c
	lint 'more than 500 lines'
	lines 500 >lib/json.c
	run lint 'more than 500 lines'
	[ "$status" -eq 1 ]
	[[ $output == *'lib/json.c has 500 lines: it needs no exception'* ]]
}

@test "lint: a function of more than 60 lines is found, a table is not" {
	lint 'more than 60 lines'
	{
		printf 'static const int table[] = {\n'
		lines 70
		printf '};\n\nvoid long_one(int x)\n{\n'
		lines 60
		echo '}'
	} >>cmd/sse-tail/gap.c
	lint 'more than 60 lines'
	sed -i '$d' cmd/sse-tail/gap.c
	printf '\tx++;\n}\n' >>cmd/sse-tail/gap.c
	run lint 'more than 60 lines'
	[ "$status" -eq 1 ]
	[[ $output == *'cmd/sse-tail/gap.c:'*': a function of 61 lines, over 60'* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a person or a package's build chooses: flags, folders, which tests.

load package_helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	build=$BATS_TEST_TMPDIR/build
	make="env -u CFLAGS -u CPPFLAGS -u LDFLAGS make BUILD=$build"
}

@test "make fortifies, unless that is chosen otherwise, without a warning" {
	run $make V=1 libsse
	[ "$status" -eq 0 ]
	[[ $output = *' -D_FORTIFY_SOURCE=2 '* ]]
	for flags in CPPFLAGS=-D_FORTIFY_SOURCE=3 'CFLAGS=-O2 -Wp,-D_FORTIFY_SOURCE=3' CFLAGS=-O0 \
		'CFLAGS=-O2 -O0' CFLAGS=-g; do
		rm -rf "$build"
		run $make V=1 WERROR=1 "$flags" libsse
		[ "$status" -eq 0 ]
		[[ $output != *' -D_FORTIFY_SOURCE=2 '* ]]
		[[ $output != *warning* ]]
	done
}

@test "libsse is built for 32 bits without a warning, and reads streams there" {
	echo '#include <gnu/stubs-32.h>' | cc -E - >/dev/null 2>&1 || skip 'the C library is there for 64 bits alone'
	run $make WERROR=1 CFLAGS='-O1 -m32' libsse "$build/tests/fuzz_parser"
	[ "$status" -eq 0 ]
	objdump -f "$build/libsse.so.0" | grep elf32-i386
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/none.c"
	cc -m32 -o "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/none.c"
	"$BATS_TEST_TMPDIR/none" || skip 'it builds; this kernel runs no program of 32 bits'
	"$build/tests/fuzz_parser" 1
}

@test "a warning is an error with WERROR=1, and with nothing else" {
	echo '#warning a compiler of another year' >"$BATS_TEST_TMPDIR/year.h"
	CI=1 run $make CPPFLAGS="-include $BATS_TEST_TMPDIR/year.h" libsse
	[ "$status" -eq 0 ]
	[[ $output = *'a compiler of another year'* ]]
	rm -rf "$build"
	run $make WERROR=1 CPPFLAGS="-include $BATS_TEST_TMPDIR/year.h" libsse
	[ "$status" -ne 0 ]
}

@test "a BUILD that make cannot use is refused before anything is made" {
	copy_tree "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	before=$(find .. | LC_ALL=C sort)
	for folder in '../with space' '' '../a:b' "../it's" '../a;b' '../100%'; do
		for target in libsse install dist clean; do
			run make BUILD="$folder" DESTDIR=../dest "$target"
			[ "$status" -ne 0 ]
			[[ $output = *'BUILD is '*'it must be one folder, without spaces and '* ]]
		done
	done
	[ "$(find .. | LC_ALL=C sort)" = "$before" ]
}

@test "the paths of the clone and of the build folder are in nothing that is built" {
	$make -j2 libsse-units >/dev/null
	[ -x "$build/tests/test_sse_parser" ]
	run grep -rlF -e "$PWD" -e "$BATS_TEST_TMPDIR" "$build" --include='*.[oa]' --include='test_*'
	[ "$output" = '' ]
}

@test "make test and make installcheck run the tests with what is there" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/tests" "$BATS_TEST_TMPDIR/a b/it's/bin"
	cp Makefile "$BATS_TEST_TMPDIR/tree"
	cat >"$BATS_TEST_TMPDIR/tree/tests/run" <<-'EOF'
		echo "$BUILD $DEPS [${INSTALLED-unset}] $*"
	EOF
	cd "$BATS_TEST_TMPDIR/tree"
	run make -s test SUITE='unit lint'
	[ "$output" = 'build none [unset] unit lint' ]
	run make -s installcheck DESTDIR='../a b' PREFIX="/it's"
	[ "$output" = "build none [$BATS_TEST_TMPDIR/a b/it's/bin] scenario examples" ]
	run make -s installcheck DESTDIR='../a b' PREFIX="/it's" SUITE=scenario/tail
	[ "$output" = "build none [$BATS_TEST_TMPDIR/a b/it's/bin] scenario/tail" ]
	run make -s installcheck PREFIX=/nothing/is/installed/here
	[ "$status" -ne 0 ]
	[[ $output = */nothing/is/installed/here/bin* ]]
}

@test "make check of one suite asks for what that suite needs, and for no browser" {
	copy_tree "$BATS_TEST_TMPDIR/tree"
	local suite commands
	for suite in unit scenario lint; do
		commands=$(sh .ci/deps commands "$suite")
		[[ $commands != *chromium* ]]
	done
	commands=$(sh .ci/deps commands browser)
	[[ $commands = *chromium* ]]
	cd "$BATS_TEST_TMPDIR/tree"
	# One that notes what it is asked for, and has nothing.
	cat >.ci/deps <<-'EOF'
		echo "$*" >>asked
		[ "$1" != missing ] || echo everything
	EOF
	run make -s check BUILD=build SUITE='unit/json asan/scenario/tail'
	[[ $output = *'unit: all of it, for want of everything'* ]]
	[ "$(grep '^install' asked)" = 'install build scenario unit' ]
	[ "$(grep '^missing' asked | sort -u)" = $'missing build scenario\nmissing build unit' ]
}

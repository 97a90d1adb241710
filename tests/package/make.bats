#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The makefile on other machines than this one: without a package, and in part.

load package_helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	hiding_pkg_config
	make="make BUILD=$BATS_TEST_TMPDIR/build CFLAGS=-O0 PKG_CONFIG=$shim"
}

@test "make names what is missing, how to get it, and installs nothing" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for manager in apt-get sudo; do
		printf '#!/bin/sh\necho called >%s/called\n' "$BATS_TEST_TMPDIR" \
			>"$BATS_TEST_TMPDIR/bin/$manager"
	done
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	HIDDEN='libmicrohttpd sqlite3' PATH="$BATS_TEST_TMPDIR/bin:$PATH" run $make
	[ "$status" -ne 0 ]
	[[ $output = *'sse-serve needs what is not here: libmicrohttpd sqlite3'* ]]
	[[ $output = *'make deps-build'*'apt-get install libmicrohttpd-dev libsqlite3-dev'* ]]
	[ ! -e "$BATS_TEST_TMPDIR/called" ]
}

@test "without pkg-config itself make says so" {
	run make BUILD="$BATS_TEST_TMPDIR/build" PKG_CONFIG=no-such-pkg-config sse-post
	[ "$status" -ne 0 ]
	[[ $output = *'not here: no-such-pkg-config'* ]]
}

@test "a compiler that is missing is named, for libsse too, which needs nothing else" {
	for target in libsse sse-tail units; do
		run make BUILD="$BATS_TEST_TMPDIR/build" CC=no-such-cc $target
		[ "$status" -ne 0 ]
		[[ $output = *'libsse needs what is not here: no-such-cc'* ]]
		[[ $output != *'not found'* ]]
	done
	run make BUILD="$BATS_TEST_TMPDIR/build" PKG_CONFIG=no-such-pkg-config libsse
	[ "$status" -eq 0 ]
}

@test "make deps installs by apt-get, as root or by sudo, what is missing and nothing else" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "apt-get $*" >>%s/called\n' "$BATS_TEST_TMPDIR" \
		>"$BATS_TEST_TMPDIR/bin/apt-get"
	printf '#!/bin/sh\nexec "$@"\n' >"$BATS_TEST_TMPDIR/bin/sudo"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	HIDDEN='libcurl' PATH="$BATS_TEST_TMPDIR/bin:$PATH" run $make deps-build
	[ "$status" -eq 0 ]
	# Beside questions, this is the one thing that was done.
	run grep -v -e update -e assume-no "$BATS_TEST_TMPDIR/called"
	[ "$output" = 'apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends libcurl4-openssl-dev' ]
}

@test "where there is no apt-get, make deps prints the command of dnf, apk, pacman or brew" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in sh make uname sed sort tr find id env awk grep cc pkg-config "$shim"; do
		ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/$(basename "$tool" | sed 's/^pkg-config$/&/')" \
			2>/dev/null || true
	done
	while read -r manager words; do
		rm -f "$BATS_TEST_TMPDIR"/bin/{dnf,apk,pacman,brew}
		ln -s /bin/false "$BATS_TEST_TMPDIR/bin/$manager"
		PKG_CONFIG=/bin/false PATH="$BATS_TEST_TMPDIR/bin" run sh .ci/deps install build
		[ "$status" -ne 0 ]
		[[ $output = *"$words"* ]]
	done <<-'EOF'
		dnf dnf install cjose-devel cjson-devel jansson-devel libcurl-devel libmicrohttpd-devel
		apk apk add cjose-dev cjson-dev curl-dev jansson-dev libmicrohttpd-dev
		pacman pacman -S cjose cjson curl jansson libmicrohttpd
		brew brew install cjose cjson curl jansson libmicrohttpd
	EOF
}

@test "sse-post builds without libmicrohttpd and SQLite, sse-tail without cJSON too, libsse-follow with libcurl alone, libsse without anything" {
	HIDDEN='libmicrohttpd sqlite3 libcjson libsystemd' run $make sse-tail
	[ "$status" -eq 0 ]
	HIDDEN='libmicrohttpd sqlite3 libsystemd' run $make sse-post
	[ "$status" -eq 0 ]
	"$BATS_TEST_TMPDIR/build/bin/sse-tail" --version
	run $make PKG_CONFIG=/bin/false BUILD="$BATS_TEST_TMPDIR/bare" libsse
	[ "$status" -eq 0 ]
	HIDDEN='libmicrohttpd sqlite3 libcjson libssl libcrypto libsystemd' run $make libsse-follow
	[ "$status" -eq 0 ]
}

@test "the unit tests of libsse need cmocka alone, and others the packages of their own part" {
	HIDDEN='libmicrohttpd libcurl libcjson sqlite3' run $make libsse-units
	[ "$status" -eq 0 ]
	[[ $output = *test_sse_parser* ]]
	[[ $output != *FAILED* ]]
	HIDDEN='libmicrohttpd libcurl libcjson sqlite3' run $make "$BATS_TEST_TMPDIR/build/tests/test_buf"
	[ "$status" -eq 0 ]
	HIDDEN=cmocka run $make units
	[ "$status" -ne 0 ]
	[[ $output = *'units needs what is not here: cmocka'*libcmocka-dev* ]]
}

@test "the server builds without libcurl" {
	HIDDEN=libcurl run $make sse-serve
	[ "$status" -eq 0 ]
}

@test "make help has a word on each target that the README promises" {
	run make help
	for target in all run deps check test installcheck lint bench fuzz dist install uninstall clean help \
		completions libsse-units deb npm; do
		[[ $output = *"make $target "* ]]
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What programs that are linked with the shared libraries rely on: their names, their symbols, the layout of
# what they hand over.  A change that fails here needs another SOVERSION, or, where it only adds, a new line.

load package_helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	built=$(dirname "$BIN")
}

# functions HEADER: those that it declares.
functions() {
	cc -E -P -Ilib -D'__attribute__(x)=' "$1" | tr '\n' ' ' |
		sed 's/typedef [^;]*;//g' |
		grep -oE '\bsse_[a-z0-9_]+\([^()]*\) *;' | sed 's/(.*//' | LC_ALL=C sort
}

# named PAGE: the functions that the page is about.
named() {
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \(sse_[a-z0-9_]*\).*/\1/p' "$1" | LC_ALL=C sort
}

@test "libsse exports what its list says, which is what its header declares and its page describes" {
	wanted=$(exported lib/libsse.map)
	[ "$(nm -D --defined-only "$built/libsse.so.0" | sed -n 's/.* T \(.*\)@@LIBSSE_0$/\1/p')" = "$wanted" ]
	run sh -c "nm -D --defined-only '$built/libsse.so.0' | grep -v -e '@@LIBSSE_0$' -e ' A LIBSSE_0$'"
	[ "$output" = '' ]
	[ "$(functions lib/sse.h)" = "$wanted" ]
	[ "$(named man/libsse.3)" = "$wanted" ]
}

@test "libsse-follow exports what its list says, which is what its header declares and its page describes" {
	wanted=$(exported lib/follow/libsse-follow.map)
	[ "$(nm -D --defined-only "$built/libsse-follow.so.0" | sed -n 's/.* T \(.*\)@@LIBSSE_FOLLOW_0$/\1/p')" = "$wanted" ]
	run sh -c "nm -D --defined-only '$built/libsse-follow.so.0' | grep -v -e '@@LIBSSE_FOLLOW_0$' -e ' A LIBSSE_FOLLOW_0$'"
	[ "$output" = '' ]
	[ "$(comm -23 <(functions lib/follow/sse_follow.h) <(functions lib/sse.h))" = "$wanted" ]
	[ "$(named man/sse_follow.3)" = "$wanted" ]
	# The archive, which is one object, has no other name that a program could meet.
	[ "$(nm -g --defined-only "$built/libsse-follow.a" | sed -n 's/^[0-9a-f]* [A-Z] //p' | LC_ALL=C sort)" = "$wanted" ]
}

@test "libsse-follow is named by its soname, and needs libsse, libcurl and the C library" {
	run objdump -p "$built/libsse-follow.so.0"
	[[ $output =~ SONAME\ +libsse-follow\.so\.0$'\n' ]]
	[ "$(sed -n 's/^ *NEEDED *//p' <<<"$output" | LC_ALL=C sort | paste -s -d ' ' -)" = \
		'libc.so.6 libcurl.so.4 libsse.so.0' ]
}

@test "libsse-follow prints nothing, leaves the process as it is, and has no variables" {
	local symbols
	symbols=$(nm -u "$built/sse-follow.o" | awk '{ print $NF }')
	[[ $symbols == *curl_multi_perform* ]]
	run grep -xE '_?exit|abort|raise|signal|sigaction|alarm|fork|atexit|pthread_create|getenv|secure_getenv|setenv|setlocale|puts|putchar|fputs|printf|fprintf|write|stdout|stderr|__f?printf_chk' <<<"$symbols"
	[ "$output" = '' ]
	run sh -c "nm '$built/sse-follow.o' | grep -i ' [bc] '"
	[ "$output" = '' ]
	[ "$(objdump -h "$built/sse-follow.o" | awk '$2 == ".data" || $2 == ".bss" { print $3 }' | sort -u)" = 00000000 ]
}

@test "libsse is named by its soname, and needs only the C library" {
	run objdump -p "$built/libsse.so.0"
	[[ $output =~ SONAME\ +libsse\.so\.0$'\n' ]]
	run grep NEEDED <<<"$output"
	[[ $output != *NEEDED*NEEDED* ]]
	[[ $output = *libc.* ]]
}

@test "no function of libsse is called or replaced from outside, but what it exports" {
	# What the archive's objects share with each other is hidden from whoever is linked with them.
	run sh -c "objdump -t '$built/libsse.a' | grep ' g ' | grep -v -e '\.hidden' -e '\*UND\*' |
		sed 's/.* //' | LC_ALL=C sort"
	[ "$output" = "$(exported lib/libsse.map)" ]
}

@test "the structs and numbers that programs were compiled with are those of soname 0" {
	[ "$(getconf LONG_BIT)" -eq 64 ] || skip 'the list is for pointers of 64 bits'
	cc -std=c11 -Ilib -Ilib/follow -o "$BATS_TEST_TMPDIR/layout" tests/package/layout.c
	"$BATS_TEST_TMPDIR/layout" | diff tests/package/layout.txt -
}

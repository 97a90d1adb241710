#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What make install puts in place works from there, and make uninstall leaves nothing.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	build=$(dirname "$BIN")
	dest="$BATS_TEST_TMPDIR/a folder"
	# Objects are there already: a make of its own, with nothing from the outer one.
	make="env -u PREFIX -u BINDIR -u LIBDIR -u INCLUDEDIR -u MANDIR make BUILD=$build"
}

install_there() {
	$make install DESTDIR="$dest" PREFIX=/opt/sse "$@"
}

@test "install puts programs, man pages, completions, library, header and .pc in place" {
	run install_there
	[ "$status" -eq 0 ]
	for program in sse-serve sse-post sse-tail; do
		[ -x "$dest/opt/sse/bin/$program" ]
		"$dest/opt/sse/bin/$program" --version
		[ -s "$dest/opt/sse/share/man/man1/$program.1" ]
		[ -s "$dest/opt/sse/share/bash-completion/completions/$program" ]
		[ -s "$dest/opt/sse/share/zsh/site-functions/_$program" ]
		[ -s "$dest/opt/sse/share/fish/vendor_completions.d/$program.fish" ]
	done
	[ -s "$dest/opt/sse/share/man/man7/sse-tools.7" ]
	[ -s "$dest/opt/sse/share/man/man3/libsse.3" ]
	[ -s "$dest/opt/sse/lib/libsse.a" ]
	[ -s "$dest/opt/sse/include/sse.h" ]
	[ -s "$dest/opt/sse/lib/pkgconfig/libsse.pc" ]
}

@test "uninstall leaves nothing of it, and what others put beside it" {
	install_there
	touch "$dest/opt/sse/bin/neighbour"
	$make uninstall DESTDIR="$dest" PREFIX=/opt/sse
	[ "$(cd "$dest" && find . ! -type d)" = ./opt/sse/bin/neighbour ]
	rm "$dest/opt/sse/bin/neighbour"
	$make uninstall DESTDIR="$dest" PREFIX=/opt/sse
	run find "$dest" -mindepth 1
	[ "$output" = '' ]
}

@test "every folder can be chosen" {
	install_there BINDIR=/b LIBDIR=/l/x86 INCLUDEDIR=/i MANDIR=/m BASHDIR=/c1 ZSHDIR=/c2 FISHDIR=/c3
	run ls "$dest"
	[ "$output" = "$(printf '%s\n' b c1 c2 c3 i l m)" ]
	grep -x 'libdir=/l/x86' "$dest/l/x86/pkgconfig/libsse.pc"
}

@test "a program of someone else builds with the installed libsse, by its .pc, and runs" {
	install_there
	export PKG_CONFIG_PATH="$dest/opt/sse/lib/pkgconfig"
	# The staging folder has a space in its name, so that it is moved to one that has none.
	mv "$dest" "$BATS_TEST_TMPDIR/root"
	PKG_CONFIG_PATH=$BATS_TEST_TMPDIR/root/opt/sse/lib/pkgconfig
	flags=$(pkg-config --define-variable=prefix="$BATS_TEST_TMPDIR/root/opt/sse" --cflags --libs libsse)
	cp tests/unit/example_libsse.c "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	# shellcheck disable=SC2086 # a list of flags
	cc -std=c11 -Wall -Wextra -Werror -o example example_libsse.c $flags
	printf 'event: update\ndata: Hello, world!\n\n' | ./example >out
	grep -q 'Hello, world!' out
}

@test "libsse exports only what its header declares, and needs only the C library" {
	run sh -c "nm -g --defined-only '$build/libsse.a' | sed -n 's/^[0-9a-f]* [A-Z] //p' | grep -v '^sse_'"
	[ "$output" = '' ]
	for name in $(nm -g --defined-only "$build/libsse.a" | sed -n 's/^[0-9a-f]* [A-Z] //p'); do
		grep -qE "\b$name\(" lib/*.h
	done
}

@test "libsse can become part of a shared library" {
	cc -shared -o "$BATS_TEST_TMPDIR/libwrap.so" -Wl,--whole-archive "$build/libsse.a" \
		-Wl,--no-whole-archive -Wl,-z,text
}

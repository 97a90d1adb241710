#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make dist: what is in the tarball, that it builds, and that it is the same for all.

load package_helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	version=$(sed -n 's/^VERSION = //p' Makefile)
	name=sse-tools-$version
	tarball=build/$name.tar.gz
	unset SOURCE_DATE_EPOCH
	clone=$BATS_TEST_TMPDIR/clone
	copy_tree "$clone"
	rm -f "$clone/.manifest"
	cd "$clone"
	git init -q
	git add -A
	git -c user.name=A -c user.email=a@example.org commit -q -m 'All of it' --date=2026-11-01T12:00:00Z
}

# unpack FOLDER: the tarball, there; prints the tree's folder.
unpack() {
	mkdir -p "$1"
	tar -xzf "$tarball" -C "$1"
	echo "$1/$name"
}

@test "make dist packs what git knows, names what it leaves out, and nothing else" {
	mkdir -p web build/bin tests/browser/node_modules/x
	touch events.db seen web/index.html build/bin/sse-serve tests/browser/node_modules/x/y
	run make dist
	[ "$status" -eq 0 ]
	[[ $output = *'left out, because git does not know them:'*'  events.db'*'  seen'*'  web/'* ]]
	[[ $output != *node_modules* ]]
	run tar -tzf "$tarball"
	[ "$output" = "$({ git ls-files && echo .manifest; } | LC_ALL=C sort | sed "s,^,$name/," |
		grep -v '/\.manifest$')
$name/.manifest" ]
}

@test "the same commit gives the same bytes, from any clone, and from the tarball itself" {
	make dist
	git clone -q . ../other
	(umask 077 && cd ../other && find . -name '*.c' -exec touch {} + -exec chmod go-r {} + && make dist)
	cmp "$tarball" "../other/$tarball"
	tree=$(unpack "$BATS_TEST_TMPDIR/unpacked")
	touch "$tree/events.db"
	make -C "$tree" dist
	cmp "$tarball" "$tree/$tarball"
	# Inside of somebody else's repository too.
	git -C "$BATS_TEST_TMPDIR/unpacked" init -q
	make -C "$tree" dist
	cmp "$tarball" "$tree/$tarball"
	SOURCE_DATE_EPOCH=1700000000 make dist
	run tar -tvzf "$tarball" --utc --full-time
	[[ ${lines[0]} = *'2023-11-14 22:13:20'* ]]
	[[ ${lines[0]} = *' 0/0 '* ]]
}

@test "make dist fails where it does not know what to pack, and leaves no tarball" {
	rm -rf .git
	git init -q ..
	for around in repository nothing; do
		[ "$around" = repository ] || rm -rf ../.git
		run make dist
		[ "$status" -ne 0 ]
		[[ $output = *'make dist packs what git knows'*'here is neither'* ]]
		[ ! -e "$tarball" ]
	done
}

@test "the tarball builds and tests itself in a folder with a space, and make again has nothing to do" {
	make dist
	tree=$(unpack "$BATS_TEST_TMPDIR/a folder")
	cd "$tree"
	run make -j2 CFLAGS=-O0
	[ "$status" -eq 0 ]
	[[ $output != *warning* ]]
	for program in sse-serve sse-post sse-tail; do
		[[ $("build/bin/$program" --version) = "$program (sse-tools) $version"* ]]
		[ "$("build/bin/$program" --version)" = "$("$BIN/$program" --version)" ]
	done
	run make CFLAGS=-O0
	[ "$output" = '' ]
	make install CFLAGS=-O0 DESTDIR="$PWD/../dest"
	../dest/usr/local/bin/sse-post --version
	run make libsse-units CFLAGS=-O0
	[ "$status" -eq 0 ]
	touch lib/sse.h
	run make CFLAGS=-O0
	[[ $output = *CC* ]]
	make clean
	[ ! -e build ]
}

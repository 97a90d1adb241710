#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make deb: what the packages hold, that they install and leave as they should, and that two builds give
# the same bytes.  Nothing is installed on this machine: root installs into a folder, with dpkg's own
# database there; anybody else unpacks into one.

load package_helpers

# Compiled without optimization, for the time it takes: all else is as in `make deb`.
setup_file() {
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export DEB_BUILD_OPTIONS='noopt nocheck noautodbgsym'
	unset SOURCE_DATE_EPOCH BUILD CFLAGS CPPFLAGS LDFLAGS
	cd "$BATS_TEST_DIRNAME/../.."
	if [ -n "$(sh .ci/deps missing build unit deb)" ]; then
		return
	fi
	copy_tree "$BATS_FILE_TMPDIR/one"
	cd "$BATS_FILE_TMPDIR/one"
	rm -f .manifest
	git init -q
	git add -A
	git -c user.name=A -c user.email=a@example.org commit -q -m 'All of it' --date=2026-11-01T12:00:00Z
	make deb >"$BATS_FILE_TMPDIR/log" 2>&1 || cat "$BATS_FILE_TMPDIR/log" >&3
}

setup() {
	[ -z "$(cd "$BATS_TEST_DIRNAME/../.." && sh .ci/deps missing build unit deb)" ] ||
		skip 'it needs debhelper and dpkg-dev'
	one=$BATS_FILE_TMPDIR/one
	debs=$one/build/deb
	root=$BATS_TEST_TMPDIR/root
}

# packages: the files, each in a line.
packages() {
	local name
	for name in sse-tools libsse0 libsse-dev libsse-follow0 libsse-follow-dev; do
		ls "$debs/${name}_"*.deb
	done
}

# unpack: all of it, into $root, as anybody can.
unpack() {
	local file
	mkdir -p "$root"
	for file in $(packages); do
		dpkg-deb -x "$file" "$root"
	done
}

# to_root WORDS...: dpkg, with a database in $root.  What the packages depend on is not in there.
to_root() {
	mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/etc"
	touch "$root/var/lib/dpkg/status"
	dpkg --root="$root" --log=/dev/null --force-depends --force-script-chrootless "$@"
}

# left: the files in $root that are no business of dpkg's or of the users' database.
left() {
	(cd "$root" && find . ! -type d | grep -v -e '^./var/lib/dpkg' -e '^./etc/\.pwd\.lock$' \
		-e '^./etc/g\?shadow' -e '^./etc/passwd' -e '^./etc/group')
}

@test "the packages hold programs, pages, completions, settings and the user of the service" {
	unpack
	local name
	for name in sse-serve sse-post sse-tail; do
		[[ $("$root/usr/bin/$name" --version) = "$name (sse-tools) "* ]]
		[ -s "$root/usr/share/man/man1/$name.1.gz" ]
		[ -s "$root/usr/share/bash-completion/completions/$name" ]
		[ -s "$root/usr/share/zsh/vendor-completions/_$name" ]
		[ -s "$root/usr/share/fish/vendor_completions.d/$name.fish" ]
	done
	[ -s "$root/usr/share/man/man7/sse-tools.7.gz" ]
	grep -q '^u sse-serve ' "$root/usr/lib/sysusers.d/sse-tools.conf"
	[ "$(dpkg-deb -I "$(packages | head -n 1)" conffiles)" = /etc/sse-serve/sse-serve.conf ]
	name=$(find "$root" -path '*/systemd/system/sse-serve.socket')
	[ -s "$name" ]
	# The service reads the settings that the package has.
	grep -qx 'Environment=SSE_CONFIG=/etc/sse-serve/sse-serve.conf' "${name%socket}service"
	grep -qx 'ExecStart="/usr/bin/sse-serve"' "${name%socket}service"
	# The units' user is the one that is made.
	grep -qx 'User=sse-serve' "${name%socket}service"
	# debconf would ask.
	for name in $(packages); do
		run dpkg-deb --ctrl-tarfile "$name"
		[ "$(dpkg-deb --ctrl-tarfile "$name" | tar -t | grep -e config -e templates)" = '' ]
	done
}

@test "a program builds with libsse-dev, and runs with libsse0" {
	unpack
	local lib
	lib=$(dirname "$(find "$root/usr/lib" -name libsse.so.0)")
	export PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
	export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
	eval "cc -o '$BATS_TEST_TMPDIR/example' '$one/tests/unit/example_libsse.c' $(pkg-config --cflags --libs libsse)"
	printf 'data: Hello, world!\n\n' | LD_LIBRARY_PATH=$lib "$BATS_TEST_TMPDIR/example" |
		grep 'message: Hello, world!'
	[ "$(readlink -f "$root/usr/share/man/man3/sse_parser_new.3.gz")" = \
		"$(readlink -f "$root/usr/share/man/man3/libsse.3.gz")" ]
	# Who links with the shared library depends on its package.
	[ "$(dpkg-deb -I "$(packages | sed -n 2p)" shlibs)" = 'libsse 0 libsse0 (>= 0.1.0)' ]
}

@test "a program builds with libsse-follow-dev, which needs libsse-dev and libcurl's, and runs with libsse-follow0" {
	unpack
	local lib
	lib=$(dirname "$(find "$root/usr/lib" -name libsse-follow.so.0)")
	# pkg-config reads libcurl's file, too, and those that it needs.
	PKG_CONFIG_LIBDIR=$lib/pkgconfig:$(pkg-config --variable pc_path pkg-config)
	export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR=$root
	export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
	eval "cc -o '$BATS_TEST_TMPDIR/example' '$one/tests/unit/example_libsse_follow.c' $(pkg-config --cflags --libs libsse-follow)"
	LD_LIBRARY_PATH=$lib run "$BATS_TEST_TMPDIR/example" none
	[ "$status" -eq 1 ]
	[[ $output == "'none' is not a usable URL: "* ]]
	[ "$(readlink -f "$root/usr/share/man/man3/sse_follow_new.3.gz")" = \
		"$(readlink -f "$root/usr/share/man/man3/sse_follow.3.gz")" ]
	[ "$(dpkg-deb -I "$(packages | sed -n 4p)" shlibs)" = 'libsse-follow 0 libsse-follow0 (>= 0.1.0)' ]
	[[ $(dpkg-deb -f "$(packages | sed -n 4p)" Depends) == *libcurl* ]]
	[[ $(dpkg-deb -f "$(packages | sed -n 5p)" Depends) == *'libsse-dev (= '*libcurl4-openssl-dev* ]]
}

@test "each line of the settings that is commented out is an option, with a value that it takes" {
	local name value settings=()
	while read -r name value; do
		run "$BIN/sse-serve" --help
		grep -qE -- "^ +(-., )?--$name " <<<"$output"
		settings+=("--$name" "$value")
	done < <(sed -n 's/^#\([a-z]\)/\1/p' "$one/.debian/sse-serve.conf")
	# All options are read before the database, which is not there.
	run "$BIN/sse-serve" "${settings[@]}" --db "$BATS_TEST_TMPDIR/none" --verify
	[ "$status" -eq 66 ]
	run "$BIN/sse-serve" "${settings[@]}" --max-body 9x --db "$BATS_TEST_TMPDIR/none" --verify
	[ "$status" -eq 64 ]
	# As it is shipped, it sets nothing.
	run grep -v -e '^#' -e '^$' "$one/.debian/sse-serve.conf"
	[ "$output" = '' ]
}

@test "root installs, changes a setting, installs again, removes and purges" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	# shellcheck disable=SC2046 # names without spaces
	to_root -i $(packages)
	grep -q '^sse-serve:.*nologin$' "$root/etc/passwd"
	echo 'listen 127.0.0.1:8001' >>"$root/etc/sse-serve/sse-serve.conf"
	# shellcheck disable=SC2046
	to_root -i $(packages)
	to_root -r sse-tools libsse-follow-dev libsse-follow0 libsse-dev libsse0
	# What Debian notes of units goes with the settings.
	[ "$(left | grep -v '^./var/lib/systemd/deb-systemd-helper-enabled/')" = ./etc/sse-serve/sse-serve.conf ]
	grep -q 8001 "$root/etc/sse-serve/sse-serve.conf"
	to_root -P sse-tools
	[ "$(left)" = '' ]
}

@test "an upgrade restarts the service, but never the socket; a removal stops the socket first" {
	local scripts=$BATS_TEST_TMPDIR/scripts
	dpkg-deb -e "$(packages | head -n 1)" "$scripts"
	run grep -h 'deb-systemd-invoke' "$scripts/postinst"
	[[ $output = *"\$_dh_action 'sse-serve.service' >"*"deb-systemd-invoke start 'sse-serve.socket' >"* ]]
	grep -qx '[[:blank:]]*_dh_action=restart' "$scripts/postinst"
	# Before an upgrade nothing is stopped.
	run cat "$scripts/preinst"
	[[ $output != *deb-systemd-invoke* ]]
	run grep -h 'deb-systemd-invoke' "$scripts/prerm"
	[[ ${lines[0]} = *"stop 'sse-serve.socket'"* ]]
	[[ ${lines[1]} = *"stop 'sse-serve.service'"* ]]
	[ "${#lines[@]}" -eq 2 ]
}

@test "lintian finds no error in them" {
	command -v lintian >/dev/null || skip 'lintian is not installed'
	local words=()
	[ "$(id -u)" -ne 0 ] || words=(--allow-root)
	# A program that is compiled without optimization is not fortified: make deb compiles with it.
	run lintian "${words[@]}" --suppress-tags hardening-no-fortify-functions --fail-on error \
		"$debs"/*.changes
	[ "$status" -eq 0 ]
	[[ $output != *'E: '* ]]
}

@test "another machine builds the same bytes, from the tarball, in another folder and time zone" {
	mkdir "$BATS_TEST_TMPDIR/other"
	tar -xzf "$one"/build/sse-tools-*.tar.gz -C "$BATS_TEST_TMPDIR/other"
	cd "$BATS_TEST_TMPDIR"/other/sse-tools-*
	(umask 077 && TZ=Asia/Tokyo LC_ALL=C HOME=/nowhere make deb)
	local file
	for file in "$debs"/*.deb "$debs"/*.dsc "$debs"/*.tar.*; do
		cmp "$file" "build/deb/${file##*/}"
	done
}

@test "make deb takes the name of who builds, and a homepage, and says what it lacks" {
	cd "$one"
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	# One that shows what it would build.
	printf '#!/bin/sh\nhead -n 12 debian/control; cat debian/changelog\nexit 1\n' \
		>"$BATS_TEST_TMPDIR/bin/dpkg-buildpackage"
	chmod +x "$BATS_TEST_TMPDIR/bin/dpkg-buildpackage"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run sh .ci/deb sse-tools 0.1.0 build/sse-tools-0.1.0.tar.gz \
		"$BATS_TEST_TMPDIR/deb" 'Ann & Bob <a@example.org>' 'https://example.org/a\1'
	[ "$status" -ne 0 ]
	[[ $output = *'Maintainer: Ann & Bob <a@example.org>'*'Build-Depends: debhelper-compat (= 13), libcjose-dev,'* ]]
	[[ $output = *'Homepage: https://example.org/a\1'*' -- Ann & Bob <a@example.org>  '* ]]
	[[ $output = *'the packages are not built'* ]]
	sed -i '/command:dh /s/command:dh /command:no-such-dh /' .ci/deps
	run make deb
	git checkout -q .ci/deps
	[ "$status" -ne 0 ]
	[[ $output = *'the packages need what is not here: no-such-dh'*'make deps-deb'* ]]
}

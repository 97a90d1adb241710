#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What make install puts in place works from there, and make uninstall leaves nothing.

load package_helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	# From here, if it is in here: what is above may have spaces in its name.
	built=$(dirname "$BIN")
	build=${built#"$PWD"/}
	dest="$BATS_TEST_TMPDIR/a folder"
	# Objects are there already: a make of its own, with nothing from the outer one.
	make="env -u PREFIX -u BINDIR -u LIBDIR -u INCLUDEDIR -u MANDIR make BUILD=$build"
}

teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
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
	[ -s "$dest/opt/sse/lib/libsse.so.0" ]
	[ "$(readlink "$dest/opt/sse/lib/libsse.so")" = libsse.so.0 ]
	[ -s "$dest/opt/sse/include/sse.h" ]
	[ -s "$dest/opt/sse/lib/pkgconfig/libsse.pc" ]
	[ -s "$dest/opt/sse/lib/libsse-follow.a" ]
	[ -s "$dest/opt/sse/lib/libsse-follow.so.0" ]
	[ "$(readlink "$dest/opt/sse/lib/libsse-follow.so")" = libsse-follow.so.0 ]
	[ -s "$dest/opt/sse/include/sse_follow.h" ]
	[ -s "$dest/opt/sse/lib/pkgconfig/libsse-follow.pc" ]
	[ -s "$dest/opt/sse/share/man/man3/sse_follow.3" ]
}

@test "the units and the dashboard are installed, and the units name the program where it is" {
	install_there
	[ -s "$dest/opt/sse/lib/systemd/system/sse-serve.socket" ]
	grep -qx 'ExecStart="/opt/sse/bin/sse-serve"' "$dest/opt/sse/lib/systemd/system/sse-serve.service"
	$make install DESTDIR="$dest" PREFIX="/a \"100%\" & \\b" UNITDIR=/units
	grep -qxF 'ExecStart="/a \"100%%\" & \\b/bin/sse-serve"' "$dest/units/sse-serve.service"
	grep -qxF 'ExecReload="/a \"100%%\" & \\b/bin/sse-serve" --check-config' "$dest/units/sse-serve.service"
	[ -s "$dest/opt/sse/share/sse-tools/grafana/sse-serve.json" ]
	# Its user is made by systemd-sysusers.
	grep -q "^u $(sed -n 's/^User=//p' "$dest/units/sse-serve.service") " \
		"$dest/opt/sse/lib/sysusers.d/sse-serve.conf"
}

@test "the units are valid, and the service is confined: an exposure of at most 2.0" {
	command -v systemd-analyze >/dev/null || skip 'systemd-analyze is not here'
	prefix=$BATS_TEST_TMPDIR/there
	$make install PREFIX="$prefix"
	units=$prefix/lib/systemd/system
	systemd-analyze security --help | grep -q -- --offline || skip 'systemd-analyze is too old'
	systemd-analyze security --offline=true --threshold=20 "$units/sse-serve.service"
	# It can fail.
	sed '/^SystemCallFilter=/d; /^Protect/d; /^CapabilityBoundingSet=/d' \
		"$units/sse-serve.service" >"$BATS_TEST_TMPDIR/open.service"
	run systemd-analyze security --offline=true --threshold=20 "$BATS_TEST_TMPDIR/open.service"
	[ "$status" -ne 0 ]
	# verify needs folders that a container may lack.
	run systemd-analyze verify --man=no "$units/sse-serve.socket" "$units/sse-serve.service"
	[[ $output != *sse-serve.s*:* ]]
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

@test "a PREFIX with spaces and quotes works, and uninstall takes it away with its folders" {
	mkdir "$dest"
	prefix="$dest/it's 1 & 2"
	$make install PREFIX="$prefix"
	"$prefix/bin/sse-tail" --version
	PKG_CONFIG_PATH="$prefix/lib/pkgconfig" run pkg-config --variable=libdir libsse
	[ "$output" = "$prefix/lib" ]
	$make uninstall PREFIX="$prefix"
	run find "$dest" -mindepth 1
	[ "$output" = '' ]
}

@test "the folders that every system has in /usr/local stay, empty or not" {
	unshare -rm true || skip 'no folder can be put over /usr/local here'
	folders='bin include lib share share/man'
	run unshare -rm sh -euc "mount -t tmpfs none /usr/local
		(cd /usr/local && mkdir $folders) && $make install >&2
		[ -x /usr/local/bin/sse-serve ] && $make uninstall >&2
		cd /usr/local && find * | LC_ALL=C sort | tr '\n' ' '"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "$folders " ]
}

@test "nothing that is installed names the folder in which it was built" {
	install_there
	run grep -rlF -e "$PWD" -e "$built" "$dest"
	[ "$output" = '' ]
}

@test "what is installed can be read by all, whatever the umask" {
	(umask 077 && install_there)
	run find "$dest/opt" ! -type l ! -perm -004
	[ "$output" = '' ]
	run find "$dest/opt" ! -type l -perm /022
	[ "$output" = '' ]
}

@test "root installs what was built in the folder of somebody else, and builds nothing there" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	copy_tree "$BATS_TEST_TMPDIR/tree"
	chown -R 12345 "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	run make install DESTDIR="$dest"
	[ "$status" -ne 0 ]
	[[ $output = *"is not there or out of date; run 'make' before 'sudo make install'"* ]]
	[ ! -e build ]
	[ ! -e "$dest" ]
	# What was built of the files that these are copies of is as good as built here.
	ln -s "$built" build
	run make install DESTDIR="$dest"
	[ "$status" -eq 0 ]
	[ -x "$dest/usr/local/bin/sse-serve" ]
	rm build
	chown 0 .
	run make -n install DESTDIR="$dest"
	[[ $output = *' -c -o build/obj/lib/'* ]]
}

@test "every folder can be chosen" {
	install_there BINDIR=/b LIBDIR=/l/x86 INCLUDEDIR=/i MANDIR=/m BASHDIR=/c1 ZSHDIR=/c2 FISHDIR=/c3 \
		UNITDIR=/u SYSUSERSDIR=/y DATADIR=/z
	run ls "$dest"
	[ "$output" = "$(printf '%s\n' b c1 c2 c3 i l m u y z)" ]
	grep -x 'libdir=/l/x86' "$dest/l/x86/pkgconfig/libsse.pc"
}

@test "the .pc has an URL where there is one, and no empty one" {
	install_there HOMEPAGE='https://example.org/a?b&c|d'
	grep -x 'URL: https://example.org/a?b&c|d' "$dest/opt/sse/lib/pkgconfig/libsse.pc"
	install_there
	run grep -e URL -e @ "$dest/opt/sse/lib/pkgconfig/libsse.pc"
	[ "$output" = '' ]
}

@test "man finds the page of each library by the name of each function" {
	install_there
	local pages=$dest/opt/sse/share/man/man3 name
	for name in $(exported lib/libsse.map); do
		[ "$(readlink "$pages/$name.3")" = libsse.3 ]
	done
	for name in $(exported lib/follow/libsse-follow.map); do
		[ "$(readlink "$pages/$name.3")" = sse_follow.3 ]
	done
	[ "$(find "$pages" -type l | wc -l)" -eq \
		"$({ exported lib/libsse.map && exported lib/follow/libsse-follow.map; } | wc -l)" ]
}

@test "a program of someone else builds with the installed libsse, by its .pc, and runs: shared and static" {
	install_there
	export PKG_CONFIG_PATH="$dest/opt/sse/lib/pkgconfig"
	local how flags
	cp tests/unit/example_libsse.c "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	for how in '' --static; do
		flags=$(pkg-config --define-variable=prefix="$dest/opt/sse" $how --cflags --libs libsse)
		# Words as the shell reads them: the folder has a space in its name.
		eval "cc -std=c11 -Wall -Wextra -Werror -o example${how} example_libsse.c $flags ${how#-}"
		printf 'event: update\ndata: Hello, world!\n\n' |
			LD_LIBRARY_PATH="$dest/opt/sse/lib" "./example$how" >out
		grep -q 'Hello, world!' out
	done
	objdump -p example | grep 'NEEDED *libsse.so.0$'
	run objdump -p example--static
	[[ $output != *NEEDED* ]]
}

@test "the program that sse_follow(3) shows is the one that is tested, and has the lines that sse_follow.h shows" {
	local example=tests/unit/example_libsse_follow.c part
	awk '/^\.Sh EXAMPLES/ { in_it = 1 } in_it && /^\.Ed/ { exit } in_it && !/^\.|^This/' man/sse_follow.3 |
		sed 's/\\e/\\/g' | diff "$example" -
	sed -n 's/^ \*\t//p' lib/follow/sse_follow.h >"$BATS_TEST_TMPDIR/header"
	for part in '1,/^}/' '/^struct sse_follow /,/run(/' '/^if/,$'; do
		sed -n "${part}p" "$BATS_TEST_TMPDIR/header" | tr -s ' \t\n' ' ' >"$BATS_TEST_TMPDIR/part"
		[ -s "$BATS_TEST_TMPDIR/part" ]
		tr -s ' \t\n' ' ' <"$example" | grep -qF "$(cat "$BATS_TEST_TMPDIR/part")"
	done
}

@test "the program that sse_follow(3) shows builds with the installed libsse-follow, and follows: shared and static" {
	install_there
	export PKG_CONFIG_PATH="$dest/opt/sse/lib/pkgconfig"
	local how flags libcurl url
	cp tests/unit/example_libsse_follow.c "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	"$BIN/sse-serve" --db :memory: --listen 0 >serving 2>&1 3>&- &
	server=$!
	for _ in {1..600}; do
		url=$(sed -n 's/.*Listening on //p' serving)
		[ -z "$url" ] || break
		sleep 0.05
	done
	[ -n "$url" ]
	SSE_URL=$url "$BIN/sse-post" a -d '"Hello, world!"'
	SSE_URL=$url "$BIN/sse-post" a --close
	libcurl=$(pkg-config --libs libcurl)
	# As a variable of pkg-config's it would be the prefix of libcurl's own libraries, too.
	sed -i "s|^prefix=.*|prefix=$dest/opt/sse|" "$PKG_CONFIG_PATH"/*.pc
	for how in '' static; do
		flags=$(pkg-config --cflags --libs libsse-follow)
		# Of the static libraries libcurl is none: its own are seldom there.
		[ -z "$how" ] || flags="${flags/-lsse-follow/-l:libsse-follow.a} $libcurl"
		[ -z "$how" ] || flags=${flags/-lsse /-l:libsse.a }
		eval "cc -std=c11 -Wall -Wextra -Werror -o example$how example_libsse_follow.c $flags"
		LD_LIBRARY_PATH="$dest/opt/sse/lib" "./example$how" "$url/api/a/event?since=all" >out
		grep -x '"Hello, world!"' out
	done
	kill "$server"
	wait "$server"
	server=
	objdump -p example | grep 'NEEDED *libsse-follow.so.0$'
	objdump -p examplestatic | grep 'NEEDED *libcurl'
	run sh -c 'objdump -p examplestatic | grep "NEEDED *libsse"'
	[ "$output" = '' ]
}

@test "libsse exports only what its header declares, and needs only the C library" {
	run sh -c "nm -g --defined-only '$built/libsse.a' | sed -n 's/^[0-9a-f]* [A-Z] //p' | grep -v '^sse_'"
	[ "$output" = '' ]
	for name in $(nm -g --defined-only "$built/libsse.a" | sed -n 's/^[0-9a-f]* [A-Z] //p'); do
		grep -qE "\b$name\(" lib/*.h
	done
}

@test "libsse can become part of a shared library" {
	cc -shared -o "$BATS_TEST_TMPDIR/libwrap.so" -Wl,--whole-archive "$built/libsse.a" \
		-Wl,--no-whole-archive -Wl,-z,text
}

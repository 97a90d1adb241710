#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds everything that is C with musl, by its wrapper musl-gcc, and runs what needs nothing else; for
# tests/lint.sh, with BUILD and MAKE.  Prints what does not build, or nothing.
#
# Debian has none of our packages for musl.  So it takes their headers alone, from a folder that has no
# header of glibc, and links without them: what is missing then must be in one of them.
set -eu
cd "$(dirname "$0")/../.."
# By the name that is in every PATH.
export REALGCC="${REALGCC:-cc}"
build=${BUILD:-build}/musl
rm -rf "$build/headers"
mkdir -p "$build/headers"

# package NAME HEADER LIBRARY: a link to the header, or to all of the folder that it is in; and the
# library's symbols, in $build/theirs.  (Some headers say that they do not want to be included alone.)
package() {
	# shellcheck disable=SC2046 # a list of flags
	path=$(echo "#include <$2>" | cc $([ -z "$1" ] || pkg-config --cflags "$1") -E -x c - 2>/dev/null |
		sed -n "s,^# 1 \"\\(/.*/$2\\)\".*,\\1,p" | head -n 1)
	case $2 in
	*/*) mkdir -p "$build/headers/${2%/*}" && ln -sf "${path%/*}"/* "$build/headers/${2%/*}" ;;
	*) ln -s "$path" "$build/headers/$2" ;;
	esac
	symbols "$(cc -print-file-name="$3")" >>"$build/theirs"
}

symbols() {
	nm -D --defined-only "$1" | sed 's/@.*//' | awk '{ print $NF }'
}

# musl's loader is its C library.
symbols /lib/ld-musl-*.so.1 >"$build/theirs"
package libmicrohttpd microhttpd.h libmicrohttpd.so
package libcurl curl/curl.h libcurl.so
package libcjson cjson/cJSON.h libcjson.so
package sqlite3 sqlite3.h libsqlite3.so
package cmocka cmocka.h libcmocka.so
! pkg-config --exists libnats || package libnats nats/nats.h libnats.so
package cjose cjose/cjose.h libcjose.so
package jansson jansson.h libjansson.so
package libcrypto openssl/evp.h libcrypto.so
# Of some systems' OpenSSL, headers of one machine are elsewhere.
package libcrypto openssl/opensslconf.h libcrypto.so
package zlib zlib.h libz.so
package zlib zconf.h libz.so
# libunistring has no .pc file.
for header in unictype.h uninorm.h unistr.h unitypes.h unistring/cdefs.h; do
	package '' "$header" libunistring.so
done
package libseccomp seccomp.h libseccomp.so
package libseccomp seccomp-syscalls.h libseccomp.so
# The kernel's headers, which that one includes, are of no C library.
package libseccomp linux/audit.h libseccomp.so
package libseccomp asm/unistd.h libseccomp.so
package libseccomp asm-generic/unistd.h libseccomp.so

cat >"$build/pkg-config" <<END
#!/bin/sh
case \$1 in
--exists) exec pkg-config "\$@" ;;
--cflags) echo "-idirafter $build/headers" ;;
esac
END
chmod +x "$build/pkg-config"

# -fPIC: data of a library that is not there is looked up as a function is.
status=0
env -u MAKEFLAGS CPPFLAGS="-idirafter $build/headers" "${MAKE:-make}" -s -k -j2 CC=musl-gcc BUILD="$build" WERROR=1 \
	PKG_CONFIG="$build/pkg-config" LIBUNISTRING= CFLAGS='-O1 -fPIC' LDFLAGS=-Wl,--unresolved-symbols=ignore-all \
	all units helpers benches fuzzers >"$build/log" 2>&1 || status=$?
grep -v '^  [A-Z]* ' "$build/log" >&2 || :
find "$build/bin" "$build/tests" -type f -exec nm -Du {} + | sed -n 's/.* [Uw] //p' | sort -u |
	grep -vxF -f "$build/theirs" | sed '/^_ITM_/d; s/$/ is not in musl/' >"$build/missing" || :
cat "$build/missing" >&2
[ ! -s "$build/missing" ] || status=1
"$build/tests/fuzz_parser" 1 >"$build/log" 2>&1 || {
	cat "$build/log" >&2
	status=1
}
exit "$status"

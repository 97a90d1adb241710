# SPDX-License-Identifier: MIT
# What the tests of the makefile share.

# The tree's files, without what was built, in folder $1.
copy_tree() {
	mkdir -p "$1"
	tar -c --exclude='./build*' --exclude=./.git --exclude=node_modules . | tar -x -C "$1"
}

# A pkg-config that hides the modules in $HIDDEN, as if they were not installed; $shim is its name.
hiding_pkg_config() {
	shim=$BATS_TEST_TMPDIR/pkg-config
	cat >"$shim" <<-'EOF'
		#!/bin/sh
		for word; do
			case " $HIDDEN " in *" $word "*) exit 1 ;; esac
		done
		exec pkg-config "$@"
	EOF
	chmod +x "$shim"
}

# exported MAP: the names that a shared library exports, as its list says.
exported() {
	sed -n '/^global:/,/^local:/s/^\t\([a-z0-9_]*\);$/\1/p' "$1"
}

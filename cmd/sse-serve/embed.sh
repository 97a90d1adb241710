#!/bin/sh
# SPDX-License-Identifier: MIT
# Turn the pages given as arguments into a C table (struct page in pages.h) on stdout, each with
# its form by gzip where there is that program and the form is at least a tenth smaller.  Modules
# are sent without the lines of their comments, but for the licence.
set -eu

small=$(mktemp)
page=$(mktemp)
trap 'rm -f "$small" "$page"' EXIT

# lean FILE: it becomes $page.
lean() {
	case $1 in
	*.js) sed '1b
/^[[:space:]]*\/\//d
/^[[:space:]]*\/\*\*.*\*\/$/d
/^[[:space:]]*\/\*\*$/,/\*\/$/d' "$1" ;;
	*) cat "$1" ;;
	esac >"$page"
}

# bytes NAME FILE: the file as an array.
bytes() {
	echo "static const unsigned char $1[] = {"
	od -An -v -tx1 "$2" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo '};'
}

# pays FILE: is its compressed form, which is then in $small, worth it?
pays() {
	command -v gzip >/dev/null && gzip -9 -n -c "$1" >"$small" &&
		[ $(($(wc -c <"$small") * 10)) -le $(($(wc -c <"$1") * 9)) ]
}

echo '/* SPDX-License-Identifier: MIT */'
echo '/* Made by embed.sh from the pages; see pages.h. */'
echo '#include "api/pages.h"'
n=0
rows=''
for file in "$@"; do
	lean "$file"
	bytes "page_$n" "$page"
	row="{\"${file##*/}\", {page_$n, sizeof(page_$n)}, {0}},"
	if pays "$page"; then
		bytes "gzip_$n" "$small"
		row="{\"${file##*/}\", {page_$n, sizeof(page_$n)}, {gzip_$n, sizeof(gzip_$n)}},"
	fi
	rows="$rows$row
"
	n=$((n + 1))
done
echo 'const struct page pages[] = {'
printf '%s' "$rows"
echo '{0}};'

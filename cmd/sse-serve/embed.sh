#!/bin/sh
# SPDX-License-Identifier: MIT
# Turn the pages given as arguments into a C table (struct page in pages.h) on stdout.
set -eu

echo '/* SPDX-License-Identifier: MIT */'
echo '/* Made by embed.sh from the pages; see pages.h. */'
echo '#include "pages.h"'
n=0
for file in "$@"; do
	echo "static const unsigned char page_${n}[] = {"
	od -An -v -tx1 "$file" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo '};'
	n=$((n + 1))
done
echo 'const struct page pages[] = {'
n=0
for file in "$@"; do
	echo "{\"${file##*/}\", page_$n, sizeof(page_$n)},"
	n=$((n + 1))
done
echo '{0}};'

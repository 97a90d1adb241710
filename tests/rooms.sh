#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The rooms of the sources and the arrows between them, which are their #include "..." lines.
#   tests/rooms.sh          prints what should not be: an arrow that the table lacks, a circle of
#                           modules, a header that is nowhere, a room or an exception of no use
#   tests/rooms.sh arrows   prints each arrow between modules, as FROM TO
# A room is a folder.  A module is NAME.c, NAME.h or both, in one room; main.c is one too.
set -u
cd "$(dirname "$0")/.." || exit 1

# Each room with those that it may include besides itself, from the bottom to the top.
rooms='
lib
cmd/sse-post lib
cmd/sse-tail lib
cmd/sse-serve/base lib
cmd/sse-serve/log cmd/sse-serve/base lib
cmd/sse-serve/stream cmd/sse-serve/log cmd/sse-serve/base lib
cmd/sse-serve/http cmd/sse-serve/log cmd/sse-serve/base lib
cmd/sse-serve/api cmd/sse-serve/http cmd/sse-serve/stream cmd/sse-serve/log cmd/sse-serve/base lib
cmd/sse-serve/maintain cmd/sse-serve/log cmd/sse-serve/base lib
cmd/sse-serve cmd/sse-serve/api cmd/sse-serve/http cmd/sse-serve/stream cmd/sse-serve/log cmd/sse-serve/base cmd/sse-serve/maintain lib
'

# Arrows that are left out where circles are looked for: two modules that still know each other.
exceptions='
cmd/sse-post/key cmd/sse-post/options
'

# A header is the one beside the file, in a folder of the program, or in lib.
arrows() {
	local sources
	mapfile -t sources < <(find lib cmd -name '*.[ch]' | LC_ALL=C sort)
	awk '
	function folder(path) {
		sub("/[^/]*$", "", path)
		return path
	}
	function program(path, part) {
		split(path, part, "/")
		return part[1] == "cmd" ? part[1] "/" part[2] : part[1]
	}
	function find(name) {
		if ((folder(FILENAME) "/" name) in known)
			return folder(FILENAME) "/" name
		if ((program(FILENAME) "/" name) in known)
			return program(FILENAME) "/" name
		return ("lib/" name) in known ? "lib/" name : "nowhere/" name
	}
	BEGIN {
		for (i = 1; i < ARGC; i++)
			known[ARGV[i]]
	}
	/^#include "/ {
		split($0, part, "\"")
		from = FILENAME
		to = find(part[2])
		sub("[.][ch]$", "", from)
		if (to !~ "^nowhere")
			sub("[.]h$", "", to)
		if (to != from)
			print from, to
	}' "${sources[@]}" | LC_ALL=C sort -u
}

# What the table has to say of the arrows.
between_rooms() {
	awk '
	function room(module) { sub("/[^/]*$", "", module); return module }
	NR == FNR {
		if (NF > 0)
			known[$1]
		for (i = 2; i <= NF; i++) {
			if (!($i in known))
				print "the table: " $1 " may include " $i ", which is not below it"
			may[$1, $i]
		}
		next
	}
	{
		used[room($1)]
		used[room($2)]
		if ($2 ~ "^nowhere/")
			print $1 " includes " substr($2, 9) ", which is neither in its program nor in lib"
		else if (!(room($1) in known))
			print $1 " is in a room that the table lacks"
		else if (room($1) != room($2) && !((room($1), room($2)) in may))
			print $1 " includes " $2 ": an arrow from " room($1) " to " room($2)
	}
	END {
		for (one in known)
			if (!(one in used))
				print "the table: " one " is not a room"
	}' <(echo "$rooms") -
}

# What reaches itself by arrows is in a circle.  What includes nothing that is left, or is included by
# nothing that is left, is not, and goes first.
circles() {
	awk '
	function trim(one, part, gone) {
		delete from
		delete to
		for (one in arrow) {
			split(one, part, SUBSEP)
			if (part[1] in left && part[2] in left) {
				from[part[1]]
				to[part[2]]
			}
		}
		for (one in left)
			if (!(one in from && one in to)) {
				delete left[one]
				gone++
			}
		return gone
	}
	NR == FNR {
		if (NF == 2)
			except[$1, $2]
		next
	}
	($1, $2) in except {
		delete except[$1, $2]
		next
	}
	{
		arrow[$1, $2]
		left[$1]
		left[$2]
	}
	END {
		for (one in except) {
			split(one, part, SUBSEP)
			print "the exception " part[1] " to " part[2] " is of no use"
		}
		while (trim() > 0)
			;
		for (one in arrow)
			reach[one]
		for (k in left)
			for (i in left)
				if ((i, k) in reach)
					for (j in left)
						if ((k, j) in reach)
							reach[i, j]
		for (one in arrow) {
			split(one, part, SUBSEP)
			if (part[1] in left && (part[2], part[1]) in reach)
				print "in a circle: " part[1] " includes " part[2]
		}
	}' <(echo "$exceptions") - | LC_ALL=C sort
}

all=$(arrows)
if [ "${1:-}" = arrows ]; then
	echo "$all"
	exit
fi
between_rooms <<<"$all"
circles <<<"$all"

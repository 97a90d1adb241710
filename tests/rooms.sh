#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The rooms of the sources and the arrows between them, which are their #include "..." lines.
#   tests/rooms.sh           prints what should not be: an arrow up, or one that DESIGN.md does not
#                            show, a circle of modules, a header that is nowhere
#   tests/rooms.sh arrows    prints each arrow between modules, as FROM TO
#   tests/rooms.sh picture   prints the picture of the rooms, as the #include lines have it
#   tests/rooms.sh shown     prints the picture that DESIGN.md shows
# A room is a folder.  A module is NAME.c, NAME.h or both, in one room; main.c is one too.
set -u
cd "$(dirname "$0")/.." || exit 1

# The picture has a line for each room, ROOM -> ROOM, ROOM..., in the order from the top to the bottom.
shown() {
	sed -n '/^## The rooms$/,/^## Where/p' DESIGN.md | grep -E '^[a-z/-]+ +-> '
}

# The rooms of the picture by their folders, from the bottom to the top, each with those that it may
# include besides itself.  A name without a slash is a folder of sse-serve.
rooms() {
	shown | tr -d ',' | awk '
	function folder(name) { return name ~ "/|^lib$" ? name : "cmd/sse-serve/" name }
	{
		line[NR] = folder($1)
		for (i = 3; i <= NF && $i != "nothing"; i++)
			line[NR] = line[NR] " " folder($i)
	}
	END {
		for (i = NR; i > 0; i--)
			print line[i]
	}'
}

# The picture of these arrows, in the order of the one that is shown; rooms that it lacks come last.
picture() {
	awk '
	function room(module) { sub("/[^/]*$", "", module); return module }
	function name(folder) { sub("^cmd/sse-serve/", "", folder); return folder }
	function add(folder) {
		if (!(folder in seen))
			order[++rooms] = folder
		seen[folder]
	}
	NR == FNR {
		shown[NR] = $1
		bottom = NR
		next
	}
	bottom {
		for (; bottom > 0; bottom--)
			add(shown[bottom])
	}
	{
		add(room($1))
		add(room($2))
		if (room($1) != room($2))
			arrow[room($1), room($2)]
	}
	END {
		for (i = 1; i <= rooms; i++) {
			list = ""
			for (j = 1; j <= rooms; j++)
				if ((order[i], order[j]) in arrow)
					list = list (list == "" ? "" : ", ") name(order[j])
			printf "%-18s -> %s\n", name(order[i]), list == "" ? "nothing" : list
		}
	}' <(rooms) -
}

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
	function find(name, i) {
		if ((folder(FILENAME) "/" name) in known)
			return folder(FILENAME) "/" name
		if ((program(FILENAME) "/" name) in known)
			return program(FILENAME) "/" name
		for (i = 1; i <= libs; i++)
			if ((lib[i] "/" name) in known)
				return lib[i] "/" name
		return "nowhere/" name
	}
	BEGIN {
		libs = split("lib lib/common lib/json lib/follow lib/client", lib, " ")
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

# What should not be among these arrows.
between_rooms() {
	awk '
	function room(module) { sub("/[^/]*$", "", module); return module }
	NR == FNR {
		if (NF > 0)
			known[$1]
		for (i = 2; i <= NF; i++) {
			if (!($i in known))
				print "DESIGN.md: " $1 " includes " $i ", which is not below it"
			may[$1, $i]
		}
		next
	}
	{
		if ($2 ~ "^nowhere/")
			print $1 " includes " substr($2, 9) ", which is neither in its program nor in lib"
		else if (!(room($1) in known))
			print $1 " is in a room that DESIGN.md does not show"
		else if (room($1) != room($2) && !((room($1), room($2)) in may))
			print $1 " includes " $2 ": an arrow from " room($1) " to " room($2)
	}' <(rooms) -
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
	{
		arrow[$1, $2]
		left[$1]
		left[$2]
	}
	END {
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
	}' | LC_ALL=C sort
}

all=$(arrows)
case ${1:-} in
arrows) echo "$all" ;;
picture) picture <<<"$all" ;;
shown) shown ;;
*)
	between_rooms <<<"$all"
	circles <<<"$all"
	;;
esac

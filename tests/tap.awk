# SPDX-License-Identifier: MIT
# Reads the TAP of one test program: prints each failure with what belongs to it, and at the end
# one line "passed failed skipped planned seen" for tests/run.  Why a test was skipped goes into the
# file that the variable skips names.  A test that has subtests, as node
# prints them, is its subtests; a program may print several plans, one after the other, as cmocka
# does for groups.
function indent_of(line) {
	match(line, /^ */)
	return RLENGTH
}
# A YAML block belongs to the line above it, whatever it holds.
in_yaml {
	if (telling)
		print
	if ($0 ~ /^ *\.\.\.$/)
		in_yaml = 0
	next
}
/^ *---$/ {
	in_yaml = 1
	if (telling)
		print
	next
}
/^1\.\.[0-9]+/ {
	split($1, plan, /\.\./)
	planned += plan[2]
	telling = 0
	next
}
/^ *(not )?ok( |$)/ {
	depth = indent_of($0)
	bad = ($0 ~ /^ *not ok/)
	low = tolower($0)
	skip = (low ~ /# *(skip|todo)/)
	kids = bad_kids = 0
	for (d in points) {
		if (d + 0 > depth) {
			kids += points[d]
			bad_kids += failures[d]
			points[d] = failures[d] = 0
		}
	}
	points[depth]++
	telling = 0
	if (depth == 0)
		seen++
	if (kids > 0 && !(bad && bad_kids == 0)) {
		failures[depth] += (bad_kids > 0)
	} else if (skip) {
		skipped++
		if (skips != "") {
			reason = $0
			sub(/.*# *([Ss][Kk][Ii][Pp]|[Tt][Oo][Dd][Oo]):? */, "", reason)
			print reason == "" ? "no reason given" : reason >skips
		}
	} else if (bad) {
		failures[depth]++
		failed++
		telling = 1
		print
	} else {
		passed++
	}
	next
}
/^ *# Subtest/ {
	telling = 0
	next
}
telling { print }
END { print passed + 0, failed + 0, skipped + 0, planned + 0, seen + 0 }

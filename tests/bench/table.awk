# SPDX-License-Identifier: MIT
# Makes the tables of serve.sh and tail.sh.  The first file has the rows,
# WHAT|STORE|NAME|AGAINST|UNIT|BAR, the second the measurements, "RUN NAME VALUE".  A row whose
# figures were not measured is left out.  ${second} heads the second column if it is no store.

FNR == NR { rows[++count] = $0; next }
{ value[$2, $1] = $3; if ($1 > runs) runs = $1 }

# The values of a figure, or of its ratio to another, run by run, sorted into list[1..n].
function gather(name, against,    run, n, i, v) {
	n = 0
	for (run = 1; run <= runs; run++) {
		if (!((name, run) in value))
			continue
		v = value[name, run]
		if (against != "-") {
			if (!((against, run) in value) || value[against, run] == 0)
				continue
			v /= value[against, run]
		}
		for (i = n++; i > 0 && list[i] > v; i--)
			list[i + 1] = list[i]
		list[i + 1] = v
	}
	return n
}

function median(n) {
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function short(v) {
	if (v >= 1000 || v <= -1000)
		return sprintf("%.0f", v)
	return sprintf(v >= 10 || v <= -10 ? "%.1f" : "%.2f", v)
}

function plain(name, unit,    n) {
	n = gather(name, "-")
	return short(median(n)) " " unit
}

function verdict(bar, middle, least, most,    part) {
	if (bar == "report")
		return ""
	split(bar, part, " ")
	if (part[1] == "<=" ? middle <= part[2] : middle >= part[2])
		return "reached"
	if (part[1] == "<=" ? least <= part[2] : most >= part[2])
		return "reached within the spread"
	return "**not reached**"
}

function print_row(field,    n, middle, least, most, spread, figure, against) {
	n = gather(field[3], field[4])
	if (n == 0)
		return
	middle = median(n)
	least = list[1]
	most = list[n]
	spread = n > 1 ? " (" short(least) " to " short(most) ")" : ""
	figure = field[4] == "-" ? short(middle) " " field[5] spread : short(middle) spread
	against = field[4] == "-" ? "" : plain(field[3], field[5]) " / " plain(field[4], field[5])
	printf "| %s | %s | %s | %s | %s | %s |\n", field[1], field[2], against, figure,
		field[6] == "report" ? "" : field[6], verdict(field[6], middle, least, most)
}

END {
	print "| what | " (second ? second : "store") " | measured | figure | to reach | |"
	print "|---|---|---|---|---|---|"
	for (r = 1; r <= count; r++) {
		split(rows[r], field, "|")
		print_row(field)
	}
}

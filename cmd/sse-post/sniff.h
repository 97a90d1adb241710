/* SPDX-License-Identifier: MIT */
/*
 * Is it an event stream?  A parser takes anything for one, since fields that it does not know are
 * passed over; bytes without a field that it knows are something else.  Pure, torn anywhere.
 */
#ifndef SNIFF_H
#define SNIFF_H

#include <stdbool.h>
#include <stddef.h>

/* After so many bytes without a known field it is no event stream. */
#define SNIFF_MAX ((size_t)16 << 10)

/* All zero at the start. */
struct sniff {
	bool is_stream; /* a field or a comment was there */
	bool seen;	/* a line that is none was */
	bool brace;	/* the first such line begins like a JSON object */
	size_t taken;	/* bytes, as long as it is not known */
	char head[16];	/* of the line, up to its colon */
	size_t len;	/* of that, and what follows */
};

/* sniff_feed(sniff, data, len, ended): look at the next bytes; ${ended} ends the last line. */
void sniff_feed(struct sniff *sniff, const char *data, size_t len, bool ended);

/* sniff_is_other(sniff, ended): is it known to be something else? */
bool sniff_is_other(const struct sniff *sniff, bool ended);

#endif

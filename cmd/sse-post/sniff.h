/* SPDX-License-Identifier: MIT */
/*
 * Is the input an event stream?  A parser accepts any input, since it ignores unknown fields; input
 * without a known field is something else.  Pure; the input may be split anywhere.
 */
#ifndef SNIFF_H
#define SNIFF_H

#include <stdbool.h>
#include <stddef.h>

/* After so many bytes without a known field, the input is not an event stream. */
#define SNIFF_MAX ((size_t)16 << 10)

/* All zero at the start. */
struct sniff {
	bool is_stream; /* a known field or a comment was seen */
	bool seen;	/* another line was seen */
	bool brace;	/* the first such line begins like a JSON object */
	size_t taken;	/* bytes, as long as it is not known */
	char head[16];	/* of the line, up to its colon */
	size_t len;	/* of that, and what follows */
};

/* sniff_feed(sniff, data, len, ended): take the next bytes; ${ended} ends the last line. */
void sniff_feed(struct sniff *sniff, const char *data, size_t len, bool ended);

/* sniff_is_other(sniff, ended): is it certainly something else? */
bool sniff_is_other(const struct sniff *sniff, bool ended);

#endif

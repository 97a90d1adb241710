/* SPDX-License-Identifier: MIT */
/* What is well-formed UTF-8, from the table of the Unicode standard: slow, and with no trick in it. */
#ifndef UTF8_REFERENCE_H
#define UTF8_REFERENCE_H

#include <stddef.h>
#include <string.h>

/* Table 3-7: the least and the most of each byte; 0 is no byte more. */
static const unsigned char utf8_rows[9][4][2] = {
	{{0x00, 0x7f}},
	{{0xc2, 0xdf}, {0x80, 0xbf}},
	{{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}},
	{{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}},
	{{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}},
};

/*
 * utf8_reference(text, len, whole):
 * The length of the character at ${text}, which has ${len} bytes, 1 or more; or, with *${whole} 0, of
 * the longest beginning of one, at least 1.
 */
static inline size_t utf8_reference(const char *text, size_t len, int *whole)
{
	size_t row, longest = 1, i, size;

	for (row = 0; row < 9; row++) {
		for (size = 1; size < 4 && utf8_rows[row][size][1] != 0; size++)
			;
		for (i = 0; i < size && i < len; i++) {
			unsigned char byte = (unsigned char)text[i];

			if (byte < utf8_rows[row][i][0] || byte > utf8_rows[row][i][1])
				break;
		}
		if (i == size) {
			*whole = 1;
			return size;
		}
		longest = i > longest ? i : longest;
	}
	*whole = 0;
	return longest;
}

/*
 * utf8_reference_repair(text, len, out, valid):
 * Write to ${out}, which has room for 3 * ${len} bytes, what sse_utf8_repair() must; return how many
 * bytes.  *${valid} is what sse_utf8_valid() must return.
 */
static inline size_t utf8_reference_repair(const char *text, size_t len, char *out, size_t *valid)
{
	size_t at = 0, to = 0, size;
	int whole, good = 1;

	*valid = 0;
	while (at < len) {
		size = utf8_reference(text + at, len - at, &whole);
		memcpy(out + to, whole ? text + at : "\xef\xbf\xbd", whole ? size : 3);
		to += whole ? size : 3;
		at += size;
		good = good && whole;
		if (good)
			*valid = at;
	}
	return to;
}

#endif

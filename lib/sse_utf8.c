/* SPDX-License-Identifier: MIT */
/* UTF-8 as the Encoding standard's decoder sees it: where it is valid, and what replaces the rest. */
#include "sse_internal.h"

/* U+FFFD in UTF-8. */
static const char REPLACEMENT[] = "\xef\xbf\xbd";
#define REPLACEMENT_LEN (sizeof(REPLACEMENT) - 1)

/*
 * The length of the character at ${text}, or 0 if it is ill-formed; then *${part} is the length of
 * its longest beginning that could have become a character, at least 1: what one U+FFFD stands for.
 * (Encoding standard, UTF-8 decoder; Unicode, table 3-7.)
 */
static size_t character(const unsigned char *text, size_t len, size_t *part)
{
	unsigned char lead = text[0], low = 0x80, high = 0xbf;
	size_t need, i;

	*part = 1;
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	need = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	/* The second byte's range keeps out overlong forms, surrogates and all above U+10FFFF. */
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	for (i = 1; i < need; i++) {
		*part = i;
		if (i == len || text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return need;
}

/* How many leading bytes are valid; *${part} is the length of the ill-formed part after them. */
static size_t valid_prefix(const char *text, size_t len, size_t *part)
{
	size_t i = 0, size;

	*part = 0;
	while (i < len) {
		i += sse_ascii_prefix(text + i, len - i);
		/* Once out of plain ASCII, more of the same is likely: no new run for each byte. */
		for (; i < len && (unsigned char)text[i] < 0x80; i++)
			;
		for (; i < len && (unsigned char)text[i] >= 0x80; i += size) {
			size = character((const unsigned char *)text + i, len - i, part);
			if (size == 0)
				return i;
		}
	}
	*part = 0;
	return len;
}

size_t sse_utf8_valid(const char *text, size_t len)
{
	size_t part;

	return valid_prefix(text, len, &part);
}

size_t sse_utf8_repaired_size(const char *text, size_t len)
{
	size_t size = 0, valid, part, i;

	for (i = 0; i < len; i += valid + part) {
		valid = valid_prefix(text + i, len - i, &part);
		size += valid + (part > 0 ? REPLACEMENT_LEN : 0);
	}
	return size;
}

size_t sse_utf8_repair(const char *text, size_t len, char *out)
{
	char *start = out;
	size_t valid, part, i;

	for (i = 0; i < len; i += valid + part) {
		valid = valid_prefix(text + i, len - i, &part);
		memcpy(out, text + i, valid);
		out += valid;
		if (part > 0) {
			memcpy(out, REPLACEMENT, REPLACEMENT_LEN);
			out += REPLACEMENT_LEN;
		}
	}
	return (size_t)(out - start);
}

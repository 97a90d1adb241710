/* SPDX-License-Identifier: MIT */
/* The letters of topics, as libunistring knows them; see topic_letters.h. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "topic_letters.h"

static bool is_mark(ucs4_t c)
{
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M);
}

static bool is_letter(ucs4_t c)
{
	return uc_is_general_category_withtable(
		c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Nd);
}

/* ${joins}: is there a letter or digit before it, which a mark joins? */
static int check_character(ucs4_t c, bool joins, struct error *error)
{
	if (!is_letter(c))
		return error_set(error, EX_USAGE,
			"a topic's name is made of letters, digits, . _ ~ - and /; it has U+%04X",
			(unsigned)c);
	/* Some letters and marks are: Hangul fillers, variation selectors. */
	if (uc_is_property_default_ignorable_code_point(c))
		return error_set(error, EX_USAGE,
			"a topic's name has only what can be seen; it has U+%04X", (unsigned)c);
	if (is_mark(c) && !joins)
		return error_set(error, EX_USAGE,
			"in a topic's name a mark follows a letter or a digit; U+%04X does not",
			(unsigned)c);
	return 0;
}

/* A name that looks the same has the same bytes. */
static int check_form(const uint8_t *segment, size_t len, struct error *error)
{
	size_t size = 0;
	uint8_t *form = u8_normalize(UNINORM_NFC, segment, len, NULL, &size);
	int result = 0;

	if (form == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (size != len || memcmp(form, segment, len) != 0)
		result = error_set(error, EX_USAGE,
			"a topic's name is in Unicode's Normalization Form C (NFC); in that form, this "
			"is %.*s",
			(int)size, (const char *)form);
	free(form);
	return result;
}

int topic_letters_check(const char *segment, size_t len, struct error *error)
{
	const uint8_t *text = (const uint8_t *)segment;
	bool joins = false;
	ucs4_t c = 0;
	int size;

	for (size_t at = 0; at < len; at += (size_t)size) {
		size = u8_mbtoucr(&c, text + at, len - at);
		if (size <= 0)
			return error_set(error, EX_USAGE, "a topic's name is UTF-8; this is not");
		if (c >= 0x80 && check_character(c, joins, error) != 0)
			return -1;
		joins = c >= 0x80 || isalnum((int)c);
	}
	return check_form(text, len, error);
}

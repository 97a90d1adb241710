/* SPDX-License-Identifier: MIT */
/* Points in time to begin from; see since.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "number.h"
#include "since.h"
#include "timestamp.h"

/* How many digits tell the kinds of bare numbers apart. */
#define SECONDS_AGO_DIGITS 9
#define UNIX_SECONDS_DIGITS 10
#define UNIX_MS_DIGITS 13

/* Eight digits that are a date without its dashes?  As seconds, they make no sense. */
static bool is_bare_date(const char *text)
{
	char whole[] = "....-..-..T00:00:00Z";
	int64_t ms;

	memcpy(whole, text, 4);
	memcpy(whole + 5, text + 4, 2);
	memcpy(whole + 8, text + 6, 2);
	return timestamp_parse(whole, &ms) == 0;
}

/* Read a bare number, with a fraction or without.  Return 0, 1 if it is not a number, or -1 with
 * what is wrong with it. */
static int bare_number(const char *text, int64_t *ms, struct error *error)
{
	size_t digits = strspn(text, "0123456789");
	const char *fraction = text + digits;
	size_t more = *fraction == '.' ? strspn(fraction + 1, "0123456789") : 0;

	if (text[digits] == '\0' && digits == 8 && is_bare_date(text))
		return error_set(error, EX_DATAERR,
			"'%s' looks like a date: write %.4s-%.2s-%.2s, or %ss for seconds ago",
			text, text, text + 4, text + 6, text);
	if (digits <= SECONDS_AGO_DIGITS || fraction[more > 0 ? more + 1 : 0] != '\0')
		return 1;
	if (digits == UNIX_SECONDS_DIGITS) {
		*ms = atoll(text) * 1000;
		for (int64_t scale = 100; scale > 0 && more > 0; scale /= 10, more--)
			*ms += (*++fraction - '0') * scale;
		return 0;
	}
	if (digits == UNIX_MS_DIGITS && more == 0) {
		*ms = atoll(text);
		return 0;
	}
	if (digits == UNIX_MS_DIGITS)
		return error_set(error, EX_DATAERR,
			"'%s' is Unix time in milliseconds, which has no fraction", text);
	return error_set(error, EX_DATAERR,
		"'%.*s' has %zu digits: Unix time has 10 in seconds and 13 in milliseconds; a number "
		"of up to 9 is seconds ago",
		SINCE_MAX, text, digits);
}

/* A date, or a date and time that lacks its zone?  Then what it would be in UTC. */
static int without_zone(const char *text, int64_t *ms, struct error *error)
{
	static const char midnight[] = "T00:00:00";
	char whole[SINCE_MAX + sizeof(midnight) + 1];
	bool date = strlen(text) == strlen("2026-11-27");

	strcpy(whole, text);
	if (date)
		strcat(whole, midnight);
	strcat(whole, "Z");
	if (timestamp_parse(whole, ms) != 0)
		return 1;
	if (date)
		return 0;
	return error_set(error, EX_DATAERR,
		"'%s' has no time zone: end it with Z for UTC, or with an offset like +01:00",
		text);
}

int since_parse(const char *text, int64_t now, int64_t *since, struct error *error)
{
	int64_t back;
	int result;

	if (strlen(text) > SINCE_MAX)
		return error_set(error, EX_DATAERR,
			"the time has %zu characters; it can have at most %d", strlen(text),
			SINCE_MAX);
	if (strcmp(text, "all") == 0) {
		*since = 0;
		return 0;
	}
	result = bare_number(text, since, error);
	if (result > 0 && number_duration(text, 0, INT64_MAX / 4, &back, NULL) == 0) {
		*since = back < now ? now - back : 0;
		return 0;
	}
	if (result > 0)
		result = timestamp_parse(text, since) == 0 ? 0 : without_zone(text, since, error);
	if (result > 0)
		return error_set(error, EX_DATAERR,
			"'%s' is not a time to begin from: give 'all', how long ago like 10m or 7d, a "
			"date like 2026-11-27 (midnight UTC), a time like 2026-11-27T10:00:00Z, or "
			"Unix time",
			text);
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Points in time as text; see timestamp.h. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "timestamp.h"

char *timestamp_format(int64_t ms, char text[TIMESTAMP_TEXT])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, TIMESTAMP_TEXT - 8, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, TIMESTAMP_TEXT - len, ".%03dZ", (int)(ms % 1000));
	return text;
}

/* Read exactly ${count} digits at *${text}, between ${min} and ${max}, and move it on. */
static bool digits(const char **text, int count, int min, int max, int *value)
{
	*value = 0;
	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*value = *value * 10 + (**text - '0');
	}
	return *value >= min && *value <= max;
}

static bool one_of(const char **text, const char *characters)
{
	if (**text == '\0' || strchr(characters, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static bool is_day(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return day <= days[month - 1] + (month == 2 && leap);
}

/* The digits after the point of a second, in ms; further digits are dropped. */
static bool fraction(const char **text, int64_t *ms)
{
	int64_t scale = 100;

	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10)
		*ms += (**text - '0') * scale;
	return true;
}

/* Z, or an offset; in ms. */
static bool zone(const char **text, int64_t *offset)
{
	/* A plus that was not escaped in a query has become a space. */
	const char *sign = *text;
	int hours, minutes;

	*offset = 0;
	if (one_of(text, "Zz"))
		return true;
	if (!one_of(text, "+- ") || !digits(text, 2, 0, 23, &hours) || !one_of(text, ":") ||
		!digits(text, 2, 0, 59, &minutes))
		return false;
	*offset = (hours * 60 + minutes) * (*sign == '-' ? -60000 : 60000);
	return true;
}

int timestamp_parse(const char *text, int64_t *ms)
{
	struct tm tm = {0};
	int64_t parts = 0, offset;

	if (!digits(&text, 4, 0, 9999, &tm.tm_year) || !one_of(&text, "-") ||
		!digits(&text, 2, 1, 12, &tm.tm_mon) || !one_of(&text, "-") ||
		!digits(&text, 2, 1, 31, &tm.tm_mday) || !one_of(&text, "Tt ") ||
		!digits(&text, 2, 0, 23, &tm.tm_hour) || !one_of(&text, ":") ||
		!digits(&text, 2, 0, 59, &tm.tm_min) || !one_of(&text, ":") ||
		!digits(&text, 2, 0, 60, &tm.tm_sec) || !is_day(tm.tm_year, tm.tm_mon, tm.tm_mday))
		return -1;
	if ((one_of(&text, ".") && !fraction(&text, &parts)) || !zone(&text, &offset) ||
		*text != '\0')
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*ms = (int64_t)timegm(&tm) * 1000 + parts - offset;
	return *ms >= 0 ? 0 : -1;
}

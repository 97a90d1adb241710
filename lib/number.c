/* SPDX-License-Identifier: MIT */
/* Numbers from outside; see number.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "number.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* From small to large; the first row is what a number without a unit means. */
static const struct unit plain[] = {{"", 1}, {NULL, 0}};
static const struct unit durations[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000},
	{"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"K", 1 << 10}, {"k", 1 << 10}, {"m", 1 << 20},
	{"M", 1 << 20}, {"g", 1 << 30}, {"G", 1 << 30}, {NULL, 0}};

/* Return 0 and the scaled value, or -1 if the text is no such number or overflows. */
static int scan(const char *text, const struct unit *units, int64_t *value)
{
	const struct unit *unit;
	int64_t number = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, *p - '0', &number))
			return -1;
	}
	if (p == text)
		return -1;
	for (unit = units; unit->name != NULL; unit++) {
		if (strcmp(p, unit->name) == 0)
			return __builtin_mul_overflow(number, unit->factor, value) ? -1 : 0;
	}
	return -1;
}

int number_count(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error)
{
	int64_t number;

	if (scan(text, plain, &number) != 0 || number < min || number > max)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a number from %" PRId64 " to %" PRId64, text, min, max);
	*value = number;
	return 0;
}

int number_duration(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error)
{
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	int64_t number;

	if (scan(text, durations, &number) != 0 || number < min || number > max)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a duration from %s to %s (like 500ms, 10s, 5m, 2h or 7d)",
			text, number_duration_text(min, low), number_duration_text(max, high));
	*value = number;
	return 0;
}

int number_size(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error)
{
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	int64_t number;

	if (scan(text, sizes, &number) != 0 || number < min || number > max)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a size from %s to %s (like 500, 64k, 16M or 2G)", text,
			number_size_text(min, low), number_size_text(max, high));
	*value = number;
	return 0;
}

/* Write ${value} in the largest unit that divides it. */
static const char *write_in(int64_t value, const struct unit *units, char text[NUMBER_TEXT])
{
	const struct unit *unit, *best = NULL;

	for (unit = units; unit->name != NULL; unit++) {
		if (value % unit->factor == 0 && (best == NULL || unit->factor >= best->factor))
			best = unit;
	}
	if (value == 0 || best == NULL)
		best = units;
	snprintf(text, NUMBER_TEXT, "%" PRId64 "%s", value / best->factor, best->name);
	return text;
}

const char *number_duration_text(int64_t ms, char text[NUMBER_TEXT])
{
	return write_in(ms, durations, text);
}

const char *number_size_text(int64_t bytes, char text[NUMBER_TEXT])
{
	return write_in(bytes, sizes, text);
}

/* SPDX-License-Identifier: MIT */
/* Numbers from outside; see number.h. */
#include <inttypes.h>
#include <stdbool.h>
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

enum scanned {
	SCAN_BAD,   /* no such number, or it overflows */
	SCAN_WHOLE, /* of the smallest unit */
	SCAN_FINER, /* and a part of one, which the value leaves out */
};

static const char decimals[] = "0123456789";

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name != NULL; units++) {
		if (strcmp(units->name, name) == 0)
			return units;
	}
	return NULL;
}

/* The number that these digits are times ${factor}; false if it overflows. */
static bool scale_whole(const char *digits, size_t len, int64_t factor, int64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len; i++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
			__builtin_add_overflow(*value, digits[i] - '0', value))
			return false;
	}
	return !__builtin_mul_overflow(*value, factor, value);
}

/*
 * The whole part of 0.${digits} times ${factor}: long multiplication, from the last digit to the
 * point.  It is exact if each digit of the product after the point is 0.
 */
static int64_t scale_fraction(const char *digits, size_t len, int64_t factor, bool *exact)
{
	int64_t carry = 0;

	*exact = true;
	while (len > 0) {
		carry += (digits[--len] - '0') * factor;
		*exact = *exact && carry % 10 == 0;
		carry /= 10;
	}
	return carry;
}

static enum scanned scan(const char *text, const struct unit *units, int64_t *value)
{
	size_t whole = strspn(text, decimals), part = 0;
	const char *fraction = text + whole;
	bool point = *fraction == '.', exact;
	const struct unit *unit;

	if (point)
		part = strspn(++fraction, decimals);
	/* What only counts has no fraction. */
	if (whole == 0 || (point && (part == 0 || units == plain)))
		return SCAN_BAD;
	unit = find_unit(units, fraction + part);
	if (unit == NULL || !scale_whole(text, whole, unit->factor, value) ||
		__builtin_add_overflow(
			*value, scale_fraction(fraction, part, unit->factor, &exact), value))
		return SCAN_BAD;
	return exact ? SCAN_WHOLE : SCAN_FINER;
}

int number_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int number_count(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error)
{
	int64_t number;

	bool wrong = scan(text, plain, &number) != SCAN_WHOLE || number < min || number > max;

	if (wrong && max == INT64_MAX)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a whole number from %" PRId64 " up", text, min);
	if (wrong)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a number from %" PRId64 " to %" PRId64, text, min, max);
	*value = number;
	return 0;
}

int number_duration(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error)
{
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	enum scanned scanned;
	int64_t number;

	scanned = scan(text, durations, &number);
	if (scanned == SCAN_FINER)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a whole number of milliseconds, the smallest unit of a "
			"duration",
			text);
	if (scanned == SCAN_BAD || number < min || number > max)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a duration from %s to %s (like 500ms, 1.5s, 5m, 2h or 7d)",
			text, number_duration_text(min, low), number_duration_text(max, high));
	*value = number;
	return 0;
}

int number_size(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error)
{
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	enum scanned scanned;
	int64_t number;

	scanned = scan(text, sizes, &number);
	if (scanned == SCAN_BAD || (scanned == SCAN_FINER && number == 0) || number < min ||
		number > max)
		return error_set(error, EX_USAGE,
			"'%.60s' is not a size from %s to %s (like 500, 64k, 16M or 1.5G)", text,
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

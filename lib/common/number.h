/* SPDX-License-Identifier: MIT */
/*
 * Numbers from the user: one range-checked reader each for counts, durations and sizes.  No sign,
 * no space, no exponent, no octal; an overflow is a number out of range.  Durations and sizes take
 * a decimal fraction, with digits on both sides of its point, without floating point arithmetic.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* number_hex_digit(c): the value of a hexadecimal digit of either case, or -1. */
int number_hex_digit(char c);

/*
 * number_count(text, min, max, value, error):
 * Read decimal digits.  ${min} >= 0.  Return 0 and store ${value}, or -1 with a sentence in
 * ${error} that names the range (EX_USAGE).
 */
int number_count(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/*
 * number_duration(text, min, max, value, error):
 * A number and a unit: ms, s, m, h or d; without a unit seconds.  ${min}, ${max} and ${value} are
 * milliseconds.  A duration that is not a whole number of milliseconds (0.0001s) is an error and
 * never rounded, since 0 often means something else.
 */
int number_duration(
	const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/*
 * number_size(text, min, max, value, error):
 * A number and a unit: k, M or G (powers of 1024, either letter case); without a unit bytes.  A
 * fraction of a byte is dropped (1.2k is 1228), unless the value is less than a byte.
 */
int number_size(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/* Room for the text that the two functions below write. */
#define NUMBER_TEXT 24

/* number_duration_text(ms, text): the shortest exact text without a fraction: "90s", "2h". */
const char *number_duration_text(int64_t ms, char text[NUMBER_TEXT]);

/* number_size_text(bytes, text): the shortest exact text without a fraction: "64k", "16M". */
const char *number_size_text(int64_t bytes, char text[NUMBER_TEXT]);

#endif

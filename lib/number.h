/* SPDX-License-Identifier: MIT */
/*
 * Numbers from outside: one range-checked reader each for counts, durations and sizes.
 * No sign, no space, no exponent, no octal; an overflow is a number out of range.  Durations and
 * sizes take a decimal fraction, with digits on both sides of its point; no floating point number
 * touches it.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/*
 * number_count(text, min, max, value, error):
 * Read decimal digits.  ${min} >= 0.  Return 0 and store ${value}, or -1 with a sentence in
 * ${error} that names the range (EX_USAGE).
 */
int number_count(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/*
 * number_duration(text, min, max, value, error):
 * A number and a unit: ms, s, m, h or d; without a unit seconds.  ${min}, ${max} and ${value} are
 * milliseconds.  What is not a whole number of those (0.0001s) is an error and never rounded, since
 * 0 often means something else.
 */
int number_duration(
	const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/*
 * number_size(text, min, max, value, error):
 * A number and a unit: k, M or G (powers of 1024, either letter case); without a unit bytes.  A
 * part of a byte is left out (1.2k is 1228), unless nothing but it was given.
 */
int number_size(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/* Room for what the two functions below write. */
#define NUMBER_TEXT 24

/* number_duration_text(ms, text): the shortest exact writing without a fraction, "90s" or "2h". */
const char *number_duration_text(int64_t ms, char text[NUMBER_TEXT]);

/* number_size_text(bytes, text): the shortest exact writing without a fraction, "64k" or "16M". */
const char *number_size_text(int64_t bytes, char text[NUMBER_TEXT]);

#endif

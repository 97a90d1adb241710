/* SPDX-License-Identifier: MIT */
/*
 * Numbers from outside: one range-checked reader each for counts, durations and sizes.
 * No sign, no space, no fraction, no octal; an overflow is a number out of range.
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
 * Digits and a unit: ms, s, m, h or d; without a unit seconds.  ${min}, ${max} and ${value} are
 * milliseconds.
 */
int number_duration(
	const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/*
 * number_size(text, min, max, value, error):
 * Digits and a unit: k, M or G (powers of 1024, either letter case); without a unit bytes.
 */
int number_size(const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

/* Room for what the two functions below write. */
#define NUMBER_TEXT 24

/* number_duration_text(ms, text): the shortest exact writing, for example "90s" or "2h". */
const char *number_duration_text(int64_t ms, char text[NUMBER_TEXT]);

/* number_size_text(bytes, text): the shortest exact writing, for example "64k" or "16M". */
const char *number_size_text(int64_t bytes, char text[NUMBER_TEXT]);

#endif

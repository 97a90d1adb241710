/* SPDX-License-Identifier: MIT */
/* Storing values in the fields of a config struct.  Private to option*.c. */
#ifndef OPTION_VALUE_H
#define OPTION_VALUE_H

#include <stdbool.h>

#include "error.h"
#include "option_table.h"

/*
 * option_value_choose(row, value, chosen, error): the index of the value among the row's choices.
 * Return 0, or -1 with EX_USAGE.
 */
int option_value_choose(
	const struct option_row *row, const char *value, int *chosen, struct error *error);

/*
 * option_value_store(row, config, value, error):
 * Store one value, or one more of a list; a flag is set, whatever the value.  Return 0, or -1 with a
 * sentence about the value.
 */
int option_value_store(
	const struct option_row *row, void *config, const char *value, struct error *error);

/*
 * option_value_store_word(row, config, value, error): the same where flags have a value, yes or no,
 * and what is counted has its number: in variables and files.
 */
int option_value_store_word(
	const struct option_row *row, void *config, const char *value, struct error *error);

/*
 * option_value_blame(error, dashes, name):
 * Put what the value was given to in front of the sentence about it.  Return -1.
 */
int option_value_blame(struct error *error, const char *dashes, const char *name);

/* option_value_blame_line(error, path, line): likewise, the line of a file.  Return -1. */
int option_value_blame_line(struct error *error, const char *path, unsigned line);

/* option_value_equal(row, one, other): does the field hold the same in two configs? */
bool option_value_equal(const struct option_row *row, const void *one, const void *other);

/*
 * option_value_copy(row, to, from, error):
 * Replace what the field of ${to} holds by what that of ${from} does.  The strings are shared, unless
 * they are secret.  Return 0, or -1 with EX_OSERR.
 */
int option_value_copy(
	const struct option_row *row, void *to, const void *from, struct error *error);

/* option_value_free(row, config): release what the field owns. */
void option_value_free(const struct option_row *row, void *config);

#endif

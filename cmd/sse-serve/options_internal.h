/* SPDX-License-Identifier: MIT */
/* What the files of the options share; only options*.c see it. */
#ifndef OPTIONS_INTERNAL_H
#define OPTIONS_INTERNAL_H

#include "option_table.h"

struct options;

/* The option table. */
extern const struct option_program options_program;

/*
 * options_check(options, error):
 * Check what the table alone does not say, and store what the values mean.  Return 0, or -1 with
 * EX_USAGE and a sentence that names the option.
 */
int options_check(struct options *options, struct error *error);

/* options_free_meanings(options): release what options_check() stored. */
void options_free_meanings(struct options *options);

#endif

/* SPDX-License-Identifier: MIT */
/* The options that say how the server stops. */
#ifndef OPTIONS_STOPPING_H
#define OPTIONS_STOPPING_H

#include "option.h"
#include "options.h"

/* Rows of the option table, the last one empty. */
extern const struct option_row options_of_stopping[];

/* The value of --drain before the options are read. */
#define OPTIONS_DRAIN_UNSET (-1)

/* options_find_drain(options): if --drain was not given, find its default. */
void options_find_drain(struct options *options);

#endif

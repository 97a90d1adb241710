/* SPDX-License-Identifier: MIT */
/* Maintenance of a log that several nodes share. */
#ifndef SHARED_H
#define SHARED_H

#include <stdio.h>

#include "error.h"
#include "options.h"

/*
 * shared_catch_up(options, error):
 * Bring this node's copy of the log up to date.  Return its path, which the caller frees; or NULL.
 */
char *shared_catch_up(const struct options *options, struct error *error);

/*
 * shared_import(options, in, error):
 * Make a new log of an export; ids of its events stay valid.  Return 0, or -1 with EX_CANTCREAT if the log
 * has events already, or as maintain_import().
 */
int shared_import(const struct options *options, FILE *in, struct error *error);

#endif

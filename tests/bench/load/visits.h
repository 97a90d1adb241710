/* SPDX-License-Identifier: MIT */
/*
 * Visits: connections that ask for one thing (the path of --stream), read the answer to its end, and
 * close; --streams of them at a time, --events in all.
 */
#ifndef VISITS_H
#define VISITS_H

#include <stdint.h>

#include "error.h"
#include "options.h"

struct visits {
	uint64_t done;
	uint64_t refused; /* of them: the answer was not 200, or did not come */
};

/* visits_make(visits, options, error): 0 when all are made; -1: a connection cannot be made. */
int visits_make(struct visits *visits, const struct options *options, struct error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* What load can do: one row a mode. */
#ifndef MODE_H
#define MODE_H

#include <stdint.h>

#include "error.h"
#include "options.h"

struct mode {
	const char *name;
	const char *help;
	int64_t streams; /* the least that it works with */
	/* Print "NAME VALUE" lines; 0, 1 if a stream was not as it should be, -1 with the error. */
	int (*run)(const struct options *options, struct error *error);
};

/* What --help says of the modes; mode_describe() writes it. */
extern char mode_summary[];
void mode_describe(void);

/* mode_find(name): NULL if there is none of that name. */
const struct mode *mode_find(const char *name);

#endif

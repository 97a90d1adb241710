/* SPDX-License-Identifier: MIT */
/*
 * What drives a fuzzer that is a program of its own, PROGRAM SECONDS [SEED]: its arguments, its
 * random choices, and the time it has.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "../../fault/parts/random.h"

struct drive {
	struct random random; /* what the seed determines */
	uint64_t seed;
	uint64_t count; /* rounds so far */
	double seconds;
	time_t start;
};

/*
 * drive_start(drive, program, argc, argv):
 * Read the arguments; the time begins.  Returns 0, or the status to exit with after its usage was
 * printed.  Without a seed it is 1.
 */
int drive_start(struct drive *drive, const char *program, int argc, char **argv);

/* drive_goes_on(drive): true, and counted, if there is time for a round; the first time there is.
 */
bool drive_goes_on(struct drive *drive);

#endif

/* SPDX-License-Identifier: MIT */
/* A fuzzer's arguments and its time; see drive.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "drive.h"

/* So many rounds pass between looks at the clock. */
#define ROUNDS 64

int drive_start(struct drive *drive, const char *program, int argc, char **argv)
{
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	*drive = (struct drive){.random = {seed},
		.seed = seed,
		.seconds = argc > 1 ? strtod(argv[1], NULL) : 0,
		.start = time(NULL)};
	if (argc >= 2 && argc <= 3 && drive->seconds > 0)
		return 0;
	fprintf(stderr, "usage: %s SECONDS [SEED]\n", program);
	return EX_USAGE;
}

bool drive_goes_on(struct drive *drive)
{
	if (drive->count % ROUNDS == 0 && difftime(time(NULL), drive->start) >= drive->seconds)
		return false;
	drive->count++;
	return true;
}

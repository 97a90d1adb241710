/* SPDX-License-Identifier: MIT */
/* A folder for a database; see scratch.h. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

static char folder[sizeof(scratch_path) - sizeof("/events.db")];

char scratch_path[64];

int scratch_set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_serve.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(scratch_path, sizeof(scratch_path), "%s/events.db", folder);
	return 0;
}

void scratch_remove(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".copy", ".copy-wal", ".copy-shm"};
	char name[sizeof(scratch_path) + 16];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", scratch_path, ends[i]);
		unlink(name);
	}
}

int scratch_tear_down(void **state)
{
	(void)state;
	scratch_remove();
	return rmdir(folder);
}

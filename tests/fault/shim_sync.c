/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: a disk that is slow, stands still or is broken.  Each fsync and fdatasync takes
 * SHIM_SYNC_MS longer, and does not return while the file that SHIM_SYNC_HOLD names exists; while
 * the file that SHIM_SYNC_FAIL names exists, it fails with EIO instead.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define HOLD_MS 5

static void pause_for(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Is there the file that this variable names? */
static bool triggered(const char *variable)
{
	const char *path = getenv(variable);

	return path != NULL && access(path, F_OK) == 0;
}

static int sync_with(int fd, const char *name)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	const char *ms = getenv("SHIM_SYNC_MS");

	if (ms != NULL)
		pause_for(atol(ms));
	while (triggered("SHIM_SYNC_HOLD"))
		pause_for(HOLD_MS);
	if (triggered("SHIM_SYNC_FAIL")) {
		errno = EIO;
		return -1;
	}
	return real(fd);
}

int fsync(int fd)
{
	return sync_with(fd, "fsync");
}

int fdatasync(int fd)
{
	return sync_with(fd, "fdatasync");
}

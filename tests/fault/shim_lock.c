/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: another process saves the state at the worst moment, just before this one takes the
 * lock.  The first flock() renames the file "saved" to "state".
 */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/file.h>

int flock(int fd, int operation)
{
	static int (*real)(int, int);

	if (real == NULL) {
		real = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
		rename("saved", "state");
	}
	return real(fd, operation);
}

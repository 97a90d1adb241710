/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: a SIGTERM at the worst moment, behind the last look at signals and before the system
 * call of the second write() to the standard output.
 */
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

ssize_t write(int fd, const void *data, size_t len)
{
	static int writes;
	static ssize_t (*real)(int, const void *, size_t);

	if (real == NULL)
		real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (fd == STDOUT_FILENO && ++writes == 2)
		raise(SIGTERM);
	return real(fd, data, len);
}

/* SPDX-License-Identifier: MIT */
/* The sandbox; see sandbox.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/logger.h"
#include "calls.h"
#include "sandbox.h"
#include "sanitized.h"

/*
 * Dump no core file; and if the kernel gives the core to a program despite the limit, dump no
 * memory into it.  An undumpable process would hide /proc/PID, with figures that an operator looks
 * at, from the user who runs the server.
 */
static void forbid_core_dumps(void)
{
	static const struct rlimit none;
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	setrlimit(RLIMIT_CORE, &none);
	if (fd < 0)
		return;
	/* After a change of the user it is undumpable, and this is not permitted. */
	if (write(fd, "0", 1) < 0)
		errno = 0;
	close(fd);
}

/* Files that libraries open now and then, besides the files of the server. */
static void allow_system(struct places *places)
{
	places_allow(places, PLACES_WRITE, "/dev/null");
	places_allow(places, PLACES_READ, "/dev/urandom");
#ifdef SANITIZED
	places_allow(places, PLACES_WRITE, "/");
#endif
}

void sandbox_enter(struct sandbox *sandbox, struct places *places, bool connects)
{
	/* The zone of local time is read once; it is not in any place. */
	tzset();
	forbid_core_dumps();
	allow_system(places);
	prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
	sandbox->abi = places->abi;
	sandbox->places = places_restrict(places);
	sandbox->calls = calls_restrict(connects);
}

/* Why it is not in force.  A kernel without it says so in one of two ways. */
static void warn(const char *what, int why)
{
	logger_write(LOGGER_WARNING, "the sandbox lacks %s: %s", what,
		why == ENOSYS || why == EOPNOTSUPP ? "this kernel does not have it"
						   : strerror(why));
}

void sandbox_say(const struct sandbox *sandbox)
{
	char landlock[40];

	if (sandbox->left_out) {
		logger_write(LOGGER_WARNING, "the sandbox is off: --no-sandbox");
		return;
	}
	if (sandbox->calls != 0)
		warn("seccomp", sandbox->calls);
	if (sandbox->places != 0)
		warn("Landlock", sandbox->places);
	snprintf(landlock, sizeof(landlock), "Landlock (ABI %d)", sandbox->abi);
	if (sandbox->calls == 0 || sandbox->places == 0)
		logger_write(LOGGER_INFO, "sandbox: %s%s%s", sandbox->calls == 0 ? "seccomp" : "",
			sandbox->calls == 0 && sandbox->places == 0 ? ", " : "",
			sandbox->places == 0 ? landlock : "");
}

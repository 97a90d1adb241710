/* SPDX-License-Identifier: MIT */
/* How a fault test ends that found something; see fail.h. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "fail.h"

static const char *program = "fault", *folder;
static uint64_t seed;
static _Atomic pid_t server;
static _Atomic int status = 1;
/* Held for ever by the first that fails: only one sentence is said. */
static pthread_mutex_t failing = PTHREAD_MUTEX_INITIALIZER;

void fail_setup(const char *name, const char *where, uint64_t number)
{
	program = name;
	folder = where;
	seed = number;
}

void fail_server(pid_t pid)
{
	server = pid;
}

void fail_with(int number)
{
	status = number;
}

_Noreturn void fail(const char *format, ...)
{
	pid_t pid = server;
	va_list args;

	pthread_mutex_lock(&failing);
	if (pid > 0)
		kill(pid, SIGKILL);
	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (folder != NULL)
		fprintf(stderr,
			"%s: the database and the server's log are kept in %s; the seed was %" PRIu64
			"\n",
			program, folder, seed);
	fflush(stderr);
	_exit(status);
}

/* SPDX-License-Identifier: MIT */
/*
 * measure: what a command costs, as the system accounts for it.
 *
 *	measure FILE COMMAND [ARGUMENT]...
 *	measure --first TIMES FILE COMMAND [ARGUMENT]...
 *
 * Runs the command and writes to FILE a line each: "wall_us", "cpu_us" (user and system, with the
 * children it waited for), "most_kib" (its largest resident size) and "status".  With --first it is
 * run so many times, each until the first byte of its output came, and then killed; FILE gets
 * "first_us", the median of the times from its start to that byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 10000

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t us_of(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

/* Start the command, its standard output to ${out} if that is not negative. */
static pid_t start(char **command, int out)
{
	pid_t pid = vfork();

	if (pid < 0)
		fail("vfork");
	if (pid > 0)
		return pid;
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	execvp(command[0], command);
	_exit(127);
}

static void measure_whole(FILE *report, char **command)
{
	struct rusage usage;
	int64_t began = now_us();
	int status = 0;

	if (wait4(start(command, -1), &status, 0, &usage) < 0)
		fail("wait4");
	fprintf(report, "wall_us %" PRId64 "\n", now_us() - began);
	fprintf(report, "cpu_us %" PRId64 "\n", us_of(usage.ru_utime) + us_of(usage.ru_stime));
	fprintf(report, "most_kib %ld\n", usage.ru_maxrss);
	fprintf(report, "status %d\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int64_t first_byte(char **command)
{
	int64_t began, took;
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe(ends) != 0)
		fail("pipe");
	began = now_us();
	pid = start(command, ends[1]);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		fail("no output came");
	took = now_us() - began;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	return took;
}

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void measure_first(FILE *report, long times, char **command)
{
	static int64_t took[TIMES_MAX];

	for (long i = 0; i < times; i++)
		took[i] = first_byte(command);
	qsort(took, (size_t)times, sizeof(took[0]), by_size);
	fprintf(report, "first_us %" PRId64 "\n", took[times / 2]);
}

int main(int argc, char **argv)
{
	long times = 0;
	FILE *report;

	if (argc > 2 && strcmp(argv[1], "--first") == 0) {
		times = strtol(argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	if (argc < 3 || times < 0 || times > TIMES_MAX) {
		fprintf(stderr, "usage: measure [--first TIMES] FILE COMMAND [ARGUMENT]...\n");
		return 64;
	}
	report = fopen(argv[1], "w");
	if (report == NULL)
		fail(argv[1]);
	if (times > 0)
		measure_first(report, times, argv + 2);
	else
		measure_whole(report, argv + 2);
	return fclose(report) == 0 ? 0 : 2;
}

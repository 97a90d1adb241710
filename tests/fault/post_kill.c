/* SPDX-License-Identifier: MIT */
/*
 * post_kill: kills sse-post, or the server, with kill -9 at random moments while the numbered lines
 * of a file are sent with --idempotency-key-from /n; runs the file again from its start until
 * sse-post ends with 0; and then compares what the server has: each number once, in order.  In
 * every other round there is a spool, which is flushed at the end.  Prints one line of figures, or
 * a sentence on the first violation, with status 1; database and file are kept then.
 *
 *   post_kill [OPTION]... SERVER POST
 *
 *   --rounds N     files to send (50)
 *   --events N     lines of each (10000)
 *   --seed N       of what is random (the time); the system's timing stays its own
 *   --no-keys      without keys: for the test of the test, which must find a number twice
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "parts/random.h"
#include "parts/fail.h"
#include "parts/net.h"
#include "parts/server.h"

/* A run is killed within this time, which is about what it takes to send all (ms). */
#define LIFE_MAX 400

/* After so many runs that were not killed by us, a file ought to be sent. */
#define RUNS_MAX 60

struct test {
	struct server server;
	const char *post;
	uint64_t rounds, events, seed;
	bool keys;
	struct random random;
	char file[250], spool[250];
	uint64_t runs, post_kills, server_kills;
};

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: post_kill [--rounds N] [--events N] [--seed N] [--no-keys] "
			"SERVER POST\n");
	exit(2);
}

static void parse(int argc, char **argv, struct test *test)
{
	static const struct option names[] = {{"rounds", required_argument, NULL, 'r'},
		{"events", required_argument, NULL, 'e'}, {"seed", required_argument, NULL, 's'},
		{"no-keys", no_argument, NULL, 'n'}, {0}};
	static char *const none[] = {NULL};
	int option;

	test->rounds = 50;
	test->events = 10000;
	test->seed = (uint64_t)time(NULL);
	test->keys = true;
	while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
		if (option == 'r')
			test->rounds = strtoull(optarg, NULL, 10);
		else if (option == 'e')
			test->events = strtoull(optarg, NULL, 10);
		else if (option == 's')
			test->seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			test->keys = false;
		else
			usage();
	}
	if (optind + 2 != argc)
		usage();
	test->server.program = argv[optind];
	test->server.more = none;
	test->post = argv[optind + 1];
}

static void write_file(struct test *test)
{
	FILE *file;

	snprintf(test->file, sizeof(test->file), "%s/lines", test->server.folder);
	snprintf(test->spool, sizeof(test->spool), "%s/spool", test->server.folder);
	file = fopen(test->file, "w");
	if (file == NULL)
		fail("cannot write %s: %s", test->file, strerror(errno));
	for (uint64_t i = 1; i <= test->events; i++)
		fprintf(file, "{\"n\":%" PRIu64 "}\n", i);
	if (fclose(file) != 0)
		fail("cannot write %s: %s", test->file, strerror(errno));
}

/* --- sse-post -------------------------------------------------------------------------------- */

/* In the child. */
static _Noreturn void run_post(const struct test *test, bool spool, bool flush, pid_t parent)
{
	char url[80], log[250], *arguments[16];
	int count = 0, fd;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/t", test->server.port);
	snprintf(log, sizeof(log), "%s/post", test->server.folder);
	arguments[count++] = (char *)test->post;
	arguments[count++] = url;
	if (spool) {
		arguments[count++] = "--spool";
		arguments[count++] = (char *)test->spool;
	}
	if (flush) {
		arguments[count++] = "--flush";
	} else {
		arguments[count++] = "--lines";
		arguments[count++] = "--file";
		arguments[count++] = (char *)test->file;
		if (test->keys) {
			arguments[count++] = "--idempotency-key-from";
			arguments[count++] = "/n";
		}
	}
	arguments[count] = NULL;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	execv(test->post, arguments);
	_exit(127);
}

static pid_t start_post(struct test *test, bool spool, bool flush)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		fail("no process: %s", strerror(errno));
	if (pid == 0)
		run_post(test, spool, flush, parent);
	test->runs++;
	return pid;
}

/* Its exit status; -1 if a signal ended it. */
static int await_post(pid_t pid)
{
	int64_t end = clock_now_ms() + 2 * NET_PATIENCE_MS;
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0) {
		if (clock_now_ms() > end) {
			kill(pid, SIGKILL);
			fail("sse-post does not end");
		}
		net_pause(1);
	}
	if (got != pid)
		fail("cannot wait for sse-post: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void restart_server(struct test *test)
{
	server_kill(&test->server);
	test->server_kills++;
	/* Now and then it is away for so long that a run gets to know. */
	net_pause(random_below(&test->random, 4) == 0 ? random_below(&test->random, 300) : 0);
	server_launch(&test->server);
	server_wait(&test->server);
}

/* One run of the file, with a kill in it if ${kills}; return whether it ended with 0. */
static bool one_run(struct test *test, bool spool, bool kills)
{
	pid_t pid = start_post(test, spool, false);
	uint64_t victim = kills ? random_below(&test->random, 3) : 3;
	int status;

	if (victim < 3)
		net_pause(random_below(&test->random, LIFE_MAX));
	if (victim == 0 || victim == 2)
		restart_server(test);
	if (victim == 1 || victim == 2) {
		kill(pid, SIGKILL);
		test->post_kills++;
	}
	status = await_post(pid);
	/* Any other is a time-out of its retries, or our kill. */
	if (status > 0 && status != 69 && status != 75)
		fail("sse-post ended with %d: see its words in the file post", status);
	return status == 0;
}

/* --- what the server has --------------------------------------------------------------------- */

static void check(const struct test *test)
{
	static const char request[] = "GET /api/t HTTP/1.1\r\nHost: localhost\r\n"
				      "Accept: application/x-ndjson\r\n\r\n";
	struct net_input input = {.who = "the list"};
	int fd = net_dial(test->server.port), c;
	uint64_t expected = 1, number = 0;
	char head[2000];

	if (fd < 0 || !net_send(fd, request, sizeof(request) - 1) ||
		net_head(fd, &input, head, sizeof(head)) != 200)
		fail("the server does not list what it has");
	while ((c = net_next(fd, &input)) >= 0) {
		if (c >= '0' && c <= '9')
			number = number * 10 + (uint64_t)(c - '0');
		if (c != '\n')
			continue;
		if (number < expected)
			fail("%" PRIu64 " is there twice, or out of order", number);
		if (number > expected)
			fail("%" PRIu64 " is missing", expected);
		expected++;
		number = 0;
	}
	close(fd);
	if (expected != test->events + 1)
		fail("%" PRIu64 " and those behind it are missing", expected);
}

static void remove_database(const struct test *test)
{
	static const char *const names[] = {"events.db", "events.db-wal", "events.db-shm"};
	char path[300];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", test->server.folder, names[i]);
		unlink(path);
	}
}

static void round_of(struct test *test, bool spool)
{
	uint64_t kills = 1 + random_below(&test->random, 4), tries = 0;

	while (kills > 0) {
		kills--;
		if (one_run(test, spool, true))
			break;
	}
	while (!one_run(test, spool, false)) {
		if (++tries > RUNS_MAX)
			fail("sse-post does not get the file sent");
	}
	while (spool && await_post(start_post(test, true, true)) != 0) {
		if (++tries > RUNS_MAX)
			fail("sse-post does not get the spool sent");
	}
	check(test);
	server_kill(&test->server);
	remove_database(test);
	server_launch(&test->server);
	server_wait(&test->server);
}

static void remove_spool(const struct test *test)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s'", test->spool);
	if (system(command) != 0)
		fail("cannot remove %s", test->spool);
}

int main(int argc, char **argv)
{
	static struct test test;
	int64_t start, said;

	parse(argc, argv, &test);
	server_folder(&test.server);
	fail_setup("post_kill", test.server.folder, test.seed);
	test.server.port = net_free_port();
	test.random = random_new(test.seed, 0);
	write_file(&test);
	start = said = clock_now_ms();
	server_launch(&test.server);
	server_wait(&test.server);
	for (uint64_t i = 0; i < test.rounds; i++) {
		round_of(&test, i % 2 == 1);
		if (clock_now_ms() - said > 60000) {
			said = clock_now_ms();
			fprintf(stderr, "post_kill: %" PRIu64 " of %" PRIu64 " rounds\n", i + 1,
				test.rounds);
		}
	}
	server_stop(&test.server);
	remove_spool(&test);
	server_remove(&test.server);
	printf("%" PRIu64 " files of %" PRIu64 " events in %.0f s: %" PRIu64
	       " runs, sse-post killed %" PRIu64 " times, the server %" PRIu64
	       " times; each event once, in order; seed %" PRIu64 "\n",
		test.rounds, test.events, (double)(clock_now_ms() - start) / 1000, test.runs,
		test.post_kills, test.server_kills, test.seed);
	return 0;
}

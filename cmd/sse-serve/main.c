/* SPDX-License-Identifier: MIT */
/* sse-serve: hosts event streams and the POST endpoint, and keeps every event. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "counter.h"
#include "database.h"
#include "http.h"
#include "listen.h"
#include "loop.h"
#include "maintain.h"
#include "place.h"
#include "replay.h"
#include "report.h"
#include "server.h"

#define LOOPS_MAX 256

struct program {
	struct options options;
	struct listeners listeners;
	struct server server;
	struct loop *loops[LOOPS_MAX];
	struct mailbox *mailboxes[LOOPS_MAX];
	struct fanout *fanouts[LOOPS_MAX];
	sigset_t signals;
};

/* Signals are taken by sigwait() alone, so every thread blocks them. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A file size limit is an error of the write, not the end. */
	signal(SIGXFSZ, SIG_IGN);
}

/*
 * Started with a standard descriptor closed, the next file would get its number: the log would be
 * written into the database.  It is filled so that using it still fails, as it should: an export
 * to nowhere is no success.
 */
static int fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
		if (fd == STDIN_FILENO) {
			close(fd);
			fd = open("/dev/null", O_WRONLY);
		}
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

/* As many streams as the system allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* What bounds it: the operator who needs more streams has to know. */
static void say_limits(const struct program *program)
{
	const struct options *options = &program->options;
	struct rlimit files = {0};
	char streams[60] = "";

	getrlimit(RLIMIT_NOFILE, &files);
	if (options->max_streams > 0)
		snprintf(streams, sizeof(streams), ", at most %lld streams",
			(long long)options->max_streams);
	report(REPORT_INFO, "%u loop%s, %llu descriptors%s", program->server.loops,
		program->server.loops == 1 ? "" : "s", (unsigned long long)files.rlim_cur, streams);
}

/* Those that we may run on. */
static unsigned cores(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > LOOPS_MAX ? LOOPS_MAX : (unsigned)count;
}

static int open_store(struct program *program, struct error *error)
{
	struct server *server = &program->server;
	const struct options *options = &program->options;
	struct store_config config = {.topics = server->topics,
		.retention = &options->retention,
		.idempotency_window = options->idempotency_window};
	bool memory = options_in_memory(options);
	char *path = NULL;

	if (memory) {
		server->store = store_memory_open(&config, error);
	} else {
		path = place_database(options->db, error);
		config.path = path;
		if (path != NULL)
			server->store = store_sqlite_open(&config, error);
		free(path);
	}
	if (server->store == NULL)
		return -1;
	server->window = window_new(
		(size_t)options->window, server->loops + 1, server->store->head, memory, error);
	if (server->window == NULL)
		return -1;
	if (memory)
		store_memory_attach(server->store, server->window, server->loops);
	return 0;
}

/* What all streams are made from; the loops add their parts. */
static void set_up_streams(struct program *program)
{
	struct server *server = &program->server;

	server->fanouts.window = server->window;
	server->fanouts.topics = server->topics;
	server->fanouts.identity = &server->store->identity;
	server->fanouts.limits = server->limits;
	server->fanouts.replayer = server->replayer;
	server->fanouts.heartbeat = (uint32_t)program->options.heartbeat;
	server->fanouts.stall_timeout = (uint32_t)program->options.stall_timeout;
	server->fanouts.all = program->fanouts;
	server->fanouts.count = server->loops;
}

/* The loops, and between making and starting them the log thread, which wakes them. */
static int start_loops(struct program *program, struct error *error)
{
	struct server *server = &program->server;

	for (unsigned i = 0; i < server->loops; i++) {
		program->loops[i] = loop_new(server, i, &program->listeners, error);
		if (program->loops[i] == NULL)
			return -1;
		program->mailboxes[i] = loop_mailbox(program->loops[i]);
		program->fanouts[i] = loop_fanout(program->loops[i]);
	}
	/* The first loop tells who joins, and what the server does. */
	server->fanouts.teller = program->mailboxes[0];
	if (commit_start(server->commit, program->mailboxes, server->loops, error) != 0)
		return -1;
	for (unsigned i = 0; i < server->loops; i++) {
		if (loop_start(program->loops[i], error) != 0)
			return -1;
	}
	return 0;
}

static int start(struct program *program, struct error *error)
{
	struct server *server = &program->server;

	server->options = &program->options;
	server->started = counter_clock();
	server->loops = program->options.loops > 0 ? (unsigned)program->options.loops : cores();
	server->bodies.limit = program->options.max_bodies;
	server->topics = topics_new();
	server->limits =
		limits_new(program->options.max_streams, program->options.max_streams_per_address);
	server->roster =
		roster_new(program->options.max_names, (uint32_t)program->options.presence_grace);
	if (server->topics == NULL || server->limits == NULL || server->roster == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (place_check_web(program->options.web, error) != 0 ||
		listen_open(&program->options, &program->listeners, error) != 0 ||
		open_store(program, error) != 0)
		return -1;
	server->worker = worker_start(server->store, error);
	server->commit = commit_new(server->store, server->window, &server->draining, error);
	if (server->worker == NULL || server->commit == NULL)
		return -1;
	server->replayer = replayer_new(server->store, server->topics, server->worker);
	if (server->replayer == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	set_up_streams(program);
	return start_loops(program, error);
}

/* Say where: a script reads it from stdout, a person once, wherever both go to the same place. */
static void announce(const struct program *program)
{
	struct stat out, err;

	report(REPORT_INFO, "Listening on %s", program->listeners.all);
	if (fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
		(out.st_dev != err.st_dev || out.st_ino != err.st_ino)) {
		printf("Listening on %s\n", program->listeners.url);
		fflush(stdout);
	}
}

static void wait_for_signal(const struct program *program)
{
	int number = 0;

	sigwait(&program->signals, &number);
	report(REPORT_INFO, "stopping: %s", strsignal(number));
}

/* In the order in which they need each other; also after a start that failed halfway. */
static void stop(struct program *program)
{
	struct server *server = &program->server;

	server->draining = true;
	for (unsigned i = 0; i < server->loops; i++)
		loop_stop(program->loops[i]);
	commit_stop(server->commit);
	worker_stop(server->worker);
	for (unsigned i = 0; i < server->loops; i++)
		loop_free(program->loops[i]);
	replayer_free(server->replayer);
	worker_free(server->worker);
	if (server->store != NULL)
		server->store->ops->close(server->store);
	window_free(server->window);
	limits_free(server->limits);
	roster_free(server->roster);
	topics_free(server->topics);
	listen_close(&program->listeners);
	options_free(&program->options);
}

static void print_versions(FILE *out)
{
	fprintf(out, ", libmicrohttpd/%s, SQLite/%s", http_library_version(), sqlite3_libversion());
}

int main(int argc, char **argv)
{
	static struct program program;
	struct error error = {.status = EX_SOFTWARE};

	if (fill_standard_descriptors() != 0)
		return EX_OSERR;
	database_set_up();
	switch (options_parse(argc, argv, print_versions, &program.options, &error)) {
	case OPTION_RUN:
		break;
	case OPTION_DONE:
		return 0;
	case OPTION_BAD:
		fprintf(stderr, "sse-serve: %s\n", error.text);
		options_free(&program.options);
		return error.status;
	}
	if (maintain_wanted(&program.options)) {
		int status = maintain_run(&program.options);

		options_free(&program.options);
		return status;
	}
	block_signals(&program.signals);
	raise_descriptor_limit();
	report_start(program.options.log == LOG_JSON);
	if (start(&program, &error) != 0) {
		fprintf(stderr, "sse-serve: %s\n", error.text);
		stop(&program);
		return error.status;
	}
	announce(&program);
	say_limits(&program);
	wait_for_signal(&program);
	stop(&program);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* sse-serve: hosts event streams and the POST endpoint, and keeps every event. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "listen.h"
#include "loop.h"
#include "place.h"
#include "report.h"
#include "server.h"

/* Readers of the window: the loops and the replay thread. */
#define LOOPS 1
#define READERS (LOOPS + 1)

struct program {
	struct options options;
	struct listeners listeners;
	struct server server;
	struct loop *loops[LOOPS];
	struct mailbox *mailboxes[LOOPS];
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

/* Started with a standard descriptor closed, the next file would get its number: the log would be
 * written into the database. */
static int fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
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

static int open_store(struct program *program, struct error *error)
{
	struct server *server = &program->server;
	const struct options *options = &program->options;
	struct store_config config = {.topics = server->topics};
	bool memory = options->db != NULL && strcmp(options->db, ":memory:") == 0;
	char *path = NULL;

	/* Text of line ends alone grows sevenfold by its framing. */
	if (memory && options->max_body > options->window / 8)
		return error_set(error, EX_USAGE,
			"with --db :memory: the window is the log: --window must be at least 8 times "
			"--max-body");
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
	server->window =
		window_new((size_t)options->window, READERS, server->store->head, memory, error);
	if (server->window == NULL)
		return -1;
	if (memory)
		store_memory_attach(server->store, server->window, LOOPS);
	return 0;
}

static int start(struct program *program, struct error *error)
{
	struct server *server = &program->server;

	server->options = &program->options;
	server->topics = topics_new();
	if (server->topics == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (place_check_web(program->options.web, error) != 0 ||
		listen_open(&program->options, &program->listeners, error) != 0 ||
		open_store(program, error) != 0)
		return -1;
	server->worker = worker_start(server->store, error);
	if (server->worker == NULL)
		return -1;
	for (unsigned i = 0; i < LOOPS; i++) {
		program->loops[i] = loop_new(server, i, &program->listeners, error);
		if (program->loops[i] == NULL)
			return -1;
		program->mailboxes[i] = loop_mailbox(program->loops[i]);
	}
	server->commit =
		commit_start(server->store, server->window, program->mailboxes, LOOPS, error);
	if (server->commit == NULL)
		return -1;
	for (unsigned i = 0; i < LOOPS; i++) {
		if (loop_start(program->loops[i], error) != 0)
			return -1;
	}
	return 0;
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
	for (unsigned i = 0; i < LOOPS; i++)
		loop_stop(program->loops[i]);
	commit_stop(server->commit);
	worker_stop(server->worker);
	for (unsigned i = 0; i < LOOPS; i++)
		loop_free(program->loops[i]);
	worker_free(server->worker);
	if (server->store != NULL)
		server->store->ops->close(server->store);
	window_free(server->window);
	topics_free(server->topics);
	listen_close(&program->listeners);
	options_free(&program->options);
}

int main(int argc, char **argv)
{
	static struct program program;
	struct error error = {.status = EX_SOFTWARE};

	if (fill_standard_descriptors() != 0)
		return EX_OSERR;
	switch (options_parse(argc, argv, &program.options, &error)) {
	case OPTION_RUN:
		break;
	case OPTION_DONE:
		return 0;
	case OPTION_BAD:
		fprintf(stderr, "sse-serve: %s\n", error.text);
		options_free(&program.options);
		return error.status;
	}
	block_signals(&program.signals);
	raise_descriptor_limit();
	report_start((enum log_format)program.options.log);
	if (start(&program, &error) != 0) {
		fprintf(stderr, "sse-serve: %s\n", error.text);
		stop(&program);
		return error.status;
	}
	announce(&program);
	wait_for_signal(&program);
	stop(&program);
	return 0;
}

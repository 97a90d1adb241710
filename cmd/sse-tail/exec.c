/* SPDX-License-Identifier: MIT */
/* A child for each event; see exec.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "client_run.h"
#include "exec.h"

extern char **environ;

/* Descriptors beyond this are not looked for; there are a dozen. */
#define FDS_MAX 256

/* --- the environment ------------------------------------------------------------------------- */

/*
 * A name and value for the child; a value that it cannot hold is left out, and so is our own
 * variable of that name.
 */
static int set_variable(const char *name, struct sse_text value, size_t max, struct error *error)
{
	struct buf text;
	int result = 0;

	if (value.len > max || (value.len > 0 && memchr(value.data, '\0', value.len) != NULL))
		return unsetenv(name);
	buf_init(&text, SIZE_MAX);
	if (!buf_add(&text, value.data, value.len) || !buf_add_byte(&text, '\0') ||
		setenv(name, text.data, 1) != 0)
		result = error_set(error, EX_OSERR, "out of memory");
	buf_free(&text);
	return result;
}

/* Where it is not known, our own variable is not passed on either. */
static int set_topic(struct sse_text topic, struct error *error)
{
	static const char name[] = "SSE_MSG_TOPIC";

	return topic.len > 0 ? set_variable(name, topic, EXEC_DATA_MAX, error) : unsetenv(name);
}

static int set_environment(
	const struct sse_event *event, struct sse_text topic, const char *url, struct error *error)
{
	const struct sse_text where = {url, strlen(url)};

	return set_variable("SSE_MSG_EVENT", event->type, EXEC_DATA_MAX, error) != 0 ||
			       set_variable("SSE_MSG_ID", event->id, EXEC_DATA_MAX, error) != 0 ||
			       set_variable("SSE_MSG_DATA", event->data, EXEC_DATA_MAX, error) !=
				       0 ||
			       set_topic(topic, error) != 0 ||
			       set_variable("SSE_MSG_URL", where, EXEC_DATA_MAX, error) != 0
		       ? -1
		       : 0;
}

/* --- the child ------------------------------------------------------------------------------- */

/*
 * Start it with ${input} as its standard input, and with signals as they are by default.  Only
 * SIGHUP stays ignored if it is (nohup).
 */
static int spawn(const char *command, int input, pid_t *child, struct error *error)
{
	static const int defaults[] = {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGALRM};
	char *const arguments[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	struct rlimit files = {.rlim_cur = FDS_MAX};
	struct sigaction hangup;
	sigset_t signals;
	int failed;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		sigaddset(&signals, defaults[i]);
	sigaction(SIGHUP, NULL, &hangup);
	if (hangup.sa_handler == SIG_IGN)
		sigdelset(&signals, SIGHUP);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	/* Not all of libcurl's descriptors are close-on-exec: a stream must not stay open in a
	   process that a command leaves running. */
	getrlimit(RLIMIT_NOFILE, &files);
	for (int fd = STDERR_FILENO + 1; fd < FDS_MAX && (rlim_t)fd < files.rlim_cur; fd++) {
		if (fcntl(fd, F_GETFD) == 0)
			posix_spawn_file_actions_addclose(&actions, fd);
	}
	posix_spawnattr_setsigdefault(&attributes, &signals);
	/* It stays in our process group: in one of its own it could not read the terminal. */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	failed = posix_spawn(child, "/bin/sh", &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed == 0 ? 0
			   : error_set(error, EX_OSERR, "--exec: cannot run /bin/sh: %s",
				     strerror(failed));
}

/* Write the data, as far as the child reads it. */
static void feed(int fd, struct sse_text data)
{
	while (data.len > 0 && client_signal() == 0) {
		ssize_t count = write(fd, data.data, data.len);

		if (count >= 0) {
			data.data += count;
			data.len -= (size_t)count;
		} else if (errno == EAGAIN) {
			client_wait_output(fd);
		} else if (errno != EINTR) {
			return;
		}
	}
}

/* Wait for its end; a signal that comes meanwhile is for the child too. */
static int wait_for(pid_t child)
{
	bool passed = false;
	int status = 0;

	for (;;) {
		if (client_signal() != 0 && !passed) {
			passed = true;
			kill(child, client_signal());
		}
		if (waitpid(child, &status, 0) == child)
			return status;
	}
}

static int judge(int status, struct error *error)
{
	/* One that is done is done, also if a signal came meanwhile. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (client_signal() != 0)
		return client_stopped(error);
	if (WIFEXITED(status))
		error_set(error, EX_TEMPFAIL, "--exec: the command ended with %d",
			WEXITSTATUS(status));
	else
		error_set(error, EX_TEMPFAIL, "--exec: the command was killed by signal %d",
			WTERMSIG(status));
	return 1;
}

int exec_event(const char *command, const struct sse_event *event, struct sse_text topic,
	const char *url, struct error *error)
{
	int ends[2], result;
	pid_t child;

	if (set_environment(event, topic, url, error) != 0)
		return -1;
	if (pipe(ends) != 0)
		return error_set(
			error, EX_OSERR, "--exec: cannot make a pipe: %s", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	result = spawn(command, ends[0], &child, error);
	close(ends[0]);
	if (result == 0)
		feed(ends[1], event->data);
	close(ends[1]);
	return result == 0 ? judge(wait_for(child), error) : -1;
}

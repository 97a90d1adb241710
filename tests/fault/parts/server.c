/* SPDX-License-Identifier: MIT */
/* Starting and ending the server under test; see server.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "net.h"
#include "server.h"

#define ARGUMENTS 40

void server_folder(struct server *server)
{
	const char *where = getenv("TMPDIR");

	snprintf(server->folder, sizeof(server->folder), "%s/sse-fault.XXXXXX",
		where != NULL && where[0] != '\0' ? where : "/tmp");
	if (mkdtemp(server->folder) == NULL)
		fail("cannot make the folder %s: %s", server->folder, strerror(errno));
}

/* In the child. */
static _Noreturn void run(const struct server *server, int out, pid_t parent)
{
	char port[16], db[250], path[250], *arguments[ARGUMENTS];
	int count = 0, log;

	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(db, sizeof(db), "%s/events.db", server->folder);
	snprintf(path, sizeof(path), "%s/log", server->folder);
	arguments[count++] = (char *)server->program;
	arguments[count++] = "--listen";
	arguments[count++] = port;
	arguments[count++] = "--db";
	arguments[count++] = db;
	for (int i = 0; server->more[i] != NULL && count < ARGUMENTS - 1; i++)
		arguments[count++] = server->more[i];
	arguments[count] = NULL;
	log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(log);
	close(out);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (server->preload != NULL)
		setenv("LD_PRELOAD", server->preload, 1);
	execv(server->program, arguments);
	fprintf(stderr, "cannot run %s: %s\n", server->program, strerror(errno));
	_exit(127);
}

void server_launch(struct server *server)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		fail("no pipe: %s", strerror(errno));
	server->asked = server->listens = false;
	server->pid = fork();
	if (server->pid < 0)
		fail("no process: %s", strerror(errno));
	if (server->pid == 0)
		run(server, ends[1], parent);
	close(ends[1]);
	server->out = ends[0];
	fail_server(server->pid);
}

/* Until it says that it listens; false if it ended. */
static bool hear(struct server *server, int64_t end)
{
	char said[500];
	size_t len = 0;

	do {
		struct pollfd ready = {.fd = server->out, .events = POLLIN};
		int64_t left = end - clock_now_ms();
		ssize_t got;

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			fail("the server did not come back in time");
		got = read(server->out, said + len, sizeof(said) - 1 - len);
		if (got <= 0)
			return false;
		len += (size_t)got;
		said[len] = '\0';
	} while (strchr(said, '\n') == NULL);
	return true;
}

static void ended(struct server *server)
{
	server->pid = 0;
	fail_server(0);
	close(server->out);
}

/* Did it end because what it needs is not there yet? */
static bool gave_up(const struct server *server, int status)
{
	return server->again && !server->listens && WIFEXITED(status) &&
	       WEXITSTATUS(status) == EX_TEMPFAIL;
}

void server_wait(struct server *server)
{
	int64_t end = clock_now_ms() + (server->again ? 4 : 1) * NET_PATIENCE_MS;
	int status;

	while (!hear(server, end)) {
		if (waitpid(server->pid, &status, 0) != server->pid || !gave_up(server, status))
			fail("the server ended by itself at its start (wait status %d)", status);
		ended(server);
		server_launch(server);
	}
	server->listens = true;
}

void server_ask(struct server *server)
{
	server->asked = true;
	kill(server->pid, SIGTERM);
}

/* With 0; or at once, if it came so early that nobody took signals yet. */
static bool ended_as_asked(const struct server *server, int status)
{
	return server->asked && ((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
					(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
}

void server_kill(struct server *server)
{
	int status;

	if (kill(server->pid, SIGKILL) != 0 || waitpid(server->pid, &status, 0) != server->pid)
		fail("cannot kill the server: %s", strerror(errno));
	if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
		!ended_as_asked(server, status) && !gave_up(server, status))
		fail("the server ended by itself (wait status %d) before it was killed", status);
	ended(server);
}

void server_stop(struct server *server)
{
	int64_t end = clock_now_ms() + NET_PATIENCE_MS;
	int status;
	pid_t pid;

	server_ask(server);
	while ((pid = waitpid(server->pid, &status, WNOHANG)) == 0) {
		if (clock_now_ms() > end)
			fail("the server does not stop");
		net_pause(2);
	}
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail("stopped by SIGTERM, the server did not end with 0 (wait status %d)", status);
	ended(server);
}

void server_remove(struct server *server)
{
	DIR *folder = opendir(server->folder);
	struct dirent *file;

	while (folder != NULL && (file = readdir(folder)) != NULL) {
		if (file->d_type != DT_DIR)
			unlinkat(dirfd(folder), file->d_name, 0);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(server->folder);
}

/* SPDX-License-Identifier: MIT */
/* Process, clock, signals and waiting of the clients; see client_run.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "clock.h"

/* The signal that came, and a pipe that is readable from then on, to end any poll(). */
static volatile sig_atomic_t caught;
static int wake[2] = {-1, -1};

/* See client_watch_hangup(). */
static volatile sig_atomic_t hung_up, hangs_up;
static bool has_terminal;

/* See client_watch_output(). */
static int watched = -1;

/* See client_set_task(). */
static const struct client_task *task;

void client_interrupt_at(int64_t moment)
{
	int64_t left = moment - clock_now_ms();

	if (moment != CLIENT_NEVER)
		alarm(left <= 0 ? 1 : (unsigned)((left + 999) / 1000));
}

/*
 * A write() that blocks ends with EINTR; one that begins between the look at the signal and the
 * system call would block for good, so from then on an alarm ends those, too.
 */
static void on_signal(int number)
{
	int saved = errno;

	if (number == SIGHUP && hangs_up)
		hung_up = 1;
	else if (number != SIGALRM)
		caught = number;
	if (caught != 0 || number == SIGALRM)
		alarm(1);
	if (number != SIGALRM)
		(void)!write(wake[1], "", 1);
	errno = saved;
}

/* A closed standard output must still fail to be written: it is filled with a read-only file. */
static int fill_descriptors(struct error *error)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
			return error_set(
				error, EX_OSERR, "cannot open /dev/null: %s", strerror(errno));
	}
	return 0;
}

int client_start(struct error *error)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	if (fill_descriptors(error) != 0)
		return -1;
	if (pipe(wake) != 0)
		return error_set(error, EX_OSERR, "cannot make a pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(wake[i], F_SETFD, FD_CLOEXEC);
		fcntl(wake[i], F_SETFL, O_NONBLOCK);
	}
	/* No SA_RESTART: a write() to a reader that stalls has to end. */
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, &before);
	if (before.sa_handler == SIG_IGN)
		signal(SIGHUP, SIG_IGN);
	/* A file that may not grow is a write that fails, with EFBIG. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(error, EX_SOFTWARE, "cannot start libcurl");
	return 0;
}

void client_end(void)
{
	curl_global_cleanup();
}

int client_signal(void)
{
	return caught;
}

int client_stopped(struct error *error)
{
	if (caught == SIGPIPE)
		return error_set(error, 128 + SIGPIPE, "%s", "");
	return error_set(error, 128 + caught, "stopped by %s",
		caught == SIGINT   ? "SIGINT"
		: caught == SIGHUP ? "SIGHUP"
				   : "SIGTERM");
}

static bool terminal_opens(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void client_watch_hangup(void)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	sigemptyset(&action.sa_mask);
	hangs_up = 1;
	sigaction(SIGHUP, &action, &before);
	if (before.sa_handler == SIG_IGN)
		signal(SIGHUP, SIG_IGN);
	has_terminal = terminal_opens();
}

bool client_hangup(void)
{
	char drained[16];

	if (!hung_up || caught != 0)
		return false;
	hung_up = 0;
	if (has_terminal && !terminal_opens()) {
		on_signal(SIGTERM);
		caught = SIGHUP;
		return false;
	}
	while (read(wake[0], drained, sizeof(drained)) > 0)
		;
	return true;
}

void client_watch_output(int fd)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
		watched = fd;
}

/* Did a signal come?  An output whose reader is gone counts as SIGPIPE. */
static bool is_stopped(void)
{
	struct pollfd output = {.fd = watched};

	if (caught == 0 && watched >= 0 && poll(&output, 1, 0) > 0 &&
		(output.revents & (POLLERR | POLLHUP)) != 0)
		caught = SIGPIPE;
	return caught != 0;
}

void client_set_task(const struct client_task *to_do)
{
	task = to_do;
}

/*
 * The milliseconds until a moment as poll() takes them: rounded up to it, never negative; fewer if
 * the task is due before.
 */
static int poll_ms(int64_t until)
{
	int64_t now = clock_now_ms(), left;

	if (task != NULL && now >= task->due(task->context))
		task->run(task->context);
	if (task != NULL && task->due(task->context) < until)
		until = task->due(task->context);
	left = until == CLIENT_NEVER ? INT_MAX : until - now;
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* How the transfer that was added to ${multi} ended, if it did. */
static bool ended(CURLM *multi, CURLcode *code)
{
	CURLMsg *message;
	int waiting;

	while ((message = curl_multi_info_read(multi, &waiting)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		return true;
	}
	return false;
}

enum client_outcome client_run(CURLM *multi, CURL *easy, const int64_t *until, CURLcode *code)
{
	struct curl_waitfd others[2] = {
		{.fd = wake[0], .events = CURL_WAIT_POLLIN}, {.fd = watched}};
	enum client_outcome outcome;
	CURLMcode failed;
	int running, ms;

	failed = curl_multi_add_handle(multi, easy);
	for (;;) {
		outcome = CLIENT_DONE;
		if (failed == CURLM_OK)
			failed = curl_multi_perform(multi, &running);
		if (failed != CURLM_OK) {
			*code = CURLE_FAILED_INIT;
			break;
		}
		if (ended(multi, code))
			break;
		outcome = CLIENT_HANGUP;
		if (client_hangup())
			break;
		outcome = CLIENT_SIGNAL;
		if (is_stopped())
			break;
		outcome = CLIENT_TIME;
		if (clock_now_ms() >= *until)
			break;
		ms = poll_ms(*until);
		failed = curl_multi_poll(multi, others, watched >= 0 ? 2 : 1, ms, NULL);
	}
	curl_multi_remove_handle(multi, easy);
	return outcome;
}

enum client_outcome client_poll(CURLM *multi, int fd, int64_t until)
{
	struct curl_waitfd others[3] = {{.fd = wake[0], .events = CURL_WAIT_POLLIN}};
	unsigned count = 1;

	if (watched >= 0)
		others[count++] = (struct curl_waitfd){.fd = watched};
	if (fd >= 0)
		others[count++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
	if (is_stopped())
		return CLIENT_SIGNAL;
	if (clock_now_ms() >= until)
		return CLIENT_TIME;
	curl_multi_poll(multi, others, count, poll_ms(until), NULL);
	return is_stopped() ? CLIENT_SIGNAL : CLIENT_DONE;
}

enum client_outcome client_wait_input(int fd, int64_t until)
{
	/* poll() leaves out a negative descriptor. */
	struct pollfd fds[] = {
		{.fd = fd, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}, {.fd = watched}};

	for (;;) {
		if (client_hangup())
			return CLIENT_HANGUP;
		if (is_stopped())
			return CLIENT_SIGNAL;
		if (clock_now_ms() >= until)
			return CLIENT_TIME;
		if (poll(fds, 3, poll_ms(until)) > 0 && fds[0].revents != 0)
			return CLIENT_DONE;
	}
}

enum client_outcome client_wait(int64_t until)
{
	return client_wait_input(-1, until);
}

bool client_wait_output(int fd)
{
	struct pollfd writable = {.fd = fd, .events = POLLOUT};

	return poll(&writable, 1, 1000) > 0;
}

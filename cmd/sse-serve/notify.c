/* SPDX-License-Identifier: MIT */
/* Messages to the service manager; see notify.h. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "notify.h"
#include "number.h"

#define MESSAGE_MAX 500

/* How long a message may wait for a service manager that is busy. */
#define PATIENCE_MS 1000

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

bool notify_wanted(void)
{
	return variable("NOTIFY_SOCKET") != NULL;
}

/* A socket that is connected to ${path}, whose @ stands for the NUL of an abstract name; or -1. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(address.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* An abstract name ends where the address does. */
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* In ms; 0 if it is not for this process.  False if it is not a number. */
static bool read_watchdog(int64_t *watchdog)
{
	const char *microseconds = variable("WATCHDOG_USEC"), *pid = variable("WATCHDOG_PID");
	struct error error;
	char own[24];
	int64_t number;

	*watchdog = 0;
	snprintf(own, sizeof(own), "%ld", (long)getpid());
	if (microseconds == NULL || (pid != NULL && strcmp(pid, own) != 0))
		return true;
	if (number_count(microseconds, 1, INT64_MAX / 1000, &number, &error) != 0)
		return false;
	*watchdog = number / 1000 > 0 ? number / 1000 : 1;
	return true;
}

int notify_open(struct notify *notify, struct error *error)
{
	const char *path = variable("NOTIFY_SOCKET");
	bool valid = read_watchdog(&notify->watchdog);
	int result = 0;

	notify->fd = path != NULL ? connect_to(path) : -1;
	if (path != NULL && notify->fd < 0)
		result = error_set(error, EX_USAGE,
			"cannot report to the service manager: NOTIFY_SOCKET is '%.100s': %s", path,
			errno == EINVAL ? "it must be an absolute path, or @ and a name"
					: strerror(errno));
	else if (!valid)
		result = error_set(error, EX_USAGE,
			"the watchdog is off: WATCHDOG_USEC is '%.40s'; it must be a number of "
			"microseconds",
			variable("WATCHDOG_USEC"));
	if (notify->fd < 0)
		notify->watchdog = 0;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return result;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
	struct pollfd ready = {.fd = notify->fd, .events = POLLOUT};
	char message[MESSAGE_MAX];
	va_list args;
	int len;

	if (notify->fd < 0)
		return;
	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(message))
		return;
	/* One that is lost is no reason to end: the service manager has its own deadlines. */
	if (poll(&ready, 1, PATIENCE_MS) > 0)
		send(notify->fd, message, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

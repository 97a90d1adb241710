/* SPDX-License-Identifier: MIT */
/* Reading; see slurp.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "slurp.h"

#define READ_SIZE ((size_t)256 << 10)

static int wait_for(int fd, int64_t until, struct error *error)
{
	switch (client_wait_input(fd, until)) {
	case CLIENT_SIGNAL:
		return client_stopped(error);
	case CLIENT_TIME:
		return error_set(error, EX_TEMPFAIL, "the time of --timeout is up");
	case CLIENT_DONE:
	case CLIENT_HANGUP:
		break;
	}
	return 0;
}

int slurp_some(
	int fd, const char *name, bool waits, int64_t until, struct buf *out, struct error *error)
{
	size_t left = out->cap - out->len;
	ssize_t count;
	char *space;

	if (left > READ_SIZE)
		left = READ_SIZE;
	space = buf_reserve(out, left);
	if (space == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	do {
		if (waits && wait_for(fd, until, error) != 0)
			return -1;
		count = read(fd, space, left);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	if (count < 0)
		return error_set(
			error, EX_NOINPUT, "cannot read %.300s: %s", name, strerror(errno));
	out->len += (size_t)count;
	return count > 0;
}

int slurp_open(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && *path == '\0')
		error_set(error, EX_USAGE, "the name of the file is empty");
	else if (fd < 0)
		error_set(error, EX_NOINPUT, "cannot open %.300s: %s", path, strerror(errno));
	return fd;
}

int slurp_all(int fd, const char *name, int64_t until, struct buf *out, struct error *error)
{
	int more = 1;

	while (more > 0 && out->len < out->cap)
		more = slurp_some(fd, name, true, until, out, error);
	return more;
}

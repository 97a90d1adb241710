/* SPDX-License-Identifier: MIT */
/* Keeping an id in a file; see state.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "file.h"
#include "sse.h"
#include "state.h"

#define SYNC_EVERY 1000

/* --- reading --------------------------------------------------------------------------------- */

/* A valid id fits on one line of a stream. */
static bool is_id(const char *id, size_t len)
{
	return len <= STATE_ID_MAX && memchr(id, '\0', len) == NULL &&
	       memchr(id, '\r', len) == NULL && memchr(id, '\n', len) == NULL &&
	       sse_utf8_valid(id, len) == len;
}

static int read_whole(int fd, const char *path, struct buf *id, struct error *error)
{
	ssize_t count;

	do {
		char *space = buf_reserve(id, id->cap - id->len);

		if (space == NULL)
			return error_set(error, EX_OSERR, "out of memory");
		do
			count = read(fd, space, id->cap - id->len);
		while (count < 0 && errno == EINTR);
		if (count < 0)
			return error_set(error, EX_NOINPUT, "cannot read the state %.300s: %s",
				path, strerror(errno));
		id->len += (size_t)count;
	} while (count > 0 && id->len < id->cap);
	return 0;
}

int state_load(const char *path, struct buf *id, struct error *error)
{
	/* O_NONBLOCK: a pipe without a writer would hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result;
	struct stat status;

	buf_free(id);
	buf_init(id, STATE_ID_MAX + 2);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set(error, EX_NOINPUT, "cannot read the state %.300s: %s", path,
			strerror(errno));
	if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
		result = error_set(error, EX_NOINPUT,
			"%.300s cannot be the state: it is not a regular file", path);
	else
		result = read_whole(fd, path, id, error);
	close(fd);
	if (result != 0)
		return -1;
	if (id->len > 0 && id->data[id->len - 1] == '\n')
		id->len--;
	if (id->len == 0 || is_id(id->data, id->len))
		return 0;
	return error_set(error, EX_DATAERR,
		"%.300s is not a state file: it must contain an event's id and a newline, and "
		"nothing else",
		path);
}

/* --- saving ---------------------------------------------------------------------------------- */

/* Where the name leads to, so that a link to a state stays one. */
static char *follow_links(const char *path)
{
	char *real = realpath(path, NULL);

	return real != NULL ? real : strdup(path);
}

/*
 * Open the file that ${path} names now, making it if it is not there, and lock it.  Another process
 * may have put a new one into its place meanwhile: then again.  Return -1 with errno.
 */
static int open_locked(const char *path)
{
	struct stat ours, named;

	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int code = errno;

			close(fd);
			errno = code;
			return -1;
		}
		if (fstat(fd, &ours) == 0 && stat(path, &named) == 0 &&
			ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
			return fd;
		close(fd);
	}
}

/* Can a new file be made beside it?  It is what every save does. */
static bool can_save(const struct state *state)
{
	int fd = open(state->next, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return false;
	close(fd);
	unlink(state->next);
	return true;
}

int state_open(struct state *state, const char *path, struct error *error)
{
	struct stat status;

	*state = (struct state){.path = follow_links(path), .fd = -1};
	if (state->path != NULL)
		state->next = malloc(strlen(state->path) + sizeof(".new"));
	if (state->next == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	strcpy(state->next, state->path);
	strcat(state->next, ".new");
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(error, EX_CANTCREAT,
			"%.300s cannot be the state: it is not a regular file", path);
	state->fd = open_locked(state->path);
	if (state->fd < 0 && errno == EWOULDBLOCK)
		return error_set(error, EX_TEMPFAIL,
			"the state %.300s is kept by another process, which still runs", path);
	if (state->fd < 0 || !can_save(state))
		return error_set(error, EX_CANTCREAT, "cannot write the state %.300s: %s", path,
			strerror(errno));
	return 0;
}

/* Open the new file, locked, with the old one's owner and mode. */
static int open_next(const struct state *state)
{
	int fd = open(state->next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat old;

	if (fd >= 0 && fstat(state->fd, &old) == 0) {
		/*
		 * Only root can change the owner; otherwise the mode has to fit the owner that the
		 * file has.
		 */
		(void)!fchown(fd, old.st_uid, old.st_gid);
		(void)!fchmod(fd, old.st_mode & 0777);
	}
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int fail(const struct state *state, struct error *error)
{
	return error_set(
		error, EX_IOERR, "cannot write the state %.300s: %s", state->path, strerror(errno));
}

int state_save(struct state *state, const char *id, size_t len, int64_t now, struct error *error)
{
	bool sync = state->synced == 0 || now - state->synced >= SYNC_EVERY;
	bool written;
	int fd;

	if (!is_id(id, len))
		return error_set(error, EX_DATAERR,
			"an event's id cannot be kept as the state: it is longer than %zu bytes "
			"or contains NUL or a newline",
			STATE_ID_MAX);
	fd = open_next(state);
	if (fd < 0)
		return fail(state, error);
	written = file_write(fd, id, len) && file_write(fd, "\n", 1) && (!sync || fsync(fd) == 0);
	if (!written || rename(state->next, state->path) != 0) {
		fail(state, error);
		close(fd);
		unlink(state->next);
		return -1;
	}
	close(state->fd);
	state->fd = fd;
	state->unsynced = !sync;
	if (!sync)
		return 0;
	state->synced = now;
	return file_sync_name(state->path) ? 0 : fail(state, error);
}

int64_t state_due(const struct state *state)
{
	return state->unsynced ? state->synced + SYNC_EVERY : INT64_MAX;
}

int state_sync(struct state *state, int64_t now, struct error *error)
{
	if (!state->unsynced)
		return 0;
	if (fsync(state->fd) != 0 || !file_sync_name(state->path))
		return fail(state, error);
	state->unsynced = false;
	state->synced = now;
	return 0;
}

void state_close(struct state *state)
{
	if (state->path != NULL && state->fd >= 0)
		close(state->fd);
	free(state->path);
	free(state->next);
	*state = (struct state){0};
}

/* SPDX-License-Identifier: MIT */
/* Write beside, sync, rename, sync the folder; see durable.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "file.h"

/* How much is read at once. */
#define PIECE ((size_t)65536)

/* Clean up after a failure, whose errno stays. */
static void remove_new(int folder)
{
	int number = errno;

	unlinkat(folder, DURABLE_NEW, 0);
	errno = number;
}

bool durable_write_new(int folder, unsigned mode, const char *data, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, number;

	/* Remove anything that a killed run left. */
	unlinkat(folder, DURABLE_NEW, 0);
	fd = openat(folder, DURABLE_NEW, flags, 0600);
	if (fd < 0)
		return false;
	if (fchmod(fd, mode) == 0 && file_write(fd, data, len) && fsync(fd) == 0) {
		if (close(fd) == 0)
			return true;
		fd = -1;
	}
	number = errno;
	if (fd >= 0)
		close(fd);
	errno = number;
	remove_new(folder);
	return false;
}

bool durable_put(int folder, const char *name, unsigned mode, const char *data, size_t len)
{
	if (!durable_write_new(folder, mode, data, len))
		return false;
	if (renameat(folder, DURABLE_NEW, folder, name) == 0)
		return file_sync_folder(folder);
	remove_new(folder);
	return false;
}

/* Append what an open file has; as durable_read(). */
static int read_all(int fd, struct buf *out)
{
	struct stat status;
	ssize_t count;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		errno = ENXIO;
		return -1;
	}
	do {
		size_t left = out->cap - out->len, len = left > PIECE ? PIECE : left;
		char *space = buf_reserve(out, len);

		if (space == NULL || left == 0) {
			errno = EFBIG;
			return -1;
		}
		do
			count = read(fd, space, len);
		while (count < 0 && errno == EINTR);
		if (count > 0)
			out->len += (size_t)count;
	} while (count > 0);
	return count < 0 ? -1 : 0;
}

int durable_read(int folder, const char *name, struct buf *out)
{
	int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int result, number;

	if (fd < 0)
		return -1;
	result = read_all(fd, out);
	number = errno;
	close(fd);
	errno = number;
	return result;
}

bool durable_folder(const char *path, const char *parent, unsigned mode)
{
	int fd;

	if (mkdir(path, mode) != 0)
		return errno == EEXIST;
	/* Whatever the umask. */
	chmod(path, mode);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		file_sync_folder(fd);
		close(fd);
	}
	return true;
}

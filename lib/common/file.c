/* SPDX-License-Identifier: MIT */
/* Writing and syncing; see file.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

bool file_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t count = write(fd, data, len);

		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0) {
			data += count;
			len -= (size_t)count;
		}
	}
	return true;
}

bool file_sync_folder(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL;
}

bool file_sync_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	bool synced;
	int fd;

	if (slash != NULL && (size_t)(slash - path) + 2 > sizeof(folder))
		return false;
	if (slash != NULL) {
		memcpy(folder, path, (size_t)(slash - path) + 1);
		folder[slash - path + 1] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	synced = fd >= 0 && file_sync_folder(fd);
	if (fd >= 0)
		close(fd);
	return synced;
}

bool file_move(int from, const char *name, int to, const char *there)
{
	struct stat status;

	if (linkat(from, name, to, there, 0) == 0)
		return unlinkat(from, name, 0) == 0;
	if (errno == EEXIST)
		return false;
	/* Not every file system has links, and not every file may have one. */
	if (fstatat(to, there, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return false;
	}
	return renameat(from, name, to, there) == 0;
}

/* SPDX-License-Identifier: MIT */
/* Writing and syncing; see file.h. */
#include <errno.h>
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

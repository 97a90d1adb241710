/* SPDX-License-Identifier: MIT */
/* Files that only their owner may write; see private_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/logger.h"
#include "private_file.h"

static int check(const char *path, const struct stat *status, struct error *error)
{
	if (!S_ISREG(status->st_mode))
		return error_set(error, EX_NOINPUT, "%s is not a regular file", path);
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return error_set(error, EX_NOINPUT,
			"%s belongs to another user, who could change it; 'chown' it to root or to "
			"the user of the server",
			path);
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(error, EX_NOINPUT,
			"%s can be written by users other than its owner; 'chmod go-w' prevents "
			"that",
			path);
	return 0;
}

static bool others_read(const struct stat *status)
{
	return (status->st_mode & S_IROTH) != 0 ||
	       ((status->st_mode & S_IRGRP) != 0 && status->st_uid != 0);
}

/* One allocation for all of it: growing would leave copies behind that nobody wipes. */
static int read_all(int fd, const char *path, struct buf *out, struct error *error)
{
	char *space = buf_reserve(out, PRIVATE_FILE_MAX + 1);

	if (space == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	while (out->len <= PRIVATE_FILE_MAX) {
		ssize_t count = read(fd, space + out->len, PRIVATE_FILE_MAX + 1 - out->len);

		if (count == 0)
			return 0;
		if (count < 0 && errno != EINTR)
			return error_set(
				error, EX_NOINPUT, "cannot read %s: %s", path, strerror(errno));
		if (count > 0)
			out->len += (size_t)count;
	}
	return error_set(error, EX_NOINPUT, "%s is larger than 1 MiB", path);
}

int private_file_read(
	const char *path, struct buf *out, bool *readable_by_others, struct error *error)
{
	/* Opening a FIFO must not wait for somebody who writes to it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), result = -1;
	struct stat status;

	buf_init(out, PRIVATE_FILE_MAX + 1);
	if (fd < 0)
		return error_set(error, EX_NOINPUT, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &status) != 0)
		(void)error_set(error, EX_NOINPUT, "cannot read %s: %s", path, strerror(errno));
	else if (check(path, &status, error) == 0)
		result = read_all(fd, path, out, error);
	close(fd);
	if (result != 0) {
		private_file_wipe(out);
		return -1;
	}
	*readable_by_others = others_read(&status);
	return 0;
}

void private_file_warn(const char *option, const char *path, bool readable_by_others)
{
	if (readable_by_others)
		logger_write(LOGGER_WARNING,
			"%s %s: other users can read it; `chmod go= %s` prevents that", option,
			path, path);
}

void private_file_wipe(struct buf *content)
{
	if (content->data != NULL)
		OPENSSL_cleanse(content->data, content->size);
	buf_free(content);
}

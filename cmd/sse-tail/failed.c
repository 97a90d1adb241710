/* SPDX-License-Identifier: MIT */
/* Appending durably; see failed.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "failed.h"
#include "file.h"
#include "json.h"
#include "output.h"

/* Return the descriptor, or -1 with errno: EINVAL if it is not a regular file. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat status;

	if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

int failed_check(const char *path, struct error *error)
{
	int fd = open_file(path);

	if (fd < 0)
		return error_set(error, EX_CANTCREAT, "--failed: cannot write '%.200s': %s", path,
			errno == EINVAL ? "it is not a regular file" : strerror(errno));
	close(fd);
	return 0;
}

static bool add_string(struct buf *line, const char *before, const char *text, size_t len)
{
	return buf_add_text(line, before) && json_quote(text, len, line);
}

/* Write it after the last complete line: a loss of power may have left a part of one. */
static bool append(int fd, const char *line, size_t len)
{
	struct stat status;
	char last = '\n';
	int code;

	while (flock(fd, LOCK_EX) != 0) {
		if (errno != EINTR)
			return false;
	}
	if (fstat(fd, &status) != 0 ||
		(status.st_size > 0 && pread(fd, &last, 1, status.st_size - 1) != 1))
		return false;
	if ((last == '\n' || file_write(fd, "\n", 1)) && file_write(fd, line, len) &&
		fsync(fd) == 0)
		return true;
	code = errno;
	(void)!ftruncate(fd, status.st_size);
	errno = code;
	return false;
}

static int write_line(const char *path, const struct buf *line, struct error *error)
{
	int fd = open_file(path), result = 0;

	if (fd < 0 || !append(fd, line->data, line->len) || !file_sync_name(path))
		result = error_set(error, EX_IOERR, "--failed: cannot write '%.200s': %s", path,
			strerror(errno));
	if (fd >= 0)
		close(fd);
	return result;
}

int failed_append(const char *path, const struct sse_event *event, const char *origin,
	const char *key, const struct error *reason, struct error *error)
{
	/* A server's own words may be anything. */
	char words[3 * sizeof(reason->text)];
	size_t len = sse_utf8_repair(reason->text, strlen(reason->text), words);
	struct buf line;
	int result;

	buf_init(&line, SIZE_MAX / 2);
	if (output_json_members(event, origin, false, &line) &&
		add_string(&line, ",\"key\":", key, strlen(key)) &&
		add_string(&line, ",\"reason\":", words, len) && buf_add_text(&line, "}\n"))
		result = write_line(path, &line, error);
	else
		result = error_set(error, EX_OSERR, "out of memory");
	buf_free(&line);
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Reading all of a file; see data_file.h. */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "slurp.h"
#include "event/group.h"
#include "data_file.h"

static void drop_line_end(struct buf *out, size_t start)
{
	if (out->len > start && out->data[out->len - 1] == '\n')
		out->len--;
	if (out->len > start && out->data[out->len - 1] == '\r')
		out->len--;
}

int data_file_read(const char *path, int64_t until, struct buf *out, struct error *error)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : slurp_open(path, error), more;
	const char *name = standard ? SLURP_STDIN : path;
	size_t start = out->len;

	if (fd < 0)
		return -1;
	more = slurp_all(fd, name, until, out, error);
	if (!standard)
		close(fd);
	drop_line_end(out, start);
	if (more > 0)
		return error_set(error, EX_DATAERR,
			"%.300s is larger than %zu MiB, the limit for one event", name,
			EVENT_MAX >> 20);
	return more;
}

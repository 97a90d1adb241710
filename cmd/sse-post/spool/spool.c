/* SPDX-License-Identifier: MIT */
/* The status of all queues; see spool.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "buf.h"
#include "dead_letter.h"
#include "durable.h"
#include "entry.h"
#include "queue_folder.h"
#include "spool.h"
#include "spool_name.h"

/* When the events of a file were spooled, without reading all of it. */
static int64_t time_of(int folder, const char *name)
{
	struct buf text;
	struct group group;
	struct error wrong;
	int64_t spooled = 0;

	buf_init(&text, ENTRY_MAX);
	group_init(&group);
	if (durable_read(folder, name, &text) == 0)
		entry_read(text.data ? text.data : "", text.len, &spooled, &group, &wrong);
	group_free(&group);
	buf_free(&text);
	return spooled;
}

/* The URL that the files name, of a queue whose `url` is lost; to be freed, NULL if none does. */
static char *find_url(const struct queue_folder *folder, const char *name)
{
	struct queue_names names;
	char *url = NULL, its_name[SPOOL_NAME_SIZE];

	if (queue_folder_list(folder, &names, NULL) != 0)
		return NULL;
	for (size_t i = 0; i < names.count && url == NULL; i++) {
		struct buf text;

		buf_init(&text, ENTRY_FILE_MAX);
		if (durable_read(folder->fd, names.all[i], &text) == 0 && text.len > 0)
			url = entry_url(text.data, text.len);
		buf_free(&text);
		if (url == NULL)
			continue;
		spool_name_queue(url, its_name);
		if (strcmp(its_name, name) != 0) {
			free(url);
			url = NULL;
		}
	}
	queue_folder_free_names(&names);
	return url;
}

static void survey(const struct queue_folder *folder, struct spool_status *status)
{
	struct queue_names names;
	struct stat file;
	uint64_t number, events;

	status->failed = dead_letter_count(folder);
	if (queue_folder_list(folder, &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		if (fstatat(folder->fd, names.all[i], &file, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		spool_name_read(names.all[i], &number, &events);
		status->events += events;
		status->bytes += (uint64_t)file.st_size;
		if (status->oldest == 0)
			status->oldest = time_of(folder->fd, names.all[i]);
	}
	queue_folder_free_names(&names);
}

static bool visit_queue(const char *spool, const char *name,
	bool (*visit)(void *context, const struct spool_status *status), void *context,
	struct error *error)
{
	struct spool_status status = {0};
	struct queue_folder folder;
	bool there = queue_folder_look(&folder, spool, name), more = true;

	if (there)
		folder.url = queue_folder_read_url(&folder);
	if (there && folder.url == NULL)
		folder.url = find_url(&folder, name);
	if (folder.url != NULL) {
		status.url = folder.url;
		survey(&folder, &status);
		more = visit(context, &status);
	} else if (there && !queue_folder_is_empty(&folder)) {
		error_set(error, EX_IOERR,
			"events wait in %.300s, and neither its file url nor the events name a URL that is "
			"its own",
			folder.path);
	}
	queue_folder_close(&folder);
	return more;
}

int spool_each(const char *spool, bool (*visit)(void *context, const struct spool_status *status),
	void *context, struct error *error)
{
	struct dirent **names = NULL;
	int count = scandir(spool, &names, NULL, alphasort);
	struct error lost = {0};
	bool more = true;

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return error_set(error, EX_NOINPUT, "cannot read the spool %.300s: %s", spool,
			strerror(errno));
	for (int i = 0; i < count; i++) {
		if (more && names[i]->d_name[0] != '.')
			more = visit_queue(spool, names[i]->d_name, visit, context, &lost);
		free(names[i]);
	}
	free(names);
	if (lost.status == 0)
		return 0;
	*error = lost;
	return -1;
}

/* SPDX-License-Identifier: MIT */
/* Puts files and events into failed/; see dead_letter.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "dead_letter.h"
#include "durable.h"
#include "entry.h"
#include "file.h"
#include "queue_count.h"
#include "timestamp.h"

/* How many of one name there can be. */
#define SAME_MAX 1000000

/* The folder, made if it is not there; -1 with errno. */
static int open_failed(const struct queue_folder *folder)
{
	if (mkdirat(folder->fd, SPOOL_NAME_FAILED, folder->folder_mode) != 0 && errno != EEXIST)
		return -1;
	return openat(folder->fd, SPOOL_NAME_FAILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Move a file into failed/, under the name that begins as ${name} does up to its dot, with a number
 * if that name exists there.  Store the new name.  Under the lock.
 */
static bool move_there(int from, const char *file, int failed, const char *name, uint64_t events,
	char kept[SPOOL_NAME_SIZE])
{
	char again[16] = "";

	for (unsigned i = 2; i < SAME_MAX; i++) {
		spool_name_again(name, again, events, kept);
		if (file_move(from, file, failed, kept))
			return file_sync_folder(failed);
		if (errno != EEXIST)
			return false;
		snprintf(again, sizeof(again), "-%u", i);
	}
	return false;
}

/* Write the reason into a file beside the moved file, which does not change.  Under the lock. */
static bool put_reason(
	const struct queue_folder *folder, int failed, const char *kept, const char *reason)
{
	char name[SPOOL_NAME_SIZE + sizeof(SPOOL_NAME_REASON)];
	struct buf text;
	bool put;

	snprintf(name, sizeof(name), "%s" SPOOL_NAME_REASON, kept);
	buf_init(&text, 4096);
	put = buf_addf(&text, "reason: %s\n", reason) &&
	      durable_put(failed, name, folder->mode, text.data, text.len);
	buf_free(&text);
	return put;
}

int dead_letter_put_file(struct queue_folder *folder, const char *name, const char *reason,
	char kept[SPOOL_NAME_SIZE], struct error *error)
{
	struct stat status = {0};
	uint64_t number, events;
	bool put = false;
	int failed;

	if (queue_folder_lock(folder, error) != 0)
		return -1;
	spool_name_read(name, &number, &events);
	fstatat(folder->fd, name, &status, AT_SYMLINK_NOFOLLOW);
	failed = open_failed(folder);
	if (failed >= 0 && move_there(folder->fd, name, failed, name, events, kept)) {
		queue_count_removed(folder, name, status.st_size);
		put = put_reason(folder, failed, kept, reason);
	}
	if (!put)
		queue_folder_fail(folder, EX_IOERR, "set a file aside", error);
	if (failed >= 0)
		close(failed);
	queue_folder_unlock(folder);
	return put ? 0 : -1;
}

/* Put the text of an entry there. */
static int put_entry(struct queue_folder *folder, const struct buf *text, const char *name,
	size_t events, char kept[SPOOL_NAME_SIZE], struct error *error)
{
	bool put;
	int failed;

	if (queue_folder_lock(folder, error) != 0)
		return -1;
	failed = open_failed(folder);
	put = failed >= 0 && durable_write_new(failed, folder->mode, text->data, text->len) &&
	      move_there(failed, DURABLE_NEW, failed, name, events, kept) &&
	      file_sync_folder(folder->fd);
	if (!put)
		queue_folder_fail(folder, EX_IOERR, "set an event aside", error);
	if (failed >= 0)
		close(failed);
	queue_folder_unlock(folder);
	return put ? 0 : -1;
}

int dead_letter_put_event(struct queue_folder *folder, const struct group *group, size_t index,
	const char *name, const char *reason, char kept[SPOOL_NAME_SIZE], struct error *error)
{
	struct entry entry = {.url = folder->url, .reason = reason, .spooled = clock_wall_ms()};
	struct buf text;
	int result;

	buf_init(&text, ENTRY_MAX);
	result = entry_write(&entry, group, index, 1, &text)
			 ? put_entry(folder, &text, name, 1, kept, error)
			 : error_set(error, EX_OSERR, "out of memory");
	buf_free(&text);
	return result;
}

int dead_letter_put_lines(struct queue_folder *folder, const struct buf *lines, const char *name,
	int64_t spooled, const char *reason, char kept[SPOOL_NAME_SIZE], struct error *error)
{
	struct entry entry = {.url = folder->url, .reason = reason, .spooled = spooled};
	size_t count = 0;
	struct buf text;
	int result;

	for (size_t i = 0; i < lines->len; i++)
		count += lines->data[i] == '\n';
	buf_init(&text, ENTRY_FILE_MAX);
	result = entry_write_damaged(&entry, lines, count, &text)
			 ? put_entry(folder, &text, name, count, kept, error)
			 : error_set(error, EX_OSERR, "out of memory");
	buf_free(&text);
	return result;
}

static bool add_events(void *context, const char *name, uint64_t number, uint64_t events)
{
	uint64_t *count = context;

	(void)name, (void)number;
	*count += events;
	return true;
}

uint64_t dead_letter_count(const struct queue_folder *folder)
{
	struct queue_folder failed = {
		.fd = openat(folder->fd, SPOOL_NAME_FAILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	uint64_t count = 0;

	if (failed.fd < 0)
		return 0;
	queue_folder_each(&failed, add_events, &count);
	close(failed.fd);
	return count;
}

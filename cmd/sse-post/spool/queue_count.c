/* SPDX-License-Identifier: MIT */
/* The count of events that wait, a hint in the file `lock`; see queue_count.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue_count.h"
#include "spool_name.h"

/* What `lock` says; of a fixed length, so that one write replaces it. */
#define FORMAT "next %016" PRIu64 " events %016" PRId64 " bytes %016" PRId64 "\n"
#define TEXT_SIZE 80

bool queue_count_read(const struct queue_folder *folder, struct queue_count *count)
{
	char text[TEXT_SIZE + 1] = "";
	ssize_t len = pread(folder->lock, text, TEXT_SIZE, 0);

	return len > 0 && sscanf(text, "next %" SCNu64 " events %" SCNd64 " bytes %" SCNd64,
				  &count->next, &count->events, &count->bytes) == 3;
}

void queue_count_set(const struct queue_folder *folder, const struct queue_count *count)
{
	char text[TEXT_SIZE + 1];
	int len = snprintf(text, sizeof(text), FORMAT, count->next,
		count->events > 0 ? count->events : 0, count->bytes > 0 ? count->bytes : 0);

	if (pwrite(folder->lock, text, (size_t)len, 0) != len)
		(void)!ftruncate(folder->lock, 0);
}

/* Files that are being counted. */
struct counting {
	const struct queue_folder *folder;
	struct queue_count *count;
};

static bool count_file(void *context, const char *name, uint64_t number, uint64_t events)
{
	const struct counting *counting = context;
	struct queue_count *count = counting->count;
	struct stat status;

	if (fstatat(counting->folder->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (number >= count->next)
		count->next = number + 1;
	count->events += (int64_t)events;
	count->bytes += status.st_size;
	return true;
}

int queue_count_files(
	const struct queue_folder *folder, struct queue_count *count, struct error *error)
{
	struct counting counting = {folder, count};
	struct queue_count known;

	*count = (struct queue_count){.next = 1};
	if (queue_folder_each(folder, count_file, &counting) != 0)
		return queue_folder_fail(folder, EX_IOERR, "list the files", error);
	/* So that no new file gets the number of one in failed/. */
	if (queue_count_read(folder, &known) && known.next > count->next &&
		known.next < SPOOL_NAME_NUMBER_MAX)
		count->next = known.next;
	return 0;
}

int queue_count_get(struct queue_folder *folder, struct queue_count *count, struct error *error)
{
	if (folder->counted && queue_count_read(folder, count))
		return 0;
	if (queue_count_files(folder, count, error) != 0)
		return -1;
	folder->counted = true;
	return 0;
}

/* ${files} files of this name, each of ${bytes}, came; -1: one has left. */
static void change(
	const struct queue_folder *folder, const char *name, int64_t bytes, int64_t files)
{
	struct queue_count count;
	uint64_t number, events;

	if (!spool_name_read(name, &number, &events) || !queue_count_read(folder, &count))
		return;
	count.events += files * (int64_t)events;
	count.bytes += files * bytes;
	queue_count_set(folder, &count);
}

void queue_count_added(const struct queue_folder *folder, const char *name, int64_t bytes)
{
	change(folder, name, bytes, 1);
}

void queue_count_removed(const struct queue_folder *folder, const char *name, int64_t bytes)
{
	change(folder, name, bytes, -1);
}

void queue_count_doubt(struct queue_folder *folder)
{
	folder->counted = false;
}

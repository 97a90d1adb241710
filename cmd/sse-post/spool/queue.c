/* SPDX-License-Identifier: MIT */
/* Appending to a queue, within its limits; see queue.h. */
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "dead_letter.h"
#include "durable.h"
#include "entry.h"
#include "number.h"
#include "queue.h"
#include "queue_count.h"
#include "spool_name.h"
#include "timestamp.h"

/* Is there room for these?  If not, set a sentence. */
static int check_room(const struct queue *queue, const struct queue_count *count, int64_t events,
	int64_t bytes, struct error *error)
{
	char size[NUMBER_TEXT];

	if (count->events + events > queue->limits.events)
		return error_set(error, EX_TEMPFAIL,
			"the spool is full: %" PRId64 " event%s for this URL, and --spool-max "
			"allows %" PRId64,
			count->events, count->events == 1 ? " waits" : "s wait",
			queue->limits.events);
	if (count->bytes + bytes > queue->limits.bytes)
		return error_set(error, EX_TEMPFAIL,
			"the spool is full: %" PRId64
			" bytes wait for this URL, and --spool-max-size "
			"allows %s",
			count->bytes, number_size_text(queue->limits.bytes, size));
	return 0;
}

/* The file is made: number it and put it into its place.  Under the lock. */
static int put_numbered(
	struct queue *queue, const struct buf *file, size_t events, struct error *error)
{
	char name[SPOOL_NAME_SIZE];
	struct queue_count count;

	if (queue_count_get(&queue->folder, &count, error) != 0)
		return -1;
	if (check_room(queue, &count, (int64_t)events, (int64_t)file->len, error) != 0) {
		if (queue_count_files(&queue->folder, &count, error) != 0)
			return -1;
		queue_count_set(&queue->folder, &count);
		if (check_room(queue, &count, (int64_t)events, (int64_t)file->len, error) != 0)
			return -1;
	}
	spool_name_file(count.next, events, name);
	count.next++;
	count.events += (int64_t)events;
	count.bytes += (int64_t)file->len;
	queue_count_set(&queue->folder, &count);
	if (durable_put(queue->folder.fd, name, queue->folder.mode, file->data, file->len))
		return 0;
	queue_folder_fail(&queue->folder, EX_IOERR, "store events", error);
	/* It must not be there if the caller hears that it is not. */
	unlinkat(queue->folder.fd, name, 0);
	queue_count_doubt(&queue->folder);
	return -1;
}

/* There was room for only a part: a sentence with how much the queue holds now. */
static int say_full(struct queue *queue, struct error *error)
{
	struct queue_count count;

	if (queue_count_get(&queue->folder, &count, error) != 0)
		return -1;
	return check_room(queue, &count, 1, queue->limits.bytes, error);
}

/* So many have no room: how many to try next. */
static size_t fewer(const struct queue *queue, size_t events)
{
	struct queue_count count;
	int64_t room;

	if (!queue_count_read(&queue->folder, &count))
		return events / 2;
	room = queue->limits.events - count.events;
	return room <= 0 ? 0 : room < (int64_t)events ? (size_t)room : events / 2;
}

/* Put all from ${from} on there, or as many as there is room for.  Under the lock. */
static int append_some(struct queue *queue, const struct group *group, size_t *from,
	const struct entry *entry, struct buf *file, struct error *error)
{
	size_t events = group->count - *from;
	struct error full = {0};

	/* ${file} has all of them. */
	while (put_numbered(queue, file, events, &full) != 0) {
		if (full.status != EX_TEMPFAIL) {
			*error = full;
			return -1;
		}
		events = fewer(queue, events);
		file->len = 0;
		if (events == 0) {
			*error = full;
			return -1;
		}
		if (!entry_write(entry, group, *from, events, file))
			return error_set(error, EX_OSERR, "out of memory");
	}
	*from += events;
	return *from == group->count ? 0 : say_full(queue, error);
}

int queue_append(struct queue *queue, const struct group *group, size_t *from, const char *reason,
	struct error *error)
{
	struct entry entry = {
		.url = queue->folder.url, .reason = reason, .spooled = clock_wall_ms()};
	struct buf file;
	int result;

	buf_init(&file, ENTRY_MAX);
	if (!entry_write(&entry, group, *from, group->count - *from, &file)) {
		buf_free(&file);
		return error_set(error, EX_OSERR, "out of memory");
	}
	result = queue_folder_lock(&queue->folder, error);
	if (result == 0) {
		result = append_some(queue, group, from, &entry, &file, error);
		queue_folder_unlock(&queue->folder);
	}
	buf_free(&file);
	return result;
}

int queue_refuse(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error)
{
	char name[SPOOL_NAME_SIZE], kept[SPOOL_NAME_SIZE];
	struct queue_count count;
	int result;

	if (queue_folder_lock(&queue->folder, error) != 0)
		return -1;
	result = queue_count_get(&queue->folder, &count, error);
	if (result == 0) {
		spool_name_file(count.next++, 1, name);
		queue_count_set(&queue->folder, &count);
	}
	queue_folder_unlock(&queue->folder);
	return result == 0 ? dead_letter_put_event(
				     &queue->folder, group, index, name, reason, kept, error)
			   : -1;
}

int queue_open(struct queue *queue, const char *spool, const char *url,
	const struct queue_limits *limits, struct error *error)
{
	queue->limits = *limits;
	return queue_folder_open(&queue->folder, spool, url, error);
}

void queue_close(struct queue *queue)
{
	queue_folder_close(&queue->folder);
}

bool queue_is_empty(const struct queue *queue)
{
	return queue_folder_is_empty(&queue->folder);
}

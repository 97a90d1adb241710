/* SPDX-License-Identifier: MIT */
/* Taking events out of a queue; see consumer.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "consumer.h"
#include "dead_letter.h"
#include "durable.h"
#include "entry.h"
#include "file.h"
#include "number.h"
#include "queue_count.h"
#include "spool_name.h"
#include "timestamp.h"

/* A file that events of the group came from. */
struct taken_file {
	char *name;
	size_t end; /* the index after that of its last event */
	int64_t spooled;
};

struct consumer {
	struct queue_folder *folder;
	int64_t age_max; /* ms; 0: any */
	/* The files that were found, of which those before ${next} were given out or put aside. */
	struct queue_names names;
	size_t next;
	/* Those whose events are out. */
	struct taken_file *files;
	size_t file_count;
	bool marked; /* `sending` names one of them */
	/* What went to failed/: how many events or files, and the last of them. */
	size_t failed;
	struct error last_failure;
	void (*tell)(void *context, const struct error *failure);
	void *context;
};

static void forget_names(struct consumer *consumer)
{
	for (size_t i = consumer->next; i < consumer->names.count; i++)
		free(consumer->names.all[i]);
	free(consumer->names.all);
	consumer->names = (struct queue_names){0};
	consumer->next = 0;
}

static void forget_files(struct consumer *consumer)
{
	for (size_t i = 0; i < consumer->file_count; i++)
		free(consumer->files[i].name);
	free(consumer->files);
	consumer->files = NULL;
	consumer->file_count = 0;
}

struct consumer *consumer_new(struct queue *queue,
	void (*tell)(void *context, const struct error *failure), void *context)
{
	struct consumer *consumer = calloc(1, sizeof(*consumer));

	if (consumer == NULL)
		return NULL;
	consumer->folder = &queue->folder;
	consumer->age_max = queue->limits.age;
	consumer->tell = tell;
	consumer->context = context;
	return consumer;
}

void consumer_free(struct consumer *consumer)
{
	if (consumer == NULL)
		return;
	forget_names(consumer);
	forget_files(consumer);
	free(consumer);
}

void consumer_tell_last(struct consumer *consumer)
{
	if (consumer->last_failure.status != 0 && consumer->tell != NULL)
		consumer->tell(consumer->context, &consumer->last_failure);
	consumer->last_failure.status = 0;
}

size_t consumer_failed(const struct consumer *consumer, const char **last)
{
	*last = consumer->last_failure.text;
	return consumer->failed;
}

int consumer_begin(struct consumer *consumer, struct error *error)
{
	return queue_folder_lock_flush(consumer->folder, error);
}

void consumer_end(struct consumer *consumer)
{
	forget_names(consumer);
	forget_files(consumer);
	file_sync_folder(consumer->folder->fd);
	queue_folder_unlock_flush(consumer->folder);
}

/* An item is in failed/: the caller tells of the last one; tell here of each before it. */
static void note_failure(struct consumer *consumer, const char *kept, const char *reason)
{
	consumer_tell_last(consumer);
	consumer->failed++;
	error_set(&consumer->last_failure, EX_DATAERR, "%.150s/" SPOOL_NAME_FAILED "/%.90s: %.250s",
		consumer->folder->path, kept, reason);
}

/* Move a whole file into failed/. */
static int put_aside(
	struct consumer *consumer, const char *name, const char *why, struct error *error)
{
	char kept[SPOOL_NAME_SIZE];

	if (dead_letter_put_file(consumer->folder, name, why, kept, error) != 0)
		return -1;
	note_failure(consumer, kept, why);
	return 0;
}

static int remove_file(struct consumer *consumer, const char *name, struct error *error)
{
	struct stat status = {0};
	int result;

	if (queue_folder_lock(consumer->folder, error) != 0)
		return -1;
	fstatat(consumer->folder->fd, name, &status, AT_SYMLINK_NOFOLLOW);
	result = unlinkat(consumer->folder->fd, name, 0);
	if (result == 0)
		queue_count_removed(consumer->folder, name, status.st_size);
	else
		queue_folder_fail(consumer->folder, EX_IOERR, "remove a file", error);
	queue_folder_unlock(consumer->folder);
	return result;
}

/* It waited too long?  A clock that was set back makes nothing old. */
static bool is_old(const struct consumer *consumer, int64_t spooled)
{
	return consumer->age_max > 0 && clock_wall_ms() - spooled > consumer->age_max;
}

static bool give_out(struct consumer *consumer, char *name, size_t end, int64_t spooled)
{
	struct taken_file *files =
		realloc(consumer->files, (consumer->file_count + 1) * sizeof(*files));

	if (files == NULL)
		return false;
	consumer->files = files;
	files[consumer->file_count++] = (struct taken_file){name, end, spooled};
	return true;
}

/* Of this file a part is settled: put one with the rest into its place, and name that. */
static int keep_rest(struct consumer *consumer, const struct group *group,
	const struct taken_file *file, size_t settled, char name[SPOOL_NAME_SIZE],
	struct error *error)
{
	struct entry entry = {.url = consumer->folder->url,
		.reason = "the other events of this file are done",
		.spooled = file->spooled};
	struct group rest = *group;
	struct stat replaced;
	struct buf text;
	bool put, replaces;

	/* The events of the files after it are not a part of it. */
	rest.count = file->end;
	buf_init(&text, ENTRY_MAX);
	spool_name_rest(file->name, file->end - settled, name);
	if (queue_folder_lock(consumer->folder, error) != 0)
		return -1;
	/* The old file, if its name said fewer events than it had, or what a kill left. */
	replaces = fstatat(consumer->folder->fd, name, &replaced, AT_SYMLINK_NOFOLLOW) == 0;
	put = entry_write(&entry, &rest, settled, file->end - settled, &text) &&
	      durable_put(consumer->folder->fd, name, consumer->folder->mode, text.data, text.len);
	if (put)
		queue_count_added(consumer->folder, name, (int64_t)text.len);
	else
		queue_folder_fail(consumer->folder, EX_IOERR, "store the rest of a file", error);
	if (put && replaces)
		queue_count_removed(consumer->folder, name, replaced.st_size);
	queue_folder_unlock(consumer->folder);
	buf_free(&text);
	if (!put)
		return -1;
	return strcmp(name, file->name) == 0 ? 0 : remove_file(consumer, file->name, error);
}

/*
 * Of the file that is the last to be given out, some lines are damaged: they go to failed/, and a
 * file with the others takes its place.
 */
static int part_damaged(struct consumer *consumer, const struct group *group, size_t from,
	const struct buf *damaged, struct error *error)
{
	static const char why[] = "they cannot be read as events";
	struct taken_file *file = &consumer->files[consumer->file_count - 1];
	char kept[SPOOL_NAME_SIZE], name[SPOOL_NAME_SIZE], *rest = NULL;

	if (dead_letter_put_lines(
		    consumer->folder, damaged, file->name, file->spooled, why, kept, error) != 0 ||
		keep_rest(consumer, group, file, from, name, error) != 0)
		return -1;
	note_failure(consumer, kept, why);
	rest = strdup(name);
	if (rest == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	free(file->name);
	file->name = consumer->names.all[consumer->next] = rest;
	return 0;
}

static bool lacks_key(const struct group *group, size_t from)
{
	for (size_t i = from; i < group->count; i++) {
		if (group->all[i].key.len == 0)
			return true;
	}
	return false;
}

/* Was it being sent when a run ended? */
static bool is_marked(const struct consumer *consumer, const char *name)
{
	struct buf text;
	bool marked;

	buf_init(&text, (size_t)4 * SPOOL_NAME_SIZE);
	marked = durable_read(consumer->folder->fd, SPOOL_NAME_SENDING, &text) == 0 &&
		 text.len == strlen(name) && memcmp(text.data, name, text.len) == 0;
	buf_free(&text);
	return marked;
}

static int mark(struct consumer *consumer, const char *name, struct error *error)
{
	if (queue_folder_lock(consumer->folder, error) != 0)
		return -1;
	consumer->marked = durable_put(consumer->folder->fd, SPOOL_NAME_SENDING,
		consumer->folder->mode, name, strlen(name));
	if (!consumer->marked)
		queue_folder_fail(consumer->folder, EX_IOERR, "note what is sent", error);
	queue_folder_unlock(consumer->folder);
	return consumer->marked ? 0 : -1;
}

/* If it is moved back, it is for the user to know. */
static int put_marked(struct consumer *consumer, const char *name, struct error *error)
{
	static const char why[] = "a run ended while it was sent, and without keys it is not sent "
				  "again: it may or may not have been stored";

	if (put_aside(consumer, name, why, error) != 0)
		return -1;
	unlinkat(consumer->folder->fd, SPOOL_NAME_SENDING, 0);
	return 0;
}

/* What became of the file is on the disk before this is. */
static void unmark(struct consumer *consumer)
{
	if (consumer->marked && file_sync_folder(consumer->folder->fd))
		unlinkat(consumer->folder->fd, SPOOL_NAME_SENDING, 0);
	consumer->marked = false;
}

/* What errno says of a file that cannot be read; as take_file() returns it. */
static int not_read(struct consumer *consumer, const char *name, struct error *error)
{
	if (errno == ENOENT)
		return 0;
	if (errno == ELOOP || errno == ENXIO)
		return put_aside(consumer, name, "it is not a regular file", error);
	return error_set(error, errno == EACCES ? EX_NOPERM : EX_IOERR,
		"cannot read %.200s/%.90s: %s", consumer->folder->path, name, strerror(errno));
}

/* What the next file holds; as take_file(). */
static int take_events(struct consumer *consumer, struct group *group, const struct buf *file,
	struct buf *damaged, struct error *error)
{
	char *name = consumer->names.all[consumer->next], age[NUMBER_TEXT], why[80];
	size_t count = group->count;
	struct error wrong = {0};
	int64_t spooled = 0;

	if (entry_read_healthy(file->data ? file->data : "", file->len, &spooled, group, damaged,
		    &wrong) != 0) {
		if (wrong.status == EX_DATAERR)
			return put_aside(consumer, name, wrong.text, error);
		return error_set(error, wrong.status, "%.200s/%.90s: %.180s",
			consumer->folder->path, name, wrong.text);
	}
	if (group->count == count)
		return put_aside(consumer, name, "no event of it can be read", error);
	if (is_old(consumer, spooled)) {
		group->count = count;
		snprintf(why, sizeof(why), "it has waited for longer than --spool-max-age, %s",
			number_duration_text(consumer->age_max, age));
		return put_aside(consumer, name, why, error);
	}
	if (!give_out(consumer, name, group->count, spooled))
		return error_set(error, EX_OSERR, "out of memory");
	if (damaged->len == 0 || part_damaged(consumer, group, count, damaged, error) == 0)
		return 1;
	/* Its name is still one that was not given out. */
	consumer->file_count--;
	group->count = count;
	return -1;
}

static int take_entry(
	struct consumer *consumer, struct group *group, const struct buf *file, struct error *error)
{
	struct buf damaged;
	int result;

	buf_init(&damaged, ENTRY_FILE_MAX);
	result = take_events(consumer, group, file, &damaged, error);
	buf_free(&damaged);
	return result;
}

/* Take the next file.  Return 1, 0 if it was put aside or is gone, or -1. */
static int take_file(struct consumer *consumer, struct group *group, struct error *error)
{
	const char *name = consumer->names.all[consumer->next];
	struct buf file;
	int result;

	if (is_marked(consumer, name))
		return put_marked(consumer, name, error);
	buf_init(&file, ENTRY_FILE_MAX);
	if (durable_read(consumer->folder->fd, name, &file) != 0 && errno != EFBIG) {
		result = not_read(consumer, name, error);
		buf_free(&file);
		return result;
	}
	result = take_entry(consumer, group, &file, error);
	buf_free(&file);
	return result;
}

/* See to it that there is a next file.  Return 1, 0 if nothing waits, or -1. */
static int find_next(struct consumer *consumer, struct error *error)
{
	if (consumer->next < consumer->names.count)
		return 1;
	forget_names(consumer);
	if (queue_folder_list(consumer->folder, &consumer->names, error) != 0)
		return -1;
	return consumer->names.count > 0;
}

/*
 * The file that was just given out has an event without a key.  It is taken alone: if other files
 * begin the group, it has to wait.
 */
static int take_alone(
	struct consumer *consumer, struct group *group, size_t from, struct error *error)
{
	if (from > 0) {
		consumer->file_count--;
		group->count = from;
		return 1;
	}
	consumer->next++;
	return mark(consumer, consumer->files[0].name, error) == 0 ? 1 : -1;
}

int consumer_take(struct consumer *consumer, struct group *group, size_t events, size_t bytes,
	struct error *error)
{
	uint64_t number, more;

	forget_files(consumer);
	for (;;) {
		size_t from = group->count;
		int result;

		if (from > 0 && consumer->next == consumer->names.count)
			return 1;
		result = find_next(consumer, error);
		if (result <= 0)
			return result;
		spool_name_read(consumer->names.all[consumer->next], &number, &more);
		if (from > 0 && (from + more > events || group->text.len >= bytes))
			return 1;
		result = take_file(consumer, group, error);
		/* The files before one that blocks the queue can be sent. */
		if (result < 0)
			return group->count > 0 ? 1 : -1;
		if (result > 0 && lacks_key(group, from))
			return take_alone(consumer, group, from, error);
		if (result == 0)
			free(consumer->names.all[consumer->next]);
		consumer->next++;
	}
}

/* As consumer_done(), but for what `sending` says. */
static int let_go(
	struct consumer *consumer, const struct group *group, size_t settled, struct error *error)
{
	char name[SPOOL_NAME_SIZE];
	size_t start = 0;

	for (size_t i = 0; i < consumer->file_count && start < settled; i++) {
		const struct taken_file *file = &consumer->files[i];

		if (file->end > settled)
			return keep_rest(consumer, group, file, settled, name, error);
		if (remove_file(consumer, file->name, error) != 0)
			return -1;
		start = file->end;
	}
	return 0;
}

int consumer_done(
	struct consumer *consumer, const struct group *group, size_t settled, struct error *error)
{
	int result = let_go(consumer, group, settled, error);

	if (result == 0)
		unmark(consumer);
	return result;
}

int consumer_fail(struct consumer *consumer, const struct group *group, size_t index,
	const char *reason, struct error *error)
{
	char name[SPOOL_NAME_SIZE], kept[SPOOL_NAME_SIZE];
	size_t file = 0, start = 0;

	while (file + 1 < consumer->file_count && consumer->files[file].end <= index)
		start = consumer->files[file++].end;
	/* The name says which event of which file it was. */
	snprintf(name, sizeof(name), "%.*s-%zu", (int)strcspn(consumer->files[file].name, "."),
		consumer->files[file].name, index - start + 1);
	if (dead_letter_put_event(consumer->folder, group, index, name, reason, kept, error) != 0)
		return -1;
	note_failure(consumer, kept, reason);
	return 0;
}

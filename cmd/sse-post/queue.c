/* SPDX-License-Identifier: MIT */
/* Queues in a folder; see queue.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client_run.h"
#include "entry.h"
#include "file.h"
#include "number.h"
#include "queue.h"

#define SUFFIX ".events"
#define NEW "new"
#define LOCK "lock"
#define FLUSH "flush"
#define URL "url"
#define FAILED "failed"
#define SENDING "sending"
#define REASON ".reason"
#define URL_FIRST_LINE "sse-post spool 1\n"

/* The longest name of a file, and of a queue's folder. */
#define NAME_SIZE 96
#define SLUG_MAX 60
#define STEM_MAX 40

/* How long the lock of an append is waited for (ms), and how often it is asked for. */
#define LOCK_TIME_MAX 60000
#define LOCK_EVERY 5

/* The largest number that a name of 16 digits has room for. */
#define NUMBER_MAX UINT64_C(9999999999999999)

/* What `lock` says; of a fixed length, so that one write replaces it. */
#define COUNT_FORMAT "next %016" PRIu64 " events %016" PRId64 " bytes %016" PRId64 "\n"
#define COUNT_SIZE 80

struct count {
	uint64_t next; /* the number of the next file */
	int64_t events, bytes;
};

/* --- small things ---------------------------------------------------------------------------- */

static int fail(const struct queue *queue, int status, const char *doing, struct error *error)
{
	return error_set(error, status, "cannot %s in the spool %.200s: %s", doing, queue->path,
		strerror(errno));
}

static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t hash(const char *text)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++)
		value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return value;
}

/* "http://localhost:8000/api/users" becomes "localhost_8000_api_users-" and a hash. */
static void name_queue(const char *url, char name[NAME_SIZE])
{
	const char *p = strstr(url, "://");
	size_t len = 0;

	for (p = p != NULL ? p + 3 : url; *p != '\0' && len < SLUG_MAX; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || *p == '-' || (*p == '.' && len > 0);

		name[len++] = plain ? *p : '_';
	}
	snprintf(name + len, NAME_SIZE - len, "-%016" PRIx64, hash(url));
}

/* "0000000000000012.3.events" is of 3 events; "0000000000000012-2.1.events" was in failed/. */
static bool read_name(const char *name, uint64_t *number, uint64_t *events)
{
	size_t len = strlen(name);
	const char *dot = strchr(name, '.');
	char *end = NULL;

	if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0 ||
		*name < '0' || *name > '9' || len >= NAME_SIZE)
		return false;
	*number = strtoull(name, NULL, 10);
	*events = dot[1] >= '0' && dot[1] <= '9' ? strtoull(dot + 1, &end, 10) : 0;
	return *events > 0 && strcmp(end, SUFFIX) == 0;
}

/* A file of its own beside the others, synced, without its name yet; under the lock. */
static bool write_new(int folder, unsigned mode, const char *data, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, number;

	/* What a killed run left, whatever it is. */
	unlinkat(folder, NEW, 0);
	fd = openat(folder, NEW, flags, 0600);
	if (fd < 0)
		return false;
	if (fchmod(fd, mode) == 0 && file_write(fd, data, len) && fsync(fd) == 0) {
		if (close(fd) == 0)
			return true;
		fd = -1;
	}
	number = errno;
	if (fd >= 0)
		close(fd);
	unlinkat(folder, NEW, 0);
	errno = number;
	return false;
}

/* A file, synced, under its name, whatever had it; the folder is synced too.  Under the lock. */
static bool put_file(int folder, const char *name, unsigned mode, const char *data, size_t len)
{
	int number;

	if (!write_new(folder, mode, data, len))
		return false;
	if (renameat(folder, NEW, folder, name) == 0)
		return file_sync_folder(folder);
	number = errno;
	unlinkat(folder, NEW, 0);
	errno = number;
	return false;
}

/* Give a file a name that nothing has: EEXIST if something does.  Under the lock. */
static bool move_file(int from, const char *name, int to, const char *there)
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

/*
 * Move a file into failed/, under the name that begins as ${name} does up to its dot, with a number
 * if something there has that name.  Store what it is called now.  Under the lock.
 */
static bool move_to_failed(int from, const char *file, int failed, const char *name,
	uint64_t events, char kept[NAME_SIZE])
{
	int len = (int)strcspn(name, ".");
	char again[16] = "";

	for (unsigned i = 2; i < 1000000; i++) {
		snprintf(kept, NAME_SIZE, "%.*s%s.%" PRIu64 SUFFIX, len < STEM_MAX ? len : STEM_MAX,
			name, again, events);
		if (move_file(from, file, failed, kept))
			return file_sync_folder(failed);
		if (errno != EEXIST)
			return false;
		snprintf(again, sizeof(again), "-%u", i);
	}
	return false;
}

/* --- locks ----------------------------------------------------------------------------------- */

static bool try_lock(int fd)
{
	int result;

	do
		result = flock(fd, LOCK_EX | LOCK_NB);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

/* Wait for the lock of an append or removal; others have it for the time of a sync. */
static int take_lock(struct queue *queue, struct error *error)
{
	int64_t give_up_at = client_now() + LOCK_TIME_MAX;

	while (!try_lock(queue->lock)) {
		struct timespec pause = {.tv_nsec = LOCK_EVERY * 1000000};

		if (errno != EWOULDBLOCK)
			return fail(queue, EX_IOERR, "lock", error);
		if (client_now() >= give_up_at)
			return error_set(error, EX_TEMPFAIL,
				"another process has had the spool %.200s locked for %d s",
				queue->path, LOCK_TIME_MAX / 1000);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static void drop_lock(struct queue *queue)
{
	flock(queue->lock, LOCK_UN);
}

/* --- counting; under the lock ---------------------------------------------------------------- */

static bool read_count(const struct queue *queue, struct count *count)
{
	char text[COUNT_SIZE + 1] = "";
	ssize_t len = pread(queue->lock, text, COUNT_SIZE, 0);

	return len > 0 && sscanf(text, "next %" SCNu64 " events %" SCNd64 " bytes %" SCNd64,
				  &count->next, &count->events, &count->bytes) == 3;
}

/* Look at every file. */
static int count_files(const struct queue *queue, struct count *count, struct error *error)
{
	int fd = openat(queue->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct count known;
	struct dirent *file;

	if (folder == NULL)
		return fail(queue, EX_IOERR, "list the files", error);
	*count = (struct count){.next = 1};
	while ((file = readdir(folder)) != NULL) {
		struct stat status;
		uint64_t number, events;

		if (!read_name(file->d_name, &number, &events) ||
			fstatat(queue->folder, file->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (number >= count->next)
			count->next = number + 1;
		count->events += (int64_t)events;
		count->bytes += status.st_size;
	}
	closedir(folder);
	/* A number is not used twice, so that what is in failed/ keeps its own. */
	if (read_count(queue, &known) && known.next > count->next && known.next < NUMBER_MAX)
		count->next = known.next;
	return 0;
}

static void write_count(const struct queue *queue, const struct count *count)
{
	char text[COUNT_SIZE + 1];
	int len = snprintf(text, sizeof(text), COUNT_FORMAT, count->next,
		count->events > 0 ? count->events : 0, count->bytes > 0 ? count->bytes : 0);

	/* If this fails, the next process counts. */
	if (pwrite(queue->lock, text, (size_t)len, 0) != len)
		(void)!ftruncate(queue->lock, 0);
}

/*
 * What is there.  A kill leaves a count that is too high, a loss of power any: so each process
 * counts once, and whoever would refuse an event counts again.
 */
static int get_count(struct queue *queue, struct count *count, struct error *error)
{
	if (queue->counted && read_count(queue, count))
		return 0;
	if (count_files(queue, count, error) != 0)
		return -1;
	queue->counted = true;
	return 0;
}

/* Is there room for these?  A sentence if not. */
static int check_room(const struct queue *queue, const struct count *count, int64_t events,
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

/* --- appending ------------------------------------------------------------------------------- */

/* The file is made: number it and put it into its place.  Under the lock. */
static int put_numbered(
	struct queue *queue, const struct buf *file, size_t events, struct error *error)
{
	char name[NAME_SIZE];
	struct count count;

	if (get_count(queue, &count, error) != 0)
		return -1;
	if (check_room(queue, &count, (int64_t)events, (int64_t)file->len, error) != 0) {
		if (count_files(queue, &count, error) != 0)
			return -1;
		write_count(queue, &count);
		if (check_room(queue, &count, (int64_t)events, (int64_t)file->len, error) != 0)
			return -1;
	}
	snprintf(name, sizeof(name), "%016" PRIu64 ".%zu" SUFFIX, count.next, events);
	count.next++;
	count.events += (int64_t)events;
	count.bytes += (int64_t)file->len;
	write_count(queue, &count);
	if (put_file(queue->folder, name, queue->mode, file->data, file->len))
		return 0;
	fail(queue, EX_IOERR, "store events", error);
	/* It must not be there if the caller hears that it is not. */
	unlinkat(queue->folder, name, 0);
	queue->counted = false;
	return -1;
}

/* There was room for a part: a sentence with what is there now. */
static int say_full(struct queue *queue, struct error *error)
{
	struct count count;

	if (get_count(queue, &count, error) != 0)
		return -1;
	return check_room(queue, &count, 1, queue->limits.bytes, error);
}

/* So many have no room: how many to try next. */
static size_t fewer(const struct queue *queue, size_t events)
{
	struct count count;
	int64_t room;

	if (!read_count(queue, &count))
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
	struct entry entry = {.url = queue->url, .reason = reason, .spooled = wall_clock()};
	struct buf file;
	int result;

	buf_init(&file, ENTRY_MAX);
	if (!entry_write(&entry, group, *from, group->count - *from, &file)) {
		buf_free(&file);
		return error_set(error, EX_OSERR, "out of memory");
	}
	result = take_lock(queue, error);
	if (result == 0) {
		result = append_some(queue, group, from, &entry, &file, error);
		drop_lock(queue);
	}
	buf_free(&file);
	return result;
}

/* --- delivering ------------------------------------------------------------------------------ */

int queue_begin(struct queue *queue, struct error *error)
{
	if (try_lock(queue->flush))
		return 1;
	return errno == EWOULDBLOCK ? 0 : fail(queue, EX_IOERR, "lock", error);
}

static void forget_names(struct queue *queue)
{
	for (size_t i = queue->next; i < queue->count; i++)
		free(queue->names[i]);
	free(queue->names);
	queue->names = NULL;
	queue->count = queue->next = 0;
}

static void forget_files(struct queue *queue)
{
	for (size_t i = 0; i < queue->file_count; i++)
		free(queue->files[i].name);
	free(queue->files);
	queue->files = NULL;
	queue->file_count = 0;
}

void queue_end(struct queue *queue)
{
	forget_names(queue);
	forget_files(queue);
	file_sync_folder(queue->folder);
	flock(queue->flush, LOCK_UN);
}

/* The folder of what was put aside, made if it is not there; -1 with errno. */
static int open_failed(const struct queue *queue)
{
	if (mkdirat(queue->folder, FAILED, queue->folder_mode) != 0 && errno != EEXIST)
		return -1;
	return openat(queue->folder, FAILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A file has left the queue; under the lock. */
static void count_out(struct queue *queue, const char *name, int64_t bytes)
{
	struct count count;
	uint64_t number, events;

	if (!read_name(name, &number, &events) || !read_count(queue, &count))
		return;
	count.events -= (int64_t)events;
	count.bytes -= bytes;
	write_count(queue, &count);
}

static int remove_file(struct queue *queue, const char *name, struct error *error)
{
	struct stat status = {0};
	int result;

	if (take_lock(queue, error) != 0)
		return -1;
	fstatat(queue->folder, name, &status, AT_SYMLINK_NOFOLLOW);
	result = unlinkat(queue->folder, name, 0);
	if (result == 0)
		count_out(queue, name, status.st_size);
	else
		fail(queue, EX_IOERR, "remove a file", error);
	drop_lock(queue);
	return result;
}

/* Something is in failed/: who delivers tells the last one, and here each before it. */
static void note_failure(struct queue *queue, const char *kept, const char *reason)
{
	if (queue->last_failure.status != 0 && queue->tell != NULL)
		queue->tell(queue->context, &queue->last_failure);
	queue->failed++;
	error_set(&queue->last_failure, EX_DATAERR, "%.150s/" FAILED "/%.90s: %.250s", queue->path,
		kept, reason);
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* List what waits, oldest first. */
static int list_files(struct queue *queue, struct error *error)
{
	int fd = openat(queue->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *file;
	size_t room = 0;
	uint64_t number, events;

	if (folder == NULL)
		return fail(queue, EX_IOERR, "list the files", error);
	forget_names(queue);
	while ((file = readdir(folder)) != NULL) {
		if (!read_name(file->d_name, &number, &events))
			continue;
		if (queue->count == room) {
			char **names;

			room = room > 0 ? 2 * room : 64;
			names = realloc(queue->names, room * sizeof(*names));
			if (names == NULL)
				break;
			queue->names = names;
		}
		queue->names[queue->count] = strdup(file->d_name);
		if (queue->names[queue->count] == NULL)
			break;
		queue->count++;
	}
	closedir(folder);
	if (file != NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (queue->count > 0)
		qsort(queue->names, queue->count, sizeof(*queue->names), compare_names);
	return 0;
}

/* Read a whole file; -1 with errno, which is ELOOP or ENXIO where something else has the name. */
static int read_file(int folder, const char *name, struct buf *out)
{
	int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	ssize_t count = 1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		errno = ENXIO;
		return -1;
	}
	while (count > 0) {
		size_t left = out->cap - out->len;
		char *room = buf_reserve(out, left > 65536 ? 65536 : left);

		if (room == NULL || left == 0) {
			errno = EFBIG;
			count = -1;
			break;
		}
		do
			count = read(fd, room, left > 65536 ? 65536 : left);
		while (count < 0 && errno == EINTR);
		if (count > 0)
			out->len += (size_t)count;
	}
	{
		int number = errno;

		close(fd);
		errno = number;
	}
	return count < 0 ? -1 : 0;
}

/* Beside a file in failed/, which stays as it is, stands why it is there.  Under the lock. */
static bool put_reason(const struct queue *queue, int failed, const char *kept, const char *why)
{
	char name[NAME_SIZE + sizeof(REASON)];
	struct buf text;
	bool put;

	snprintf(name, sizeof(name), "%s" REASON, kept);
	buf_init(&text, 4096);
	put = buf_addf(&text, "reason: %s\n", why) &&
	      put_file(failed, name, queue->mode, text.data, text.len);
	buf_free(&text);
	return put;
}

/* Move a whole file into failed/. */
static int put_aside(struct queue *queue, const char *name, const char *why, struct error *error)
{
	struct stat status = {0};
	char kept[NAME_SIZE];
	uint64_t number, events;
	bool put = false;
	int failed;

	if (take_lock(queue, error) != 0)
		return -1;
	read_name(name, &number, &events);
	fstatat(queue->folder, name, &status, AT_SYMLINK_NOFOLLOW);
	failed = open_failed(queue);
	if (failed >= 0 && move_to_failed(queue->folder, name, failed, name, events, kept)) {
		count_out(queue, name, status.st_size);
		put = put_reason(queue, failed, kept, why);
	}
	if (!put)
		fail(queue, EX_IOERR, "put a file aside", error);
	if (failed >= 0)
		close(failed);
	drop_lock(queue);
	if (!put)
		return -1;
	note_failure(queue, kept, why);
	return 0;
}

/*
 * Put the text of an entry into failed/, durably, under a name that begins as ${name} does, and
 * store that.
 */
static int put_entry_aside(struct queue *queue, const struct buf *text, const char *name,
	size_t events, char kept[NAME_SIZE], struct error *error)
{
	bool put;
	int failed;

	if (take_lock(queue, error) != 0)
		return -1;
	failed = open_failed(queue);
	put = failed >= 0 && write_new(failed, queue->mode, text->data, text->len) &&
	      move_to_failed(failed, NEW, failed, name, events, kept) &&
	      file_sync_folder(queue->folder);
	if (!put)
		fail(queue, EX_IOERR, "put an event aside", error);
	if (failed >= 0)
		close(failed);
	drop_lock(queue);
	return put ? 0 : -1;
}

/* As put_entry_aside(), a copy of an event. */
static int put_event_aside(struct queue *queue, const struct group *group, size_t index,
	const char *name, const char *reason, char kept[NAME_SIZE], struct error *error)
{
	struct entry entry = {.url = queue->url, .reason = reason, .spooled = wall_clock()};
	struct buf text;
	int result;

	buf_init(&text, ENTRY_MAX);
	result = entry_write(&entry, group, index, 1, &text)
			 ? put_entry_aside(queue, &text, name, 1, kept, error)
			 : error_set(error, EX_OSERR, "out of memory");
	buf_free(&text);
	return result;
}

/* It waited too long?  A clock that was set back makes nothing old. */
static bool is_old(const struct queue *queue, int64_t spooled)
{
	return queue->limits.age > 0 && wall_clock() - spooled > queue->limits.age;
}

static bool give_out(struct queue *queue, char *name, size_t end, int64_t spooled)
{
	struct queue_file *files = realloc(queue->files, (queue->file_count + 1) * sizeof(*files));

	if (files == NULL)
		return false;
	queue->files = files;
	files[queue->file_count++] = (struct queue_file){name, end, spooled};
	return true;
}

/* Of this file a part is settled: put one with the rest into its place, and name that. */
static int keep_rest(struct queue *queue, const struct group *group, const struct queue_file *file,
	size_t settled, char name[NAME_SIZE], struct error *error)
{
	struct entry entry = {.url = queue->url,
		.reason = "the events beside these are done with",
		.spooled = file->spooled};
	struct group rest = *group;
	struct buf text;
	bool put;

	/* Those of the files behind it are not a part of it. */
	rest.count = file->end;
	buf_init(&text, ENTRY_MAX);
	snprintf(name, NAME_SIZE, "%.*s.%zu" SUFFIX, (int)strcspn(file->name, "."), file->name,
		file->end - settled);
	if (take_lock(queue, error) != 0)
		return -1;
	put = entry_write(&entry, &rest, settled, file->end - settled, &text) &&
	      put_file(queue->folder, name, queue->mode, text.data, text.len);
	if (!put)
		fail(queue, EX_IOERR, "store the rest of a file", error);
	drop_lock(queue);
	buf_free(&text);
	if (!put)
		return -1;
	return strcmp(name, file->name) == 0 ? 0 : remove_file(queue, file->name, error);
}

/*
 * Of the file that is the last to be given out, some lines are damaged: they go to failed/, and a
 * file with the others takes its place.
 */
static int part_damaged(struct queue *queue, const struct group *group, size_t from,
	const struct buf *damaged, struct error *error)
{
	static const char why[] = "they cannot be read as events";
	struct queue_file *file = &queue->files[queue->file_count - 1];
	struct entry entry = {.url = queue->url, .reason = why, .spooled = file->spooled};
	char kept[NAME_SIZE], name[NAME_SIZE], *rest = NULL;
	size_t count = 0;
	struct buf text;
	int result;

	for (size_t i = 0; i < damaged->len; i++)
		count += damaged->data[i] == '\n';
	buf_init(&text, ENTRY_MAX + 65536);
	result = entry_write_damaged(&entry, damaged, count, &text)
			 ? put_entry_aside(queue, &text, file->name, count, kept, error)
			 : error_set(error, EX_OSERR, "out of memory");
	buf_free(&text);
	if (result != 0 || keep_rest(queue, group, file, from, name, error) != 0)
		return -1;
	note_failure(queue, kept, why);
	rest = strdup(name);
	if (rest == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	free(file->name);
	file->name = queue->names[queue->next] = rest;
	return 0;
}

/* --- at most once ---------------------------------------------------------------------------- */

static bool lacks_key(const struct group *group, size_t from)
{
	for (size_t i = from; i < group->count; i++) {
		if (group->all[i].key.len == 0)
			return true;
	}
	return false;
}

/* Was it being sent when a run ended? */
static bool is_marked(const struct queue *queue, const char *name)
{
	struct buf text;
	bool marked;

	buf_init(&text, (size_t)4 * NAME_SIZE);
	marked = read_file(queue->folder, SENDING, &text) == 0 && text.len == strlen(name) &&
		 memcmp(text.data, name, text.len) == 0;
	buf_free(&text);
	return marked;
}

static int mark(struct queue *queue, const char *name, struct error *error)
{
	if (take_lock(queue, error) != 0)
		return -1;
	queue->marked = put_file(queue->folder, SENDING, queue->mode, name, strlen(name));
	if (!queue->marked)
		fail(queue, EX_IOERR, "note what is sent", error);
	drop_lock(queue);
	return queue->marked ? 0 : -1;
}

/* If it is moved back, it is for the user to know. */
static int put_marked(struct queue *queue, const char *name, struct error *error)
{
	static const char why[] = "a run ended while it was sent, and without keys it is not sent "
				  "again: it may or may not have been stored";

	if (put_aside(queue, name, why, error) != 0)
		return -1;
	unlinkat(queue->folder, SENDING, 0);
	return 0;
}

/* What became of the file is on the disk before this is. */
static void unmark(struct queue *queue)
{
	if (queue->marked && file_sync_folder(queue->folder))
		unlinkat(queue->folder, SENDING, 0);
	queue->marked = false;
}

/* --- taking ---------------------------------------------------------------------------------- */

/* What errno says of a file that cannot be read; as take_file() returns it. */
static int not_read(struct queue *queue, const char *name, struct error *error)
{
	if (errno == ENOENT)
		return 0;
	if (errno == ELOOP || errno == ENXIO)
		return put_aside(queue, name, "it is no file, but something else", error);
	return error_set(error, errno == EACCES ? EX_NOPERM : EX_IOERR,
		"cannot read %.200s/%.90s: %s", queue->path, name, strerror(errno));
}

/* What the next file holds; as take_file(). */
static int take_events(struct queue *queue, struct group *group, const struct buf *file,
	struct buf *damaged, struct error *error)
{
	char *name = queue->names[queue->next], age[NUMBER_TEXT], why[80];
	size_t count = group->count;
	struct error wrong = {0};
	int64_t spooled = 0;

	if (entry_read_healthy(file->data ? file->data : "", file->len, &spooled, group, damaged,
		    &wrong) != 0) {
		if (wrong.status == EX_DATAERR)
			return put_aside(queue, name, wrong.text, error);
		return error_set(
			error, wrong.status, "%.200s/%.90s: %.180s", queue->path, name, wrong.text);
	}
	if (group->count == count)
		return put_aside(queue, name, "no event of it can be read", error);
	if (is_old(queue, spooled)) {
		group->count = count;
		snprintf(why, sizeof(why), "it has waited for longer than --spool-max-age, %s",
			number_duration_text(queue->limits.age, age));
		return put_aside(queue, name, why, error);
	}
	if (!give_out(queue, name, group->count, spooled))
		return error_set(error, EX_OSERR, "out of memory");
	if (damaged->len == 0 || part_damaged(queue, group, count, damaged, error) == 0)
		return 1;
	/* Its name is still one that was not given out. */
	queue->file_count--;
	group->count = count;
	return -1;
}

static int take_entry(
	struct queue *queue, struct group *group, const struct buf *file, struct error *error)
{
	struct buf damaged;
	int result;

	buf_init(&damaged, ENTRY_MAX + 65536);
	result = take_events(queue, group, file, &damaged, error);
	buf_free(&damaged);
	return result;
}

/* Take the next file.  Return 1, 0 if it was put aside or is gone, or -1. */
static int take_file(struct queue *queue, struct group *group, struct error *error)
{
	const char *name = queue->names[queue->next];
	struct buf file;
	int result;

	if (is_marked(queue, name))
		return put_marked(queue, name, error);
	buf_init(&file, ENTRY_MAX + 65536);
	if (read_file(queue->folder, name, &file) != 0 && errno != EFBIG) {
		buf_free(&file);
		return not_read(queue, name, error);
	}
	result = take_entry(queue, group, &file, error);
	buf_free(&file);
	return result;
}

int queue_take(
	struct queue *queue, struct group *group, size_t events, size_t bytes, struct error *error)
{
	uint64_t number, more;
	size_t from;

	forget_files(queue);
	for (;;) {
		int result;

		if (queue->next == queue->count) {
			if (group->count > 0)
				return 1;
			if (list_files(queue, error) != 0)
				return -1;
			if (queue->count == 0)
				return 0;
		}
		read_name(queue->names[queue->next], &number, &more);
		if (group->count > 0 && (group->count + more > events || group->text.len >= bytes))
			return 1;
		from = group->count;
		result = take_file(queue, group, error);
		/* What is in front of a file that stands in the way can go. */
		if (result < 0)
			return group->count > 0 ? 1 : -1;
		if (result > 0 && lacks_key(group, from)) {
			if (from > 0) {
				/* The next time it is the first. */
				queue->file_count--;
				group->count = from;
				return 1;
			}
			queue->next++;
			return mark(queue, queue->files[0].name, error) == 0 ? 1 : -1;
		}
		if (result == 0)
			free(queue->names[queue->next]);
		queue->next++;
	}
}

/* As queue_done(), but for what `sending` says. */
static int let_go(
	struct queue *queue, const struct group *group, size_t settled, struct error *error)
{
	char name[NAME_SIZE];
	size_t start = 0;

	for (size_t i = 0; i < queue->file_count && start < settled; i++) {
		const struct queue_file *file = &queue->files[i];

		if (file->end > settled)
			return keep_rest(queue, group, file, settled, name, error);
		if (remove_file(queue, file->name, error) != 0)
			return -1;
		start = file->end;
	}
	return 0;
}

int queue_done(struct queue *queue, const struct group *group, size_t settled, struct error *error)
{
	int result = let_go(queue, group, settled, error);

	if (result == 0)
		unmark(queue);
	return result;
}

int queue_fail(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error)
{
	char name[NAME_SIZE], kept[NAME_SIZE];
	size_t file = 0, start = 0;

	while (file + 1 < queue->file_count && queue->files[file].end <= index)
		start = queue->files[file++].end;
	/* The name says which event of which file it was. */
	snprintf(name, sizeof(name), "%.*s-%zu", (int)strcspn(queue->files[file].name, "."),
		queue->files[file].name, index - start + 1);
	if (put_event_aside(queue, group, index, name, reason, kept, error) != 0)
		return -1;
	note_failure(queue, kept, reason);
	return 0;
}

int queue_refuse(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error)
{
	char name[NAME_SIZE], kept[NAME_SIZE];
	struct count count;
	int result;

	if (take_lock(queue, error) != 0)
		return -1;
	result = get_count(queue, &count, error);
	if (result == 0) {
		snprintf(name, sizeof(name), "%016" PRIu64, count.next++);
		write_count(queue, &count);
	}
	drop_lock(queue);
	return result == 0 ? put_event_aside(queue, group, index, name, reason, kept, error) : -1;
}

/* --- opening --------------------------------------------------------------------------------- */

static int open_locks(struct queue *queue, struct error *error)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

	queue->lock = openat(queue->folder, LOCK, flags, queue->mode);
	queue->flush = openat(queue->folder, FLUSH, flags, queue->mode);
	if (queue->lock < 0 || queue->flush < 0)
		return fail(queue, EX_CANTCREAT, "make a lock", error);
	/* Whatever the umask; if another user made them this fails and is not needed. */
	(void)!fchmod(queue->lock, queue->mode);
	(void)!fchmod(queue->flush, queue->mode);
	return 0;
}

/* Only the beginning of it is left, or nothing? */
static bool is_part_of(const struct buf *text, const struct buf *whole)
{
	return text->len == 0 ||
	       (text->len < whole->len && memcmp(text->data, whole->data, text->len) == 0);
}

static int put_url(struct queue *queue, const struct buf *text, struct error *error)
{
	int result = take_lock(queue, error);

	if (result != 0)
		return -1;
	if (!put_file(queue->folder, URL, queue->mode, text->data, text->len))
		result = fail(queue, EX_CANTCREAT, "make the file url", error);
	drop_lock(queue);
	return result;
}

/* Say which URL it is, or see that it is this one. */
static int check_url(struct queue *queue, struct error *error)
{
	struct buf text, want;
	int result = 0;

	buf_init(&text, (size_t)1 << 20);
	buf_init(&want, (size_t)1 << 20);
	if (!buf_addf(&want, URL_FIRST_LINE "url: %s\n", queue->url)) {
		result = error_set(error, EX_OSERR, "out of memory");
	} else if (read_file(queue->folder, URL, &text) != 0 && errno != ENOENT) {
		result = fail(queue, EX_IOERR, "read the file url", error);
	} else if (is_part_of(&text, &want)) {
		result = put_url(queue, &want, error);
	} else if (text.len != want.len || memcmp(text.data, want.data, text.len) != 0) {
		result = error_set(error, EX_IOERR,
			"%.200s/" URL " does not name %.150s: the folder is not its queue",
			queue->path, queue->url);
	}
	buf_free(&text);
	buf_free(&want);
	return result;
}

/* Make a folder if it is not there, durably. */
static int make_folder(const char *path, const char *parent, unsigned mode, struct error *error)
{
	int fd;

	if (mkdir(path, mode) != 0) {
		if (errno == EEXIST)
			return 0;
		return error_set(error, EX_CANTCREAT, "cannot make the spool %.300s: %s", path,
			strerror(errno));
	}
	/* Of a spool that is a group's, the queues are the group's too. */
	chmod(path, mode);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		file_sync_folder(fd);
		close(fd);
	}
	return 0;
}

static char *path_of(const char *spool, const char *name)
{
	size_t size = strlen(spool) + strlen(name) + 2;
	char *path = malloc(size);

	if (path != NULL)
		snprintf(path, size, "%s/%s", spool, name);
	return path;
}

int queue_open(struct queue *queue, const char *spool, const char *url,
	const struct spool_limits *limits, struct error *error)
{
	char name[NAME_SIZE];
	struct stat status;
	char *above;

	name_queue(url, name);
	*queue = (struct queue){.path = path_of(spool, name),
		.url = strdup(url),
		.limits = *limits,
		.folder = -1,
		.lock = -1,
		.flush = -1};
	above = path_of(spool, "..");
	if (queue->path == NULL || queue->url == NULL || above == NULL) {
		free(above);
		return error_set(error, EX_OSERR, "out of memory");
	}
	if (make_folder(spool, above, 0700, error) != 0) {
		free(above);
		return -1;
	}
	free(above);
	if (stat(spool, &status) != 0)
		return error_set(error, EX_CANTCREAT, "cannot use the spool %.300s: %s", spool,
			strerror(errno));
	queue->mode = status.st_mode & 0660;
	queue->folder_mode = status.st_mode & 02770;
	if (make_folder(queue->path, spool, queue->folder_mode, error) != 0)
		return -1;
	queue->folder = open(queue->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (queue->folder < 0)
		return error_set(error, EX_CANTCREAT, "cannot use the spool %.300s: %s",
			queue->path, strerror(errno));
	return open_locks(queue, error) == 0 ? check_url(queue, error) : -1;
}

void queue_close(struct queue *queue)
{
	int fds[] = {queue->folder, queue->lock, queue->flush};

	if (queue->path == NULL && queue->url == NULL)
		return;
	forget_names(queue);
	forget_files(queue);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(queue->path);
	free(queue->url);
	*queue = (struct queue){0};
}

bool queue_is_empty(const struct queue *queue)
{
	int fd = openat(queue->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *file;
	uint64_t number, events;
	bool empty = true;

	while (folder != NULL && empty && (file = readdir(folder)) != NULL)
		empty = !read_name(file->d_name, &number, &events);
	if (folder != NULL)
		closedir(folder);
	return empty;
}

/* --- the whole spool ------------------------------------------------------------------------- */

/* When the events of a file were spooled, without reading all of it. */
static int64_t time_of(int folder, const char *name)
{
	struct buf text;
	struct group group;
	struct error wrong;
	int64_t spooled = 0;

	buf_init(&text, ENTRY_MAX);
	group_init(&group);
	if (read_file(folder, name, &text) == 0)
		entry_read(text.data ? text.data : "", text.len, &spooled, &group, &wrong);
	group_free(&group);
	buf_free(&text);
	return spooled;
}

static uint64_t count_failed(int folder)
{
	int fd = openat(folder, FAILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *failed = fd >= 0 ? fdopendir(fd) : NULL;
	uint64_t count = 0, number, events;
	struct dirent *file;

	while (failed != NULL && (file = readdir(failed)) != NULL)
		count += read_name(file->d_name, &number, &events) ? events : 0;
	if (failed != NULL)
		closedir(failed);
	return count;
}

/* The URL of a queue, to be freed; NULL if the folder is none. */
static char *read_url(int folder)
{
	static const char begin[] = URL_FIRST_LINE "url: ";
	size_t len = sizeof(begin) - 1;
	struct buf text;
	char *url = NULL;

	buf_init(&text, (size_t)1 << 20);
	if (read_file(folder, URL, &text) == 0 && text.len > len + 1 &&
		memcmp(text.data, begin, len) == 0 && text.data[text.len - 1] == '\n')
		url = strndup(text.data + len, text.len - len - 1);
	buf_free(&text);
	return url;
}

/* What the files of a queue whose `url` is lost say it is, to be freed; NULL if none does. */
static char *find_url(struct queue *queue, const char *folder)
{
	struct error error;
	char *url = NULL, name[NAME_SIZE];

	if (list_files(queue, &error) != 0)
		return NULL;
	for (size_t i = 0; i < queue->count && url == NULL; i++) {
		struct buf text;

		buf_init(&text, ENTRY_MAX + 65536);
		if (read_file(queue->folder, queue->names[i], &text) == 0 && text.len > 0)
			url = entry_url(text.data, text.len);
		buf_free(&text);
		if (url == NULL)
			continue;
		name_queue(url, name);
		if (strcmp(name, folder) != 0) {
			free(url);
			url = NULL;
		}
	}
	forget_names(queue);
	return url;
}

static void survey(struct queue *queue, struct queue_status *status)
{
	struct stat file;
	uint64_t number, events;
	struct error error;

	status->failed = count_failed(queue->folder);
	if (list_files(queue, &error) != 0)
		return;
	for (size_t i = 0; i < queue->count; i++) {
		if (fstatat(queue->folder, queue->names[i], &file, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		read_name(queue->names[i], &number, &events);
		status->events += events;
		status->bytes += (uint64_t)file.st_size;
		if (status->oldest == 0)
			status->oldest = time_of(queue->folder, queue->names[i]);
	}
	forget_names(queue);
}

static bool visit_queue(const char *spool, const char *name,
	bool (*visit)(void *context, const struct queue_status *status), void *context,
	struct error *error)
{
	struct queue queue = {.path = path_of(spool, name), .folder = -1, .lock = -1, .flush = -1};
	struct queue_status status = {0};
	bool more = true;

	if (queue.path != NULL)
		queue.folder = open(queue.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (queue.folder >= 0)
		queue.url = read_url(queue.folder);
	if (queue.folder >= 0 && queue.url == NULL)
		queue.url = find_url(&queue, name);
	if (queue.url != NULL) {
		status.url = queue.url;
		survey(&queue, &status);
		more = visit(context, &status);
	} else if (queue.folder >= 0 && !queue_is_empty(&queue)) {
		error_set(error, EX_IOERR,
			"events wait in %.300s, and neither its file url nor they name a URL that is "
			"its own",
			queue.path);
	}
	queue_close(&queue);
	return more;
}

int spool_each(const char *spool, bool (*visit)(void *context, const struct queue_status *status),
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

/* SPDX-License-Identifier: MIT */
/* Queues in a folder; see spool.h. */
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
#include "number.h"
#include "spool.h"

#define SUFFIX ".events"
#define NEW "new"
#define LOCK "lock"
#define FLUSH "flush"
#define URL "url"
#define FAILED "failed"
#define URL_FIRST_LINE "sse-post spool 1\n"

/* The longest name of a file, and of a queue's folder. */
#define NAME_SIZE 96
#define SLUG_MAX 60

/* How long the lock of an append is waited for (ms), and how often it is asked for. */
#define LOCK_TIME_MAX 60000
#define LOCK_EVERY 5

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

static bool write_all(int fd, const char *data, size_t len)
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

static bool sync_folder(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL;
}

/* A file of its own beside the others, synced, under its name; the folder is synced too. */
static bool put_file(int folder, const char *name, unsigned mode, const char *data, size_t len)
{
	int fd = openat(folder, NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool put;

	if (fd < 0)
		return false;
	put = fchmod(fd, mode) == 0 && write_all(fd, data, len) && fsync(fd) == 0;
	if (close(fd) != 0)
		put = false;
	if (put && renameat(folder, NEW, folder, name) == 0)
		return sync_folder(folder);
	{
		int number = errno;

		unlinkat(folder, NEW, 0);
		errno = number;
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

/* Look at every file. */
static int count_files(const struct queue *queue, struct count *count, struct error *error)
{
	int fd = openat(queue->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
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
	return 0;
}

static bool read_count(const struct queue *queue, struct count *count)
{
	char text[COUNT_SIZE + 1] = "";
	ssize_t len = pread(queue->lock, text, COUNT_SIZE, 0);

	return len > 0 && sscanf(text, "next %" SCNu64 " events %" SCNd64 " bytes %" SCNd64,
				  &count->next, &count->events, &count->bytes) == 3;
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
			"the spool is full: %" PRId64 " events wait for this URL, and --spool-max "
			"allows %" PRId64,
			count->events, queue->limits.events);
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
		if (count_files(queue, &count, error) != 0 ||
			check_room(queue, &count, (int64_t)events, (int64_t)file->len, error) != 0)
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

int queue_append(struct queue *queue, const struct group *group, size_t from, const char *reason,
	struct error *error)
{
	struct entry entry = {.url = queue->url, .reason = reason, .spooled = wall_clock()};
	size_t events = group->count - from;
	struct buf file;
	int result;

	buf_init(&file, ENTRY_MAX);
	if (!entry_write(&entry, group, from, events, &file)) {
		buf_free(&file);
		return error_set(error, EX_OSERR, "out of memory");
	}
	result = take_lock(queue, error);
	if (result == 0) {
		result = put_numbered(queue, &file, events, error);
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
	sync_folder(queue->folder);
	flock(queue->flush, LOCK_UN);
}

static bool make_failed(const struct queue *queue)
{
	return mkdirat(queue->folder, FAILED, queue->folder_mode) == 0 || errno == EEXIST;
}

/* Leave a file out of the queue: it goes, or into failed/. */
static int remove_file(struct queue *queue, const char *name, bool keep, struct error *error)
{
	char kept[sizeof(FAILED) + NAME_SIZE];
	struct stat status = {0};
	struct count count;
	uint64_t number, events;
	int result = 0;

	if (take_lock(queue, error) != 0)
		return -1;
	fstatat(queue->folder, name, &status, AT_SYMLINK_NOFOLLOW);
	snprintf(kept, sizeof(kept), FAILED "/%s", name);
	if (keep && !make_failed(queue))
		result = -1;
	if (result == 0)
		result = keep ? renameat(queue->folder, name, queue->folder, kept)
			      : unlinkat(queue->folder, name, 0);
	if (result == 0 && read_name(name, &number, &events) && read_count(queue, &count)) {
		count.events -= (int64_t)events;
		count.bytes -= status.st_size;
		write_count(queue, &count);
	}
	if (result != 0)
		fail(queue, EX_IOERR, "remove a file", error);
	drop_lock(queue);
	return result;
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

/* Read a whole file; -1 with errno. */
static int read_file(int folder, const char *name, struct buf *out)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t count = 1;

	if (fd < 0)
		return -1;
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

static int put_aside(struct queue *queue, const char *name, const char *why, struct error *error)
{
	queue->failed++;
	error_set(&queue->last_failure, EX_DATAERR, "%.200s/%.90s: %.180s", queue->path, name, why);
	return remove_file(queue, name, true, error);
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

/* Take the next file.  Return 1, 0 if it was put aside or is gone, or -1. */
static int take_file(struct queue *queue, struct group *group, struct error *error)
{
	char *name = queue->names[queue->next], age[NUMBER_TEXT], why[80];
	size_t count = group->count;
	struct error wrong = {0};
	int64_t spooled = 0;
	struct buf file;
	int result = 0;

	buf_init(&file, ENTRY_MAX + 65536);
	if (read_file(queue->folder, name, &file) != 0 && errno != EFBIG) {
		result = errno == ENOENT ? 0 : -1;
		if (result < 0)
			error_set(error, errno == EACCES ? EX_NOPERM : EX_IOERR,
				"cannot read %.200s/%.90s: %s", queue->path, name, strerror(errno));
		buf_free(&file);
		return result;
	}
	if (entry_read(file.data ? file.data : "", file.len, &spooled, group, &wrong) != 0) {
		result = put_aside(queue, name, wrong.text, error);
	} else if (is_old(queue, spooled)) {
		group->count = count;
		snprintf(why, sizeof(why), "it has waited for longer than --spool-max-age, %s",
			number_duration_text(queue->limits.age, age));
		result = put_aside(queue, name, why, error);
	} else {
		result = give_out(queue, name, group->count, spooled)
				 ? 1
				 : error_set(error, EX_OSERR, "out of memory");
	}
	buf_free(&file);
	return result;
}

int queue_take(
	struct queue *queue, struct group *group, size_t events, size_t bytes, struct error *error)
{
	uint64_t number, more;

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
		result = take_file(queue, group, error);
		if (result < 0)
			return -1;
		if (result == 0)
			free(queue->names[queue->next]);
		queue->next++;
	}
}

/* Of this file a part is settled: put one with the rest into its place. */
static int keep_rest(struct queue *queue, const struct group *group, const struct queue_file *file,
	size_t settled, struct error *error)
{
	struct entry entry = {.url = queue->url,
		.reason = "the events before these were sent",
		.spooled = file->spooled};
	struct group rest = *group;
	char name[NAME_SIZE];
	struct buf text;
	bool put;

	/* Those of the files behind it are not a part of it. */
	rest.count = file->end;
	buf_init(&text, ENTRY_MAX);
	snprintf(name, sizeof(name), "%.*s.%zu" SUFFIX, (int)strcspn(file->name, "."), file->name,
		file->end - settled);
	if (take_lock(queue, error) != 0)
		return -1;
	put = entry_write(&entry, &rest, settled, file->end - settled, &text) &&
	      put_file(queue->folder, name, queue->mode, text.data, text.len);
	if (!put)
		fail(queue, EX_IOERR, "store the rest of a file", error);
	drop_lock(queue);
	buf_free(&text);
	return put ? remove_file(queue, file->name, false, error) : -1;
}

int queue_done(struct queue *queue, const struct group *group, size_t settled, struct error *error)
{
	size_t start = 0;

	for (size_t i = 0; i < queue->file_count && start < settled; i++) {
		const struct queue_file *file = &queue->files[i];

		if (file->end > settled)
			return keep_rest(queue, group, file, settled, error);
		if (remove_file(queue, file->name, false, error) != 0)
			return -1;
		start = file->end;
	}
	return 0;
}

int queue_fail(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error)
{
	struct entry entry = {.url = queue->url, .reason = reason, .spooled = wall_clock()};
	size_t file = 0, start = 0;
	char name[NAME_SIZE];
	struct buf text;
	bool put = false;
	int folder;

	while (file + 1 < queue->file_count && queue->files[file].end <= index)
		start = queue->files[file++].end;
	/* The name says which event of which file it was; a second time it is the same. */
	snprintf(name, sizeof(name), "%.*s-%zu.1" SUFFIX,
		(int)strcspn(queue->files[file].name, "."), queue->files[file].name,
		index - start + 1);
	buf_init(&text, ENTRY_MAX);
	folder = make_failed(queue)
			 ? openat(queue->folder, FAILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			 : -1;
	put = folder >= 0 && entry_write(&entry, group, index, 1, &text) &&
	      put_file(folder, name, queue->mode, text.data, text.len) &&
	      sync_folder(queue->folder);
	if (!put)
		fail(queue, EX_IOERR, "store a refused event", error);
	if (folder >= 0)
		close(folder);
	buf_free(&text);
	if (!put)
		return -1;
	queue->failed++;
	error_set(&queue->last_failure, EX_DATAERR, "%.100s/" FAILED "/%.90s: %.280s", queue->path,
		name, reason);
	return 0;
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

/* Say which URL it is, or see that it is this one. */
static int check_url(struct queue *queue, struct error *error)
{
	struct buf text, want;
	int result = 0;

	buf_init(&text, (size_t)1 << 20);
	buf_init(&want, (size_t)1 << 20);
	if (!buf_addf(&want, URL_FIRST_LINE "url: %s\n", queue->url)) {
		result = error_set(error, EX_OSERR, "out of memory");
	} else if (read_file(queue->folder, URL, &text) == 0) {
		if (text.len != want.len || memcmp(text.data, want.data, text.len) != 0)
			result = error_set(error, EX_IOERR,
				"%.200s/" URL " does not name %.150s: the folder is not its queue",
				queue->path, queue->url);
	} else if (errno != ENOENT) {
		result = fail(queue, EX_IOERR, "read the file url", error);
	} else if (take_lock(queue, error) != 0) {
		result = -1;
	} else {
		if (!put_file(queue->folder, URL, queue->mode, want.data, want.len))
			result = fail(queue, EX_CANTCREAT, "make the file url", error);
		drop_lock(queue);
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
		sync_folder(fd);
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
	bool (*visit)(void *context, const struct queue_status *status), void *context)
{
	struct queue queue = {.path = path_of(spool, name), .folder = -1, .lock = -1, .flush = -1};
	struct queue_status status = {0};
	bool more = true;

	if (queue.path != NULL)
		queue.folder = open(queue.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (queue.folder >= 0)
		queue.url = read_url(queue.folder);
	if (queue.url != NULL) {
		status.url = queue.url;
		survey(&queue, &status);
		more = visit(context, &status);
	}
	queue_close(&queue);
	return more;
}

int spool_each(const char *spool, bool (*visit)(void *context, const struct queue_status *status),
	void *context, struct error *error)
{
	struct dirent **names = NULL;
	int count = scandir(spool, &names, NULL, alphasort);
	bool more = true;

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return error_set(error, EX_NOINPUT, "cannot read the spool %.300s: %s", spool,
			strerror(errno));
	for (int i = 0; i < count; i++) {
		if (more && names[i]->d_name[0] != '.')
			more = visit_queue(spool, names[i]->d_name, visit, context);
		free(names[i]);
	}
	free(names);
	return 0;
}

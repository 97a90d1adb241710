/* SPDX-License-Identifier: MIT */
/* A queue's folder and its locks; see queue_folder.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client_run.h"
#include "clock.h"
#include "durable.h"
#include "queue_folder.h"
#include "spool_name.h"

#define URL_FIRST_LINE "sse-post spool 1\n"

/* How long the lock of an append is waited for (ms), and how often it is asked for. */
#define LOCK_TIME_MAX 60000
#define LOCK_EVERY 5

int queue_folder_fail(
	const struct queue_folder *folder, int status, const char *doing, struct error *error)
{
	return error_set(error, status, "cannot %s in the spool %.200s: %s", doing, folder->path,
		strerror(errno));
}

static bool try_lock(int fd)
{
	int result;

	do
		result = flock(fd, LOCK_EX | LOCK_NB);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

int queue_folder_lock(struct queue_folder *folder, struct error *error)
{
	int64_t give_up_at = clock_now_ms() + LOCK_TIME_MAX;

	while (!try_lock(folder->lock)) {
		struct timespec pause = {.tv_nsec = LOCK_EVERY * 1000000};

		if (errno != EWOULDBLOCK)
			return queue_folder_fail(folder, EX_IOERR, "lock", error);
		if (clock_now_ms() >= give_up_at)
			return error_set(error, EX_TEMPFAIL,
				"another process has had the spool %.200s locked for %d s",
				folder->path, LOCK_TIME_MAX / 1000);
		nanosleep(&pause, NULL);
	}
	return 0;
}

void queue_folder_unlock(struct queue_folder *folder)
{
	flock(folder->lock, LOCK_UN);
}

int queue_folder_lock_flush(struct queue_folder *folder, struct error *error)
{
	if (try_lock(folder->flush))
		return 1;
	return errno == EWOULDBLOCK ? 0 : queue_folder_fail(folder, EX_IOERR, "lock", error);
}

void queue_folder_unlock_flush(struct queue_folder *folder)
{
	flock(folder->flush, LOCK_UN);
}

int queue_folder_each(const struct queue_folder *folder,
	bool (*visit)(void *context, const char *name, uint64_t number, uint64_t events),
	void *context)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *file;
	uint64_t number, events;
	bool more = true;

	if (listing == NULL)
		return -1;
	while (more && (file = readdir(listing)) != NULL) {
		if (spool_name_read(file->d_name, &number, &events))
			more = visit(context, file->d_name, number, events);
	}
	closedir(listing);
	return 0;
}

/* A list that is being made. */
struct listing {
	struct queue_names *names;
	size_t capacity;
	bool failed;
};

static bool add_name(void *context, const char *name, uint64_t number, uint64_t events)
{
	struct listing *listing = context;
	struct queue_names *names = listing->names;

	(void)number, (void)events;
	listing->failed = true;
	if (names->count == listing->capacity) {
		size_t capacity = listing->capacity > 0 ? 2 * listing->capacity : 64;
		char **all = realloc(names->all, capacity * sizeof(*all));

		if (all == NULL)
			return false;
		names->all = all;
		listing->capacity = capacity;
	}
	names->all[names->count] = strdup(name);
	if (names->all[names->count] == NULL)
		return false;
	names->count++;
	listing->failed = false;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int queue_folder_list(
	const struct queue_folder *folder, struct queue_names *names, struct error *error)
{
	struct listing listing = {.names = names};

	*names = (struct queue_names){0};
	if (queue_folder_each(folder, add_name, &listing) != 0)
		return queue_folder_fail(folder, EX_IOERR, "list the files", error);
	if (listing.failed) {
		queue_folder_free_names(names);
		return error_set(error, EX_OSERR, "out of memory");
	}
	if (names->count > 0)
		qsort(names->all, names->count, sizeof(*names->all), compare_names);
	return 0;
}

void queue_folder_free_names(struct queue_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->all[i]);
	free(names->all);
	*names = (struct queue_names){0};
}

static bool is_one(void *context, const char *name, uint64_t number, uint64_t events)
{
	bool *empty = context;

	(void)name, (void)number, (void)events;
	*empty = false;
	return false;
}

bool queue_folder_is_empty(const struct queue_folder *folder)
{
	bool empty = true;

	queue_folder_each(folder, is_one, &empty);
	return empty;
}

static int open_locks(struct queue_folder *folder, struct error *error)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

	folder->lock = openat(folder->fd, SPOOL_NAME_LOCK, flags, folder->mode);
	folder->flush = openat(folder->fd, SPOOL_NAME_FLUSH, flags, folder->mode);
	if (folder->lock < 0 || folder->flush < 0)
		return queue_folder_fail(folder, EX_CANTCREAT, "make a lock", error);
	/* Whatever the umask; if another user made them this fails and is not needed. */
	(void)!fchmod(folder->lock, folder->mode);
	(void)!fchmod(folder->flush, folder->mode);
	return 0;
}

/* Only the beginning of it is left, or nothing? */
static bool is_part_of(const struct buf *text, const struct buf *whole)
{
	return text->len == 0 ||
	       (text->len < whole->len && memcmp(text->data, whole->data, text->len) == 0);
}

static int put_url(struct queue_folder *folder, const struct buf *text, struct error *error)
{
	int result = queue_folder_lock(folder, error);

	if (result != 0)
		return -1;
	if (!durable_put(folder->fd, SPOOL_NAME_URL, folder->mode, text->data, text->len))
		result = queue_folder_fail(folder, EX_CANTCREAT, "make the file url", error);
	queue_folder_unlock(folder);
	return result;
}

/* Say which URL it is, or see that it is this one. */
static int check_url(struct queue_folder *folder, struct error *error)
{
	struct buf text, want;
	int result = 0;

	buf_init(&text, (size_t)1 << 20);
	buf_init(&want, (size_t)1 << 20);
	if (!buf_addf(&want, URL_FIRST_LINE "url: %s\n", folder->url)) {
		result = error_set(error, EX_OSERR, "out of memory");
	} else if (durable_read(folder->fd, SPOOL_NAME_URL, &text) != 0 && errno != ENOENT) {
		result = queue_folder_fail(folder, EX_IOERR, "read the file url", error);
	} else if (is_part_of(&text, &want)) {
		result = put_url(folder, &want, error);
	} else if (text.len != want.len || memcmp(text.data, want.data, text.len) != 0) {
		result = error_set(error, EX_IOERR,
			"%.200s/" SPOOL_NAME_URL
			" does not name %.150s: the folder is not its queue",
			folder->path, folder->url);
	}
	buf_free(&text);
	buf_free(&want);
	return result;
}

char *queue_folder_read_url(const struct queue_folder *folder)
{
	static const char begin[] = URL_FIRST_LINE "url: ";
	size_t len = sizeof(begin) - 1;
	struct buf text;
	char *url = NULL;

	buf_init(&text, (size_t)1 << 20);
	if (durable_read(folder->fd, SPOOL_NAME_URL, &text) == 0 && text.len > len + 1 &&
		memcmp(text.data, begin, len) == 0 && text.data[text.len - 1] == '\n')
		url = strndup(text.data + len, text.len - len - 1);
	buf_free(&text);
	return url;
}

static char *path_of(const char *spool, const char *name)
{
	size_t size = strlen(spool) + strlen(name) + 2;
	char *path = malloc(size);

	if (path != NULL)
		snprintf(path, size, "%s/%s", spool, name);
	return path;
}

/* "cannot make" or "cannot use". */
static int not_usable(const char *doing, const char *path, struct error *error)
{
	return error_set(error, EX_CANTCREAT, "cannot %s the spool %.300s: %s", doing, path,
		strerror(errno));
}

/* Make the spool, for the user alone, and see which permissions it has. */
static int open_spool(struct queue_folder *folder, const char *spool, struct error *error)
{
	char *above = path_of(spool, "..");
	struct stat status;
	bool made;

	if (above == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	made = durable_folder(spool, above, 0700);
	free(above);
	if (!made)
		return not_usable("make", spool, error);
	if (stat(spool, &status) != 0)
		return not_usable("use", spool, error);
	/* Of a spool that is a group's, the queues are the group's too. */
	folder->mode = status.st_mode & 0660;
	folder->folder_mode = status.st_mode & 02770;
	return 0;
}

int queue_folder_open(
	struct queue_folder *folder, const char *spool, const char *url, struct error *error)
{
	char name[SPOOL_NAME_SIZE];

	spool_name_queue(url, name);
	*folder = (struct queue_folder){.path = path_of(spool, name),
		.url = strdup(url),
		.fd = -1,
		.lock = -1,
		.flush = -1};
	if (folder->path == NULL || folder->url == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (open_spool(folder, spool, error) != 0)
		return -1;
	if (!durable_folder(folder->path, spool, folder->folder_mode))
		return not_usable("make", folder->path, error);
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0)
		return not_usable("use", folder->path, error);
	return open_locks(folder, error) == 0 ? check_url(folder, error) : -1;
}

bool queue_folder_look(struct queue_folder *folder, const char *spool, const char *name)
{
	*folder = (struct queue_folder){
		.path = path_of(spool, name), .fd = -1, .lock = -1, .flush = -1};
	if (folder->path != NULL)
		folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder->fd >= 0;
}

void queue_folder_close(struct queue_folder *folder)
{
	int fds[] = {folder->fd, folder->lock, folder->flush};

	if (folder->path == NULL && folder->url == NULL)
		return;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(folder->path);
	free(folder->url);
	*folder = (struct queue_folder){0};
}

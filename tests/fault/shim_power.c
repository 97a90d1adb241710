/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: a file system that remembers what was synced and what was not.  Beside each database
 * file FILE it keeps FILE.durable, which a sync of FILE alone brings up to date; FILE.named, which
 * is there if a sync of the folder made the name durable; and FILE.old, what was durable of a file
 * of this name whose removal is not durable yet.  parts/power.c makes of these what is left after a
 * power cut.  With SHIM_LIE a sync does nothing, as on a disk that lies, and a test must notice:
 * "all" of them, those of the "folder", or those of files whose name ends so ("-wal", ".db").
 * SHIM_SYNC_US is how long a sync takes, at most (ten times that for the database itself, which a
 * checkpoint writes at many places): the disk is busy, and the power goes meanwhile.
 *
 * A sync counts only for writes that returned before it began.  The file of locks (-shm) is mapped,
 * not written, and is worth nothing after a crash.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define FILES 8
#define RANGES 256
#define DESCRIPTORS 65536
#define PATH_SIZE 400
#define BESIDE_SIZE (PATH_SIZE + sizeof(".durable"))

struct range {
	off_t from, upto;
};

struct file {
	char path[PATH_SIZE];
	struct range dirty[RANGES];
	unsigned count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of this */
static struct file files[FILES];
static unsigned file_count;
static unsigned char file_of[DESCRIPTORS]; /* index + 1; 0: none of ours */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_ours(const char *path)
{
	return ends_with(path, ".db") || ends_with(path, ".db-wal") ||
	       ends_with(path, ".db-journal");
}

static void fill(char *path, size_t size, const char *file, const char *suffix)
{
	if ((size_t)snprintf(path, size, "%s%s", file, suffix) >= size)
		abort();
}

static const char *name_of(char path[BESIDE_SIZE], const char *file, const char *suffix)
{
	fill(path, BESIDE_SIZE, file, suffix);
	return path;
}

static void make_empty(const char *file, const char *suffix)
{
	char path[BESIDE_SIZE];
	int fd = REAL(open)(
		name_of(path, file, suffix), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0)
		REAL(close)(fd);
}

static void take_away(const char *file, const char *suffix)
{
	char path[BESIDE_SIZE];

	REAL(unlink)(name_of(path, file, suffix));
}

static bool exists(const char *file, const char *suffix)
{
	char path[BESIDE_SIZE];

	return access(name_of(path, file, suffix), F_OK) == 0;
}

/* A range that was written and not synced.  Without room, all that lies between becomes one. */
static void add_range(struct file *file, off_t from, off_t upto)
{
	struct range *last = file->count > 0 ? &file->dirty[file->count - 1] : NULL;

	if (last != NULL && from <= last->upto && upto >= last->from) {
		last->from = from < last->from ? from : last->from;
		last->upto = upto > last->upto ? upto : last->upto;
		return;
	}
	if (file->count == RANGES) {
		for (unsigned i = 0; i < RANGES; i++) {
			from = file->dirty[i].from < from ? file->dirty[i].from : from;
			upto = file->dirty[i].upto > upto ? file->dirty[i].upto : upto;
		}
		file->count = 0;
	}
	file->dirty[file->count++] = (struct range){from, upto};
}

/* Under the lock.  ${made}: it was not there before. */
static void track(int fd, const char *path, bool made)
{
	struct file *file = NULL;
	struct stat status;

	for (unsigned i = 0; i < file_count && file == NULL; i++) {
		if (strcmp(files[i].path, path) == 0)
			file = &files[i];
	}
	if (file == NULL && file_count < FILES) {
		file = &files[file_count++];
		fill(file->path, sizeof(file->path), path, "");
		/* What an earlier process wrote may not be durable. */
		if (fstat(fd, &status) == 0 && status.st_size > 0)
			add_range(file, 0, status.st_size);
	}
	if (file == NULL || fd >= DESCRIPTORS)
		abort();
	if (made) {
		file->count = 0;
		make_empty(path, ".durable");
	}
	file_of[fd] = (unsigned char)(file - files + 1);
}

static int open_tracked(const char *path, int flags, mode_t mode)
{
	bool made;
	int fd;

	if (!is_ours(path))
		return REAL(open)(path, flags, mode);
	pthread_mutex_lock(&lock);
	made = !exists(path, "");
	fd = REAL(open)(path, flags, mode);
	if (fd >= 0)
		track(fd, path, made);
	pthread_mutex_unlock(&lock);
	return fd;
}

#define MODE(flags, mode)                                                                          \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		if ((flags) & (O_CREAT | O_TMPFILE))                                               \
			mode = va_arg(args, mode_t);                                               \
		va_end(args);                                                                      \
	} while (0)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE(flags, mode);
	return open_tracked(path, flags, mode);
}

int close(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS && file_of[fd] != 0) {
		pthread_mutex_lock(&lock);
		file_of[fd] = 0;
		pthread_mutex_unlock(&lock);
	}
	return REAL(close)(fd);
}

static struct file *tracked(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && file_of[fd] != 0 ? &files[file_of[fd] - 1] : NULL;
}

/* After the write: a sync between the two then has it still before it. */
static void wrote(int fd, off_t from, ssize_t len)
{
	pthread_mutex_lock(&lock);
	if (tracked(fd) != NULL && len > 0)
		add_range(tracked(fd), from, from + len);
	pthread_mutex_unlock(&lock);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t put = REAL(pwrite)(fd, data, len, offset);

	wrote(fd, offset, put);
	return put;
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t put = REAL(write)(fd, data, len);

	if (put > 0 && tracked(fd) != NULL)
		wrote(fd, lseek(fd, 0, SEEK_CUR) - put, put);
	return put;
}

/* The length is taken over at the next sync, with what the file then has there. */
int ftruncate(int fd, off_t len)
{
	int result = REAL(ftruncate)(fd, len);

	wrote(fd, len > 0 ? len - 1 : 0, 1);
	return result;
}

int unlink(const char *path)
{
	char durable[BESIDE_SIZE], old[BESIDE_SIZE];
	int result;

	if (!is_ours(path))
		return REAL(unlink)(path);
	pthread_mutex_lock(&lock);
	result = REAL(unlink)(path);
	if (result == 0 && exists(path, ".named")) {
		rename(name_of(durable, path, ".durable"), name_of(old, path, ".old"));
		take_away(path, ".named");
	} else if (result == 0) {
		take_away(path, ".durable");
	}
	pthread_mutex_unlock(&lock);
	return result;
}

/* --- the names that glibc has beside these, which mean the same where off_t has 64 bits --- */

#if defined(__GLIBC__)
_Static_assert(sizeof(off_t) == 8, "pwrite and pwrite64 are the same");

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE(flags, mode);
	return open_tracked(path, flags, mode);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

int ftruncate64(int fd, off_t len)
{
	return ftruncate(fd, len);
}
#endif

/* --- syncs --- */

static bool lies(int fd, bool folder)
{
	const char *lie = getenv("SHIM_LIE");

	if (lie == NULL)
		return false;
	if (strcmp(lie, "folder") == 0)
		return folder;
	return strcmp(lie, "all") == 0 || (!folder && ends_with(tracked(fd)->path, lie));
}

/* Any time up to the most; it need not be repeatable, as timing never is. */
static void be_busy(int fd)
{
	const char *value = getenv("SHIM_SYNC_US");
	long most = value != NULL ? atol(value) : 0;
	struct timespec now;

	if (tracked(fd) != NULL && ends_with(tracked(fd)->path, ".db"))
		most *= 10;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (most > 0)
		usleep((useconds_t)(now.tv_nsec / 1000 % most));
}

static void copy_range(int from, int to, struct range range)
{
	char data[65536];

	while (range.from < range.upto) {
		size_t len = (size_t)(range.upto - range.from);
		ssize_t got =
			pread(from, data, len < sizeof(data) ? len : sizeof(data), range.from);

		if (got <= 0)
			return;
		if (REAL(pwrite)(to, data, (size_t)got, range.from) != got)
			abort();
		range.from += got;
	}
}

static void sync_file(struct file *file)
{
	char path[BESIDE_SIZE];
	struct stat status;
	int from = REAL(open)(file->path, O_RDONLY | O_CLOEXEC);
	int to = REAL(open)(
		name_of(path, file->path, ".durable"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (from < 0 || to < 0 || fstat(from, &status) != 0 ||
		REAL(ftruncate)(to, status.st_size) != 0)
		abort();
	for (unsigned i = 0; i < file->count; i++)
		copy_range(from, to, file->dirty[i]);
	file->count = 0;
	REAL(close)(from);
	REAL(close)(to);
}

/* The names that are there are durable now, and so is that others are gone. */
static void sync_folder(void)
{
	for (unsigned i = 0; i < file_count; i++) {
		if (exists(files[i].path, ""))
			make_empty(files[i].path, ".named");
		else
			take_away(files[i].path, ".named");
		take_away(files[i].path, ".old");
	}
}

static int sync_tracked(int fd, int (*real)(int))
{
	struct stat status;
	bool folder = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);

	if (!folder && tracked(fd) == NULL)
		return real(fd);
	if (lies(fd, folder))
		return 0;
	be_busy(fd);
	pthread_mutex_lock(&lock);
	if (folder)
		sync_folder();
	else
		sync_file(tracked(fd));
	pthread_mutex_unlock(&lock);
	return 0;
}

int fsync(int fd)
{
	return sync_tracked(fd, REAL(fsync));
}

int fdatasync(int fd)
{
	return sync_tracked(fd, REAL(fdatasync));
}

/* SPDX-License-Identifier: MIT */
/*
 * The files after a power cut; see power.h.  Beside FILE stand, as shim_power.c keeps them:
 * FILE.durable, what was synced of it; FILE.named, if its name is durable; and FILE.old, what was
 * synced of a file that had this name, if that one's removal is not durable.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "power.h"

/* What a disk writes whole. */
#define SECTOR 512

struct bytes {
	char *data;
	size_t len;
	bool there;
};

static const char *name_of(char path[300], const char *file, const char *suffix)
{
	snprintf(path, 300, "%.250s%.20s", file, suffix);
	return path;
}

static bool exists(const char *file, const char *suffix)
{
	char path[300];

	return access(name_of(path, file, suffix), F_OK) == 0;
}

static void take_away(const char *file, const char *suffix)
{
	char path[300];

	unlink(name_of(path, file, suffix));
}

static struct bytes read_file(const char *file, const char *suffix)
{
	struct bytes bytes = {0};
	char path[300];
	struct stat status;
	int fd = open(name_of(path, file, suffix), O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return bytes;
	if (fd < 0 || fstat(fd, &status) != 0 ||
		(bytes.data = malloc((size_t)status.st_size + 1)) == NULL ||
		read(fd, bytes.data, (size_t)status.st_size) != status.st_size)
		fail("cannot read %s: %s", path, strerror(errno));
	bytes.len = (size_t)status.st_size;
	bytes.there = true;
	close(fd);
	return bytes;
}

static void write_file(const char *file, const char *suffix, const struct bytes *bytes)
{
	char path[300];
	int fd = open(name_of(path, file, suffix), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len)
		fail("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

/* The ${at}th sector, with zeros behind the end of the file. */
static void sector_of(const struct bytes *bytes, size_t at, char out[SECTOR])
{
	size_t len = at >= bytes->len ? 0 : bytes->len - at;

	memset(out, 0, SECTOR);
	memcpy(out, bytes->data + at, len < SECTOR ? len : SECTOR);
}

/* Of the sectors that differ, let some of the cached ones reach the disk. */
static uint64_t mix_sectors(
	struct bytes *disk, const struct bytes *cached, uint64_t percent, struct random *random)
{
	size_t most = disk->len > cached->len ? disk->len : cached->len, end = disk->len;
	uint64_t lost = 0;

	disk->data = realloc(disk->data, most + SECTOR);
	if (disk->data == NULL)
		fail("out of memory");
	memset(disk->data + disk->len, 0, most + SECTOR - disk->len);
	for (size_t at = 0; at < cached->len; at += SECTOR) {
		char new[SECTOR];
		size_t upto = at + SECTOR < cached->len ? at + SECTOR : cached->len;

		sector_of(cached, at, new);
		if (upto <= disk->len && memcmp(new, disk->data + at, upto - at) == 0)
			continue;
		if (random_below(random, 100) >= percent) {
			lost++;
			continue;
		}
		memcpy(disk->data + at, new, upto - at);
		end = upto > end ? upto : end;
	}
	disk->len = end;
	/* The file was cut, or grew, and of that too it is open whether the disk has it. */
	if ((cached->len < disk->len || percent > 0) && random_below(random, 2) == 0)
		disk->len = cached->len;
	return lost;
}

static uint64_t cut_file(const char *file, struct random *random, struct power_loss *loss)
{
	static const uint64_t percents[] = {0, 0, 100, 10, 50, 90};
	struct bytes cached = read_file(file, ""), disk = read_file(file, ".durable");
	bool named = exists(file, ".named"), coin = random_below(random, 2) == 0;
	uint64_t percent = percents[random_below(random, 6)], lost = 0;

	if (cached.there && (named || coin)) {
		disk.there = true;
		lost = mix_sectors(&disk, &cached, percent, random);
	} else {
		/* It was made or removed, and the folder was not synced. */
		free(disk.data);
		disk = coin ? (struct bytes){0} : read_file(file, ".old");
		lost = cached.len / SECTOR;
		loss->files += cached.there && !disk.there;
	}
	take_away(file, "");
	take_away(file, ".durable");
	take_away(file, ".named");
	take_away(file, ".old");
	if (disk.there) {
		write_file(file, "", &disk);
		write_file(file, ".durable", &disk);
		write_file(file, ".named", &(struct bytes){.data = ""});
	}
	free(cached.data);
	free(disk.data);
	return lost;
}

void power_cut(const char *folder, struct random *random, struct power_loss *loss)
{
	static const char *const journals[] = {"", "-wal", "-journal"};
	char path[250];

	for (unsigned i = 0; i < 3; i++) {
		uint64_t lost;

		snprintf(path, sizeof(path), "%.200s/events.db%s", folder, journals[i]);
		lost = cut_file(path, random, loss);
		loss->sectors += lost;
		loss->checkpoints += i == 0 && lost > 0;
	}
	/* What its processes share; no use to the next. */
	snprintf(path, sizeof(path), "%.200s/events.db-shm", folder);
	unlink(path);
}

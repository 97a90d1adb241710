/* SPDX-License-Identifier: MIT */
/* The places in the file system; see places.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "places.h"

/* The most links to follow, as in the kernel. */
#define LINKS_MAX 40

/* Landlock as in linux/landlock.h of 6.12.  The header of an older system lacks parts of it, and we
 * ask the running kernel what it knows.  The numbers are the same on all machines. */
enum { CALL_CREATE = 444, CALL_ADD = 445, CALL_RESTRICT = 446 };
enum { CREATE_VERSION = 1, RULE_PATH = 1 };
enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_REG = 1 << 8,
	FS_TRUNCATE = 1 << 14,
};
enum { NET_BIND_TCP = 1, NET_CONNECT_TCP = 2 };
enum { SCOPE_ABSTRACT_SOCKET = 1, SCOPE_SIGNAL = 2 };

/* The rights that make sense for what is not a folder. */
#define FS_OF_FILES (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

struct ruleset {
	uint64_t fs, net, scoped;
};

struct rule {
	uint64_t rights;
	int32_t folder;
} __attribute__((packed));

/* The rights that the version knows: each one that is handled and not allowed is denied. */
static uint64_t handled_fs(int abi)
{
	int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;

	return (UINT64_C(1) << bits) - 1;
}

void places_begin(struct places *places, bool connects)
{
	long abi = syscall(CALL_CREATE, NULL, (size_t)0, CREATE_VERSION);
	struct ruleset all = {.net = connects ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP,
		.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL};
	size_t size;

	*places = (struct places){.ruleset = -1};
	if (abi < 1) {
		places->why = abi < 0 ? errno : ENOSYS;
		return;
	}
	places->abi = (int)abi;
	all.fs = handled_fs(places->abi);
	size = abi >= 6	  ? sizeof(all)
	       : abi >= 4 ? offsetof(struct ruleset, scoped)
			  : offsetof(struct ruleset, net);
	/* The descriptor is closed by exec. */
	places->ruleset = (int)syscall(CALL_CREATE, &all, size, 0);
	if (places->ruleset < 0)
		places->why = errno;
}

static uint64_t rights_of(enum places_use use)
{
	switch (use) {
	case PLACES_READ:
		return FS_READ_FILE | FS_READ_DIR;
	case PLACES_WRITE:
		return FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG |
		       FS_REMOVE_FILE;
	case PLACES_REMOVE:
		break;
	}
	return FS_REMOVE_FILE;
}

void places_allow(struct places *places, enum places_use use, const char *path)
{
	struct rule rule = {.rights = rights_of(use) & handled_fs(places->abi)};
	struct stat status;

	if (places->ruleset < 0 || path == NULL)
		return;
	rule.folder = open(path, O_PATH | O_CLOEXEC);
	if (rule.folder < 0)
		return;
	if (fstat(rule.folder, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.rights &= FS_OF_FILES;
	if (syscall(CALL_ADD, places->ruleset, RULE_PATH, &rule, 0) != 0 && places->why == 0)
		places->why = errno;
	close(rule.folder);
}

/* Put the path where a link leads in its place.  Return 0 unless it is not a link. */
static int follow(char path[PATH_MAX])
{
	char target[PATH_MAX], relative[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	const char *slash = strrchr(path, '/');
	int folder = slash != NULL ? (int)(slash - path) + 1 : 0, written;

	if (len <= 0)
		return -1;
	target[len] = '\0';
	if (target[0] == '/')
		folder = 0;
	written = snprintf(relative, sizeof(relative), "%.*s%s", folder, path, target);
	if (written < 0 || (size_t)written >= sizeof(relative))
		return -1;
	memcpy(path, relative, (size_t)written + 1);
	return 0;
}

static void allow_folder_of(struct places *places, enum places_use use, const char *file)
{
	const char *slash = strrchr(file, '/');
	char folder[PATH_MAX] = ".";

	if (slash != NULL)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file) + 1, file);
	places_allow(places, use, folder);
}

void places_allow_file(struct places *places, enum places_use use, const char *file)
{
	char path[PATH_MAX], link[PATH_MAX];

	if (file == NULL || strlen(file) >= sizeof(path))
		return;
	strcpy(path, file);
	for (int i = 0; i < LINKS_MAX; i++) {
		strcpy(link, path);
		if (follow(path) != 0)
			break;
		allow_folder_of(places, PLACES_READ, link);
	}
	allow_folder_of(places, use, path);
}

int places_restrict(struct places *places)
{
	if (places->ruleset < 0)
		return places->why;
	if (places->why == 0 && syscall(CALL_RESTRICT, places->ruleset, 0) != 0)
		places->why = errno;
	close(places->ruleset);
	places->ruleset = -1;
	return places->why;
}

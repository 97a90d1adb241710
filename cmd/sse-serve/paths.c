/* SPDX-License-Identifier: MIT */
/* The server's paths; see paths.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "log/store.h"
#include "paths.h"

/* Let a new entry of this folder survive a power loss. */
static void sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* Make the folders of a path that ends in a file. */
static int make_folders(char *path)
{
	char *parent = path;

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int failed;

		bool made;

		*slash = '\0';
		made = mkdir(path, 0700) == 0;
		failed = !made && errno != EEXIST;
		if (made && parent > path) {
			*parent = '\0';
			sync_folder(path);
			*parent = '/';
		}
		*slash = '/';
		parent = slash;
		if (failed)
			return -1;
	}
	return 0;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] == '/' ? value : NULL;
}

/* The path of this name in the folder for state.  NULL with a reason; the caller frees it. */
static char *find(const char *name, struct error *error)
{
	const char *systemd = variable("STATE_DIRECTORY"), *xdg = variable("XDG_STATE_HOME");
	const char *home = variable("HOME");
	char *path = NULL;
	int len;

	if (systemd != NULL)
		/* Several folders are separated by colons: the first is ours. */
		len = asprintf(&path, "%.*s/%s", (int)strcspn(systemd, ":"), systemd, name);
	else if (xdg != NULL)
		len = asprintf(&path, "%s/sse-serve/%s", xdg, name);
	else if (home != NULL)
		len = asprintf(&path, "%s/.local/state/sse-serve/%s", home, name);
	else
		return error_set(error, EX_USAGE,
			       "no folder for the database is known (HOME is not set): give the file with --db"),
		       NULL;
	if (len < 0) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	return path;
}

char *paths_find_database(const char *given, struct error *error)
{
	char *path;

	if (given == NULL)
		return find("events.db", error);
	path = strdup(given);
	if (path == NULL)
		error_set(error, EX_OSERR, "out of memory");
	return path;
}

/* The path, with its folders made; or NULL, and it is freed. */
static char *with_folders(char *path, struct error *error)
{
	if (path == NULL || make_folders(path) == 0)
		return path;
	error_set(error, EX_CANTCREAT,
		"cannot make the folders of %s: %s; --db names another place", path,
		strerror(errno));
	free(path);
	return NULL;
}

char *paths_database(const char *given, struct error *error)
{
	char *path = paths_find_database(given, error);

	return given != NULL ? path : with_folders(path, error);
}

char *paths_copies(const char *cluster, struct error *error)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s.copy", cluster);
	return with_folders(find(name, error), error);
}

int paths_check_web(const char *folder, struct error *error)
{
	struct stat status;

	if (folder == NULL)
		return 0;
	if (stat(folder, &status) != 0)
		return error_set(error, EX_NOINPUT, "--web %s: %s", folder, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return error_set(error, EX_NOINPUT, "--web %s is not a folder", folder);
	if (access(folder, R_OK | X_OK) != 0)
		return error_set(error, EX_NOINPUT, "--web %s: %s", folder, strerror(errno));
	return 0;
}

int paths_log(const struct options *options, char **path, struct error *error)
{
	const struct store_kind *kind = store_kind_of(options->servers.urls, options->db);

	*path = NULL;
	if (!kind->in_file && !kind->shared)
		return 0;
	*path = kind->shared && options->db == NULL ? paths_copies(options->servers.name, error)
						    : paths_database(options->db, error);
	return *path != NULL ? 0 : -1;
}

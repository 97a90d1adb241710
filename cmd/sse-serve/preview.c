/* SPDX-License-Identifier: MIT */
/* What a start would do; see preview.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "guards.h"
#include "http/listen.h"
#include "log/database.h"
#include "log/store.h"
#include "paths.h"
#include "preview.h"
#include "sandbox/user.h"

/* Could this user write the file, or make it, and the folders of it that do not exist? */
static int check_writable(
	const char *option, const char *path, bool makes_folders, struct error *error)
{
	char *folder = NULL, *slash;
	int result;

	if (access(path, F_OK) == 0) {
		result = access(path, W_OK);
	} else {
		folder = strdup(path);
		if (folder == NULL)
			return error_set(error, EX_OSERR, "out of memory");
		do {
			slash = strrchr(folder, '/');
			strcpy(slash == NULL ? folder : slash, slash == NULL ? "." : "");
			result = access(folder[0] != '\0' ? folder : "/", W_OK | X_OK);
		} while (result != 0 && errno == ENOENT && makes_folders && slash != NULL);
	}
	if (result != 0)
		error_set(error, EX_CANTCREAT, "%s %s: %s%s", option, path,
			folder != NULL ? "cannot make it: " : "", strerror(errno));
	free(folder);
	return result;
}

static int check_file(const char *path, bool own, FILE *out, struct error *error)
{
	sqlite3 *db = NULL;
	int version = 0, result;

	if (check_writable("--db", path, own, error) != 0)
		return -1;
	if (access(path, F_OK) != 0) {
		fprintf(out, "make the database %s\n", path);
		return 0;
	}
	result = database_read(path, true, &db, &version, error);
	sqlite3_close(db);
	if (result == 0)
		fprintf(out, "use the database %s%s\n", path,
			version != 0 && version < DATABASE_VERSION ? ", and upgrade it" : "");
	return result;
}

static int check_database(const struct options *options, FILE *out, struct error *error)
{
	char *path;
	int result;

	if (options->servers.urls != NULL) {
		/* NATS is not asked: it may not be there yet. */
		fprintf(out, "keep the log %s in NATS, and a copy of it in %s\n",
			options->servers.name,
			options->db != NULL ? options->db : "the folder for state");
		return 0;
	}
	if (!store_kind_of(NULL, options->db)->in_file) {
		fprintf(out, "keep the newest events in memory alone (--db %s)\n", options->db);
		return 0;
	}
	path = paths_find_database(options->db, error);
	if (path == NULL)
		return -1;
	result = check_file(path, options->db == NULL, out, error);
	free(path);
	return result;
}

static int check_listen(const struct options *options, FILE *out, struct error *error)
{
	struct listeners listeners;
	bool tls = options->tls.cert != NULL;

	if (listen_check(&options->listen, options->open || options_guarded(options), tls,
		    &listeners, error) != 0)
		return -1;
	fprintf(out, "listen on %s\n", listeners.all);
	/* A check before a reload of a service does not get its sockets. */
	if (tls && listeners.secure_port == 0)
		fprintf(out, "need a socket with TLS from the service manager\n");
	listen_close(&listeners);
	return 0;
}

static int check_proofs(const struct options *options, FILE *out, struct error *error)
{
	struct guards guards;
	int result = guards_open(&guards, options, error);

	guards_close(&guards);
	if (result != 0)
		return -1;
	if (options->access != NULL)
		fprintf(out, "allow what %s grants\n", options->access);
	if (options->jwt_keys != NULL)
		fprintf(out, "accept JWTs by the keys in %s\n", options->jwt_keys);
	if (!options_guarded(options))
		fprintf(out, "let everyone who reaches it read and publish\n");
	for (size_t i = 0; i < options->hook_rules.count; i++)
		fprintf(out, "publish deliveries to /hook/%s in %s\n",
			options->hook_rules.rules[i].name, options->hook_rules.rules[i].topic);
	return 0;
}

static int check_log(const struct options *options, FILE *out, struct error *error)
{
	if (options->log_file == NULL)
		return 0;
	if (check_writable("--log-file", options->log_file, false, error) != 0)
		return -1;
	fprintf(out, "write the log to %s\n", options->log_file);
	return 0;
}

/* In the order of a start. */
static int check(const struct options *options, FILE *out, struct error *error)
{
	struct user user;

	if (user_find(options->user, &user, error) != 0)
		return -1;
	fprintf(out, "The server would:\n");
	if (options->config != NULL)
		fprintf(out, "read %s\n", options->config);
	if (check_listen(options, out, error) != 0 || user_become(&user, error) != 0)
		return -1;
	if (user.name != NULL)
		fprintf(out, "become the user %s\n", user.name);
	if (check_log(options, out, error) != 0 || paths_check_web(options->web, error) != 0)
		return -1;
	if (options->web != NULL)
		fprintf(out, "serve the pages in %s\n", options->web);
	return check_proofs(options, out, error) != 0 || check_database(options, out, error) != 0
		       ? -1
		       : 0;
}

/* After a mistake, nothing of it would happen. */
static int check_all(const struct options *options, struct error *error)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int result;

	if (out == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	result = check(options, out, error);
	fclose(out);
	if (result == 0)
		fputs(text, stdout);
	free(text);
	return result;
}

int preview(const struct options *options)
{
	struct error error = {.status = EX_SOFTWARE};

	if (options->check_config && check_all(options, &error) != 0) {
		options_blame(options, &error);
		fprintf(stderr, "sse-serve: %s\n", error.text);
		return error.status;
	}
	if (options->print_config)
		options_print(options, stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sse-serve: cannot write to the standard output\n");
		return EX_IOERR;
	}
	return 0;
}

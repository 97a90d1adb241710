/* SPDX-License-Identifier: MIT */
/* Maintenance of a shared log; see shared.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log/store.h"
#include "maintain/maintain.h"
#include "paths.h"
#include "shared.h"

/* What the store needs of the options; its copies begin with *${copies}, which the caller frees. */
static int make_config(const struct options *options, struct topics *topics,
	struct store_config *config, char **copies, struct error *error)
{
	if (topics == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	*copies = paths_copies(options->servers.name, error);
	*config = (struct store_config){.path = options->db,
		.copies = *copies,
		.topics = topics,
		.servers = &options->servers,
		.idempotency_window = options->idempotency_window};
	return *copies != NULL ? 0 : -1;
}

char *shared_catch_up(const struct options *options, struct error *error)
{
	struct topics *topics = topics_new();
	struct store_config config;
	struct store *store = NULL;
	char *copies = NULL, *path = NULL;

	if (make_config(options, topics, &config, &copies, error) == 0)
		store = store_nats_open(&config, error);
	if (store != NULL) {
		path = strdup(store_nats_path(store));
		store->ops->close(store);
		if (path == NULL)
			error_set(error, EX_OSERR, "out of memory");
	}
	free(copies);
	topics_free(topics);
	return path;
}

int shared_import(const struct options *options, FILE *in, struct error *error)
{
	struct topics *topics = topics_new();
	struct store_config config;
	char *copies = NULL, *path = NULL;
	int result = make_config(options, topics, &config, &copies, error);

	/* First: it need not be read if it cannot be imported. */
	if (result == 0)
		result = store_nats_begin_import(&config, error);
	if (result == 0 && asprintf(&path, "%s.import-%ld", copies, (long)getpid()) < 0) {
		path = NULL;
		result = error_set(error, EX_OSERR, "out of memory");
	}
	if (result == 0) {
		result = maintain_import(path, in, error);
		if (result == 0)
			result = store_nats_import(&config, path, error);
		unlink(path);
	}
	free(path);
	free(copies);
	topics_free(topics);
	return result;
}

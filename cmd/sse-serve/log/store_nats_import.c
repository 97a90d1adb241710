/* SPDX-License-Identifier: MIT */
/*
 * A shared log that begins with what a database has.  The first message of the log says that, so nobody can
 * begin without it, and the snapshot that has it comes after that message.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <sysexits.h>

#include "nats/snapshot.h"
#include "store_nats_internal.h"
#include "store_sqlite_copy.h"

static int connect_to(const struct store_config *config, struct jetstream **jetstream,
	struct jetstream_stream *stream, struct error *error)
{
	struct nats_store nats = {.jetstream = NULL};
	int result = store_nats_connect(&nats, config, stream, error);

	*jetstream = nats.jetstream;
	return result;
}

int store_nats_begin_import(const struct store_config *config, struct error *error)
{
	struct jetstream *jetstream = NULL;
	struct jetstream_stream stream;
	int result = connect_to(config, &jetstream, &stream, error);

	if (result == 0 && stream.last > 0)
		result = error_set(error, EX_CANTCREAT,
			"the log %s in NATS has events already: --import needs a new one; --cluster "
			"chooses another name",
			config->servers->name);
	jetstream_close(jetstream);
	return result;
}

int store_nats_import(const struct store_config *config, const char *path, struct error *error)
{
	static const _Atomic bool never;
	struct jetstream *jetstream = NULL;
	struct jetstream_stream stream;
	struct buf marker;
	char tag[IDENTITY_TAG + 1];
	int result = connect_to(config, &jetstream, &stream, error);

	buf_init(&marker, 100);
	if (result == 0 && !command_begin(&marker, COMMAND_IMPORT, ""))
		result = error_set(error, EX_OSERR, "out of memory for the import");
	if (result == 0) {
		store_nats_make_tag(config->servers->name, stream.mark, tag);
		result = store_sqlite_copy_adopt(path, tag, 1, error);
	}
	if (result == 0)
		result = snapshot_first(jetstream, marker.data, marker.len, error);
	if (result == 0)
		result = snapshot_put(jetstream, 1, path, &never, error);
	buf_free(&marker);
	jetstream_close(jetstream);
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Opening a shared log, and this node's copy of it; see store_nats.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "base/logger.h"
#include "clock.h"
#include "hash.h"
#include "store_nats_internal.h"
#include "store_nats_snapshot.h"
#include "store_sqlite_copy.h"

/* Between two looks at what has come, in ms. */
#define LOOK_MS 100
/* How often the progress of reading a long log is logged. */
#define PROGRESS_MS 5000

/* The most nodes of one user on one machine whose copies have no name of their own. */
#define COPIES_MAX 1000

/* The number is random. */
#define DESCRIPTION "log %016" PRIx64 " of sse-serve, version 1; keys are kept for %" PRId64 " ms"
#define DESCRIPTION_READ "log %" SCNx64 " of sse-serve, version 1; keys are kept for %" SCNd64 " ms"

/* The copy's deliver. */
static void pass_to_window(void *context, const struct event *event)
{
	const struct nats_store *nats = context;

	if (nats->store.deliver != NULL)
		nats->store.deliver(nats->store.deliver_context, event);
}

void store_nats_make_tag(const char *name, uint64_t mark, char tag[IDENTITY_TAG + 1])
{
	uint64_t hash = hash_fnv1a(HASH_START, name, strlen(name));

	hash = hash_fnv1a(hash, &mark, sizeof(mark));
	identity_write_tag(hash, tag);
}

/*
 * Is the stream a log, and does it keep keys as long as this node is told?  A node that is told nothing does
 * as the others.
 */
static int check_description(const char *description, const char *name, int64_t window,
	int64_t *keys, struct error *error)
{
	uint64_t number;
	int64_t kept = 0;

	if (sscanf(description, DESCRIPTION_READ, &number, &kept) != 2)
		return error_set(error, EX_CONFIG,
			"the stream %s of NATS is not a log of sse-serve, or of another version; "
			"--cluster chooses another name",
			name);
	*keys = kept;
	if (kept == window || window == STORE_KEYS_DEFAULT)
		return 0;
	return error_set(error, EX_CONFIG,
		"all nodes must keep keys equally long: the log %s keeps them for %" PRId64
		" s: give --idempotency-window=%" PRId64 "ms",
		name, kept / 1000, kept);
}

int store_nats_connect(struct nats_store *nats, const struct store_config *config,
	struct jetstream_stream *stream, struct error *error)
{
	char description[JETSTREAM_DESCRIPTION];
	struct jetstream_config jetstream = {
		.servers = config->servers, .description = description};
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) < 0)
		return error_set(error, EX_OSERR, "the system gives no random numbers");
	snprintf(description, sizeof(description), DESCRIPTION, random, config->idempotency_window);
	nats->jetstream = jetstream_open(&jetstream, stream, error);
	if (nats->jetstream == NULL)
		return -1;
	nats->message_max = stream->message_max;
	return check_description(stream->description, config->servers->name,
		config->idempotency_window, &nats->keys, error);
}

/* The file becomes the copy. */
static struct store *open_copy_at(struct nats_store *nats, const struct jetstream_stream *stream,
	const struct store_config *config, bool ours, struct error *error)
{
	if (snapshots_prepare(
		    nats->jetstream, stream, config->path, config->copy_of, ours, error) != 0)
		return NULL;
	return store_sqlite_open(config, error);
}

/* The first copy that no other node has. */
static struct store *open_any_copy(struct nats_store *nats, const struct jetstream_stream *stream,
	struct store_config *config, struct error *error)
{
	struct store *copy = NULL;

	config->path = nats->path;
	for (int i = 1; i <= COPIES_MAX && copy == NULL; i++) {
		snprintf(nats->path, sizeof(nats->path), "%s%d.db", config->copies, i);
		copy = open_copy_at(nats, stream, config, true, error);
		if (copy == NULL && error->status != EX_TEMPFAIL)
			break;
	}
	return copy;
}

static int open_copy(struct nats_store *nats, const struct store_config *given,
	const struct jetstream_stream *stream, struct error *error)
{
	char tag[IDENTITY_TAG + 1];
	struct store_config config = *given;
	uint64_t sequence, last = stream->last;

	store_nats_make_tag(given->servers->name, stream->mark, tag);
	config.copy_of = tag;
	config.idempotency_window = nats->keys;
	if (given->path != NULL)
		snprintf(nats->path, sizeof(nats->path), "%s", given->path);
	nats->copy = given->path != NULL ? open_copy_at(nats, stream, &config, false, error)
					 : open_any_copy(nats, stream, &config, error);
	if (nats->copy == NULL)
		return -1;
	nats->copy->deliver = pass_to_window;
	nats->copy->deliver_context = nats;
	nats->store.identity = nats->copy->identity;
	sequence = store_sqlite_copy_state(nats->copy)->sequence;
	nats->taken = sequence;
	if (!jetstream_reaches(nats->jetstream, sequence, &last))
		return error_set(error, EX_DATAERR,
			"the log %s in NATS ends at message %" PRIu64
			", but this node has applied %" PRIu64
			": NATS has lost messages, and the nodes cannot agree any more",
			given->servers->name, last, sequence);
	return jetstream_follow(nats->jetstream, sequence, error);
}

/* Apply what was published before now: who reads here right after the start gets it. */
static int catch_up(struct nats_store *nats, uint64_t last, struct error *error)
{
	int64_t said = clock_now_ms();

	while (nats->taken < last) {
		if (jetstream_over(nats->jetstream, error) != 0)
			return -1;
		jetstream_wait(nats->jetstream, LOOK_MS);
		if (store_nats_apply(nats, error) != 0)
			return -1;
		if (clock_now_ms() - said < PROGRESS_MS)
			continue;
		said = clock_now_ms();
		logger_write(LOGGER_INFO, "reading the log: %" PRIu64 " of %" PRIu64 " messages",
			nats->taken, last);
	}
	nats->store.head = nats->copy->head;
	return 0;
}

int store_nats_open_parts(
	struct nats_store *nats, const struct store_config *config, struct error *error)
{
	struct jetstream_stream stream;

	if (store_nats_connect(nats, config, &stream, error) != 0 ||
		open_copy(nats, config, &stream, error) != 0 ||
		catch_up(nats, stream.last, error) != 0)
		return -1;
	/* A copy that differs must not become everybody's. */
	nats->snapshots = snapshots_start(nats->jetstream, nats->path, config->servers->compact,
		&nats->differs, error);
	return nats->snapshots != NULL ? 0 : -1;
}

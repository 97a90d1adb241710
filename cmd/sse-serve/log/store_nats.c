/* SPDX-License-Identifier: MIT */
/*
 * The log of several nodes; see store.h.  A stream of NATS JetStream has commands (command.h) in one
 * order.  Each node applies them to a database of its own, its copy, by the same code and with the
 * time that the stream gave them; so all copies come to the same positions and answers.  What
 * is read is read from the copy.  A command takes effect when it comes back from the stream: only
 * then is its publisher answered.
 *
 * Ephemeral events are passed on by NATS alone.  What the server itself says is said by each node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/ending.h"
#include "clock.h"
#include "store_nats_internal.h"
#include "store_nats_snapshot.h"
#include "store_sqlite_copy.h"
#include "store_sqlite_reader.h"

/* --- appending --- */

/* Show it here, and pass it on to the others, unless each node says it itself. */
static void pass_on(struct nats_store *nats, struct store_group *group)
{
	struct buf bytes;

	group->stored = nats->copy->ops->append(nats->copy, &group, 1, NULL) == 0;
	if (!group->stored || group->appends[0].own || store_group_refused(group))
		return;
	buf_init(&bytes, nats->message_max);
	if (command_begin(&bytes, COMMAND_APPEND, "") && command_add_group(&bytes, group))
		jetstream_pass(nats->jetstream, bytes.data, bytes.len);
	buf_free(&bytes);
}

/* Send as many of the groups as one message holds; *${count} becomes how many these were. */
static int send_some(struct nats_store *nats, struct store_group *const *groups, size_t *count,
	struct error *error)
{
	struct buf bytes;
	char id[64];
	struct own_command own = {.id = id, .groups = groups};
	int result;

	store_nats_next_id(nats, id, sizeof(id));
	buf_init(&bytes, nats->message_max);
	if (command_begin(&bytes, COMMAND_APPEND, id)) {
		while (own.count < *count && command_add_group(&bytes, groups[own.count]))
			own.count++;
	}
	if (own.count > 0) {
		*count = own.count;
		result = store_nats_send(nats, &bytes, &own, error);
	} else {
		*count = 1;
		result = error_set(error, EX_DATAERR,
			"the events are too large for one message of NATS, which takes %zu bytes "
			"(max_payload in its configuration): send fewer at once",
			nats->message_max);
	}
	buf_free(&bytes);
	return result;
}

/* The groups to be stored, in a row; the others are passed on. */
static size_t choose(struct nats_store *nats, struct store_group *const *groups, size_t count,
	struct store_group **chosen)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		groups[i]->stored = false;
		if (store_group_ephemeral(groups[i]))
			pass_on(nats, groups[i]);
		else if (groups[i]->count > 0)
			chosen[kept++] = groups[i];
	}
	return kept;
}

static int nats_append(
	struct store *store, struct store_group *const *groups, size_t count, struct error *error)
{
	struct nats_store *nats = (struct nats_store *)store;
	struct store_group **chosen = malloc((count + 1) * sizeof(*chosen));
	size_t kept, sent = 0;
	int result = 0;

	if (chosen == NULL)
		return error_set(error, EX_IOERR, "out of memory for the events");
	kept = choose(nats, groups, count, chosen);
	while (sent < kept && result == 0) {
		size_t some = kept - sent;

		result = send_some(nats, chosen + sent, &some, error);
		sent += some;
	}
	free(chosen);
	return result;
}

/* --- deleting --- */

static int nats_erase(struct store *store, struct store_deletion *deletion, struct error *error)
{
	struct nats_store *nats = (struct nats_store *)store;
	struct own_command own = {.deletion = deletion};
	struct buf bytes;
	uint64_t upto;
	char id[64];
	int result = -1;

	/* What is left to do is about the files of this node. */
	if (deletion->after >= deletion->upto || topic_row(deletion->topic) == 0)
		return nats->copy->ops->erase(nats->copy, deletion, error);
	if (store_sqlite_copy_reach(nats->copy, deletion, &upto) != 0)
		return error_set(error, EX_IOERR, "cannot read this node's copy of the log");
	store_nats_next_id(nats, id, sizeof(id));
	own.id = id;
	buf_init(&bytes, nats->message_max);
	deletion->wait = 0;
	if (command_begin(&bytes, COMMAND_ERASE, id) &&
		command_add_range(&bytes, deletion->topic->name, deletion->after, upto))
		result = store_nats_send(nats, &bytes, &own, error);
	else
		error_set(error, EX_IOERR, "out of memory for the deletion");
	buf_free(&bytes);
	return result;
}

const char *store_nats_path(const struct store *store)
{
	return ((const struct nats_store *)store)->path;
}

/* --- following --- */

static void wake(void *context)
{
	const struct nats_store *nats = context;

	nats->store.wake(nats->store.deliver_context);
}

static int64_t nats_follow(struct store *store)
{
	struct nats_store *nats = (struct nats_store *)store;
	struct error error = {0};

	/* What came before is taken now. */
	if (!nats->following)
		jetstream_on_news(nats->jetstream, wake, nats);
	nats->following = true;
	if (jetstream_over(nats->jetstream, &error) != 0)
		ending_ask(&error);
	if (store_nats_take(nats, NULL) == 0)
		return -1;
	return nats->retry_at - clock_now_ms() > 0 ? nats->retry_at - clock_now_ms() : 0;
}

static void nats_tell(struct store *store, const void *data, size_t len)
{
	jetstream_tell(((struct nats_store *)store)->jetstream, data, len);
}

static int nats_listen(struct store *store, store_heard *heard, void *context, struct error *error)
{
	return jetstream_listen(((struct nats_store *)store)->jetstream, heard, context, error);
}

static int64_t nats_tidy(struct store *store)
{
	struct nats_store *nats = (struct nats_store *)store;

	return nats->copy->ops->tidy(nats->copy);
}

static void nats_retain(struct store *store, const struct retention_rules *rules)
{
	struct nats_store *nats = (struct nats_store *)store;

	nats->copy->ops->retain(nats->copy, rules);
}

static struct store_reader *nats_reader_new(struct store *store, struct error *error)
{
	struct nats_store *nats = (struct nats_store *)store;

	return nats->copy->ops->reader_new(nats->copy, error);
}

static int nats_check(const struct store *store, struct error *error)
{
	const struct nats_store *nats = (const struct nats_store *)store;

	if (nats->stuck)
		return error_set(error, EX_TEMPFAIL, "this node cannot use its copy of the log");
	if (nats->copy->ops->check(nats->copy, error) != 0)
		return -1;
	return jetstream_check(nats->jetstream, error);
}

static void nats_unfollow(struct store *store)
{
	jetstream_on_news(((struct nats_store *)store)->jetstream, NULL, NULL);
}

static bool nats_behind(const struct store *store)
{
	const struct nats_store *nats = (const struct nats_store *)store;

	return nats_check(store, NULL) != 0 || nats->taken < jetstream_last(nats->jetstream);
}

static void nats_size(const struct store *store, int64_t *bytes, int64_t *events)
{
	const struct nats_store *nats = (const struct nats_store *)store;

	nats->copy->ops->size(nats->copy, bytes, events);
}

static void nats_close(struct store *store)
{
	struct nats_store *nats = (struct nats_store *)store;

	snapshots_stop(nats->snapshots);
	jetstream_close(nats->jetstream);
	store_nats_forget(nats);
	if (nats->copy != NULL)
		nats->copy->ops->close(nats->copy);
	free(nats);
}

struct store *store_nats_open(const struct store_config *config, struct error *error)
{
	static const struct store_ops ops = {
		.append = nats_append,
		.tidy = nats_tidy,
		.follow = nats_follow,
		.unfollow = nats_unfollow,
		.tell = nats_tell,
		.listen = nats_listen,
		.retain = nats_retain,
		.erase = nats_erase,
		.reader_new = nats_reader_new,
		.reader_free = store_sqlite_reader_free,
		.read = store_sqlite_reader_read,
		.newest = store_sqlite_reader_newest,
		.latest = store_sqlite_reader_latest,
		.since = store_sqlite_reader_since,
		.count = store_sqlite_reader_count,
		.check = nats_check,
		.behind = nats_behind,
		.size = nats_size,
		.close = nats_close,
	};
	struct nats_store *nats = calloc(1, sizeof(*nats));

	if (nats == NULL) {
		error_set(error, EX_OSERR, "out of memory for the store");
		return NULL;
	}
	nats->store.ops = &ops;
	nats->store.topics = config->topics;
	if (store_nats_open_parts(nats, config, error) == 0)
		return &nats->store;
	nats_close(&nats->store);
	return NULL;
}

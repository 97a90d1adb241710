/* SPDX-License-Identifier: MIT */
/* Delivering a queue; see flush.h. */
#include <sysexits.h>

#include "body.h"
#include "flush.h"

void flush_accepted(struct flush *flush, const struct slot *slot, size_t from, size_t count)
{
	flush->sent += count;
	client_say(&slot->client, CLIENT_EXPLAIN, "%zu from the spool", count);
	(void)from;
}

bool flush_refused(struct flush *flush, const struct slot *slot, const struct error *error)
{
	return queue_fail(flush->queue, slot->group, slot->at, error->text, &flush->error) == 0;
}

static void run_to_end(struct deliver *deliver, struct slot *slot)
{
	while (!slot->finished) {
		enum client_outcome outcome = deliver_wait(deliver, -1, CLIENT_NEVER);

		if (!slot->finished && (outcome == CLIENT_SIGNAL || client_now() >= deliver->until))
			deliver_abort(slot);
	}
}

/* What the end of a group means; ${settled} of its events need not be sent again. */
static enum flush_result judge(
	struct flush *flush, const struct slot *slot, size_t *settled, struct error *error)
{
	*settled = slot->at;
	deliver_explain(slot, error);
	switch (slot->failure) {
	case FAILURE_NONE:
		return FLUSH_DONE;
	case FAILURE_AWAY:
		return FLUSH_AWAY;
	case FAILURE_NO:
		return FLUSH_NO;
	case FAILURE_UNKNOWN:
		/* At most once: it is not for the spool to send it again. */
		if (queue_fail(flush->queue, slot->group, slot->at, error->text, &flush->error) !=
			0)
			break;
		++*settled;
		return FLUSH_AWAY;
	case FAILURE_REFUSED:
		break;
	}
	*error = flush->error;
	return FLUSH_FAILED;
}

/* One group; FLUSH_BUSY stands for an empty queue here. */
static enum flush_result flush_some(struct flush *flush, struct deliver *deliver,
	struct group *group, struct destination *to, bool once, struct error *error)
{
	struct slot *slot = deliver_free_slot(deliver);
	enum flush_result result;
	size_t settled;
	int more;

	group_clear(group);
	more = queue_take(flush->queue, group, BODY_EVENTS_MAX, BODY_BYTES_MAX, error);
	if (more <= 0)
		return more == 0 ? FLUSH_BUSY : FLUSH_FAILED;
	deliver_start(slot, group, to, once);
	run_to_end(deliver, slot);
	result = judge(flush, slot, &settled, error);
	if (queue_done(flush->queue, group, settled, &flush->error) != 0) {
		*error = flush->error;
		result = FLUSH_FAILED;
	}
	deliver_release(slot);
	return result;
}

enum flush_result flush_queue(struct flush *flush, struct deliver *deliver, struct destination *to,
	bool once, struct error *error)
{
	enum flush_result result = FLUSH_DONE;
	struct group group;

	group_init(&group);
	/*
	 * Who appends and finds us at it leaves it to us.  So whoever stops looks once more
	 * after having stopped.
	 */
	do {
		int got = queue_begin(flush->queue, error);

		if (got <= 0) {
			group_free(&group);
			return got == 0 ? FLUSH_BUSY : FLUSH_FAILED;
		}
		do
			result = flush_some(flush, deliver, &group, to, once, error);
		while (result == FLUSH_DONE);
		queue_end(flush->queue);
		if (result == FLUSH_BUSY)
			result = FLUSH_DONE;
	} while (result == FLUSH_DONE && !queue_is_empty(flush->queue));
	group_free(&group);
	return result;
}

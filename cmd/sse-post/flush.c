/* SPDX-License-Identifier: MIT */
/* Delivering a queue; see flush.h. */
#include <sysexits.h>

#include "body.h"
#include "client_run.h"
#include "flush.h"

void flush_accepted(struct flush *flush, const struct slot *slot, size_t from, size_t count)
{
	client_say(&slot->client, CLIENT_EXPLAIN, "%zu from the spool", count);
	if (flush->report == NULL)
		return;
	report_accepted(flush->report, slot, from, count);
	report_flush(flush->report);
}

bool flush_refused(struct flush *flush, const struct slot *slot, const struct error *error)
{
	if (queue_fail(flush->queue, &flush->group, flush->from + slot->at, error->text,
		    &flush->error) != 0)
		return false;
	if (flush->report != NULL) {
		report_refused(flush->report, slot->group, slot->at, error);
		report_flush(flush->report);
	}
	return true;
}

static void run_to_end(struct deliver *deliver, struct slot *slot)
{
	while (!slot->finished) {
		enum client_outcome outcome = deliver_wait(deliver, -1, CLIENT_NEVER);

		if (!slot->finished && (outcome == CLIENT_SIGNAL || client_now() >= deliver->until))
			deliver_abort(slot);
	}
}

/* What the end of a part means; ${settled} events of the group need not be sent again. */
static enum flush_result judge(
	struct flush *flush, const struct slot *slot, size_t *settled, struct error *error)
{
	size_t end = flush->from + slot->at + slot->count;

	*settled = flush->from + slot->at;
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
		while (*settled < end && queue_fail(flush->queue, &flush->group, *settled,
						 error->text, &flush->error) == 0) {
			if (flush->report != NULL)
				report_failed(flush->report, &flush->group, *settled, error);
			++*settled;
		}
		if (*settled < end)
			break;
		return FLUSH_AWAY;
	case FAILURE_REFUSED:
		break;
	}
	*error = flush->error;
	return FLUSH_FAILED;
}

/* Until --rate lets the next ones go; false if a signal or the end of --timeout comes first. */
static bool wait_for_turn(struct deliver *deliver, struct error *error)
{
	while (client_now() < deliver->start_at) {
		if (deliver_wait(deliver, -1, deliver->start_at) == CLIENT_SIGNAL) {
			client_stopped(error);
			return false;
		}
		if (client_now() >= deliver->until) {
			error_set(error, EX_TEMPFAIL, "the time of --timeout is up");
			return false;
		}
	}
	return true;
}

/* Send the part of the group that is next; ${settled} moves on. */
static enum flush_result send_part(struct flush *flush, struct deliver *deliver,
	struct destination *to, bool once, size_t *settled, struct error *error)
{
	struct slot *slot = deliver_free_slot(deliver);
	struct group part = flush->group;
	size_t left = part.count - *settled;
	enum flush_result result;

	if (!wait_for_turn(deliver, error))
		return FLUSH_AWAY;
	flush->from = *settled;
	part.all += flush->from;
	part.count = deliver_at_once(deliver, left);
	deliver_pace(deliver, part.count);
	deliver_start(slot, &part, to, once);
	run_to_end(deliver, slot);
	result = judge(flush, slot, settled, error);
	deliver_release(slot);
	return result;
}

/* One group; FLUSH_BUSY stands for an empty queue here. */
static enum flush_result flush_some(struct flush *flush, struct deliver *deliver,
	struct destination *to, bool once, struct error *error)
{
	size_t settled = 0, max = deliver_at_once(deliver, BODY_EVENTS_MAX);
	enum flush_result result;
	int more;

	group_clear(&flush->group);
	more = queue_take(flush->queue, &flush->group, max, BODY_BYTES_MAX, error);
	if (more <= 0)
		return more == 0 ? FLUSH_BUSY : FLUSH_FAILED;
	do
		result = send_part(flush, deliver, to, once, &settled, error);
	while (result == FLUSH_DONE && settled < flush->group.count);
	if (queue_done(flush->queue, &flush->group, settled, &flush->error) != 0) {
		*error = flush->error;
		result = FLUSH_FAILED;
	}
	return result;
}

static void tell(void *context, const struct error *failure)
{
	const struct deliver *deliver = context;

	client_say(&deliver->slots[0].client, CLIENT_WARN, "from the spool, put aside: %s",
		failure->text);
}

enum flush_result flush_queue(struct flush *flush, struct deliver *deliver, struct destination *to,
	bool once, struct error *error)
{
	enum flush_result result = FLUSH_DONE;

	group_init(&flush->group);
	flush->queue->tell = tell;
	flush->queue->context = deliver;
	/*
	 * Who appends and finds us at it leaves it to us.  So whoever stops looks once more
	 * after having stopped.
	 */
	do {
		int got = queue_begin(flush->queue, error);

		if (got <= 0) {
			group_free(&flush->group);
			return got == 0 ? FLUSH_BUSY : FLUSH_FAILED;
		}
		do
			result = flush_some(flush, deliver, to, once, error);
		while (result == FLUSH_DONE);
		queue_end(flush->queue);
		if (result == FLUSH_BUSY)
			result = FLUSH_DONE;
	} while (result == FLUSH_DONE && !queue_is_empty(flush->queue));
	group_free(&flush->group);
	return result;
}

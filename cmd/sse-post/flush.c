/* SPDX-License-Identifier: MIT */
/* The events of a queue, a part at a time; see flush.h. */
#include <sysexits.h>

#include "body.h"
#include "flush.h"

/* --- beginning and ending -------------------------------------------------------------------- */

enum flush_result flush_begin(struct flush *flush, struct error *error)
{
	int got = consumer_begin(flush->consumer, error);

	flush->begun = got > 0;
	return got > 0 ? FLUSH_PART : got == 0 ? FLUSH_BUSY : FLUSH_FAILED;
}

static void clear(struct flush *flush)
{
	group_clear(&flush->group);
	flush->settled = 0;
}

static void end(struct flush *flush)
{
	consumer_end(flush->consumer);
	flush->begun = false;
	clear(flush);
}

/* The group is done with, or as much of it as is settled. */
static bool done(struct flush *flush, struct error *error)
{
	if (consumer_done(flush->consumer, &flush->group, flush->settled, &flush->error) == 0)
		return true;
	*error = flush->error;
	return false;
}

enum flush_result flush_stop(struct flush *flush, struct error *error)
{
	bool stored = done(flush, error);

	end(flush);
	return stored ? FLUSH_AWAY : FLUSH_FAILED;
}

/* --- what is next ---------------------------------------------------------------------------- */

/* Take the next group. */
static enum flush_result take(struct flush *flush, struct error *error)
{
	size_t max = pace_at_once(&flush->deliver->pace, BODY_EVENTS_MAX);

	/*
	 * A process that appends and finds us delivering leaves the rest to us.  So we look once
	 * more after we stopped.
	 */
	do {
		enum flush_result result = flush->begun ? FLUSH_PART : flush_begin(flush, error);
		int more;

		if (result != FLUSH_PART)
			return result;
		more = consumer_take(flush->consumer, &flush->group, max, BODY_BYTES_MAX, error);
		if (more > 0)
			return FLUSH_PART;
		end(flush);
		if (more < 0)
			return FLUSH_FAILED;
	} while (!queue_is_empty(flush->queue));
	return FLUSH_DONE;
}

enum flush_result flush_next(struct flush *flush, struct group **part, struct error *error)
{
	enum flush_result result = FLUSH_PART;

	if (flush->settled == flush->group.count)
		result = take(flush, error);
	if (result != FLUSH_PART)
		return result;
	flush->part = flush->group;
	flush->part.all += flush->settled;
	flush->part.count =
		pace_at_once(&flush->deliver->pace, flush->group.count - flush->settled);
	*part = &flush->part;
	return FLUSH_PART;
}

/* --- what becomes of it ---------------------------------------------------------------------- */

void flush_accepted(void *context, const struct slot *slot, size_t from, size_t count)
{
	const struct flush *flush = context;

	client_say(&slot->request.client, CLIENT_EXPLAIN, "%zu from the spool", count);
	if (flush->report != NULL)
		report_accepted(flush->report, slot, from, count);
}

bool flush_refused(void *context, const struct slot *slot, const struct error *error)
{
	struct flush *flush = context;

	if (consumer_fail(flush->consumer, &flush->group, flush->settled + slot->at, error->text,
		    &flush->error) != 0)
		return false;
	if (flush->report != NULL)
		report_refused(flush->report, slot->group, slot->at, error);
	return true;
}

/* At most once: it is not for the spool to send these again.  False if failed/ lacks some. */
static bool fail_unknown(struct flush *flush, size_t count, const struct error *error)
{
	for (; count > 0; count--) {
		if (consumer_fail(flush->consumer, &flush->group, flush->settled, error->text,
			    &flush->error) != 0)
			return false;
		if (flush->report != NULL)
			report_failed(flush->report, &flush->group, flush->settled, error);
		flush->settled++;
	}
	return true;
}

/* What the end of the part means. */
static enum flush_result judge(struct flush *flush, const struct slot *slot, struct error *error)
{
	flush->settled += slot->at;
	deliver_explain(slot, error);
	switch (slot->failure) {
	case FAILURE_NONE:
		return FLUSH_PART;
	case FAILURE_AWAY:
	case FAILURE_DENIED:
		return FLUSH_AWAY;
	case FAILURE_NO:
		return FLUSH_NO;
	case FAILURE_UNKNOWN:
		if (fail_unknown(flush, slot->request.count, error))
			return FLUSH_AWAY;
		break;
	case FAILURE_REFUSED:
		break;
	}
	*error = flush->error;
	return FLUSH_FAILED;
}

enum flush_result flush_finished(struct flush *flush, const struct slot *slot, struct error *error)
{
	enum flush_result result = judge(flush, slot, error);

	if (result == FLUSH_PART && flush->settled < flush->group.count)
		return FLUSH_PART;
	if (!done(flush, error))
		result = FLUSH_FAILED;
	if (result == FLUSH_PART)
		clear(flush);
	else
		end(flush);
	return result;
}

/* --- what was put aside ---------------------------------------------------------------------- */

static void tell(void *context, const struct error *failure)
{
	const struct flush *flush = context;

	client_say(&flush->deliver->slots[0].request.client, CLIENT_WARN,
		"from the spool, set aside: %s", failure->text);
}

size_t flush_failed(const struct flush *flush, const char **last)
{
	return consumer_failed(flush->consumer, last);
}

void flush_tell_last(struct flush *flush)
{
	consumer_tell_last(flush->consumer);
}

/* --- opening --------------------------------------------------------------------------------- */

int flush_open(struct flush *flush, struct queue *queue, const struct deliver *deliver,
	struct report *report, struct error *error)
{
	*flush = (struct flush){.queue = queue,
		.consumer = consumer_new(queue, tell, flush),
		.deliver = deliver,
		.report = report};
	group_init(&flush->group);
	return flush->consumer != NULL ? 0 : error_set(error, EX_OSERR, "out of memory");
}

void flush_close(struct flush *flush)
{
	consumer_free(flush->consumer);
	group_free(&flush->group);
	*flush = (struct flush){0};
}

/* SPDX-License-Identifier: MIT */
/* Delivering a queue; see flush.h. */
#include <sysexits.h>

#include "body.h"
#include "client_run.h"
#include "clock.h"
#include "flush.h"

void flush_accepted(void *context, const struct slot *slot, size_t from, size_t count)
{
	const struct flush *flush = context;

	client_say(&slot->request.client, CLIENT_EXPLAIN, "%zu from the spool", count);
	if (flush->report == NULL)
		return;
	report_accepted(flush->report, slot, from, count);
	report_flush(flush->report);
}

bool flush_refused(void *context, const struct slot *slot, const struct error *error)
{
	struct flush *flush = context;

	if (consumer_fail(flush->consumer, &flush->group, flush->from + slot->at, error->text,
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

		if (!slot->finished &&
			(outcome == CLIENT_SIGNAL || clock_now_ms() >= deliver->until))
			deliver_abort(slot);
	}
}

/* What the end of a part means; ${settled} events of the group need not be sent again. */
static enum flush_result judge(
	struct flush *flush, const struct slot *slot, size_t *settled, struct error *error)
{
	size_t end = flush->from + slot->at + slot->request.count;

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
		while (*settled < end && consumer_fail(flush->consumer, &flush->group, *settled,
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
	while (clock_now_ms() < deliver->pace.start_at) {
		if (deliver_wait(deliver, -1, deliver->pace.start_at) == CLIENT_SIGNAL) {
			client_stopped(error);
			return false;
		}
		if (clock_now_ms() >= deliver->until) {
			error_set(error, EX_TEMPFAIL, "the time of --timeout is up");
			return false;
		}
	}
	return true;
}

/* Send the part of the group that is next; ${settled} moves on. */
static enum flush_result send_part(struct flush *flush, struct destination *to, bool once,
	size_t *settled, struct error *error)
{
	struct deliver *deliver = flush->deliver;
	struct slot *slot = deliver_free_slot(deliver);
	struct group part = flush->group;
	size_t left = part.count - *settled;
	enum flush_result result;

	if (!wait_for_turn(deliver, error))
		return FLUSH_AWAY;
	flush->from = *settled;
	part.all += flush->from;
	part.count = pace_at_once(&deliver->pace, left);
	pace_start(&deliver->pace, part.count, clock_now_ms());
	deliver_start(slot, &part, to, once);
	run_to_end(deliver, slot);
	result = judge(flush, slot, settled, error);
	deliver_release(slot);
	return result;
}

/* One group; FLUSH_BUSY means an empty queue here. */
static enum flush_result flush_some(
	struct flush *flush, struct destination *to, bool once, struct error *error)
{
	size_t settled = 0, max = pace_at_once(&flush->deliver->pace, BODY_EVENTS_MAX);
	enum flush_result result;
	int more;

	group_clear(&flush->group);
	more = consumer_take(flush->consumer, &flush->group, max, BODY_BYTES_MAX, error);
	if (more <= 0)
		return more == 0 ? FLUSH_BUSY : FLUSH_FAILED;
	do
		result = send_part(flush, to, once, &settled, error);
	while (result == FLUSH_DONE && settled < flush->group.count);
	if (consumer_done(flush->consumer, &flush->group, settled, &flush->error) != 0) {
		*error = flush->error;
		result = FLUSH_FAILED;
	}
	return result;
}

static void tell(void *context, const struct error *failure)
{
	const struct flush *flush = context;

	client_say(&flush->deliver->slots[0].request.client, CLIENT_WARN,
		"from the spool, put aside: %s", failure->text);
}

int flush_open(struct flush *flush, struct queue *queue, struct deliver *deliver,
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

size_t flush_failed(const struct flush *flush, const char **last)
{
	return consumer_failed(flush->consumer, last);
}

void flush_tell_last(struct flush *flush)
{
	consumer_tell_last(flush->consumer);
}

enum flush_result flush_queue(
	struct flush *flush, struct destination *to, bool once, struct error *error)
{
	enum flush_result result = FLUSH_DONE;

	/*
	 * A process that appends and finds us delivering leaves the rest to us.  So we look once
	 * more after we stopped.
	 */
	do {
		int got = consumer_begin(flush->consumer, error);

		if (got <= 0)
			return got == 0 ? FLUSH_BUSY : FLUSH_FAILED;
		do
			result = flush_some(flush, to, once, error);
		while (result == FLUSH_DONE);
		consumer_end(flush->consumer);
		if (result == FLUSH_BUSY)
			result = FLUSH_DONE;
	} while (result == FLUSH_DONE && !queue_is_empty(flush->queue));
	/* A large group is not kept while nothing is flushed. */
	group_clear(&flush->group);
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Deletions on the log thread; see log_thread.h. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "log_thread.h"
#include "log_thread_internal.h"

/* What the streams of the topic are told: which event, or all up to which, are gone. */
static void show_erasure(
	struct log_thread *log_thread, const struct store_deletion *deletion, bool one)
{
	char id[IDENTITY_TEXT], data[IDENTITY_TEXT + 16];
	struct event event = {.position = log_thread->store->head,
		.time = clock_wall_ms(),
		.topic = deletion->topic,
		.json = true,
		.ephemeral = true,
		.deletion = true,
		.type = {"deleted", strlen("deleted")}};

	identity_format(&log_thread->store->identity, deletion->newest, id);
	event.data.len =
		(size_t)snprintf(data, sizeof(data), "{\"%s\":\"%s\"}", one ? "id" : "upto", id);
	event.data.data = data;
	/* Before it can be seen: who sees it looks. */
	atomic_store(&deletion->topic->erased, deletion->erased);
	log_thread_show(log_thread, &event);
	window_stamp(log_thread->window, 0);
	window_publish(log_thread->window);
}

/* Those of the topic after ${after} were deleted in the log: let nobody see them any more. */
static void take_out(
	struct log_thread *log_thread, const struct store_deletion *deletion, uint64_t after)
{
	window_erase(log_thread->window, deletion->topic, after, deletion->upto);
	atomic_fetch_add(&log_thread->store->erasures, 1);
}

void log_thread_show_erasure(void *context, const struct store_deletion *deletion)
{
	struct log_thread *log_thread = context;

	take_out(log_thread, deletion, deletion->after);
	if (deletion->newest > 0)
		show_erasure(log_thread, deletion, deletion->upto - deletion->after == 1);
	log_thread_wake_loops(log_thread);
}

/* Delete some.  False if that failed. */
static bool erase_some(struct log_thread *log_thread, struct erasure *erasure)
{
	struct store *store = log_thread->store;
	struct store_deletion *deletion = &erasure->deletion;
	uint64_t after = deletion->after;

	if (*log_thread->draining)
		erasure->failed = error_set(&erasure->error, EX_UNAVAILABLE,
			"the server is stopping; some of the events may be deleted: try again");
	else
		erasure->failed = store->ops->erase(store, deletion, &erasure->error);
	if (deletion->after > after) {
		struct store_deletion done = *deletion;

		done.upto = deletion->after;
		take_out(log_thread, &done, after);
	}
	return erasure->failed == 0;
}

static struct erasure *first_erasure(struct log_thread *log_thread)
{
	struct erasure *erasure;

	pthread_mutex_lock(&log_thread->lock);
	erasure = (struct erasure *)log_thread->erasures;
	pthread_mutex_unlock(&log_thread->lock);
	return erasure;
}

/* It is done, or failed: give it back. */
static void end_erasure(struct log_thread *log_thread, struct erasure *erasure)
{
	pthread_mutex_lock(&log_thread->lock);
	log_thread->erasures = erasure->message.next;
	if (log_thread->erasures == NULL)
		log_thread->last_erasure = &log_thread->erasures;
	pthread_mutex_unlock(&log_thread->lock);
	if (erasure->deletion.newest > 0)
		show_erasure(log_thread, &erasure->deletion, erasure->one);
	mailbox_post(erasure->mailbox, &erasure->message);
	log_thread_wake_loops(log_thread);
}

int64_t log_thread_erase_step(struct log_thread *log_thread)
{
	struct erasure *erasure = first_erasure(log_thread);

	log_thread->erasing = false;
	if (erasure == NULL)
		return -1;
	if (erasure->deletion.upto > log_thread->store->head)
		erasure->deletion.upto = log_thread->store->head;
	if (!erase_some(log_thread, erasure) || erasure->deletion.ended) {
		end_erasure(log_thread, erasure);
		return 0;
	}
	log_thread->erasing = true;
	return erasure->deletion.wait;
}

void log_thread_erase(struct log_thread *log_thread, struct erasure *erasure)
{
	erasure->message.next = NULL;
	pthread_mutex_lock(&log_thread->lock);
	*log_thread->last_erasure = &erasure->message;
	log_thread->last_erasure = &erasure->message.next;
	atomic_store_explicit(&log_thread->unknown, true, memory_order_relaxed);
	pthread_mutex_unlock(&log_thread->lock);
}

/* SPDX-License-Identifier: MIT */
/* Sending a command to a shared log, and learning what became of it; see store_nats.c. */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/ending.h"
#include "base/logger.h"
#include "clock.h"
#include "store_nats_internal.h"

/* How long a publisher waits at most to learn that its events are stored, in ms. */
#define PUBLISH_MS 10000
/* If that was in vain for the last one, no longer than this: more of them wait. */
#define FAILING_MS 1000
/* Without a connection, no longer than this. */
#define AWAY_MS 2000
/* Between two attempts. */
#define RETRY_MS 100
/* Until what could not be applied is tried again. */
#define APPLY_MS 1000

/* Something could not be applied: it is tried again later. */
static void get_stuck(struct nats_store *nats, const struct error *error)
{
	/* Another start may help. */
	if (error->status == EX_UNAVAILABLE || error->status == EX_CONFIG)
		ending_ask(error);
	nats->retry_at = clock_now_ms() + APPLY_MS;
	nats->stuck = true;
	if (!nats->told)
		logger_write(LOGGER_ERROR,
			"this node cannot apply what is published, and tries again: %s",
			error->text);
	nats->told = true;
}

int store_nats_take(struct nats_store *nats, struct error *error)
{
	struct error fault = {0};

	if (nats->retry_at > clock_now_ms())
		return error_set(error, EX_TEMPFAIL, "this node cannot use its copy of the log");
	if (store_nats_apply(nats, &fault) != 0) {
		get_stuck(nats, &fault);
		return error_set(error, EX_TEMPFAIL, "%s", fault.text);
	}
	if (nats->told)
		logger_write(LOGGER_INFO, "this node applies again what is published");
	nats->retry_at = 0;
	nats->stuck = nats->told = false;
	return 0;
}

/* An attempt to send a command. */
struct sending {
	const struct buf *bytes;
	const char *id;
	int64_t until, next; /* give up, try again */
	bool doubtful;	     /* an attempt got no answer: it may be stored */
	bool stored;	     /* by a majority, as its leader said */
};

static void send_again(struct nats_store *nats, struct sending *sending)
{
	int64_t now = clock_now_ms();

	if (now < sending->next)
		return;
	sending->next = now + RETRY_MS;
	if (jetstream_publish(
		    nats->jetstream, sending->id, sending->bytes->data, sending->bytes->len) == 0) {
		sending->next = INT64_MAX;
	}
}

/* Look at what became of the last attempt.  -1 if it is refused for good. */
static int look_at(struct nats_store *nats, struct sending *sending, struct error *error)
{
	int64_t now = clock_now_ms();

	switch (jetstream_outcome(nats->jetstream, sending->id, error)) {
	case JETSTREAM_REFUSED:
		if (!sending->doubtful)
			return -1;
		sending->until = 0;
		break;
	case JETSTREAM_ABSENT:
		/* That attempt is none. */
		if (sending->next == INT64_MAX)
			sending->next = now + RETRY_MS;
		break;
	case JETSTREAM_UNKNOWN:
		sending->doubtful = true;
		if (sending->next == INT64_MAX)
			sending->next = now;
		break;
	case JETSTREAM_STORED:
		sending->stored = true;
		break;
	case JETSTREAM_WAITING:
		break;
	}
	return 0;
}

static int give_up(const struct nats_store *nats, bool doubtful, struct error *error)
{
	if (nats->stuck)
		return error_set(error, EX_TEMPFAIL,
			"this node cannot use its copy of the log; whether the event was published is "
			"unknown: send it again, with the same Idempotency-Key");
	if (doubtful)
		return error_set(error, EX_TEMPFAIL,
			"NATS did not confirm within %d s that the event is stored; it may or may not be: send "
			"it again, with the same Idempotency-Key",
			PUBLISH_MS / 1000);
	return error_set(error, EX_TEMPFAIL,
		"NATS cannot be reached, or has no leader: nothing was stored; try again");
}

/* May it be stored?  An attempt is under way, or one got no answer. */
static bool is_doubtful(const struct sending *sending)
{
	return sending->doubtful || sending->next == INT64_MAX;
}

/* Is it worth while to go on waiting? */
static bool may_wait(struct nats_store *nats, const struct sending *sending)
{
	int64_t now = clock_now_ms();

	if (now >= sending->until)
		return false;
	return is_doubtful(sending) || jetstream_away(nats->jetstream) <= AWAY_MS;
}

int store_nats_send(struct nats_store *nats, const struct buf *bytes, struct own_command *own,
	struct error *error)
{
	struct sending sending = {.bytes = bytes,
		.id = own->id,
		.until = clock_now_ms() + (nats->failing ? FAILING_MS : PUBLISH_MS)};
	uint64_t began = clock_now_us();
	int result = 0;

	if (nats->stuck && store_nats_take(nats, NULL) != 0)
		return error_set(error, EX_TEMPFAIL,
			"this node cannot use its copy of the log: nothing was stored; try again");
	nats->own = own;
	/* A replica may give a message to this node that a majority does not have. */
	while (result == 0 && !(own->applied && sending.stored)) {
		if (!may_wait(nats, &sending)) {
			result = give_up(nats, is_doubtful(&sending), error);
			break;
		}
		send_again(nats, &sending);
		jetstream_wait(nats->jetstream, RETRY_MS);
		store_nats_take(nats, NULL);
		result = look_at(nats, &sending, error);
	}
	nats->own = NULL;
	nats->failing = result != 0;
	if (result == 0)
		counter_took(&nats->store.sync, clock_now_us() - began);
	return result;
}

void store_nats_next_id(struct nats_store *nats, char *id, size_t size)
{
	const char *node = jetstream_node(nats->jetstream);
	uint32_t hash;

	if (trail_hash(&nats->trail, nats->taken, &hash))
		snprintf(id, size, "%s-%" PRIx64 "-%" PRIx64 "-%08" PRIx32, node, ++nats->number,
			nats->taken, hash);
	else
		snprintf(id, size, "%s-%" PRIx64, node, ++nats->number);
}

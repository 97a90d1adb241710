/* SPDX-License-Identifier: MIT */
/*
 * Following a stream of JetStream; see jetstream.h.
 *
 * A consumer gives the messages in order, but loses some when its server dies or its buffer overflows.  So
 * each sequence is compared with the one before; if one is missing, or if the stream has more and
 * nothing comes, a watcher follows again from there.  The client's own ordered consumer would do that, too,
 * but crashes in it (3.4.1: the thread that it starts for it may run before its creator knows it).
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/condition.h"
#include "clock.h"
#include "jetstream_internal.h"

/* How often the watcher asks for the state of the stream, in ms. */
#define LOOK_MS 1000
/* Likewise while a message is missing. */
#define HOLE_MS 50

/* Messages that nobody has taken yet: at most so many bytes. */
#define QUEUE_BYTES ((size_t)64 << 20)

#define HEARTBEAT_NS (INT64_C(1000) * 1000 * 1000)

static struct jetstream_message *copy_message(natsMsg *message, size_t skip)
{
	size_t len = (size_t)natsMsg_GetDataLength(message) - skip;
	struct jetstream_message *copy = malloc(sizeof(*copy) + len + 1);

	if (copy == NULL)
		return NULL;
	*copy = (struct jetstream_message){.len = len};
	memcpy(copy->data, natsMsg_GetData(message) + skip, len);
	copy->data[len] = '\0';
	return copy;
}

/* The lock is held. */
static void queue(struct jetstream *jetstream, struct jetstream_message *message)
{
	*jetstream->last_next = message;
	jetstream->last_next = &message->next;
	jetstream->bytes += sizeof(*message) + message->len;
	jetstream_news(jetstream);
}

/* Is it the next one?  The lock is held; it waits here until there is room. */
static bool is_next(struct jetstream *jetstream, uint64_t sequence)
{
	while (jetstream->bytes > QUEUE_BYTES && !jetstream->closing)
		pthread_cond_wait(&jetstream->look, &jetstream->lock);
	if (sequence > jetstream->last)
		jetstream->last = sequence;
	if (sequence > jetstream->received + 1) {
		jetstream->hole = true;
		pthread_cond_broadcast(&jetstream->look);
	}
	return sequence == jetstream->received + 1 && !jetstream->closing;
}

static void on_stored(
	natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context)
{
	struct jetstream *jetstream = context;
	struct jetstream_message *copy = NULL;
	jsMsgMetaData *data = NULL;

	(void)connection;
	(void)subscription;
	if (natsMsg_GetMetaData(&data, message) == NATS_OK)
		copy = copy_message(message, 0);
	if (copy != NULL) {
		copy->sequence = data->Sequence.Stream;
		copy->time = data->Timestamp / 1000000;
		pthread_mutex_lock(&jetstream->lock);
		if (is_next(jetstream, copy->sequence)) {
			jetstream->received = copy->sequence;
			queue(jetstream, copy);
			copy = NULL;
		}
		pthread_mutex_unlock(&jetstream->lock);
	}
	/* Without memory it is missing, and comes again. */
	free(copy);
	jsMsgMetaData_Destroy(data);
	natsMsg_Destroy(message);
}

/* Does another node say it?  One's own echo is left out. */
static bool is_of_other(const struct jetstream *jetstream, natsMsg *message)
{
	return natsMsg_GetDataLength(message) > JETSTREAM_NODE &&
	       memcmp(natsMsg_GetData(message), jetstream->node, JETSTREAM_NODE) != 0;
}

static void on_told(
	natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context)
{
	struct jetstream *jetstream = context;

	(void)connection;
	(void)subscription;
	if (is_of_other(jetstream, message)) {
		const char *data = natsMsg_GetData(message);

		jetstream->heard(jetstream->heard_context, data, data + JETSTREAM_NODE,
			(size_t)natsMsg_GetDataLength(message) - JETSTREAM_NODE);
	}
	natsMsg_Destroy(message);
}

static void on_passed(
	natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context)
{
	struct jetstream *jetstream = context;
	struct jetstream_message *copy = NULL;

	(void)connection;
	(void)subscription;
	if (is_of_other(jetstream, message))
		copy = copy_message(message, JETSTREAM_NODE);
	natsMsg_Destroy(message);
	if (copy == NULL)
		return;
	pthread_mutex_lock(&jetstream->lock);
	/* Who does not keep up loses these: they are not kept for anyone. */
	if (jetstream->bytes < QUEUE_BYTES)
		queue(jetstream, copy);
	else
		free(copy);
	pthread_mutex_unlock(&jetstream->lock);
}

/* The client's thread of a subscription has ended. */
static void on_end(void *context)
{
	struct jetstream *jetstream = context;

	pthread_mutex_lock(&jetstream->lock);
	jetstream->threads--;
	pthread_cond_broadcast(&jetstream->news);
	pthread_mutex_unlock(&jetstream->lock);
}

static void note_thread(struct jetstream *jetstream, natsSubscription *subscription)
{
	pthread_mutex_lock(&jetstream->lock);
	jetstream->threads++;
	pthread_mutex_unlock(&jetstream->lock);
	if (natsSubscription_SetOnCompleteCB(subscription, on_end, jetstream) != NATS_OK)
		on_end(jetstream);
}

/* Follow from after what was received.  The watcher's, but for the first time. */
static natsStatus subscribe(struct jetstream *jetstream)
{
	jsSubOptions options;
	uint64_t after;
	natsStatus status;

	if (jetstream->stored != NULL)
		natsSubscription_Unsubscribe(jetstream->stored);
	natsSubscription_Destroy(jetstream->stored);
	jetstream->stored = NULL;
	pthread_mutex_lock(&jetstream->lock);
	jetstream->hole = false;
	after = jetstream->received;
	pthread_mutex_unlock(&jetstream->lock);
	jsSubOptions_Init(&options);
	options.Stream = jetstream->name;
	options.ManualAck = true;
	options.Config.AckPolicy = js_AckNone;
	options.Config.MaxDeliver = 1;
	options.Config.MemoryStorage = true;
	options.Config.Replicas = 1;
	options.Config.FlowControl = true;
	options.Config.DeliverPolicy = js_DeliverByStartSequence;
	options.Config.OptStartSeq = after + 1;
	options.Config.Heartbeat = HEARTBEAT_NS;
	status = js_Subscribe(&jetstream->stored, jetstream->js, jetstream->log, on_stored,
		jetstream, NULL, &options, NULL);
	if (status != NATS_OK)
		return status;
	natsSubscription_SetPendingLimits(jetstream->stored, -1, -1);
	note_thread(jetstream, jetstream->stored);
	return NATS_OK;
}

/* What the stream says of itself.  Do messages seem to be missing? */
static bool look(struct jetstream *jetstream, uint64_t *before)
{
	jsStreamInfo *info = NULL;
	bool missing = false;
	natsStatus status = js_GetStreamInfo(&info, jetstream->js, jetstream->name, NULL, NULL);

	pthread_mutex_lock(&jetstream->lock);
	if (status == NATS_OK) {
		jetstream->answered = clock_now_ms();
		jetstream->replaced = jetstream_mark(info) != jetstream->mark;
		if (info->State.LastSeq > jetstream->last)
			jetstream->last = info->State.LastSeq;
		jetstream->lost = jetstream->received + 1 < info->State.FirstSeq;
		/* Nobody follows it, or it has more, and nothing came since the last look. */
		missing = jetstream->stored == NULL || jetstream->hole ||
			  (info->State.LastSeq > jetstream->received &&
				  jetstream->received == *before);
		if (jetstream->lost || jetstream->replaced)
			jetstream_news(jetstream);
	}
	*before = jetstream->received;
	pthread_mutex_unlock(&jetstream->lock);
	jsStreamInfo_Destroy(info);
	return missing;
}

static void *watch(void *context)
{
	struct jetstream *jetstream = context;
	uint64_t before = UINT64_MAX;
	bool over = false;

	while (!over) {
		int64_t until;

		if (look(jetstream, &before))
			subscribe(jetstream);
		pthread_mutex_lock(&jetstream->lock);
		until = clock_now_ms() + (jetstream->hole ? HOLE_MS : LOOK_MS);
		if (!jetstream->closing)
			condition_wait(&jetstream->look, &jetstream->lock, until);
		over = jetstream->closing;
		pthread_mutex_unlock(&jetstream->lock);
	}
	nats_ReleaseThreadMemory();
	return NULL;
}

/* Hear what other nodes send beside the log. */
static int listen_to(struct jetstream *jetstream, const char *subject, natsMsgHandler heard,
	natsSubscription **subscription, struct error *error)
{
	natsStatus status = natsConnection_Subscribe(
		subscription, jetstream->connection, subject, heard, jetstream);

	if (status != NATS_OK)
		return error_set(error, EX_TEMPFAIL, "cannot listen to other nodes by NATS: %s",
			natsStatus_GetText(status));
	note_thread(jetstream, *subscription);
	return 0;
}

int feed_start(struct jetstream *jetstream, uint64_t after, struct error *error)
{
	jetstream->received = after;
	if (listen_to(jetstream, jetstream->pass, on_passed, &jetstream->passed, error) != 0)
		return -1;
	/* If there is no leader now, the watcher tries again. */
	subscribe(jetstream);
	if (pthread_create(&jetstream->watcher, NULL, watch, jetstream) != 0)
		return error_set(error, EX_OSERR, "cannot start a thread for NATS");
	jetstream->watched = true;
	return 0;
}

int jetstream_listen(
	struct jetstream *jetstream, jetstream_heard *heard, void *context, struct error *error)
{
	jetstream->heard = heard;
	jetstream->heard_context = context;
	return listen_to(jetstream, jetstream->tell, on_told, &jetstream->told, error);
}

void feed_stop(struct jetstream *jetstream)
{
	pthread_mutex_lock(&jetstream->lock);
	jetstream->closing = true;
	pthread_cond_broadcast(&jetstream->look);
	pthread_mutex_unlock(&jetstream->lock);
	if (jetstream->watched)
		pthread_join(jetstream->watcher, NULL);
	if (jetstream->stored != NULL)
		natsSubscription_Unsubscribe(jetstream->stored);
	if (jetstream->passed != NULL)
		natsSubscription_Unsubscribe(jetstream->passed);
	if (jetstream->told != NULL)
		natsSubscription_Unsubscribe(jetstream->told);
}

void feed_free(struct jetstream *jetstream)
{
	natsSubscription_Destroy(jetstream->stored);
	natsSubscription_Destroy(jetstream->passed);
	natsSubscription_Destroy(jetstream->told);
	for (struct jetstream_message *next; jetstream->first != NULL; jetstream->first = next) {
		next = jetstream->first->next;
		free(jetstream->first);
	}
}

struct jetstream_message *jetstream_take(struct jetstream *jetstream)
{
	struct jetstream_message *message;
	bool was_full;

	pthread_mutex_lock(&jetstream->lock);
	message = jetstream->first;
	if (message != NULL) {
		was_full = jetstream->bytes > QUEUE_BYTES;
		jetstream->first = message->next;
		if (jetstream->first == NULL)
			jetstream->last_next = &jetstream->first;
		jetstream->bytes -= sizeof(*message) + message->len;
		if (was_full)
			pthread_cond_broadcast(&jetstream->look);
	}
	pthread_mutex_unlock(&jetstream->lock);
	return message;
}

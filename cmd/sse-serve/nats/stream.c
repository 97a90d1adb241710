/* SPDX-License-Identifier: MIT */
/* A stream of JetStream: opening it, and publishing; see jetstream.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "base/condition.h"
#include "base/logger.h"
#include "clock.h"
#include "hash.h"
#include "jetstream_internal.h"

/* How long jetstream_open() tries, in ms, and its pause between two attempts. */
#define OPEN_MS 15000
#define PAUSE_MS 250

/* Stored once, if it comes again within this time: longer than anyone tries, in ns. */
#define DUPLICATES_NS (INT64_C(120) * 1000 * 1000 * 1000)

/* How long one attempt to publish waits for its answer, in ms. */
#define PUBLISH_MS 2000

/* The leader is there if it answered within this time, in ms. */
#define LEADER_MS 6000

/* A header of a published message and the prefix of one that is passed on count, too. */
#define MESSAGE_ROOM 512

#define REPLICAS 3

void jetstream_news(struct jetstream *jetstream)
{
	pthread_cond_broadcast(&jetstream->news);
	if (jetstream->wake != NULL)
		jetstream->wake(jetstream->context);
}

void jetstream_on_news(struct jetstream *jetstream, void (*wake)(void *context), void *context)
{
	pthread_mutex_lock(&jetstream->lock);
	jetstream->wake = wake;
	jetstream->context = context;
	pthread_mutex_unlock(&jetstream->lock);
}

/* --- publishing --- */

/* What an attempt came to, unless a later message is on its way. */
static void on_answer(
	jsCtx *js, natsMsg *message, jsPubAck *stored, jsPubAckErr *failed, void *context)
{
	struct jetstream *jetstream = context;
	const char *id = NULL;

	(void)js;
	natsMsgHeader_Get(message, "Nats-Msg-Id", &id);
	pthread_mutex_lock(&jetstream->lock);
	if (id != NULL && strcmp(id, jetstream->id) == 0 &&
		jetstream->outcome != JETSTREAM_STORED) {
		if (stored != NULL)
			jetstream->outcome = JETSTREAM_STORED;
		else if (failed->Err == NATS_NO_RESPONDERS)
			jetstream->outcome = JETSTREAM_ABSENT;
		else if (failed->ErrCode != 0)
			jetstream->outcome = JETSTREAM_REFUSED;
		else
			jetstream->outcome = JETSTREAM_UNKNOWN;
		if (stored == NULL)
			snprintf(jetstream->why, sizeof(jetstream->why), "%s",
				failed->ErrText != NULL ? failed->ErrText
							: natsStatus_GetText(failed->Err));
		jetstream_news(jetstream);
	}
	pthread_mutex_unlock(&jetstream->lock);
	natsMsg_Destroy(message);
}

int jetstream_publish(struct jetstream *jetstream, const char *id, const void *data, size_t len)
{
	natsMsg *message = NULL;
	jsPubOptions options;
	natsStatus status;

	pthread_mutex_lock(&jetstream->lock);
	snprintf(jetstream->id, sizeof(jetstream->id), "%s", id);
	jetstream->outcome = jetstream->seen = JETSTREAM_WAITING;
	pthread_mutex_unlock(&jetstream->lock);
	/* The client would keep one message, however small its buffer is, and send it later. */
	if (natsConnection_Status(jetstream->connection) != NATS_CONN_STATUS_CONNECTED)
		return -1;
	status = natsMsg_Create(&message, jetstream->log, NULL, (const char *)data, (int)len);
	jsPubOptions_Init(&options);
	options.MsgId = id;
	options.MaxWait = PUBLISH_MS;
	options.ExpectStream = jetstream->name;
	if (status == NATS_OK)
		status = js_PublishMsgAsync(jetstream->js, &message, &options);
	natsMsg_Destroy(message);
	return status == NATS_OK ? 0 : -1;
}

enum jetstream_outcome jetstream_outcome(
	struct jetstream *jetstream, const char *id, struct error *error)
{
	enum jetstream_outcome outcome = JETSTREAM_UNKNOWN;

	pthread_mutex_lock(&jetstream->lock);
	if (strcmp(jetstream->id, id) == 0)
		outcome = jetstream->seen = jetstream->outcome;
	if (outcome == JETSTREAM_REFUSED)
		error_set(error, EX_IOERR, "the stream %s of NATS does not take the event: %s",
			jetstream->name, jetstream->why);
	pthread_mutex_unlock(&jetstream->lock);
	return outcome;
}

/* The message after the id of this node. */
static void send_beside(
	struct jetstream *jetstream, const char *subject, const void *data, size_t len)
{
	size_t prefix = strlen(jetstream->node);
	char *message = malloc(prefix + len);

	if (message == NULL)
		return;
	memcpy(message, jetstream->node, prefix);
	memcpy(message + prefix, data, len);
	natsConnection_Publish(jetstream->connection, subject, message, (int)(prefix + len));
	free(message);
}

void jetstream_pass(struct jetstream *jetstream, const void *data, size_t len)
{
	send_beside(jetstream, jetstream->pass, data, len);
}

void jetstream_tell(struct jetstream *jetstream, const void *data, size_t len)
{
	send_beside(jetstream, jetstream->tell, data, len);
}

void jetstream_wait(struct jetstream *jetstream, int64_t ms)
{
	int64_t until = clock_now_ms() + ms;
	bool in_time = true;

	pthread_mutex_lock(&jetstream->lock);
	while (jetstream->first == NULL && jetstream->outcome == jetstream->seen && in_time)
		in_time = condition_wait(&jetstream->news, &jetstream->lock, until);
	pthread_mutex_unlock(&jetstream->lock);
}

/* --- how it is --- */

int64_t jetstream_away(struct jetstream *jetstream)
{
	int64_t away;

	pthread_mutex_lock(&jetstream->lock);
	away = jetstream->away;
	pthread_mutex_unlock(&jetstream->lock);
	/* 0 means that there is a connection. */
	return away == 0 ? 0 : clock_now_ms() - away + 1;
}

int jetstream_check(struct jetstream *jetstream, struct error *error)
{
	int64_t answered;

	if (jetstream_away(jetstream) > 0)
		return error_set(error, EX_TEMPFAIL,
			"NATS cannot be reached: what is stored can be read, but nothing can be "
			"published; try again");
	pthread_mutex_lock(&jetstream->lock);
	answered = jetstream->answered;
	pthread_mutex_unlock(&jetstream->lock);
	if (clock_now_ms() - answered > LEADER_MS)
		return error_set(error, EX_TEMPFAIL,
			"the stream %s of NATS has no leader now: what is stored can be read, but "
			"nothing can be published; try again",
			jetstream->name);
	return 0;
}

int jetstream_over(struct jetstream *jetstream, struct error *error)
{
	bool lost, replaced;

	pthread_mutex_lock(&jetstream->lock);
	lost = jetstream->lost;
	replaced = jetstream->replaced;
	pthread_mutex_unlock(&jetstream->lock);
	if (replaced)
		return error_set(error, EX_TEMPFAIL,
			"the stream %s of NATS was deleted and made again: it is another log now",
			jetstream->name);
	if (lost)
		return error_set(error, EX_TEMPFAIL,
			"the stream %s of NATS no longer has messages that this node did not read",
			jetstream->name);
	return 0;
}

const char *jetstream_node(const struct jetstream *jetstream)
{
	return jetstream->node;
}

uint64_t jetstream_last(struct jetstream *jetstream)
{
	uint64_t last;

	pthread_mutex_lock(&jetstream->lock);
	last = jetstream->last;
	pthread_mutex_unlock(&jetstream->lock);
	return last;
}

/* --- opening --- */

/* Not ours: it would lose what nobody was told of. */
static int check_settings(const jsStreamConfig *found, const char *name, struct error *error)
{
	const char *what = found->MaxMsgs > 0			 ? "max_msgs"
			   : found->MaxBytes > 0		 ? "max_bytes"
			   : found->MaxAge > 0			 ? "max_age"
			   : found->MaxMsgsPerSubject > 0	 ? "max_msgs_per_subject"
			   : found->Retention != js_LimitsPolicy ? "its retention policy"
			   : found->Storage != js_FileStorage	 ? "its storage in memory"
			   : found->NoAck			 ? "no_ack"
								 : NULL;

	if (what == NULL)
		return 0;
	return error_set(error, EX_CONFIG,
		"the stream %s of NATS was set up by somebody else, and with %s it would lose events: "
		"remove that setting, or choose another name with --cluster; what the log keeps is "
		"set with --retain",
		name, what);
}

/* A stream that others made is left as it is. */
static void say_replicas(
	const struct jetstream_config *config, const struct jetstream_stream *stream)
{
	if (config->servers->replicas != 0 && config->servers->replicas != stream->replicas)
		logger_write(LOGGER_WARNING,
			"the stream %s of NATS has %" PRId64 " replica%s, not %" PRId64
			": --replicas counts only when the stream is made; `nats stream edit %s "
			"--replicas %" PRId64 "` changes it",
			config->servers->name, stream->replicas, stream->replicas == 1 ? "" : "s",
			config->servers->replicas, config->servers->name,
			config->servers->replicas);
}

uint64_t jetstream_mark(const jsStreamInfo *info)
{
	const char *description = info->Config->Description;

	return description != NULL ? hash_fnv1a(HASH_START, description, strlen(description)) : 0;
}

static int read_stream(struct jetstream *jetstream, const jsStreamInfo *info,
	const struct jetstream_config *config, struct jetstream_stream *stream, struct error *error)
{
	const char *description = info->Config->Description;
	int64_t payload = natsConnection_GetMaxPayload(jetstream->connection);

	if (info->Config->MaxMsgSize > 0 && info->Config->MaxMsgSize < payload)
		payload = info->Config->MaxMsgSize;
	*stream = (struct jetstream_stream){.mark = jetstream_mark(info),
		.first = info->State.FirstSeq,
		.last = info->State.LastSeq,
		.message_max = payload > 2 * MESSAGE_ROOM ? (size_t)payload - MESSAGE_ROOM : 0,
		.replicas = info->Config->Replicas};
	snprintf(stream->description, sizeof(stream->description), "%s",
		description != NULL ? description : "");
	jetstream->mark = stream->mark;
	jetstream->last = info->State.LastSeq;
	jetstream->answered = clock_now_ms();
	say_replicas(config, stream);
	return check_settings(info->Config, jetstream->name, error);
}

static natsStatus make_stream(struct jetstream *jetstream, const struct jetstream_config *config,
	int64_t replicas, jsErrCode *code)
{
	const char *subjects[] = {jetstream->log};
	jsStreamConfig stream;

	jsStreamConfig_Init(&stream);
	stream.Name = jetstream->name;
	stream.Description = config->description;
	stream.Subjects = subjects;
	stream.SubjectsLen = 1;
	stream.Retention = js_LimitsPolicy;
	stream.Storage = js_FileStorage;
	/* If somebody gives it a limit, it refuses what is new, and keeps what it has. */
	stream.Discard = js_DiscardNew;
	stream.Duplicates = DUPLICATES_NS;
	stream.DenyDelete = true;
	stream.Replicas = replicas;
	return js_AddStream(NULL, jetstream->js, &stream, NULL, code);
}

/* There is none: make it.  0 if it is there now, or -1; perhaps another attempt is worth while. */
static int make(
	struct jetstream *jetstream, const struct jetstream_config *config, struct error *error)
{
	int64_t replicas = config->servers->replicas != 0 ? config->servers->replicas : REPLICAS;
	jsErrCode code = 0;
	natsStatus status = make_stream(jetstream, config, replicas, &code);

	if (code == JSStreamReplicasNotSupportedErr && config->servers->replicas == 0) {
		logger_write(LOGGER_WARNING,
			"the NATS server is not part of a cluster: the log has one replica, and is lost "
			"with that machine");
		status = make_stream(jetstream, config, 1, &code);
	}
	/* Somebody else was faster. */
	if (status == NATS_OK || code == JSStreamNameExistErr)
		return 0;
	if (code == JSStreamReplicasNotSupportedErr)
		return error_set(error, EX_CONFIG,
			"--replicas %" PRId64
			": the NATS server is not part of a cluster, and can keep only one",
			replicas);
	return error_set(error, EX_TEMPFAIL,
		"cannot make the stream %s of NATS with %" PRId64 " replica%s: %s; --replicas sets "
		"how many",
		jetstream->name, replicas, replicas == 1 ? "" : "s", nats_GetLastError(&status));
}

static int find(struct jetstream *jetstream, const struct jetstream_config *config,
	struct jetstream_stream *stream, struct error *error)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetStreamInfo(&info, jetstream->js, jetstream->name, NULL, &code);
	int result;

	if (code == JSStreamNotFoundErr) {
		if (make(jetstream, config, error) != 0)
			return -1;
		status = js_GetStreamInfo(&info, jetstream->js, jetstream->name, NULL, &code);
	}
	if (status == NATS_NO_RESPONDERS)
		return error_set(error, EX_TEMPFAIL,
			"the NATS server does not offer JetStream, or has no leader for it yet: its "
			"configuration needs a block `jetstream`");
	if (status != NATS_OK)
		return error_set(error, EX_TEMPFAIL, "cannot ask NATS for the stream %s: %s",
			jetstream->name, natsStatus_GetText(status));
	result = read_stream(jetstream, info, config, stream, error);
	jsStreamInfo_Destroy(info);
	return result;
}

bool jetstream_reaches(struct jetstream *jetstream, uint64_t sequence, uint64_t *last)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	int64_t end = clock_now_ms() + OPEN_MS;

	while (*last < sequence && clock_now_ms() < end) {
		jsStreamInfo *info = NULL;

		nanosleep(&pause, NULL);
		if (js_GetStreamInfo(&info, jetstream->js, jetstream->name, NULL, NULL) == NATS_OK)
			*last = info->State.LastSeq;
		jsStreamInfo_Destroy(info);
	}
	return *last >= sequence;
}

static int try_once(struct jetstream *jetstream, const struct jetstream_config *config,
	struct jetstream_stream *stream, struct error *error)
{
	jsOptions options;

	if (jetstream->connection == NULL && connection_open(jetstream, config, error) != 0)
		return -1;
	if (jetstream->js == NULL) {
		jsOptions_Init(&options);
		options.Wait = ANSWER_MS;
		options.PublishAsync.AckHandler = on_answer;
		options.PublishAsync.AckHandlerClosure = jetstream;
		if (natsConnection_JetStream(&jetstream->js, jetstream->connection, &options) !=
			NATS_OK)
			return error_set(error, EX_OSERR, "out of memory for NATS");
	}
	return find(jetstream, config, stream, error);
}

static int open_within(struct jetstream *jetstream, const struct jetstream_config *config,
	struct jetstream_stream *stream, struct error *error)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	int64_t end = clock_now_ms() + OPEN_MS;
	bool said = false;

	while (try_once(jetstream, config, stream, error) != 0) {
		if (error->status != EX_TEMPFAIL || clock_now_ms() > end)
			return -1;
		if (!said)
			logger_write(LOGGER_WARNING, "%s; trying again for %d s", error->text,
				OPEN_MS / 1000);
		said = true;
		nanosleep(&pause, NULL);
	}
	return 0;
}

struct jetstream *jetstream_open(
	const struct jetstream_config *config, struct jetstream_stream *stream, struct error *error)
{
	struct jetstream *jetstream = calloc(1, sizeof(*jetstream));
	uint64_t random = 0;

	if (jetstream == NULL || getrandom(&random, sizeof(random), 0) < 0) {
		free(jetstream);
		error_set(error, EX_OSERR, "out of memory for NATS");
		return NULL;
	}
	snprintf(jetstream->name, sizeof(jetstream->name), "%s", config->servers->name);
	snprintf(jetstream->log, sizeof(jetstream->log), "%s.log", jetstream->name);
	snprintf(jetstream->pass, sizeof(jetstream->pass), "%s.pass", jetstream->name);
	snprintf(jetstream->tell, sizeof(jetstream->tell), "%s.node", jetstream->name);
	snprintf(jetstream->node, sizeof(jetstream->node), "%016" PRIx64, random);
	jetstream->last_next = &jetstream->first;
	pthread_mutex_init(&jetstream->lock, NULL);
	condition_init(&jetstream->news);
	condition_init(&jetstream->look);
	if (open_within(jetstream, config, stream, error) == 0)
		return jetstream;
	jetstream_close(jetstream);
	return NULL;
}

int jetstream_follow(struct jetstream *jetstream, uint64_t after, struct error *error)
{
	return feed_start(jetstream, after, error);
}

/* The client's threads that may still call us have ended, or hang. */
static void wait_for_threads(struct jetstream *jetstream)
{
	int64_t until = clock_now_ms() + ANSWER_MS;

	pthread_mutex_lock(&jetstream->lock);
	while (jetstream->threads > 0 && condition_wait(&jetstream->news, &jetstream->lock, until))
		;
	pthread_mutex_unlock(&jetstream->lock);
}

void jetstream_close(struct jetstream *jetstream)
{
	if (jetstream == NULL)
		return;
	jetstream_on_news(jetstream, NULL, NULL);
	feed_stop(jetstream);
	jsCtx_Destroy(jetstream->js);
	natsConnection_Close(jetstream->connection);
	wait_for_threads(jetstream);
	natsConnection_Destroy(jetstream->connection);
	feed_free(jetstream);
	pthread_cond_destroy(&jetstream->news);
	pthread_cond_destroy(&jetstream->look);
	pthread_mutex_destroy(&jetstream->lock);
	free(jetstream);
}

const char *jetstream_library(void)
{
	return nats_GetVersion();
}

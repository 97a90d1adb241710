/* SPDX-License-Identifier: MIT */
/* Snapshots; see snapshot.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "jetstream_internal.h"
#include "snapshot.h"

/* The bytes of a part, and how long one may take to come, in ms. */
#define PART ((size_t)512 << 10)
#define PART_MS 10000

#define SUBJECT ((size_t)SERVERS_NAME + 40)

/* What the last message of the subject `done` says. */
#define DONE "%16s sequence %" SCNu64 " bytes %" SCNu64 " parts %" SCNu64 " sha256 %64s"
#define WRITE_DONE "%s sequence %" PRIu64 " bytes %" PRIu64 " parts %" PRIu64 " sha256 %s"

/* The stream, and one of its subjects. */
static void name_stream(const struct jetstream *jetstream, char name[SUBJECT])
{
	snprintf(name, SUBJECT, "%s-snapshots", jetstream->name);
}

static void name_subject(const struct jetstream *jetstream, const char *what, char name[SUBJECT])
{
	snprintf(name, SUBJECT, "%s.snapshot.%s", jetstream->name, what);
}

static int fail(struct error *error, const char *doing, natsStatus status)
{
	return error_set(error, EX_TEMPFAIL, "cannot %s a snapshot of the log in NATS: %s", doing,
		natsStatus_GetText(status));
}

/* With as many replicas as the log has. */
static natsStatus make_stream(struct jetstream *jetstream)
{
	char name[SUBJECT], subject[SUBJECT];
	const char *subjects[] = {subject};
	jsStreamConfig stream;
	jsStreamInfo *log = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetStreamInfo(&log, jetstream->js, jetstream->name, NULL, NULL);

	if (status != NATS_OK)
		return status;
	name_stream(jetstream, name);
	name_subject(jetstream, ">", subject);
	jsStreamConfig_Init(&stream);
	stream.Name = name;
	stream.Description = "snapshots of a log of sse-serve";
	stream.Subjects = subjects;
	stream.SubjectsLen = 1;
	stream.Storage = js_FileStorage;
	stream.Replicas = log->Config->Replicas;
	jsStreamInfo_Destroy(log);
	status = js_AddStream(NULL, jetstream->js, &stream, NULL, &code);
	return code == JSStreamNameExistErr ? NATS_OK : status;
}

/* The last message of a subject.  *${message} is NULL if there is none. */
static natsStatus last_message(struct jetstream *jetstream, const char *what, natsMsg **message)
{
	char name[SUBJECT], subject[SUBJECT];
	jsErrCode code = 0;
	natsStatus status;

	*message = NULL;
	name_stream(jetstream, name);
	name_subject(jetstream, what, subject);
	status = js_GetLastMsg(message, jetstream->js, name, subject, NULL, &code);
	/* There may be no stream yet. */
	return code == JSStreamNotFoundErr || code == JSNoMessageFoundErr ||
			       status == NATS_NOT_FOUND
		       ? NATS_OK
		       : status;
}

int snapshot_newest(struct jetstream *jetstream, struct snapshot *snapshot, struct error *error)
{
	natsMsg *message = NULL;
	natsStatus status = last_message(jetstream, "done", &message);
	char text[300];
	int found;

	if (status != NATS_OK)
		return fail(error, "find", status);
	if (message == NULL)
		return 0;
	*snapshot = (struct snapshot){0};
	snprintf(text, sizeof(text), "%.*s", natsMsg_GetDataLength(message),
		natsMsg_GetData(message));
	snapshot->done = natsMsg_GetSequence(message);
	natsMsg_Destroy(message);
	found = sscanf(text, DONE, snapshot->name, &snapshot->sequence, &snapshot->bytes,
		&snapshot->parts, snapshot->digest);
	return found == 5 ? 1
			  : error_set(error, EX_TEMPFAIL,
				    "the snapshot of the log in NATS is not one of sse-serve");
}

/* --- reading --- */

/* A file on its way, with its digest. */
struct copying {
	int fd;
	EVP_MD_CTX *digest;
	uint64_t bytes;
	const _Atomic bool *stop; /* abandon it, or NULL */
};

static int begin(struct copying *copying, int fd, struct error *error)
{
	copying->fd = fd;
	copying->bytes = 0;
	copying->digest = EVP_MD_CTX_new();
	if (copying->digest != NULL && EVP_DigestInit_ex(copying->digest, EVP_sha256(), NULL) == 1)
		return 0;
	return error_set(error, EX_OSERR, "out of memory for a snapshot");
}

static void write_digest(struct copying *copying, char text[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(copying->digest, digest, NULL);
	for (int i = 0; i < 32; i++)
		snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
}

static int write_part(struct copying *copying, const char *data, size_t len, const char *path,
	struct error *error)
{
	EVP_DigestUpdate(copying->digest, data, len);
	copying->bytes += len;
	while (len > 0) {
		ssize_t written = write(copying->fd, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_set(
				error, EX_CANTCREAT, "cannot write %s: %s", path, strerror(errno));
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

static int read_parts(struct jetstream *jetstream, const struct snapshot *snapshot,
	struct copying *copying, const char *path, struct error *error)
{
	char name[SUBJECT], subject[SUBJECT];
	natsSubscription *subscription = NULL;
	jsSubOptions options;
	natsStatus status;
	int result = 0;

	name_stream(jetstream, name);
	name_subject(jetstream, snapshot->name, subject);
	jsSubOptions_Init(&options);
	options.Stream = name;
	options.Ordered = true;
	status = js_SubscribeSync(&subscription, jetstream->js, subject, NULL, &options, NULL);
	if (status == NATS_OK)
		natsSubscription_SetPendingLimits(subscription, -1, -1);
	for (uint64_t i = 0; i < snapshot->parts && status == NATS_OK && result == 0; i++) {
		natsMsg *part = NULL;

		status = natsSubscription_NextMsg(&part, subscription, PART_MS);
		if (status == NATS_OK)
			result = write_part(copying, natsMsg_GetData(part),
				(size_t)natsMsg_GetDataLength(part), path, error);
		natsMsg_Destroy(part);
	}
	if (subscription != NULL)
		natsSubscription_Unsubscribe(subscription);
	natsSubscription_Destroy(subscription);
	return status != NATS_OK ? fail(error, "read", status) : result;
}

int snapshot_get(struct jetstream *jetstream, const struct snapshot *snapshot, const char *path,
	struct error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), result = -1;
	struct copying copying;
	char digest[65] = "";

	if (fd < 0)
		return error_set(error, EX_CANTCREAT, "cannot make %s: %s", path, strerror(errno));
	if (begin(&copying, fd, error) == 0 &&
		read_parts(jetstream, snapshot, &copying, path, error) == 0) {
		write_digest(&copying, digest);
		result = copying.bytes == snapshot->bytes && strcmp(digest, snapshot->digest) == 0
				 ? 0
				 : error_set(error, EX_TEMPFAIL,
					   "the snapshot of the log in NATS is damaged");
	}
	if (fsync(fd) != 0 && result == 0)
		result = error_set(
			error, EX_CANTCREAT, "cannot write %s: %s", path, strerror(errno));
	close(fd);
	EVP_MD_CTX_free(copying.digest);
	if (result != 0)
		unlink(path);
	return result;
}

/* --- writing --- */

/* As large as a message may be, at most. */
static size_t part_size(struct jetstream *jetstream)
{
	int64_t most = natsConnection_GetMaxPayload(jetstream->connection) / 2;

	return most > 0 && (size_t)most < PART ? (size_t)most : PART;
}

/* If *${sequence} is 0, it becomes that of the message. */
static natsStatus publish_part(struct jetstream *jetstream, const char *name, const void *data,
	size_t len, uint64_t *sequence)
{
	char subject[SUBJECT];
	jsPubAck *stored = NULL;
	natsStatus status;

	name_subject(jetstream, name, subject);
	status = js_Publish(&stored, jetstream->js, subject, data, (int)len, NULL, NULL);
	if (status == NATS_OK && *sequence == 0)
		*sequence = stored->Sequence;
	jsPubAck_Destroy(stored);
	return status;
}

static int write_parts(struct jetstream *jetstream, struct snapshot *snapshot,
	struct copying *copying, uint64_t *first, const char *path, struct error *error)
{
	size_t size = part_size(jetstream);
	char *part = malloc(size);
	natsStatus status = NATS_OK;
	ssize_t len = -1;

	while (part != NULL && status == NATS_OK && !*copying->stop &&
		(len = read(copying->fd, part, size)) > 0) {
		EVP_DigestUpdate(copying->digest, part, (size_t)len);
		snapshot->bytes += (uint64_t)len;
		snapshot->parts++;
		status = publish_part(jetstream, snapshot->name, part, (size_t)len, first);
	}
	free(part);
	if (status != NATS_OK)
		return fail(error, "store", status);
	if (*copying->stop)
		return error_set(error, EX_TEMPFAIL, "the snapshot was abandoned");
	if (len < 0)
		return error_set(error, EX_IOERR, "cannot read %s: %s", path, strerror(errno));
	write_digest(copying, snapshot->digest);
	return 0;
}

/* If two nodes made one at the same time, that of the first one counts. */
static int write_done(struct jetstream *jetstream, const struct snapshot *snapshot, uint64_t before,
	struct error *error)
{
	char text[300], subject[SUBJECT];
	jsPubOptions options;
	natsStatus status;

	snprintf(text, sizeof(text), WRITE_DONE, snapshot->name, snapshot->sequence,
		snapshot->bytes, snapshot->parts, snapshot->digest);
	jsPubOptions_Init(&options);
	options.ExpectLastSubjectSeq = before;
	options.ExpectNoMessage = before == 0;
	name_subject(jetstream, "done", subject);
	status = js_Publish(NULL, jetstream->js, subject, text, (int)strlen(text), &options, NULL);
	return status == NATS_OK ? 0 : fail(error, "store", status);
}

/*
 * Nobody needs the snapshots before this one any more, nor the messages that the one before it had.  If
 * that fails, the next time does it.
 */
static void remove_old(struct jetstream *jetstream, const struct snapshot *old, uint64_t first)
{
	char name[SUBJECT];
	jsOptions options;

	name_stream(jetstream, name);
	jsOptions_Init(&options);
	options.Stream.Purge.Sequence = first;
	/* Up to 1 would be all. */
	if (first > 1)
		js_PurgeStream(jetstream->js, name, &options, NULL);
	if (old->sequence == 0)
		return;
	jsOptions_Init(&options);
	options.Stream.Purge.Sequence = old->sequence + 1;
	js_PurgeStream(jetstream->js, jetstream->name, &options, NULL);
}

static int store(struct jetstream *jetstream, struct snapshot *snapshot, struct copying *copying,
	const char *path, struct error *error)
{
	struct snapshot old = {.done = 0};
	uint64_t first = 0;

	if (snapshot_newest(jetstream, &old, error) < 0 ||
		write_parts(jetstream, snapshot, copying, &first, path, error) != 0 ||
		write_done(jetstream, snapshot, old.done, error) != 0)
		return -1;
	remove_old(jetstream, &old, first);
	return 0;
}

int snapshot_put(struct jetstream *jetstream, uint64_t sequence, const char *path,
	const _Atomic bool *stop, struct error *error)
{
	struct snapshot snapshot = {.sequence = sequence};
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = -1;
	struct copying copying = {.stop = stop};
	uint64_t random = 0;

	if (fd < 0)
		return error_set(error, EX_NOINPUT, "cannot read %s: %s", path, strerror(errno));
	if (getrandom(&random, sizeof(random), 0) < 0 || make_stream(jetstream) != NATS_OK)
		error_set(error, EX_TEMPFAIL, "cannot make the stream for snapshots in NATS");
	else if (begin(&copying, fd, error) == 0) {
		snprintf(snapshot.name, sizeof(snapshot.name), "%016" PRIx64, random);
		result = store(jetstream, &snapshot, &copying, path, error);
	}
	EVP_MD_CTX_free(copying.digest);
	close(fd);
	return result;
}

bool snapshot_claim(struct jetstream *jetstream, int64_t ms)
{
	natsMsg *last = NULL;
	jsPubOptions options;
	char subject[SUBJECT];
	natsStatus status;
	uint64_t sequence = 0;
	int64_t time = 0;

	if (make_stream(jetstream) != NATS_OK || last_message(jetstream, "claim", &last) != NATS_OK)
		return false;
	if (last != NULL) {
		sequence = natsMsg_GetSequence(last);
		time = natsMsg_GetTime(last) / 1000000;
	}
	natsMsg_Destroy(last);
	if (sequence > 0 && clock_wall_ms() - time < ms)
		return false;
	/* Of several nodes that come so far, one is the first. */
	jsPubOptions_Init(&options);
	options.ExpectLastSubjectSeq = sequence;
	options.ExpectNoMessage = sequence == 0;
	name_subject(jetstream, "claim", subject);
	status = js_Publish(NULL, jetstream->js, subject, jetstream->node,
		(int)strlen(jetstream->node), &options, NULL);
	return status == NATS_OK;
}

bool snapshot_due(struct jetstream *jetstream, uint64_t bytes)
{
	struct snapshot newest = {.sequence = 0};
	jsStreamInfo *info = NULL;
	bool due = false;

	if (snapshot_newest(jetstream, &newest, NULL) < 0)
		return false;
	if (js_GetStreamInfo(&info, jetstream->js, jetstream->name, NULL, NULL) == NATS_OK &&
		info->State.Msgs > 0 && info->State.LastSeq > newest.sequence) {
		uint64_t mean = info->State.Bytes / info->State.Msgs;

		due = mean * (info->State.LastSeq - newest.sequence) > bytes;
	}
	jsStreamInfo_Destroy(info);
	return due;
}

int snapshot_first(struct jetstream *jetstream, const void *data, size_t len, struct error *error)
{
	jsPubOptions options;
	jsErrCode code = 0;
	natsStatus status;

	jsPubOptions_Init(&options);
	options.ExpectNoMessage = true;
	status = js_Publish(NULL, jetstream->js, jetstream->log, data, (int)len, &options, &code);
	if (status == NATS_OK)
		return 0;
	if (code == JSStreamWrongLastSequenceErr)
		return error_set(error, EX_CANTCREAT,
			"the log %s in NATS has events already: --import needs a new one; --cluster "
			"chooses another name",
			jetstream->name);
	return error_set(error, EX_TEMPFAIL, "cannot write to the log in NATS: %s",
		natsStatus_GetText(status));
}

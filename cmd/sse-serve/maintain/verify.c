/* SPDX-License-Identifier: MIT */
/* Checking a database: SQLite's own rules, then the log's; see maintain.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "json.h"
#include "log/closing.h"
#include "log/database.h"
#include "log/event.h"
#include "log/retention_rules.h"
#include "log/subject.h"
#include "log/topic_name.h"
#include "maintain.h"

/* The most problems that are reported one by one. */
#define TOLD 20

struct topic_check {
	uint64_t removed;		 /* all up to here are gone */
	uint64_t gone;			 /* and here is the newest that is gone for any reason */
	uint64_t closed;		 /* the event that closed it; 0: it is open */
	uint64_t counted;		 /* up to here its counter counts */
	int64_t events, bytes;		 /* up to there, as they are */
	int64_t said_events, said_bytes; /* as its counter says */
	bool holds;			 /* an event, counted or not */
};

struct verify {
	const char *path;
	sqlite3 *db;
	int version;
	unsigned problems;
	struct topic_check *topics; /* owned */
	uint32_t topic_count;
	int64_t events, first, last; /* of all events; their positions */
	uint64_t opened;	     /* positions up to here are no incarnation's */
};

static void problem(struct verify *verify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void problem(struct verify *verify, const char *format, ...)
{
	va_list args;

	if (verify->problems++ >= TOLD)
		return;
	fprintf(stderr, "sse-serve: %s: ", verify->path);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Call ${check} for each row.  That they cannot be read is a problem too. */
static void each_row(
	struct verify *verify, const char *sql, void (*check)(struct verify *, sqlite3_stmt *))
{
	sqlite3_stmt *row = NULL;
	int code;

	if (sqlite3_prepare_v2(verify->db, sql, -1, &row, NULL) != SQLITE_OK) {
		problem(verify, "%s", sqlite3_errmsg(verify->db));
		return;
	}
	while ((code = sqlite3_step(row)) == SQLITE_ROW)
		check(verify, row);
	if (code != SQLITE_DONE)
		problem(verify, "%s", sqlite3_errmsg(verify->db));
	sqlite3_finalize(row);
}

static void check_integrity(struct verify *verify, sqlite3_stmt *row)
{
	const char *text = database_text(row, 0).data;

	if (strcmp(text, "ok") != 0)
		problem(verify, "%.*s", (int)strcspn(text, "\n"), text);
}

/* --- topics and incarnations --- */

static void check_topic(struct verify *verify, sqlite3_stmt *row)
{
	struct sse_text name = database_text(row, 1);
	struct error error = {0};
	struct topic_check *grown;

	if (sqlite3_column_int64(row, 0) != (int64_t)verify->topic_count + 1)
		problem(verify, "topic %lld breaks the sequence of topic numbers",
			sqlite3_column_int64(row, 0));
	if (topic_name_check(name.data, name.len, &error) != 0)
		problem(verify, "topic %lld: %s", sqlite3_column_int64(row, 0), error.text);
	grown = realloc(verify->topics, (verify->topic_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		problem(verify, "out of memory for the topics");
		return;
	}
	verify->topics = grown;
	grown[verify->topic_count] =
		(struct topic_check){.removed = (uint64_t)sqlite3_column_int64(row, 2),
			.closed = (uint64_t)sqlite3_column_int64(row, 5)};
	for (int i = 2; i < 2 + REMOVALS; i++) {
		if ((uint64_t)sqlite3_column_int64(row, i) > grown[verify->topic_count].gone)
			grown[verify->topic_count].gone = (uint64_t)sqlite3_column_int64(row, i);
	}
	verify->topic_count++;
}

static void check_incarnation(struct verify *verify, sqlite3_stmt *row)
{
	struct sse_text tag = database_text(row, 0);
	uint64_t opened = (uint64_t)sqlite3_column_int64(row, 1);

	if (tag.len != IDENTITY_TAG)
		problem(verify, "the incarnation '%.20s' has no tag of %d letters", tag.data,
			IDENTITY_TAG);
	/* The rows come the newest first. */
	if (opened > verify->opened)
		problem(verify, "the incarnation %s begins after the one that followed it",
			tag.data);
	verify->opened = opened;
}

/* --- counters --- */

static void read_counter(struct verify *verify, sqlite3_stmt *row)
{
	int64_t topic = sqlite3_column_int64(row, 0);
	uint64_t upto = (uint64_t)sqlite3_column_int64(row, 3);

	/* Row 0, which comes first, is for all. */
	for (uint32_t i = 0; topic == 0 && i < verify->topic_count; i++)
		verify->topics[i].counted = upto;
	if (topic < 1)
		return;
	if (topic > verify->topic_count) {
		problem(verify, "topic %" PRId64 " has a counter, but does not exist", topic);
		return;
	}
	if (upto > verify->topics[topic - 1].counted)
		verify->topics[topic - 1].counted = upto;
	verify->topics[topic - 1].said_events = sqlite3_column_int64(row, 1);
	verify->topics[topic - 1].said_bytes = sqlite3_column_int64(row, 2);
}

static void check_counters(struct verify *verify)
{
	for (uint32_t i = 0; i < verify->topic_count; i++) {
		const struct topic_check *topic = &verify->topics[i];

		if (topic->events != topic->said_events || topic->bytes != topic->said_bytes)
			problem(verify,
				"topic %" PRIu32 " holds %" PRId64 " events of %" PRId64
				" bytes, and its counter says %" PRId64 " of %" PRId64,
				i + 1, topic->events, topic->bytes, topic->said_events,
				topic->said_bytes);
	}
}

/* --- events and keys --- */

static void check_text(
	struct verify *verify, int64_t position, const char *what, struct sse_text text)
{
	if (sse_utf8_valid(text.data, text.len) != text.len)
		problem(verify, "event %" PRId64 ": its %s is not valid UTF-8", position, what);
	if (memchr(text.data, '\r', text.len) != NULL)
		problem(verify, "event %" PRId64 ": its %s holds a CR", position, what);
}

static void check_data(struct verify *verify, const struct event *event)
{
	int64_t position = (int64_t)event->position;
	struct json_error error;

	check_text(verify, position, "type", event->type);
	if (event->type.len == 0 || memchr(event->type.data, '\n', event->type.len) != NULL)
		problem(verify, "event %" PRId64 ": its type is empty or has several lines",
			position);
	check_text(verify, position, "data", event->data);
	if (event->json && !json_check(event->data.data, event->data.len, NULL, &error))
		problem(verify, "event %" PRId64 ": its data is not JSON: %s at byte %zu", position,
			error.what, error.offset);
}

static void check_subject(struct verify *verify, sqlite3_stmt *row, const struct event *event)
{
	const char *fault = subject_fault(event->subject);

	if (sqlite3_column_type(row, DATABASE_EVENT_COLUMNS - 1) != SQLITE_NULL && fault != NULL)
		problem(verify, "event %" PRIu64 ": its subject %s", event->position, fault);
}

/* Nothing comes after the event that closed the topic. */
static void check_closed(
	struct verify *verify, const struct topic_check *topic, const struct event *event)
{
	if (topic->closed == 0 || event->position < topic->closed)
		return;
	if (event->position > topic->closed)
		problem(verify, "event %" PRIu64 " is stored after its topic was closed",
			event->position);
	else if (!closing_is_type(event->type))
		problem(verify,
			"event %" PRIu64 " closed its topic, but is not of the type " CLOSING_TYPE,
			event->position);
}

static void check_event(struct verify *verify, sqlite3_stmt *row)
{
	int64_t position = sqlite3_column_int64(row, 0), topic = sqlite3_column_int64(row, 1);
	struct topic_check *check = NULL;
	struct event event;

	if (verify->events++ == 0)
		verify->first = position;
	verify->last = position;
	if (position <= (int64_t)verify->opened)
		problem(verify, "event %" PRId64 " is older than the first incarnation", position);
	if (topic < 1 || topic > verify->topic_count)
		problem(verify, "event %" PRId64 ": no topic has number %" PRId64, position, topic);
	else
		check = &verify->topics[topic - 1];
	database_event(row, &event);
	check_data(verify, &event);
	check_subject(verify, row, &event);
	if (check == NULL)
		return;
	check->holds = true;
	if ((uint64_t)position <= check->removed)
		problem(verify, "event %" PRId64 " is marked as removed, but stored", position);
	check_closed(verify, check, &event);
	if ((uint64_t)position <= check->counted) {
		check->events++;
		check->bytes += retention_rules_size(&event);
	}
}

static void check_key(struct verify *verify, sqlite3_stmt *row)
{
	int64_t position = sqlite3_column_int64(row, 0), topic = sqlite3_column_int64(row, 1);
	struct sse_text key = database_text(row, 2);
	bool stored = sqlite3_column_type(row, 3) != SQLITE_NULL;

	if (key.len < 1 || key.len > EVENT_KEY_MAX || sse_utf8_valid(key.data, key.len) != key.len)
		problem(verify, "the key of event %" PRId64 " is not a valid key", position);
	if (position <= (int64_t)verify->opened)
		problem(verify, "the key of event %" PRId64 " is older than the first incarnation",
			position);
	if (topic < 1 || topic > verify->topic_count)
		problem(verify, "the key of event %" PRId64 ": no topic has number %" PRId64,
			position, topic);
	else if (stored && sqlite3_column_int64(row, 3) != topic)
		problem(verify, "the key of event %" PRId64 " is of another topic", position);
	else if (!stored && (uint64_t)position > verify->topics[topic - 1].gone)
		problem(verify,
			"the key of event %" PRId64
			" is stored, but neither the event nor a mark that "
			"it was removed",
			position);
}

static void check_all(struct verify *verify)
{
	each_row(verify, "PRAGMA integrity_check(100)", check_integrity);
	each_row(verify, DATABASE_ALL_TOPICS(verify->version), check_topic);
	verify->opened = INT64_MAX;
	each_row(verify, "SELECT tag, opened FROM incarnation ORDER BY number DESC",
		check_incarnation);
	if (verify->opened == INT64_MAX)
		problem(verify, "it has no incarnation");
	if (verify->version >= 2)
		each_row(verify, "SELECT topic, events, bytes, upto FROM counter ORDER BY topic",
			read_counter);
	each_row(verify, DATABASE_ALL_EVENTS(verify->version), check_event);
	if (verify->version >= 2) {
		each_row(verify,
			"SELECT k.position, k.topic, k.key, e.topic FROM publish_key AS k"
			" LEFT JOIN event AS e ON e.position = k.position ORDER BY k.position",
			check_key);
		check_counters(verify);
	}
}

/* Topics that hold events; those whose events were all removed do not. */
static uint32_t count_topics(const struct verify *verify)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < verify->topic_count; i++)
		count += verify->topics[i].holds;
	return count;
}

/* Say what came of it. */
static int conclude(const struct verify *verify, struct error *error)
{
	if (verify->problems > TOLD)
		fprintf(stderr, "sse-serve: %s: and %u more\n", verify->path,
			verify->problems - TOLD);
	if (verify->problems > 0) {
		error_set(error, EX_DATAERR, "%s", "");
		return -1;
	}
	printf("%s: ok, %" PRId64 " events in %" PRIu32 " topics", verify->path, verify->events,
		count_topics(verify));
	if (verify->events > 0)
		printf(", positions %" PRId64 " to %" PRId64, verify->first, verify->last);
	if (count_topics(verify) < verify->topic_count)
		printf("; %" PRIu32 " topics are empty",
			verify->topic_count - count_topics(verify));
	putchar('\n');
	if (fflush(stdout) != 0)
		return error_set(error, EX_IOERR, "cannot write: %s", strerror(errno));
	return 0;
}

/* Keep servers out, without making a file. */
static int lock(const char *path, int *fd, struct error *error)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return error_set(error, EX_NOINPUT, "cannot read the database %s: %s", path,
			strerror(errno));
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	error_set(error, errno == EWOULDBLOCK ? EX_TEMPFAIL : EX_IOERR,
		"the database %s is in use by another sse-serve; stop that one first", path);
	close(*fd);
	return -1;
}

int maintain_verify(const char *path, struct error *error)
{
	struct verify verify = {.path = path};
	int fd, result;

	if (lock(path, &fd, error) != 0)
		return -1;
	result = database_read(path, true, &verify.db, &verify.version, error);
	if (result == 0) {
		check_all(&verify);
		result = conclude(&verify, error);
	}
	/* First SQLite's descriptors, then ours: see database_lock(). */
	sqlite3_close(verify.db);
	close(fd);
	free(verify.topics);
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Making a database of an exported log; see maintain.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "import_line.h"
#include "interrupt.h"
#include "log/closing.h"
#include "log/database.h"
#include "log/event.h"
#include "log/topic_name.h"
#include "maintain.h"
#include "timestamp.h"

/* What an exported topic has positions of: removed, deleted, superseded, closed, erased. */
#define MARKS 5

enum statement { ADD_INCARNATION, ADD_TOPIC, ADD_EVENT, ADD_KEY, TOPIC_OF_EVENT, STATEMENTS };

static const char *const sql[STATEMENTS] = {
	[ADD_INCARNATION] = "INSERT INTO incarnation(tag, opened) VALUES(?, ?)",
	[ADD_TOPIC] = ("INSERT INTO topic(id, name, removed, deleted, superseded, closed, erased)"
		       " VALUES(?, ?, ?, ?, ?, ?, ?)"),
	[ADD_EVENT] = DATABASE_ADD_EVENT,
	[ADD_KEY] = ("INSERT INTO publish_key(position, topic, key, fingerprint, time)"
		     " VALUES(?, ?, ?, ?, ?)"),
	[TOPIC_OF_EVENT] = "SELECT topic FROM event WHERE position = ?",
};

struct import {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct topics *topics;
	struct identity identity;
	enum import_kind stage; /* of the last line; IMPORT_HEAD: none yet, or the first */
	uint64_t lines, head, position, events, keys;
	struct buf id, text, data, subject; /* what a line's members are decoded into */
};

/* --- lines --- */

static int not_stored(struct import *import, const char *what, struct error *error)
{
	if ((sqlite3_errcode(import->db) & 0xff) == SQLITE_CONSTRAINT)
		return error_set(error, EX_DATAERR, "%s appears twice", what);
	return database_failed(import->db, "cannot write the new database", error);
}

static int read_head(struct import *import, const struct import_line *line, struct error *error)
{
	uint64_t version;

	if (import->lines > 1)
		return error_set(error, EX_DATAERR, "only the first line can be the head");
	if (import_line_number(line, MEMBER_SSE_LOG, &version, error) != 0)
		return -1;
	if (version != 1)
		return error_set(error, EX_DATAERR,
			"the log is of a newer sse-serve (version %" PRIu64 "): upgrade sse-serve",
			version);
	return import_line_number(line, MEMBER_HEAD, &import->head, error);
}

static int read_incarnation(
	struct import *import, const struct import_line *line, struct error *error)
{
	sqlite3_stmt *row = import->statements[ADD_INCARNATION];
	const struct identity *identity = &import->identity;
	uint64_t opened;

	if (import_line_text(line, MEMBER_INCARNATION, &import->text, error) != 0 ||
		import_line_number(line, MEMBER_OPENED, &opened, error) != 0)
		return -1;
	if (import->text.len != IDENTITY_TAG || strlen(import->text.data) != IDENTITY_TAG ||
		strspn(import->text.data, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "abcdefghijklmnopqrstuvwxyz") != IDENTITY_TAG)
		return error_set(
			error, EX_DATAERR, "an incarnation is named by %d letters", IDENTITY_TAG);
	if (opened > import->head ||
		(identity->count > 0 &&
			opened < identity->incarnations[identity->count - 1].opened))
		return error_set(error, EX_DATAERR, "the incarnation is out of order");
	if (identity_add(&import->identity, import->text.data, opened) != 0)
		return error_set(error, EX_OSERR, "out of memory");
	sqlite3_bind_text(row, 1, import->text.data, IDENTITY_TAG, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, (int64_t)opened);
	return database_run(row) == 0 ? 0 : not_stored(import, "the incarnation", error);
}

/* The positions of a topic's marks; those that the line lacks are 0. */
static int read_marks(const struct import *import, const struct import_line *line,
	uint64_t marks[MARKS], struct error *error)
{
	static const struct {
		enum import_member member;
		const char *name;
	} members[MARKS] = {{MEMBER_REMOVED, "removed"}, {MEMBER_DELETED, "deleted"},
		{MEMBER_SUPERSEDED, "superseded"}, {MEMBER_CLOSED, "closed"},
		{MEMBER_ERASED, "erased"}};

	for (int i = 0; i < MARKS; i++) {
		marks[i] = 0;
		if (line->members[members[i].member].text != NULL &&
			import_line_number(line, members[i].member, &marks[i], error) != 0)
			return -1;
		if (marks[i] > import->head)
			return error_set(
				error, EX_DATAERR, "%s is beyond the head", members[i].name);
	}
	return 0;
}

static int read_topic(struct import *import, const struct import_line *line, struct error *error)
{
	sqlite3_stmt *row = import->statements[ADD_TOPIC];
	struct topic *topic;
	uint64_t marks[MARKS];

	if (import_line_text(line, MEMBER_TOPIC, &import->text, error) != 0)
		return -1;
	if (topic_name_check(import->text.data, import->text.len, error) != 0) {
		error->status = EX_DATAERR;
		return -1;
	}
	if (read_marks(import, line, marks, error) != 0)
		return -1;
	if (topics_find(import->topics, import->text.data) != NULL)
		return error_set(error, EX_DATAERR, "the topic appears twice");
	topic = topics_add(import->topics, import->text.data);
	if (topic == NULL || topics_keep(import->topics, topic) != 0)
		return error_set(error, EX_OSERR, "out of memory");
	topic->removed = marks[0];
	topic->deleted = marks[1];
	topic->superseded = marks[2];
	topic->closed = marks[3];
	sqlite3_bind_int64(row, 1, topic->row);
	sqlite3_bind_text(row, 2, topic->name, -1, SQLITE_STATIC);
	for (int i = 0; i < MARKS; i++)
		sqlite3_bind_int64(row, i + 3, (int64_t)marks[i]);
	return database_run(row) == 0 ? 0 : not_stored(import, "the topic", error);
}

/* The topic, id and time that events and keys have. */
static int read_place(struct import *import, const struct import_line *line, struct event *event,
	struct error *error)
{
	if (import_line_text(line, MEMBER_TOPIC, &import->text, error) != 0 ||
		import_line_text(line, MEMBER_ID, &import->id, error) != 0)
		return -1;
	event->topic = topics_find(import->topics, import->text.data);
	if (event->topic == NULL)
		return error_set(error, EX_DATAERR, "no line before names the topic %.100s",
			import->text.data);
	if (!identity_parse(&import->identity, import->id.data, import->head, &event->position))
		return error_set(
			error, EX_DATAERR, "%.40s is not an id of this log", import->id.data);
	if (event->position <= import->position)
		return error_set(
			error, EX_DATAERR, "%s is not after the one before", import->id.data);
	import->position = event->position;
	if (import_line_text(line, MEMBER_TIME, &import->text, error) != 0)
		return -1;
	if (timestamp_parse(import->text.data, &event->time) != 0)
		return error_set(error, EX_DATAERR, "%.40s is not a time", import->text.data);
	return 0;
}

static int read_event(struct import *import, const struct import_line *line, struct error *error)
{
	struct event event = {0};

	if (read_place(import, line, &event, error) != 0 ||
		import_line_data(line, &import->data, &event, error) != 0 ||
		import_line_subject(line, &import->subject, &event.subject, error) != 0 ||
		import_line_text(line, MEMBER_EVENT, &import->text, error) != 0)
		return -1;
	if (event.position <= event.topic->removed)
		return error_set(error, EX_DATAERR, "the event is marked as removed");
	if (event.topic->closed != 0 && event.position > event.topic->closed)
		return error_set(error, EX_DATAERR,
			"the event comes after the one that closed the topic %.100s",
			event.topic->name);
	event.type = (struct sse_text){import->text.data, import->text.len};
	if (event.position == event.topic->closed && !closing_is_type(event.type))
		return error_set(error, EX_DATAERR,
			"the event closed the topic %.100s, so its type must be " CLOSING_TYPE
			", and not %.100s",
			event.topic->name, event.type.data);
	if (event.type.len == 0 || strcspn(event.type.data, "\r\n") != event.type.len)
		return error_set(
			error, EX_DATAERR, "the event's type is empty or has several lines");
	import->events++;
	return database_add_event(import->statements[ADD_EVENT], &event) == 0
		       ? 0
		       : not_stored(import, "the event", error);
}

/* The event of a key is stored, of its topic, or gone from that topic. */
static int check_key(struct import *import, const struct event *event, struct error *error)
{
	sqlite3_stmt *find = import->statements[TOPIC_OF_EVENT];
	const struct topic *topic = NULL;
	int code;

	sqlite3_bind_int64(find, 1, (int64_t)event->position);
	code = sqlite3_step(find);
	if (code == SQLITE_ROW)
		topic = topics_of_row(import->topics, (uint32_t)sqlite3_column_int64(find, 0));
	sqlite3_reset(find);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return database_failed(import->db, "cannot read the new database", error);
	if (topic != NULL && topic != event->topic)
		return error_set(error, EX_DATAERR,
			"the key is for the topic %.100s, but its event is of %.100s",
			event->topic->name, topic->name);
	if (topic == NULL && event->position > topic_gone(event->topic))
		return error_set(error, EX_DATAERR,
			"no line before has the event of the key, or a mark that it was removed");
	return 0;
}

static int read_key(struct import *import, const struct import_line *line, struct error *error)
{
	sqlite3_stmt *row = import->statements[ADD_KEY];
	struct event event = {0};
	uint64_t fingerprint = 0;

	/* Keys are in the order of their positions too. */
	if (import->stage != IMPORT_KEY)
		import->position = 0;
	if (read_place(import, line, &event, error) != 0 || check_key(import, &event, error) != 0 ||
		import_line_fingerprint(line, &import->text, &fingerprint, error) != 0 ||
		import_line_text(line, MEMBER_KEY, &import->text, error) != 0)
		return -1;
	if (import->text.len < 1 || import->text.len > EVENT_KEY_MAX)
		return error_set(error, EX_DATAERR, "a key has 1 to %d bytes", EVENT_KEY_MAX);
	import->keys++;
	sqlite3_bind_int64(row, 1, (int64_t)event.position);
	sqlite3_bind_int64(row, 2, event.topic->row);
	sqlite3_bind_text64(
		row, 3, import->text.data, import->text.len, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_int64(row, 4, (int64_t)fingerprint);
	sqlite3_bind_int64(row, 5, event.time);
	return database_run(row) == 0 ? 0 : not_stored(import, "the key", error);
}

static int read_end(struct import *import, const struct import_line *line, struct error *error)
{
	uint64_t events, keys;
	int64_t head = database_head(import->db, DATABASE_VERSION);

	if (import_line_number(line, MEMBER_EVENTS, &events, error) != 0 ||
		import_line_number(line, MEMBER_KEYS, &keys, error) != 0)
		return -1;
	if (events != import->events || keys != import->keys)
		return error_set(error, EX_DATAERR,
			"it should hold %" PRIu64 " events and %" PRIu64
			" keys, and it holds %" PRIu64 " and %" PRIu64,
			events, keys, import->events, import->keys);
	if (head != (int64_t)import->head)
		return error_set(error, EX_DATAERR, "the newest position is not that of the head");
	return 0;
}

static int read_line(struct import *import, const char *text, size_t len, struct error *error)
{
	static int (*const readers[])(
		struct import *, const struct import_line *, struct error *) = {
		[IMPORT_HEAD] = read_head,
		[IMPORT_INCARNATION] = read_incarnation,
		[IMPORT_TOPIC] = read_topic,
		[IMPORT_EVENT] = read_event,
		[IMPORT_KEY] = read_key,
		[IMPORT_END] = read_end,
	};
	struct import_line line;

	if (import->stage == IMPORT_END)
		return error_set(error, EX_DATAERR, "something follows the last line");
	if (import_line_read(text, len, &line, error) != 0)
		return -1;
	if (import->lines == 1 && line.kind != IMPORT_HEAD)
		return error_set(error, EX_DATAERR, "this is not a log as --export writes it");
	if (line.kind < import->stage)
		return error_set(error, EX_DATAERR, "the line is out of order");
	if (readers[line.kind](import, &line, error) != 0)
		return -1;
	import->stage = line.kind;
	return 0;
}

static int read_lines(struct import *import, FILE *in, struct error *error)
{
	struct error wrong = {0};
	char *text = NULL;
	size_t capacity = 0;
	ssize_t len;
	int result = 0;

	while (result == 0 && !interrupt_came() && (len = getline(&text, &capacity, in)) > 0) {
		import->lines++;
		/* Also a last line that was cut at its end. */
		result = read_line(import, text, (size_t)len, &wrong);
	}
	free(text);
	/* First: what a signal interrupted looks like a line that is cut off. */
	if (interrupt_came())
		return error_set(error, EX_TEMPFAIL, "stopped: nothing was imported");
	if (import->lines == 0)
		return error_set(error, EX_DATAERR,
			"the log on the standard input is incomplete: it is empty");
	if (result != 0 && import->lines == 1 && wrong.status == EX_DATAERR)
		return error_set(error, EX_DATAERR,
			"the standard input is not a log as --export writes it: line 1: %.400s",
			wrong.text);
	if (result != 0)
		return error_set(
			error, wrong.status, "line %" PRIu64 ": %.400s", import->lines, wrong.text);
	if (ferror(in))
		return error_set(error, EX_IOERR, "cannot read the log: %s", strerror(errno));
	if (import->stage != IMPORT_END || import->identity.count == 0)
		return error_set(error, EX_DATAERR,
			"line %" PRIu64 ": the log ends here and is incomplete", import->lines);
	return 0;
}

/* --- the new database --- */

static const char counters[] =
	"INSERT INTO counter(topic, events, bytes, upto) SELECT topic, count(*),"
	" sum(48 + length(CAST(data AS BLOB)) + coalesce(length(CAST(type AS BLOB)), 6)"
	" + coalesce(length(CAST(subject AS BLOB)), 0)), %" PRIu64 " FROM event GROUP BY topic;"
	"INSERT INTO counter(topic, events, bytes, upto) VALUES(0, 0, 0, %" PRIu64 ");"
	"COMMIT";

static int fill(struct import *import, const char *path, FILE *in, struct error *error)
{
	char finish[sizeof(counters) + 40];

	if (sqlite3_open_v2(path, &import->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return database_failed(import->db, "cannot make the database", error);
	/* Until it has its name nothing of it counts, so nothing of it is kept safe. */
	if (database_exec(import->db, path,
		    "PRAGMA auto_vacuum=INCREMENTAL;PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF",
		    error) != 0 ||
		database_make(import->db, path, error) != 0 ||
		database_exec(import->db, path, "BEGIN", error) != 0)
		return -1;
	if (database_prepare(import->db, sql, import->statements, STATEMENTS) != 0)
		return database_failed(import->db, "cannot write the new database", error);
	if (read_lines(import, in, error) != 0)
		return -1;
	snprintf(finish, sizeof(finish), counters, import->head, import->head);
	return database_exec(import->db, path, finish, error);
}

static int build(const char *path, FILE *in, struct error *error)
{
	struct import import = {.topics = topics_new()};
	int result;

	buf_init(&import.id, SIZE_MAX / 2);
	buf_init(&import.text, SIZE_MAX / 2);
	buf_init(&import.data, SIZE_MAX / 2);
	buf_init(&import.subject, SIZE_MAX / 2);
	result = import.topics != NULL ? fill(&import, path, in, error)
				       : error_set(error, EX_OSERR, "out of memory");
	database_finalize(import.statements, STATEMENTS);
	sqlite3_close(import.db);
	identity_free(&import.identity);
	topics_free(import.topics);
	buf_free(&import.id);
	buf_free(&import.text);
	buf_free(&import.data);
	buf_free(&import.subject);
	return result;
}

/* Sync to the disk: a file, or the folder that a file is in. */
static int sync_path(const char *path, bool folder)
{
	const char *slash = strrchr(path, '/');
	char *name = !folder	     ? strdup(path)
		     : slash == NULL ? strdup(".")
				     : strndup(path, (size_t)(slash - path) + 1);
	int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1, result;

	free(name);
	if (fd < 0)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

/* Build it beside its place, and give it its name when it is whole and safe. */
static int build_and_rename(const char *path, FILE *in, struct error *error)
{
	char *name = NULL;
	int fd, result;

	if (asprintf(&name, "%s.import-XXXXXX", path) < 0)
		return error_set(error, EX_OSERR, "out of memory");
	fd = mkstemp(name);
	if (fd < 0) {
		error_set(error, EX_CANTCREAT, "cannot make %s: %s", name, strerror(errno));
		free(name);
		return -1;
	}
	close(fd);
	result = build(name, in, error);
	if (result == 0 && (sync_path(name, false) != 0 || rename(name, path) != 0))
		result = error_set(
			error, EX_IOERR, "cannot write the database %s: %s", path, strerror(errno));
	if (result != 0)
		unlink(name);
	else if (sync_path(path, true) != 0)
		result = error_set(
			error, EX_IOERR, "cannot sync the folder of %s: %s", path, strerror(errno));
	free(name);
	return result;
}

/* Does the database that is there hold anything?  Afterwards it has no WAL to be mixed up with. */
static int check_empty(const char *path, struct error *error)
{
	char *wal = NULL;
	struct stat status;
	sqlite3 *db = NULL;
	int version = 0, result;
	int64_t held = 0;

	result = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
			 ? database_check(db, path, &version, error)
			 : database_failed(db, "cannot open the database", error);
	if (result == 0 && version > 0)
		held = database_ask(db, "SELECT (SELECT count(*) FROM event)"
					" + (SELECT coalesce(max(removed), 0) FROM topic)");
	if (result == 0 && version > 1 && held == 0)
		held = database_ask(db, "SELECT count(*) FROM publish_key");
	if (result == 0 && version > 2 && held == 0)
		held = database_ask(db, "SELECT coalesce(max(max(deleted, closed)), 0) FROM topic");
	sqlite3_close(db);
	if (result != 0)
		return -1;
	if (held == 0 && asprintf(&wal, "%s-wal", path) >= 0 && stat(wal, &status) != 0)
		result = 0;
	else
		result = error_set(error, EX_CANTCREAT,
			"the database %s exists and holds events: name with --db one that does "
			"not exist",
			path);
	free(wal);
	return result;
}

int maintain_import(const char *path, FILE *in, struct error *error)
{
	bool made = access(path, F_OK) != 0;
	char *real;
	int lock, result;

	interrupt_watch();
	/* Its place is taken until it is there: no server starts meanwhile. */
	if (database_lock(path, &lock, error) != 0)
		return -1;
	/* A link stays one. */
	real = realpath(path, NULL);
	result = real != NULL ? check_empty(real, error)
			      : error_set(error, EX_CANTCREAT, "cannot use %s: %s", path,
					strerror(errno));
	if (result == 0)
		result = build_and_rename(real, in, error);
	if (result != 0 && made && real != NULL)
		unlink(real);
	free(real);
	close(lock);
	return result;
}

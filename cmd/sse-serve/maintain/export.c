/* SPDX-License-Identifier: MIT */
/* Writing the log as NDJSON; see maintain.h for the format. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "log/database.h"
#include "log/envelope.h"
#include "maintain.h"
#include "timestamp.h"

struct export
{
	sqlite3 *db;
	int version;
	struct topics *topics;
	struct identity identity;
	FILE *out;
	struct buf line;
	int64_t events, keys;
};

static bool write_line(struct export *export)
{
	bool written =
		buf_add_byte(&export->line, '\n') &&
		fwrite(export->line.data, 1, export->line.len, export->out) == export->line.len;

	export->line.len = 0;
	return written;
}

/* What is not so stays away: the line is what it was before there were these marks. */
static bool add_mark(struct buf *line, const char *name, uint64_t position)
{
	return position == 0 || buf_addf(line, ",\"%s\":%" PRIu64, name, position);
}

static bool add_topic(struct buf *line, const struct topic *topic)
{
	return buf_addf(line, "{\"topic\":\"%s\",\"removed\":%" PRIu64, topic->name,
		       topic->removed) &&
	       add_mark(line, "deleted", topic->deleted) &&
	       add_mark(line, "superseded", topic->superseded) &&
	       add_mark(line, "closed", topic->closed) &&
	       add_mark(line, "erased", topic->erased) && buf_add_byte(line, '}');
}

static bool write_head(struct export *export)
{
	int64_t head = database_head(export->db, export->version);

	if (head < 0 || !buf_addf(&export->line, "{\"sse-log\":1,\"head\":%" PRId64 "}", head) ||
		!write_line(export))
		return false;
	for (size_t i = 0; i < export->identity.count; i++) {
		const struct incarnation *one = &export->identity.incarnations[i];

		if (!buf_addf(&export->line, "{\"incarnation\":\"%s\",\"opened\":%" PRIu64 "}",
			    one->tag, one->opened) ||
			!write_line(export))
			return false;
	}
	for (uint32_t i = 0; i < topics_count(export->topics); i++) {
		if (!add_topic(&export->line, topics_get(export->topics, i)) || !write_line(export))
			return false;
	}
	return true;
}

/* Can JSON data be written into a line unchanged, and be read again? */
static bool fits_into_line(struct sse_text json)
{
	unsigned depth = 0;
	bool string = false;

	if (json.len == 0 || strchr(" \t", json.data[0]) != NULL ||
		strchr(" \t", json.data[json.len - 1]) != NULL)
		return false;
	for (size_t i = 0; i < json.len; i++) {
		char c = json.data[i];

		if (c == '\n')
			return false;
		if (c == '"')
			string = !string;
		else if (string)
			i += c == '\\';
		else if ((c == '[' || c == '{') && ++depth == JSON_DEPTH)
			return false;
		else if (c == ']' || c == '}')
			depth--;
	}
	return true;
}

static bool add_event(struct export *export, const struct event *event)
{
	struct buf *line = &export->line;
	bool raw = event->json && !fits_into_line(event->data);
	struct event shown = *event;
	char id[IDENTITY_TEXT];

	identity_format(&export->identity, event->position, id);
	if (raw)
		shown.data = (struct sse_text){"null", 4};
	if (!envelope_add(line, &shown, id))
		return false;
	line->len--;
	if (!event->json && !buf_add_text(line, ",\"text\":true"))
		return false;
	if (raw && (!buf_add_text(line, ",\"raw\":") ||
			   !json_quote(event->data.data, event->data.len, line)))
		return false;
	return buf_add_byte(line, '}');
}

static bool add_key(struct export *export, sqlite3_stmt *row)
{
	const struct topic *topic = topics_of_row(export->topics, database_event_topic(row));
	struct sse_text key = database_text(row, 2);
	char id[IDENTITY_TEXT], time[TIMESTAMP_TEXT];

	identity_format(&export->identity, (uint64_t)sqlite3_column_int64(row, 0), id);
	return topic != NULL && buf_add_text(&export->line, "{\"key\":") &&
	       json_quote(key.data, key.len, &export->line) &&
	       buf_addf(&export->line,
		       ",\"topic\":\"%s\",\"id\":\"%s\",\"time\":\"%s\",\"fingerprint\":\"%016" PRIx64
		       "\"}",
		       topic->name, id, timestamp_format(sqlite3_column_int64(row, 4), time),
		       (uint64_t)sqlite3_column_int64(row, 3));
}

static bool add_row(struct export *export, sqlite3_stmt *row)
{
	struct event event;

	database_event(row, &event);
	event.topic = topics_of_row(export->topics, database_event_topic(row));
	return event.topic != NULL && add_event(export, &event);
}

/* Write a line for each row; count them. */
static bool write_rows(struct export *export, const char *sql,
	bool (*add)(struct export *, sqlite3_stmt *), int64_t *count)
{
	sqlite3_stmt *row = NULL;
	bool good = sqlite3_prepare_v2(export->db, sql, -1, &row, NULL) == SQLITE_OK;
	int code = SQLITE_ERROR;

	while (good && (code = sqlite3_step(row)) == SQLITE_ROW) {
		good = add(export, row) && write_line(export);
		++*count;
	}
	sqlite3_finalize(row);
	return good && code == SQLITE_DONE;
}

static bool write_log(struct export *export)
{
	return write_head(export) &&
	       write_rows(export, DATABASE_ALL_EVENTS(export->version), add_row, &export->events) &&
	       (export->version < 2 ||
		       write_rows(export,
			       "SELECT position, topic, key, fingerprint, time FROM publish_key"
			       " ORDER BY position",
			       add_key, &export->keys)) &&
	       buf_addf(&export->line, "{\"end\":true,\"events\":%" PRId64 ",\"keys\":%" PRId64 "}",
		       export->events, export->keys) &&
	       write_line(export) && fflush(export->out) == 0;
}

/* Open the database, begin a snapshot, and read the small tables. */
static int start(struct export *export, const char *path, struct error *error)
{
	export->topics = topics_new();
	if (export->topics == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	if (database_read(path, false, &export->db, &export->version, error) != 0 ||
		database_exec(export->db, path, "BEGIN", error) != 0 ||
		database_topics(export->db, path, export->version, export->topics, error) != 0)
		return -1;
	return database_incarnations(export->db, &export->identity, error);
}

int maintain_export(const char *path, FILE *out, struct error *error)
{
	struct export export = {.out = out};
	int result;

	buf_init(&export.line, SIZE_MAX / 2);
	result = start(&export, path, error);
	errno = 0;
	if (result == 0 && !write_log(&export)) {
		result = -1;
		if (!ferror(out))
			error_set(error, EX_IOERR,
				"the database %s cannot be read: --verify says more", path);
		else if (errno == EPIPE)
			error_set(error, EX_IOERR, "%s", "");
		else
			error_set(error, EX_IOERR, "cannot write the log: %s", strerror(errno));
	}
	sqlite3_close(export.db);
	identity_free(&export.identity);
	topics_free(export.topics);
	buf_free(&export.line);
	return result;
}

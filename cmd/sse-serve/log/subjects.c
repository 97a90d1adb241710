/* SPDX-License-Identifier: MIT */
/* The subjects of the database's events; see subjects.h. */
#include <string.h>

#include "database.h"
#include "subjects.h"

int subjects_open(struct subjects *subjects, sqlite3 *db)
{
	const struct {
		const char *sql;
		sqlite3_stmt **statement;
	} all[] = {{SUBJECTS_NEXT, &subjects->next}, {SUBJECTS_UPTO, &subjects->upto},
		{SUBJECTS_TOPIC, &subjects->topic}, {SUBJECTS_BETWEEN, &subjects->between}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (database_prepare(db, &all[i].sql, all[i].statement, 1) != 0)
			return -1;
	}
	return 0;
}

void subjects_close(struct subjects *subjects)
{
	sqlite3_finalize(subjects->next);
	sqlite3_finalize(subjects->upto);
	sqlite3_finalize(subjects->topic);
	sqlite3_finalize(subjects->between);
}

int64_t subjects_topic(struct subjects *subjects, uint32_t row)
{
	int code;
	int64_t next = 0;

	sqlite3_bind_int64(subjects->topic, 1, row);
	code = sqlite3_step(subjects->topic);
	if (code == SQLITE_ROW)
		next = sqlite3_column_int64(subjects->topic, 0);
	sqlite3_reset(subjects->topic);
	return code == SQLITE_ROW || code == SQLITE_DONE ? next : -1;
}

static void bind_subject(sqlite3_stmt *statement, const struct subjects_cursor *cursor)
{
	sqlite3_bind_int64(statement, 1, cursor->row);
	/* A blob is greater than all texts. */
	if (cursor->len == 0)
		sqlite3_bind_zeroblob(statement, 2, 0);
	else
		sqlite3_bind_text(statement, 2, cursor->subject, (int)cursor->len, SQLITE_STATIC);
}

void subjects_take(struct subjects_cursor *cursor, struct sse_text subject)
{
	cursor->len = subject.len < sizeof(cursor->subject) ? subject.len : sizeof(cursor->subject);
	memcpy(cursor->subject, subject.data, cursor->len);
}

int subjects_next(struct subjects *subjects, struct subjects_cursor *cursor)
{
	int code;

	bind_subject(subjects->next, cursor);
	code = sqlite3_step(subjects->next);
	if (code == SQLITE_ROW) {
		subjects_take(cursor, database_text(subjects->next, 0));
		cursor->position = (uint64_t)sqlite3_column_int64(subjects->next, 1);
	}
	sqlite3_reset(subjects->next);
	return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

int subjects_upto(struct subjects *subjects, struct subjects_cursor *cursor, uint64_t upto)
{
	int code;

	bind_subject(subjects->upto, cursor);
	sqlite3_bind_int64(subjects->upto, 3, (int64_t)upto);
	code = sqlite3_step(subjects->upto);
	cursor->position =
		code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(subjects->upto, 0) : 0;
	sqlite3_reset(subjects->upto);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

int subjects_latest(struct subjects *subjects, uint32_t row, uint64_t after, uint64_t upto,
	struct positions *positions)
{
	struct subjects_cursor cursor = {.row = row};
	int result;

	while ((result = subjects_next(subjects, &cursor)) == 1) {
		if (cursor.position > upto && subjects_upto(subjects, &cursor, upto) != 0)
			return -1;
		if (cursor.position > after && !positions_add(positions, cursor.position))
			return -1;
	}
	return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * The subjects of the database's events, found by their index from one subject to the next: in a
 * time that does not depend on how many events there are of each.
 */
#ifndef SUBJECTS_H
#define SUBJECTS_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "positions.h"
#include "sse.h"

/*
 * The statements: each is one seek in the index.  Subjects are walked backward, so that the newest
 * event of a subject is what the seek finds.
 */
#define SUBJECTS_NEXT                                                                              \
	"SELECT subject, position FROM event WHERE topic = ? AND subject < ?"                      \
	" ORDER BY subject DESC, position DESC LIMIT 1"
#define SUBJECTS_UPTO                                                                              \
	"SELECT position FROM event WHERE topic = ? AND subject = ? AND position <= ?"             \
	" ORDER BY position DESC LIMIT 1"
#define SUBJECTS_TOPIC                                                                             \
	"SELECT topic FROM event WHERE topic > ? AND subject IS NOT NULL ORDER BY topic LIMIT 1"

/* The events with a subject among few positions. */
#define SUBJECTS_BETWEEN                                                                           \
	"SELECT position, topic, subject FROM event WHERE position > ? AND position <= ?"          \
	" AND subject IS NOT NULL ORDER BY position"

/* A place among the subjects of a topic, the last in the order of their bytes first. */
struct subjects_cursor {
	uint32_t row;	   /* of the topic */
	uint64_t position; /* of the newest event of the subject */
	size_t len;
	char subject[EVENT_SUBJECT_MAX]; /* with len 0: before all */
};

struct subjects {
	sqlite3_stmt *next, *upto, *topic, *between;
};

/* subjects_open(subjects, db): 0, or -1 if SQLite fails; close ${subjects} in both cases. */
int subjects_open(struct subjects *subjects, sqlite3 *db);
void subjects_close(struct subjects *subjects);

/*
 * subjects_topic(subjects, row):
 * The row of the next topic after ${row} that has an event with a subject; 0 if none follows, -1 if
 * SQLite fails.
 */
int64_t subjects_topic(struct subjects *subjects, uint32_t row);

/*
 * subjects_next(subjects, cursor):
 * Go to the next subject of the cursor's topic.  1, 0 if none follows, or -1 if SQLite fails.
 */
int subjects_next(struct subjects *subjects, struct subjects_cursor *cursor);

/*
 * subjects_latest(subjects, row, after, upto, positions):
 * Add the position of the newest event up to ${upto} of each subject of the topic, if it is after
 * ${after}.  Return 0, or -1 if SQLite or memory fails.
 */
int subjects_latest(struct subjects *subjects, uint32_t row, uint64_t after, uint64_t upto,
	struct positions *positions);

/* subjects_take(cursor, subject): go to this subject. */
void subjects_take(struct subjects_cursor *cursor, struct sse_text subject);

/*
 * subjects_upto(subjects, cursor, upto):
 * Find the newest event up to ${upto} of the cursor's subject; its position is 0 if there is none.
 * Return 0, or -1 if SQLite fails.
 */
int subjects_upto(struct subjects *subjects, struct subjects_cursor *cursor, uint64_t upto);

#endif

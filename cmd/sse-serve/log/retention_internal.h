/* SPDX-License-Identifier: MIT */
/* What the parts of retention share; only retention*.c see it. */
#ifndef RETENTION_INTERNAL_H
#define RETENTION_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "retention_rules.h"
#include "subjects.h"
#include "topic.h"

/* What a topic, or all topics under `all`, hold. */
struct holding {
	int64_t events, bytes;
	int64_t oldest;	  /* time of the oldest event */
	uint64_t removed; /* of a topic: newest position that is gone; of all: nothing up to here */
	uint64_t superseded; /* of a topic: newest that is gone since its subject has a newer one */
	uint64_t deleted;    /* of a topic: newest that is gone by request */
	uint64_t erased;     /* of a topic: the position that the newest deletion took */
};

struct kept {
	struct holding now, before; /* ${before} the transaction, if it was touched in it */
	const struct retain *rule;  /* NULL: under `all` */
	bool touched, unsaved;
	bool taken;    /* an event of it was removed in this transaction */
	bool replaced; /* likewise, by a newer event of its subject, and not the newest of these */
};

enum retention_statement { OF_TOPIC, OF_ALL, OF_SUBJECT, REMOVE, MARK, SAVE, STATEMENTS };

/* The look at all subjects of the topics under `latest`, after a start; see retention_latest.c. */
struct retention_sweep {
	uint32_t number, end; /* the topic that it is at, and the one before which it ends */
	bool inside;	      /* the cursor's subject is not done */
	bool moved;	      /* in this transaction */
	struct subjects_cursor cursor;
};

struct retention {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct topics *registry;
	const struct retention_rules *retention_rules;
	struct kept *topics; /* by the topic's row, from 0: here its number */
	uint32_t count, capacity;
	uint32_t *touched; /* numbers of the topics that this transaction touched */
	uint32_t touched_count;
	struct holding all, all_before;
	int64_t events, events_before;	 /* of all topics */
	uint32_t ruled;			 /* how many topics have a rule of their own */
	int64_t unsaved, unsaved_before; /* events counted since all counts were saved */
	bool saved;			 /* in this transaction */
	struct subjects subjects;
	struct retention_sweep sweep;
};

/* A row to remove. */
struct victim {
	uint64_t position;
	uint32_t topic;
	int64_t size;
};

/* Rows that are read before they are removed. */
#define SLICE 256

/* retention_touch(retention, number): the topic, which may be changed in this transaction. */
struct kept *retention_touch(struct retention *retention, uint32_t number);

/*
 * retention_take(retention, kept, victim): subtract the victim's event, which is of the touched
 * topic ${kept}, from the counts.
 */
void retention_take(struct retention *retention, struct kept *kept, const struct victim *victim);

/* retention_remove_rows(retention, victims, number): 0, or -1 if SQLite fails. */
int retention_remove_rows(struct retention *retention, const struct victim *victims, int number);

/*
 * retention_write_marks(retention, head): store what is gone of the topics of which something was
 * taken in this transaction, and their counts.  Return 0, or -1 if SQLite fails.
 */
int retention_write_marks(struct retention *retention, uint64_t head);

/*
 * retention_sweep(retention, rows):
 * Go on with the look at all subjects; *${rows} is lowered by the number of rows looked at.  Return
 * 0, or -1 if SQLite fails.
 */
int retention_sweep(struct retention *retention, int *rows);

/* retention_sweeps(retention): is there more to look at? */
bool retention_sweeps(const struct retention *retention);

#endif

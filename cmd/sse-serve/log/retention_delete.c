/* SPDX-License-Identifier: MIT */
/* What is deleted by request: of the counts, rows and marks, it is removed as by a rule. */
#include "database.h"
#include "retention.h"
#include "retention_internal.h"

/* A step deletes no more than this: appends wait for it. */
#define STEP_ROWS 1000
#define STEP_BYTES ((int64_t)4 << 20)

struct step {
	uint32_t number; /* of the topic */
	uint64_t after, upto;
	int rows; /* may still be deleted in it, */
	int64_t bytes;
};

/* Delete the next few.  How many they were, or -1. */
static int delete_some(struct retention *retention, struct step *step)
{
	sqlite3_stmt *row = retention->statements[OF_TOPIC];
	struct kept *kept = retention_touch(retention, step->number);
	struct victim victims[SLICE];
	int count = 0, code = SQLITE_ROW;

	sqlite3_bind_int64(row, 1, (int64_t)step->after);
	sqlite3_bind_int(row, 2, step->rows < SLICE ? step->rows : SLICE);
	sqlite3_bind_int64(row, 3, (int64_t)step->number + 1);
	while (step->bytes > 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct event event;

		database_event(row, &event);
		if (event.position > step->upto)
			break;
		victims[count] =
			(struct victim){event.position, step->number, retention_rules_size(&event)};
		step->bytes -= victims[count].size;
		step->after = event.position;
		retention_take(retention, kept, &victims[count++]);
	}
	sqlite3_reset(row);
	if ((code != SQLITE_ROW && code != SQLITE_DONE) ||
		retention_remove_rows(retention, victims, count) != 0)
		return -1;
	step->rows -= count;
	return count;
}

int retention_delete(struct retention *retention, const struct topic *topic, uint64_t *after,
	uint64_t upto, uint64_t head, uint64_t *newest)
{
	struct step step = {topic->row - 1, *after, upto, STEP_ROWS, STEP_BYTES};
	struct kept *kept = retention_touch(retention, step.number);
	int count;

	do {
		count = delete_some(retention, &step);
	} while (count > 0 && step.rows > 0 && step.bytes > 0);
	if (count < 0)
		return -1;
	if (step.after > *after) {
		*newest = step.after;
		if (kept->now.deleted < step.after)
			kept->now.deleted = step.after;
		kept->now.erased = head + 1;
	}
	*after = count > 0 ? step.after : upto;
	return retention_write_marks(retention, head);
}

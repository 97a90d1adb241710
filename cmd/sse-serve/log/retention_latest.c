/* SPDX-License-Identifier: MIT */
/*
 * Retention under `latest`: only the newest event of each subject is kept.  What is superseded is
 * removed with the event that supersedes it.  What was stored before there was the rule is found by a
 * look at all subjects after each start, in small steps.
 */
#include <string.h>

#include "database.h"
#include "retention.h"
#include "retention_internal.h"

/* Normally there is one; if there are more, the sweep has not yet come to them. */
#define OLDER_MAX 8

static bool is_latest(const struct retention *retention, uint32_t number)
{
	const struct retain *rule = retention->topics[number].rule;

	return rule != NULL && rule->latest;
}

/* Remove the events of the subject before ${position}, at most SLICE.  How many they were, or -1. */
static int remove_older(struct retention *retention, uint32_t number, struct sse_text subject,
	uint64_t position, int most)
{
	sqlite3_stmt *row = retention->statements[OF_SUBJECT];
	struct victim victims[SLICE];
	int count = 0, code;

	sqlite3_bind_int64(row, 1, (int64_t)number + 1);
	sqlite3_bind_text64(row, 2, subject.data, subject.len, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_int64(row, 3, (int64_t)position);
	sqlite3_bind_int(row, 4, most < SLICE ? most : SLICE);
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		struct kept *kept = retention_touch(retention, number);
		struct event event;

		database_event(row, &event);
		victims[count] =
			(struct victim){event.position, number, retention_rules_size(&event)};
		retention_take(retention, kept, &victims[count++]);
		if (event.position > kept->now.superseded)
			kept->now.superseded = event.position;
		else
			kept->replaced = true;
	}
	sqlite3_reset(row);
	if (code != SQLITE_DONE || retention_remove_rows(retention, victims, count) != 0)
		return -1;
	return count;
}

int retention_supersede(struct retention *retention, const struct event *event)
{
	uint32_t number = event->topic->row - 1;

	if (event->subject.len == 0 || !is_latest(retention, number))
		return 0;
	return remove_older(retention, number, event->subject, event->position, OLDER_MAX) < 0 ? -1
											       : 0;
}

/* --- the look at all --- */

void retention_sweep_again(struct retention *retention)
{
	retention->sweep = (struct retention_sweep){.end = retention->count};
}

bool retention_sweeps(const struct retention *retention)
{
	return retention->sweep.number < retention->sweep.end;
}

/* Go to the next subject, of this topic or a later one.  Return 0, or -1. */
static int find_next(struct retention *retention)
{
	struct retention_sweep *sweep = &retention->sweep;
	int found = 0;

	sweep->cursor.row = sweep->number + 1;
	if (is_latest(retention, sweep->number))
		found = subjects_next(&retention->subjects, &sweep->cursor);
	sweep->inside = found > 0;
	if (found == 0) {
		sweep->cursor.len = 0;
		sweep->number++;
	}
	return found < 0 ? -1 : 0;
}

int retention_sweep(struct retention *retention, int *rows)
{
	struct retention_sweep *sweep = &retention->sweep;

	while (retention_sweeps(retention) && *rows > 0) {
		int removed;

		sweep->moved = true;
		if (!sweep->inside && find_next(retention) != 0)
			return -1;
		if (!sweep->inside)
			continue;
		removed = remove_older(retention, sweep->number,
			(struct sse_text){sweep->cursor.subject, sweep->cursor.len},
			sweep->cursor.position, *rows);
		if (removed < 0)
			return -1;
		sweep->inside = removed > 0;
		*rows -= removed + 1;
	}
	return 0;
}

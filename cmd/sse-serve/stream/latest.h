/* SPDX-License-Identifier: MIT */
/*
 * Which events a stream of present values is sent before it goes on as any other: the newest of
 * each subject.  They are found once for all of its chunks, and for the streams that ask for the
 * same.  All on the replay thread.
 */
#ifndef LATEST_H
#define LATEST_H

#include <stdint.h>

#include "log/positions.h"
#include "log/store.h"
#include "selection.h"

#define LATEST_LISTS 4

/* Of a selection's topics, as of the position ${upto}: those after ${after}. */
struct latest_list {
	struct selection *selection; /* held; NULL: unused */
	uint64_t after, upto;
	struct positions positions;
};

/* All zero is empty. */
struct latest_lists {
	struct latest_list lists[LATEST_LISTS]; /* the newest first */
	uint64_t erasures; /* of the store (log/store.h), when they were made */
};

/*
 * latest_forget(lists, erasures):
 * If events were deleted since the lists were made, forget the lists: older events may now be the
 * newest of their subjects.
 */
void latest_forget(struct latest_lists *lists, uint64_t erasures);

/*
 * latest_find(lists, selection, topics, after, upto, ops, reader):
 * The list, or one that begins earlier, valid until the next call; NULL if the log or memory fails.
 * ${topics} are those of the selection, and not empty.  What closed one of them is in it too.
 */
const struct positions *latest_find(struct latest_lists *lists, struct selection *selection,
	const struct topic_set *topics, uint64_t after, uint64_t upto, const struct store_ops *ops,
	struct store_reader *reader);

/* latest_free(lists): free what they hold; they are empty then. */
void latest_free(struct latest_lists *lists);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The events that closed topics, for readers who name all their topics: a closing that is gone from
 * the log is made anew in its place.  So such a reader is told of each topic that was closed.
 */
#ifndef CLOSINGS_H
#define CLOSINGS_H

#include "log/store.h"
#include "selection.h"

/*
 * closings_next(topics, after, upto): of these, the topic with the first closing with after <
 * position <= upto; NULL if there is none.  Any thread.
 */
struct topic *closings_next(const struct topic_set *topics, uint64_t after, uint64_t upto);

/*
 * closings_read(ops, reader, query, selection, visit, context):
 * As ops->read(), for streams of this selection.  An event without a time (EVENT_NO_TIME) was made.
 */
int closings_read(const struct store_ops *ops, struct store_reader *reader,
	struct store_query *query, const struct selection *selection, store_visit visit,
	void *context);

#endif

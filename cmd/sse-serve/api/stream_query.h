/* SPDX-License-Identifier: MIT */
/* What the query of a stream says, where other requests have the same words too. */
#ifndef STREAM_QUERY_H
#define STREAM_QUERY_H

#include <stdint.h>

#include "error.h"
#include "http/request.h"
#include "stream/start.h"

/*
 * stream_query_start(request, start, error):
 * Where does the stream start?  The header Last-Event-ID overrides the query, because an
 * EventSource reconnects with its original URL, and sends its position in the header.  Return 0, or
 * -1 with what would be right.
 */
int stream_query_start(struct request *request, struct start *start, struct error *error);

/*
 * stream_query_types(query, error):
 * Are these types valid to ask for?  The server's own are: joins and leaves are events of a topic.
 * Return 0, or -1 with what would be right.
 */
int stream_query_types(const struct route_query *query, struct error *error);

/*
 * stream_check_patterns(request, error):
 * Are the ?topic= of the request topics or patterns, and not too many?  Return 0, or -1 with the
 * reason (EX_DATAERR).
 * stream_check_topics(request, error): the same, and there must be at least one.
 */
int stream_check_patterns(const struct request *request, struct error *error);
int stream_check_topics(const struct request *request, struct error *error);

/*
 * stream_since(text, since, error):
 * Read the parameter `since` as lib/since.h does, into ms since 1970.  Return 0, or -1 with the
 * reason (EX_DATAERR).
 */
int stream_since(const char *text, int64_t *since, struct error *error);

/*
 * stream_read_wait(text, wait, error): read ?wait= into ms.  Return 0, or -1 with what would be
 * right.
 */
int stream_read_wait(const char *text, uint32_t *wait, struct error *error);

#endif

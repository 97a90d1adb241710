/* SPDX-License-Identifier: MIT */
/*
 * The result for the events of a request that ended.  Pure: no libcurl, no clock, no state.
 *
 * A request whose events all have a key can always be sent again: the server knows the key.  A
 * request with an event without a key (--at-most-once) is sent again only if the server certainly
 * did not accept it.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client_answer.h"

enum verdict {
	VERDICT_ACCEPTED,
	VERDICT_DOUBTFUL,  /* accepted, but not as intended: send no more */
	VERDICT_OTHERWISE, /* the batch has to be sent in another way, see verdict_split() */
	VERDICT_AGAIN,	   /* a retry may succeed, and stores each event only once */
	VERDICT_REFUSED,   /* the events, for their content: others may be accepted */
	VERDICT_AWAY,	   /* the server cannot be reached, or cannot accept events now */
	VERDICT_DENIED,	   /* the server, or a proxy, does not accept or permit the login */
	VERDICT_NO,	   /* the server answers, and refuses all: address, method, ... */
	VERDICT_UNKNOWN,   /* the events may or may not have been stored, and have no key */
};

/* A request that ended. */
struct verdict_request {
	size_t events;
	bool batch; /* of several events */
	bool once;  /* one of its events has no key */
	bool sent;  /* all of it may have reached the server */
};

/*
 * verdict_of_answer(request, status, results, ambiguous):
 * The meaning of an answer with this status: 2xx, or 300 and more.  ${results} is the number of
 * result lines in the answer to a batch; 0 if it has none, or none was requested.  *${ambiguous}
 * becomes true if the events may have been stored though the request did not succeed; else it
 * stays.
 */
enum verdict verdict_of_answer(
	const struct verdict_request *request, long status, size_t results, bool *ambiguous);

/* Why the server did not answer. */
enum verdict_failure {
	VERDICT_BROKEN,	 /* a retry may succeed */
	VERDICT_USELESS, /* a retry will fail too */
	VERDICT_BARRED,	 /* a proxy on the way does not accept or permit the login */
	VERDICT_NOBODY,	 /* nothing listens there, and unsent events are kept */
	VERDICT_STOPPED, /* by sse-post: no time is left for another attempt */
};

/*
 * verdict_of_failure(request, failure, ambiguous):
 * The meaning of a missing answer.  ${ambiguous} is as for verdict_of_answer().
 */
enum verdict verdict_of_failure(
	const struct verdict_request *request, enum verdict_failure failure, bool *ambiguous);

/* How to send a refused batch in another way. */
struct verdict_split {
	bool smaller; /* it is too large: the limit is half of its bytes from now on */
	size_t limit; /* the most events for the next request; 0: no limit */
	bool singly;  /* send its events one by one */
};

/*
 * verdict_split(request, status, line):
 * After VERDICT_OTHERWISE; ${line} is the line that the answer blames, counted from 1, or 0.
 */
struct verdict_split verdict_split(
	const struct verdict_request *request, long status, uint64_t line);

/*
 * verdict_is_sse_serve(answer):
 * Does the answer give the event's location and id, as sse-serve does?  Then the server accepts
 * batches and knows keys.
 */
bool verdict_is_sse_serve(const struct client_answer *answer);

#endif

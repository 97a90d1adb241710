/* SPDX-License-Identifier: MIT */
/*
 * What becomes of events whose request came to its end.  Pure: no libcurl, no clock, no state.
 *
 * A request whose events all have a key can always be sent again: the server knows the key.  One with
 * an event without a key (--at-most-once) is sent again only if it certainly was not taken.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client_answer.h"

enum verdict {
	VERDICT_ACCEPTED,
	VERDICT_DOUBTFUL,  /* accepted, and not in the way that was meant: no more is sent */
	VERDICT_OTHERWISE, /* the batch has to be sent in another way, see verdict_split() */
	VERDICT_AGAIN,	   /* it may succeed later, and the event is there once all the same */
	VERDICT_REFUSED,   /* the events, by what they are: others may be taken */
	VERDICT_AWAY,	   /* the server cannot be reached, or cannot take anything now */
	VERDICT_NO,	   /* the server answers, and will not take it: credentials, address, ... */
	VERDICT_UNKNOWN,   /* the events may or may not have been stored, and have no key */
};

/* A request that came to its end. */
struct verdict_request {
	size_t events;
	bool batch;
	bool once; /* an event of it has no key */
	bool sent; /* all of it may have reached the server */
};

/*
 * verdict_of_answer(request, status, results, ambiguous):
 * What an answer with this status means: 2xx, or 300 and more.  ${results} is how many lines of
 * results the answer to a batch has; 0 if there is none, or none was asked for.  *${ambiguous} becomes
 * true if the events may have been stored though the request did not succeed; else it stays.
 */
enum verdict verdict_of_answer(
	const struct verdict_request *request, long status, size_t results, bool *ambiguous);

/* Why there is no answer. */
enum verdict_failure {
	VERDICT_BROKEN,	 /* it may be different the next time */
	VERDICT_USELESS, /* it will be the same the next time */
	VERDICT_NOBODY,	 /* nothing listens there, and what cannot be sent is kept */
	VERDICT_STOPPED, /* by us: there is no time for another attempt */
};

/*
 * verdict_of_failure(request, failure, ambiguous):
 * What it means that there is no answer.  ${ambiguous} is as with verdict_of_answer().
 */
enum verdict verdict_of_failure(
	const struct verdict_request *request, enum verdict_failure failure, bool *ambiguous);

/* How a batch that was refused is sent otherwise. */
struct verdict_split {
	bool smaller; /* no request may be so large: half of its bytes are the most from now on */
	size_t limit; /* the most events for the next request; 0: no limit */
	bool singly;  /* its events are sent by themselves */
};

/*
 * verdict_split(request, status, line):
 * After VERDICT_OTHERWISE; ${line} is the one that the answer blames, counted from 1, or 0.
 */
struct verdict_split verdict_split(
	const struct verdict_request *request, long status, uint64_t line);

/*
 * verdict_is_sse_serve(answer):
 * Does it say where the event is and which id it has, as sse-serve does?  Then the server takes
 * batches and knows keys.
 */
bool verdict_is_sse_serve(const struct client_answer *answer);

#endif

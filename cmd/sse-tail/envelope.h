/* SPDX-License-Identifier: MIT */
/*
 * The envelopes in which sse-serve sends events with envelope=1: an event is taken out of its own,
 * and is then as its topic's own stream would have it.  What the envelope says beside stays here.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "sse.h"

/* Nobody knows when the event was published. */
#define ENVELOPE_NO_TIME INT64_MIN

/* Read the first three; texts are valid until the next call. */
struct envelope {
	struct sse_text topic;	 /* empty: not known */
	struct sse_text subject; /* empty: it has none, or it is not known */
	int64_t time;		 /* when it was published, ms since 1970; or ENVELOPE_NO_TIME */
	const char *only;	 /* the topic of all events, or NULL */
	struct buf words, data;	 /* decoded */
};

/*
 * envelope_init(envelope, topic) / envelope_free(envelope):
 * Begin with nothing known but the one topic of all events, which the caller keeps; NULL: not even
 * that.  Free takes a struct that is all zero.
 */
void envelope_init(struct envelope *envelope, const char *topic);
void envelope_free(struct envelope *envelope);

/*
 * envelope_open(envelope, event, inner, error):
 * If the data of ${event} is an envelope, say in ${envelope} what it tells, and let ${inner} be the
 * event in it: data that is a JSON string is its text, any other JSON is as it was sent.  Else
 * nothing is known, and ${inner} is the event; so it is with those of the server itself, such as
 * gap, which have no envelope.  ${inner} is valid until the next call.  0, or -1: EX_OSERR.
 */
int envelope_open(struct envelope *envelope, const struct sse_event *event, struct sse_event *inner,
	struct error *error);

#endif

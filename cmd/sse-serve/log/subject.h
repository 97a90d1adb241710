/* SPDX-License-Identifier: MIT */
/*
 * The subject of an event: what the event gives the present value of.  Without data, the event
 * clears it: the subject has no value any more.  Pure functions.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "event.h"
#include "sse.h"

/* What a subject has to be, the end of a sentence that says what is wrong with one. */
#define SUBJECT_RULE "a subject is 1 to 200 bytes of UTF-8 without control characters"

/*
 * subject_fault(subject):
 * A subject is 1 to EVENT_SUBJECT_MAX bytes of UTF-8 without control characters.  Return NULL if
 * this is one, or why it is not, the end of a sentence: "is empty".
 */
const char *subject_fault(struct sse_text subject);

/*
 * subject_settle(event):
 * If the event has a subject, and its data is an empty JSON string, make its data empty text.  An
 * envelope writes both as "", so both must say the same: they clear the subject.
 */
void subject_settle(struct event *event);

#endif

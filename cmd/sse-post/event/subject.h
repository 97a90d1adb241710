/* SPDX-License-Identifier: MIT */
/* The subject of an event: what it gives the present value of. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "sse.h"

/* The longest subject that sse-serve accepts, in bytes. */
#define SUBJECT_MAX 200

/*
 * subject_fault(subject): NULL if it is a valid subject, UTF-8 without control characters, or the
 * end of a sentence: "is empty".
 */
const char *subject_fault(struct sse_text subject);

#endif

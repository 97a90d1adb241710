/* SPDX-License-Identifier: MIT */
/*
 * The head of an answer that is written after the request has ended: the handler took its socket,
 * and cannot know the answer yet.
 */
#ifndef LATER_H
#define LATER_H

#include <stddef.h>

struct request;

/* What the head needs to know of the request. */
struct later;

/* later_new(request): keep it; NULL without memory.  free() it. */
struct later *later_new(const struct request *request);

/*
 * later_write_head(later, status, type, more, out, size):
 * Write the head as request_write_head() does; ${type} is NULL for an answer without a body.
 */
size_t later_write_head(const struct later *later, unsigned status, const char *type,
	const char *more, char *out, size_t size);

#endif

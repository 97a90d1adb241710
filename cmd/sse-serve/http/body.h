/* SPDX-License-Identifier: MIT */
/*
 * The body of a request, and its limits: --max-body for one, --max-bodies for all together.  A body
 * that exceeds a limit, or whose length is ambiguous, sets request->refused to the status of the
 * answer.
 */
#ifndef BODY_H
#define BODY_H

#include <stdbool.h>
#include <stddef.h>

struct body_length;
struct request;

/* body_expect(request, length): the head has arrived; check the length that it announces. */
void body_expect(struct request *request, const struct body_length *length);

/* body_hold(request, len): count ${len} bytes for the body, if that is more than before.  False if the
 * request is refused. */
bool body_hold(struct request *request, size_t len);

/*
 * body_take(request, data, len):
 * Append a piece of the body.  It is dropped if the request is refused or already answered.
 * Without memory the problem is replied.
 */
void body_take(struct request *request, const char *data, size_t len);

#endif

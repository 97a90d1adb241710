/* SPDX-License-Identifier: MIT */
/*
 * The event with which sse-serve ends a stream whose login is no longer valid.  Its type is denied,
 * it has no id, and its data is an object with one member, the string reason.  An event of another
 * server is unlikely to be all of this.
 */
#ifndef DENIED_H
#define DENIED_H

#include <stdbool.h>

#include "client.h"
#include "error.h"
#include "sse.h"

/*
 * denied_read(event, client, shown, error):
 * Is this that event?  If so, fill ${error} (EX_NOPERM) with the server's reason, not yet escaped
 * for a terminal, and with what would help ${client}, which reads the stream.  ${shown} is the URL
 * to name.
 */
bool denied_read(const struct sse_event *event, const struct client *client, const char *shown,
	struct error *error);

#endif

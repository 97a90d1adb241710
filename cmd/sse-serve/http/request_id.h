/* SPDX-License-Identifier: MIT */
/*
 * The ids of requests, which stand in the log and in the answers (X-Request-ID): 8 random letters
 * of the loop, and a number.  A trusted proxy may have given the request one.
 */
#ifndef REQUEST_ID_H
#define REQUEST_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/logger.h"

#define REQUEST_ID LOGGER_ID
#define REQUEST_ID_HEADER "X-Request-ID"

/* The ids of a loop. */
struct request_ids {
	char prefix[9];
	uint32_t next;
};

/* request_id_start(ids): of this loop of this server.  Its thread, or before that starts. */
void request_id_start(struct request_ids *ids);

/* request_id_new(ids, id): one that no other request has. */
void request_id_new(struct request_ids *ids, char id[REQUEST_ID]);

/*
 * request_id_take(given, id):
 * Take a proxy's id if it has at most 64 letters, digits and the characters -_. alone: others could
 * be meant to confuse the readers of the log.  True if it was taken.
 */
bool request_id_take(const char *given, char id[REQUEST_ID]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Commands: what is written to a log that several nodes share.  The nodes apply the same commands in
 * the same order, each to a copy of its own, so all come to the same positions, duplicates,
 * conflicts and refusals; see store_nats.c.
 *
 * In bytes: "SSE", a version, the kind, the id, and what belongs to the kind.  A number is a varint
 * (seven bits a byte, the lowest first), a text its length and its bytes.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "store.h"

enum command_kind {
	COMMAND_APPEND = 1, /* groups of events */
	COMMAND_ERASE,	    /* the events of a topic between two positions */
	COMMAND_IMPORT,	    /* the log begins with what was imported, which is in a snapshot */
};

/* A command that was read.  Its texts point into the bytes that it was read from. */
struct command {
	enum command_kind kind;
	struct sse_text id; /* given by the node that sent it */

	struct store_group *groups; /* owned; of COMMAND_APPEND */
	size_t count;
	struct store_append *appends; /* owned; those of the groups, in a row */
	size_t total;

	const char *topic; /* of COMMAND_ERASE */
	uint64_t after, upto;
};

/*
 * command_begin(buf, kind, id): write the beginning of a command into an empty buffer.
 * command_add_group(buf, group): add a group to a COMMAND_APPEND.
 * command_add_range(buf, topic, after, upto): complete a COMMAND_ERASE.
 * False without memory, or beyond the buffer's cap; then what was there before is still there.
 */
bool command_begin(struct buf *buf, enum command_kind kind, const char *id);
bool command_add_group(struct buf *buf, const struct store_group *group);
bool command_add_range(struct buf *buf, const char *topic, uint64_t after, uint64_t upto);

/*
 * command_read(command, data, len, error):
 * Read a command; data[len] is NUL.  Return 0; or -1 with EX_DATAERR if it is none, or holds what
 * no server would send; EX_CONFIG if it is of a newer version; EX_OSERR without memory.  Which of
 * the first two depends on the bytes alone, so all nodes agree.
 */
int command_read(struct command *command, const char *data, size_t len, struct error *error);

/* command_free(command): after command_read(), also if it failed. */
void command_free(struct command *command);

#endif

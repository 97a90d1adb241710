/* SPDX-License-Identifier: MIT */
/*
 * What nodes tell each other, in bytes.  What is read may come from anyone: all of it is checked.
 *
 * A message begins with a byte for the form and one for its kind.  Numbers are 8 bytes, the
 * highest first; texts end with a NUL.
 */
#ifndef NODE_MESSAGE_H
#define NODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "stream/presence.h"

/* The longest name of a node, and the longest version, in bytes. */
#define NODE_NAME_MAX NAME_MAX_BYTES
#define NODE_VERSION_MAX 31

/* No message is longer; so long is one of NODE_NAMES without names. */
#define NODE_MESSAGE_MAX ((size_t)16 << 10)
#define NODE_NAMES_HEAD 11

enum node_message_kind {
	NODE_ALIVE = 1, /* it lives; its figures, and the number of its newest NODE_NAMES */
	NODE_NAMES,	/* of its names, these came or went, or all that it has, in parts */
	NODE_ASK,	/* another node is to send all its names */
	NODE_BYE,	/* it ends */
};

/* What a node says of itself. */
struct node_figures {
	char name[NODE_NAME_MAX + 1];
	char version[NODE_VERSION_MAX + 1];
	uint64_t uptime; /* s */
	uint64_t streams, behind, requests, delivered;
};

struct node_message {
	enum node_message_kind kind;
	uint64_t key;	 /* NODE_ALIVE: a number that no other node has; NODE_ASK: whose */
	uint64_t number; /* NODE_ALIVE, NODE_NAMES; the first has number 1 */
	struct node_figures figures; /* NODE_ALIVE */

	/* NODE_NAMES. */
	bool list;	   /* a part of the complete list */
	bool first, last;  /* and that one of the parts */
	const char *names; /* for node_message_name(); in the message */
	size_t names_len;
};

/* node_message_read(message, data, len): false if it is not valid, apart from its names. */
bool node_message_read(struct node_message *message, const void *data, size_t len);

/*
 * node_message_name(message, change):
 * Take the next of the names; it has no count.  Return 1, or 0 after the last, or -1 if it is not
 * valid.
 */
int node_message_name(struct node_message *message, struct presence_change *change);

/*
 * node_message_write(message, out): append all but the names.  False without memory.
 * node_message_add(out, topic, name, here): append a name to what this wrote; false if it has no
 * room.
 */
bool node_message_write(const struct node_message *message, struct buf *out);
bool node_message_add(struct buf *out, const char *topic, const char *name, bool here);

#endif

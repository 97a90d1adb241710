/* SPDX-License-Identifier: MIT */
/* What nodes tell each other, in bytes; see node_message.h. */
#include <string.h>

#include "base/name.h"
#include "node_message.h"

/* Messages of another form are of another version, and are left out. */
#define FORM 1

#define LIST 1
#define FIRST 2
#define LAST 4

/* --- writing --- */

static bool add_number(struct buf *out, uint64_t number)
{
	char *to = buf_reserve(out, 8);

	if (to == NULL)
		return false;
	for (int i = 0; i < 8; i++)
		to[i] = (char)(number >> (56 - 8 * i));
	out->len += 8;
	return true;
}

static bool add_text(struct buf *out, const char *text)
{
	return buf_add(out, text, strlen(text) + 1);
}

static bool add_figures(struct buf *out, const struct node_figures *figures)
{
	return add_text(out, figures->name) && add_text(out, figures->version) &&
	       add_number(out, figures->uptime) && add_number(out, figures->streams) &&
	       add_number(out, figures->behind) && add_number(out, figures->requests) &&
	       add_number(out, figures->delivered);
}

bool node_message_write(const struct node_message *message, struct buf *out)
{
	int flags = (message->list ? LIST : 0) | (message->first ? FIRST : 0) |
		    (message->last ? LAST : 0);

	if (!buf_add_byte(out, FORM) || !buf_add_byte(out, (char)message->kind))
		return false;
	switch (message->kind) {
	case NODE_ALIVE:
		return add_number(out, message->key) && add_number(out, message->number) &&
		       add_figures(out, &message->figures);
	case NODE_NAMES:
		return add_number(out, message->number) && buf_add_byte(out, (char)flags);
	case NODE_ASK:
		return add_number(out, message->key);
	case NODE_BYE:
		break;
	}
	return true;
}

bool node_message_add(struct buf *out, const char *topic, const char *name, bool here)
{
	size_t before = out->len;

	if (buf_add_byte(out, here ? 1 : 0) && add_text(out, topic) && add_text(out, name))
		return true;
	out->len = before;
	return false;
}

/* --- reading --- */

/* What is left to be read. */
struct rest {
	const char *data;
	size_t len;
};

static bool read_bytes(struct rest *rest, void *to, size_t len)
{
	if (rest->len < len)
		return false;
	memcpy(to, rest->data, len);
	rest->data += len;
	rest->len -= len;
	return true;
}

static bool read_number(struct rest *rest, uint64_t *number)
{
	unsigned char bytes[8];

	if (!read_bytes(rest, bytes, sizeof(bytes)))
		return false;
	*number = 0;
	for (int i = 0; i < 8; i++)
		*number = *number << 8 | bytes[i];
	return true;
}

/* A text of at most ${max} bytes, which is as names of people are. */
static bool read_text(struct rest *rest, char *to, size_t max)
{
	const char *end = memchr(rest->data, '\0', rest->len);
	size_t len = end != NULL ? (size_t)(end - rest->data) : 0;

	return end != NULL && len <= max && name_fault(rest->data, len) == NULL &&
	       read_bytes(rest, to, len + 1);
}

static bool read_topic(struct rest *rest, char *to)
{
	const char *end = memchr(rest->data, '\0', rest->len);
	size_t len = end != NULL ? (size_t)(end - rest->data) : 0;

	return end != NULL && topic_name_is_accepted(rest->data, len) &&
	       read_bytes(rest, to, len + 1);
}

static bool read_figures(struct rest *rest, struct node_figures *figures)
{
	return read_text(rest, figures->name, NODE_NAME_MAX) &&
	       read_text(rest, figures->version, NODE_VERSION_MAX) &&
	       read_number(rest, &figures->uptime) && read_number(rest, &figures->streams) &&
	       read_number(rest, &figures->behind) && read_number(rest, &figures->requests) &&
	       read_number(rest, &figures->delivered);
}

static bool read_names(struct rest *rest, struct node_message *message)
{
	char flags;

	if (!read_number(rest, &message->number) || message->number == 0 ||
		!read_bytes(rest, &flags, 1))
		return false;
	message->list = (flags & LIST) != 0;
	message->first = (flags & FIRST) != 0;
	message->last = (flags & LAST) != 0;
	message->names = rest->data;
	message->names_len = rest->len;
	return true;
}

bool node_message_read(struct node_message *message, const void *data, size_t len)
{
	struct rest rest = {data, len};
	char form, kind;

	*message = (struct node_message){0};
	if (len > NODE_MESSAGE_MAX || !read_bytes(&rest, &form, 1) || form != FORM ||
		!read_bytes(&rest, &kind, 1))
		return false;
	message->kind = (enum node_message_kind)kind;
	switch (kind) {
	case NODE_ALIVE:
		return read_number(&rest, &message->key) && read_number(&rest, &message->number) &&
		       read_figures(&rest, &message->figures);
	case NODE_NAMES:
		return read_names(&rest, message);
	case NODE_ASK:
		return read_number(&rest, &message->key);
	case NODE_BYE:
		return true;
	default:
		return false;
	}
}

int node_message_name(struct node_message *message, struct presence_change *change)
{
	struct rest rest = {message->names, message->names_len};
	char here;

	if (rest.len == 0)
		return 0;
	if (!read_bytes(&rest, &here, 1) || !read_topic(&rest, change->topic) ||
		!read_text(&rest, change->name, NAME_MAX_BYTES))
		return -1;
	change->joined = here != 0;
	change->count = 0;
	message->names = rest.data;
	message->names_len = rest.len;
	return 1;
}

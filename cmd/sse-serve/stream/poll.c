/* SPDX-License-Identifier: MIT */
/* Polls; see poll.h. */
#include <stddef.h>

#include "encoding.h"
#include "log/identity.h"
#include "poll.h"

struct subscriber *poll_of_deadline(struct deadline *deadline)
{
	return (struct subscriber *)((char *)deadline -
				     offsetof(struct polling_subscriber, deadline));
}

void poll_end_wait(struct subscriber *subscriber)
{
	struct polling_subscriber *polling = subscriber_polling(subscriber);

	deadlines_remove(&subscriber->fanout->deadlines, &polling->deadline);
	polling->over = true;
}

bool poll_is_over(const struct subscriber *subscriber)
{
	return ((const struct polling_subscriber *)subscriber)->over;
}

void poll_begin(struct subscriber *subscriber)
{
	poll_end_wait(subscriber);
	subscriber_set_end(subscriber);
}

static bool is_array(const struct subscriber *subscriber)
{
	return form_is_array(subscriber->channel->selection->form);
}

/* The answer as its reply writes it; there is no other. */
static bool write_reply(struct subscriber *subscriber, enum poll_answer answer, const char *id,
	size_t len, struct buf *out)
{
	struct polling_subscriber *polling = subscriber_polling(subscriber);
	bool written = polling->reply->write(polling->reply, answer, id, len, out);

	poll_reply_free(polling->reply);
	polling->reply = NULL;
	return written;
}

/* What is sent before the events of the replay, with the length of all. */
static bool write_head(
	struct subscriber *subscriber, const struct replay *replay, const char *id, struct buf *out)
{
	size_t len = replay->end - replay->offset;

	/* A bracket in place of the first separator, and the end. */
	if (is_array(subscriber))
		len = len - ENCODING_SEPARATOR_LEN +
		      sizeof("["
			     "]\n") -
		      1;
	return write_reply(subscriber, POLL_EVENTS, id, len, out) &&
	       (!is_array(subscriber) || buf_add_byte(out, '['));
}

void poll_answer(struct subscriber *subscriber, const struct replay *replay)
{
	char id[IDENTITY_TEXT];
	struct buf out;

	buf_init(&out, POLL_HEAD);
	identity_format(subscriber->fanout->shared->identity, replay->reached, id);
	if (replay->gap) {
		/* The whole answer fits, because nothing was written to the socket before. */
		if (write_reply(subscriber, POLL_GONE, id, 0, &out))
			subscriber_write(subscriber, out.data, out.len);
		subscriber_close(subscriber, STREAM_END_COMPLETE);
	} else if (write_head(subscriber, replay, id, &out)) {
		subscriber_polling(subscriber)->extended.end_position = replay->reached;
		subscriber->skip = is_array(subscriber) ? ENCODING_SEPARATOR_LEN : 0;
		subscriber_keep_pending(subscriber, out.data, out.len, 0);
	} else {
		subscriber_close(subscriber, STREAM_END_MEMORY);
	}
	buf_free(&out);
}

bool poll_write_end(struct subscriber *subscriber, const char *id, struct buf *out)
{
	if (subscriber_polling(subscriber)->reply != NULL)
		return write_reply(subscriber, POLL_NOTHING, id, 0, out);
	return !is_array(subscriber) || buf_add_text(out, "]\n");
}

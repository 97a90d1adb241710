/* SPDX-License-Identifier: MIT */
/* Silent streams; see silence.h. */
#include <string.h>
#include <sys/ioctl.h>

#include "silence.h"
#include "subscriber.h"
#include "transport.h"
#include "words.h"

/* Send a comment, or an empty line.  False if the socket is full. */
static bool heartbeat(struct subscriber *subscriber)
{
	enum form form = subscriber->channel->selection->form;
	const char *words = words_heartbeat(form);
	ssize_t len = (ssize_t)strlen(words), sent;

	/* Nothing may come before the head of a list. */
	if (form_is_list(form))
		return true;
	sent = subscriber_write(subscriber, words, (size_t)len);
	/* A part of it cannot be taken back. */
	if (sent > 0 && sent < len)
		subscriber_close(subscriber, STREAM_END_STALLED);
	return sent != 0;
}

/* Has the reader taken anything since it was last looked at?  Its end of the socket tells. */
static bool reads(struct subscriber *subscriber)
{
	int queued = 0;
	bool fewer;

	/* SIOCOUTQ by the name that needs no header of the kernel. */
	if (ioctl(subscriber->fd, TIOCOUTQ, &queued) != 0)
		return false;
	fewer = subscriber->unread > (uint32_t)queued;
	subscriber->unread = (uint32_t)queued;
	return fewer;
}

/* Is the stream between two events, where a comment fits? */
static bool takes_comment(const struct subscriber *subscriber)
{
	return subscriber->state == LIVE ||
	       (subscriber->state == READING && subscriber->skip == 0 &&
		       subscriber->pending == NULL && !transport_wants(subscriber->tls));
}

void silence_look(struct subscriber *subscriber, uint32_t margin)
{
	const struct fanout *fanout = subscriber->fanout;
	const struct fanouts *shared = fanout->shared;
	uint32_t silent = fanout->now - subscriber->sent;
	bool full = false;

	if (takes_comment(subscriber) && silent + margin > shared->heartbeat)
		full = !heartbeat(subscriber);
	else if (subscriber->state == WAITING && reads(subscriber))
		subscriber->sent = fanout->now;
	else
		full = subscriber->state == WAITING;
	if (full && silent >= shared->stall_timeout)
		subscriber_close(subscriber, STREAM_END_STALLED);
}

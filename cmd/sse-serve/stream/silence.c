/* SPDX-License-Identifier: MIT */
/* Silent streams; see silence.h. */
#include <sys/ioctl.h>

#include "silence.h"
#include "subscriber.h"

/* Send a comment.  False if the socket is full. */
static bool heartbeat(struct subscriber *subscriber)
{
	static const char comment[] = ":\n\n";
	ssize_t sent = subscriber_write(subscriber, comment, sizeof(comment) - 1);

	/* A part of it cannot be taken back. */
	if (sent > 0 && sent < (ssize_t)sizeof(comment) - 1)
		subscriber_close(subscriber);
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

void silence_look(struct subscriber *subscriber, uint32_t margin)
{
	const struct fanout *fanout = subscriber->fanout;
	const struct fanouts *shared = fanout->shared;
	uint32_t silent = fanout->now - subscriber->sent;
	bool full = false;

	if (subscriber->state == LIVE && silent + margin > shared->heartbeat)
		full = !heartbeat(subscriber);
	else if (subscriber->state == WAITING && reads(subscriber))
		subscriber->sent = fanout->now;
	else
		full = subscriber->state == WAITING;
	if (full && silent >= shared->stall_timeout)
		subscriber_close(subscriber);
}

/* SPDX-License-Identifier: MIT */
/* Messages to a loop; see mailbox.h. */
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mailbox.h"

int mailbox_init(struct mailbox *mailbox)
{
	mailbox->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mailbox->wake < 0)
		return -1;
	mailbox->woken = false;
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	return 0;
}

void mailbox_post(struct mailbox *mailbox, struct message *message)
{
	message->next = NULL;
	pthread_mutex_lock(&mailbox->lock);
	*mailbox->last = message;
	mailbox->last = &message->next;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_wake(struct mailbox *mailbox)
{
	uint64_t one = 1;

	if (atomic_exchange(&mailbox->woken, true))
		return;
	/* It fails only if it is already far from zero, and so readable. */
	if (write(mailbox->wake, &one, sizeof(one)) < 0)
		return;
}

void mailbox_handle(struct mailbox *mailbox)
{
	struct message *message;
	uint64_t count;

	/*
	 * Before the list is taken: a later post wakes again.  A wake-up that is not written yet is
	 * left to the next call.
	 */
	if (mailbox->woken && read(mailbox->wake, &count, sizeof(count)) > 0)
		mailbox->woken = false;
	pthread_mutex_lock(&mailbox->lock);
	message = mailbox->first;
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	pthread_mutex_unlock(&mailbox->lock);
	while (message != NULL) {
		struct message *next = message->next;

		message->handle(message);
		message = next;
	}
}

void mailbox_close(struct mailbox *mailbox)
{
	close(mailbox->wake);
	pthread_mutex_destroy(&mailbox->lock);
}

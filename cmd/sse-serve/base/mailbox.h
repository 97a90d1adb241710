/* SPDX-License-Identifier: MIT */
/*
 * How the log thread and the replay thread hand results to a loop: a list and an eventfd that
 * wakes the loop's epoll.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

/* Each posted struct starts with this; once posted, it belongs to the receiver. */
struct message {
	struct message *next;
	void (*handle)(struct message *message); /* called on the loop's thread */
};

struct mailbox {
	pthread_mutex_t lock; /* guards the list; a leaf */
	struct message *first, **last;
	int wake;	    /* eventfd, readable after mailbox_wake() */
	_Atomic bool woken; /* it is, or will be at once: it need not be written again */
};

/* mailbox_init(mailbox): return 0, or -1 with errno. */
int mailbox_init(struct mailbox *mailbox);

/* mailbox_post(mailbox, message): append, without waking.  Any thread. */
void mailbox_post(struct mailbox *mailbox, struct message *message);

/* mailbox_wake(mailbox): make the loop look at its mailbox and at the window.  Any thread. */
void mailbox_wake(struct mailbox *mailbox);

/* mailbox_handle(mailbox): clear the wake-up and handle all messages.  The loop's thread. */
void mailbox_handle(struct mailbox *mailbox);

/* mailbox_close(mailbox): when no thread posts any more. */
void mailbox_close(struct mailbox *mailbox);

#endif

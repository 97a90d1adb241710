/* SPDX-License-Identifier: MIT */
/* Lingering close; see linger.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/source.h"
#include "linger.h"

/* A client that sends for longer than this, or sends more, is cut off. */
#define LINGER_MS 5000
#define LINGER_BYTES (64 << 20)

/* Reads in one go, so that such a client does not delay the others. */
#define DROPS 16

struct lingering {
	struct source source; /* first */
	int fd;		      /* -1 when closed: freed at the next tick */
	int left;	      /* bytes that are still dropped */
	int64_t deadline;
	struct lingering *next;
};

static void drop(struct source *source, uint32_t events)
{
	struct lingering *one = (struct lingering *)source;
	char bytes[16384];
	ssize_t got = 1;

	(void)events;
	for (int i = 0; i < DROPS && one->fd >= 0 && one->left > 0 && got > 0; i++) {
		got = recv(one->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		one->left -= got > 0 ? (int)got : 0;
	}
	if (one->fd < 0 || (got > 0 && one->left > 0) ||
		(got < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	close(one->fd);
	one->fd = -1;
}

void linger_add(struct lingerers *lingerers, int fd, int64_t now)
{
	struct lingering *one = malloc(sizeof(*one));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};

	if (one == NULL || epoll_ctl(lingerers->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		free(one);
		close(fd);
		return;
	}
	shutdown(fd, SHUT_WR);
	*one = (struct lingering){.source.ready = drop,
		.fd = fd,
		.left = LINGER_BYTES,
		.deadline = now + LINGER_MS,
		.next = lingerers->first};
	lingerers->first = one;
}

static void sweep(struct lingerers *lingerers, int64_t now, bool all)
{
	struct lingering **place = &lingerers->first;

	while (*place != NULL) {
		struct lingering *one = *place;

		if (!all && one->fd >= 0 && now < one->deadline) {
			place = &one->next;
			continue;
		}
		if (one->fd >= 0)
			close(one->fd);
		*place = one->next;
		free(one);
	}
}

void linger_tick(struct lingerers *lingerers, int64_t now)
{
	sweep(lingerers, now, false);
}

void linger_close(struct lingerers *lingerers)
{
	sweep(lingerers, 0, true);
}

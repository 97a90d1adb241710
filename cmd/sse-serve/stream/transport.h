/* SPDX-License-Identifier: MIT */
/*
 * How bytes get to a client: by its socket (plain), or through the TLS session on that
 * socket.  Only this file knows the difference: ${tls} is the session, NULL for none.
 *
 * There are only these two kinds, so each function is a single branch and costs a plain stream
 * nothing else.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "tls/tls.h"

/*
 * transport_send(fd, tls, message):
 * Send the pieces of the message.  Return the bytes that were taken, perhaps not all; or -1 with
 * errno, EAGAIN if there is no room.  Bytes that a session took may wait for the socket: see
 * transport_wants().
 */
static inline ssize_t transport_send(int fd, struct tls *tls, const struct msghdr *message)
{
	if (tls != NULL)
		return tls_send(tls, message->msg_iov, (size_t)message->msg_iovlen);
	/* One piece, which is usual, costs less this way. */
	if (message->msg_iovlen == 1)
		return send(fd, message->msg_iov->iov_base, message->msg_iov->iov_len,
			MSG_NOSIGNAL | MSG_DONTWAIT);
	return sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/*
 * transport_wants(tls): do bytes that were taken still wait for the socket, which is full?  Tries
 * to send them.
 */
static inline bool transport_wants(struct tls *tls)
{
	return tls != NULL && tls_wants(tls) && tls_flush(tls) != 0;
}

/*
 * transport_hear(tls):
 * The socket is ready.  After its request, a client only sends messages of the TLS session itself.
 * Read them, drop everything else, and send what waits.  Return 0; 1 if there is more to read, for
 * which epoll gives no new edge; -1 if the session has ended.
 */
static inline int transport_hear(struct tls *tls)
{
	return tls != NULL ? tls_hear(tls) : 0;
}

/* transport_close(fd, tls): end the session, and close the socket. */
static inline void transport_close(int fd, struct tls *tls)
{
	if (tls != NULL) {
		tls_finish(tls);
		tls_free(tls);
	}
	close(fd);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One client's TLS session on a non-blocking socket.  It belongs to one thread at a time, and may be
 * handed to another.
 *
 * What OpenSSL writes goes through a BIO of ours, which keeps what a full socket did not take.  So
 * OpenSSL takes each record whole, and never has to be given the same bytes once more: bytes that
 * tls_send() took are sent before all others, as bytes in the queue of a socket are.  A session keeps
 * at most about one record (16 KiB), and nothing while its socket accepts data.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct ssl_ctx_st;
struct tls;
struct x509_st;

/* The most bytes of one record, and so of one read. */
#define TLS_RECORD 16384

/* Bytes of the SHA-256 by which a CA is known. */
#define TLS_CA 32

/* Who a client is, as its certificate says. */
struct tls_client {
	char *subject;		  /* its common name */
	unsigned char ca[TLS_CA]; /* the CA of --client-ca that it leads to: tls_digest() */
	int64_t expires;	  /* ms since the epoch, also of what is between it and the CA */
};

/*
 * tls_new(context, fd):
 * Make a session for a client that has connected by the socket ${fd}, which stays the caller's and
 * must outlive the session.  Return NULL without memory.
 */
struct tls *tls_new(struct ssl_ctx_st *context, int fd);

/*
 * tls_handshake(tls):
 * Continue the handshake.  1: it is done.  0: it waits for the socket.  -1: it failed; the client
 * was sent an alert.
 */
int tls_handshake(struct tls *tls);

/* tls_fault(): why has the last handshake of this thread failed?  A constant. */
const char *tls_fault(void);

/*
 * tls_read(tls, out, max):
 * Return the number of bytes read; 0 if the client sends no more; -1 with errno, EAGAIN if it has to
 * wait for the socket.  Answers key updates; reads nothing while bytes wait to be sent.
 */
ssize_t tls_read(struct tls *tls, void *out, size_t max);

/*
 * tls_has_more(tls): did the last call stop reading because it was enough for one turn, and not
 * because the socket was empty?  epoll, asked for edges, would not tell again.
 */
bool tls_has_more(const struct tls *tls);

/*
 * tls_hear(tls):
 * Read, and drop the bytes: the client has nothing to say any more.  0 when there is nothing more to
 * read; 1 when that was enough for one turn; -1 if the client has ended the session, or it is broken.
 */
int tls_hear(struct tls *tls);

/*
 * tls_send(tls, pieces, count):
 * Return the number of bytes that were taken; -1 with errno, EAGAIN if bytes taken earlier still wait
 * for the socket.
 */
ssize_t tls_send(struct tls *tls, const struct iovec *pieces, size_t count);

/*
 * tls_flush(tls): send what waits for the socket.  0: nothing waits any more.  -1 with errno, EAGAIN
 * if the socket is full.
 */
int tls_flush(struct tls *tls);

/* tls_wants(tls): do bytes wait to be sent? */
bool tls_wants(const struct tls *tls);

/*
 * tls_finish(tls): after all that waits was sent, tell the client that no more will come
 * (close_notify).  The client may still send.
 */
void tls_finish(struct tls *tls);

/*
 * tls_client(tls): who the client is, or NULL if it has shown no certificate with a common name.  Valid
 * as long as ${tls}.
 */
const struct tls_client *tls_client(const struct tls *tls);

/* tls_digest(certificate, digest): the SHA-256 by which it is known. */
void tls_digest(const struct x509_st *certificate, unsigned char digest[TLS_CA]);

/* tls_expiry(certificate): when it expires, s since 1970; 0 if it does not say so. */
int64_t tls_expiry(const struct x509_st *certificate);

/* tls_free(tls): the socket stays open.  Takes NULL. */
void tls_free(struct tls *tls);

/*
 * tls_speaks_http(byte): is this the first byte of a request in plain HTTP, and not of a handshake?
 */
bool tls_speaks_http(unsigned char byte);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The head of an answer that the server writes itself, because the library does not send it: a
 * stream's, or that of a refusal.  Pure: text in, text out.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The headers of an answer that a page of another site may read (Access-Control-Expose-Headers). */
#define HEAD_EXPOSED                                                                               \
	"Last-Event-ID, Link, Location, Retry-After, Idempotency-Replayed, WWW-Authenticate, "     \
	"X-Request-ID, Stream-Heartbeat"

/* The value of Strict-Transport-Security (RFC 6797). */
#define HEAD_HSTS "max-age=%lld"

struct head {
	unsigned status;
	const char *reason; /* "Not Found" */
	time_t date;
	const char *type; /* Content-Type; NULL for none */
	const char *id;	  /* X-Request-ID; NULL for none */
	const char *cors; /* Access-Control-Allow-Origin; NULL for none */
	bool credentials; /* Access-Control-Allow-Credentials, with cors */
	bool vary;	  /* on another Origin the answer may differ */
	int64_t hsts;	  /* s of Strict-Transport-Security; 0 for none */
	const char *more; /* further header lines with their line ends, or "" */
};

/*
 * head_write(head, out, size):
 * Write an HTTP/1.1 head, up to and with the empty line.  The body ends with the connection.  Return
 * its length, 0 if it does not fit.
 */
size_t head_write(const struct head *head, char *out, size_t size);

#endif

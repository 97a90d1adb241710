/* SPDX-License-Identifier: MIT */
/*
 * How long a request says that its body is, and whether that is ambiguous.  A proxy in front of the
 * server may have read an ambiguous length in another way.  Then bytes that the proxy took for a
 * body would be a request to the server, or the reverse: request smuggling (RFC 9112, sections 5.1
 * and 6.3).  Pure functions.
 */
#ifndef BODY_LENGTH_H
#define BODY_LENGTH_H

#include <stdbool.h>
#include <stdint.h>

/* Begin with {0}. */
struct body_length {
	const char *value; /* of Content-Length; the caller keeps it */
	bool chunked, doubtful;
};

/* body_length_look(length, name, value): look at one header; ${value} may be NULL. */
void body_length_look(struct body_length *length, const char *name, const char *value);

/*
 * body_length_read(length, bytes):
 * After all headers: set ${bytes} to the Content-Length, 0 without one.  False if the length is
 * ambiguous.
 */
bool body_length_read(const struct body_length *length, uint64_t *bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Finds out which server a request names, in Host or in its target, and refuses a request that
 * names another server.
 */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include <stdbool.h>

struct request;

/* What the head of a request says.  Begin with {0}. */
struct authority {
	const char *host; /* the value of Host; the library keeps it */
	unsigned hosts;	  /* the number of Host headers */
};

/* authority_look(authority, name, value): look at one header. */
void authority_look(struct authority *authority, const char *name, const char *value);

/*
 * authority_check(request, authority, version):
 * Call it when the head has arrived.  Set request->host; the authority of a target in absolute form
 * replaces Host (RFC 9112, section 3.2.2).  Return false after replying with a problem that ends
 * the connection: 400 as in RFC 9112, section 3.2; 421 if the request names another server.  An
 * HTTP/1.0 request may leave out Host: health probes do so, and no browser does.
 */
bool authority_check(
	struct request *request, const struct authority *authority, const char *version);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The requests that ask for a stream (WHATWG HTML, section 9.2.4): method, body, headers,
 * and how a redirect changes them.  libcurl follows redirects itself; this module does what libcurl
 * leaves to the client.
 */
#ifndef SUBSCRIBE_H
#define SUBSCRIBE_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"
#include "client_answer.h"
#include "client_url.h"
#include "error.h"
#include "sse.h"

/* The longest id that is sent; servers accept much less. */
#define SUBSCRIBE_ID_MAX ((size_t)64 << 10)

/* The caller sets the first fields, which outlive the requests. */
struct subscribe {
	struct client *client;
	const struct client_url *url;
	const char *body; /* NULL: none; with one the method is POST, unless -X names another */
	size_t body_len;
	const char *body_type; /* its Content-Type */
	const char *accept;    /* the Accept header */

	const char *method; /* of the request, or what redirects left of it; NULL for a GET */
	bool id_told;	    /* the user was told that an id cannot be sent */
};

/*
 * subscribe_begin(subscribe, last_id, error):
 * Set up the next request, for the events after ${last_id}.  An id that a header cannot hold is
 * left out, with a warning the first time.  0, or -1: EX_OSERR.
 */
int subscribe_begin(struct subscribe *subscribe, struct sse_text last_id, struct error *error);

/*
 * subscribe_redirect(subscribe, answer, last_id, error):
 * Prepare for the redirect in ${answer}, which libcurl is about to follow: another origin gets no
 * secret, not even in a header of another name, and a method that is not POST becomes a GET where
 * HTTP says so (Fetch, section 4.4).  0, or -1: EX_OSERR.
 */
int subscribe_redirect(struct subscribe *subscribe, const struct client_answer *answer,
	struct sse_text last_id, struct error *error);

/* subscribe_id_fits(id): is it an id, and is it valid as the value of a header? */
bool subscribe_id_fits(const char *id);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Delivers events to another HTTP server (--post): one after the other, each by a POST that is tried
 * until the receiver takes it, or is given up.  Nothing of the source's login goes to the receiver.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "brief.h"
#include "buf.h"
#include "client.h"
#include "client_answer.h"
#include "client_options.h"
#include "client_url.h"
#include "envelope.h"
#include "error.h"
#include "option.h"
#include "sign.h"
#include "sse.h"
#include "trouble.h"
#include "uuid.h"

struct relay_options {
	const char *target; /* a topic or URL; NULL: nothing is delivered */
	struct option_list headers;
	const char *sign_key, *failed; /* files, or NULL */
	int64_t give_up;	       /* ms */
};

/* The longest webhook-id: the longest key that sse-serve takes. */
#define RELAY_ID_MAX ((size_t)255)

struct relay {
	const struct relay_options *options;
	struct client_options requests; /* of the receiver */
	const char *source;		/* the stream's URL, to display */
	struct client client;
	struct client_url url;
	struct client_answer answer;
	struct sign sign;
	struct backoff backoff;
	struct trouble trouble;
	struct uuid_source uuids;
	struct buf last_id;		 /* of the event before */
	const struct envelope *envelope; /* what else is known of an event, or NULL */

	/* Of this event: */
	char id[RELAY_ID_MAX + 1]; /* its webhook-id */
	int64_t end, until;	   /* moments: of --timeout, and of the end of this attempt */
	struct brief why;	   /* of the last attempt's failure */
};

/*
 * relay_open(relay, program, options, common, source, last_id, end, error):
 * Prepare deliveries; nothing is connected yet.  Of the options of the source, ${common}, those for
 * messages, for the way out (proxy, authorities) and for time apply.  ${last_id} is the id that the
 * stream begins after.  All arguments are borrowed.  ${end} is the moment of --timeout, here and
 * below.  Return 0, or -1: EX_USAGE for the URL, an error of sign_open() or of failed_check().  The
 * caller closes with relay_close(), also after a failure; it takes a struct that is all zero.
 */
int relay_open(struct relay *relay, const char *program, const struct relay_options *options,
	const struct client_options *common, const char *source, const char *last_id, int64_t end,
	struct error *error);
void relay_close(struct relay *relay);

/* relay_about(relay, envelope): ${envelope}, which the caller keeps, says more of each event. */
void relay_about(struct relay *relay, const struct envelope *envelope);

/*
 * relay_event(relay, event, origin, error):
 * Deliver one event, however long that takes.  Return 0 if the receiver took it, or if it was given
 * up and is in the file of --failed; then the state may move.  Otherwise return -1: EX_TEMPFAIL if it
 * was given up, or if --timeout ended the attempts, 128+n on a signal, EX_IOERR if the file of
 * --failed cannot be written, EX_OSERR.
 */
int relay_event(struct relay *relay, const struct sse_event *event, const char *origin,
	struct error *error);

#endif

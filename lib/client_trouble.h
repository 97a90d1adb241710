/* SPDX-License-Identifier: MIT */
/*
 * Trouble with a stream, as it is told to a person: one line when it has lasted for a while, and one
 * when it is over.  The moments are those of client_now().
 */
#ifndef CLIENT_TROUBLE_H
#define CLIENT_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "error.h"

/* Read the fields, do not write them. */
struct trouble {
	struct client *client; /* which tells it */
	int64_t since;	       /* when the stream was lost; CLIENT_NEVER while all is well */
	int64_t attempts;      /* that brought no stream since then */
	bool told;
	bool ever_opened; /* there was a stream before */
};

/* trouble_init(trouble, client): all is well. */
void trouble_init(struct trouble *trouble, struct client *client);

/* trouble_note(trouble, stream): an attempt failed; it had brought a stream if ${stream}. */
void trouble_note(struct trouble *trouble, bool stream);

/* trouble_over(trouble): a stream is open; if trouble was told, tell that it is over. */
void trouble_over(struct trouble *trouble);

/*
 * trouble_due(trouble):
 * The moment from which trouble_tell() is to be called while nothing changes: at once for someone at
 * a terminal who has seen no stream yet.
 */
int64_t trouble_due(const struct trouble *trouble);

/* trouble_tell(trouble, reason): tell how long it lasts, and why. */
void trouble_tell(struct trouble *trouble, const struct error *reason);

#endif

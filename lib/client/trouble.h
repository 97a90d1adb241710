/* SPDX-License-Identifier: MIT */
/*
 * The messages about trouble with a stream: one line when it has lasted for a while, and one when
 * it is over.  The moments are those of clock_now_ms().
 */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "error.h"

/* Read the fields, do not write them. */
struct trouble {
	struct client *client; /* that prints the messages */
	int64_t since;	       /* when the stream was lost; CLIENT_NEVER without trouble */
	int64_t attempts;      /* failed attempts since then */
	bool told;
	bool ever_opened; /* a stream was open before */
};

/* trouble_init(trouble, client): start without trouble. */
void trouble_init(struct trouble *trouble, struct client *client);

/* trouble_note(trouble, stream): an attempt failed; it had brought a stream if ${stream}. */
void trouble_note(struct trouble *trouble, bool stream);

/* trouble_over(trouble): a stream is open; if trouble was told, tell that it is over. */
void trouble_over(struct trouble *trouble);

/*
 * trouble_due(trouble):
 * The moment at which to call trouble_tell() if nothing changes; it is now if a user at a terminal
 * has not seen a stream yet.
 */
int64_t trouble_due(const struct trouble *trouble);

/* trouble_tell(trouble, reason): print how long it has lasted, and why. */
void trouble_tell(struct trouble *trouble, const struct error *reason);

#endif

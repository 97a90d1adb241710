/* SPDX-License-Identifier: MIT */
/*
 * The messages about trouble with a server: one line when it has lasted for a while, and one when
 * it is over.  The moments are those of clock_now_ms().
 */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "client_voice.h"
#include "client_run.h"
#include "error.h"

/* What the messages call it. */
struct trouble_words {
	const char *none; /* "no stream" */
	const char *works, *works_again;
};

/* Read the fields, do not write them. */
struct trouble {
	const struct trouble_words *words;
	struct client *client; /* that prints the messages */
	int64_t since;	       /* when it began; CLIENT_NEVER without trouble */
	int64_t attempts;      /* failed attempts since then */
	bool told;
	bool ever_worked; /* it worked before */
};

/* trouble_init(trouble, client, words): start without trouble; ${words} are borrowed. */
void trouble_init(
	struct trouble *trouble, struct client *client, const struct trouble_words *words);

/* trouble_note(trouble, stream): an attempt failed; it had brought a stream if ${stream}. */
void trouble_note(struct trouble *trouble, bool stream);

/* trouble_over(trouble): it works; if trouble was told, tell that it is over. */
void trouble_over(struct trouble *trouble);

/* trouble_due(trouble): when to tell of it; it may be past. */
int64_t trouble_due(const struct trouble *trouble);

/* trouble_tell(trouble, reason): print how long it has lasted, and why. */
void trouble_tell(struct trouble *trouble, const struct error *reason);

/*
 * trouble_wait(trouble, until, reason):
 * Wait until a moment, as client_wait() does.  When the trouble has lasted for a while, print how
 * long and why; print it at once if a user at a terminal has not seen it work yet.
 */
enum client_outcome trouble_wait(
	struct trouble *trouble, int64_t until, const struct error *reason);

#endif

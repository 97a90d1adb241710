/* SPDX-License-Identifier: MIT */
/*
 * The messages about trouble with a server.  In a terminal that can write over a line it is one,
 * after a second, with the reason first and the time until the next attempt.  It is kept up to date,
 * and at the end says that the trouble is over.  Elsewhere, and with -v, it is one line when trouble has
 * lasted for a while, and one when it is over.  Before it is trouble, a terminal is told of an open
 * stream that is silent.  The moments are those of clock_now_ms().
 */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "brief.h"
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
	const struct client *client; /* that prints the messages */
	const char *host;
	bool folds;	  /* the messages are one line that is written over */
	int64_t since;	  /* when it began; CLIENT_NEVER without trouble */
	int64_t attempts; /* failed attempts since then */
	int64_t next;	  /* when the pause ends; CLIENT_NEVER outside of one */
	int64_t tried;	  /* when the attempt under way began, or CLIENT_NEVER */
	int64_t heard;	  /* when the open stream brought anything last; CLIENT_NEVER without one */
	int64_t heartbeat; /* ms after which its server breaks a silence; 0: not known */
	bool quiet;	   /* a line says that it is silent */
	bool told;	   /* of this trouble */
	bool untold;	   /* this pause was not told of */
	bool ever_worked;  /* it worked before */
	int64_t drawn_at;
	char reason[BRIEF_TEXT]; /* of the last failure; empty before there is one */
};

/*
 * trouble_init(trouble, client, words, origin):
 * Start without trouble; ${client}, ${words} and the server's ${origin} are borrowed.
 */
void trouble_init(struct trouble *trouble, const struct client *client,
	const struct trouble_words *words, const char *origin);

/* trouble_await(trouble): from now on it should work, but there is no answer yet. */
void trouble_await(struct trouble *trouble);

/*
 * trouble_note(trouble, stream, why, until):
 * An attempt failed; it had brought a stream if ${stream}.  A pause until that moment follows, or
 * until trouble_try(), when the next attempt begins.
 */
void trouble_note(struct trouble *trouble, bool stream, const struct brief *why, int64_t until);
void trouble_try(struct trouble *trouble);

/*
 * trouble_listen(trouble, heard, heartbeat):
 * A stream is open that brought something at the moment ${heard}, CLIENT_NEVER if none is; its server
 * sends something every ${heartbeat} ms, 0 if that is not known.  A person is told of a silence.
 * trouble_hear(trouble): it brings something now.
 */
void trouble_listen(struct trouble *trouble, int64_t heard, int64_t heartbeat);
void trouble_hear(struct trouble *trouble);

/* trouble_over(trouble): it works; if trouble was told, tell that it is over. */
void trouble_over(struct trouble *trouble);

/* trouble_due(trouble): when to tell of it next; it may be past, or CLIENT_NEVER. */
int64_t trouble_due(const struct trouble *trouble);

/* trouble_tell(trouble, reason): tell why, and how long it has lasted; ${reason} is a sentence. */
void trouble_tell(struct trouble *trouble, const struct error *reason);

/*
 * trouble_wait(trouble, until, reason):
 * Wait until a moment, as client_wait() does, and tell what is due meanwhile.
 */
enum client_outcome trouble_wait(
	struct trouble *trouble, int64_t until, const struct error *reason);

#endif

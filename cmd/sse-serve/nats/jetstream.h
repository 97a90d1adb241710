/* SPDX-License-Identifier: MIT */
/*
 * A stream of NATS JetStream that several nodes append to and follow, by the C client of NATS.  What is
 * in its messages is not known here.
 *
 * One thread owns it and calls these functions, but for those that say "any thread".  The client's
 * own threads only note what came, and wake the owner.
 */
#ifndef JETSTREAM_H
#define JETSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "servers.h"

/* The longest description of a stream, with the NUL. */
#define JETSTREAM_DESCRIPTION 200

/* The ids of nodes, each of which is another one after a restart, have so many bytes. */
#define JETSTREAM_NODE 16

struct jetstream;

struct jetstream_config {
	const struct servers *servers;
	const char *description; /* of a new stream; no other stream has it */
};

/* The stream, as it was when it was opened. */
struct jetstream_stream {
	uint64_t mark; /* a hash of the description: two streams of one name differ in it */
	char description[JETSTREAM_DESCRIPTION];
	uint64_t first, last; /* the sequences of its oldest and newest message */
	size_t message_max;   /* the most bytes that a message may have */
	int64_t replicas;
};

/* A message that came. */
struct jetstream_message {
	struct jetstream_message *next;
	uint64_t sequence; /* in the stream; 0: it was passed on, and is not in it */
	int64_t time;	   /* at which it was stored, ms since 1970 */
	size_t len;
	char data[]; /* and a NUL */
};

/* What became of the message that was published last. */
enum jetstream_outcome {
	JETSTREAM_WAITING, /* nothing is known yet */
	JETSTREAM_STORED,
	JETSTREAM_ABSENT,  /* nobody took it: there is no leader now */
	JETSTREAM_REFUSED, /* the stream does not take it */
	JETSTREAM_UNKNOWN, /* no answer came: it may be stored, or will be */
};

/*
 * jetstream_open(config, stream, error):
 * Connect, and find the stream or make it.  While no server answers, it tries again for some
 * seconds.  NULL with EX_TEMPFAIL if NATS cannot be
 * reached or has no leader, EX_NOPERM if it refuses the credentials, EX_CONFIG if the stream has
 * settings with which events would be lost.
 */
struct jetstream *jetstream_open(const struct jetstream_config *config,
	struct jetstream_stream *stream, struct error *error);

/*
 * jetstream_reaches(jetstream, sequence, last):
 * Does the stream have this message?  A leader that was just started may not have read all of its own log yet,
 * so it is asked again for some seconds.  *${last} is the newest that it has.
 */
bool jetstream_reaches(struct jetstream *jetstream, uint64_t sequence, uint64_t *last);

/* jetstream_on_news(jetstream, wake, context): call this when there is something to take. */
void jetstream_on_news(struct jetstream *jetstream, void (*wake)(void *context), void *context);

/*
 * jetstream_follow(jetstream, after, error):
 * From now on, take the messages after this sequence, and those that are passed on.  Once.  Return 0, or
 * -1.
 */
int jetstream_follow(struct jetstream *jetstream, uint64_t after, struct error *error);

/*
 * jetstream_take(jetstream): the next message, in order and without a hole, or NULL.  free() it.
 * jetstream_wait(jetstream, ms): wait until a message or a new outcome has come, at most so long.
 */
struct jetstream_message *jetstream_take(struct jetstream *jetstream);
void jetstream_wait(struct jetstream *jetstream, int64_t ms);

/*
 * jetstream_publish(jetstream, id, data, len):
 * Have a message stored.  If it is published again with the same id within two minutes, it is stored once.
 * Return 0 if it was sent, or -1 if it was not.
 */
int jetstream_publish(struct jetstream *jetstream, const char *id, const void *data, size_t len);

/* jetstream_outcome(jetstream, id, error): of the last attempt with this id. */
enum jetstream_outcome jetstream_outcome(
	struct jetstream *jetstream, const char *id, struct error *error);

/* jetstream_pass(jetstream, data, len): pass a message on to all other nodes that are there now. */
void jetstream_pass(struct jetstream *jetstream, const void *data, size_t len);

/*
 * jetstream_tell(jetstream, data, len):
 * Send a message to all other nodes that listen now, beside the log: it may be lost.  It may block for
 * some seconds.  Any thread.
 * jetstream_listen(jetstream, heard, context, error):
 * From now on, call this on a thread of its own for what other nodes tell; ->node is the id of the one
 * that does, and all is valid during the call.  Once.  Return 0, or -1.
 */
typedef void jetstream_heard(void *context, const char *node, const void *data, size_t len);
void jetstream_tell(struct jetstream *jetstream, const void *data, size_t len);
int jetstream_listen(
	struct jetstream *jetstream, jetstream_heard *heard, void *context, struct error *error);

/*
 * jetstream_check(jetstream, error): can NATS be reached, and does the stream have a leader, as far as
 * is known?  Return 0, or -1 with EX_TEMPFAIL.  Any thread.
 * jetstream_away(jetstream): the ms for which there has been no connection; 0: there is one.
 * Any thread.
 */
int jetstream_check(struct jetstream *jetstream, struct error *error);
int64_t jetstream_away(struct jetstream *jetstream);

/*
 * jetstream_over(jetstream, error): -1 if following cannot go on: the stream is another one now, or
 * has lost messages that were not taken; or 0.
 */
int jetstream_over(struct jetstream *jetstream, struct error *error);

/* jetstream_node(jetstream): JETSTREAM_NODE letters and digits that no other node has.  Any thread. */
const char *jetstream_node(const struct jetstream *jetstream);

/* jetstream_last(jetstream): the newest sequence that is known to be in the stream.  Any thread. */
uint64_t jetstream_last(struct jetstream *jetstream);

/* jetstream_close(jetstream): takes NULL. */
void jetstream_close(struct jetstream *jetstream);

/* jetstream_library(): the version of the client's library. */
const char *jetstream_library(void);

#endif

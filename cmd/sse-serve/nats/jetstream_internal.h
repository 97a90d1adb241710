/* SPDX-License-Identifier: MIT */
/* What a stream of JetStream is to the files of this room; see jetstream.h. */
#ifndef JETSTREAM_INTERNAL_H
#define JETSTREAM_INTERNAL_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>

#include "jetstream.h"

/* The id of a message, as jetstream_publish() takes it. */
#define JETSTREAM_ID 64

/* How long JetStream may take to answer, in ms. */
#define ANSWER_MS 2000

struct jetstream {
	char name[SERVERS_NAME];
	char log[SERVERS_NAME + 8], pass[SERVERS_NAME + 8], tell[SERVERS_NAME + 8]; /* subjects */
	uint64_t mark;		       /* of the stream; see struct jetstream_stream */
	char node[JETSTREAM_NODE + 1]; /* what is passed on, or told, begins with it */
	natsConnection *connection;
	jsCtx *js;
	natsSubscription *stored, *passed, *told;
	jetstream_heard *heard; /* set before ${told} is */
	void *heard_context;
	void (*wake)(void *context);
	void *context;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	pthread_cond_t news;
	struct jetstream_message *first, **last_next;
	size_t bytes;	   /* of these messages */
	uint64_t received; /* the sequence of the newest that was taken from the client */
	char id[JETSTREAM_ID];
	enum jetstream_outcome outcome; /* of the message with this id */
	enum jetstream_outcome seen;	/* which jetstream_outcome() returned last */
	char why[200];			/* it was refused */
	int64_t away;			/* since when, by clock_now_ms(); 0: connected */
	int64_t answered;		/* when the stream's leader did so last */
	bool hole;			/* a message is missing: follow again from there */
	bool lost;			/* what is missing is gone from the stream */
	bool replaced;			/* another stream has the name */
	uint64_t last;			/* the newest sequence that is known */
	bool closing;
	int threads; /* of the client that may still call us */
	pthread_cond_t look;
	pthread_t watcher;
	bool watched;
};

/* connection_open(jetstream, config, error): connect, once.  Return 0, or -1 as jetstream_open(). */
int connection_open(
	struct jetstream *jetstream, const struct jetstream_config *config, struct error *error);

/*
 * feed_start(jetstream, after, error): begin to follow.  feed_stop(jetstream): end it.
 * feed_free(jetstream): release the messages that nobody took.
 */
int feed_start(struct jetstream *jetstream, uint64_t after, struct error *error);
void feed_stop(struct jetstream *jetstream);
void feed_free(struct jetstream *jetstream);

/*
 * jetstream_mark(info): what distinguishes a stream from another one of its name.  When it was made does not:
 * a NATS server that was killed may say of it what another one does not.
 */
uint64_t jetstream_mark(const jsStreamInfo *info);

/* jetstream_news(jetstream): wake the owner.  The lock is held. */
void jetstream_news(struct jetstream *jetstream);

#endif

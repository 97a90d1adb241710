/* SPDX-License-Identifier: MIT */
/* A store of several nodes, to the store_nats*.c; see store_nats.c. */
#ifndef STORE_NATS_INTERNAL_H
#define STORE_NATS_INTERNAL_H

#include <limits.h>

#include "command.h"
#include "nats/jetstream.h"
#include "store.h"
#include "trail.h"

/* The most commands, and about the most events, that are applied in one transaction. */
#define BATCH_COMMANDS 512
#define BATCH_EVENTS 8192

/* What this node sent, and waits to see applied. */
struct own_command {
	const char *id;
	struct store_group *const *groups; /* of an append; get the results */
	size_t count;
	struct store_deletion *deletion; /* of a deletion; gets the results */
	bool applied;
};

/* Commands that were taken, and are applied together. */
struct batch {
	struct jetstream_message *messages[BATCH_COMMANDS];
	struct command commands[BATCH_COMMANDS];
	size_t count;
	size_t total;	   /* of their groups, */
	size_t events;	   /* and their events */
	uint64_t sequence; /* of the last one */
	int64_t time;
	struct store_group **groups; /* room for ${room} of them */
	size_t room;
};

_Static_assert(STORE_NODE == JETSTREAM_NODE, "a node of the store is one of NATS");

struct nats_store {
	struct store store;
	struct store *copy; /* of the log, in a database */
	struct jetstream *jetstream;
	size_t message_max;
	int64_t keys;		 /* how long the log keeps keys, in ms */
	uint64_t number;	 /* of commands that this node sent */
	struct own_command *own; /* NULL: none */
	struct batch batch;
	struct jetstream_message *held; /* was taken, and could not be applied yet */
	int64_t retry_at;    /* when to try again to apply what could not be; 0: nothing is */
	bool told;	     /* that something could not be applied */
	bool failing;	     /* the command that was sent last got no answer */
	bool following;	     /* the store is told when something comes */
	char path[PATH_MAX]; /* of the copy */
	struct snapshots *snapshots;
	uint64_t taken;	    /* the sequence of the newest command that was applied, or left out */
	_Atomic bool stuck; /* something could not be applied */
	struct trail trail; /* of what was taken */
	_Atomic bool differs; /* another node took other messages: that was logged */
};

/*
 * store_nats_apply(nats, error): apply what has come.  Return 0, or -1 if that fails now; then it is tried
 * again with the next call.
 */
int store_nats_apply(struct nats_store *nats, struct error *error);

/*
 * store_nats_take(nats, error): the same, but if it failed a moment ago, not yet again; failures are
 * logged once.
 */
int store_nats_take(struct nats_store *nats, struct error *error);

/*
 * store_nats_next_id(nats, id, size): write the id for a new command: NODE-NUMBER, and, in hexadecimal,
 * -SEQUENCE-HASH if this node's trail is long enough.
 * store_nats_send(nats, bytes, own, error):
 * Send the command ${own}, whose bytes these are, and wait until it is applied here; meanwhile others'
 * commands are.  Return 0, or -1: with EX_TEMPFAIL, it is stored perhaps, as the reason says; with
 * EX_IOERR, it is not.
 */
void store_nats_next_id(struct nats_store *nats, char *id, size_t size);
int store_nats_send(struct nats_store *nats, const struct buf *bytes, struct own_command *own,
	struct error *error);

/*
 * store_nats_connect(nats, config, stream, error): connect to the log, or make it, and look whether it is one.
 * 0, or -1.
 *
 * store_nats_make_tag(name, mark, tag): the tag of ids of a log: it is the same on all nodes, and another
 * one if the stream is made again.
 */
int store_nats_connect(struct nats_store *nats, const struct store_config *config,
	struct jetstream_stream *stream, struct error *error);
void store_nats_make_tag(const char *name, uint64_t mark, char tag[IDENTITY_TAG + 1]);

/* store_nats_open_parts(nats, config, error): connect, open the copy, and catch up.  0, or -1. */
int store_nats_open_parts(
	struct nats_store *nats, const struct store_config *config, struct error *error);

/* store_nats_forget(nats): free what was taken and not applied. */
void store_nats_forget(struct nats_store *nats);

#endif

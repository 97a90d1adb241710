/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests of stream/ share: the fan-out of one loop with a real window, a real replay
 * thread and real mailboxes; a log that is an array; and clients, each the other end of the
 * socketpair() that a subscriber sends to.  The test is the log thread and the loop.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "log/store.h"
#include "log/window.h"
#include "stream/catch_up.h"
#include "stream/fanout.h"
#include "stream/limits.h"
#include "stream/presence.h"
#include "stream/replay.h"

/* The incarnation of ids, and the head of each stream's answer. */
#define STREAMS_TAG "testtest"
#define STREAMS_HEAD "HEAD\n\n"

/* What begins the answer of a list: what it is, up to which position, how long. */
#define STREAMS_REPLY "%d " STREAMS_TAG ":%llu %zu\n"

#define STREAMS_HEARTBEAT 10000
#define STREAMS_STALL 20000

/* An event of the log; its position is its place in the array, from 1. */
struct streams_event {
	struct topic *topic;
	char *data; /* owned */
	size_t len;
	bool gone;
};

struct streams {
	struct store store;   /* first: what the replay thread reads */
	pthread_mutex_t lock; /* guards the array and what is counted of reads */
	struct streams_event *events;
	size_t count, capacity;
	unsigned reads; /* of the log */
	bool broken;	/* a read fails */
	uint64_t
		subjects; /* the subject of an event is the rest of its position by this; 0: none */

	struct topics *topics;
	struct window *window;
	struct replay_thread *replay_thread;
	bool stopped;
	struct limits *limits;
	struct mailbox mailbox;
	struct fanouts shared;
	struct fanout fanout, *all[1];
	struct principal *principal; /* who opens streams; the test's; or NULL */
	struct event_types types;    /* that streams want */
	bool marked, ends, polls;    /* how streams are opened, see opening.h */
	uint32_t wait;
	enum form form; /* of polls; of a list, see STREAMS_REPLY */
};

/* streams_open(streams, size): with a window of about ${size} bytes, at least 4096. */
void streams_open(struct streams *streams, size_t size);

/* streams_stop(streams): stop the replay thread, and take what it read. */
void streams_stop(struct streams *streams);

/* streams_close(streams): end what is open, and free all. */
void streams_close(struct streams *streams);

/* streams_publish(streams, topic, data, len): a stored event; its position. */
uint64_t streams_publish(struct streams *streams, const char *topic, const char *data, size_t len);

/* streams_publish_text(streams, topic, data): the same, of a string. */
uint64_t streams_publish_text(struct streams *streams, const char *topic, const char *data);

/* streams_publish_ephemeral(streams, topic, data, len): one that is in the window only. */
void streams_publish_ephemeral(
	struct streams *streams, const char *topic, const char *data, size_t len);

/*
 * streams_publish_some(streams, topic, count, size):
 * Stored events of up to ${size} bytes, which their positions determine; see expect_some().
 */
void streams_publish_some(struct streams *streams, const char *topic, unsigned count, size_t size);

/* streams_remove(streams, position): retention removes the event. */
void streams_remove(struct streams *streams, uint64_t position);

/*
 * streams_erase(streams, position): the event is deleted, from the log and the window, which takes
 * the next position; and those who read are told.
 */
void streams_erase(struct streams *streams, uint64_t position);

/* streams_turn(streams): one turn of the loop, which waits for nothing.  True if more is left. */
bool streams_turn(struct streams *streams);

/* streams_settle(streams): turns, until nothing is left to do and nothing is read. */
void streams_settle(struct streams *streams);

/* streams_at(streams, now): it is ${now} ms after the start: turn the wheel, and settle. */
void streams_at(struct streams *streams, uint32_t now);

/* streams_delivered(streams), streams_behind(streams): what is counted. */
uint64_t streams_delivered(const struct streams *streams);
uint64_t streams_behind(const struct streams *streams);

/*
 * What a client should receive, one after the other: its answer's head and where it starts, how far
 * it has come, or frames as the server should make them.  expect_new() begins.
 */
void expect_new(struct buf *expected);
void expect_start(struct buf *expected, uint64_t position);
void expect_position(struct buf *expected, uint64_t position);
void expect_event(struct buf *expected, uint64_t position, const char *data, size_t len);
void expect_some(struct buf *expected, uint64_t first, uint64_t last, size_t size);
void expect_mark(struct buf *expected, uint64_t position);
void expect_ephemeral(struct buf *expected, const char *data, size_t len);
void expect_deleted(struct buf *expected);
void expect_gap(struct buf *expected, const char *after, uint64_t oldest, const char *reason,
	uint64_t position);

/*
 * streams_secure(state): from now on clients speak TLS.  streams_plain(state): no longer.  For groups of
 * tests, which they begin and end.
 */
int streams_secure(void **state);
int streams_plain(void **state);

struct client {
	struct streams *streams;
	int fd;
	struct ssl_st *ssl; /* its session, or NULL */
	struct subscriber *subscriber; /* as long as the stream is open */
	struct buf got;		       /* all bytes that it has read */
};

/*
 * client_open(client, streams, topic, start):
 * Open a stream of one topic.  The server's socket holds as little as the system allows, a few kB.
 */
void client_open(
	struct client *client, struct streams *streams, const char *topic, struct start start);

/* client_open_many(client, streams, patterns, count, envelope, start): of any selection. */
void client_open_many(struct client *client, struct streams *streams, const char *const *patterns,
	size_t count, bool envelope, struct start start);

/* client_read(client, most): read what is there, at most that; the bytes read.  0: nothing. */
size_t client_read(struct client *client, size_t most);

/* client_drain(client): read, and let the loop turn, until nothing more comes. */
void client_drain(struct client *client);

/* client_is_closed(client): read to the end of the stream; has the server closed it? */
bool client_is_closed(struct client *client);

/* client_check(client, expected): it has read just these bytes.  Frees ${expected}. */
void client_check(const struct client *client, struct buf *expected);

/* client_close(client): the reader goes. */
void client_close(struct client *client);

#endif

/* SPDX-License-Identifier: MIT */
/* What the unit tests of stream/ share; see streams.h. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include <cmocka.h>

#include "access/principal.h"
#include "certificate.h"
#include "stream/opening.h"
#include "streams.h"
#include "tls/certificates.h"
#include "tls/tls.h"

/* --- the log --- */

struct store_reader {
	struct streams *streams;
};

static struct store_reader *reader_new(struct store *store, struct error *error)
{
	struct store_reader *reader = malloc(sizeof(*reader));

	(void)error;
	assert_non_null(reader);
	reader->streams = (struct streams *)store;
	return reader;
}

static void reader_free(struct store_reader *reader)
{
	free(reader);
}

/* Visit the event, if it is wanted.  False if the visit says that it is enough. */
static bool visit_event(const struct streams *streams, const struct store_query *query,
	uint64_t position, store_visit visit, void *context)
{
	const struct streams_event *one = &streams->events[position - 1];
	struct event event = {.position = position,
		.time = (int64_t)position * 1000,
		.topic = one->topic,
		.type = {"update", 6},
		.data = {one->data, one->len}};

	if (one->gone || !topic_set_has(query->topics, one->topic) ||
		(query->only != NULL && !positions_have(query->only, position)))
		return true;
	return visit(context, &event);
}

#define PAUSE_AFTER 32768

static int read_events(struct store_reader *reader, struct store_query *query, store_visit visit,
	void *context, struct error *error)
{
	struct streams *streams = reader->streams;
	unsigned unwanted = 0;
	bool broken;

	(void)error;
	pthread_mutex_lock(&streams->lock);
	streams->reads++;
	broken = streams->broken;
	query->removed = query->removed_sum = 0;
	for (uint32_t i = 0; i < query->topics->count; i++) {
		const struct topic *topic = query->topics->topics[i];

		store_query_removed(query, REMOVAL_EXPIRED, atomic_load(&topic->removed));
		store_query_deleted(
			query, atomic_load(&topic->deleted), atomic_load(&topic->erased));
	}
	query->reached = query->after;
	/* As the stores have it: a pause after so many events of other topics. */
	while (query->reached < query->upto && unwanted < PAUSE_AFTER &&
		visit_event(streams, query, query->reached + 1, visit, context)) {
		struct topic *topic = streams->events[query->reached++].topic;

		unwanted += !topic_set_has(query->topics, topic);
	}
	/* As the stores have it, also if it is before ${after}. */
	if (query->reached > query->upto)
		query->reached = query->upto;
	pthread_mutex_unlock(&streams->lock);
	return broken ? -1 : 0;
}

static int find_since(struct store_reader *reader, int64_t time, uint64_t upto, uint64_t *after,
	struct error *error)
{
	(void)reader;
	(void)error;
	*after = time <= 0 ? 0 : (uint64_t)(time + 999) / 1000 - 1;
	if (*after > upto)
		*after = upto;
	return 0;
}

static int find_newest(struct store_reader *reader, const struct topic_set *topics, uint64_t upto,
	uint64_t count, uint64_t *after, struct error *error)
{
	struct streams *streams = reader->streams;

	(void)error;
	pthread_mutex_lock(&streams->lock);
	for (*after = upto; *after > 0 && count > 0; --*after)
		count -= topic_set_has(topics, streams->events[*after - 1].topic);
	pthread_mutex_unlock(&streams->lock);
	return 0;
}

static int find_latest(struct store_reader *reader, const struct topic_set *topics, uint64_t after,
	uint64_t upto, struct positions *positions, struct error *error)
{
	struct streams *streams = reader->streams;

	(void)error;
	pthread_mutex_lock(&streams->lock);
	for (uint64_t subject = 0; subject < streams->subjects; subject++) {
		uint64_t position = upto;

		while (position > after &&
			(position % streams->subjects != subject ||
				streams->events[position - 1].gone ||
				!topic_set_has(topics, streams->events[position - 1].topic)))
			position--;
		if (position > after)
			assert_true(positions_add(positions, position));
	}
	pthread_mutex_unlock(&streams->lock);
	positions_order(positions);
	return 0;
}

static const struct store_ops ops = {
	.reader_new = reader_new,
	.reader_free = reader_free,
	.read = read_events,
	.newest = find_newest,
	.latest = find_latest,
	.since = find_since,
};

/* --- the loop --- */

void streams_open(struct streams *streams, size_t size)
{
	*streams = (struct streams){.store.ops = &ops};
	pthread_mutex_init(&streams->lock, NULL);
	streams->topics = streams->store.topics = topics_new();
	assert_int_equal(identity_add(&streams->store.identity, STREAMS_TAG, 0), 0);
	streams->window = window_new(size, 1, 0, false, NULL);
	assert_non_null(streams->window);
	streams->replay_thread = replay_thread_start(&streams->store, NULL);
	assert_non_null(streams->replay_thread);
	streams->limits = limits_new(0, 0);
	assert_int_equal(mailbox_init(&streams->mailbox), 0);
	streams->all[0] = &streams->fanout;
	streams->shared = (struct fanouts){.window = streams->window,
		.topics = streams->topics,
		.identity = &streams->store.identity,
		.limits = streams->limits,
		.replayer = replayer_new(&streams->store, streams->topics, streams->replay_thread),
		.heartbeat = STREAMS_HEARTBEAT,
		.stall_timeout = STREAMS_STALL,
		.teller = &streams->mailbox,
		.all = streams->all,
		.count = 1};
	fanout_init(&streams->fanout, &streams->shared, &streams->mailbox,
		epoll_create1(EPOLL_CLOEXEC), 0, 0);
}

void streams_stop(struct streams *streams)
{
	replay_thread_stop(streams->replay_thread);
	mailbox_handle(&streams->mailbox);
	streams->stopped = true;
}

void streams_close(struct streams *streams)
{
	fanout_close(&streams->fanout);
	if (!streams->stopped)
		streams_stop(streams);
	fanout_bury(&streams->fanout);
	fanout_free(&streams->fanout);
	assert_int_equal(streams->fanout.streams, 0);
	assert_int_equal(streams_behind(streams), 0);
	close(streams->fanout.epoll);
	replayer_free(streams->shared.replayer);
	replay_thread_free(streams->replay_thread);
	mailbox_close(&streams->mailbox);
	limits_free(streams->limits);
	window_free(streams->window);
	for (size_t i = 0; i < streams->count; i++)
		free(streams->events[i].data);
	free(streams->events);
	identity_free(&streams->store.identity);
	topics_free(streams->topics);
	pthread_mutex_destroy(&streams->lock);
}

static void store_event(struct streams *streams, const struct event *event)
{
	struct streams_event one = {
		event->topic, malloc(event->data.len + 1), event->data.len, false};

	assert_non_null(one.data);
	memcpy(one.data, event->data.data, event->data.len);
	pthread_mutex_lock(&streams->lock);
	if (streams->count == streams->capacity) {
		streams->capacity = streams->capacity * 2 + 16;
		streams->events =
			realloc(streams->events, streams->capacity * sizeof(*streams->events));
		assert_non_null(streams->events);
	}
	streams->events[streams->count++] = one;
	pthread_mutex_unlock(&streams->lock);
}

static void publish(
	struct streams *streams, const char *topic, const char *data, size_t len, bool ephemeral)
{
	struct event event = {.topic = topics_add(streams->topics, topic),
		.type = {"update", 6},
		.data = {data, len},
		.ephemeral = ephemeral};
	char id[IDENTITY_TEXT];

	if (!ephemeral)
		store_event(streams, &event);
	event.position = streams->count;
	event.time = (int64_t)event.position * 1000;
	window_add(streams->window, &event, id,
		identity_format(&streams->store.identity, event.position, id));
	window_publish(streams->window);
}

uint64_t streams_publish(struct streams *streams, const char *topic, const char *data, size_t len)
{
	publish(streams, topic, data, len, false);
	return streams->count;
}

uint64_t streams_publish_text(struct streams *streams, const char *topic, const char *data)
{
	return streams_publish(streams, topic, data, strlen(data));
}

void streams_publish_ephemeral(
	struct streams *streams, const char *topic, const char *data, size_t len)
{
	publish(streams, topic, data, len, true);
}

/* Letters, and how many, that the position determines. */
static size_t make_data(uint64_t position, size_t size, char *data)
{
	uint64_t seed = position * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	size_t len = 1 + seed % size;

	for (size_t i = 0; i < len; i++)
		data[i] = (char)('a' + (seed + i) % 26);
	return len;
}

void streams_publish_some(struct streams *streams, const char *topic, unsigned count, size_t size)
{
	char *data = malloc(size);

	assert_non_null(data);
	for (unsigned i = 0; i < count; i++)
		streams_publish(streams, topic, data, make_data(streams->count + 1, size, data));
	free(data);
}

void streams_remove(struct streams *streams, uint64_t position)
{
	struct streams_event *one = &streams->events[position - 1];

	pthread_mutex_lock(&streams->lock);
	one->gone = true;
	if (atomic_load(&one->topic->removed) < position)
		atomic_store(&one->topic->removed, position);
	pthread_mutex_unlock(&streams->lock);
}

void streams_erase(struct streams *streams, uint64_t position)
{
	struct topic *topic = streams->events[position - 1].topic;
	struct event event = {.topic = topic,
		.type = {"deleted", 7},
		.data = {"one", 3},
		.ephemeral = true,
		.deletion = true};

	/* The position that the deletion takes. */
	store_event(streams, &event);
	event.position = streams->count;
	pthread_mutex_lock(&streams->lock);
	streams->events[position - 1].gone = streams->events[event.position - 1].gone = true;
	if (atomic_load(&topic->deleted) < position)
		atomic_store(&topic->deleted, position);
	pthread_mutex_unlock(&streams->lock);
	window_erase(streams->window, topic, position - 1, position);
	atomic_fetch_add(&streams->store.erasures, 1);
	atomic_store(&topic->erased, event.position);
	window_add(streams->window, &event, NULL, 0);
	window_publish(streams->window);
}

bool streams_turn(struct streams *streams)
{
	struct epoll_event events[64];
	int count = epoll_wait(streams->fanout.epoll, events, 64, 0);
	bool more;

	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;

		source->ready(source, events[i].events);
	}
	mailbox_handle(&streams->mailbox);
	more = fanout_work(&streams->fanout);
	fanout_bury(&streams->fanout);
	return more || count == 64;
}

static bool is_reading(const struct streams *streams)
{
	for (const struct channel *one = streams->fanout.channels; one != NULL; one = one->next) {
		for (uint32_t i = 0; i < one->count; i++) {
			if (one->subscribers[i]->state == READING)
				return true;
		}
	}
	return false;
}

void streams_settle(struct streams *streams)
{
	while (streams_turn(streams) || is_reading(streams)) {
		struct pollfd wake = {.fd = streams->mailbox.wake, .events = POLLIN};

		if (is_reading(streams))
			assert_int_equal(poll(&wake, 1, 30000), 1);
	}
}

void streams_at(struct streams *streams, uint32_t now)
{
	streams->fanout.now = now;
	fanout_tick(&streams->fanout);
	streams_settle(streams);
}

uint64_t streams_delivered(const struct streams *streams)
{
	return atomic_load(&streams->fanout.delivered);
}

uint64_t streams_behind(const struct streams *streams)
{
	return atomic_load(&streams->fanout.behind);
}

/* --- what should be received --- */

void expect_new(struct buf *expected)
{
	buf_init(expected, SIZE_MAX / 2);
}

void expect_start(struct buf *expected, uint64_t position)
{
	assert_true(buf_add_text(expected, STREAMS_HEAD));
	expect_position(expected, position);
}

void expect_position(struct buf *expected, uint64_t position)
{
	assert_true(
		buf_addf(expected, "id: " STREAMS_TAG ":%llu\n\n", (unsigned long long)position));
}

void expect_event(struct buf *expected, uint64_t position, const char *data, size_t len)
{
	assert_true(
		buf_add_text(expected, "event: update\ndata: ") && buf_add(expected, data, len) &&
		buf_addf(expected, "\nid: " STREAMS_TAG ":%llu\n\n", (unsigned long long)position));
}

void expect_some(struct buf *expected, uint64_t first, uint64_t last, size_t size)
{
	char *data = malloc(size);

	assert_non_null(data);
	for (uint64_t position = first; position <= last; position++)
		expect_event(expected, position, data, make_data(position, size, data));
	free(data);
}

void expect_deleted(struct buf *expected)
{
	assert_true(buf_add_text(expected, "event: deleted\ndata: one\n\n"));
}

void expect_ephemeral(struct buf *expected, const char *data, size_t len)
{
	assert_true(buf_add_text(expected, "event: update\ndata: ") &&
		    buf_add(expected, data, len) && buf_add_text(expected, "\n\n"));
}

void expect_gap(struct buf *expected, const char *after, uint64_t oldest, const char *reason,
	uint64_t position)
{
	char id[IDENTITY_TEXT + 2] = "null";

	if (oldest != 0)
		snprintf(id, sizeof(id), "\"" STREAMS_TAG ":%llu\"", (unsigned long long)oldest);
	assert_true(buf_addf(expected,
		"event: gap\ndata: {\"after\":\"%s\",\"oldest\":%s,\"reason\":\"%s\"}\n"
		"id: " STREAMS_TAG ":%llu\n\n",
		after, id, reason, (unsigned long long)position));
}

void expect_mark(struct buf *expected, uint64_t position)
{
	assert_true(
		buf_addf(expected, "event: uptodate\ndata: {\"id\":\"" STREAMS_TAG ":%llu\"}\n\n",
			(unsigned long long)position));
}

/* --- clients --- */

static struct certificates *certificates;

int streams_secure(void **state)
{
	char folder[] = "/tmp/sse-streams-XXXXXX", cert[64], key[64];
	const struct certificates_config config = {.cert = cert, .key = key};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	certificate_write(cert, key, "localhost", 1);
	chmod(key, 0600);
	certificates = certificates_new(&config, NULL);
	unlink(cert);
	unlink(key);
	rmdir(folder);
	assert_non_null(certificates);
	return 0;
}

int streams_plain(void **state)
{
	(void)state;
	certificates_free(certificates);
	certificates = NULL;
	return 0;
}

static struct tls *make_session(struct client *client, int fd)
{
	struct tls *tls;

	if (certificates == NULL)
		return NULL;
	tls = certificates_session(certificates, fd);
	assert_non_null(tls);
	client->ssl = certificate_connect(client->fd);
	certificate_shake_hands(client->ssl, tls);
	return tls;
}

static bool write_reply(const struct poll_reply *reply, enum poll_answer answer, const char *id,
	size_t len, struct buf *out)
{
	(void)reply;
	return buf_addf(out, "%d %s %zu\n", (int)answer, id, len);
}

static void free_reply(struct poll_reply *reply)
{
	free(reply);
}

static void make_poll(struct opening *opening, const struct streams *streams)
{
	opening->polls = opening->marked = true;
	opening->wait = streams->wait;
	selection_make_poll(opening->selection);
	if (!form_is_list(streams->form))
		return;
	opening->reply = malloc(sizeof(*opening->reply));
	assert_non_null(opening->reply);
	*opening->reply = (struct poll_reply){write_reply, free_reply};
}

void client_open_many(struct client *client, struct streams *streams, const char *const *patterns,
	size_t count, bool envelope, struct start start)
{
	struct opening *opening = calloc(1, sizeof(*opening));
	const int small = 1;
	const struct channel *channel;
	int pair[2];

	*client = (struct client){.streams = streams};
	buf_init(&client->got, SIZE_MAX / 2);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	client->fd = pair[1];
	assert_non_null(opening);
	opening->tls = make_session(client, pair[0]);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	opening->fanout = channel_place(&streams->shared);
	opening->fd = pair[0];
	opening->selection = selection_new(patterns, count, &streams->types,
		streams->polls ? streams->form : (enum form)envelope);
	assert_non_null(opening->selection);
	assert_int_equal(limits_admit(streams->limits, NULL, &opening->address), LIMITS_OK);
	opening->principal = principal_hold(streams->principal);
	opening->start = start;
	opening->marked = streams->marked;
	opening->ends = streams->ends;
	if (streams->polls)
		make_poll(opening, streams);
	opening->head_len = strlen(STREAMS_HEAD);
	memcpy(opening->head, STREAMS_HEAD, opening->head_len);
	opening_start(opening);
	/* The newest of its channel, which is the newest if there was none yet. */
	for (channel = streams->fanout.channels; channel != NULL; channel = channel->next) {
		if (channel->count > 0 && channel->subscribers[channel->count - 1]->fd == pair[0])
			client->subscriber = channel->subscribers[channel->count - 1];
	}
}

void client_open(
	struct client *client, struct streams *streams, const char *topic, struct start start)
{
	client_open_many(client, streams, &topic, 1, false, start);
}

/* As recv() does. */
static ssize_t receive(struct client *client, char *bytes, size_t most)
{
	int got;

	if (client->ssl == NULL)
		return recv(client->fd, bytes, most, 0);
	errno = 0;
	got = SSL_read(client->ssl, bytes, (int)most);
	if (got > 0)
		return got;
	if (SSL_get_error(client->ssl, got) == SSL_ERROR_ZERO_RETURN)
		return 0;
	/* The end of the connection without one of the session: its stream was cut off. */
	return errno == 0 ? 0 : -1;
}

size_t client_read(struct client *client, size_t most)
{
	char bytes[65536];
	ssize_t got = receive(client, bytes, most < sizeof(bytes) ? most : sizeof(bytes));

	if (got < 0) {
		assert_true(errno == EAGAIN || errno == ECONNRESET || errno == EPIPE);
		return 0;
	}
	assert_true(buf_add(&client->got, bytes, (size_t)got));
	return (size_t)got;
}

/* Of a record that has not come whole, nothing can be read yet. */
static bool has_part(const struct client *client)
{
	int bytes = 0;

	return client->ssl != NULL && ioctl(client->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

void client_drain(struct client *client)
{
	bool part;

	do {
		streams_settle(client->streams);
		part = has_part(client);
	} while (client_read(client, SIZE_MAX) > 0 || part);
}

bool client_is_closed(struct client *client)
{
	char byte;

	client_drain(client);
	return receive(client, &byte, 1) == 0;
}

void client_check(const struct client *client, struct buf *expected)
{
	size_t same = 0;

	while (same < client->got.len && same < expected->len &&
		client->got.data[same] == expected->data[same])
		same++;
	if (same < client->got.len || same < expected->len)
		print_error("after %zu bytes: got '%.*s', expected '%.*s'\n", same,
			(int)(client->got.len - same > 60 ? 60 : client->got.len - same),
			client->got.data + same,
			(int)(expected->len - same > 60 ? 60 : expected->len - same),
			expected->data + same);
	assert_int_equal(client->got.len, expected->len);
	assert_memory_equal(client->got.data, expected->data, expected->len);
	buf_free(expected);
}

void client_close(struct client *client)
{
	SSL_free(client->ssl);
	close(client->fd);
	buf_free(&client->got);
}

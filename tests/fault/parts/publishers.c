/* SPDX-License-Identifier: MIT */
/* The threads of the kill test; see publishers.h. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "crew.h"
#include "publishers.h"
#include "random.h"
#include "fail.h"
#include "net.h"

#define READERS 5
#define SLEEPER (READERS - 1)

/*
 * The most events of a batch; a batch has one topic.  One in four is this large: so many are stored
 * in another way than few.
 */
#define BATCH 40
#define SMALL_BATCH 6

/* The sleeping reader takes this much of a connection before it falls asleep again. */
#define NIBBLE 20000

/*
 * A stream that is silent for this long is given up, as clients do, in s: it has heartbeats.  A server that was killed
 * while its socket was full may leave a connection that never ends.
 */
#define SILENCE_S 20

/* A reader that moves does so after about as many pieces of a stream. */
#define MOVING 40

struct publisher {
	struct publishers *publishers;
	pthread_t thread;
	unsigned number;
	struct random random;
	int fd; /* -1: none */
	struct net_input input;
	uint32_t next;
	char request[BATCH * (LEDGER_DATA + 100) + 500];
};

struct reader {
	struct publishers *publishers;
	pthread_t thread;
	const char *path;
	struct view view;
	struct sse_parser *parser;
	struct random random;
	size_t taken; /* of this connection, since it woke */
	bool sleeps;
};

struct publishers {
	struct publishers_config config;
	struct publisher publishers[LEDGER_PUBLISHERS];
	struct reader readers[READERS];
	struct crew crew;
	bool awake; /* the sleeping reader; by the crew's lock */
};

/* --- publishers --- */

/* What to send next; returns its length, with ${count} events in it. */
static size_t make_request(struct publisher *publisher, uint32_t count, bool batch)
{
	static const char *const types[] = {"application/json", "application/x-ndjson"};
	char body[BATCH * (LEDGER_DATA + 100)], data[LEDGER_DATA], key[60];
	unsigned p = publisher->number;
	size_t size = 0;
	int head;

	for (uint32_t i = 0; i < count; i++) {
		size_t len = ledger_data(data, p, publisher->next + i);

		if (batch)
			size += (size_t)sprintf(body + size,
				"{\"key\":\"kill-%u-%" PRIu32 "\",\"data\":", p,
				publisher->next + i);
		memcpy(body + size, data, len);
		size += len;
		if (batch)
			size += (size_t)sprintf(body + size, "}\n");
	}
	snprintf(key, sizeof(key), "Idempotency-Key: kill-%u-%" PRIu32 "\r\n", p, publisher->next);
	head = sprintf(publisher->request,
		"POST /api/%s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
		"%sContent-Length: %zu\r\n\r\n",
		ledger_topic(ledger_topic_of(p, publisher->next)), batch ? "?envelope=1" : "",
		types[batch], batch ? "Accept: application/x-ndjson\r\n" : key, size);
	memcpy(publisher->request + head, body, size);
	return (size_t)head + size;
}

/* The ids of what was acknowledged, a line each in a batch's answer. */
static void acknowledge(struct publisher *publisher, const char *head, const char *body,
	uint32_t count, bool batch, bool retried, size_t mark)
{
	char id[100];

	for (uint32_t i = 0; i < count; i++) {
		if (batch) {
			body = strstr(body, "{\"id\":\"");
			if (body == NULL || sscanf(body, "{\"id\":\"%99[^\"]", id) != 1)
				fail("the answer to a batch of %" PRIu32 " has %" PRIu32 " lines",
					count, i);
			body++;
		} else if (!net_header(head, "Last-Event-ID", id, sizeof(id))) {
			fail("a 201 has no Last-Event-ID");
		}
		ledger_acknowledged(publisher->publishers->config.ledger, publisher->number,
			publisher->next + i, id, retried, mark);
	}
}

/* Send it once; true if it was acknowledged. */
static bool try(struct publisher *publisher, size_t len, uint32_t count, bool batch, bool retried)
{
	char head[2048], body[BATCH * 150], number[30];
	size_t mark = ledger_try(publisher->publishers->config.ledger);
	unsigned long size;
	int status;

	if (publisher->fd < 0)
		publisher->fd = net_dial(publisher->publishers->config.port);
	if (publisher->fd < 0 || !net_send(publisher->fd, publisher->request, len) ||
		(status = net_head(publisher->fd, &publisher->input, head, sizeof(head))) < 0)
		return false;
	if (!net_header(head, "Content-Length", number, sizeof(number)) ||
		(size = strtoul(number, NULL, 10)) >= sizeof(body))
		fail("publisher %u got an answer without a length: %s", publisher->number, head);
	if (!net_body(publisher->fd, &publisher->input, body, size))
		return false;
	body[size] = '\0';
	/* Not stored; 507: a disk is full. */
	if (status == 503 || status == 507)
		return false;
	if (status != 201)
		fail("event %" PRIu32 " of publisher %u was answered with %d: %s", publisher->next,
			publisher->number, status, body);
	acknowledge(publisher, head, body, count, batch, retried, mark);
	return true;
}

/* Until it is acknowledged. */
static void publish(struct publisher *publisher)
{
	struct publishers *publishers = publisher->publishers;
	bool batch = publishers->config.batches && publisher->number % 2 == 1;
	uint32_t run = LEDGER_RUN - publisher->next % LEDGER_RUN;
	uint32_t large = batch && random_below(&publisher->random, 4) == 0 ? BATCH : SMALL_BATCH;
	uint32_t most = run < large ? run : large;
	uint32_t count = batch ? 1 + (uint32_t)random_below(&publisher->random, most) : 1;
	size_t len = make_request(publisher, count, batch);
	int64_t end = clock_now_ms() + 2 * NET_PATIENCE_MS;
	bool retried = false;

	while (!try(publisher, len, count, batch, retried)) {
		if (publisher->fd >= 0) {
			/* It may have arrived. */
			close(publisher->fd);
			retried = true;
			ledger_retry(publishers->config.ledger);
		}
		publisher->fd = -1;
		if (clock_now_ms() > end)
			fail("publisher %u tries in vain", publisher->number);
		net_pause(1 + random_below(&publisher->random, 5));
	}
	publisher->next += count;
}

static void *work(void *context)
{
	struct publisher *publisher = context;
	uint64_t think = publisher->publishers->config.think_us;

	while (crew_go_on(&publisher->publishers->crew)) {
		publish(publisher);
		if (think > 0)
			usleep((useconds_t)random_below(&publisher->random, think));
	}
	if (publisher->fd >= 0)
		close(publisher->fd);
	return NULL;
}

/* --- readers --- */

static bool saw(void *context, const struct sse_event *event)
{
	struct reader *reader = context;

	ledger_saw(reader->publishers->config.ledger, &reader->view, event);
	return true;
}

/* The sleeping reader has had its share: it takes nothing until somebody waits for it. */
static void fall_asleep(struct reader *reader)
{
	const struct publishers *publishers = reader->publishers;
	struct crew *crew = &reader->publishers->crew;

	pthread_mutex_lock(&crew->lock);
	while (!publishers->awake && crew->order != CREW_END)
		pthread_cond_wait(&crew->changed, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
	reader->taken = 0;
}

static int open_stream(struct reader *reader)
{
	struct sse_text id = sse_parser_last_id(reader->parser);
	const struct timeval silence = {.tv_sec = SILENCE_S};
	int fd = net_dial(reader->publishers->config.port), small = 65536, len;
	char request[400];

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	if (reader->sleeps)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* The first time from the beginning, whoever is first. */
	len = snprintf(request, sizeof(request),
		"GET %s%csince=all HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s\r\n", reader->path,
		strchr(reader->path, '?') != NULL ? '&' : '?', id.len > 0 ? "Last-Event-ID: " : "",
		(int)id.len, id.len > 0 ? id.data : "", id.len > 0 ? "\r\n" : "");
	if (!net_send(fd, request, (size_t)len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Until the connection ends. */
static void read_stream(struct reader *reader, int fd)
{
	struct net_input input = {.who = reader->view.name, .silence_ends = true};
	char head[2048];
	int status = net_head(fd, &input, head, sizeof(head));

	if (status < 0 || status == 503)
		return;
	if (status != 200)
		fail("%s was answered with %d: %s", reader->view.name, status, head);
	while (net_fill(fd, &input)) {
		size_t len = input.upto - input.from;

		if (sse_parser_feed(reader->parser, input.bytes + input.from, len, NULL) != SSE_OK)
			fail("%s was sent a stream that cannot be read", reader->view.name);
		input.from = input.upto;
		reader->taken += len;
		if (reader->sleeps && reader->taken > NIBBLE)
			fall_asleep(reader);
		if (reader->publishers->config.moves && random_below(&reader->random, MOVING) == 0)
			return;
	}
}

static void *follow(void *context)
{
	struct reader *reader = context;

	while (!crew_is_ending(&reader->publishers->crew)) {
		int fd = open_stream(reader);

		if (fd >= 0) {
			read_stream(reader, fd);
			close(fd);
			sse_parser_end(reader->parser);
		}
		net_pause(random_below(&reader->random, 20));
	}
	return NULL;
}

/* --- all of them --- */

static void start_reader(struct publishers *publishers, unsigned number)
{
	static const struct sse_callbacks callbacks = {.event = saw};
	static const struct {
		const char *name, *path;
		bool many;
		bool topics[LEDGER_TOPICS];
	} kinds[] = {
		{"the first tail", "/api/kill/event", false, {true, false, false}},
		{"the second tail", "/api/many/one/event", false, {false, true, false}},
		{"the tail of a wildcard", "/api/event?topic=many/*", true, {false, true, true}},
		{"the tail of all topics", "/api/event?topic=kill&topic=many/*", true,
			{true, true, true}},
		{"the sleeping reader", "/api/many/two/event", false, {false, false, true}},
		/* Where a stream has one topic only. */
		{"the third tail", "/api/many/two/event", false, {false, false, true}},
		{"the fourth tail", "/api/kill/event", false, {true, false, false}},
	};
	struct reader *reader = &publishers->readers[number];
	unsigned kind = kinds[number].many && !publishers->config.many ? number + 3 : number;

	reader->publishers = publishers;
	reader->path = kinds[kind].path;
	reader->view.name = kinds[kind].name;
	memcpy(reader->view.topics, kinds[kind].topics, sizeof(reader->view.topics));
	reader->sleeps = number == SLEEPER;
	reader->random = random_new(publishers->config.seed, 100 + number);
	reader->parser = sse_parser_new(&callbacks, reader, 0);
	if (reader->parser == NULL || pthread_create(&reader->thread, NULL, follow, reader) != 0)
		fail("no thread for a reader");
}

struct publishers *publishers_start(const struct publishers_config *config)
{
	struct publishers *publishers = calloc(1, sizeof(*publishers));

	if (publishers == NULL)
		fail("out of memory");
	publishers->config = *config;
	crew_init(&publishers->crew);
	for (unsigned i = 0; i < READERS; i++)
		start_reader(publishers, i);
	for (unsigned i = 0; i < LEDGER_PUBLISHERS; i++) {
		struct publisher *publisher = &publishers->publishers[i];

		publisher->publishers = publishers;
		publisher->number = i;
		publisher->fd = -1;
		publisher->input.who = "a publisher";
		publisher->random = random_new(config->seed, 1 + i);
		if (pthread_create(&publisher->thread, NULL, work, publisher) != 0)
			fail("no thread for a publisher");
	}
	return publishers;
}

static void wake(struct publishers *publishers, bool awake)
{
	pthread_mutex_lock(&publishers->crew.lock);
	publishers->awake = awake;
	pthread_cond_broadcast(&publishers->crew.changed);
	pthread_mutex_unlock(&publishers->crew.lock);
}

void publishers_work(struct publishers *publishers)
{
	crew_order(&publishers->crew, CREW_WORK);
}

void publishers_rest(struct publishers *publishers)
{
	crew_order(&publishers->crew, CREW_REST);
}

void publishers_wait(struct publishers *publishers)
{
	unsigned missing = crew_wait(&publishers->crew, LEDGER_PUBLISHERS);

	if (missing > 0)
		fail("%u publishers are not acknowledged", missing);
}

void publishers_check(struct publishers *publishers, bool all)
{
	wake(publishers, all);
	for (unsigned i = 0; i < READERS; i++) {
		if (all || !publishers->readers[i].sleeps)
			ledger_check_view(publishers->config.ledger, &publishers->readers[i].view);
	}
	wake(publishers, false);
}

void publishers_dismiss(struct publishers *publishers)
{
	crew_order(&publishers->crew, CREW_END);
}

void publishers_end(struct publishers *publishers)
{
	for (unsigned i = 0; i < LEDGER_PUBLISHERS; i++)
		pthread_join(publishers->publishers[i].thread, NULL);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(publishers->readers[i].thread, NULL);
		sse_parser_free(publishers->readers[i].parser);
		for (unsigned t = 0; t < LEDGER_TOPICS; t++)
			free(publishers->readers[i].view.seen[t].all);
	}
	crew_free(&publishers->crew);
	free(publishers);
}

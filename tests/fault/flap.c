/* SPDX-License-Identifier: MIT */
/*
 * flap: opens and ends many named streams at random, some by a reset, some without reading what
 * they get, while one reader counts who joins and who leaves.  In the end some stay; then the
 * reader must believe in just these, and so must the server.  Prints one line of figures.
 *
 *   flap PORT TOPIC STREAMS TURNS [SEED]
 *
 * Two streams share a name.  Updates are passed over.  Exits 1 if a join or leave was wrong: of a
 * name that is there or is not, or with another count.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "parts/random.h"
#include "parts/fail.h"
#include "parts/net.h"
#include "sse.h"

/* Until all agree, after the last has come or gone. */
#define LIMIT_MS 60000

static int port;
static const char *topic;
static unsigned streams, names;
static int *open_streams; /* by stream: its socket, or -1 */

/* What the reader believes. */
static bool *there; /* by name */
static unsigned count, joins, leaves;

static void open_one(unsigned stream)
{
	char request[400];
	int len = snprintf(request, sizeof(request),
		"GET /api/%s/event?as=n%u HTTP/1.1\r\nHost: localhost\r\n\r\n", topic,
		stream % names);

	open_streams[stream] = net_dial(port);
	if (open_streams[stream] < 0 || !net_send(open_streams[stream], request, (size_t)len))
		fail("stream %u cannot be opened", stream);
}

static void end_one(unsigned stream, bool reset)
{
	struct linger linger = {1, 0};

	if (reset)
		setsockopt(open_streams[stream], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(open_streams[stream]);
	open_streams[stream] = -1;
}

static bool is_type(const struct sse_event *event, const char *type)
{
	return event->type.len == strlen(type) &&
	       memcmp(event->type.data, type, event->type.len) == 0;
}

static bool on_event(void *context, const struct sse_event *event)
{
	bool join = is_type(event, "join");
	unsigned name, said;
	char text[100];

	(void)context;
	if (is_type(event, "update"))
		return true;
	snprintf(text, sizeof(text), "%.*s", (int)event->data.len, event->data.data);
	if ((!join && !is_type(event, "leave")) ||
		sscanf(text, "{\"name\":\"n%u\",\"count\":%u}", &name, &said) != 2 || name >= names)
		fail("an event that is none: %s", text);
	if (there[name] == join)
		fail("%s %s, who is %s", text, join ? "joins" : "leaves", join ? "there" : "not");
	there[name] = join;
	count += join ? 1 : UINT32_MAX;
	joins += join;
	leaves += !join;
	if (said != count)
		fail("%s, but there are %u", text, count);
	return true;
}

static struct sse_parser *parser;
static int reader;

/* Read what there is on the reader's stream; at least something if ${wait}. */
static void read_events(bool wait)
{
	char bytes[65536];
	ssize_t got;

	while ((got = recv(reader, bytes, sizeof(bytes), wait ? 0 : MSG_DONTWAIT)) > 0) {
		sse_parser_feed(parser, bytes, (size_t)got, NULL);
		wait = false;
	}
	if (got == 0 || wait)
		fail("the reader's stream has ended");
}

static void open_reader(void)
{
	static const struct sse_callbacks callbacks = {.event = on_event};
	static struct net_input input = {.who = "the reader"};
	char request[300], head[4096];
	int len = snprintf(request, sizeof(request),
		"GET /api/%s/event HTTP/1.0\r\nHost: localhost\r\n\r\n", topic);

	parser = sse_parser_new(&callbacks, NULL, 0);
	reader = net_dial(port);
	if (parser == NULL || reader < 0 || !net_send(reader, request, (size_t)len) ||
		net_head(reader, &input, head, sizeof(head)) != 200)
		fail("the reader's stream cannot be opened");
	sse_parser_feed(parser, input.bytes + input.from, input.upto - input.from, NULL);
}

/* The server's own count. */
static unsigned ask_count(void)
{
	static struct net_input input = {.who = "the presence"};
	char request[300], head[4096], body[32] = "";
	int fd = net_dial(port);
	int len = snprintf(request, sizeof(request),
		"GET /api/%s/presence HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		topic);
	unsigned said = 0;

	input.from = input.upto = 0;
	if (fd < 0 || !net_send(fd, request, (size_t)len) ||
		net_head(fd, &input, head, sizeof(head)) != 200 ||
		!net_body(fd, &input, body, strlen("{\"count\":0,")) ||
		sscanf(body, "{\"count\":%u", &said) != 1)
		fail("the presence cannot be asked for: %s", body);
	close(fd);
	return said;
}

/* End all but every third name's streams.  Return how many names stay. */
static unsigned settle(void)
{
	unsigned stay = 0;

	for (unsigned i = 0; i < streams; i++) {
		if (i % names % 3 == 0 && open_streams[i] < 0)
			open_one(i);
		else if (i % names % 3 != 0 && open_streams[i] >= 0)
			end_one(i, i % 2 == 0);
	}
	for (unsigned i = 0; i < names; i++)
		stay += i % 3 == 0;
	return stay;
}

static bool as_it_should_be(unsigned stay)
{
	if (count != stay || ask_count() != stay)
		return false;
	for (unsigned i = 0; i < names; i++) {
		if (there[i] != (i % 3 == 0))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 5 ? strtoull(argv[5], NULL, 10) : 1;
	struct random random = random_new(seed, 0);
	unsigned turns, stay;
	int64_t begun = clock_now_ms(), settled;

	fail_setup("flap", ".", seed);
	if (argc < 5)
		fail("usage: flap PORT TOPIC STREAMS TURNS [SEED]");
	port = atoi(argv[1]);
	topic = argv[2];
	streams = (unsigned)atoi(argv[3]);
	turns = (unsigned)atoi(argv[4]);
	names = (streams + 1) / 2;
	open_streams = calloc(streams, sizeof(int));
	there = calloc(names, sizeof(bool));
	for (unsigned i = 0; i < streams; i++)
		open_streams[i] = -1;
	open_reader();
	for (unsigned i = 0; i < turns; i++) {
		unsigned stream = (unsigned)random_below(&random, streams);

		if (open_streams[stream] < 0)
			open_one(stream);
		else
			end_one(stream, random_below(&random, 2) == 0);
		read_events(false);
	}
	stay = settle();
	settled = clock_now_ms();
	while (!as_it_should_be(stay)) {
		if (clock_now_ms() - settled > LIMIT_MS)
			fail("%u names should be there; the reader knows of %u, the server of %u",
				stay, count, ask_count());
		net_pause(20);
		read_events(false);
	}
	printf("%u streams, %u turns: %u joins, %u leaves, %u names stay, %" PRId64 " ms\n",
		streams, turns, joins, leaves, count, clock_now_ms() - begun);
	return 0;
}

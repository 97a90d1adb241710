/* SPDX-License-Identifier: MIT */
/*
 * flood: opens many streams on one topic, publishes numbered events to it, and checks that every
 * stream gets each event once, in order, whole; some of the readers read slowly or stop for a
 * while.  A stream that the server ends resumes with its last id.  Prints one line of figures and
 * exits 1 if anything was lost, repeated, torn or out of order.
 *
 *   flood PORT STREAMS EVENTS PUBLISHERS MAX_SIZE SLOW [TOPICS [mix]]
 *
 * MAX_SIZE is the most bytes of an event (sizes are random); every SLOWth reader is slow (0: none).
 * With TOPICS, publishers go around that many topics and streams are spread over them.  With
 * "mix", every second stream gets envelopes, and every third all topics by a pattern.  Events of
 * the types "noise", "join" and "leave" are not its own, and passed over.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "sse.h"

#define LIMIT_MS 120000

struct stream {
	int fd;
	unsigned number, topic;
	unsigned step; /* from one number of a publisher to its next on this stream */
	bool slow, envelope, body;
	char head[4];
	unsigned seen_blank;
	int64_t pause; /* slow: not before this time */
	struct sse_parser *parser;
	uint64_t *next; /* [publisher] the number that must come next */
	uint64_t left;
};

static int port;
static unsigned streams, publishers, topics = 1;
static uint64_t events, max_size;
static _Atomic uint64_t published, refused;
static uint64_t delivered, wrong, resumed, gaps;
static struct stream *all;

static int dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("flood: connect");
		exit(2);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* The filling of an event: letters that its number determines. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	return x;
}

static size_t make_event(char *out, unsigned publisher, uint64_t number)
{
	uint64_t seed = mix(number * 1000 + publisher + 1);
	size_t len = (size_t)sprintf(out, "%u %" PRIu64 " ", publisher, number);
	size_t size = len + seed % (max_size + 1);

	for (; len < size; len++)
		out[len] = (char)('a' + (seed + len) % 26);
	return len;
}

/* The data in an envelope, which needs no unescaping here; the whole is kept if it is none. */
static struct sse_text unwrap(struct sse_text data)
{
	static const char mark[] = ",\"data\":\"", topic[] = "{\"topic\":\"flood/";
	const char *start = memmem(data.data, data.len, mark, strlen(mark));
	uint64_t number;
	size_t head;

	if (start == NULL || data.len < 2 || strncmp(data.data, topic, strlen(topic)) != 0)
		return data;
	start += strlen(mark);
	head = (size_t)(start - data.data);
	if (sscanf(start, "%*u %" SCNu64, &number) != 1 ||
		strtoull(data.data + strlen(topic), NULL, 10) != number % topics)
		return data;
	return (struct sse_text){start, data.len - head - 2};
}

/* One event: is it the one that must come next? */
static void check_event(struct stream *stream, struct sse_text data)
{
	char *expected = malloc(max_size + 64), text[64];
	unsigned publisher;
	uint64_t number;
	size_t len = data.len < 63 ? data.len : 63;

	memcpy(text, data.data, len);
	text[len] = '\0';
	if (sscanf(text, "%u %" SCNu64, &publisher, &number) != 2 || publisher >= publishers) {
		wrong++;
	} else {
		len = make_event(expected, publisher, number);
		if (number != stream->next[publisher] || len != data.len ||
			memcmp(expected, data.data, len) != 0) {
			if (wrong++ < 5)
				fprintf(stderr,
					"flood: stream %u: publisher %u: got %" PRIu64
					", wanted %" PRIu64 "%s\n",
					stream->number, publisher, number, stream->next[publisher],
					number == stream->next[publisher] ? " (torn)" : "");
		}
		stream->next[publisher] = number + stream->step;
		stream->left--;
		delivered++;
	}
	free(expected);
}

static bool is_type(const struct sse_event *event, const char *type)
{
	return event->type.len == strlen(type) &&
	       memcmp(event->type.data, type, event->type.len) == 0;
}

static bool on_event(void *context, const struct sse_event *event)
{
	struct stream *stream = context;

	if (is_type(event, "gap"))
		gaps++;
	else if (!is_type(event, "noise") && !is_type(event, "join") && !is_type(event, "leave"))
		check_event(stream, stream->envelope ? unwrap(event->data) : event->data);
	return true;
}

static void open_stream(struct stream *stream)
{
	struct sse_text id = sse_parser_last_id(stream->parser);
	char request[400], target[64];
	int len;

	stream->fd = dial();
	stream->body = false;
	stream->seen_blank = 0;
	if (stream->slow) {
		int small = 65536;

		setsockopt(stream->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	}
	if (stream->step == topics)
		snprintf(target, sizeof(target), "/api/flood/%u/event?envelope=%d", stream->topic,
			stream->envelope);
	else
		snprintf(target, sizeof(target), "/api/event?topic=flood/*&envelope=%d",
			stream->envelope);
	len = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s\r\n", target,
		id.len ? "Last-Event-ID: " : "", (int)id.len, id.data ? id.data : "",
		id.len ? "\r\n" : "");
	if (write(stream->fd, request, (size_t)len) != len) {
		perror("flood: write");
		exit(2);
	}
}

/* Bytes of the response: skip its head, give the rest to the parser. */
static void take(struct stream *stream, const char *data, size_t len)
{
	size_t i = 0;

	for (; !stream->body && i < len; i++) {
		if (data[i] == '\n' && stream->seen_blank == 1)
			stream->body = true;
		else if (data[i] == '\n')
			stream->seen_blank = 1;
		else if (data[i] != '\r')
			stream->seen_blank = 0;
	}
	if (stream->body && i < len &&
		sse_parser_feed(stream->parser, data + i, len - i, NULL) != SSE_OK)
		wrong++;
}

static void read_stream(struct stream *stream, int epoll, bool slow_now)
{
	char data[65536];
	ssize_t got = recv(stream->fd, data, slow_now ? 7000 : sizeof(data), MSG_DONTWAIT);

	if (got > 0) {
		take(stream, data, (size_t)got);
	} else if (got == 0 || errno != EAGAIN) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};

		close(stream->fd);
		sse_parser_end(stream->parser);
		resumed++;
		open_stream(stream);
		epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event);
	}
}

static void *publish(void *context)
{
	unsigned publisher = (unsigned)(uintptr_t)context;
	char *request = malloc(max_size + 400), *data = malloc(max_size + 64), answer[1024];
	int fd = dial();

	for (uint64_t number = 0; number < events; number++) {
		size_t len = make_event(data, publisher, number);
		int head = sprintf(request,
			"POST /api/flood/%" PRIu64 " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			"text/plain\r\nContent-Length: %zu\r\n\r\n",
			number % topics, len);
		size_t size = (size_t)head + len, done = 0;
		ssize_t got;

		memcpy(request + head, data, len);
		while (done < size) {
			ssize_t put = write(fd, request + done, size - done);

			if (put <= 0) {
				perror("flood: publish");
				exit(2);
			}
			done += (size_t)put;
		}
		got = read(fd, answer, sizeof(answer) - 1);
		if (got <= 12 || strncmp(answer, "HTTP/1.1 201", 12) != 0) {
			fprintf(stderr, "flood: publish: %.*s\n", (int)(got > 0 ? got : 0), answer);
			refused++;
			exit(2);
		}
		published++;
	}
	close(fd);
	free(request);
	free(data);
	return NULL;
}

static bool finished(void)
{
	for (unsigned i = 0; i < streams; i++) {
		if (all[i].left > 0)
			return false;
	}
	return true;
}

static void read_all(int epoll)
{
	int64_t end = clock_now_ms() + LIMIT_MS, checked = 0;
	struct epoll_event ready[512];

	while (clock_now_ms() < end) {
		int count = epoll_wait(epoll, ready, 512, 100);
		int64_t now = clock_now_ms();

		for (int i = 0; i < count; i++) {
			struct stream *stream = ready[i].data.ptr;

			/* A slow reader takes a little, then nothing for a while, until the
			 * publishers have finished. */
			if (stream->slow && published < events * publishers) {
				if (now < stream->pause)
					continue;
				stream->pause = now + 20 + (int64_t)(mix((uint64_t)now) % 50);
				read_stream(stream, epoll, true);
			} else {
				read_stream(stream, epoll, false);
			}
		}
		if (now - checked > 50) {
			checked = now;
			if (published == events * publishers && finished())
				return;
		}
	}
	for (unsigned i = 0; i < streams; i++) {
		if (all[i].left > 0) {
			fprintf(stderr, "flood: stream %u%s still waits for %" PRIu64 " events\n",
				i, all[i].slow ? " (slow)" : "", all[i].left);
			wrong += all[i].left;
		}
	}
}

int main(int argc, char **argv)
{
	static const struct sse_callbacks callbacks = {.event = on_event};
	struct rlimit files;
	bool mixed = argc > 8 && strcmp(argv[8], "mix") == 0;
	unsigned slow;
	pthread_t *threads;
	int epoll = epoll_create1(0);
	int64_t start, opened;

	if (argc < 7) {
		fprintf(stderr,
			"usage: flood PORT STREAMS EVENTS PUBLISHERS MAX_SIZE SLOW [TOPICS [mix]]\n");
		return 2;
	}
	port = atoi(argv[1]);
	streams = (unsigned)atoi(argv[2]);
	events = strtoull(argv[3], NULL, 10);
	publishers = (unsigned)atoi(argv[4]);
	max_size = strtoull(argv[5], NULL, 10);
	slow = (unsigned)atoi(argv[6]);
	if (argc > 7)
		topics = (unsigned)atoi(argv[7]);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	all = calloc(streams, sizeof(*all));
	threads = calloc(publishers, sizeof(*threads));
	start = clock_now_ms();
	for (unsigned i = 0; i < streams; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

		all[i] = (struct stream){.number = i, .topic = i % topics};
		all[i].step = topics;
		if (mixed) {
			all[i].envelope = i % 2 == 1;
			if (i % 3 == 2) {
				all[i].step = 1;
				all[i].topic = 0;
			}
		}
		all[i].slow = slow > 0 && i % slow == slow - 1;
		all[i].parser = sse_parser_new(&callbacks, &all[i], max_size + 8192);
		all[i].next = calloc(publishers, sizeof(uint64_t));
		for (unsigned p = 0; p < publishers; p++)
			all[i].next[p] = all[i].topic;
		all[i].left = (events + all[i].step - 1 - all[i].topic) / all[i].step * publishers;
		open_stream(&all[i]);
		epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
	}
	/* Every stream has its start before the first event. */
	for (unsigned i = 0; i < streams; i++) {
		while (sse_parser_last_id(all[i].parser).len == 0) {
			char data[4096];
			ssize_t got = recv(all[i].fd, data, sizeof(data), 0);

			if (got <= 0) {
				fprintf(stderr, "flood: stream %u was not opened\n", i);
				return 1;
			}
			take(&all[i], data, (size_t)got);
		}
	}
	opened = clock_now_ms();
	for (unsigned p = 0; p < publishers; p++)
		pthread_create(&threads[p], NULL, publish, (void *)(uintptr_t)p);
	read_all(epoll);
	for (unsigned p = 0; p < publishers; p++)
		pthread_join(threads[p], NULL);
	printf("%u streams opened in %" PRId64 " ms; %" PRIu64 " published, %" PRIu64
	       " delivered in %" PRId64 " ms; %" PRIu64 " resumed, %" PRIu64 " gaps, %" PRIu64
	       " wrong\n",
		streams, opened - start, (uint64_t)published, delivered, clock_now_ms() - opened,
		resumed, gaps, wrong);
	for (unsigned i = 0; i < streams; i++) {
		close(all[i].fd);
		sse_parser_free(all[i].parser);
		free(all[i].next);
	}
	free(all);
	free(threads);
	close(epoll);
	return wrong > 0 || gaps > 0;
}

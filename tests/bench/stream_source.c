/* SPDX-License-Identifier: MIT */
/*
 * stream_source: an event stream that costs next to nothing to make, for measuring who reads it.
 *
 *	stream_source
 *
 * It prints "Listening on http://127.0.0.1:PORT" and serves one connection after the other:
 *
 *	GET /BYTES/EVENTS         so many events of so many bytes each, with frame, as fast as they
 *go; then the connection is closed GET /BYTES/EVENTS/RATE    the same, RATE of them a second; it
 *sleeps in between GET /BYTES/EVENTS/hold    the first, but the connection stays open
 *
 * The data is a JSON object.  Every event is the same: a run of them is made once and sent again
 * and again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RUN_BYTES ((size_t)1 << 20)
#define REQUEST_SIZE 65536

/* A paced stream sends so many times a second. */
#define TURNS 100

static const char head[] = "HTTP/1.1 200 OK\r\n"
			   "Content-Type: text/event-stream\r\n"
			   "Cache-Control: no-cache\r\n"
			   "Connection: close\r\n\r\n";
static const char before[] = "id: a:1\nevent: update\ndata: {\"n\":1,\"text\":\"";
static const char after[] = "\"}\n\n";

struct stream {
	size_t size;   /* of an event */
	size_t events; /* to be sent */
	size_t rate;   /* a second; 0: as fast as they go */
	bool hold;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "stream_source: %s: %s\n", what, strerror(errno));
	exit(2);
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t count = send(fd, data, len, MSG_NOSIGNAL);

		if (count <= 0)
			return false;
		data += count;
		len -= (size_t)count;
	}
	return true;
}

/* A run of ${count} events. */
static char *make_run(size_t size, size_t count)
{
	size_t rest = strlen(before) + strlen(after);
	char *run = malloc(size * count), *out = run;

	if (run == NULL)
		fail("malloc");
	for (size_t i = 0; i < count; i++) {
		out = mempcpy(out, before, strlen(before));
		memset(out, 'x', size - rest);
		/* Words, so that it is like text. */
		for (size_t at = 7; at < size - rest; at += 8)
			out[at] = ' ';
		out = mempcpy(out + size - rest, after, strlen(after));
	}
	return run;
}

static bool send_fast(int fd, const struct stream *stream, const char *run, size_t count)
{
	size_t left = stream->events;

	while (left > 0) {
		size_t now = left < count ? left : count;

		if (!send_all(fd, run, now * stream->size))
			return false;
		left -= now;
	}
	return true;
}

/* Each turn has its moment; one that came late does not move the next. */
static bool send_paced(int fd, const struct stream *stream, const char *run)
{
	size_t each = stream->rate / TURNS, left = stream->events;
	struct timespec moment;

	clock_gettime(CLOCK_MONOTONIC, &moment);
	while (left > 0) {
		size_t now = left < each ? left : each;

		if (!send_all(fd, run, now * stream->size))
			return false;
		left -= now;
		moment.tv_nsec += 1000000000 / TURNS;
		if (moment.tv_nsec >= 1000000000) {
			moment.tv_nsec -= 1000000000;
			moment.tv_sec++;
		}
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == EINTR)
			;
	}
	return true;
}

static void serve_stream(int fd, const struct stream *stream)
{
	size_t count = stream->rate > 0 ? stream->rate / TURNS : RUN_BYTES / stream->size;
	char *run, rest[512];

	count = count > 0 ? count : 1;
	run = make_run(stream->size, count);
	if (send_all(fd, head, strlen(head)) &&
		(stream->rate > 0 ? send_paced(fd, stream, run)
				  : send_fast(fd, stream, run, count)) &&
		stream->hold)
		while (read(fd, rest, sizeof(rest)) > 0)
			;
	free(run);
}

/* Read the head of a request into ${request}; false if none came. */
static bool read_request(int fd, char *request)
{
	size_t len = 0;

	while (len < REQUEST_SIZE - 1) {
		ssize_t count = read(fd, request + len, REQUEST_SIZE - 1 - len);

		if (count <= 0)
			return false;
		len += (size_t)count;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

static bool read_target(const char *request, struct stream *stream)
{
	char *end;

	*stream = (struct stream){0};
	if (strncmp(request, "GET /", 5) != 0)
		return false;
	stream->size = strtoul(request + 5, &end, 10);
	if (*end != '/' || stream->size <= strlen(before) + strlen(after))
		return false;
	stream->events = strtoul(end + 1, &end, 10);
	if (strncmp(end, "/hold", 5) == 0)
		stream->hold = true;
	else if (*end == '/')
		stream->rate = strtoul(end + 1, &end, 10);
	return stream->rate == 0 || stream->rate >= TURNS;
}

static void serve(int fd)
{
	static char request[REQUEST_SIZE];
	static const char refusal[] = "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n";
	struct stream stream;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!read_request(fd, request))
		return;
	if (read_target(request, &stream))
		serve_stream(fd, &stream);
	else
		send_all(fd, refusal, strlen(refusal));
}

int main(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	signal(SIGPIPE, SIG_IGN);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
		listen(listener, 64) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &size) != 0)
		fail("listen");
	printf("Listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		serve(fd);
		close(fd);
	}
}

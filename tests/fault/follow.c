/* SPDX-License-Identifier: MIT */
/*
 * follow: reads a stream as a browser would, for ever: whenever the connection ends, or cannot be
 * made, it comes back with the last id that it has.  Prints a line "ID DATA" for each event, and
 * ends after the one whose data is "end".
 *
 *   follow PORT PATH
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sse.h"

/* Between two tries to connect. */
#define PAUSE_MS 20

static bool ended;

static bool print_event(void *context, const struct sse_event *event)
{
	(void)context;
	printf("%.*s %.*s\n", (int)event->id.len, event->id.data, (int)event->data.len,
		event->data.data);
	fflush(stdout);
	ended = event->data.len == 3 && memcmp(event->data.data, "end", 3) == 0;
	return !ended;
}

/* A connection on which the request was sent, or -1. */
static int open_stream(const struct sse_parser *parser, int port, const char *path)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sse_text id = sse_parser_last_id(parser);
	int fd = socket(AF_INET, SOCK_STREAM, 0), len;
	char request[1024];

	if (fd < 0)
		return -1;
	len = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s\r\n", path,
		id.len > 0 ? "Last-Event-ID: " : "", (int)id.len, id.len > 0 ? id.data : "",
		id.len > 0 ? "\r\n" : "");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		send(fd, request, (size_t)len, MSG_NOSIGNAL) != len) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Give the parser what comes behind the head, until the connection ends. */
static void read_stream(struct sse_parser *parser, int fd)
{
	char bytes[65536], *rest;
	size_t have = 0;
	ssize_t got;

	/* The head is short; collect it whole. */
	for (rest = NULL; rest == NULL && have < sizeof(bytes) - 1; have += (size_t)got) {
		got = recv(fd, bytes + have, sizeof(bytes) - 1 - have, 0);
		if (got <= 0)
			return;
		bytes[have + (size_t)got] = '\0';
		rest = strstr(bytes, "\r\n\r\n");
	}
	if (rest == NULL || strncmp(bytes, "HTTP/1.1 200", 12) != 0)
		return;
	rest += 4;
	if (sse_parser_feed(parser, rest, (size_t)(bytes + have - rest), NULL) != SSE_OK)
		return;
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		if (sse_parser_feed(parser, bytes, (size_t)got, NULL) != SSE_OK)
			return;
	}
}

int main(int argc, char **argv)
{
	static const struct sse_callbacks callbacks = {.event = print_event};
	struct sse_parser *parser = sse_parser_new(&callbacks, NULL, 0);

	if (argc != 3 || parser == NULL) {
		fprintf(stderr, "usage: follow PORT PATH\n");
		return 2;
	}
	while (!ended) {
		int fd = open_stream(parser, atoi(argv[1]), argv[2]);

		if (fd >= 0) {
			read_stream(parser, fd);
			close(fd);
			sse_parser_end(parser);
		}
		if (!ended)
			nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	}
	sse_parser_free(parser);
	return 0;
}

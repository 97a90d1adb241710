/* SPDX-License-Identifier: MIT */
/* Connections that post; see publishers.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "marker.h"
#include "publishers.h"

#define ANSWER_MS 10000
#define HEAD_SIZE (1000 + HEADER_MAX)
#define TOLD 3 /* of the refusals, so many are told */

/* Connect, make the handshake, and wait for it.  0, or -1. */
static int join(struct publisher *publisher, const struct options *options, struct error *error)
{
	struct source *source = &publisher->source;
	struct pollfd answer = {.events = POLLIN};
	int done;

	if (net_dial(source, (uint16_t)options->port, options->tls, publisher->index, error) != 0)
		return -1;
	answer.fd = source->fd;
	while ((done = net_shake(source)) == 0) {
		if (poll(&answer, 1, ANSWER_MS) <= 0)
			break;
	}
	if (done == 1)
		return 0;
	net_close(source);
	return error_set(error, EX_UNAVAILABLE, "publisher %u: no handshake", publisher->index);
}

int publishers_init(struct publishers *publishers, const struct options *options, int epoll,
	struct error *error)
{
	size_t count = (size_t)options->publishers;

	*publishers = (struct publishers){.options = options};
	publishers->all = calloc(count, sizeof(struct publisher));
	publishers->published = calloc(count, sizeof(uint32_t));
	if (publishers->all == NULL || publishers->published == NULL)
		goto err0;
	for (; publishers->count < count; publishers->count++) {
		struct publisher *publisher = &publishers->all[publishers->count];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &publisher->source};

		publisher->index = (unsigned)publishers->count;
		publisher->request = malloc(HEAD_SIZE + (size_t)options->size + 16);
		if (publisher->request == NULL)
			goto err0;
		publisher->source.kind = SOURCE_PUBLISHER;
		if (join(publisher, options, error) != 0)
			goto err1;
		epoll_ctl(epoll, EPOLL_CTL_ADD, publisher->source.fd, &event);
	}
	return 0;

err0:
	error_set(error, EX_OSERR, "out of memory for %zu publishers", count);
err1:
	publishers_free(publishers);
	return -1;
}

void publishers_free(struct publishers *publishers)
{
	for (size_t i = 0; i < publishers->count; i++) {
		net_close(&publishers->all[i].source);
		free(publishers->all[i].request);
	}
	free(publishers->all);
	free(publishers->published);
	*publishers = (struct publishers){0};
}

static void make_request(
	struct publisher *publisher, const struct options *options, const char *path)
{
	bool json = strstr(options->type, "json") != NULL;
	const char *before = json ? "{\"event\":\"" : "", *after = json ? "\"}" : "";
	struct header header = options_header(options, publisher->index);
	size_t size = (size_t)options->size, around = strlen(before) + strlen(after);
	int head = snprintf(publisher->request, HEAD_SIZE,
		"POST %s HTTP/1.1\r\nHost: localhost\r\n%s%sContent-Type: %s\r\nContent-Length: "
		"%zu\r\n\r\n%s",
		path, header.line, header.end, options->type, size + around, before);

	publisher->event = (size_t)head;
	marker_fill(publisher->request + head, size);
	memcpy(publisher->request + head + size, after, strlen(after));
	publisher->size = (size_t)head + size + strlen(after);
}

void publishers_aim(struct publishers *publishers, const char *path)
{
	for (size_t i = 0; i < publishers->count; i++)
		make_request(&publishers->all[i], publishers->options, path);
}

static void broken(const struct publisher *publisher, const char *what)
{
	fprintf(stderr, "load: publisher %u: %s: %s\n", publisher->index, what, strerror(errno));
	exit(EX_IOERR);
}

void publishers_send(struct publishers *publishers, struct publisher *publisher, uint64_t when)
{
	struct marker marker = {.publisher = publisher->index,
		.number = publishers->published[publisher->index],
		.sent = when};

	marker_write(publisher->request + publisher->event, &marker);
	publisher->sent = when;
	publisher->busy = true;
	publisher->answered = 0;
	publishers->busy++;
	/* The socket blocks, and has room for a request, as none is in flight. */
	if (net_send(&publisher->source, publisher->request, publisher->size) !=
		(ssize_t)publisher->size)
		broken(publisher, "cannot post");
}

/* Is the answer here to its last byte? */
static bool is_whole(const struct publisher *publisher)
{
	const char *answer = publisher->answer;
	const char *body = strstr(answer, "\r\n\r\n"), *length;

	if (body == NULL)
		return false;
	body += 4;
	length = strcasestr(answer, "\r\nContent-Length:");
	if (length != NULL && length < body)
		return publisher->answered >=
		       (size_t)(body - answer) + strtoul(length + 17, NULL, 10);
	length = strcasestr(answer, "\r\nTransfer-Encoding:");
	return length == NULL || length >= body || strstr(body - 2, "\r\n0\r\n\r\n") != NULL;
}

static bool is_good(const struct publishers *publishers, const struct publisher *publisher)
{
	const char *wanted = publishers->options->answer;

	return publisher->answered > 12 &&
	       strncmp(publisher->answer + strlen("HTTP/1.1 "), wanted, strlen(wanted)) == 0;
}

bool publishers_read(struct publishers *publishers, struct publisher *publisher)
{
	ssize_t got = net_recv(&publisher->source, publisher->answer + publisher->answered,
		PUBLISHER_ANSWER - 1 - publisher->answered);

	if (got < 0 && errno == EAGAIN)
		return false;
	if (got <= 0)
		broken(publisher, "the server closed the connection, or said too much");
	publisher->answered += (size_t)got;
	publisher->answer[publisher->answered] = '\0';
	if (!is_whole(publisher))
		return false;
	publisher->busy = false;
	publishers->busy--;
	if (is_good(publishers, publisher)) {
		publishers->published[publisher->index]++;
		publishers->total++;
		histogram_add(&publishers->answers, now_ns() - publisher->sent);
	} else if (publishers->refused++ < TOLD) {
		fprintf(stderr, "load: publisher %u: %s\n", publisher->index, publisher->answer);
	}
	return true;
}

/* SPDX-License-Identifier: MIT */
/* Visits; see visits.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "net.h"
#include "visits.h"

#define BATCH 64
#define ANSWER_MS 10000
#define BUFFER_SIZE ((size_t)64 << 10)
#define STATUS_LEN 12 /* of "HTTP/1.1 200" */

struct visit {
	struct source source;
	uint64_t number;
	bool asked;
	size_t len; /* of ${status} */
	char status[STATUS_LEN];
};

struct visitors {
	const struct options *options;
	struct visits *visits;
	struct error *error;
	int epoll;
	uint64_t begun;
	size_t open;
};

/* Ask, when the connection is ready for it.  0, or -1. */
static int ask(const struct visitors *visitors, struct visit *visit)
{
	struct header header = options_header(visitors->options, visit->number);
	char request[2000 + HEADER_MAX];
	int ready = net_shake(&visit->source), len;

	if (ready <= 0)
		return ready;
	len = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s\r\n",
		visitors->options->stream, header.line, header.end);
	visit->asked = true;
	return len < (int)sizeof(request) && net_send(&visit->source, request, (size_t)len) == len
		       ? 0
		       : -1;
}

/* False at the end of the answer, whole or not. */
static bool hear(struct visit *visit)
{
	char answer[BUFFER_SIZE];
	ssize_t got = net_recv(&visit->source, answer, sizeof(answer));
	size_t len = got > 0 ? (size_t)got : 0;

	if (len > STATUS_LEN - visit->len)
		len = STATUS_LEN - visit->len;
	memcpy(visit->status + visit->len, answer, len);
	visit->len += len;
	return got > 0 || (got < 0 && errno == EAGAIN);
}

/* Begin the next visit at this place, if there is one.  0, or -1. */
static int begin(struct visitors *visitors, struct visit *visit)
{
	const struct options *options = visitors->options;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = visit};

	if (visitors->begun == (uint64_t)options->events)
		return 0;
	*visit = (struct visit){.number = visitors->begun};
	if (net_dial(&visit->source, (uint16_t)options->port, options->tls, visit->number,
		    visitors->error) != 0)
		return -1;
	visitors->open++;
	visitors->begun++;
	if (ask(visitors, visit) != 0 ||
		epoll_ctl(visitors->epoll, EPOLL_CTL_ADD, visit->source.fd, &event) != 0)
		return error_set(
			visitors->error, EX_IOERR, "cannot ask the server: %s", strerror(errno));
	return 0;
}

static int go_on(struct visitors *visitors, struct visit *visit)
{
	if (visit->asked ? hear(visit) : ask(visitors, visit) == 0)
		return 0;
	visitors->visits->done++;
	if (visit->len < STATUS_LEN || memcmp(visit->status, "HTTP/1.1 200", STATUS_LEN) != 0)
		visitors->visits->refused++;
	net_close(&visit->source);
	visitors->open--;
	return begin(visitors, visit);
}

static int make_all(struct visitors *visitors, struct visit *places, size_t count)
{
	struct epoll_event events[BATCH];

	for (size_t i = 0; i < count; i++) {
		if (begin(visitors, &places[i]) != 0)
			return -1;
	}
	while (visitors->open > 0) {
		int ready = epoll_wait(visitors->epoll, events, BATCH, ANSWER_MS);

		if (ready == 0)
			return error_set(visitors->error, EX_UNAVAILABLE,
				"%zu visits have no answer", visitors->open);
		for (int i = 0; i < ready; i++) {
			if (go_on(visitors, events[i].data.ptr) != 0)
				return -1;
		}
	}
	return 0;
}

int visits_make(struct visits *visits, const struct options *options, struct error *error)
{
	struct visitors visitors = {.options = options, .visits = visits, .error = error};
	size_t count = (size_t)options->streams;
	struct visit *places = calloc(count, sizeof(*places));
	int result;

	*visits = (struct visits){0};
	visitors.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (places == NULL || visitors.epoll < 0) {
		free(places);
		return error_set(error, EX_OSERR, "no room for %zu visits", count);
	}
	for (size_t i = 0; i < count; i++)
		places[i].source.fd = -1;
	result = make_all(&visitors, places, count);
	for (size_t i = 0; i < count; i++)
		net_close(&places[i].source);
	free(places);
	close(visitors.epoll);
	return result;
}

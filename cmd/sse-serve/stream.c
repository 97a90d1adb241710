/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event; see stream.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "number.h"
#include "stream.h"

/* What clients are told to wait before they reconnect, ms: spread, so that a restart brings no
 * herd. */
#define RETRY_MIN 1000
#define RETRY_MAX 3000

/* The longest foreign id that a gap event repeats. */
#define FOREIGN_ID_MAX 400

void stream_check(struct request *request)
{
	const char *length = request_header(request, "Content-Length");

	/* Its bytes would be taken for part of the stream's socket. */
	if ((length != NULL && strcmp(length, "0") != 0) ||
		request_header(request, "Transfer-Encoding") != NULL)
		request_problem(request, 400, "a request for a stream has no body");
}

/* "2026-11-22T19:00:00Z", with a fraction or an offset. */
static int parse_time(const char *text, int64_t *ms)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0, offset = 0;
	int hours, minutes, used = 0;
	char sign;

	if (rest == NULL)
		return -1;
	if (*rest == '.') {
		int64_t scale = 100;

		for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			fraction += (*rest - '0') * scale;
	}
	if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0) {
		if (sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 ||
			rest[used] != '\0' || (sign != '+' && sign != '-' && sign != ' '))
			return -1;
		offset = (hours * 60 + minutes) * (sign == '-' ? -60000 : 60000);
	}
	*ms = (int64_t)timegm(&tm) * 1000 + fraction - offset;
	return *ms >= 0 ? 0 : -1;
}

int stream_since(const char *text, int64_t *since, struct error *error)
{
	int64_t back;

	if (strcmp(text, "all") == 0) {
		*since = 0;
		return 0;
	}
	if (number_duration(text, 0, INT64_MAX / 4, &back, NULL) == 0) {
		*since = store_now() - back;
		if (*since < 0)
			*since = 0;
		return 0;
	}
	if (parse_time(text, since) == 0)
		return 0;
	return error_set(error, EX_DATAERR,
		"since is 'all', a duration like 10m, or a time like 2026-11-22T19:00:00Z");
}

/*
 * The header outranks the query: an EventSource reconnects with the URL that it had, and says in
 * the header how far it came.  *${id} is to be freed.
 */
static int find_start(struct request *request, struct start *start, char **id, struct error *error)
{
	const char *header = request_header(request, "Last-Event-ID");
	char *since;
	int result;

	*start = (struct start){.kind = START_NOW};
	*id = header != NULL && header[0] != '\0' ? strdup(header)
						  : route_query(&request->route, "last_event_id");
	if (*id != NULL && (*id)[0] != '\0') {
		if (identity_parse(&request->server->store->identity, *id,
			    window_position(request->server->window), &start->after)) {
			start->kind = START_AFTER;
			return 0;
		}
		start->kind = START_UNKNOWN;
		start->unknown = *id;
		if (strlen(*id) > FOREIGN_ID_MAX)
			(*id)[FOREIGN_ID_MAX] = '\0';
		/* It goes into JSON: what is not UTF-8 is not worth repeating. */
		(*id)[sse_utf8_valid(*id, strlen(*id))] = '\0';
		return 0;
	}
	since = route_query(&request->route, "since");
	if (since == NULL)
		return 0;
	start->kind = START_SINCE;
	result = stream_since(since, &start->since, error);
	free(since);
	return result;
}

static size_t make_head(const struct request *request, char *head, size_t size)
{
	char retry[40];
	uint32_t random = 0;
	size_t len;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)time(NULL);
	len = request_write_head(request, 200, "text/event-stream",
		"Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n", head, size);
	snprintf(retry, sizeof(retry), "retry: %u\n\n",
		RETRY_MIN + random % (RETRY_MAX - RETRY_MIN));
	if (len + strlen(retry) >= size)
		return 0;
	memcpy(head + len, retry, strlen(retry));
	return len + strlen(retry);
}

void stream_run(struct request *request)
{
	struct error error = {0};
	struct start start;
	char head[1024], *id;
	size_t len;
	int fd;

	if (find_start(request, &start, &id, &error) != 0) {
		request_problem(request, 400, "%s", error.text);
	} else if (request_is_head(request)) {
		request_reply_static(request, 200, "text/event-stream", "", 0);
		request_add_header(request, "Cache-Control", "no-cache");
		request_add_header(request, "X-Accel-Buffering", "no");
	} else {
		len = make_head(request, head, sizeof(head));
		fd = request_take_socket(request);
		if (fd < 0)
			request_problem(request, 503, "out of descriptors: %s", strerror(errno));
		else
			subscriber_open(
				request->fanout, fd, request->route.topic, head, len, &start);
		request->status = fd < 0 ? 503 : 200;
	}
	free(id);
}

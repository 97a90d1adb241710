/* SPDX-License-Identifier: MIT */
/* Present values and polls, and those who read them; see verbs_worker.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "sse.h"
#include "verbs_worker.h"

/* --- present values --- */

void values_set_one(struct worker *worker)
{
	unsigned subject = (unsigned)random_below(&worker->random, SUBJECTS);
	char target[60], key[60], data[60];

	worker->next++;
	snprintf(target, sizeof(target), "/api/now?subject=s%u", subject);
	snprintf(key, sizeof(key), "now-%" PRIu64, worker->next);
	snprintf(data, sizeof(data), "%" PRIu64, worker->next);
	worker_publish(worker, target, key, data);
	worker->verbs->values[subject] = worker->next;
}

/* An envelope: {..."subject":"s3","data":42}. */
static bool read_value(const char *envelope, unsigned *subject, uint64_t *value)
{
	const char *at = strstr(envelope, "\"subject\":");

	return at != NULL &&
	       sscanf(at, "\"subject\":\"s%u\",\"data\":%" SCNu64, subject, value) == 2 &&
	       *subject < SUBJECTS;
}

static bool saw_value(void *context, const struct sse_event *event)
{
	struct verbs *verbs = context;
	char text[500];
	unsigned subject;
	uint64_t value;

	snprintf(text, sizeof(text), "%.*s", (int)event->data.len, event->data.data);
	if (event->type.len == 8 && memcmp(event->type.data, "uptodate", 8) == 0)
		return true;
	if (!read_value(text, &subject, &value))
		fail("who follows the present values was sent: %s", text);
	if (value <= verbs->followed[subject])
		fail("s%u became %" PRIu64 " after %" PRIu64, subject, value,
			verbs->followed[subject]);
	verbs->followed[subject] = value;
	verbs->deliveries++;
	return true;
}

/* One connection, from where the one before ended. */
static void follow(struct worker *worker, struct sse_parser *parser)
{
	struct sse_text id = sse_parser_last_id(parser);
	int fd = net_dial(worker->verbs->port), status;
	char request[400], head[2048];

	if (fd < 0)
		return;
	snprintf(request, sizeof(request),
		"GET /api/now/event?latest=1&envelope=1 HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s\r\n",
		id.len > 0 ? "Last-Event-ID: " : "", (int)id.len, id.len > 0 ? id.data : "",
		id.len > 0 ? "\r\n" : "");
	status = net_send(fd, request, strlen(request))
			 ? net_head(fd, &worker->input, head, sizeof(head))
			 : -1;
	if (status > 0 && status != 200 && status != 503)
		fail("who follows the present values was answered with %d", status);
	while (status == 200 && net_fill(fd, &worker->input)) {
		if (sse_parser_feed(parser, worker->input.bytes + worker->input.from,
			    worker->input.upto - worker->input.from, NULL) != SSE_OK)
			fail("the stream of present values cannot be read");
		worker->input.from = worker->input.upto;
	}
	close(fd);
	sse_parser_end(parser);
}

void *values_follow(void *context)
{
	static const struct sse_callbacks callbacks = {.event = saw_value};
	struct worker *worker = context;
	struct sse_parser *parser = sse_parser_new(&callbacks, worker->verbs, 0);

	while (parser != NULL && !crew_is_ending(&worker->verbs->crew)) {
		follow(worker, parser);
		net_pause(random_below(&worker->random, 20));
	}
	sse_parser_free(parser);
	return NULL;
}

void values_check(struct verbs *verbs)
{
	int64_t end = clock_now_ms() + NET_PATIENCE_MS;
	unsigned subject, listed = 0, set = 0;
	uint64_t value;

	worker_expect(&verbs->setter, 200, "/api/now?latest=1&envelope=1", "");
	for (const char *at = verbs->setter.body; (at = strstr(at, "\"subject\":")) != NULL; at++) {
		if (!read_value(at, &subject, &value) || value != verbs->values[subject])
			fail("these are not the present values: %s", verbs->setter.body);
		listed++;
	}
	for (unsigned i = 0; i < SUBJECTS; i++) {
		set += verbs->values[i] > 0;
		while (verbs->followed[i] < verbs->values[i]) {
			if (clock_now_ms() > end)
				fail("s%u is %" PRIu64 ", and who follows it saw %" PRIu64, i,
					verbs->values[i], verbs->followed[i]);
			net_pause(5);
		}
	}
	if (listed != set)
		fail("%u subjects have a value, and %u are listed: %s", set, listed,
			verbs->setter.body);
}

/* --- polls --- */

void poll_publish_one(struct worker *worker)
{
	char key[60], data[60];

	snprintf(key, sizeof(key), "poll-%" PRIu64, worker->next);
	snprintf(data, sizeof(data), "\"n%" PRIu64 ".\"", worker->next);
	worker_publish(worker, "/api/poll", key, data);
	worker->next++;
}

void *poll_run(void *context)
{
	struct worker *worker = context;
	struct verbs *verbs = worker->verbs;

	while (!crew_is_ending(&verbs->crew)) {
		char target[ID + 60], id[ID];
		int status;

		/* All that there is, as long as it knows no id. */
		snprintf(target, sizeof(target), "/api/poll%s%s%s",
			worker->id[0] != '\0' ? "?after=" : "", worker->id,
			worker->id[0] != '\0' ? "&wait=2s" : "");
		status = worker_ask(worker, "GET", target, "", "", id);
		if (status > 0 && status != 200 && status != 204 && status != 503)
			fail("GET %s was answered with %d: %s", target, status, worker->body);
		for (const char *at = worker->body; status == 200; at++) {
			uint64_t number;

			at = strstr(at, "\"n");
			if (at == NULL)
				break;
			if (sscanf(at, "\"n%" SCNu64 ".", &number) != 1 || number != verbs->polled)
				fail("who polls was given %.30s after %" PRIu64 " others", at,
					verbs->polled);
			verbs->polled++;
		}
		if ((status == 200 || status == 204) && id[0] != '\0')
			memcpy(worker->id, id, ID);
		else
			net_pause(1 + random_below(&worker->random, 10));
	}
	return NULL;
}

void poll_check(struct verbs *verbs)
{
	int64_t end = clock_now_ms() + NET_PATIENCE_MS;

	while (verbs->polled < verbs->publisher.next) {
		if (clock_now_ms() > end)
			fail("%" PRIu64 " events were published, and who polls was given %" PRIu64,
				verbs->publisher.next, verbs->polled);
		net_pause(5);
	}
}

/* SPDX-License-Identifier: MIT */
/* What the threads of verbs.h share; see verbs_worker.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "verbs_worker.h"

int worker_ask(struct worker *worker, const char *method, const char *target, const char *headers,
	const char *data, char id[ID])
{
	char request[2048], head[2048], number[30] = "0";
	int fd = net_dial(worker->verbs->port), status = -1;
	size_t len;

	if (fd < 0)
		return -1;
	snprintf(request, sizeof(request),
		"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: "
		"%zu\r\n\r\n%s",
		method, target, headers, strlen(data), data);
	if (net_send(fd, request, strlen(request)))
		status = net_head(fd, &worker->input, head, sizeof(head));
	id[0] = '\0';
	if (status > 0) {
		net_header(head, "Last-Event-ID", id, ID);
		net_header(head, "Content-Length", number, sizeof(number));
	}
	len = strtoul(number, NULL, 10);
	if (len >= BODY)
		fail("the answer to %s %s is too long for this test", method, target);
	if (status > 0 && !net_body(fd, &worker->input, worker->body, len))
		status = -1;
	worker->body[len] = '\0';
	close(fd);
	return status;
}

int worker_insist(struct worker *worker, const char *method, const char *target,
	const char *headers, const char *data, char id[ID])
{
	int64_t end = clock_now_ms() + 2 * NET_PATIENCE_MS;
	int status;

	while ((status = worker_ask(worker, method, target, headers, data, id)) < 0 ||
		status == 503 || status == 507) {
		if (clock_now_ms() > end)
			fail("%s %s is tried in vain", method, target);
		net_pause(1 + random_below(&worker->random, 5));
	}
	return status;
}

void worker_publish(struct worker *worker, const char *target, const char *key, const char *data)
{
	char headers[200];
	int status;

	snprintf(headers, sizeof(headers), JSON "Idempotency-Key: %s\r\n", key);
	status = worker_insist(worker, "POST", target, headers, data, worker->id);
	if (status != 201 || worker->id[0] == '\0')
		fail("POST %s was answered with %d: %s", target, status, worker->body);
}

void worker_expect(struct worker *worker, int status, const char *target, const char *headers)
{
	char id[ID];
	int got = worker_insist(worker, "GET", target, headers, "", id);

	if (got != status)
		fail("GET %s was answered with %d, not %d: %s", target, got, status, worker->body);
}

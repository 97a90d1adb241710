/* SPDX-License-Identifier: MIT */
/* Answers that do not wait for the library; see refusal.h. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "linger.h"
#include "problem.h"
#include "refusal.h"
#include "request.h"
#include "request_internal.h"

/* Write the sentence of a refusal; return further header lines for its answer. */
static const char *explain(const struct request *request, char *detail, size_t size)
{
	switch (request->refused) {
	case 400:
		snprintf(detail, size,
			"the length of the body is ambiguous; send one Content-Length, or "
			"'Transfer-Encoding: chunked' alone");
		return "";
	case 503:
		snprintf(detail, size, REQUEST_BODIES_FULL,
			(long long)request->shared->config->bodies->limit);
		return "Retry-After: 1\r\n";
	case 414:
		snprintf(detail, size,
			"the target is too long, or its query has too many parameters "
			"(--max-topics-per-stream)");
		return "";
	default:
		snprintf(detail, size, "the body is larger than %zu bytes, the limit (--max-body)",
			request->body.cap);
		return "";
	}
}

/* Write the answer of a refusal.  Return its length, 0 if that failed. */
static size_t write_answer(struct request *request, char *answer, size_t size)
{
	char detail[120];
	const char *more = explain(request, detail, sizeof(detail));
	struct problem problem = {request->refused, request_reason(request->refused), detail};
	size_t len = request_write_head(
		request, request->refused, "application/problem+json", more, answer, size);
	struct buf text;

	request->status = request->refused;
	buf_init(&text, size - len);
	if (len > 0 && problem_json(&problem, &text)) {
		memcpy(answer + len, text.data, text.len);
		len += text.len;
	}
	buf_free(&text);
	return len;
}

void refusal_of_body(struct request *request)
{
	char answer[1400];
	size_t len = write_answer(request, answer, sizeof(answer));
	int fd = request_copy_socket(request, request->refused);

	if (fd >= 0 && len > 0 &&
		send(fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len) {
		linger_add(&request->shared->lingerers, fd, clock_now_ms());
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
}

void refusal_of_target(struct request *request)
{
	char answer[1400];
	size_t len;

	request->refused = 414;
	len = write_answer(request, answer, sizeof(answer));
	/*
	 * The answer fits into the empty buffer of the socket; if it does not, the client sees only
	 * the end.
	 */
	if (len > 0)
		(void)send(request->socket->fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(request->socket->fd, SHUT_WR);
	connection_set_deadline(request->socket, 0);
	/* What the library gives up while it reads is freed in its next run. */
	request->shared->wants_run = true;
}

/* SPDX-License-Identifier: MIT */
/* Plain HTTP where TLS is spoken; see plain_client.h. */
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "buf.h"
#include "head.h"
#include "plain_client.h"
#include "problem.h"

void plain_client_refuse(int fd)
{
	static const struct problem problem = {
		400, "Bad Request", "this port speaks TLS: use https:// instead of http://"};
	struct head head = {.status = problem.status,
		.reason = problem.title,
		.date = time(NULL),
		.type = "application/problem+json",
		.more = ""};
	char answer[1024];
	size_t len = head_write(&head, answer, sizeof(answer));
	struct buf text;

	buf_init(&text, sizeof(answer) - len);
	if (problem_json(&problem, &text)) {
		memcpy(answer + len, text.data, text.len);
		send(fd, answer, len + text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	buf_free(&text);
}

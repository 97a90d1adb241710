/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/http/body.c and refusal.c: which bodies are refused, and how the server
 * answers before it has read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <microhttpd.h>

#include "clock.h"
#include "base/leaving.h"
#include "http/body.h"
#include "http/body_length.h"
#include "http/connection.h"
#include "http/refusal.h"
#include "http/request.h"
#include "http/request_internal.h"

#define CAP 100

/* A request whose client is the other end of a pair of sockets. */
struct fixture {
	struct quota bodies;
	struct option_list cors;
	struct leaving leaving;
	struct http_config config;
	struct request_shared shared;
	struct connection *list;
	struct request request;
	int fd, client;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	assert_non_null(f);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	f->fd = pair[0];
	f->client = pair[1];
	f->bodies.limit = 1000;
	f->config = (struct http_config){.bodies = &f->bodies, .cors = &f->cors, .leaving = &f->leaving};
	f->shared.config = &f->config;
	f->shared.lingerers.epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_true(f->shared.lingerers.epoll >= 0);
	f->request = (struct request){
		.shared = &f->shared, .socket = connection_new(&f->list, f->fd, 60000)};
	assert_non_null(f->request.socket);
	buf_init(&f->request.body, CAP);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	linger_close(&f->shared.lingerers);
	close(f->shared.lingerers.epoll);
	request_release(&f->request, 0);
	assert_int_equal(f->bodies.held, 0);
	if (f->request.response != NULL)
		MHD_destroy_response(f->request.response);
	connection_free(f->list);
	if (f->fd >= 0)
		close(f->fd);
	close(f->client);
	free(f);
	return 0;
}

static void expect(struct fixture *f, const char *content_length)
{
	struct body_length length = {0};

	body_length_look(&length, "Content-Length", content_length);
	body_expect(&f->request, &length);
}

static void a_body_is_refused_by_its_announced_length(void **state)
{
	struct fixture *f = *state;

	expect(f, "100");
	assert_int_equal(f->request.refused, 0);
	assert_int_equal(f->request.announced, CAP);
	expect(f, "101");
	assert_int_equal(f->request.refused, 413);
}

static void a_body_of_doubtful_length_is_refused(void **state)
{
	struct fixture *f = *state;

	expect(f, NULL);
	assert_int_equal(f->request.refused, 400);
}

static void a_body_is_collected_up_to_its_limit(void **state)
{
	struct fixture *f = *state;
	char half[CAP / 2];

	memset(half, 'a', sizeof(half));
	body_take(&f->request, half, sizeof(half));
	body_take(&f->request, half, sizeof(half));
	assert_int_equal(f->request.refused, 0);
	assert_int_equal(request_body(&f->request)->len, CAP);
	assert_int_equal(f->request.received, CAP);
	assert_int_equal(f->bodies.held, CAP);
	body_take(&f->request, half, 1);
	assert_int_equal(f->request.refused, 413);
	assert_int_equal(request_body(&f->request)->len, CAP);
}

static void an_announced_body_is_counted_once(void **state)
{
	struct fixture *f = *state;

	expect(f, "10");
	assert_true(body_hold(&f->request, f->request.announced));
	body_take(&f->request, "1234567890", 10);
	assert_int_equal(f->bodies.held, 10);
	assert_true(buf_is(request_body(&f->request), "1234567890", 10));
}

static void a_body_is_refused_while_others_hold_too_much(void **state)
{
	struct fixture *f = *state;

	assert_true(quota_take(&f->bodies, 0, 995));
	body_take(&f->request, "12345", 5);
	assert_int_equal(f->request.refused, 0);
	body_take(&f->request, "6", 1);
	assert_int_equal(f->request.refused, 503);
	assert_true(buf_is(request_body(&f->request), "12345", 5));
	quota_give(&f->bodies, 995);
}

static void the_body_of_an_answered_request_is_dropped(void **state)
{
	struct fixture *f = *state;

	request_problem(&f->request, 404, "no such thing");
	body_take(&f->request, "12345", 5);
	assert_int_equal(request_body(&f->request)->len, 0);
	assert_int_equal(f->bodies.held, 0);
	assert_int_equal(f->request.refused, 0);
}

/* What the client has received, and that the server sends no more. */
static void read_answer(const struct fixture *f, char *answer, size_t size)
{
	ssize_t got = recv(f->client, answer, size - 1, 0);
	char byte;

	assert_true(got > 0);
	answer[got] = '\0';
	assert_int_equal(recv(f->client, &byte, 1, 0), 0);
}

static void a_refusal_is_answered_while_the_client_still_sends(void **state)
{
	static const struct {
		unsigned status;
		const char *line, *header, *detail;
	} rows[] = {
		{400, "HTTP/1.1 400 ", "", "the length of the body is ambiguous"},
		{413, "HTTP/1.1 413 ", "", "larger than 100 bytes"},
		{503, "HTTP/1.1 503 ", "\r\nRetry-After: 1\r\n",
			"hold 1000 bytes, the limit (--max-bodies)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char answer[2000];
		struct fixture *f;
		void *own;

		set_up(&own);
		f = own;
		f->request.refused = rows[i].status;
		refusal_of_body(&f->request);
		assert_int_equal(f->request.status, rows[i].status);
		assert_int_equal(f->request.stage, REQUEST_TAKEN);
		/* As the library does then. */
		close(f->fd);
		f->fd = -1;
		read_answer(f, answer, sizeof(answer));
		assert_memory_equal(answer, rows[i].line, strlen(rows[i].line));
		assert_non_null(strstr(answer, rows[i].header));
		assert_non_null(strstr(answer, "\r\n\r\n{\"title\":"));
		assert_non_null(strstr(answer, rows[i].detail));
		/* The socket lingers, so this does not meet a closed one. */
		assert_int_equal(send(f->client, "more", 4, MSG_NOSIGNAL), 4);
		tear_down(&own);
	}
}

static void a_target_that_does_not_fit_is_answered_and_ended(void **state)
{
	struct fixture *f = *state;
	char answer[2000];

	refusal_of_target(&f->request);
	assert_int_equal(f->request.status, 414);
	assert_true(f->shared.wants_run);
	read_answer(f, answer, sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 414 ", 13);
	assert_non_null(strstr(answer, "(--max-topics-per-stream)"));
	assert_true(f->request.socket->deadline <= clock_now_ms());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_is_refused_by_its_announced_length),
		TEST(a_body_of_doubtful_length_is_refused),
		TEST(a_body_is_collected_up_to_its_limit),
		TEST(an_announced_body_is_counted_once),
		TEST(a_body_is_refused_while_others_hold_too_much),
		TEST(the_body_of_an_answered_request_is_dropped),
		cmocka_unit_test(a_refusal_is_answered_while_the_client_still_sends),
		TEST(a_target_that_does_not_fit_is_answered_and_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

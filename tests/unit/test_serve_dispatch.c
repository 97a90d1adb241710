/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/dispatch.c: which handler a request gets, or which refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <microhttpd.h>

#include "base/leaving.h"
#include "http/connection.h"
#include "http/dispatch.h"
#include "http/request_internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void run(struct request *request)
{
	(void)request;
}

static const struct handler handlers[] = {
	{ROUTE_STREAM, "GET", NULL, run, VERB_FREE, FOR_OTHERS},
	{ROUTE_STREAMS, "GET", NULL, run, VERB_FREE, FOR_OTHERS},
	{ROUTE_TOPIC, "GET", NULL, run, VERB_FREE, FOR_OTHERS},
	{ROUTE_TOPIC, "POST", NULL, run, VERB_FREE, FOR_OTHERS},
	{ROUTE_PAGE, "GET", NULL, run, VERB_FREE, FOR_OTHERS},
	{ROUTE_EVENT, "DELETE", NULL, run, VERB_FREE, FOR_OTHERS},
	{ROUTE_EVENT, "GET", NULL, run, VERB_FREE, FOR_OTHERS},
};
static const struct http_routes routes = {handlers, COUNT(handlers), NULL};
static const struct option_list cors;
static const struct leaving leaving;
static const struct http_config config = {.routes = &routes, .cors = &cors, .leaving = &leaving};

static struct request request_of(const char *method, char *target)
{
	static struct request_shared shared = {.config = &config};
	static struct connection connection;
	struct request request = {
		.shared = &shared, .socket = &connection, .method = method, .target = target};

	dispatch_find(&request);
	return request;
}

static void free_parts(struct request *request)
{
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	route_free(&request->route);
}

static void the_kind_and_the_method_choose_the_handler(void **state)
{
	static const struct {
		const char *method, *target;
		const struct handler *handler;
	} rows[] = {
		{"GET", "/api/a/event", &handlers[0]},
		{"GET", "/api/event?topic=a", &handlers[1]},
		{"GET", "/api/a?limit=3", &handlers[2]},
		{"HEAD", "/api/a", &handlers[2]},
		{"POST", "/api/a?event=b", &handlers[3]},
		{"GET", "/index.html?whatever", &handlers[4]},
		{"DELETE", "/api/a/x:1", &handlers[5]},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *target = strdup(rows[i].target);
		struct request request = request_of(rows[i].method, target);

		if (request.handler != rows[i].handler || request.response != NULL)
			fail_msg("%s %s: answered %u", rows[i].method, target, request.status);
		free_parts(&request);
		free(target);
	}
}

static void what_has_no_handler_is_refused(void **state)
{
	static const struct {
		const char *method, *target;
		unsigned status;
		const char *allow;
	} rows[] = {
		{"POST", "/api/a/event", 405, "GET, HEAD, OPTIONS"},
		{"DELETE", "/api/a", 405, "GET, HEAD, POST, OPTIONS"},
		{"post", "/api/a", 405, "GET, HEAD, POST, OPTIONS"},
		{"POST", "/index.html", 405, "GET, HEAD, OPTIONS"},
		{"GET", "/api/a/presence", 405, "OPTIONS"},
		{"PUT", "/api/a/x:1", 405, "DELETE, GET, HEAD, OPTIONS"},
		{"POST", "/api/event", 400, NULL},
		{"GET", "*", 400, NULL},
		/* The target itself is wrong, or its query is. */
		{"GET", "/api/a%00b", 400, NULL},
		{"GET", "/api/a?limt=3", 400, NULL},
		{"HEAD", "/api/a?event=b", 400, NULL},
		{"POST", "/api/a?limit=3", 400, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *target = strdup(rows[i].target);
		struct request request = request_of(rows[i].method, target);
		const char *allow;

		if (request.response == NULL || request.status != rows[i].status)
			fail_msg("%s %s: answered %u", rows[i].method, target, request.status);
		allow = MHD_get_response_header(request.response, "Allow");
		if (rows[i].allow == NULL)
			assert_null(allow);
		else
			assert_string_equal(allow, rows[i].allow);
		free_parts(&request);
		free(target);
	}
}

static void options_says_what_a_target_takes(void **state)
{
	static const char *const rows[][2] = {
		{"/api/a/event", "GET, HEAD, OPTIONS"},
		{"/api/a", "GET, HEAD, POST, OPTIONS"},
		{"/api/a/presence", "OPTIONS"},
		{"/api/a/x:1", "DELETE, GET, HEAD, OPTIONS"},
		{"*", "GET, HEAD, POST, DELETE, OPTIONS"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *target = strdup(rows[i][0]);
		struct request request = request_of("OPTIONS", target);

		assert_non_null(request.handler);
		assert_null(request.response);
		request.handler->run(&request);
		assert_int_equal(request.status, 204);
		assert_string_equal(MHD_get_response_header(request.response, "Allow"), rows[i][1]);
		free_parts(&request);
		free(target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kind_and_the_method_choose_the_handler),
		cmocka_unit_test(what_has_no_handler_is_refused),
		cmocka_unit_test(options_says_what_a_target_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

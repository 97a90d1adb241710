/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-post/verdict.c: each row is the end of a request, and what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "verdict.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Kinds of requests: with keys or without, and whether all of it was sent. */
static const struct verdict_request one = {.events = 1, .sent = true};
static const struct verdict_request one_once = {.events = 1, .once = true, .sent = true};
static const struct verdict_request batch = {.events = 8, .batch = true, .sent = true};
static const struct verdict_request batch_once = {
	.events = 8, .batch = true, .once = true, .sent = true};
static const struct verdict_request part = {.events = 1};
static const struct verdict_request part_once = {.events = 1, .once = true};

static void answers(void **state)
{
	static const struct {
		const struct verdict_request *request;
		long status;
		size_t results;
		enum verdict want;
		bool ambiguous;
	} rows[] = {
		/* 2xx: the events are there; with other results than events, perhaps as one. */
		{&one, 200, 0, VERDICT_ACCEPTED, false},
		{&one, 201, 0, VERDICT_ACCEPTED, false},
		{&one_once, 202, 0, VERDICT_ACCEPTED, false},
		{&batch, 201, 8, VERDICT_ACCEPTED, false},
		{&batch, 201, 0, VERDICT_ACCEPTED, false},
		{&batch, 201, 1, VERDICT_DOUBTFUL, false},
		{&batch_once, 200, 9, VERDICT_DOUBTFUL, false},
		/* What the one event is: it will be refused each time. */
		{&one, 400, 0, VERDICT_REFUSED, false},
		{&one, 409, 0, VERDICT_REFUSED, false},
		{&one, 412, 0, VERDICT_REFUSED, false},
		{&one, 413, 0, VERDICT_REFUSED, false},
		{&one, 411, 0, VERDICT_NO, false},
		{&one, 414, 0, VERDICT_NO, false},
		{&one, 415, 0, VERDICT_REFUSED, false},
		{&one_once, 422, 0, VERDICT_REFUSED, false},
		/* A batch that is refused says nothing of its events. */
		{&batch, 400, 0, VERDICT_OTHERWISE, false},
		{&batch, 404, 0, VERDICT_OTHERWISE, false},
		{&batch, 405, 0, VERDICT_OTHERWISE, false},
		{&batch, 409, 0, VERDICT_OTHERWISE, false},
		{&batch, 411, 0, VERDICT_OTHERWISE, false},
		{&batch, 413, 0, VERDICT_OTHERWISE, false},
		{&batch, 415, 0, VERDICT_OTHERWISE, false},
		{&batch_once, 422, 0, VERDICT_OTHERWISE, false},
		{&batch, 501, 0, VERDICT_OTHERWISE, false},
		/* It passes, and with a key it is right to ask again. */
		{&one, 408, 0, VERDICT_AGAIN, false},
		{&one, 429, 0, VERDICT_AGAIN, false},
		{&one, 500, 0, VERDICT_AGAIN, false},
		{&one, 502, 0, VERDICT_AGAIN, false},
		{&batch, 503, 0, VERDICT_AGAIN, false},
		{&batch, 504, 0, VERDICT_AGAIN, false},
		/* Without a key it is not, unless the server says that it took nothing up. */
		{&one_once, 429, 0, VERDICT_AGAIN, false},
		{&batch_once, 503, 0, VERDICT_AGAIN, false},
		{&one_once, 408, 0, VERDICT_NO, false},
		{&one_once, 500, 0, VERDICT_UNKNOWN, true},
		{&one_once, 502, 0, VERDICT_UNKNOWN, true},
		{&batch_once, 504, 0, VERDICT_UNKNOWN, true},
		/* It was not sent whole: then it cannot have been stored. */
		{&part_once, 500, 0, VERDICT_AWAY, false},
		{&part_once, 504, 0, VERDICT_AWAY, false},
		/* Another 5xx does not pass; all else is a definite no. */
		{&one, 501, 0, VERDICT_AWAY, false},
		{&one, 505, 0, VERDICT_AWAY, false},
		{&one_once, 507, 0, VERDICT_AWAY, false},
		{&one, 301, 0, VERDICT_NO, false},
		{&one, 404, 0, VERDICT_NO, false},
		{&one, 410, 0, VERDICT_NO, false},
		{&one, 418, 0, VERDICT_NO, false},
		/* It is about who sends, not about the event. */
		{&one, 401, 0, VERDICT_DENIED, false},
		{&batch, 401, 0, VERDICT_DENIED, false},
		{&batch, 403, 0, VERDICT_DENIED, false},
		{&one_once, 403, 0, VERDICT_DENIED, false},
		{&one, 407, 0, VERDICT_DENIED, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		bool ambiguous = false, told = true;
		enum verdict got = verdict_of_answer(
			rows[i].request, rows[i].status, rows[i].results, &ambiguous);

		if (got != rows[i].want || ambiguous != rows[i].ambiguous)
			fail_msg("row %zu, %ld: verdict %d, ambiguous %d", i, rows[i].status,
				(int)got, ambiguous);
		verdict_of_answer(rows[i].request, rows[i].status, rows[i].results, &told);
		assert_true(told);
	}
}

static void failures(void **state)
{
	static const struct {
		const struct verdict_request *request;
		enum verdict_failure failure;
		enum verdict want;
		bool ambiguous;
	} rows[] = {
		{&one, VERDICT_BROKEN, VERDICT_AGAIN, true},
		{&part, VERDICT_BROKEN, VERDICT_AGAIN, false},
		{&one_once, VERDICT_BROKEN, VERDICT_UNKNOWN, true},
		{&part_once, VERDICT_BROKEN, VERDICT_AGAIN, false},
		{&batch_once, VERDICT_BROKEN, VERDICT_UNKNOWN, true},
		{&one, VERDICT_USELESS, VERDICT_NO, true},
		{&part, VERDICT_USELESS, VERDICT_NO, false},
		{&one_once, VERDICT_USELESS, VERDICT_UNKNOWN, true},
		{&part_once, VERDICT_USELESS, VERDICT_NO, false},
		/* The request stayed with the proxy. */
		{&one, VERDICT_BARRED, VERDICT_DENIED, false},
		{&one_once, VERDICT_BARRED, VERDICT_DENIED, false},
		{&one, VERDICT_STOPPED, VERDICT_AWAY, true},
		{&part, VERDICT_STOPPED, VERDICT_AWAY, false},
		{&one_once, VERDICT_STOPPED, VERDICT_UNKNOWN, true},
		{&part_once, VERDICT_STOPPED, VERDICT_AWAY, false},
		{&one, VERDICT_NOBODY, VERDICT_AWAY, false},
		{&part_once, VERDICT_NOBODY, VERDICT_AWAY, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		bool ambiguous = false;
		enum verdict got = verdict_of_failure(rows[i].request, rows[i].failure, &ambiguous);

		if (got != rows[i].want || ambiguous != rows[i].ambiguous)
			fail_msg("row %zu: verdict %d, ambiguous %d", i, (int)got, ambiguous);
	}
}

static void a_batch_is_split(void **state)
{
	static const struct {
		size_t events;
		long status;
		uint64_t line;
		struct verdict_split want;
	} rows[] = {
		/* Too large: half of it, down to one. */
		{8, 413, 0, {true, 4, false}},
		{3, 413, 2, {true, 1, false}},
		{2, 413, 0, {true, 1, false}},
		/* A line is blamed: those before it, and then it is the first. */
		{8, 400, 5, {false, 4, false}},
		{8, 422, 2, {false, 1, false}},
		{8, 422, 1, {false, 1, false}},
		{8, 400, 8, {false, 7, false}},
		/* None is, or one that is not there. */
		{8, 400, 0, {false, 0, true}},
		{8, 400, 9, {false, 0, true}},
		{8, 404, 0, {false, 0, true}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct verdict_request request = {.events = rows[i].events, .batch = true};
		struct verdict_split got = verdict_split(&request, rows[i].status, rows[i].line);

		if (got.smaller != rows[i].want.smaller || got.limit != rows[i].want.limit ||
			got.singly != rows[i].want.singly)
			fail_msg("row %zu: %d %zu %d", i, got.smaller, got.limit, got.singly);
	}
}

static void sse_serve_is_known_by_its_answer(void **state)
{
	static const struct {
		long status;
		const char *id, *location;
		bool want;
	} rows[] = {
		{201, "Iz6z:1", "/api/users/Iz6z:1", true},
		{201, "Iz6z:1", "http://h/api/users/Iz6z:1", true},
		{200, "Iz6z:1", "/api/users/Iz6z:1", false},
		{201, "", "/api/users/", false},
		{201, "17", "/api/users/17", false},
		{201, "Iz6z:1", "", false},
		{201, "Iz6z:1", "Iz6z:1", false},
		{201, "Iz6z:1", "/api/usersIz6z:1", false},
		{201, "Iz6z:1", "/api/users/Iz6z:2", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct client_answer answer = {.status = rows[i].status};

		snprintf(answer.id, sizeof(answer.id), "%s", rows[i].id);
		snprintf(answer.location, sizeof(answer.location), "%s", rows[i].location);
		if (verdict_is_sse_serve(&answer) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(failures),
		cmocka_unit_test(a_batch_is_split),
		cmocka_unit_test(sse_serve_is_known_by_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

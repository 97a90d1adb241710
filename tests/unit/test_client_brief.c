/* SPDX-License-Identifier: MIT */
/* Tests of lib/follow/brief.c: each row is the end of an attempt, and the few words for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "brief.h"

struct row {
	bool stream, silent;
	CURLcode code;
	long os_number;
	struct client_answer answer;
	const char *want;
};

static void a_reason_takes_a_few_words(void **state)
{
	static const struct row rows[] = {
		{.code = CURLE_COULDNT_CONNECT,
			.os_number = ECONNREFUSED,
			.want = "connection refused"},
		{.code = CURLE_COULDNT_CONNECT, .want = "no connection"},
		{.code = CURLE_COULDNT_RESOLVE_HOST, .want = "unknown host"},
		{.code = CURLE_OPERATION_TIMEDOUT,
			.os_number = EINPROGRESS,
			.want = "no connection in time"},
		{.code = CURLE_GOT_NOTHING, .want = "closed without an answer"},
		{.code = CURLE_OK, .want = "no stream"},
		{.silent = true, .want = "no answer"},
		{.answer = {.status = 503, .head_ended = true, .reason = "Busy"},
			.want = "503 Busy"},
		{.answer = {.status = 429, .head_ended = true}, .want = "429"},
		/* An answer whose head is not complete says nothing yet. */
		{.code = CURLE_RECV_ERROR,
			.os_number = ECONNRESET,
			.answer = {.status = 503, .reason = "Busy"},
			.want = "connection reset by peer"},
		/* After a stream the answer's status is no reason. */
		{.stream = true,
			.answer = {.status = 200, .head_ended = true},
			.want = "the stream ended"},
		{.stream = true, .code = CURLE_PARTIAL_FILE, .want = "the stream broke"},
		{.stream = true,
			.code = CURLE_RECV_ERROR,
			.os_number = ECONNRESET,
			.want = "connection reset by peer"},
		{.stream = true, .silent = true, .want = "nothing received for too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct brief brief = {rows[i].stream, rows[i].silent, rows[i].code,
			rows[i].os_number, &rows[i].answer};
		char text[BRIEF_TEXT];

		if (strcasecmp(brief_write(&brief, text), rows[i].want) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, text, rows[i].want);
		assert_true(text[0] < 'A' || text[0] > 'Z');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reason_takes_a_few_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

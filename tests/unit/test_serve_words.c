/* SPDX-License-Identifier: MIT */
/* Tests of what the server itself says in a stream (stream/words.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/words.h"

static void each_form_has_its_words(void **state)
{
	static const struct {
		enum form form;
		const char *start, *event, *nameless, *heartbeat, *retry;
	} rows[] = {
		{FORM_PLAIN, "id: t:1\n\n", "event: gap\ndata: {\"a\":1}\nid: t:1\n\n",
			"event: gap\ndata: {\"a\":1}\n\n", ":\n\n", "retry: 1500\n\n"},
		{FORM_ENVELOPE, "id: t:1\n\n", "event: gap\ndata: {\"a\":1}\nid: t:1\n\n",
			"event: gap\ndata: {\"a\":1}\n\n", ":\n\n", "retry: 1500\n\n"},
		{FORM_LINE, "{\"id\":\"t:1\"}\n",
			"{\"id\":\"t:1\",\"event\":\"gap\",\"data\":{\"a\":1}}\n",
			"{\"event\":\"gap\",\"data\":{\"a\":1}}\n", "\n", ""},
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum form form = rows[i].form;

		buf_init(&out, 200);
		assert_true(words_start(form, "t:1", &out));
		assert_true(buf_is(&out, rows[i].start, strlen(rows[i].start)));
		out.len = 0;
		assert_true(words_event(form, "gap", "t:1", "{\"a\":1}", &out));
		assert_true(buf_is(&out, rows[i].event, strlen(rows[i].event)));
		out.len = 0;
		assert_true(words_event(form, "gap", NULL, "{\"a\":1}", &out));
		assert_true(buf_is(&out, rows[i].nameless, strlen(rows[i].nameless)));
		assert_string_equal(words_heartbeat(form), rows[i].heartbeat);
		out.len = 0;
		assert_true(words_retry(form, 1500, &out));
		assert_true(buf_is(&out, rows[i].retry, strlen(rows[i].retry)));
		buf_free(&out);
		buf_init(&out, 10);
		assert_false(words_event(form, "gap", "t:1", "{\"a\":1}", &out));
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_has_its_words),
	};

	return cmocka_run_group_tests_name("serve_words", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/head.c: the head of an answer that the server writes itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/head.h"

/* RFC 9110, section 5.6.7, has the date of this second as its example. */
static const struct head plain = {
	.status = 200,
	.reason = "OK",
	.date = 784111777,
	.type = "text/event-stream",
	.more = "",
};

static void a_head_is_what_the_rfc_says(void **state)
{
	static const char expected[] = "HTTP/1.1 200 OK\r\n"
				       "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
				       "Content-Type: text/event-stream\r\n"
				       "X-Content-Type-Options: nosniff\r\n"
				       "Connection: close\r\n"
				       "\r\n";
	char out[1000];

	(void)state;
	assert_int_equal(head_write(&plain, out, sizeof(out)), strlen(expected));
	assert_string_equal(out, expected);
}

static void what_the_origin_decides_is_said(void **state)
{
	struct head head = plain;
	char out[1000], *more;

	(void)state;
	head.vary = true;
	head_write(&head, out, sizeof(out));
	assert_non_null(strstr(out, "\r\nVary: Origin\r\n\r\n"));
	assert_null(strstr(out, "Access-Control"));
	head.cors = "https://a.example";
	head.more = "Retry-After: 1\r\n";
	assert_true(head_write(&head, out, sizeof(out)) > 0);
	more = strstr(out, "\r\nVary: ");
	assert_non_null(more);
	assert_string_equal(more, "\r\nVary: Origin\r\n"
				  "Access-Control-Allow-Origin: https://a.example\r\n"
				  "Access-Control-Expose-Headers: " HEAD_EXPOSED "\r\n"
				  "Retry-After: 1\r\n"
				  "\r\n");
	assert_null(strstr(out, "Credentials"));
	head.credentials = true;
	assert_true(head_write(&head, out, sizeof(out)) > 0);
	assert_non_null(strstr(out, "\r\nAccess-Control-Allow-Credentials: true\r\nRetry-After: "));
	head.cors = NULL;
	head_write(&head, out, sizeof(out));
	assert_null(strstr(out, "Access-Control"));
	head.id = "7f-1";
	assert_true(head_write(&head, out, sizeof(out)) > 0);
	assert_non_null(strstr(out, "\r\nX-Request-ID: 7f-1\r\n"));
}

/* An answer without the end of its head would make the client wait. */
static void a_head_fits_whole_or_not_at_all(void **state)
{
	char out[1100], origin[700];
	struct head head = plain;
	size_t len = head_write(&head, out, sizeof(out));

	(void)state;
	assert_int_equal(head_write(&head, out, len + 1), len);
	assert_int_equal(head_write(&head, out, len), 0);
	assert_int_equal(head_write(&head, out, 1), 0);
	memset(origin, 'a', sizeof(origin));
	origin[sizeof(origin) - 1] = '\0';
	head.cors = origin;
	len = head_write(&head, out, sizeof(out));
	assert_true(len > sizeof(origin));
	assert_string_equal(out + len - 4, "\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_what_the_rfc_says),
		cmocka_unit_test(what_the_origin_decides_is_said),
		cmocka_unit_test(a_head_fits_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

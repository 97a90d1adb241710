/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/http/body_length.c: a length that two programs could read in two ways is
 * refused (request smuggling).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/body_length.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct header {
	const char *name, *value;
};

static bool read_all(const struct header headers[3], uint64_t *bytes)
{
	struct body_length length = {0};

	for (size_t i = 0; i < 3 && headers[i].name != NULL; i++)
		body_length_look(&length, headers[i].name, headers[i].value);
	return body_length_read(&length, bytes);
}

static void a_length_is_read(void **state)
{
	static const struct {
		struct header headers[3];
		uint64_t bytes;
	} rows[] = {
		{{{"Host", "a"}, {"Content-Length", "12"}}, 12},
		{{{"content-LENGTH", "0"}}, 0},
		{{{"Content-Length", "18446744073709551615"}}, UINT64_MAX},
		{{{"Content-Length", "99999999999999999999"}}, UINT64_MAX},
		/* RFC 9112, section 6.3: the same value twice is allowed. */
		{{{"Content-Length", "7"}, {"Host", "a"}, {"Content-Length", "7"}}, 7},
		/* Chunks say it themselves. */
		{{{"Transfer-Encoding", "chunked"}}, 0},
		{{{"transfer-encoding", "Chunked"}}, 0},
		{{{"Host", "a"}, {"X-Content-Length", "5"}, {"Empty", NULL}}, 0},
		{{{NULL, NULL}}, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t bytes = 1;

		if (!read_all(rows[i].headers, &bytes) || bytes != rows[i].bytes)
			fail_msg("row %zu: %llu bytes", i, (unsigned long long)bytes);
	}
}

static void a_doubtful_length_is_refused(void **state)
{
	static const struct header rows[][3] = {
		/* Two lengths. */
		{{"Content-Length", "5"}, {"Content-Length", "6"}},
		{{"Content-Length", "5"}, {"content-length", "05"}},
		{{"Content-Length", "5"}, {"Content-Length", "6"}, {"Content-Length", "6"}},
		/* A length and chunks, in any order. */
		{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
		{{"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
		/* A coding that the library does not read, or not as the last one. */
		{{"Transfer-Encoding", "identity"}},
		{{"Transfer-Encoding", "gzip, chunked"}},
		{{"Transfer-Encoding", "chunked, identity"}},
		{{"Transfer-Encoding", " chunked"}},
		{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"}},
		{{"Transfer-Encoding", ""}},
		{{"Transfer-Encoding", NULL}},
		{{"Content-Length", NULL}},
		/* A name that some read as one of the two. */
		{{"Content-Length ", "5"}},
		{{"Transfer-Encoding\t", "chunked"}},
		{{" Content-Length", "5"}, {"Content-Length", "5"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t bytes;

		if (read_all(rows[i], &bytes))
			fail_msg("row %zu: %s: %s", i, rows[i][0].name,
				rows[i][0].value != NULL ? rows[i][0].value : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_is_read),
		cmocka_unit_test(a_doubtful_length_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

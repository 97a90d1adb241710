/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/accept.c and problem.c: what a client takes, and what an error says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/accept.h"
#include "http/problem.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_page_is_for_those_who_prefer_html_to_json(void **state)
{
	static const struct {
		const char *accept;
		bool page;
	} rows[] = {
		/* Firefox, Chrome, Safari; Internet Explorer; w3m, lynx. */
		{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
			true},
		{"text/html, application/xhtml+xml, */*", true},
		{"text/html, text/*;q=0.5, image/*, application/*, video/*", true},
		{"text/html;level=1, text/plain;q=0.1", true},
		{"text/html", true},
		{"TEXT/HTML;Q=0.1", true},
		{"text/*", true},
		{"application/json;q=0.4 , text/html ; q=0.5", true},
		{"application/json;q=0, text/html;q=0.001", true},
		{"text/html;q=1.000, */*;q=0.999", true},
		{"x/y;p=\"a,b;q=0\\\"\", text/html", true},
		/* curl, fetch, EventSource, no header, an empty one. */
		{"*/*", false},
		{"text/event-stream", false},
		{"text/event-stream, */*", false},
		{NULL, false},
		{"", false},
		{" , ,;,", false},
		{"application/json", false},
		{"application/problem+json, text/html", false},
		{"text/html, application/json", false},
		{"text/html;q=0.9, application/json", false},
		{"text/html;q=0.9, */*", false},
		{"text/html;q=0.5, application/*;q=0.6", false},
		{"text/html;q=0", false},
		{"text/html;q=0.000, */*;q=0.1", false},
		{"text/html;q=", false},
		{"text/html;q=2", false},
		{"text/html;q=1.5", false},
		{"text/html;q=-1", false},
		{"text/html;q=0.x", false},
		{"text/html;q=yes, */*", false},
		{"text/htmlx, text/htm, xtext/html", false},
		{"text/xhtml, text", false},
		{"\"text/html\"", false},
		{"x/y;p=\"text/html, text/html\"", false},
		{"x/y;p=\", text/html", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (problem_prefers_page(rows[i].accept) != rows[i].page)
			fail_msg("%s", rows[i].accept != NULL ? rows[i].accept : "none");
	}
}

static void the_range_that_matches_most_closely_counts(void **state)
{
	static const struct {
		const char *accept;
		bool lines;
	} rows[] = {
		{"application/x-ndjson", true},
		{"application/x-ndjson, */*", true},
		{"application/x-ndjson;q=0.5, application/*;q=0.4", true},
		{"application/*;q=0.1, application/x-ndjson;q=0.2, application/json;q=0.1", true},
		{"*/*;q=1, application/json;q=0.5, application/x-ndjson;q=0.6", true},
		{"application/x-ndjson;q=0.1, application/x-ndjson;q=0.9, */*;q=0.5", true},
		{"application/x-ndjson;q=0", false},
		{"application/x-ndjsonx", false},
		{"application/*", false},
		{"application/json, application/x-ndjson;q=0.9", false},
		{"application/x-ndjson;q=0.9, */*", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (accept_prefers(rows[i].accept, "application/x-ndjson", "application/json") !=
			rows[i].lines)
			fail_msg("%s", rows[i].accept);
	}
}

static void a_name_counts_by_itself_only(void **state)
{
	static const char *const good[] = {
		"gzip", "br, GZIP ;q=0.5", "gzip;q=0.001", "gzip;x=y", "\t,gzip,"};
	static const char *const bad[] = {
		"", "*", "gzip;q=0", "gzip;q=0.0", "gzipped", "x;gzip", "br;q=\",gzip\""};

	(void)state;
	assert_false(accept_names(NULL, "gzip"));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(accept_names(good[i], "gzip"));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(accept_names(bad[i], "gzip"));
}

/* The text of a problem; to be freed. */
static char *text_of(bool (*write)(const struct problem *, struct buf *), const char *detail)
{
	struct problem problem = {404, "Not <Found>", detail};
	struct buf out;

	buf_init(&out, 10000);
	assert_true(write(&problem, &out) && buf_add_byte(&out, '\0'));
	return out.data;
}

static void nothing_that_a_sentence_repeats_is_markup(void **state)
{
	char *page = text_of(problem_page, "</p><script>a(\"b\" & 'c')</script>\xc3\xa9");

	(void)state;
	assert_non_null(strstr(page, "<title>404 Not &#60;Found&#62;</title>"));
	assert_non_null(strstr(page, "<p>&#60;/p&#62;&#60;script&#62;a(&#34;b&#34; &#38; "
				     "&#39;c&#39;)&#60;/script&#62;\xc3\xa9</p>"));
	assert_null(strstr(page, "<script"));
	assert_non_null(strstr(page, "<a href=\"/\">"));
	assert_non_null(strstr(page, "<meta charset=\"utf-8\">"));
	free(page);
}

static void an_object_has_title_status_and_sentence(void **state)
{
	char *json = text_of(problem_json, "the '\"' and\nthe rest");

	(void)state;
	assert_string_equal(json, "{\"title\":\"Not <Found>\",\"status\":404,\"detail\":"
				  "\"the '\\\"' and\\nthe rest\"}");
	free(json);
}

static void what_does_not_fit_is_not_written(void **state)
{
	struct problem problem = {404, "Not Found", "there is none"};
	struct buf out;

	(void)state;
	buf_init(&out, 40);
	assert_false(problem_json(&problem, &out));
	assert_false(problem_page(&problem, &out));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_for_those_who_prefer_html_to_json),
		cmocka_unit_test(the_range_that_matches_most_closely_counts),
		cmocka_unit_test(a_name_counts_by_itself_only),
		cmocka_unit_test(nothing_that_a_sentence_repeats_is_markup),
		cmocka_unit_test(an_object_has_title_status_and_sentence),
		cmocka_unit_test(what_does_not_fit_is_not_written),
	};

	return cmocka_run_group_tests_name("serve_problem", tests, NULL, NULL);
}

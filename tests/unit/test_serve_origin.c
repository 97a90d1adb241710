/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/origin.c: which pages may read answers, and which may publish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/origin.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HOST "events.example:8080"

static const struct option_list none;
static const struct option_list two = {
	(const char *[]){"https://a.example", "http://b.example:81"}, 2};
static const struct option_list all = {(const char *[]){"https://a.example", "*"}, 2};
static const struct option_list star_first = {(const char *[]){"*", "https://a.example"}, 2};

static void an_origin_in_the_list_is_answered_as_it_was_sent(void **state)
{
	const char *sent = "HTTPS://A.example";

	(void)state;
	assert_ptr_equal(origin_cors(&two, sent), sent);
	assert_string_equal(origin_cors(&two, "http://b.example:81"), "http://b.example:81");
	/* Another scheme, port or host is another origin. */
	assert_null(origin_cors(&two, "http://a.example"));
	assert_null(origin_cors(&two, "http://b.example"));
	assert_null(origin_cors(&two, "https://a.example.evil.example"));
	assert_null(origin_cors(&two, "https://a.exampl"));
	assert_null(origin_cors(&two, "null"));
	assert_null(origin_cors(&two, ""));
	assert_null(origin_cors(&two, NULL));
	assert_null(origin_cors(&none, "https://a.example"));
}

static void a_star_allows_any_origin_but_not_the_lack_of_one(void **state)
{
	(void)state;
	assert_string_equal(origin_cors(&all, "https://c.example"), "*");
	assert_string_equal(origin_cors(&all, "null"), "*");
	assert_null(origin_cors(&all, NULL));
}

static void an_origin_that_is_named_wins_over_the_star(void **state)
{
	(void)state;
	assert_string_equal(origin_cors(&star_first, "https://a.example"), "https://a.example");
	assert_string_equal(origin_cors(&all, "https://a.example"), "https://a.example");
	assert_true(origin_is_named(origin_cors(&star_first, "https://a.example")));
	assert_false(origin_is_named(origin_cors(&star_first, "https://c.example")));
	/* No browser sends this. */
	assert_false(origin_is_named(origin_cors(&star_first, "*")));
	assert_false(origin_is_named(origin_cors(&two, "https://c.example")));
	assert_false(origin_is_named(NULL));
}

static void a_page_is_the_servers_own_by_proof_only(void **state)
{
	static const struct {
		const char *origin, *site, *host;
		bool own;
	} rows[] = {
		{"http://" HOST, NULL, HOST, true},
		{"https://EVENTS.example:8080", "same-origin", HOST, true},
		{NULL, "same-origin", HOST, true},
		{NULL, "Same-Origin", NULL, true},
		/* An Origin decides. */
		{"http://events.example", "same-origin", HOST, false},
		{"http://events.example:80801", "same-origin", HOST, false},
		{"https://a.example", "same-origin", HOST, false},
		{"null", "same-origin", HOST, false},
		{"null", NULL, "null", false},
		{"", "same-origin", "", false},
		{"http://" HOST, NULL, NULL, false},
		/* No word of a browser is no proof. */
		{NULL, "same-site", HOST, false},
		{NULL, "cross-site", HOST, false},
		{NULL, "none", HOST, false},
		{NULL, "", HOST, false},
		{NULL, NULL, HOST, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (origin_is_own(rows[i].origin, rows[i].site, rows[i].host) != rows[i].own)
			fail_msg("row %zu: Origin %s", i,
				rows[i].origin != NULL ? rows[i].origin : "none");
	}
}

static void a_page_of_another_site_may_change_nothing(void **state)
{
	static const struct {
		const struct option_list *allowed;
		const char *origin, *site, *host;
		bool may;
	} rows[] = {
		/* The server's own pages. */
		{&none, "http://" HOST, "same-origin", HOST, true},
		{&none, "http://EVENTS.example:8080", NULL, HOST, true},
		{&none, "https://" HOST, NULL, HOST, true},
		/* Others. */
		{&none, "http://events.example", NULL, HOST, false},
		{&none, "http://" HOST ".evil.example", NULL, HOST, false},
		{&none, "http://evil.example/?://" HOST, NULL, HOST, false},
		{&none, "http://" HOST, NULL, NULL, false},
		{&none, HOST, NULL, HOST, false},
		{&none, "null", NULL, "null", false},
		{&none, "", NULL, "", false},
		/* An Origin decides, whatever Sec-Fetch-Site says. */
		{&none, "http://evil.example", "same-origin", HOST, false},
		{&two, "https://a.example", "cross-site", HOST, true},
		{&two, "https://c.example", "same-site", HOST, false},
		{&all, "https://c.example", "cross-site", HOST, true},
		/* Without one: a page's GET, or a client that is not a page. */
		{&none, NULL, "cross-site", HOST, false},
		{&none, NULL, "Cross-Site", HOST, false},
		{&all, NULL, "cross-site", HOST, false},
		{&none, NULL, "same-site", HOST, true},
		{&none, NULL, "none", HOST, true},
		{&none, NULL, NULL, HOST, true},
		{&none, NULL, NULL, NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (origin_may_change(rows[i].allowed, rows[i].origin, rows[i].site,
			    rows[i].host) != rows[i].may)
			fail_msg("row %zu: Origin %s", i,
				rows[i].origin != NULL ? rows[i].origin : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_origin_in_the_list_is_answered_as_it_was_sent),
		cmocka_unit_test(a_star_allows_any_origin_but_not_the_lack_of_one),
		cmocka_unit_test(an_origin_that_is_named_wins_over_the_star),
		cmocka_unit_test(a_page_is_the_servers_own_by_proof_only),
		cmocka_unit_test(a_page_of_another_site_may_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

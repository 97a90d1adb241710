/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/route.c: what a request's target names, and its query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "route.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
	const char *target;
	int kind; /* enum route_kind, or -1: refused */
	const char *topic, *id, *query;
};

static void names_what_is_meant(void **state)
{
	static const struct row rows[] = {
		{"/api/users", ROUTE_TOPIC, "users", NULL, ""},
		{"/api/users?limit=2", ROUTE_TOPIC, "users", NULL, "limit=2"},
		{"/api/users/event", ROUTE_STREAM, "users", NULL, ""},
		{"/api/chat/lobby/event?x", ROUTE_STREAM, "chat/lobby", NULL, "x"},
		{"/api/chat/lobby", ROUTE_TOPIC, "chat/lobby", NULL, ""},
		{"/api/chat/lobby/tag:12", ROUTE_EVENT, "chat/lobby", "tag:12", ""},
		{"/api/chat/tag%3A12", ROUTE_EVENT, "chat", "tag:12", ""},
		{"/api/%75sers", ROUTE_TOPIC, "users", NULL, ""},
		{"/api/events", ROUTE_TOPIC, "events", NULL, ""},
		{"/api/a.b~c_d-E9", ROUTE_TOPIC, "a.b~c_d-E9", NULL, ""},
		{"/api/users/presence", ROUTE_PRESENCE, "users", NULL, ""},
		{"/api/chat/lobby/presence?x", ROUTE_PRESENCE, "chat/lobby", NULL, "x"},
		{"/api/$sys/event", ROUTE_STATUS, "$sys", NULL, ""},
		{"/api/%24sys/event?envelope=1", ROUTE_STATUS, "$sys", NULL, "envelope=1"},
		{"/api/%24%73ys/event", ROUTE_STATUS, "$sys", NULL, ""},
		{"/api/$sys", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/api/$sys/presence", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/api/$sys/tag:1", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/api/$sys/event/event", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/readyz", ROUTE_READY, NULL, NULL, ""},
		{"/metrics?x", ROUTE_METRICS, NULL, NULL, "x"},
		{"/healthz", ROUTE_HEALTH, NULL, NULL, ""},
		{"/healthz?x=1#y", ROUTE_HEALTH, NULL, NULL, "x=1#y"},
		{"/healthz/", ROUTE_PAGE, NULL, NULL, ""},
		{"/", ROUTE_PAGE, NULL, NULL, ""},
		{"/api", ROUTE_PAGE, NULL, NULL, ""},
		{"/apiary/x", ROUTE_PAGE, NULL, NULL, ""},
		{"/../x", ROUTE_PAGE, NULL, NULL, ""},
		{"http://host:1/api/users?a", ROUTE_TOPIC, "users", NULL, "a"},
		{"http://host", ROUTE_PAGE, NULL, NULL, ""},
		{"/api/", -1, NULL, NULL, NULL},
		{"/api/event?topic=a&topic=b/*", ROUTE_STREAM, NULL, NULL, "topic=a&topic=b/*"},
		{"/api//event", -1, NULL, NULL, NULL},
		{"/api/event/event", -1, NULL, NULL, NULL},
		{"/api/users/", -1, NULL, NULL, NULL},
		{"/api/a//b", -1, NULL, NULL, NULL},
		{"/api/a/../b", -1, NULL, NULL, NULL},
		{"/api/a/%2e%2e", -1, NULL, NULL, NULL},
		{"/api/presence/tag:1", -1, NULL, NULL, NULL},
		{"/api/presence", -1, NULL, NULL, NULL},
		{"/api/event/presence", -1, NULL, NULL, NULL},
		{"/api/a/presence/b", -1, NULL, NULL, NULL},
		{"/api/$sysx", -1, NULL, NULL, NULL},
		{"/api/$sysx/event", -1, NULL, NULL, NULL},
		{"/api/a/$sys", -1, NULL, NULL, NULL},
		{"/api/$SYS/event", -1, NULL, NULL, NULL},
		{"/api/tag:1", -1, NULL, NULL, NULL},
		{"/api/a:b/c", -1, NULL, NULL, NULL},
		{"/api/a%20b", -1, NULL, NULL, NULL},
		{"/api/a+b", -1, NULL, NULL, NULL},
		{"/api/a%00", -1, NULL, NULL, NULL},
		{"/%00", -1, NULL, NULL, NULL},
		{"/%", -1, NULL, NULL, NULL},
		{"/%4", -1, NULL, NULL, NULL},
		{"/%4g", -1, NULL, NULL, NULL},
		{"/%-1", -1, NULL, NULL, NULL},
		{"api/users", -1, NULL, NULL, NULL},
		{"*", -1, NULL, NULL, NULL},
		{"", -1, NULL, NULL, NULL},
		{"?x", -1, NULL, NULL, NULL},
		{"%2fapi", ROUTE_PAGE, NULL, NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};
		struct route route;
		int result = route_parse(rows[i].target, &route, &error);

		if ((result == 0 ? (int)route.kind : -1) != rows[i].kind)
			fail_msg("'%s': %d, kind %d", rows[i].target, result, (int)route.kind);
		if (result != 0) {
			assert_int_equal(error.status, EX_DATAERR);
			assert_true(error.text[0] != '\0');
		} else {
			assert_string_equal(route.query, rows[i].query);
			if (rows[i].topic != NULL)
				assert_string_equal(route.topic, rows[i].topic);
			if (rows[i].id != NULL)
				assert_string_equal(route.id, rows[i].id);
		}
		route_free(&route);
	}
}

static void decodes_the_path(void **state)
{
	struct route route;

	(void)state;
	assert_int_equal(route_parse("/a%20b%2Fc%c3%A4+d?e", &route, NULL), 0);
	assert_string_equal(route.path, "/a b/c\xc3\xa4+d");
	route_free(&route);
	/* An escape at the very end. */
	assert_int_equal(route_parse("/%41", &route, NULL), 0);
	assert_string_equal(route.path, "/A");
	route_free(&route);
}

static void finds_query_parameters(void **state)
{
	static const struct {
		const char *name, *value; /* NULL: not there */
	} rows[] = {
		{"a", "1"},
		{"b", ""},
		{"c", "x y&z=+"},
		{"d", NULL},
		{"aa", "2"},
		{"flag", NULL},
		{"", NULL},
		{"last", "=:"},
	};
	struct route route;

	(void)state;
	assert_int_equal(
		route_parse("/?aa=2&a=1&b=&&c=x+y%26z%3D%2b&a=3&flag&last==:", &route, NULL), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *value = route_query(&route, rows[i].name);

		if (rows[i].value == NULL)
			assert_null(value);
		else
			assert_string_equal(value, rows[i].value);
		free(value);
	}
	route_free(&route);
}

static void a_query_that_cannot_be_decoded_is_refused(void **state)
{
	static const char *const targets[] = {"/?a=%00", "/?a=%", "/?a=%4", "/?a=%zz", "/?%00=1",
		"/api/users/event?last_event_id=%0"};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct error error = {0, ""};
		struct route route;

		if (route_parse(targets[i], &route, &error) != -1)
			fail_msg("'%s' was taken", targets[i]);
		assert_int_equal(error.status, EX_DATAERR);
		route_free(&route);
	}
}

static void a_parameter_given_twice_is_refused_and_named(void **state)
{
	static const struct {
		const char *target, *named; /* NULL: taken */
	} rows[] = {
		{"/api/users?event=a&event=b", "'event'"},
		{"/api/users?limit=1&x=2&limit=1", "'limit'"},
		{"/api/users?before=a&before=", "'before'"},
		{"/api/users/event?since&since=1m", "'since'"},
		{"/api/users/event?last_event_id=a&last_event_id=b", "'last_event_id'"},
		{"/api/users?envelope=1&envelope", "'envelope'"},
		{"/api/users?event=a&events=b&event", "'event'"},
		{"/api/users?event=a&events=b&xevent=c&=event", NULL},
		{"/api/users?event=a&limit=1&before=x&since=1m&envelope=1", NULL},
		{"/api/users?topic=a&topic=b", NULL},
		{"/api/users?x=1&x=2", NULL},
		{"/page?event=a&event=b", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};
		struct route route;
		int result = route_parse(rows[i].target, &route, &error);

		if (result != (rows[i].named != NULL ? -1 : 0))
			fail_msg("'%s': %d, %s", rows[i].target, result, error.text);
		if (rows[i].named != NULL && strstr(error.text, rows[i].named) == NULL)
			fail_msg("'%s': %s", rows[i].target, error.text);
		route_free(&route);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_is_meant),
		cmocka_unit_test(decodes_the_path),
		cmocka_unit_test(finds_query_parameters),
		cmocka_unit_test(a_query_that_cannot_be_decoded_is_refused),
		cmocka_unit_test(a_parameter_given_twice_is_refused_and_named),
	};

	return cmocka_run_group_tests_name("serve_route", tests, NULL, NULL);
}

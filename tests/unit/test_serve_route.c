/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/route.c: what a request's target names, and its query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "http/route.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
	const char *target;
	int kind;			/* enum route_kind, or -1: refused */
	const char *topic, *id, *query; /* as it came */
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
		{"/api/$sys", ROUTE_SAMPLES, "$sys", NULL, ""},
		{"/api/$sys/presence", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/api/$sys/tag:1", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/api/$sys/event/event", ROUTE_SYSTEM, "$sys", NULL, ""},
		{"/readyz", ROUTE_READY, NULL, NULL, ""},
		{"/metrics?x", ROUTE_METRICS, NULL, NULL, "x"},
		{"/hook/github", ROUTE_HOOK, NULL, NULL, ""},
		{"/hook/github/shop?x", ROUTE_HOOK, NULL, NULL, "x"},
		{"/hook/", ROUTE_HOOK, NULL, NULL, ""},
		{"/hook", ROUTE_PAGE, NULL, NULL, ""},
		{"/hooks/github", ROUTE_PAGE, NULL, NULL, ""},
		{"/healthz", ROUTE_HEALTH, NULL, NULL, ""},
		{"/healthz?x=1#y", ROUTE_HEALTH, NULL, NULL, "x=1#y"},
		{"/healthz/", ROUTE_PAGE, NULL, NULL, ""},
		{"/", ROUTE_PAGE, NULL, NULL, ""},
		{"/api", ROUTE_TOPICS, NULL, NULL, ""},
		{"/api/", ROUTE_TOPICS, NULL, NULL, ""},
		{"/%61pi/?event=x#y", ROUTE_TOPICS, NULL, NULL, "event=x#y"},
		{"http://host/api?a", ROUTE_TOPICS, NULL, NULL, "a"},
		{"/api?limit=1", ROUTE_TOPICS, NULL, NULL, "limit=1"},
		{"/%61pi%2f", ROUTE_TOPICS, NULL, NULL, ""},
		{"/api.", ROUTE_PAGE, NULL, NULL, ""},
		{"/API", ROUTE_PAGE, NULL, NULL, ""},
		{"/apiary/x", ROUTE_PAGE, NULL, NULL, ""},
		{"/../x", ROUTE_PAGE, NULL, NULL, ""},
		{"http://host:1/api/users?a", ROUTE_TOPIC, "users", NULL, "a"},
		{"HTTPS://host/api/users", ROUTE_TOPIC, "users", NULL, ""},
		{"http://host", ROUTE_PAGE, NULL, NULL, ""},
		{"/api//", -1, NULL, NULL, NULL},
		{"/api/event?topic=a&topic=b/*", ROUTE_STREAMS, NULL, NULL, "topic=a&topic=b/*"},
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
		{"*", ROUTE_SERVER, NULL, NULL, ""},
		{"*?x", -1, NULL, NULL, NULL},
		{"**", -1, NULL, NULL, NULL},
		{"%2a", -1, NULL, NULL, NULL},
		{"/*", ROUTE_PAGE, NULL, NULL, ""},
		{"", -1, NULL, NULL, NULL},
		{"?x", -1, NULL, NULL, NULL},
		{"%2fapi", ROUTE_TOPICS, NULL, NULL, ""},
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
			assert_string_equal(route.query_text, rows[i].query);
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

/* --- the query --- */

/* Parse the target and its query; the result and the sentence of what failed. */
static int parse(const char *target, const char *method, struct route *route, struct error *error)
{
	*error = (struct error){0};
	assert_int_equal(route_parse(target, route, error), 0);
	return route_parse_query(route, method, error);
}

static void same(const char *text, const char *wanted)
{
	if (wanted == NULL)
		assert_null(text);
	else
		assert_string_equal(text, wanted);
}

static void the_parameters_of_each_target_are_read(void **state)
{
	static const struct {
		const char *target, *method;
		struct route_query query;
	} rows[] = {
		{"/api/t?limit=1&before=x:2&since=1m&envelope=1", "GET",
			{.limit = "1", .before = "x:2", .since = "1m", .envelope = true}},
		{"/api/t?after=x:2&wait=30s", "GET", {.after = "x:2", .wait = "30s"}},
		{"/api/t/event?until=now&wait=1m", "GET", {.until = "now", .wait = "1m"}},
		{"/api/t?before=x:2", "DELETE", {.before = "x:2"}},
		{"/api/t?limit=&before=&since=", "GET", {.limit = "", .before = "", .since = ""}},
		{"/api/t", "GET", {0}},
		{"/api/t?", "GET", {0}},
		{"/api/t?&&", "GET", {0}},
		{"/api?limit=5&after=chat%2Fa", "GET", {.limit = "5", .after = "chat/a"}},
		{"/api/?after=", "GET", {.after = ""}},
		{"/api/t/x:1?envelope=1", "GET", {.envelope = true}},
		{"/api/t/presence?", "GET", {0}},
		{"/api/t?event=a+b%26c%3D%2b&ephemeral=1&envelope=0", "POST",
			{.event = "a b&c=+", .ephemeral = true}},
		{"/api/t?subject=web+1", "POST", {.subject = "web 1"}},
		{"/api?subject=", "POST", {.subject = ""}},
		{"/api/t?event==:", "POST", {.event = "=:"}},
		{"/api?event=a+b", "POST", {.event = "a b"}},
		{"/api/", "POST", {0}},
		{"/api/t/event?as=A&last_event_id=x:1&since=all&envelope=1", "GET",
			{.as = "A", .last_event_id = "x:1", .since = "all", .envelope = true}},
		{"/api/t/event?as=A&was=B", "GET", {.as = "A", .was = "B"}},
		{"/api/event?last=10&until=now&mark=1", "GET",
			{.last = "10", .until = "now", .mark = true}},
		{"/api/$sys/event?envelope=1&since=1m&last_event_id=x:1", "GET",
			{.last_event_id = "x:1", .since = "1m", .envelope = true}},
		/* A name may be encoded too. */
		{"/api/t?%6cimit=1", "GET", {.limit = "1"}},
		{"/api/t/event?last%5Fevent%5fid=x", "GET", {.last_event_id = "x"}},
		/* What is ignored: cache busters, and all of what is not the API. */
		{"/api/t?_=17&_&_x=%20&_limit=7&limit=1", "GET", {.limit = "1"}},
		{"/api/t/event?evs_preamble=2056&evs_buffer_size_limit=1&r=5&r", "GET", {0}},
		{"/?limit=1&limit=2&x", "GET", {0}},
		{"/healthz?%zz", "GET", {0}},
		{"/metrics?since=1m", "GET", {0}},
		{"/api/$sys/presence?x=1", "GET", {0}},
		{"/api/$sys?_=1", "GET", {0}},
		{"/api/t?x=1&limit", "OPTIONS", {0}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct route_query *wanted = &rows[i].query;
		struct error error;
		struct route route;

		if (parse(rows[i].target, rows[i].method, &route, &error) != 0)
			fail_msg("%s: %s", rows[i].target, error.text);
		same(route.query.limit, wanted->limit);
		same(route.query.before, wanted->before);
		same(route.query.after, wanted->after);
		same(route.query.wait, wanted->wait);
		same(route.query.since, wanted->since);
		same(route.query.last, wanted->last);
		same(route.query.until, wanted->until);
		assert_int_equal(route.query.mark, wanted->mark);
		same(route.query.last_event_id, wanted->last_event_id);
		same(route.query.as, wanted->as);
		same(route.query.was, wanted->was);
		same(route.query.event, wanted->event);
		same(route.query.subject, wanted->subject);
		assert_int_equal(route.query.envelope, wanted->envelope);
		assert_int_equal(route.query.ephemeral, wanted->ephemeral);
		assert_int_equal(route.query.topics.count, 0);
		route_free(&route);
	}
}

static void event_types_are_read_in_their_order(void **state)
{
	struct error error;
	struct route route;

	(void)state;
	assert_int_equal(parse("/api/t/event?event=b&event=a+c&event=", "GET", &route, &error), 0);
	assert_int_equal(route.query.events.count, 3);
	assert_string_equal(route.query.events.texts[0], "b");
	assert_string_equal(route.query.events.texts[1], "a c");
	assert_string_equal(route.query.events.texts[2], "");
	assert_null(route.query.event);
	route_free(&route);
}

static void topics_are_read_in_their_order(void **state)
{
	struct error error;
	struct route route;

	(void)state;
	assert_int_equal(parse("/api/event?topic=b&since=1m&topic=a%2F*&topic=b&topic=", "GET",
				 &route, &error),
		0);
	assert_int_equal(route.query.topics.count, 4);
	assert_string_equal(route.query.topics.texts[0], "b");
	assert_string_equal(route.query.topics.texts[1], "a/*");
	assert_string_equal(route.query.topics.texts[2], "b");
	assert_string_equal(route.query.topics.texts[3], "");
	assert_string_equal(route.query.since, "1m");
	route_free(&route);
	assert_int_equal(parse("/api?topic=b&topic=a/**", "GET", &route, &error), 0);
	assert_int_equal(route.query.topics.count, 2);
	assert_string_equal(route.query.topics.texts[1], "a/**");
	route_free(&route);
}

static void an_id_is_read_by_each_of_its_names(void **state)
{
	static const struct {
		const char *query, *id;
	} rows[] = {
		{"last_event_id=x:1", "x:1"},
		{"lastEventId=x:1", "x:1"},
		{"lastEventID=x:1", "x:1"},
		{"Last-Event-ID=x:1", "x:1"},
		{"evs_last_event_id=x:1&evs_preamble=2056", "x:1"},
		{"lastEventId=x:1&r=52134", "x:1"},
		{"lastEventId=x%3A1&last_event_id=x:1&lastEventID=x:1", "x:1"},
		/* An empty one is none. */
		{"lastEventId=&r=52134", NULL},
		{"last_event_id=x:1&lastEventId=", "x:1"},
		{"lastEventId=&last_event_id=x:1", "x:1"},
	};
	static const char *const paths[] = {
		"/api/t/event?", "/api/event?topic=t&", "/api/$sys/event?"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(paths); i++) {
		char target[200];
		struct error error;
		struct route route;

		strcpy(target, paths[i % COUNT(paths)]);
		strcat(target, rows[i / COUNT(paths)].query);
		if (parse(target, "GET", &route, &error) != 0)
			fail_msg("%s: %s", target, error.text);
		same(route.query.last_event_id, rows[i / COUNT(paths)].id);
		route_free(&route);
	}
}

static void what_is_wrong_in_a_query_is_named(void **state)
{
	static const struct {
		const char *target, *method, *text;
	} rows[] = {
		/* Unknown. */
		{"/api/t?limt=1", "GET",
			"'limt' is not a parameter of a list; did you mean 'limit'?"},
		{"/api/t?LIMIT=1", "GET",
			"'LIMIT' is not a parameter of a list, which takes limit, before, after, since, "
			"latest, wait and envelope"},
		{"/api/t?x", "GET", "'x' is not a parameter of a list, which takes limit,"},
		{"/api/t?=x", "GET", "'' is not a parameter of a list, which"},
		{"/api/t?limit=1&x_=", "GET", "'x_' is not a parameter"},
		{"/api/t?events=a", "POST", "a POST; did you mean 'event'?"},
		{"/api/t?token=a", "POST",
			"'token' is not a parameter of a POST, which takes envelope, event, subject, "
			"ephemeral and close"},
		{"/api/t/x:1?x=1", "GET", "of one event, which takes envelope"},
		{"/api/t/presence?x=1", "GET", "of presence, which takes none"},
		{"/api/t/event?lasteventid=x", "GET", "did you mean 'last_event_id'?"},
		{"/api/event?topics=a", "GET",
			"'topics' is not a parameter of /api/event; did you "
			"mean 'topic'?"},
		{"/api?afer=a", "GET", "'afer' is not a parameter of /api; did you mean 'after'?"},
		{"/api?x=1", "GET", "of /api, which takes topic, limit and after"},
		/* Of something else. */
		{"/api?before=x:1", "GET", "'before' is a parameter of a list, not of /api, which"},
		{"/api/t/event?after=a", "GET",
			"'after' is a parameter of a list, not of a topic's stream"},
		{"/api?wait=1s", "GET", "'wait' is a parameter of a topic's stream, not of /api"},
		{"/api/t?wait=1s&wait=1s", "GET", "'wait' more than once"},
		{"/api?after=a&after=a", "GET", "'after' more than once"},
		{"/api?topic", "GET", "'topic' without a value"},
		{"/api/t/event?limit=1", "GET",
			"'limit' is a parameter of a list, not of a topic's stream, which takes "
			"last_event_id, since, last, latest, mark, until, wait, envelope, as, was, event and "
			"ticket"},
		{"/api/t/event?topic=a", "GET", "'topic' is a parameter of /api/event, not of"},
		{"/api/t?since=1m", "POST",
			"'since' is a parameter of a topic's stream, not of a POST"},
		{"/api/t?event=a", "GET",
			"'event' is a parameter of a topic's stream, not of a list"},
		{"/api/t?as=Ada", "GET", "'as' is a parameter of a topic's stream, not of a list"},
		{"/api/$sys/event?as=Ada", "GET", "not of /api/$sys/event, which takes"},
		{"/api/$sys?limit=1", "GET", "not of /api/$sys, which takes none"},
		{"/api/$sys/event?until=now", "GET", "'until' is a parameter of a topic's stream"},
		{"/api/t?last=3", "GET",
			"'last' is a parameter of a topic's stream, not of a list"},
		{"/api/t?lastEventId=x:1", "GET", "'lastEventId' is a parameter of"},
		{"/api/t/presence?envelope=1", "GET", "not of presence, which takes none"},
		/* Twice. */
		{"/api/t?event=a&event=b", "POST", "'event' more than once"},
		{"/api/t?subject=a&subject=b", "POST", "'subject' more than once"},
		{"/api/t?subject", "POST", "'subject' without a value"},
		{"/api/t/event?subject=a", "GET", "'subject' is a parameter of a POST, not of"},
		{"/api/t?limit=1&_=2&limit=1", "GET", "'limit' more than once"},
		{"/api/t?limit=1", "DELETE", "not of a DELETE, which takes before"},
		{"/api/t/x:1?before=x:1", "DELETE",
			"not of a DELETE of one event, which takes none"},
		{"/api/t?before=a&before=", "GET", "'before' more than once"},
		{"/api/t?envelope=1&envelope=1", "GET", "'envelope' more than once"},
		{"/api/t/event?last_event_id=a&last_event_id=a", "GET", "'last_event_id' more"},
		{"/api/t/event?lastEventId=&lastEventId=a", "GET", "'lastEventId' more than once"},
		/* Without a value. */
		{"/api/t/event?event", "GET", "'event' without a value: write event=..."},
		{"/api/t/event?since", "GET", "'since' without a value: write since=..."},
		{"/api/t/event?since=1m&since", "GET", "'since' without a value"},
		{"/api/event?topic", "GET", "'topic' without a value"},
		{"/api/t?ephemeral&event=a", "POST", "'ephemeral' without a value"},
		{"/api/t/event?lastEventID", "GET", "'lastEventID' without a value"},
		/* Not what it should be. */
		{"/api/t?envelope=yes", "GET", "envelope is 1 or 0"},
		{"/api/t?ephemeral=", "POST", "ephemeral is 1 or 0"},
		{"/api/t?ephemeral=11", "POST", "ephemeral is 1 or 0"},
		{"/api/t/event?last_event_id=x:1&lastEventId=x:2", "GET",
			"in 'lastEventId' is not"},
		{"/api/t/event?evs_last_event_id=a&lastEventID=A", "GET",
			"in 'lastEventID' is not"},
		/* Not to be decoded, whatever it is. */
		{"/api/t?limit=%00", "GET", "bad percent escape"},
		{"/api/t?limit=1%", "GET", "bad percent escape"},
		{"/api/t?limit=%4", "GET", "bad percent escape"},
		{"/api/t?_=%zz", "GET", "bad percent escape"},
		{"/api/t?%00=1", "GET", "bad percent escape"},
		{"/api/t/event?last_event_id=%0", "GET", "bad percent escape"},
		{"/api/t/event?r=%0", "GET", "bad percent escape"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error;
		struct route route;

		if (parse(rows[i].target, rows[i].method, &route, &error) != -1)
			fail_msg("'%s' was taken", rows[i].target);
		assert_int_equal(error.status, EX_DATAERR);
		if (strstr(error.text, rows[i].text) == NULL)
			fail_msg("'%s': %s", rows[i].target, error.text);
		route_free(&route);
	}
}

static void a_name_of_any_length_is_cut(void **state)
{
	char target[4000] = "/api/t?";
	struct error error;
	struct route route;

	(void)state;
	memset(target + 7, 'x', sizeof(target) - 8);
	assert_int_equal(parse(target, "GET", &route, &error), -1);
	assert_non_null(strstr(error.text, "xxx' is not a parameter of a list, which takes"));
	route_free(&route);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_is_meant),
		cmocka_unit_test(decodes_the_path),
		cmocka_unit_test(the_parameters_of_each_target_are_read),
		cmocka_unit_test(topics_are_read_in_their_order),
		cmocka_unit_test(event_types_are_read_in_their_order),
		cmocka_unit_test(an_id_is_read_by_each_of_its_names),
		cmocka_unit_test(what_is_wrong_in_a_query_is_named),
		cmocka_unit_test(a_name_of_any_length_is_cut),
	};

	return cmocka_run_group_tests_name("serve_route", tests, NULL, NULL);
}

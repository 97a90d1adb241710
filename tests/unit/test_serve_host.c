/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/host.c: which hosts are this server's, and which are not valid. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "http/host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct option_list none;
static const struct option_list some = {
	(const char *[]){"events.example.org", "*.wild.example.", "192.0.2.1", "[2001:db8::1]"}, 4};
static const struct option_list places = {
	(const char *[]){"lan.example:8000", "8001", "unix:1", "[2001:db8::2]:0", "*:0"}, 5};

static const struct host_names unnamed = {&none, &none};
static const struct host_names named = {&some, &none};
static const struct host_names listening = {&none, &places};

struct row {
	const char *host;
	enum host_verdict verdict;
};

static void check_rows(const struct host_names *names, const struct sockaddr *local,
	const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum host_verdict verdict = host_judge(names, rows[i].host, local);

		if (verdict != rows[i].verdict)
			fail_msg("'%s' is %d, not %d", rows[i].host, verdict, rows[i].verdict);
	}
}

static void loopback_is_ours_by_each_of_its_names(void **state)
{
	static const struct row rows[] = {
		{"localhost", HOST_OURS},
		{"LocalHost:8000", HOST_OURS},
		{"localhost.", HOST_OURS},
		{"localhost:", HOST_OURS},
		{"localhost:65535", HOST_OURS},
		{"127.0.0.1", HOST_OURS},
		{"127.0.0.1.:80", HOST_OURS},
		{"127.255.3.4:1", HOST_OURS},
		{"[::1]", HOST_OURS},
		{"[0:0:0:0:0:0:0:1]:8000", HOST_OURS},
		{"[::ffff:127.0.0.1]", HOST_OURS},
		{"[::ffff:7f00:1]", HOST_OURS},
		{"0.0.0.0:8000", HOST_OURS},
		{"[::]:8000", HOST_OURS},
	};

	(void)state;
	check_rows(&unnamed, NULL, rows, COUNT(rows));
}

static void another_name_is_not_ours(void **state)
{
	static const struct row rows[] = {
		{"evil.example", HOST_OTHER},
		{"evil.example:8000", HOST_OTHER},
		{"localhost.evil.example", HOST_OTHER},
		{"evil.localhost", HOST_OTHER},
		{"localhos", HOST_OTHER},
		{"localhostx", HOST_OTHER},
		{"localhost..", HOST_OTHER},
		{"127.0.0.1.evil.example", HOST_OTHER},
		{"127.0.0.1.nip.io", HOST_OTHER},
		{"127.1", HOST_OTHER},
		{"2130706433", HOST_OTHER},
		{"128.0.0.1", HOST_OTHER},
		{"192.0.2.1", HOST_OTHER},
		{"[::2]", HOST_OTHER},
		{"[::127.0.0.1]", HOST_OTHER},
		{"[::ffff:192.0.2.1]", HOST_OTHER},
		{"null", HOST_OTHER},
		{".", HOST_OTHER},
		{"*", HOST_OTHER},
		{"a'&b", HOST_OTHER},
	};

	(void)state;
	check_rows(&unnamed, NULL, rows, COUNT(rows));
}

static void what_is_not_a_host_is_not_valid(void **state)
{
	static const struct row rows[] = {
		{"", HOST_INVALID},
		{":8000", HOST_INVALID},
		{"localhost:8000x", HOST_INVALID},
		{"localhost:-1", HOST_INVALID},
		{"localhost:65536", HOST_INVALID},
		{"localhost:99999999999999999999999999", HOST_INVALID},
		{"localhost:80:80", HOST_INVALID},
		{"localhost ", HOST_INVALID},
		{"localhost, localhost", HOST_INVALID},
		{"localhost\tx", HOST_INVALID},
		{"local\x7fhost", HOST_INVALID},
		{"local\nhost", HOST_INVALID},
		{"l\xc3\xb6"
		 "calhost",
			HOST_INVALID},
		{"evil.example@localhost", HOST_INVALID},
		{"localhost/", HOST_INVALID},
		{"localhost\\", HOST_INVALID},
		{"http://localhost", HOST_INVALID},
		{"::1", HOST_INVALID},
		{"[::1", HOST_INVALID},
		{"[", HOST_INVALID},
		{"[]", HOST_INVALID},
		{"[::1]x", HOST_INVALID},
		{"[::1]:x", HOST_INVALID},
		{"[127.0.0.1]", HOST_INVALID},
		{"[localhost]", HOST_INVALID},
		{"[::1%a b]", HOST_INVALID},
		{"[%]", HOST_INVALID},
		{"[v1.a]", HOST_INVALID},
		{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", HOST_INVALID},
	};

	(void)state;
	check_rows(&unnamed, NULL, rows, COUNT(rows));
	check_rows(&named, NULL, rows, COUNT(rows));
}

static void a_name_of_the_operator_is_ours(void **state)
{
	static const struct row rows[] = {
		{"events.example.org", HOST_OURS},
		{"EVENTS.example.ORG.:443", HOST_OURS},
		{"a.events.example.org", HOST_OTHER},
		{"xevents.example.org", HOST_OTHER},
		{"events.example.or", HOST_OTHER},
		{"example.org", HOST_OTHER},
		{"a.wild.example", HOST_OURS},
		{"b.a.WILD.example.", HOST_OURS},
		{"wild.example", HOST_OTHER},
		{".wild.example", HOST_OTHER},
		{"..wild.example", HOST_OTHER},
		{"awild.example", HOST_OTHER},
		{"aawild.example", HOST_OTHER},
		{"*.wild.example", HOST_OURS},
		{"wild.example.evil.example", HOST_OTHER},
		{"192.0.2.1:80", HOST_OURS},
		{"[::ffff:192.0.2.1]", HOST_OURS},
		{"192.0.2.2", HOST_OTHER},
		{"a.192.0.2.1", HOST_OTHER},
		{"[2001:DB8:0::1]:80", HOST_OURS},
		{"[2001:db8::1%25eth0]:80", HOST_OURS},
		{"[2001:db8::2]", HOST_OTHER},
		{"localhost", HOST_OURS},
	};

	(void)state;
	check_rows(&named, NULL, rows, COUNT(rows));
}

static void the_name_that_is_listened_on_is_ours(void **state)
{
	static const struct row rows[] = {
		{"lan.example", HOST_OURS},
		{"Lan.Example:9", HOST_OURS},
		{"a.lan.example", HOST_OTHER},
		{"8001", HOST_OTHER},
		{"unix", HOST_OTHER},
		{"[2001:db8::2]", HOST_OURS},
	};

	(void)state;
	check_rows(&listening, NULL, rows, COUNT(rows));
}

static void the_address_that_the_connection_came_in_on_is_ours(void **state)
{
	static const struct row v4_rows[] = {
		{"192.0.2.7:8000", HOST_OURS},
		{"[::ffff:c000:207]", HOST_OURS},
		{"192.0.2.8", HOST_OTHER},
		{"localhost", HOST_OURS},
	};
	static const struct row v6_rows[] = {
		{"[fe80::7]:8000", HOST_OURS},
		{"[fe80::7%25eth0]", HOST_OURS},
		{"[fe80::7%eth0]", HOST_OURS},
		{"[fe80::8]", HOST_OTHER},
		{"192.0.2.7", HOST_OTHER},
	};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_scope_id = 2};
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
	check_rows(&unnamed, (struct sockaddr *)&v4, v4_rows, COUNT(v4_rows));
	inet_pton(AF_INET6, "::ffff:192.0.2.7", &v6.sin6_addr);
	check_rows(&unnamed, (struct sockaddr *)&v6, v4_rows, COUNT(v4_rows));
	inet_pton(AF_INET6, "fe80::7", &v6.sin6_addr);
	check_rows(&unnamed, (struct sockaddr *)&v6, v6_rows, COUNT(v6_rows));
	assert_int_equal(host_judge(&unnamed, "192.0.2.7", (struct sockaddr *)&local), HOST_OTHER);
	assert_int_equal(host_judge(&unnamed, "localhost", (struct sockaddr *)&local), HOST_OURS);
}

static void a_host_ends_before_its_port(void **state)
{
	(void)state;
	assert_int_equal(host_length("evil.example:80"), 12);
	assert_int_equal(host_length("evil.example"), 12);
	assert_int_equal(host_length("[::1]:80"), 5);
}

static void a_name_for_the_option_has_nothing_else(void **state)
{
	static const char *const good[] = {"events.example.org", "events.example.org.", "db-1",
		"my_service", "*.example.org", "xn--bcher-kva.example", "192.0.2.1",
		"[2001:db8::1]"};
	static const char umlaut[] = "\xc3\xbc"
				     "ber.example";
	static const char *const bad[] = {"", "*", "*.", "**.a", "a.*.b", "*a", "*.192.0.2.1",
		"*.[::1]", "example.org:80", "example.org:", "http://example.org", "example.org/",
		"a b", "a,b", "a@b", ".a", "a..b", umlaut, "2001:db8::1", "[2001:db8::1]:80",
		"[x]"};
	struct error error = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (host_check_name(good[i], &error) != 0)
			fail_msg("'%s' is refused", good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (host_check_name(bad[i], &error) == 0)
			fail_msg("'%s' is taken", bad[i]);
		assert_non_null(strstr(error.text, "without scheme, port or path"));
	}
}

static void the_absolute_form_has_an_authority(void **state)
{
	static const struct {
		const char *target, *authority;
	} rows[] = {
		{"http://localhost:8000/api/a", "localhost:8000"},
		{"HTTPS://evil.example", "evil.example"},
		{"http://evil.example?/", "evil.example"},
		{"http://evil.example#/", "evil.example"},
		{"http://user@evil.example/", "user@evil.example"},
		{"http:///a", ""},
		{"/http://evil.example/", NULL},
		{"//evil.example/", NULL},
		{"ftp://evil.example/", NULL},
		{"*", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = 0;
		const char *authority = host_in_target(rows[i].target, &len);

		if ((authority == NULL) != (rows[i].authority == NULL))
			fail_msg("%s", rows[i].target);
		if (authority == NULL)
			continue;
		assert_int_equal(len, strlen(rows[i].authority));
		assert_memory_equal(authority, rows[i].authority, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_is_ours_by_each_of_its_names),
		cmocka_unit_test(another_name_is_not_ours),
		cmocka_unit_test(what_is_not_a_host_is_not_valid),
		cmocka_unit_test(a_name_of_the_operator_is_ours),
		cmocka_unit_test(the_name_that_is_listened_on_is_ours),
		cmocka_unit_test(the_address_that_the_connection_came_in_on_is_ours),
		cmocka_unit_test(a_host_ends_before_its_port),
		cmocka_unit_test(a_name_for_the_option_has_nothing_else),
		cmocka_unit_test(the_absolute_form_has_an_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

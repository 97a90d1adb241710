/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/forwarded.c and base/address.c: who the client is, and what it counts
 * by. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/address.h"
#include "http/forwarded.h"

static struct forwarded_proxies trust(const char *const *texts)
{
	struct option_list values = {.values = (const char **)(uintptr_t)texts};
	struct forwarded_proxies proxies;
	struct error error = {0};

	while (texts[values.count] != NULL)
		values.count++;
	if (forwarded_proxies_parse(&values, &proxies, &error) != 0)
		fail_msg("%s", error.text);
	return proxies;
}

static union address address_of(const char *text)
{
	union address address;

	assert_true(address_parse(text, strlen(text), &address));
	return address;
}

static const char *text_of(const struct forwarded *forwarded)
{
	static char text[INET6_ADDRSTRLEN];
	const union address *address = &forwarded->address;
	const void *bytes = address->any.sa_family == AF_INET
				    ? (const void *)&address->v4.sin_addr
				    : (const void *)&address->v6.sin6_addr;

	if (forwarded->found == FORWARDED_NOTHING)
		return "nothing";
	if (forwarded->found == FORWARDED_WRONG)
		return "wrong";
	return inet_ntop(address->any.sa_family, bytes, text, sizeof(text));
}

struct row {
	const char *one, *two; /* the headers; NULL: there is none */
	const char *client;
};

static const struct row rows[] = {
	{NULL, NULL, "nothing"},
	{"", NULL, "nothing"},
	{" , ,\t,", NULL, "nothing"},
	{"192.0.2.1", NULL, "192.0.2.1"},
	{" \t192.0.2.1\t ", NULL, "192.0.2.1"},
	{"192.0.2.1:8000", NULL, "192.0.2.1"},
	{"2001:db8::1", NULL, "2001:db8::1"},
	{"[2001:db8::1]", NULL, "2001:db8::1"},
	{"[2001:db8::1]:8000", NULL, "2001:db8::1"},
	/* What the client wrote itself is left of what the proxy wrote. */
	{"198.51.100.1, 192.0.2.1", NULL, "192.0.2.1"},
	{"unknown, 192.0.2.1", NULL, "192.0.2.1"},
	{"198.51.100.1,192.0.2.1,", NULL, "192.0.2.1"},
	{"198.51.100.1", "192.0.2.1", "192.0.2.1"},
	{"192.0.2.1", "", "192.0.2.1"},
	/* Trusted proxies are passed over, from the right. */
	{"192.0.2.1, 10.0.0.1", NULL, "192.0.2.1"},
	{"198.51.100.1, 192.0.2.1, 10.0.0.1, 10.255.0.1", NULL, "192.0.2.1"},
	{"198.51.100.1, 192.0.2.1", "10.0.0.1, ::ffff:10.0.0.1", "192.0.2.1"},
	{"192.0.2.1, 2001:db8:1::7, 127.0.0.1", NULL, "192.0.2.1"},
	{"10.0.0.1, 192.0.2.1, 10.0.0.2", NULL, "192.0.2.1"},
	/* None but them: the farthest. */
	{"10.0.0.1, 10.0.0.2", NULL, "10.0.0.1"},
	{"127.0.0.1", NULL, "127.0.0.1"},
	/* Nobody knows. */
	{"unknown", NULL, "wrong"},
	{"192.0.2.1, unknown", NULL, "wrong"},
	{"192.0.2.1, unknown, 10.0.0.1", NULL, "wrong"},
	{"192.0.2.1", "_hidden", "wrong"},
	{"192.0.2.1 198.51.100.1", NULL, "wrong"},
	{"192.0.2", NULL, "wrong"},
	{"192.0.2.256", NULL, "wrong"},
	{"192.0.2.1:", NULL, "wrong"},
	{"192.0.2.1:x", NULL, "wrong"},
	{"192.0.2.1:123456", NULL, "wrong"},
	{"192.0.2.1:8000:1", NULL, "wrong"},
	{"[192.0.2.1]", NULL, "wrong"},
	{"[2001:db8::1", NULL, "wrong"},
	{"2001:db8::1]", NULL, "wrong"},
	{"[]", NULL, "wrong"},
	{"[", NULL, "wrong"},
	{"]", NULL, "wrong"},
	{":", NULL, "wrong"},
	{":80", NULL, "wrong"},
	{"[2001:db8::1]8000", NULL, "wrong"},
	{"[2001:db8::1]:", NULL, "wrong"},
	{"\"192.0.2.1\"", NULL, "wrong"},
	{"fe80::1%eth0", NULL, "wrong"},
	{"2001:db8:0000:0000:0000:0000:0000:00001", NULL, "wrong"},
};

static void the_client_is_the_rightmost_that_is_not_trusted(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8", "127.0.0.1", "2001:db8:1::/48", NULL};
	struct forwarded_proxies proxies = trust(texts);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct forwarded forwarded = {0};

		if (rows[i].one != NULL)
			forwarded_look(&forwarded, &proxies, rows[i].one);
		if (rows[i].two != NULL)
			forwarded_look(&forwarded, &proxies, rows[i].two);
		if (strcmp(text_of(&forwarded), rows[i].client) != 0)
			fail_msg("%s | %s: %s, not %s", rows[i].one != NULL ? rows[i].one : "",
				rows[i].two != NULL ? rows[i].two : "", text_of(&forwarded),
				rows[i].client);
	}
	forwarded_proxies_free(&proxies);
}

static void trusted_proxies(void **state)
{
	static const char *const texts[] = {
		"192.0.2.1", "10.0.0.0/8", "172.16.0.0/12", "2001:db8::/33", "::1", NULL};
	static const char *const all[] = {"0.0.0.0/0", "unix", NULL};
	static const char *const in[] = {"192.0.2.1", "::ffff:192.0.2.1", "10.0.0.0",
		"10.255.255.255", "172.16.0.1", "172.31.255.255", "2001:db8::", "2001:db8:7fff::1",
		"::1"};
	static const char *const out[] = {"192.0.2.0", "11.0.0.0", "9.255.255.255", "172.15.0.1",
		"172.32.0.0", "2001:db8:8000::", "2001:db9::", "::2", "::c000:201", "127.0.0.1"};
	struct forwarded_proxies proxies = trust(texts);
	union address address;

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		address = address_of(in[i]);
		if (!forwarded_trusts(&proxies, &address.any))
			fail_msg("%s is not trusted", in[i]);
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		address = address_of(out[i]);
		if (forwarded_trusts(&proxies, &address.any))
			fail_msg("%s is trusted", out[i]);
	}
	assert_false(forwarded_trusts(&proxies, NULL));
	forwarded_proxies_free(&proxies);

	proxies = trust(all);
	assert_true(forwarded_trusts(&proxies, NULL));
	address = address_of("255.1.2.3");
	assert_true(forwarded_trusts(&proxies, &address.any));
	address = address_of("2001:db8::1");
	assert_false(forwarded_trusts(&proxies, &address.any));
	forwarded_proxies_free(&proxies);

	proxies = trust(all + 2);
	address = address_of("127.0.0.1");
	assert_false(forwarded_trusts(&proxies, &address.any));
	assert_false(forwarded_trusts(&proxies, NULL));
	forwarded_proxies_free(&proxies);
}

static void what_is_not_a_proxy(void **state)
{
	static const struct {
		const char *text, *word;
	} wrong[] = {
		{"localhost", "not an address"},
		{"UNIX", "not an address"},
		{"unix:/run/s", "not an address"},
		{"/8", "not an address"},
		{"10.0.0.1:80", "not an address"},
		{"[::1]", "not an address"},
		{"10.0.0", "not an address"},
		{"10.0.0.0/", "0 to 32"},
		{"10.0.0.0/33", "0 to 32"},
		{"10.0.0.0/x", "0 to 32"},
		{"10.0.0.0/-1", "0 to 32"},
		{"10.0.0.0/255.0.0.0", "0 to 32"},
		{"2001:db8::/129", "0 to 128"},
		{"10.0.0.1/8", "after the first 8"},
		{"10.128.0.0/8", "after the first 8"},
		{"2001:db8::1/127", "after the first 127"},
		{"2001:db8::1/64", "after the first 64"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *texts[] = {"10.0.0.1", wrong[i].text};
		struct option_list values = {.values = texts, .count = 2};
		struct forwarded_proxies proxies;
		struct error error = {0};

		if (forwarded_proxies_parse(&values, &proxies, &error) != -1)
			fail_msg("'%s' was taken", wrong[i].text);
		assert_int_equal(error.status, EX_USAGE);
		if (strstr(error.text, wrong[i].word) == NULL ||
			strstr(error.text, wrong[i].text) == NULL)
			fail_msg("'%s': %s", wrong[i].text, error.text);
		forwarded_proxies_free(&proxies);
	}
}

static bool same_key(const char *one, const char *other)
{
	union address a = address_of(one), b = address_of(other);
	unsigned char x[ADDRESS_KEY], y[ADDRESS_KEY];

	assert_true(address_key(&a.any, x));
	assert_true(address_key(&b.any, y));
	return memcmp(x, y, ADDRESS_KEY) == 0;
}

static void what_clients_are_counted_by(void **state)
{
	static const char *const uncounted[] = {
		"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"};
	unsigned char key[ADDRESS_KEY];

	(void)state;
	assert_true(same_key("192.0.2.1", "::ffff:192.0.2.1"));
	assert_false(same_key("192.0.2.1", "192.0.2.2"));
	assert_true(same_key("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"));
	assert_false(same_key("2001:db8::1", "2001:db8:0:1::1"));
	assert_false(same_key("::2", "::ffff:0.0.0.2"));
	for (size_t i = 0; i < sizeof(uncounted) / sizeof(uncounted[0]); i++) {
		union address address = address_of(uncounted[i]);

		if (address_key(&address.any, key))
			fail_msg("%s is counted", uncounted[i]);
	}
	assert_false(address_key(NULL, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_the_rightmost_that_is_not_trusted),
		cmocka_unit_test(trusted_proxies),
		cmocka_unit_test(what_is_not_a_proxy),
		cmocka_unit_test(what_clients_are_counted_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/base/rates.c and rate_rules.c: buckets of tokens, and the text of --rate. */
#include <pthread.h>
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

#include "base/rate_rules.h"
#include "base/rates.h"

static const struct rates_rule five_a_second = {5, 1000, 5};

static struct rates *make(const struct rates_rule *rule, size_t max)
{
	struct rates *rates = rates_new(rule, max);

	assert_non_null(rates);
	return rates;
}

static bool take(struct rates *rates, const char *key, uint32_t amount, int64_t now)
{
	int64_t wait = 0;
	bool taken = rates_take(rates, key, strlen(key), amount, now, &wait);

	assert_true(taken || wait >= 1);
	return taken;
}

static int64_t wait_of(struct rates *rates, const char *key, int64_t now)
{
	int64_t wait = 0;

	assert_false(rates_take(rates, key, strlen(key), 1, now, &wait));
	return wait;
}

static void a_burst_passes_and_then_the_rate(void **state)
{
	struct rates *rates = make(&five_a_second, 10);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(take(rates, "a", 1, 1000));
	assert_false(take(rates, "a", 1, 1000));
	assert_false(take(rates, "a", 1, 1199));
	assert_true(take(rates, "a", 1, 1200));
	assert_false(take(rates, "a", 1, 1399));
	assert_true(take(rates, "a", 1, 1400));
	/* A long rest brings the burst and no more. */
	for (int i = 0; i < 5; i++)
		assert_true(take(rates, "a", 1, 1000000));
	assert_false(take(rates, "a", 1, 1000000));
	rates_free(rates);
}

static void no_part_of_a_token_is_lost(void **state)
{
	static const struct rates_rule rule = {7777, 1000, 1};
	struct rates *rates = make(&rule, 10);
	int taken = 0;

	(void)state;
	assert_true(take(rates, "a", 7777, 0));
	/* Looked at each ms, of which none brings a whole number. */
	for (int64_t now = 1; now < 1000; now++)
		assert_false(take(rates, "a", 1, now));
	for (int64_t now = 1000; now < 2000; now++)
		taken += take(rates, "a", 7, now) ? 7 : 0;
	assert_in_range(taken, 7 * 999, 7777);
	rates_free(rates);
}

static void each_key_has_its_own(void **state)
{
	static const struct rates_rule rule = {1, 1000, 1};
	struct rates *rates = make(&rule, 10);
	int64_t wait;

	(void)state;
	assert_true(take(rates, "a", 1, 0));
	assert_false(take(rates, "a", 1, 0));
	assert_true(take(rates, "b", 1, 0));
	assert_true(take(rates, "ab", 1, 0));
	assert_true(take(rates, "", 1, 0));
	assert_false(take(rates, "", 1, 0));
	assert_true(rates_take(rates, "a\0", 2, 1, 0, &wait));
	assert_true(rates_take(rates, "a\1", 2, 1, 0, &wait));
	assert_false(rates_take(rates, "a\0", 2, 1, 0, &wait));
	rates_free(rates);
}

static void more_than_there_is_makes_a_debt(void **state)
{
	struct rates *rates = make(&five_a_second, 10);

	(void)state;
	assert_true(take(rates, "a", 4, 0));
	/* One is left, so that a large batch passes, but it has to be paid off. */
	assert_true(take(rates, "a", 101, 0));
	assert_int_equal(wait_of(rates, "a", 0), 21);
	assert_int_equal(wait_of(rates, "a", 19000), 2);
	assert_int_equal(wait_of(rates, "a", 20199), 1);
	assert_true(take(rates, "a", 1, 20200));
	rates_free(rates);
}

static void the_wait_ends_when_there_is_a_token(void **state)
{
	static const struct rates_rule rule = {10, 3600000, 1};
	struct rates *rates = make(&rule, 10);

	(void)state;
	assert_true(take(rates, "a", 1, 500));
	assert_int_equal(wait_of(rates, "a", 500), 360);
	assert_int_equal(wait_of(rates, "a", 501), 360);
	assert_int_equal(wait_of(rates, "a", 1500), 359);
	assert_int_equal(wait_of(rates, "a", 360499), 1);
	assert_true(take(rates, "a", 1, 360500));
	rates_free(rates);
}

static void looking_takes_nothing(void **state)
{
	static const struct rates_rule rule = {1, 1000, 1};
	struct rates *rates = make(&rule, 10);

	(void)state;
	assert_true(take(rates, "a", 0, 0));
	assert_int_equal(rates_count(rates), 0);
	assert_true(take(rates, "a", 1, 0));
	assert_false(take(rates, "a", 0, 0));
	assert_true(take(rates, "a", 0, 1000));
	assert_true(take(rates, "a", 1, 1000));
	rates_free(rates);

	/* Nor does it push out another. */
	rates = make(&rule, 1);
	assert_true(take(rates, "a", 1, 0));
	assert_true(take(rates, "b", 0, 0));
	assert_false(take(rates, "a", 1, 0));
	rates_free(rates);
}

static void time_that_goes_back_brings_nothing(void **state)
{
	static const struct rates_rule rule = {1, 1000, 2};
	struct rates *rates = make(&rule, 10);

	(void)state;
	assert_true(take(rates, "a", 1, 5000));
	/* Nor does it take anything away. */
	assert_true(take(rates, "a", 1, 0));
	assert_false(take(rates, "a", 1, 0));
	assert_false(take(rates, "a", 1, 5999));
	assert_true(take(rates, "a", 1, 6000));
	rates_free(rates);
}

static void large_numbers_do_not_overflow(void **state)
{
	static const struct rates_rule most = {RATES_MOST, 3600000, RATES_MOST};
	static const struct rates_rule least = {1, 3600000, RATES_MOST};
	struct rates *rates = make(&most, 10), *slow = make(&least, 10);

	(void)state;
	assert_true(take(rates, "a", UINT32_MAX, 0));
	assert_false(take(rates, "a", 1, 0));
	assert_true(take(rates, "a", UINT32_MAX, INT64_MAX / 2));
	assert_true(take(slow, "a", UINT32_MAX, 0));
	assert_int_equal(wait_of(slow, "a", 0), (UINT32_MAX - RATES_MOST + 1) * INT64_C(3600));
	rates_free(slow);
	rates_free(rates);
}

static void full_buckets_are_not_kept(void **state)
{
	struct rates *rates = make(&five_a_second, 100);

	(void)state;
	for (char key[2] = "A"; key[0] < 'A' + 50; key[0]++)
		assert_true(take(rates, key, 1, 0));
	assert_int_equal(rates_count(rates), 50);
	/* Each call removes more than it may add. */
	for (int i = 0; i < 50; i++)
		assert_true(take(rates, "a", 1, 1000 + 200 * i));
	assert_int_equal(rates_count(rates), 1);
	rates_free(rates);
}

/* What does not fit forgives those who owe the least. */
static void the_number_of_buckets_is_bounded(void **state)
{
	static const struct rates_rule rule = {1, 1000, 2};
	struct rates *rates = make(&rule, 100);
	char key[12];

	(void)state;
	assert_true(take(rates, "greedy", 1000000, 0));
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "%d", i * 7919 % 10007);
		assert_true(take(rates, key, 1 + (uint32_t)i % 3, 0));
		assert_in_range(rates_count(rates), 1, 100);
	}
	assert_int_equal(rates_count(rates), 100);
	assert_false(take(rates, "greedy", 1, 10000));
	rates_free(rates);
}

/* Whatever happened, the bucket that is full first goes first: compared with a plain table. */
static void the_order_is_kept(void **state)
{
	enum { KEYS = 40, MS_OF_ONE = 250 };
	static const struct rates_rule rule = {4, 1000, 100000};
	struct rates *rates = make(&rule, KEYS);
	int64_t owed[KEYS] = {0};
	char key[8];
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint32_t one, amount;

		random = random * 1664525 + 1013904223;
		one = (random >> 8) % KEYS;
		amount = random >> 24 & 7;
		snprintf(key, sizeof(key), "%u", one);
		assert_true(take(rates, key, amount, 0));
		owed[one] += amount;
	}
	for (int64_t tokens = 0; rates_count(rates) > 0; tokens++) {
		size_t kept = 0;

		/* Each look removes at most two. */
		for (int i = 0; i < KEYS; i++)
			take(rates, "none", 0, tokens * MS_OF_ONE);
		for (int i = 0; i < KEYS; i++)
			kept += owed[i] > tokens;
		assert_int_equal(rates_count(rates), kept);
	}
	rates_free(rates);
}

struct racer {
	struct rates *rates;
	int taken;
};

static void *race(void *context)
{
	struct racer *racer = context;
	char key[8];
	int64_t wait;

	for (int i = 0; i < 20000; i++) {
		racer->taken += rates_take(racer->rates, "shared", 6, 1, 0, &wait);
		snprintf(key, sizeof(key), "%d", i % 300);
		rates_take(racer->rates, key, strlen(key), 1, i, &wait);
	}
	return NULL;
}

static void threads_share_a_bucket(void **state)
{
	static const struct rates_rule rule = {1, 3600000, 10000};
	struct rates *rates = make(&rule, 1000);
	struct racer racers[4];
	pthread_t threads[4];
	int taken = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		racers[i] = (struct racer){rates, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		taken += racers[i].taken;
	}
	assert_int_equal(taken, 10000);
	rates_free(rates);
}

/* --- the text of --rate --- */

static void rates_that_can_be(void **state)
{
	static const struct {
		const char *text;
		enum rate_kind kind;
		struct rates_rule rule;
	} rows[] = {
		{"publish=50/s", RATE_PUBLISH, {50, 1000, 50}},
		{"publish=50/s:200", RATE_PUBLISH, {50, 1000, 200}},
		{"stream=120/m", RATE_STREAM, {120, 60000, 2}},
		{"stream=10/m", RATE_STREAM, {10, 60000, 1}},
		{"stream=7200/h", RATE_STREAM, {7200, 3600000, 2}},
		{"stream=1/h", RATE_STREAM, {1, 3600000, 1}},
		{"publish=1/s,stream=2/m:3", RATE_STREAM, {2, 60000, 3}},
		{"stream=2/m:3,publish=1/s", RATE_PUBLISH, {1, 1000, 1}},
		{"publish=1000000000/h:1000000000", RATE_PUBLISH,
			{RATES_MOST, 3600000, RATES_MOST}},
	};
	struct rate_rules rules;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rates_rule *rule = &rules.rules[rows[i].kind];
		struct error error = {0};

		if (rate_rules_parse(rows[i].text, &rules, &error) != 0)
			fail_msg("%s: %s", rows[i].text, error.text);
		assert_non_null(rules.texts[rows[i].kind]);
		if (rule->count != rows[i].rule.count || rule->per != rows[i].rule.per ||
			rule->burst != rows[i].rule.burst)
			fail_msg("%s: %lld in %lld, burst %lld", rows[i].text,
				(long long)rule->count, (long long)rule->per,
				(long long)rule->burst);
	}
	assert_int_equal(rate_rules_parse(NULL, &rules, NULL), 0);
	assert_null(rules.texts[RATE_PUBLISH]);
	assert_int_equal(rate_rules_parse("stream=2/m:3,publish=1/s", &rules, NULL), 0);
	assert_int_equal(rules.lens[RATE_STREAM], 12);
}

static void rates_that_cannot_be(void **state)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{"", "neither publish= nor stream="},
		{"50/s", "neither publish= nor stream="},
		{"post=50/s", "neither publish= nor stream="},
		{"publish", "neither publish= nor stream="},
		{"publishes=1/s", "neither publish= nor stream="},
		{"pub=1/s", "neither publish= nor stream="},
		{"publish=1/s,", "neither publish= nor stream="},
		{"publish=1/s,,stream=1/s", "neither publish= nor stream="},
		{"publish=1/s,publish=2/s", "twice"},
		{"publish=1/s,stream=1/s,publish=1/s", "twice"},
		{"publish=50", "unit is missing"},
		{"publish=", "unit is missing"},
		{"publish=50/", "per second, minute or hour"},
		{"publish=50/d", "per second, minute or hour"},
		{"publish=50/ss", "per second, minute or hour"},
		{"publish=50/10s", "per second, minute or hour"},
		{"publish=50/:5", "per second, minute or hour"},
		{"publish=/s", "whole number"},
		{"publish=0/s", "whole number"},
		{"publish=-1/s", "whole number"},
		{"publish=1.5/s", "whole number"},
		{"publish= 5/s", "whole number"},
		{"publish=1000000001/s", "whole number"},
		{"publish=50:5/s", "whole number"},
		{"publish=00000000000000000000000000000000001/s", "whole number"},
		{"publish=50/s:", "burst"},
		{"publish=50/s:0", "burst"},
		{"publish=50/s:x", "burst"},
		{"publish=50/s:1:2", "burst"},
		{"publish=50/s:1000000001", "burst"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rate_rules rules;
		struct error error = {0};

		if (rate_rules_parse(rows[i].text, &rules, &error) != -1)
			fail_msg("'%s' was taken", rows[i].text);
		assert_int_equal(error.status, EX_USAGE);
		if (strstr(error.text, rows[i].word) == NULL)
			fail_msg("'%s': %s", rows[i].text, error.text);
		assert_non_null(strstr(error.text, "publish=50/s"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_then_the_rate),
		cmocka_unit_test(no_part_of_a_token_is_lost),
		cmocka_unit_test(each_key_has_its_own),
		cmocka_unit_test(more_than_there_is_makes_a_debt),
		cmocka_unit_test(the_wait_ends_when_there_is_a_token),
		cmocka_unit_test(looking_takes_nothing),
		cmocka_unit_test(time_that_goes_back_brings_nothing),
		cmocka_unit_test(large_numbers_do_not_overflow),
		cmocka_unit_test(full_buckets_are_not_kept),
		cmocka_unit_test(the_number_of_buckets_is_bounded),
		cmocka_unit_test(the_order_is_kept),
		cmocka_unit_test(threads_share_a_bucket),
		cmocka_unit_test(rates_that_can_be),
		cmocka_unit_test(rates_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

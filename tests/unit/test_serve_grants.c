/* SPDX-License-Identifier: MIT */
/* Grants: which pattern covers which, and what is granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "access/grants.h"
#include "log/topic.h"

struct cover {
	const char *pattern, *other;
	bool covers;
};

static const struct cover covers[] = {
	{"chat", "chat", true},
	{"chat", "Chat", false},
	{"chat", "chat/a", false},
	{"chat/*", "chat", false},
	{"chat/*", "chat/a", true},
	{"chat/*", "chat/*", true},
	{"chat/*", "chat/a/b", false},
	{"chat/*", "chat/**", false},
	{"chat/*", "chat/*/*", false},
	{"chat/a", "chat/*", false},
	{"chat/**", "chat", false},
	{"chat/**", "chat/*", true},
	{"chat/**", "chat/*/b", true},
	{"chat/**", "chat/**", true},
	{"chat/**", "**", false},
	{"**", "**", true},
	{"**", "*", true},
	{"*", "**", false},
	{"*", "*", true},
	{"*", "a", true},
	{"*", "a/b", false},
	{"*/b", "a/b", true},
	{"*/b", "*/b", true},
	{"*/b", "a/*", false},
	{"a/*/c", "a/**", false},
	{"a/*/c", "a/b/c", true},
	{"a/*/c", "*/b/c", false},
	{"a/*/**", "a/**", false},
	{"a/*/**", "a/b/**", true},
};

static void test_covers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
		const struct cover *one = &covers[i];

		if (topic_covers(one->pattern, one->other) != one->covers)
			fail_msg("%s covers %s: not %d", one->pattern, one->other, one->covers);
	}
}

static struct grants sample(void)
{
	struct grants grants = {0};
	struct error error = {0};

	assert_int_equal(grants_add(&grants, VERB_PUBLISH, "chat/*", 6, &error), 0);
	/* The length counts, not the end of the string. */
	assert_int_equal(grants_add(&grants, VERB_READ, "chat/**,more", 7, &error), 0);
	return grants;
}

static void test_each_verb_has_its_own(void **state)
{
	struct grants grants = sample();

	(void)state;
	assert_true(grants_cover(&grants, VERB_FREE, NULL));
	assert_false(grants_cover(&grants, VERB_UNSAID, NULL));
	assert_true(grants_cover(&grants, VERB_PUBLISH, "chat/a"));
	assert_false(grants_cover(&grants, VERB_PUBLISH, "chat/a/b"));
	assert_true(grants_cover(&grants, VERB_READ, "chat/a/b"));
	assert_false(grants_cover(&grants, VERB_READ, "more"));
	/* For any topic at all. */
	assert_true(grants_cover(&grants, VERB_READ, NULL));
	assert_false(grants_cover(&(struct grants){.status = true}, VERB_READ, NULL));
	assert_false(grants_cover(&grants, VERB_STATUS, NULL));
	assert_true(grants_cover(&grants, VERB_PUBLISH, NULL) &&
		    grants_cover(&grants, VERB_READ, NULL));
	grants.status = true;
	assert_true(grants_cover(&grants, VERB_STATUS, NULL));
	grants_free(&grants);
	assert_false(grants_cover(&grants, VERB_READ, "chat/a/b"));
	assert_false(grants_cover(&grants, VERB_READ, NULL));
}

static void test_a_bad_pattern(void **state)
{
	struct grants grants = {0};
	struct error error = {0};

	(void)state;
	assert_int_equal(grants_add(&grants, VERB_READ, "a//b", 4, &error), -1);
	assert_int_equal(grants_add(&grants, VERB_READ, "$sys", 4, &error), -1);
	assert_int_equal(grants_add(&grants, VERB_READ, "", 0, &error), -1);
	assert_int_equal(grants.counts[VERB_READ], 0);
	grants_free(&grants);
}

static void test_sums(void **state)
{
	struct grants one = sample(), other = sample(), more = {.status = true};
	struct error error = {0};

	(void)state;
	assert_true(grants_equal(&one, &other));
	assert_int_equal(grants_add(&more, VERB_READ, "news", 4, &error), 0);
	assert_int_equal(grants_add_all(&one, &more), 0);
	assert_false(grants_equal(&one, &other));
	assert_true(grants_cover(&one, VERB_READ, "news"));
	assert_true(grants_cover(&one, VERB_STATUS, NULL));
	assert_int_equal(grants_add_all(&other, &more), 0);
	assert_true(grants_equal(&one, &other));
	grants_free(&one);
	grants_free(&other);
	grants_free(&more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_each_verb_has_its_own),
		cmocka_unit_test(test_a_bad_pattern),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

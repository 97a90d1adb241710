/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/nearest.c: which name a misspelt word was meant for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nearest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void the_nearest_name_is_found_or_none(void **state)
{
	static const char *const names[] = {"limit", "before", "since", "envelope", "event"};
	static const struct {
		const char *word, *name;
	} rows[] = {
		{"limt", "limit"},
		{"limiit", "limit"},
		{"lmit=7", "limit"},
		{"env", "envelope"},
		{"envelop", "envelope"},
		{"evnt", "event"},
		{"sinze", "since"},
		{"", NULL},
		{"x", NULL},
		{"en", NULL},
		{"token", NULL},
		{"before-and-much-more-that-is-not-near", NULL},
		{"limitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimit", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nearest nearest;

		nearest_start(&nearest, rows[i].word, strcspn(rows[i].word, "="));
		for (size_t j = 0; j < COUNT(names); j++)
			nearest_offer(&nearest, names[j]);
		if (rows[i].name == NULL)
			assert_null(nearest.name);
		else
			assert_string_equal(nearest.name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_nearest_name_is_found_or_none)};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/hash.c. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hash.h"

static void the_hash_is_the_published_one(void **state)
{
	/* Test vectors of FNV's authors. */
	static const struct {
		const char *text;
		size_t len;
		uint64_t hash;
	} rows[] = {
		{"", 0, UINT64_C(0xcbf29ce484222325)},
		{"a", 1, UINT64_C(0xaf63dc4c8601ec8c)},
		{"foobar", 6, UINT64_C(0x85944171f73967e8)},
		{"", 1, UINT64_C(0xaf63bd4c8601b7df)},
		{"\xff\x00\x00\x01", 4, UINT64_C(0x6961196491cc682d)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t hash = hash_fnv1a(HASH_START, rows[i].text, rows[i].len);

		if (hash != rows[i].hash)
			fail_msg("row %zu: %016" PRIx64, i, hash);
	}
}

static void a_text_in_parts_has_the_hash_of_the_whole(void **state)
{
	uint64_t hash = HASH_START;

	(void)state;
	for (const char *p = "foobar"; *p != '\0'; p++)
		hash = hash_fnv1a(hash, p, 1);
	assert_true(hash == hash_fnv1a(HASH_START, "foobar", 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_the_published_one),
		cmocka_unit_test(a_text_in_parts_has_the_hash_of_the_whole),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/since.c and of the timestamps that it reads: what each way to write a time means. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "since.h"
#include "timestamp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW INT64_C(1764115200123)

static void reads_each_way_to_write_a_time(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {{"all", 0}, {"0", NOW}, {"10m", NOW - 600000}, {"90", NOW - 90000},
		{"20261322", NOW - INT64_C(20261322000)}, {"20261122s", NOW - INT64_C(20261122000)},
		{"1ms", NOW - 1}, {"7d", NOW - INT64_C(604800000)},
		{"999999999", NOW - INT64_C(999999999000)}, {"99999d", 0},
		{"1764000000", INT64_C(1764000000000)}, {"1764000000.5", INT64_C(1764000000500)},
		{"1764000000.123456789", INT64_C(1764000000123)}, {"0000000000", 0},
		{"1764000000123", INT64_C(1764000000123)}, {"2026-11-27", INT64_C(1795737600000)},
		{"1970-01-01", 0}, {"2024-02-29", INT64_C(1709164800000)},
		{"2026-11-27T10:00:00Z", INT64_C(1795773600000)},
		{"2026-11-27t10:00:00.25z", INT64_C(1795773600250)},
		{"2026-11-27 10:00:00Z", INT64_C(1795773600000)},
		{"2026-11-27T10:00:00+01:00", INT64_C(1795770000000)},
		{"2026-11-27T10:00:00 01:00", INT64_C(1795770000000)},
		{"2026-11-27T10:00:00-00:30", INT64_C(1795775400000)},
		{"2026-11-27T10:00:00.000000000+00:00", INT64_C(1795773600000)},
		{"2999-01-01T00:00:00Z", INT64_C(32472144000000)}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};
		int64_t ms = -1;

		if (since_parse(rows[i].text, NOW, &ms, &error) != 0 || ms != rows[i].ms)
			fail_msg("'%s': %" PRId64 " instead of %" PRId64 ", %s", rows[i].text, ms,
				rows[i].ms, error.text);
	}
}

static void refuses_the_rest_and_says_why(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {{"", "is not a time"}, {"20261122", "write 2026-11-22, or 20261122s"},
		{"yesterday", "is not a time"}, {"-10m", "is not a time"}, {"10x", "is not a time"},
		{"All", "is not a time"}, {" 10m", "is not a time"}, {"17640000001", "11 digits"},
		{"176400000012", "12 digits"}, {"17640000001234", "14 digits"},
		{"1764000000123.5", "no fraction"}, {"1764000000.", "is not a time"},
		{"1764000000x", "is not a time"}, {"2026-11-27T10:00:00", "no time zone"},
		{"2026-11-27 10:00:00.5", "no time zone"}, {"2026-02-29", "is not a time"},
		{"2026-02-30T00:00:00Z", "is not a time"}, {"2026-13-01", "is not a time"},
		{"2026-00-10", "is not a time"}, {"2026-11-00", "is not a time"},
		{"2026-1-27", "is not a time"}, {"2026-11-27T24:00:00Z", "is not a time"},
		{"2026-11-27T1:2:3Z", "is not a time"}, {"2026-11-27T10:00Z", "is not a time"},
		{"2026-11-27T10:00:00.Z", "is not a time"},
		{"2026-11-27T10:00:00+1:00", "is not a time"},
		{"2026-11-27T10:00:00+-1:00", "is not a time"},
		{"2026-11-27T10:00:00+01:60", "is not a time"},
		{"2026-11-27T10:00:00Zulu", "is not a time"}, {"1969-12-31", "is not a time"},
		{"00000000000000000000000000000000000000001", "at most 40"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};
		int64_t ms = -1;

		if (since_parse(rows[i].text, NOW, &ms, &error) != -1 ||
			error.status != EX_DATAERR || strstr(error.text, rows[i].why) == NULL)
			fail_msg("'%s': '%s', %" PRId64, rows[i].text, error.text, ms);
	}
}

static void a_written_timestamp_reads_as_the_same(void **state)
{
	static const int64_t times[] = {0, 1, 999, NOW, INT64_C(1709164800000),
		INT64_C(4107542399999), INT64_C(32472144000000)};
	char text[TIMESTAMP_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		int64_t ms = -1;

		assert_int_equal(timestamp_parse(timestamp_format(times[i], text), &ms), 0);
		assert_true(ms == times[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_way_to_write_a_time),
		cmocka_unit_test(refuses_the_rest_and_says_why),
		cmocka_unit_test(a_written_timestamp_reads_as_the_same),
	};

	return cmocka_run_group_tests_name("since", tests, NULL, NULL);
}

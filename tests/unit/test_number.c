/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/number.c: counts, durations and sizes from outside, and how they are written. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "number.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef int read_number(
	const char *text, int64_t min, int64_t max, int64_t *value, struct error *error);

struct row {
	const char *text;
	int64_t value; /* -1: refused */
};

/* Read each row with the widest range there is. */
static void assert_rows(read_number *read, const struct row *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct error error = {0, ""};
		int64_t value = -1;
		int result = read(rows[i].text, 0, INT64_MAX, &value, &error);

		if (value != rows[i].value || result != (rows[i].value < 0 ? -1 : 0))
			fail_msg("'%s': %d, %" PRId64, rows[i].text, result, value);
		if (result != 0 && (error.status != EX_USAGE || error.text[0] == '\0'))
			fail_msg("'%s': %d, '%s'", rows[i].text, error.status, error.text);
	}
}

/* What none of the three takes. */
static const struct row never[] = {{"", -1}, {" ", -1}, {" 1", -1}, {"1 ", -1}, {"+1", -1},
	{"-1", -1}, {"-0", -1}, {"1,5", -1}, {"1e3", -1}, {"0x10", -1}, {"x", -1}, {"1x", -1},
	{"1\n", -1}, {"\t1", -1}, {"1 s", -1}, {"1 k", -1}, {"s", -1}, {"k", -1}, {"ms", -1},
	{"1ss", -1}, {"1kk", -1}, {"1kB", -1}, {"1KiB", -1}, {"1m2s", -1},
	{"9223372036854775808", -1}, {"18446744073709551616", -1}, {"18446744073709551617", -1},
	{"99999999999999999999999999999999999999", -1}, {"\xd9\xa1", -1}, {".", -1}, {".5", -1},
	{"5.", -1}, {"5.s", -1}, {".5s", -1}, {"5.k", -1}, {".5k", -1}, {"1.2.3", -1}, {"1..2", -1},
	{"1.s5", -1}, {"1.5 s", -1}, {"1.-5s", -1}, {"1.+5k", -1}, {"1.5e1s", -1}};

static void refuses_what_is_no_number(void **state)
{
	(void)state;
	assert_rows(number_count, never, COUNT(never));
	assert_rows(number_duration, never, COUNT(never));
	assert_rows(number_size, never, COUNT(never));
}

static void reads_counts(void **state)
{
	static const struct row rows[] = {{"0", 0}, {"1", 1}, {"010", 10}, {"0000", 0},
		{"65535", 65535}, {"9223372036854775807", INT64_MAX},
		{"0009223372036854775807", INT64_MAX}, {"1s", -1}, {"1k", -1}, {"1.5", -1},
		{"1.0", -1}};

	(void)state;
	assert_rows(number_count, rows, COUNT(rows));
}

static void reads_durations_in_milliseconds(void **state)
{
	static const struct row rows[] = {{"0", 0}, {"1", 1000}, {"90", 90000}, {"500ms", 500},
		{"0ms", 0}, {"10s", 10000}, {"5m", 300000}, {"2h", 7200000}, {"7d", 604800000},
		{"9223372036854775807ms", INT64_MAX}, {"9223372036854775s", 9223372036854775000},
		{"106751991167d", 9223372036828800000}, {"106751991168d", -1},
		{"9223372036854776", -1}, {"9223372036854775807d", -1}, {"1S", -1}, {"1M", -1},
		{"1H", -1}, {"1D", -1}, {"1w", -1}, {"1us", -1}, {"1min", -1}, {"1k", -1}};

	(void)state;
	assert_rows(number_duration, rows, COUNT(rows));
}

static void fractions_of_a_duration_are_exact_or_refused(void **state)
{
	static const struct row rows[] = {{"0.3s", 300}, {"0.3", 300}, {"1.5h", 5400000},
		{"0.001s", 1}, {"1.250", 1250}, {"1.0ms", 1}, {"0.1d", 8640000}, {"0.5m", 30000},
		{"0.7h", 2520000}, {"1.005s", 1005}, {"0.0s", 0}, {"00.50s", 500}, {"2.675s", 2675},
		{"0.29s", 290}, {"4.35m", 261000}, {"0.00001h", 36},
		{"0.00000001157407407407d", -1}, {"0.0001s", -1}, {"1.0005s", -1}, {"0.5ms", -1},
		{"0.00001m", -1}, {"0.3333333h", -1},
		{"0.0000000000000000000000000000000000001s", -1},
		{"0.3000000000000000000000000000000000000000s", 300},
		{"0.3000000000000000000000000000000000000001s", -1},
		{"0.9999999999999999999999999999999999999999d", -1},
		{"9223372036854775.807s", INT64_MAX}, {"9223372036854775.808s", -1},
		{"106751991167.9d", -1}, {"1.5w", -1}};

	(void)state;
	assert_rows(number_duration, rows, COUNT(rows));
}

static void fractions_of_a_size_are_cut_to_whole_bytes(void **state)
{
	static const struct row rows[] = {{"1.5k", 1536}, {"1.5G", 1610612736}, {"0.5M", 524288},
		{"1.2k", 1228}, {"1.2G", 1288490188}, {"0.1M", 104857}, {"0.0009765625k", 1},
		{"1.9", 1}, {"0.0k", 0}, {"0.00097k", -1}, {"0.9", -1},
		{"0.00000000093132257461547851562500G", 1}, {"0.0000000009313225746154G", -1},
		{"0.9999999999999999999999999999999999999999G", 1073741823},
		{"8589934591.9999999999G", INT64_MAX}, {"8589934592.0G", -1}};

	(void)state;
	assert_rows(number_size, rows, COUNT(rows));
}

static void reads_sizes_in_bytes(void **state)
{
	static const struct row rows[] = {{"0", 0}, {"500", 500}, {"64k", 65536}, {"64K", 65536},
		{"16m", 16777216}, {"16M", 16777216}, {"2g", 2147483648}, {"2G", 2147483648},
		{"8589934591G", 9223372035781033984}, {"8589934592G", -1}, {"1t", -1}, {"1T", -1},
		{"1b", -1}, {"1d", -1}, {"1ms", -1}};

	(void)state;
	assert_rows(number_size, rows, COUNT(rows));
}

static void the_ends_of_the_range_belong_to_it(void **state)
{
	struct error error;
	int64_t value = 0;

	(void)state;
	assert_int_equal(number_count("5", 5, 7, &value, &error), 0);
	assert_int_equal(value, 5);
	assert_int_equal(number_count("7", 5, 7, &value, &error), 0);
	assert_int_equal(value, 7);
	assert_int_equal(number_count("4", 5, 7, &value, &error), -1);
	assert_int_equal(number_count("8", 5, 7, &value, &error), -1);
	assert_int_equal(number_duration("1", 1000, 1000, &value, &error), 0);
	assert_int_equal(value, 1000);
	assert_int_equal(number_duration("999ms", 1000, 1000, &value, &error), -1);
	assert_int_equal(number_size("1k", 1024, 1024, &value, &error), 0);
	assert_int_equal(value, 1024);
	assert_int_equal(number_size("1023", 1024, 1024, &value, &error), -1);
	assert_int_equal(value, 1024);
}

static void errors_name_the_text_and_the_range(void **state)
{
	struct error error;
	int64_t value;

	(void)state;
	assert_int_equal(number_count("0", 1, 65535, &value, &error), -1);
	assert_string_equal(error.text, "'0' is not a number from 1 to 65535");
	assert_int_equal(number_duration("9d", 500, 604800000, &value, &error), -1);
	assert_string_equal(error.text,
		"'9d' is not a duration from 500ms to 7d (like 500ms, 1.5s, "
		"5m, 2h or 7d)");
	assert_int_equal(number_duration("0.0001s", 500, 604800000, &value, &error), -1);
	assert_string_equal(error.text, "'0.0001s' is not a whole number of milliseconds, the "
					"smallest unit of a duration");
	assert_int_equal(number_size("1", 65536, 16777216, &value, &error), -1);
	assert_string_equal(
		error.text, "'1' is not a size from 64k to 16M (like 500, 64k, 16M or 1.5G)");
}

static void a_long_text_is_cut_in_the_error(void **state)
{
	struct error error;
	char text[5000];
	int64_t value;

	(void)state;
	memset(text, '9', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(number_count(text, 1, 2, &value, &error), -1);
	assert_true(strlen(error.text) < 120);
	assert_non_null(strstr(error.text, "from 1 to 2"));
}

static void the_error_may_be_null(void **state)
{
	int64_t value = 7;

	(void)state;
	assert_int_equal(number_count("x", 0, 1, &value, NULL), -1);
	assert_int_equal(number_duration("x", 0, 1, &value, NULL), -1);
	assert_int_equal(number_size("x", 0, 1, &value, NULL), -1);
	assert_int_equal(value, 7);
}

struct written {
	int64_t value;
	const char *text;
};

static void writes_durations_short(void **state)
{
	static const struct written rows[] = {{0, "0"}, {1, "1ms"}, {999, "999ms"}, {1000, "1s"},
		{1500, "1500ms"}, {59000, "59s"}, {60000, "1m"}, {90000, "90s"}, {3600000, "1h"},
		{5400000, "90m"}, {86400000, "1d"}, {90000000, "25h"}, {604800000, "7d"},
		{INT64_MAX, "9223372036854775807ms"}};
	char text[NUMBER_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_string_equal(number_duration_text(rows[i].value, text), rows[i].text);
}

static void writes_sizes_short(void **state)
{
	static const struct written rows[] = {{0, "0"}, {1, "1"}, {1023, "1023"}, {1024, "1k"},
		{1536, "1536"}, {65536, "64k"}, {1048576, "1M"}, {1572864, "1536k"},
		{16777216, "16M"}, {1073741824, "1G"}, {2147483648, "2G"}, {1099511627776, "1024G"},
		{INT64_MAX, "9223372036854775807"}};
	char text[NUMBER_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_ptr_equal(number_size_text(rows[i].value, text), text);
		assert_string_equal(text, rows[i].text);
	}
}

static void what_is_written_reads_back(void **state)
{
	char text[NUMBER_TEXT];
	int64_t value, back, step;

	(void)state;
	for (step = 1; step <= 1000000000; step = step * 3 + 1) {
		for (value = step; value < step * 50; value += step) {
			number_duration_text(value, text);
			assert_int_equal(number_duration(text, 0, INT64_MAX, &back, NULL), 0);
			assert_true(back == value);
			number_size_text(value, text);
			assert_int_equal(number_size(text, 0, INT64_MAX, &back, NULL), 0);
			assert_true(back == value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_number),
		cmocka_unit_test(reads_counts),
		cmocka_unit_test(reads_durations_in_milliseconds),
		cmocka_unit_test(fractions_of_a_duration_are_exact_or_refused),
		cmocka_unit_test(reads_sizes_in_bytes),
		cmocka_unit_test(fractions_of_a_size_are_cut_to_whole_bytes),
		cmocka_unit_test(the_ends_of_the_range_belong_to_it),
		cmocka_unit_test(errors_name_the_text_and_the_range),
		cmocka_unit_test(a_long_text_is_cut_in_the_error),
		cmocka_unit_test(the_error_may_be_null),
		cmocka_unit_test(writes_durations_short),
		cmocka_unit_test(writes_sizes_short),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/samples.c: the newest are kept, in order, in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/samples.h"
#include "buf.h"

static char *text_of(struct samples *samples, struct buf *out)
{
	buf_free(out);
	buf_init(out, (size_t)1 << 20);
	assert_true(samples_write(samples, out));
	assert_true(buf_add_byte(out, '\0'));
	return out->data;
}

static void without_samples_the_list_is_empty(void **state)
{
	struct samples *samples = samples_new();
	struct buf out = {0};

	(void)state;
	assert_string_equal(text_of(samples, &out), "[]\n");
	samples_free(samples);
	samples_free(NULL);
	buf_free(&out);
}

static void a_sample_has_time_counts_and_how_long_things_took(void **state)
{
	struct samples *samples = samples_new();
	struct buf out = {0};

	(void)state;
	samples_add(samples, &(struct sample){.time = 1500,
				     .uptime = 1,
				     .streams = 2,
				     .behind = 3,
				     .published = 4,
				     .delivered = 5,
				     .requests = 6,
				     .sync = {7, 8, 9},
				     .publish = {10, 11, 12}});
	assert_string_equal(text_of(samples, &out),
		"[{\"time\":\"1970-01-01T00:00:01.500Z\",\"uptime\":1,\"streams\":2,\"behind\":3,"
		"\"published\":4,\"delivered\":5,\"requests\":6,"
		"\"sync_us\":{\"count\":7,\"mean\":8,\"max\":9},"
		"\"publish_us\":{\"count\":10,\"mean\":11,\"max\":12}}]\n");
	samples_free(samples);
	buf_free(&out);
}

/* However many were added, and however large their numbers are. */
static void the_newest_are_kept_the_oldest_first(void **state)
{
	static const size_t counts[] = {1, SAMPLES_KEPT, SAMPLES_KEPT + 1, 3 * SAMPLES_KEPT + 7};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct samples *samples = samples_new();
		size_t first = counts[i] > SAMPLES_KEPT ? counts[i] - SAMPLES_KEPT : 0, n = first;
		struct buf out = {0};
		char *line;

		for (uint64_t added = 0; added < counts[i]; added++)
			samples_add(
				samples, &(struct sample){.uptime = added,
						 .streams = UINT64_MAX,
						 .behind = UINT64_MAX,
						 .published = UINT64_MAX,
						 .delivered = UINT64_MAX,
						 .requests = UINT64_MAX,
						 .sync = {UINT64_MAX, UINT64_MAX, UINT64_MAX},
						 .publish = {UINT64_MAX, UINT64_MAX, UINT64_MAX}});
		for (line = strtok(text_of(samples, &out), "\n"); line != NULL;
			line = strtok(NULL, "\n"), n++) {
			char uptime[40];

			snprintf(uptime, sizeof(uptime), "\"uptime\":%zu,", n);
			assert_non_null(strstr(line, uptime));
		}
		assert_int_equal(n, counts[i]);
		samples_free(samples);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_samples_the_list_is_empty),
		cmocka_unit_test(a_sample_has_time_counts_and_how_long_things_took),
		cmocka_unit_test(the_newest_are_kept_the_oldest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Unit tests of sse_encoder: what is written, how large it is, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sse.h"

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
#define NONE                                                                                       \
	{                                                                                          \
		NULL, 0                                                                            \
	}
#define REFUSED NONE

struct writing {
	const char *name;
	struct sse_frame frame; /* type, data, id */
	struct sse_text bytes;
};

static const struct writing WRITINGS[] = {
	{"nothing", {NONE, NONE, NONE}, TEXT("\n")},
	{"all three, in their order", {TEXT("update"), TEXT("{\"n\":1}"), TEXT("a:1")},
		TEXT("event: update\ndata: {\"n\":1}\nid: a:1\n\n")},
	{"data alone", {NONE, TEXT("x"), NONE}, TEXT("data: x\n\n")},
	{"id alone, a position", {NONE, NONE, TEXT("a:1")}, TEXT("id: a:1\n\n")},
	{"type alone", {TEXT("t"), NONE, NONE}, TEXT("event: t\n\n")},
	{"empty texts are fields", {TEXT(""), TEXT(""), TEXT("")},
		TEXT("event: \ndata: \nid: \n\n")},
	{"a leading space stays", {NONE, TEXT(" x"), NONE}, TEXT("data:  x\n\n")},
	{"LF", {NONE, TEXT("a\nb"), NONE}, TEXT("data: a\ndata: b\n\n")},
	{"CR", {NONE, TEXT("a\rb"), NONE}, TEXT("data: a\ndata: b\n\n")},
	{"CRLF", {NONE, TEXT("a\r\nb"), NONE}, TEXT("data: a\ndata: b\n\n")},
	{"LFCR is two", {NONE, TEXT("a\n\rb"), NONE}, TEXT("data: a\ndata: \ndata: b\n\n")},
	{"CRCRLF is two", {NONE, TEXT("a\r\r\nb"), NONE}, TEXT("data: a\ndata: \ndata: b\n\n")},
	{"LF at the end", {NONE, TEXT("a\n"), NONE}, TEXT("data: a\ndata: \n\n")},
	{"CR at the end", {NONE, TEXT("a\r"), NONE}, TEXT("data: a\ndata: \n\n")},
	{"CRLF at the end", {NONE, TEXT("a\r\n"), NONE}, TEXT("data: a\ndata: \n\n")},
	{"only an LF", {NONE, TEXT("\n"), NONE}, TEXT("data: \ndata: \n\n")},
	{"LF first", {NONE, TEXT("\na"), NONE}, TEXT("data: \ndata: a\n\n")},
	{"NUL in data", {NONE, TEXT("a\0b"), NONE}, TEXT("data: a\0b\n\n")},
	{"bytes as they are", {TEXT("\xc3\xa9"), TEXT("\xff"), TEXT("\xf0\x9f\x8c\x8d")},
		TEXT("event: \xc3\xa9\ndata: \xff\nid: \xf0\x9f\x8c\x8d\n\n")},
	{"a type that looks like a field", {TEXT("data: x"), NONE, NONE},
		TEXT("event: data: x\n\n")},
	{"LF in the type", {TEXT("a\nb"), TEXT("x"), NONE}, REFUSED},
	{"CR in the type", {TEXT("a\r"), TEXT("x"), NONE}, REFUSED},
	{"NUL in the type", {TEXT("\0"), TEXT("x"), NONE}, REFUSED},
	{"LF in the id", {NONE, TEXT("x"), TEXT("\n")}, REFUSED},
	{"CR in the id", {NONE, TEXT("x"), TEXT("1\r2")}, REFUSED},
	{"NUL in the id", {NONE, TEXT("x"), TEXT("1\0")}, REFUSED},
	{"LF in the id alone", {NONE, NONE, TEXT("1\n")}, REFUSED},
};
#define WRITING_COUNT (sizeof(WRITINGS) / sizeof(WRITINGS[0]))

static void test_writing(void **state)
{
	const struct writing *row = *state;
	size_t size = sse_frame_size(&row->frame);
	char *out;

	assert_int_equal(size, row->bytes.len);
	out = test_malloc(size + 1);
	out[size] = '~';
	if (row->bytes.data == NULL) {
		assert_null(sse_frame_write(&row->frame, out));
	} else {
		assert_ptr_equal(sse_frame_write(&row->frame, out), out + size);
		assert_memory_equal(out, row->bytes.data, size);
	}
	assert_int_equal(out[size], '~');
	test_free(out);
}

/* Line ends at every place of long data, where the search goes by blocks. */
static void long_data(void **state)
{
	char data[1200], out[1400], want[1400];
	struct sse_frame frame = {.data = {data, sizeof(data)}};
	size_t at;

	(void)state;
	for (at = 0; at < sizeof(data) - 1; at++) {
		memset(data, 'x', sizeof(data));
		memcpy(data + at, "\r\n", 2);
		memset(want, 'x', sizeof(want));
		memcpy(want, "data: ", 6);
		memcpy(want + 6 + at, "\ndata: ", 7);
		memcpy(want + sizeof(data) + 11, "\n\n", 2);
		assert_int_equal(sse_frame_size(&frame), sizeof(data) + 13);
		assert_ptr_equal(sse_frame_write(&frame, out), out + sizeof(data) + 13);
		assert_memory_equal(out, want, sizeof(data) + 13);
	}
}

int main(void)
{
	struct CMUnitTest tests[WRITING_COUNT + 1] = {cmocka_unit_test(long_data)};
	size_t i;

	for (i = 0; i < WRITING_COUNT; i++)
		tests[1 + i] = (struct CMUnitTest){.name = WRITINGS[i].name,
			.test_func = test_writing,
			.initial_state = (void *)(uintptr_t)&WRITINGS[i]};
	return cmocka_run_group_tests_name("sse_encoder", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Unit tests of UTF-8 checking and repair: tables, at every offset of the blocks inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fuzz/parts/utf8_reference.h"
#include "sse.h"

#define R "\xef\xbf\xbd" /* U+FFFD */

struct text {
	const char *data;
	size_t len;
};

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

struct repair {
	const char *name;
	struct text in, out;
	size_t valid; /* leading bytes that are valid */
};

static const struct repair REPAIRS[] = {
	{"empty", TEXT(""), TEXT(""), 0},
	{"ascii", TEXT("abc"), TEXT("abc"), 3},
	{"nul and controls", TEXT("a\0\x01\x7f"), TEXT("a\0\x01\x7f"), 4},
	{"two bytes", TEXT("\xc2\x80\xdf\xbf"), TEXT("\xc2\x80\xdf\xbf"), 4},
	{"three bytes", TEXT("\xe0\xa0\x80\xef\xbf\xbf"), TEXT("\xe0\xa0\x80\xef\xbf\xbf"), 6},
	{"around the surrogates", TEXT("\xed\x9f\xbf\xee\x80\x80"),
		TEXT("\xed\x9f\xbf\xee\x80\x80"), 6},
	{"four bytes", TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
		TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), 8},
	{"bom is kept",
		TEXT("\xef\xbb\xbf"
		     "a"),
		TEXT("\xef\xbb\xbf"
		     "a"),
		4},
	{"replacement character itself", TEXT(R), TEXT(R), 3},
	{"lone continuation", TEXT("a\x80z"), TEXT("a" R "z"), 1},
	{"two lone continuations", TEXT("\x80\xbf"), TEXT(R R), 0},
	{"overlong of two", TEXT("\xc0\x80\xc1\xbf"), TEXT(R R R R), 0},
	{"overlong of three", TEXT("\xe0\x80\x80"), TEXT(R R R), 0},
	{"overlong of three, highest", TEXT("\xe0\x9f\xbf"), TEXT(R R R), 0},
	{"overlong of four", TEXT("\xf0\x80\x80\x80"), TEXT(R R R R), 0},
	{"overlong of four, highest", TEXT("\xf0\x8f\xbf\xbf"), TEXT(R R R R), 0},
	{"low surrogate", TEXT("\xed\xa0\x80"), TEXT(R R R), 0},
	{"high surrogate", TEXT("\xed\xbf\xbf"), TEXT(R R R), 0},
	{"above U+10FFFF", TEXT("\xf4\x90\x80\x80"), TEXT(R R R R), 0},
	{"leads that never are", TEXT("\xf5\xf8\xfc\xfe\xff"), TEXT(R R R R R), 0},
	{"cut two", TEXT("a\xc3"), TEXT("a" R), 1},
	{"cut three after one", TEXT("\xe2"), TEXT(R), 0},
	{"cut three after two is one", TEXT("\xe2\x82"), TEXT(R), 0},
	{"cut four after three is one", TEXT("\xf0\x9f\x8c"), TEXT(R), 0},
	{"cut by a letter",
		TEXT("\xf0\x9f\x8c"
		     "a"),
		TEXT(R "a"), 0},
	{"cut by a line end", TEXT("\xe2\x82\n"), TEXT(R "\n"), 0},
	{"cut by a character", TEXT("\xe2\x82\xc3\xa9"), TEXT(R "\xc3\xa9"), 0},
	{"cut by a lead", TEXT("\xc3\xc3\xa9"), TEXT(R "\xc3\xa9"), 0},
	{"one too many", TEXT("\xc3\xa9\xa9"), TEXT("\xc3\xa9" R), 2},
	{"the standard's example",
		TEXT("a\xf1\x80\x80\xe1\x80\xc2"
		     "b\x80"
		     "c\x80\xbf"
		     "d"),
		TEXT("a" R R R "b" R "c" R R "d"), 1},
};
#define REPAIR_COUNT (sizeof(REPAIRS) / sizeof(REPAIRS[0]))

/* Repair exactly these bytes, with nothing readable behind them for a sanitizer to miss. */
static void expect_repair(const char *in, size_t len, const char *out, size_t out_len, size_t valid)
{
	char *copy = test_malloc(len + 1), *got = test_malloc(3 * len + 1);
	char *exact = copy + 1; /* at an odd address, too */

	memcpy(exact, in, len);
	assert_int_equal(sse_utf8_valid(exact, len), valid);
	assert_int_equal(sse_utf8_repair(exact, len, got), out_len);
	assert_memory_equal(got, out, out_len);
	test_free(got);
	test_free(copy);
}

/* Between ASCII of all lengths from 0 to 70, so that every place in a block of 64 is tried. */
static void test_repair(void **state)
{
	const struct repair *row = *state;
	char in[256], out[256];
	size_t before, after;

	for (before = 0; before <= 70; before++) {
		for (after = 0; after <= 70; after += 7) {
			size_t valid = before + row->valid;

			memset(in, 'x', sizeof(in));
			memset(out, 'x', sizeof(out));
			memcpy(in + before, row->in.data, row->in.len);
			memcpy(out + before, row->out.data, row->out.len);
			if (row->valid == row->in.len)
				valid += after;
			expect_repair(in, before + row->in.len + after, out,
				before + row->out.len + after, valid);
		}
	}
}

static size_t encode(uint32_t point, char *out)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

static void every_code_point(void **state)
{
	char text[4];
	uint32_t point;

	(void)state;
	for (point = 0; point < 0x110800; point++) {
		bool good = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
		size_t len = encode(point, text);

		if (sse_utf8_valid(text, len) != (good ? len : 0))
			fail_msg("U+%04X", (unsigned)point);
	}
}

/* Every two bytes: valid only as two ASCII or as one character; repair never grows past 3 to 1. */
static void every_two_bytes(void **state)
{
	char out[6];
	unsigned a, b;

	(void)state;
	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			char text[2] = {(char)a, (char)b};
			bool pair = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
			bool begins =
				(a == 0xe0 && b >= 0xa0 && b <= 0xbf) ||
				(a == 0xed && b >= 0x80 && b <= 0x9f) ||
				(a > 0xe0 && a <= 0xef && a != 0xed && b >= 0x80 && b <= 0xbf) ||
				(a == 0xf0 && b >= 0x90 && b <= 0xbf) ||
				(a > 0xf0 && a < 0xf4 && b >= 0x80 && b <= 0xbf) ||
				(a == 0xf4 && b >= 0x80 && b <= 0x8f);
			size_t valid = pair || (a < 0x80 && b < 0x80) ? 2 : a < 0x80;
			size_t size = pair     ? 2
				      : begins ? 3
					       : (a < 0x80 ? 1u : 3u) + (b < 0x80 ? 1u : 3u);

			if (sse_utf8_valid(text, 2) != valid ||
				sse_utf8_repair(text, 2, out) != size)
				fail_msg("%02x %02x", a, b);
		}
	}
}

/* Every four bytes at which what may come next changes, at several places of words and vectors. */
static void every_four_edges(void **state)
{
	static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
		0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5,
		0xf8, 0xff};
	const size_t count = sizeof(edges);
	char text[40], wanted[3 * sizeof(text)], out[3 * sizeof(text)];
	size_t four, place, valid, size;

	(void)state;
	for (four = 0; four < count * count * count * count; four++) {
		for (place = 0; place <= 36; place += 12) {
			memset(text, 'x', sizeof(text));
			text[place] = (char)edges[four % count];
			text[place + 1] = (char)edges[four / count % count];
			text[place + 2] = (char)edges[four / count / count % count];
			text[place + 3] = (char)edges[four / count / count / count];
			size = utf8_reference_repair(text, sizeof(text), wanted, &valid);
			if (sse_utf8_valid(text, sizeof(text)) != valid ||
				sse_utf8_repair(text, sizeof(text), out) != size ||
				memcmp(out, wanted, size) != 0)
				fail_msg("%zu at %zu", four, place);
		}
	}
}

static void nothing_of_nothing(void **state)
{
	char out[1] = {'x'};

	(void)state;
	assert_int_equal(sse_utf8_valid(NULL, 0), 0);
	assert_int_equal(sse_utf8_repair(NULL, 0, out), 0);
	assert_int_equal(out[0], 'x');
}

int main(void)
{
	struct CMUnitTest tests[REPAIR_COUNT + 4] = {
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(every_two_bytes),
		cmocka_unit_test(every_four_edges),
		cmocka_unit_test(nothing_of_nothing),
	};
	size_t i;

	for (i = 0; i < REPAIR_COUNT; i++)
		tests[4 + i] = (struct CMUnitTest){.name = REPAIRS[i].name,
			.test_func = test_repair,
			.initial_state = (void *)(uintptr_t)&REPAIRS[i]};
	return cmocka_run_group_tests_name("sse_utf8", tests, NULL, NULL);
}

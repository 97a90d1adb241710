/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/terminal.c: text that is made safe, and lines that are made to fit. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "terminal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEN(text) (sizeof(text) - 1)
#define ELLIPSIS "\xe2\x80\xa6"
#define RED "\033[31m"
#define PLAIN "\033[0m"

/* U+4E2D: two columns. */
#define WIDE "\xe4\xb8\xad"
/* U+0301: no column, it goes onto the letter before. */
#define ACUTE "\xcc\x81"

struct row {
	const char *text;
	size_t len;
	const char *want;
};
#define ROW(text, want)                                                                            \
	{                                                                                          \
		text, LEN(text), want                                                              \
	}

static void assert_text(const struct row *row, bool (*make)(const char *, size_t, struct buf *))
{
	struct buf out;

	buf_init(&out, 1000);
	assert_true(make(row->text, row->len, &out));
	if (out.len != strlen(row->want) ||
		(out.len > 0 && memcmp(out.data, row->want, out.len) != 0))
		fail_msg("'%s' gives '%.*s'", row->want, (int)out.len, out.data);
	buf_free(&out);
}

/* --- text from outside ------------------------------------------------------------------------ */

static void what_steers_a_terminal_is_shown(void **state)
{
	static const struct row rows[] = {
		ROW("plain", "plain"),
		ROW("a\nb\r\tc", "a\\nb\\r\\tc"),
		ROW("\0\1\37", "\\u0000\\u0001\\u001f"),
		ROW("\033[31mred", "\\u001b[31mred"),
		ROW("\033]0;title\007", "\\u001b]0;title\\u0007"),
		ROW("\x7f", "\\u007f"),
		ROW("\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f"),
		ROW("\xc2\xa0", "\xc2\xa0"),
		ROW("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u061c\\u200e\\u200f"),
		ROW("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae",
			"\\u202a\\u202b\\u202c\\u202d\\u202e"),
		ROW("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
			"\\u2066\\u2067\\u2068\\u2069"),
		ROW("\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"),
		ROW("\xef\xbb\xbf", "\\ufeff"),
		ROW("\xc3\xa9" WIDE "\xf0\x9f\x98\x80", "\xc3\xa9" WIDE "\xf0\x9f\x98\x80"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_text(&rows[i], terminal_text);
}

static void bytes_that_are_not_utf8_are_shown_one_by_one(void **state)
{
	static const struct row rows[] = {
		ROW("a\xff", "a\\xff"),
		ROW("\x9b", "\\x9b"),
		ROW("\xc3", "\\xc3"),
		ROW("\xe2\x80", "\\xe2\\x80"),
		ROW("\xc0\x9b", "\\xc0\\x9b"),
		ROW("\xed\xa0\x80", "\\xed\\xa0\\x80"),
		ROW("\xf4\x90\x80\x80.", "\\xf4\\x90\\x80\\x80."),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_text(&rows[i], terminal_text);
}

static void lines_keep_line_feeds_and_tabs_and_nothing_else(void **state)
{
	static const struct row rows[] = {
		ROW("a\n\tb\r\n", "a\n\tb\\r\n"),
		ROW("\0\033\v\f", "\\u0000\\u001b\\u000b\\u000c"),
		ROW("\xc2\x85\xe2\x80\xae", "\\u0085\\u202e"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_text(&rows[i], terminal_lines);
}

static void a_full_buffer_is_told(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_false(terminal_text("\033", 1, &out));
	assert_true(terminal_text("12345", 5, &out));
	assert_false(terminal_lines("6", 1, &out));
	assert_false(terminal_fit("6", 1, 80, TERMINAL_WRAP, &out));
	assert_false(terminal_fit("6", 1, 80, TERMINAL_CUT, &out));
	assert_false(terminal_fit("6", 1, 80, TERMINAL_LEAVE, &out));
	assert_int_equal(out.len, 5);
	buf_free(&out);
}

/* --- lines that fit --------------------------------------------------------------------------- */

struct fit_row {
	unsigned width;
	const char *text, *want;
};

static void assert_fit(const struct fit_row *row, enum terminal_wrap wrap)
{
	struct buf out;

	buf_init(&out, 100000);
	assert_true(terminal_fit(row->text, strlen(row->text), row->width, wrap, &out));
	if (out.len != strlen(row->want) ||
		(out.len > 0 && memcmp(out.data, row->want, out.len) != 0))
		fail_msg("'%s' in %u columns gives '%.*s' instead of '%s'", row->text, row->width,
			(int)out.len, out.data, row->want);
	buf_free(&out);
}

static void a_long_line_goes_on_below_at_a_space_if_one_is_near(void **state)
{
	static const struct fit_row rows[] = {
		{10, "0123456789", "0123456789"},
		{10, "0123456789a", "0123456789\n  a"},
		{10, "01234 6789a", "01234 \n  6789a"},
		/* Too far back: more than half of the line would be empty. */
		{10, "0123 56789a", "0123 56789\n  a"},
		{10, "one two three four", "one two \n  three \n  four"},
		{10, "0123456789\n0123456789\n", "0123456789\n0123456789\n"},
		{10, "", ""},
		{10, "\n\n", "\n\n"},
		{4, "abcdefgh", "abcd\nefgh"},
		{80, "short", "short"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_fit(&rows[i], TERMINAL_WRAP);
}

static void what_goes_on_below_stands_two_columns_behind_where_its_line_began(void **state)
{
	static const struct fit_row rows[] = {
		{12, "  \"k\": \"one two three\"", "  \"k\": \"one \n    two \n    three\""},
		{12, "    abcdefghij", "    abcdefgh\nij"},
		{20, "    abcdefghijklmnopqrst", "    abcdefghijklmnop\n      qrst"},
		/* Another line is for itself. */
		{20, "    a\nabcdefghijklmnopqrstuv", "    a\nabcdefghijklmnopqrst\n  uv"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_fit(&rows[i], TERMINAL_WRAP);
}

static void assert_hang(unsigned width, const char *text, const char *want)
{
	struct buf out;

	buf_init(&out, 100000);
	assert_true(terminal_hang(text, strlen(text), width, 5, &out));
	if (out.len != strlen(want) || memcmp(out.data, want, out.len) != 0)
		fail_msg("'%s' in %u columns gives '%.*s' instead of '%s'", text, width,
			(int)out.len, out.data, want);
	buf_free(&out);
}

static void a_paragraph_is_broken_at_any_space_and_hangs(void **state)
{
	(void)state;
	assert_hang(20, "note one two\n", "note one two\n");
	/* The space where it is broken is gone, and no other. */
	assert_hang(12, "note one two three\n", "note one two\n     three\n");
	/* Of so narrow a terminal half would be empty. */
	assert_hang(10, "note one two three\n", "note one \ntwo three\n");
	assert_hang(13, "note one two three\n", "note one two \n     three\n");
	/* However far back the space is; only what fits no line is torn. */
	assert_hang(14, "note a 12345678\n", "note a \n     12345678\n");
	assert_hang(12, "note a 123456789\n", "note a \n     1234567\n     89\n");
	/* Without a width, it is left. */
	assert_hang(0, "note one two three\n", "note one two three\n");
	assert_hang(12, "note one two three\nok   a b\n", "note one two\n     three\nok   a b\n");
}

static void wide_and_combining_characters_count_as_they_are_shown(void **state)
{
	static const struct fit_row rows[] = {
		{6, WIDE WIDE WIDE, WIDE WIDE WIDE},
		{6, WIDE WIDE WIDE "a", WIDE WIDE WIDE "\n  a"},
		{5, WIDE WIDE WIDE, WIDE WIDE "\n" WIDE},
		{4, "abce" ACUTE, "abce" ACUTE},
		{4, "abce" ACUTE "d", "abce" ACUTE "\nd"},
	};
	static const struct fit_row cut[] = {
		{6, WIDE WIDE WIDE, WIDE WIDE WIDE},
		{6, WIDE WIDE WIDE "a", WIDE WIDE ELLIPSIS},
		{5, WIDE WIDE WIDE, WIDE WIDE ELLIPSIS},
		{4, "abce" ACUTE, "abce" ACUTE},
		{4, "abcde" ACUTE, "abc" ELLIPSIS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_fit(&rows[i], TERMINAL_WRAP);
	for (size_t i = 0; i < COUNT(cut); i++)
		assert_fit(&cut[i], TERMINAL_CUT);
}

static void colours_take_no_room_and_none_is_lost(void **state)
{
	static const struct fit_row wrapped[] = {
		{4, RED "abcd" PLAIN, RED "abcd" PLAIN},
		{4, "ab" RED "cde" PLAIN, "ab" RED "cd\ne" PLAIN},
		{10, RED "one" PLAIN " " RED "two" PLAIN " three",
			RED "one" PLAIN " " RED "two" PLAIN " \n  three"},
	};
	static const struct fit_row cut[] = {
		{4, RED "abcd" PLAIN, RED "abcd" PLAIN},
		{4, RED "abcde" PLAIN, RED "abc" ELLIPSIS PLAIN},
		{4, RED "abcd" PLAIN "e" RED "f" PLAIN, RED "abc" ELLIPSIS PLAIN RED PLAIN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrapped); i++)
		assert_fit(&wrapped[i], TERMINAL_WRAP);
	for (size_t i = 0; i < COUNT(cut); i++)
		assert_fit(&cut[i], TERMINAL_CUT);
}

static void a_line_that_is_cut_ends_with_an_ellipsis_within_the_width(void **state)
{
	static const struct fit_row rows[] = {
		{5, "abcde", "abcde"},
		{5, "abcdef", "abcd" ELLIPSIS},
		{5, "abcdef\nabcdefg\nabc\n", "abcd" ELLIPSIS "\nabcd" ELLIPSIS "\nabc\n"},
		{2, "abc", "a" ELLIPSIS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_fit(&rows[i], TERMINAL_CUT);
}

static void without_a_width_or_with_off_lines_are_left(void **state)
{
	static const struct fit_row rows[] = {
		{0, "one two three\nfour", "one two three\nfour"},
		{1, "one two three\nfour", "one two three\nfour"},
	};
	static const struct fit_row off = {4, "one two three\nfour", "one two three\nfour"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_fit(&rows[i], TERMINAL_WRAP);
		assert_fit(&rows[i], TERMINAL_CUT);
	}
	assert_fit(&off, TERMINAL_LEAVE);
}

/* --- properties ------------------------------------------------------------------------------- */

/* What lines are made of. */
static const char *const pieces[] = {"a", "b", " ", " ", "  ", "word ", WIDE, ("e" ACUTE), RED,
	PLAIN, "\n", "longer-than-a-word", "\xc3\xa9", "          "};

static uint64_t random_state = 1;

static size_t random_below(size_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(random_state >> 33) % limit;
}

/* The columns of the line at *${text}, which is moved to the next. */
static unsigned line_columns(const char **text, const char *end)
{
	unsigned columns = 0;
	mbstate_t decoding = {0};

	while (*text < end && **text != '\n') {
		wchar_t character;
		size_t len;

		if (**text == '\033') {
			*text = strchr(*text, 'm') + 1;
			continue;
		}
		len = mbrtowc(&character, *text, (size_t)(end - *text), &decoding);
		assert_in_range(len, 1, 4);
		columns += (unsigned)wcwidth(character);
		*text += len;
	}
	*text += *text < end;
	return columns;
}

/* Copy all but line ends and spaces. */
static void squeeze(const struct buf *from, struct buf *to)
{
	to->len = 0;
	for (size_t i = 0; i < from->len; i++) {
		if (from->data[i] != ' ' && from->data[i] != '\n')
			assert_true(buf_add_byte(to, from->data[i]));
	}
}

static void make_text(struct buf *text, struct buf *plain)
{
	text->len = plain->len = 0;
	for (size_t left = random_below(60); left > 0; left--) {
		const char *piece = pieces[random_below(COUNT(pieces))];

		assert_true(buf_add_text(text, piece));
	}
	assert_true(buf_add_byte(text, '\n'));
	squeeze(text, plain);
}

static void assert_all_fit(const struct buf *out, unsigned width)
{
	const char *p = out->data, *end = p + out->len;

	while (p < end)
		assert_in_range(line_columns(&p, end), 0, width);
}

static void no_line_is_wider_and_nothing_is_lost_at_any_width(void **state)
{
	struct buf text, plain, out, left;

	(void)state;
	buf_init(&text, 100000);
	buf_init(&plain, 100000);
	buf_init(&out, 100000);
	buf_init(&left, 100000);
	for (unsigned width = 2; width <= 200; width++) {
		for (int round = 0; round < 50; round++) {
			make_text(&text, &plain);
			out.len = 0;
			assert_true(terminal_fit(text.data, text.len, width, TERMINAL_WRAP, &out));
			assert_all_fit(&out, width);
			squeeze(&out, &left);
			assert_int_equal(left.len, plain.len);
			assert_memory_equal(left.data ? left.data : "",
				plain.data ? plain.data : "", plain.len);
			out.len = 0;
			assert_true(terminal_fit(text.data, text.len, width, TERMINAL_CUT, &out));
			assert_all_fit(&out, width);
		}
	}
	buf_free(&text);
	buf_free(&plain);
	buf_free(&out);
	buf_free(&left);
}

/* --- colour ----------------------------------------------------------------------------------- */

static void what_is_no_terminal_has_no_width_and_no_colour_unless_asked_for(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	assert_int_equal(terminal_width(fileno(file)), 0);
	assert_false(terminal_colour(TERMINAL_AUTO, fileno(file)));
	assert_true(terminal_colour(TERMINAL_ALWAYS, fileno(file)));
	assert_false(terminal_colour(TERMINAL_NEVER, fileno(file)));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_steers_a_terminal_is_shown),
		cmocka_unit_test(bytes_that_are_not_utf8_are_shown_one_by_one),
		cmocka_unit_test(lines_keep_line_feeds_and_tabs_and_nothing_else),
		cmocka_unit_test(a_full_buffer_is_told),
		cmocka_unit_test(a_long_line_goes_on_below_at_a_space_if_one_is_near),
		cmocka_unit_test(what_goes_on_below_stands_two_columns_behind_where_its_line_began),
		cmocka_unit_test(a_paragraph_is_broken_at_any_space_and_hangs),
		cmocka_unit_test(wide_and_combining_characters_count_as_they_are_shown),
		cmocka_unit_test(colours_take_no_room_and_none_is_lost),
		cmocka_unit_test(a_line_that_is_cut_ends_with_an_ellipsis_within_the_width),
		cmocka_unit_test(without_a_width_or_with_off_lines_are_left),
		cmocka_unit_test(no_line_is_wider_and_nothing_is_lost_at_any_width),
		cmocka_unit_test(what_is_no_terminal_has_no_width_and_no_colour_unless_asked_for),
	};

	/* For the width of characters. */
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

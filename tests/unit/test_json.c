/* SPDX-License-Identifier: MIT */
/* Tests of lib/json/json.c: what is JSON and what is not, walking, strings, compact and pretty text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

#define CAP ((size_t)1 << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A text that may contain NUL. */
#define T(literal) literal, sizeof(literal) - 1

struct good {
	const char *text;
	size_t len;
};

struct bad {
	const char *text;
	size_t len;
	size_t offset;
	const char *what; /* a part of the phrase */
};

/* Each of these is one JSON value that starts and ends with the text's first and last byte. */
static const struct good goods[] = {
	/* Words and structure */
	{T("true")},
	{T("false")},
	{T("null")},
	{T("[]")},
	{T("{}")},
	{T("[ ]")},
	{T("{ }")},
	{T("[\t\n\r ]")},
	{T("[[]]")},
	{T("[[] ]")},
	{T("[\"\"]")},
	{T("[\"a\"]")},
	{T("[false]")},
	{T("[null,1,\"1\",{}]")},
	{T("[1\n]")},
	{T("[1,null,null,null,2]")},
	{T("[ 1 , 2 ]")},
	{T("[[[[[[[[[[1]]]]]]]]]]")},
	{T("[{},[],{},[]]")},
	{T("{\"a\":1}")},
	{T("{\"a\":1,\"b\":2}")},
	{T("{\"a\":\"b\",\"a\":\"b\"}")},
	{T("{\"a\":\"b\",\"a\":\"c\"}")},
	{T("{\"\":0}")},
	{T("{\"a\":[]}")},
	{T("{\"a\":{\"b\":{\"c\":[{}]}}}")},
	{T("{\"a\\u0000b\":1}")},
	{T("{ \"a\" : 1 , \"b\" : [ true , false ] }")},
	{T("{\n\"a\":\"b\"\n}")},
	{T("{\"min\":-1.0e+28,\"max\":1.0e+28}")},
	{T("{\"x\":[{\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]}")},
	/* Numbers */
	{T("0")},
	{T("-0")},
	{T("1")},
	{T("-1")},
	{T("-123")},
	{T("10")},
	{T("0.0")},
	{T("-0.0")},
	{T("0.5")},
	{T("1.0")},
	{T("1.000000000000000000000000000000000000000000000000000000000000000001")},
	{T("123.456789")},
	{T("0e0")},
	{T("0e1")},
	{T("0e+1")},
	{T("0E-1")},
	{T("1e1")},
	{T("1E1")},
	{T("1e+2")},
	{T("1e-2")},
	{T("1E+2")},
	{T("1E22")},
	{T("1e05")},
	{T("1.5e5")},
	{T("123e65")},
	{T("123e45")},
	{T("123.456e78")},
	{T("1e9999")},
	{T("-1e9999")},
	{T("1e-99999")},
	{T("0.4e00669999999999999999999999999999999999999999999999999999999999999999999")},
	{T("100000000000000000000")},
	{T("-123123123123123123123123123123")},
	{T("123456789012345678901234567890")},
	{T("-0.000000000000000000000000000000000000000000000000000000000000000000000001")},
	/* Strings and escapes */
	{T("\"\"")},
	{T("\" \"")},
	{T("\"asd\"")},
	{T("\"a/*b*/c\"")},
	{T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")},
	{T("\"\\\\\"")},
	{T("\"\\\\a\"")},
	{T("\"\\\\u0000\"")},
	{T("\"\\\"\"")},
	{T("\"1234567\\\"\"")},
	{T("\"12345678\\\"\"")},
	{T("\"123456789 123456789 123456789 \\\\\"")},
	{T("\"\\u0000\"")},
	{T("\"\\u0012\"")},
	{T("\"\\u0022\"")},
	{T("\"\\u005C\"")},
	{T("\"\\u0060\\u012a\\u12AB\"")},
	{T("\"\\uABCD\\uabcd\\uAbCd\"")},
	{T("\"\\u2028\\u2029\\uFEFF\\uFFFF\\uFDD0\"")},
	{T("\"\\uD83D\\uDE00\"")},
	{T("\"\\ud83d\\ude39\\ud83d\\udc8d\"")},
	{T("\"\\uDBFF\\uDFFF\"")},
	/* Escapes of halves of pairs: the grammar has them. */
	{T("\"\\uD800\"")},
	{T("\"\\uDADA\"")},
	{T("\"\\uDC00\"")},
	{T("\"\\uD800\\uD800\\n\"")},
	{T("\"\\uD800\\n\"")},
	{T("\"\\uDd1e\\uD834\"")},
	{T("\"\\uD800a\"")},
	/* UTF-8 */
	{T("\"\x7f\"")},
	{T("\"a\x7f"
	   "a\"")},
	{T("\"\xc2\x80\"")},
	{T("\"\xc3\xa9\"")},
	{T("\"\xdf\xbf\"")},
	{T("\"\xe0\xa0\x80\"")},
	{T("\"\xe2\x82\xac\"")},
	{T("\"\xe2\x80\xa8\xe2\x80\xa9\"")},
	{T("\"\xed\x9f\xbf\"")},
	{T("\"\xee\x80\x80\"")},
	{T("\"\xef\xbb\xbf\"")},
	{T("\"\xef\xbf\xbf\"")},
	{T("\"\xf0\x90\x80\x80\"")},
	{T("\"\xf0\x9f\x98\x80\"")},
	{T("\"\xf0\x9b\xbf\xbf\"")},
	{T("\"\xf4\x8f\xbf\xbf\"")},
	{T("{\"\xe2\x82\xac\":\"\xe2\x82\xac\"}")},
	{T("\"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\"")},
};

static const struct bad bads[] = {
	/* Nothing, or not one value */
	{T(""), 0, "where a value is expected"},
	{T(" "), 1, "where a value is expected"},
	{T("\r\n\t "), 4, "where a value is expected"},
	{T("1 2"), 2, "text after the value"},
	{T("{}{}"), 2, "text after the value"},
	{T("[]]"), 2, "text after the value"},
	{T("{}}"), 2, "text after the value"},
	{T("[1],"), 3, "text after the value"},
	{T("\"\"x"), 2, "text after the value"},
	{T("[][]"), 2, "text after the value"},
	{T("{\"a\":true} \"x\""), 11, "text after the value"},
	{T("{\"a\":\"b\"}//"), 9, "text after the value"},
	{T("{\"a\":\"b\"}#"), 9, "text after the value"},
	{T("1]"), 1, "text after the value"},
	{T("truetrue"), 4, "text after the value"},
	{T("nullx"), 4, "text after the value"},
	{T("{}\0"), 2, "text after the value"},
	{T("1\0"), 1, "text after the value"},
	{T("\0"), 0, "a NUL byte outside"},
	{T("[\0]"), 1, "a NUL byte outside"},
	{T("[1\0]"), 2, "expected ',' or ']'"},
	/* Words */
	{T("t"), 1, "inside true, false or null"},
	{T("fals"), 4, "inside true, false or null"},
	{T("[nul]"), 4, "a word other than"},
	{T("[truth]"), 4, "a word other than"},
	{T("True"), 0, "a word other than"},
	{T("NULL"), 0, "a word other than"},
	{T("NaN"), 0, "a word other than"},
	{T("Infinity"), 0, "a word other than"},
	{T("[nan]"), 2, "a word other than"},
	{T("-Infinity"), 1, "a digit after '-'"},
	{T("undefined"), 0, "a word other than"},
	{T("_"), 0, "a word other than"},
	/* Arrays */
	{T("["), 1, "ends inside an array"},
	{T("[ "), 2, "ends inside an array"},
	{T("[1"), 2, "ends inside an array"},
	{T("[1,"), 3, "where a value is expected"},
	{T("[\"\""), 3, "ends inside an array"},
	{T("[1,]"), 3, "nothing after it"},
	{T("[1,}"), 3, "nothing after it"},
	{T("[,]"), 1, "no value before it"},
	{T("[,1]"), 1, "no value before it"},
	{T("[1,,2]"), 3, "no value before it"},
	{T("[1,,]"), 3, "no value before it"},
	{T("[1 true]"), 3, "expected ',' or ']'"},
	{T("[1 2]"), 3, "expected ',' or ']'"},
	{T("[\"a\" \"b\"]"), 5, "expected ',' or ']'"},
	{T("[\"x\":1]"), 4, "expected ',' or ']'"},
	{T("[1:2]"), 2, "expected ',' or ']'"},
	{T("[1}"), 2, "expected ',' or ']'"},
	{T("[3[4]]"), 2, "expected ',' or ']'"},
	{T("[}"), 1, "not a closing bracket"},
	{T("]"), 0, "not a closing bracket"},
	{T("}"), 0, "not a closing bracket"},
	{T("[\f]"), 1, "expected a value"},
	{T("[\v1]"), 1, "expected a value"},
	{T("[\xc2\xa0]"), 1, "expected a value"},
	{T("[\xe2\x81\xa0]"), 1, "expected a value"},
	{T("[*]"), 1, "expected a value"},
	{T("<.>"), 0, "expected a value"},
	{T("[<null>]"), 1, "expected a value"},
	{T("[\\u000A\"\"]"), 1, "expected a value"},
	{T("/**/1"), 0, "a comment"},
	{T("[1,/**/2]"), 3, "a comment"},
	{T("# 1"), 0, "a comment"},
	{T("['a']"), 1, "a single quote"},
	{T("'a'"), 0, "a single quote"},
	{T("[a]"), 1, "a word other than"},
	{T("[\xc3\xa5]"), 1, "expected a value"},
	/* Objects */
	{T("{"), 1, "ends inside an object"},
	{T("{ "), 2, "ends inside an object"},
	{T("{\"a\""), 4, "where ':' is expected"},
	{T("{\"a\":"), 5, "where a value is expected"},
	{T("{\"a\":1"), 6, "ends inside an object"},
	{T("{\"a\":1,"), 7, "where a key is expected"},
	{T("{\"a\":[1"), 7, "ends inside an array"},
	{T("[{\"a\":1"), 7, "ends inside an object"},
	{T("{]"), 1, "expected a key"},
	{T("{,}"), 1, "expected a key"},
	{T("{1:1}"), 1, "expected a key"},
	{T("{[]:1}"), 1, "expected a key"},
	{T("{null:1}"), 1, "a key without double quotes"},
	{T("{a:\"b\"}"), 1, "a key without double quotes"},
	{T("{\"a\":1,b:2}"), 7, "a key without double quotes"},
	{T("{$:1}"), 1, "a key without double quotes"},
	{T("{'a':0}"), 1, "a single quote"},
	{T("{\"a\":'b'}"), 5, "a single quote"},
	{T("{\"a\"}"), 4, "expected ':'"},
	{T("{\"a\" 1}"), 5, "expected ':'"},
	{T("{\"a\",\"b\"}"), 4, "expected ':'"},
	{T("{\"a\"=1}"), 4, "expected ':'"},
	{T("{\"a\"::1}"), 5, "expected a value"},
	{T("{\"a\":}"), 5, "not a closing bracket"},
	{T("{\"a\":,\"b\":1}"), 5, "no value before it"},
	{T("{\"a\":1,}"), 7, "nothing after it"},
	{T("{\"a\":1,,\"b\":2}"), 7, "expected a key"},
	{T("{\"a\":1 \"b\":2}"), 7, "expected ',' or '}'"},
	{T("{\"a\":1]"), 6, "expected ',' or '}'"},
	{T("{\"a\":true false}"), 10, "expected ',' or '}'"},
	{T("{\"a\":\"b\" c}"), 9, "expected ',' or '}'"},
	{T("{\"a\":/**/1}"), 5, "a comment"},
	{T("{\"a\":1/**/}"), 6, "expected ',' or '}'"},
	/* Numbers */
	{T("-"), 1, "a digit after '-'"},
	{T("--1"), 1, "a digit after '-'"},
	{T("- 1"), 1, "a digit after '-'"},
	{T("-a"), 1, "a digit after '-'"},
	{T("-.1"), 1, "a digit after '-'"},
	{T("+1"), 0, "a '+' before a number"},
	{T("++1"), 0, "a '+' before a number"},
	{T("01"), 0, "a leading zero"},
	{T("00"), 0, "a leading zero"},
	{T("-01"), 1, "a leading zero"},
	{T("-00.5"), 1, "a leading zero"},
	{T("[012]"), 1, "a leading zero"},
	{T(".1"), 0, "a digit before '.'"},
	{T("[.5]"), 1, "a digit before '.'"},
	{T("1."), 2, "a digit after '.'"},
	{T("[-2.]"), 4, "a digit after '.'"},
	{T("1.e1"), 2, "a digit after '.'"},
	{T("1.-1"), 2, "a digit after '.'"},
	{T("0.e1"), 2, "a digit after '.'"},
	{T("1e"), 2, "a digit in the exponent"},
	{T("1e+"), 3, "a digit in the exponent"},
	{T("1E-"), 3, "a digit in the exponent"},
	{T("1ee2"), 2, "a digit in the exponent"},
	{T("1e+-2"), 3, "a digit in the exponent"},
	{T("[1e]"), 3, "a digit in the exponent"},
	{T("0e."), 2, "a digit in the exponent"},
	{T("1eE2"), 2, "a digit in the exponent"},
	{T("9.3e+]"), 5, "a digit in the exponent"},
	{T("1.2.3"), 3, "text after the value"},
	{T("0.1.2"), 3, "text after the value"},
	{T("1e1.5"), 3, "text after the value"},
	{T("0x1"), 1, "text after the value"},
	{T("[0x42]"), 2, "expected ',' or ']'"},
	{T("1 000"), 2, "text after the value"},
	{T("1_000"), 1, "text after the value"},
	{T("1a"), 1, "text after the value"},
	{T("1+2"), 1, "text after the value"},
	{T("1-2"), 1, "text after the value"},
	{T("[1e1e1]"), 4, "expected ',' or ']'"},
	{T("\xef\xbc\x91"), 0, "expected a value"}, /* a full-width 1 */
	/* Strings */
	{T("\""), 1, "inside a string"},
	{T("\"a"), 2, "inside a string"},
	{T("\"a\\"), 3, "inside a string"},
	{T("\"a\\\""), 4, "inside a string"},
	{T("[\"\\\\\\\"]"), 7, "inside a string"},
	{T("\"\\u"), 3, "inside a string"},
	{T("\"\\u00a"), 6, "inside a string"},
	{T("\"\\u00A\""), 6, "four hexadecimal digits"},
	{T("\"\\u\""), 3, "four hexadecimal digits"},
	{T("\"\\u00G0\""), 5, "four hexadecimal digits"},
	{T("\"\\u+123\""), 3, "four hexadecimal digits"},
	{T("\"\\u 123\""), 3, "four hexadecimal digits"},
	{T("\"\\uD834\\u\""), 9, "four hexadecimal digits"},
	{T("\"\\uD834\\uDd\""), 11, "four hexadecimal digits"},
	{T("\"\\uD834\\x\""), 7, "an unknown escape"},
	{T("\"\\a\""), 1, "an unknown escape"},
	{T("\"\\x00\""), 1, "an unknown escape"},
	{T("\"\\'\""), 1, "an unknown escape"},
	{T("\"\\0\""), 1, "an unknown escape"},
	{T("\"\\v\""), 1, "an unknown escape"},
	{T("\"\\U0041\""), 1, "an unknown escape"},
	{T("\"\\ \""), 1, "an unknown escape"},
	{T("\"\\\t\""), 1, "an unknown escape"},
	{T("\"\\\n\""), 1, "an unknown escape"},
	{T("\"\\\0\""), 1, "an unknown escape"},
	{T("\"\\\xf0\x9f\x8c\x80\""), 1, "an unknown escape"},
	{T("\"a\0b\""), 2, "write it as \\u0000"},
	{T("\"a\nb\""), 2, "write it as \\n"},
	{T("\"a\rb\""), 2, "write it as \\r"},
	{T("\"a\tb\""), 2, "write it as \\t"},
	{T("\"a\bb\""), 2, "a control character"},
	{T("\"a\x1f"
	   "b\""),
		2, "a control character"},
	{T("\"a long enough text \x01 and more of it\""), 20, "a control character"},
	{T("{\"a\n\":1}"), 3, "write it as \\n"},
	{T("\xe2\x80\x9c\x61\xe2\x80\x9d"), 0, "expected a value"}, /* curly quotes */
	/* Byte order marks and other encodings */
	{T("\xef\xbb\xbf"), 0, "a byte order mark"},
	{T("\xef\xbb\xbf{}"), 0, "a byte order mark"},
	{T(" \xef\xbb\xbf{}"), 1, "expected a value"},
	{T("{}\xef\xbb\xbf"), 2, "text after the value"},
	{T("\xef\xbb{}"), 0, "invalid UTF-8"},
	{T("\xff\xfe[\0]\0"), 0, "invalid UTF-8"},
	{T("\xfe\xff\0[\0]"), 0, "invalid UTF-8"},
	{T("[\0]\0"), 1, "a NUL byte outside"},
	/* Invalid UTF-8 of each sort */
	{T("\"\x80\""), 1, "invalid UTF-8"},
	{T("\"\xbf\""), 1, "invalid UTF-8"},
	{T("\"\xc3\""), 1, "invalid UTF-8"},
	{T("\"\xc3"), 1, "invalid UTF-8"},
	{T("\"\xe2\x82\""), 1, "invalid UTF-8"},
	{T("\"\xe2\x82"), 1, "invalid UTF-8"},
	{T("\"\xf0\x9f\x98\""), 1, "invalid UTF-8"},
	{T("\"\xc0\x80\""), 1, "invalid UTF-8"},     /* overlong NUL */
	{T("\"\xc0\xaf\""), 1, "invalid UTF-8"},     /* overlong / */
	{T("\"\xc1\xbf\""), 1, "invalid UTF-8"},     /* overlong DEL */
	{T("\"\xe0\x80\xaf\""), 1, "invalid UTF-8"}, /* overlong / */
	{T("\"\xe0\x9f\xbf\""), 1, "invalid UTF-8"},
	{T("\"\xf0\x80\x80\xaf\""), 1, "invalid UTF-8"},
	{T("\"\xf0\x8f\xbf\xbf\""), 1, "invalid UTF-8"},
	{T("\"\xed\xa0\x80\""), 1, "invalid UTF-8"}, /* a surrogate */
	{T("\"\xed\xbf\xbf\""), 1, "invalid UTF-8"},
	{T("\"\xed\xa0\xbd\xed\xb8\x80\""), 1, "invalid UTF-8"}, /* CESU-8 */
	{T("\"\xf4\x90\x80\x80\""), 1, "invalid UTF-8"},	 /* above U+10FFFF */
	{T("\"\xf5\x80\x80\x80\""), 1, "invalid UTF-8"},
	{T("\"\xf8\x88\x80\x80\x80\""), 1, "invalid UTF-8"},
	{T("\"\xfc\x84\x80\x80\x80\x80\""), 1, "invalid UTF-8"},
	{T("\"\xfe\""), 1, "invalid UTF-8"},
	{T("\"\xff\""), 1, "invalid UTF-8"},
	{T("\"caf\xe9\""), 4, "invalid UTF-8"},
	{T("\"\\\xe5\""), 2, "invalid UTF-8"},
	{T("\"\\u\xe5\""), 3, "invalid UTF-8"},
	{T("\"\\u00\xe5\""), 5, "invalid UTF-8"},
	{T("[\xff]"), 1, "invalid UTF-8"},
	{T("1\xe5"), 1, "invalid UTF-8"},
	{T("1e\xe5"), 2, "invalid UTF-8"},
	{T("tru\xff"), 3, "invalid UTF-8"},
	{T("{}\xff"), 2, "invalid UTF-8"},
	{T("{\"a\"\xff:1}"), 4, "invalid UTF-8"},
	{T("\"0123456789abcdef0123456789abcdef\xff\""), 33, "invalid UTF-8"},
	/* Of two faults the first is told. */
	{T("[01,\"\xff\"]"), 1, "a leading zero"},
	{T("[\"\xff\",01]"), 2, "invalid UTF-8"},
};

static struct json_text text_of(const char *text)
{
	return (struct json_text){text, strlen(text)};
}

/*
 * json_check() on a copy of exactly the text's size, so that a sanitizer sees a read too far;
 * ${error} gets what was wrong.
 */
static bool check_copy(const char *text, size_t len, struct json_error *error)
{
	char *copy = malloc(len > 0 ? len : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, text, len);
	*error = (struct json_error){SIZE_MAX, NULL};
	ok = json_check(copy, len, NULL, error);
	free(copy);
	return ok;
}

static bool is_json(const char *text, size_t len)
{
	struct json_error error;

	return check_copy(text, len, &error);
}

static void assert_text(struct json_text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.text, expected, text.len);
}

static void assert_buf(const struct buf *buf, const char *expected, size_t len)
{
	assert_int_equal(buf->len, len);
	if (len > 0)
		assert_memory_equal(buf->data, expected, len);
}

static void accepts_what_the_grammar_has(void **state)
{
	struct json_error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(goods); i++) {
		if (!check_copy(goods[i].text, goods[i].len, &error))
			fail_msg("%s: %s at %zu", goods[i].text, error.what, error.offset);
	}
}

static void refuses_what_it_has_not_and_says_why(void **state)
{
	struct json_error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bads); i++) {
		const struct bad *bad = &bads[i];

		if (check_copy(bad->text, bad->len, &error))
			fail_msg("row %zu, %s, was accepted", i, bad->text);
		if (error.offset != bad->offset || strstr(error.what, bad->what) == NULL)
			fail_msg(
				"row %zu, %s: '%s' at %zu", i, bad->text, error.what, error.offset);
	}
}

static void takes_the_white_space_off(void **state)
{
	const char *text = " \t\r\n {\"a\": \" \"}\n\n";
	struct json_error error;
	struct json_text value;

	(void)state;
	assert_true(json_check(text, strlen(text), &value, &error));
	assert_text(value, "{\"a\": \" \"}");
	assert_ptr_equal(value.text, text + 5);
}

static void an_empty_text_may_be_null(void **state)
{
	struct json_error error;

	(void)state;
	assert_false(json_check(NULL, 0, NULL, &error));
	assert_false(json_check("{x", 2, NULL, NULL));
	assert_int_equal(error.offset, 0);
}

static void white_space_may_stand_around_every_token(void **state)
{
	const char *tokens[] = {"[", "{", "\"a\"", ":", "-1.5e3", ",", "\"b\"", ":", "[", "true",
		",", "null", "]", "}", ",", "{", "}", ",", "[", "]", "]"};
	const char *spaces[] = {"", " ", "\n", "\t", "\r", "\r\n \t", "         "};
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(spaces); i++) {
		struct buf text, out;
		struct json_error error;
		struct json_text value;

		buf_init(&text, CAP);
		buf_init(&out, CAP);
		for (j = 0; j < COUNT(tokens); j++) {
			buf_add_text(&text, spaces[i]);
			buf_add_text(&text, tokens[j]);
		}
		buf_add_text(&text, spaces[i]);
		assert_true(json_check(text.data, text.len, &value, &error));
		assert_true(json_compact(value, &out));
		assert_buf(&out, T("[{\"a\":-1.5e3,\"b\":[true,null]},{},[]]"));
		buf_free(&text);
		buf_free(&out);
	}
}

/* A number goes on where it was cut; anything else that is cut is incomplete. */
static void every_truncation_is_judged_right(void **state)
{
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(goods); i++) {
		const char *text = goods[i].text;
		bool number = strchr("-0123456789", text[0]) != NULL;

		for (len = 0; len < goods[i].len; len++) {
			char last = len > 0 ? text[len - 1] : '-';
			bool ok = number && last >= '0' && last <= '9';

			if (is_json(text, len) != ok)
				fail_msg("%.*s", (int)len, text);
		}
	}
}

/* A fresh buffer with ${count} times ${open}, then ${inner}, then ${count} times ${close}. */
static struct buf nest(size_t count, const char *open, const char *inner, const char *close)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, CAP);
	for (i = 0; i < count; i++)
		assert_true(buf_add_text(&buf, open));
	assert_true(buf_add_text(&buf, inner));
	for (i = 0; i < count; i++)
		assert_true(buf_add_text(&buf, close));
	return buf;
}

/* If it is too deep, the bracket that is one too many must be the one that is told. */
static void assert_nested(
	size_t count, const char *open, const char *inner, const char *close, bool ok)
{
	struct buf buf = nest(count, open, inner, close);
	struct json_error error = {0, NULL};
	size_t i, brackets = 0;

	assert_int_equal(json_check(buf.data, buf.len, NULL, &error), ok);
	if (!ok) {
		for (i = 0; i < error.offset; i++)
			brackets += buf.data[i] == '[' || buf.data[i] == '{';
		assert_string_equal(error.what, "nested deeper than 200");
		assert_int_equal(brackets, JSON_DEPTH);
		assert_true(buf.data[i] == '[' || buf.data[i] == '{');
	}
	buf_free(&buf);
}

static void nests_200_deep_and_no_deeper(void **state)
{
	(void)state;
	assert_nested(JSON_DEPTH - 1, "[", "", "]", true);
	assert_nested(JSON_DEPTH, "[", "", "]", true);
	assert_nested(JSON_DEPTH + 1, "[", "", "]", false);
	assert_nested(JSON_DEPTH - 1, "{\"a\":", "1", "}", true);
	assert_nested(JSON_DEPTH, "{\"a\":", "1", "}", true);
	assert_nested(JSON_DEPTH + 1, "{\"a\":", "1", "}", false);
	assert_nested(JSON_DEPTH / 2, "[{\"a\":", "[]", "}]", false);
	assert_nested(JSON_DEPTH / 2, "[{\"a\":", "1", "}]", true);
	assert_nested(100000, "[", "", "", false);
	assert_nested(100000, "{\"a\":", "", "", false);
}

/* Brackets of both kinds, mixed differently at each level, must match those that close them. */
static void each_bracket_closes_its_own_kind(void **state)
{
	char text[2 * JSON_DEPTH * 5], closing[JSON_DEPTH];
	size_t round, i;

	(void)state;
	for (round = 0; round < 16; round++) {
		size_t len = 0, wrong = round * 13 % JSON_DEPTH;

		for (i = 0; i < JSON_DEPTH; i++) {
			bool object = (i * 2654435761u >> (round + 3)) & 1;

			len += (size_t)sprintf(text + len, "%s", object ? "{\"\":" : "[");
			closing[JSON_DEPTH - 1 - i] = object ? '}' : ']';
		}
		text[len++] = '1';
		memcpy(text + len, closing, JSON_DEPTH);
		assert_true(is_json(text, len + JSON_DEPTH));
		text[len + wrong] = text[len + wrong] == '}' ? ']' : '}';
		assert_false(is_json(text, len + JSON_DEPTH));
	}
}

static void depth_is_not_length(void **state)
{
	struct buf buf = nest(50000, "[],", "{}]", "");

	(void)state;
	assert_false(is_json(buf.data, buf.len));
	memcpy(buf.data, "[1", 2);
	assert_true(is_json(buf.data, buf.len));
	buf_free(&buf);
}

/* A string is skipped eight bytes at a time: put each byte at each place of a long one. */
static void every_byte_is_seen_at_every_place(void **state)
{
	char text[36];
	size_t place;
	unsigned byte;

	(void)state;
	for (place = 1; place < sizeof(text) - 1; place++) {
		for (byte = 0; byte < 256; byte++) {
			bool ok = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

			memset(text, 'x', sizeof(text));
			text[0] = text[sizeof(text) - 1] = '"';
			text[place] = (char)byte;
			if (is_json(text, sizeof(text)) != ok)
				fail_msg("byte %u at %zu", byte, place);
		}
	}
}

static void tells_the_kind(void **state)
{
	(void)state;
	assert_int_equal(json_kind(text_of("{}")), JSON_OBJECT);
	assert_int_equal(json_kind(text_of("[]")), JSON_ARRAY);
	assert_int_equal(json_kind(text_of("\"\"")), JSON_STRING);
	assert_int_equal(json_kind(text_of("0")), JSON_NUMBER);
	assert_int_equal(json_kind(text_of("-1")), JSON_NUMBER);
	assert_int_equal(json_kind(text_of("true")), JSON_TRUE);
	assert_int_equal(json_kind(text_of("false")), JSON_FALSE);
	assert_int_equal(json_kind(text_of("null")), JSON_NULL);
}

static void walks_members(void **state)
{
	struct json_text object = text_of("{ \"a\" : 1 ,\"b}\":{\"c\":[1,{}]} , \"\\\"\\\\\":\n"
					  "[ \"]\", \"\\\\\" ] ,\"a\":\"x\\\"}\" }");
	const char *keys[] = {"\"a\"", "\"b}\"", "\"\\\"\\\\\"", "\"a\""};
	const char *values[] = {"1", "{\"c\":[1,{}]}", "[ \"]\", \"\\\\\" ]", "\"x\\\"}\""};
	struct json_text key, value;
	size_t cursor = 0, i;

	(void)state;
	for (i = 0; i < COUNT(keys); i++) {
		assert_true(json_member(object, &cursor, &key, &value));
		assert_text(key, keys[i]);
		assert_text(value, values[i]);
	}
	assert_false(json_member(object, &cursor, &key, &value));
	assert_false(json_member(object, &cursor, &key, &value));
}

static void walks_elements(void **state)
{
	struct json_text array =
		text_of("[1,-2.5e3 , \"a,]\\\"\",\ttrue,null,[[],[1]],{\"a\":[2]}\n]");
	const char *values[] = {
		"1", "-2.5e3", "\"a,]\\\"\"", "true", "null", "[[],[1]]", "{\"a\":[2]}"};
	struct json_text value;
	size_t cursor = 0, i;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		assert_true(json_element(array, &cursor, &value));
		assert_text(value, values[i]);
	}
	assert_false(json_element(array, &cursor, &value));
	assert_false(json_element(array, &cursor, &value));
}

static void empty_containers_have_no_items(void **state)
{
	const char *objects[] = {"{}", "{ }", "{\n\n}"}, *arrays[] = {"[]", "[ ]", "[\t]"};
	struct json_text key, value;
	size_t cursor, i;

	(void)state;
	for (i = 0; i < COUNT(objects); i++) {
		cursor = 0;
		assert_false(json_member(text_of(objects[i]), &cursor, &key, &value));
		assert_false(json_member(text_of(objects[i]), &cursor, &key, &value));
		cursor = 0;
		assert_false(json_element(text_of(arrays[i]), &cursor, &value));
		assert_false(json_element(text_of(arrays[i]), &cursor, &value));
	}
}

struct string_row {
	const char *string; /* JSON */
	const char *plain;
	size_t len;
};

static const struct string_row strings[] = {
	{"\"\"", T("")},
	{"\"a\"", T("a")},
	{"\"firstname\"", T("firstname")},
	{"\"\\u0066irstname\"", T("firstname")},
	{"\"first\\u006E\\u0061me\"", T("firstname")},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", T("\"\\/\b\f\n\r\t")},
	{"\"a\\\\nb\"", T("a\\nb")},
	{"\"\\u0000\"", T("\0")},
	{"\"a\\u0000b\"", T("a\0b")},
	{"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
		T("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
	{"\"\\uD7FF\\uE000\"", T("\xed\x9f\xbf\xee\x80\x80")},
	{"\"\\ud800\\udc00\"", T("\xf0\x90\x80\x80")},
	{"\"\\uD83D\\uDE00!\"", T("\xf0\x9f\x98\x80!")},
	{"\"\\uDBFF\\uDFFF\"", T("\xf4\x8f\xbf\xbf")},
	{"\"\xf0\x9f\x98\x80\"", T("\xf0\x9f\x98\x80")},
	/* Halves of pairs */
	{"\"\\uD83D\"", T("\xef\xbf\xbd")},
	{"\"\\uDE00\"", T("\xef\xbf\xbd")},
	{"\"\\uD83Dx\"", T("\xef\xbf\xbdx")},
	{"\"\\uD83D\\n\"", T("\xef\xbf\xbd\n")},
	{"\"\\uD83D\\\\uDE00\"", T("\xef\xbf\xbd\\uDE00")},
	{"\"\\uD83D\\u0041\"", T("\xef\xbf\xbd"
				 "A")},
	{"\"\\uD83D\\uD83D\\uDE00\"", T("\xef\xbf\xbd\xf0\x9f\x98\x80")},
	{"\"\\uDE00\\uDE00\"", T("\xef\xbf\xbd\xef\xbf\xbd")},
	{"\"\\uDFFF\\uDFFF\"", T("\xef\xbf\xbd\xef\xbf\xbd")},
	{"\"\\uDE00\\uD83D\"", T("\xef\xbf\xbd\xef\xbf\xbd")},
	{"\"\\uDBFF\\uE000\"", T("\xef\xbf\xbd\xee\x80\x80")},
	{"\"\\uDBFF \\uDC00\"", T("\xef\xbf\xbd \xef\xbf\xbd")},
};

static void finds_lone_surrogates(void **state)
{
	static const struct {
		const char *string;
		bool unicode;
	} rows[] = {{"\"\"", true}, {"\"a\"", true}, {"\"\\n\\\\\"", true}, {"\"\\\\ud800\"", true},
		{"\"\\ufffd\"", true}, {"\"\\uD83E\\uDD99\"", true},
		{"\"x\\ud83e\\udd99y\\u0041\"", true}, {"\"\\ud800\"", false},
		{"\"\\udfff\"", false}, {"\"\\ud800\\ud800\"", false}, {"\"\\ud800x\"", false},
		{"\"\\ud83e\\udd99\\udd99\"", false}, {"\"\\ufffd\\ud800\\u0041\"", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (json_string_is_unicode(text_of(rows[i].string)) != rows[i].unicode)
			fail_msg("%s", rows[i].string);
	}
}

static void decodes_strings(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(strings); i++) {
		struct buf out;

		assert_true(is_json(strings[i].string, strlen(strings[i].string)));
		buf_init(&out, CAP);
		assert_true(json_string_decode(text_of(strings[i].string), &out));
		assert_buf(&out, strings[i].plain, strings[i].len);
		buf_free(&out);
	}
}

/* json_string_is() with a copy of exactly the text's size. */
static bool string_is_copy(struct json_text string, const char *plain, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	bool same;

	assert_non_null(copy);
	memcpy(copy, plain, len);
	same = json_string_is(string, copy, len);
	free(copy);
	return same;
}

static void compares_strings(void **state)
{
	size_t i, cut;

	(void)state;
	for (i = 0; i < COUNT(strings); i++) {
		struct json_text string = text_of(strings[i].string);
		char other[64];
		size_t len = strings[i].len;

		memcpy(other, strings[i].plain, len);
		assert_true(string_is_copy(string, other, len));
		other[len] = 'x';
		assert_false(string_is_copy(string, other, len + 1));
		for (cut = 0; cut < len; cut++) {
			assert_false(string_is_copy(string, other, cut));
			other[cut] = (char)(other[cut] ^ 1);
			assert_false(string_is_copy(string, other, len));
			other[cut] = (char)(other[cut] ^ 1);
		}
	}
}

static void assert_quoted(const char *text, size_t len, const char *expected)
{
	struct buf out, back;

	buf_init(&out, CAP);
	buf_init(&back, CAP);
	assert_true(json_quote(text, len, &out));
	assert_buf(&out, expected, strlen(expected));
	assert_true(is_json(out.data, out.len));
	assert_true(json_string_decode((struct json_text){out.data, out.len}, &back));
	assert_buf(&back, text, len);
	buf_free(&out);
	buf_free(&back);
}

static void quotes_only_what_must_be(void **state)
{
	(void)state;
	assert_quoted(T(""), "\"\"");
	assert_quoted(NULL, 0, "\"\"");
	assert_quoted(T("a/b'c<&>"), "\"a/b'c<&>\"");
	assert_quoted(T("\"\\"), "\"\\\"\\\\\"");
	assert_quoted(T("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
	assert_quoted(T("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\"");
	assert_quoted(T("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
		"\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"");
	assert_quoted(T("\xc2\x80\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		"\"\xc2\x80\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_quoted(T("\xe2\x80\xa9"), "\"\\u2029\"");
	assert_quoted(T("plain\nplain"), "\"plain\\nplain\"");
}

static void quotes_every_ascii_character_and_back(void **state)
{
	char text[128];
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	buf_init(&out, CAP);
	assert_true(json_quote(text, sizeof(text), &out));
	for (i = 0; i < out.len; i++)
		assert_true(out.data[i] >= ' ' && out.data[i] < 0x7f);
	assert_true(is_json(out.data, out.len));
	assert_true(json_string_is((struct json_text){out.data, out.len}, text, sizeof(text)));
	buf_free(&out);
}

/* Tokens whose bytes a reader into doubles or a writer of its own would change. */
static const char *const tokens[] = {"1.0", "1e5", "1E+05", "-0", "-0.0", "0e0", "1e9999",
	"123456789012345678901234567890", "0.1000000000000000055511151231257827", "true", "null",
	"\"\\u0041\\/ \\ud800\"", "\"\x7f\xe2\x80\xa8\"", "\"  two  spaces  \"", "\"\\\\\"",
	"\"[1, 2]: {}\""};

static const struct json_colours plain = {"", "", "", "", "", ""};

static void compact_and_pretty_keep_every_token(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(tokens); i++) {
		struct buf text, out;
		char expected[256];

		buf_init(&text, CAP);
		buf_init(&out, CAP);
		assert_true(buf_addf(&text, "[ %s\t,{ \"k\"\n:%s } ]", tokens[i], tokens[i]));
		assert_true(is_json(text.data, text.len));
		assert_true(json_compact((struct json_text){text.data, text.len}, &out));
		snprintf(expected, sizeof(expected), "[%s,{\"k\":%s}]", tokens[i], tokens[i]);
		assert_buf(&out, expected, strlen(expected));
		out.len = 0;
		assert_true(json_pretty((struct json_text){text.data, text.len},
			&(struct json_style){.colours = &plain}, &out));
		snprintf(expected, sizeof(expected), "[\n  %s,\n  {\n    \"k\": %s\n  }\n]",
			tokens[i], tokens[i]);
		assert_buf(&out, expected, strlen(expected));
		buf_free(&text);
		buf_free(&out);
	}
}

static void assert_styled(const char *text, unsigned indent, unsigned width, const char *expected)
{
	const struct json_style style = {.colours = &plain, .indent = indent, .width = width};
	struct buf out;

	buf_init(&out, CAP);
	assert_true(is_json(text, strlen(text)));
	assert_true(json_pretty(text_of(text), &style, &out));
	assert_buf(&out, expected, strlen(expected));
	buf_free(&out);
}

static void assert_pretty(const char *text, unsigned indent, const char *expected)
{
	assert_styled(text, indent, 0, expected);
}

static void pretty_indents_by_two(void **state)
{
	(void)state;
	assert_pretty("1", 0, "1");
	assert_pretty("\"a\"", 4, "\"a\"");
	assert_pretty("[]", 0, "[]");
	assert_pretty("{ \n }", 4, "{}");
	assert_pretty("[[],{}]", 0, "[\n  [],\n  {}\n]");
	assert_pretty("[ [ ] , { } ]", 0, "[\n  [],\n  {}\n]");
	assert_pretty("{\"b\":1,\"a\":[true,[2]],\"b\":\"x\"}", 0,
		"{\n  \"b\": 1,\n  \"a\": [\n    true,\n    [\n      2\n    ]\n  ],\n"
		"  \"b\": \"x\"\n}");
	assert_pretty("[1,{\"a\":2}]", 3, "[\n     1,\n     {\n       \"a\": 2\n     }\n   ]");
}

static void pretty_leaves_on_a_line_what_fits_it(void **state)
{
	(void)state;
	assert_styled("[ 1 , 2,3 ]", 0, 8, "[1,2,3]");
	assert_styled("[ 1 , 2,3 ]", 0, 7, "[\n  1,\n  2,\n  3\n]");
	assert_styled("[1,2,3]", 4, 12, "[1,2,3]");
	assert_styled("[1,2,3]", 4, 11, "[\n      1,\n      2,\n      3\n    ]");
	/* A key before it, and a comma after it, take room too. */
	assert_styled("{\"ab\":[1, {\"c\":2}],\"d\":[]}", 0, 21,
		"{\n  \"ab\": [1,{\"c\": 2}],\n  \"d\": []\n}");
	assert_styled("{\"ab\":[1, {\"c\":2}],\"d\":[]}", 0, 20,
		"{\n  \"ab\": [\n    1,\n    {\"c\": 2}\n  ],\n  \"d\": []\n}");
	assert_styled("{\"a\":1,\"b\":[\"c\",\"d\"]}", 0, 80, "{\"a\": 1, \"b\": [\"c\",\"d\"]}");
	assert_styled("\"a string that is longer\"", 0, 5, "\"a string that is longer\"");
	assert_styled("[[[1]]]", 0, 6, "[\n  [\n    [\n      1\n    ]\n  ]\n]");
}

static void a_value_fits_with_the_spaces_that_it_gets(void **state)
{
	const char *text = "{ \"a\" : [ 1, \"x y\" ] ,\"b\":2 }";
	size_t len = strlen("{\"a\": [1,\"x y\"], \"b\": 2}");

	(void)state;
	assert_true(json_fits(text_of(text), len));
	assert_false(json_fits(text_of(text), len - 1));
	assert_true(json_fits(text_of("12"), 2));
	assert_false(json_fits(text_of("12"), 1));
	assert_true(json_fits(text_of("[]"), 2));
}

static void pretty_colours_each_kind(void **state)
{
	const struct json_colours colours = {"<k>", "<s>", "<n>", "<w>", "<p>", "</>"};
	const struct json_colours few = {"<k>", "", "", "", "", "</>"};
	struct json_text value = text_of("{\"a\" :[\"b\",-1,true,[],{}]}");
	struct buf out;

	(void)state;
	buf_init(&out, CAP);
	assert_true(json_pretty(value, &(struct json_style){.colours = &colours}, &out));
	assert_buf(&out, T("<p>{</>\n  <k>\"a\"</><p>:</> <p>[</>\n    <s>\"b\"</><p>,</>\n"
			   "    <n>-1</><p>,</>\n    <w>true</><p>,</>\n    <p>[]</><p>,</>\n"
			   "    <p>{}</>\n  <p>]</>\n<p>}</>"));
	out.len = 0;
	assert_true(json_pretty(text_of("{\"a\":1}"), &(struct json_style){.colours = &few}, &out));
	assert_buf(&out, T("{\n  <k>\"a\"</>: 1\n}"));
	out.len = 0;
	assert_true(json_pretty(
		text_of("{\"a\" :1}"), &(struct json_style){.colours = &few, .width = 80}, &out));
	assert_buf(&out, T("{<k>\"a\"</>: 1}"));
	buf_free(&out);
}

static bool print_length(const char *token, size_t len, struct buf *out)
{
	assert_int_equal(token[0], '"');
	assert_int_equal(token[len - 1], '"');
	return buf_addf(out, "'%zu'", len);
}

static bool print_never(const char *token, size_t len, struct buf *out)
{
	(void)token;
	(void)len;
	(void)buf_add_text(out, "some of it");
	return false;
}

static void pretty_prints_strings_and_keys_through_the_callback(void **state)
{
	struct json_text value = text_of("{\"a\":[\"bcd\",1,null]}");
	struct json_style style = {.colours = &plain};
	struct buf out;

	(void)state;
	buf_init(&out, CAP);
	style.print = print_length;
	assert_true(json_pretty(value, &style, &out));
	assert_buf(&out, T("{\n  '3': [\n    '5',\n    1,\n    null\n  ]\n}"));
	style.print = print_never;
	assert_false(json_pretty(value, &style, &out));
	buf_free(&out);
}

static bool run_decode(struct json_text value, struct buf *out)
{
	return json_string_decode(value, out);
}

static bool run_quote(struct json_text value, struct buf *out)
{
	return json_quote(value.text, value.len, out);
}

static bool run_pretty(struct json_text value, struct buf *out)
{
	const struct json_colours colours = {"<k>", "<s>", "<n>", "<w>", "<p>", "</>"};

	return json_pretty(value, &(struct json_style){.colours = &colours, .indent = 2}, out);
}

/* With each cap below what is needed: false, and what stood in the buffer still stands there. */
static void assert_all_or_nothing(bool (*run)(struct json_text, struct buf *), const char *text)
{
	struct buf whole, out;
	size_t cap;

	buf_init(&whole, CAP);
	assert_true(buf_add_text(&whole, "before"));
	assert_true(run(text_of(text), &whole));
	for (cap = 6; cap <= whole.len; cap++) {
		buf_init(&out, cap);
		assert_true(buf_add_text(&out, "before"));
		if (run(text_of(text), &out))
			assert_buf(&out, whole.data, whole.len);
		else
			assert_buf(&out, T("before"));
		assert_int_equal(out.len == whole.len, cap == whole.len);
		buf_free(&out);
	}
	buf_free(&whole);
}

static void a_full_buffer_keeps_what_it_had(void **state)
{
	const char *object = "{ \"a\": [1, {}, []], \"b\": {\"c\": \"d\", \"e\": null} }";

	(void)state;
	assert_all_or_nothing(run_decode, "\"abc\\n\\uD83D\\uDE00def\\u20acx\"");
	assert_all_or_nothing(run_quote, "abc\n\xe2\x80\xa8 def \" \\ ghi");
	assert_all_or_nothing(json_compact, object);
	assert_all_or_nothing(run_pretty, object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_the_grammar_has),
		cmocka_unit_test(refuses_what_it_has_not_and_says_why),
		cmocka_unit_test(takes_the_white_space_off),
		cmocka_unit_test(an_empty_text_may_be_null),
		cmocka_unit_test(white_space_may_stand_around_every_token),
		cmocka_unit_test(every_truncation_is_judged_right),
		cmocka_unit_test(nests_200_deep_and_no_deeper),
		cmocka_unit_test(each_bracket_closes_its_own_kind),
		cmocka_unit_test(depth_is_not_length),
		cmocka_unit_test(every_byte_is_seen_at_every_place),
		cmocka_unit_test(tells_the_kind),
		cmocka_unit_test(walks_members),
		cmocka_unit_test(walks_elements),
		cmocka_unit_test(empty_containers_have_no_items),
		cmocka_unit_test(decodes_strings),
		cmocka_unit_test(finds_lone_surrogates),
		cmocka_unit_test(compares_strings),
		cmocka_unit_test(quotes_only_what_must_be),
		cmocka_unit_test(quotes_every_ascii_character_and_back),
		cmocka_unit_test(compact_and_pretty_keep_every_token),
		cmocka_unit_test(pretty_indents_by_two),
		cmocka_unit_test(pretty_leaves_on_a_line_what_fits_it),
		cmocka_unit_test(a_value_fits_with_the_spaces_that_it_gets),
		cmocka_unit_test(pretty_colours_each_kind),
		cmocka_unit_test(pretty_prints_strings_and_keys_through_the_callback),
		cmocka_unit_test(a_full_buffer_keeps_what_it_had),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing lib/json/json.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_json SECONDS [SEED]
 *
 * that mutates documents, the same ones in the same order for the same seed.  For each input:
 * 1. json_check() agrees with a validator that is written to be obviously right;
 * 2. the walkers cover a value: put together again, the items are its compact form;
 * 3. a compact text is JSON, and compact(pretty(x)) == compact(compact(x)) == compact(x);
 * 4. each string, decoded, quoted and decoded again, is the same text, and json_string_is() it;
 * 5. any valid UTF-8, quoted, or with each character written as \u escapes, decodes to itself.
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define CAP ((size_t)256 << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * The reference: RFC 8259's grammar, a function for each of its rules.  Each takes the rule's text
 * from ref->at on, and returns whether it was there.
 */
struct reference {
	const unsigned char *text;
	size_t at, len;
};

static bool ref_value(struct reference *ref, unsigned depth);

/* The next byte, or -1 at the end. */
static int ref_peek(const struct reference *ref)
{
	return ref->at < ref->len ? ref->text[ref->at] : -1;
}

static bool ref_take(struct reference *ref, int c)
{
	if (ref_peek(ref) != c)
		return false;
	ref->at++;
	return true;
}

static bool ref_take_between(struct reference *ref, int low, int high)
{
	int c = ref_peek(ref);

	if (c < low || c > high)
		return false;
	ref->at++;
	return true;
}

static bool ref_take_text(struct reference *ref, const char *text)
{
	for (; *text != '\0'; text++) {
		if (!ref_take(ref, *text))
			return false;
	}
	return true;
}

static void ref_space(struct reference *ref)
{
	while (ref_take(ref, ' ') || ref_take(ref, '\t') || ref_take(ref, '\n') ||
		ref_take(ref, '\r'))
		;
}

static bool ref_digits(struct reference *ref)
{
	if (!ref_take_between(ref, '0', '9'))
		return false;
	while (ref_take_between(ref, '0', '9'))
		;
	return true;
}

static bool ref_number(struct reference *ref)
{
	(void)ref_take(ref, '-');
	if (!ref_take(ref, '0') && !(ref_take_between(ref, '1', '9') && (ref_digits(ref), true)))
		return false;
	if (ref_take(ref, '.') && !ref_digits(ref))
		return false;
	if (ref_take(ref, 'e') || ref_take(ref, 'E')) {
		if (!ref_take(ref, '+'))
			(void)ref_take(ref, '-');
		return ref_digits(ref);
	}
	return true;
}

static bool ref_escape(struct reference *ref)
{
	int i;

	if (!ref_take(ref, 'u'))
		return ref_take(ref, '"') || ref_take(ref, '\\') || ref_take(ref, '/') ||
		       ref_take(ref, 'b') || ref_take(ref, 'f') || ref_take(ref, 'n') ||
		       ref_take(ref, 'r') || ref_take(ref, 't');
	for (i = 0; i < 4; i++) {
		if (!ref_take_between(ref, '0', '9') && !ref_take_between(ref, 'a', 'f') &&
			!ref_take_between(ref, 'A', 'F'))
			return false;
	}
	return true;
}

/* A character behind U+007F: RFC 3629's table, row by row. */
static bool ref_beyond_ascii(struct reference *ref)
{
	static const unsigned char rows[][8] = {{0xc2, 0xdf, 0x80, 0xbf},
		{0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf}, {0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf},
		{0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf}, {0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf},
		{0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
		{0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
		{0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf}};
	size_t row, i;

	for (row = 0; row < COUNT(rows); row++) {
		if (!ref_take_between(ref, rows[row][0], rows[row][1]))
			continue;
		for (i = 2; i < 8 && rows[row][i] != 0; i += 2) {
			if (!ref_take_between(ref, rows[row][i], rows[row][i + 1]))
				return false;
		}
		return true;
	}
	return false;
}

static bool ref_string(struct reference *ref)
{
	if (!ref_take(ref, '"'))
		return false;
	while (!ref_take(ref, '"')) {
		if (ref_take(ref, '\\')) {
			if (!ref_escape(ref))
				return false;
		} else if (!ref_take_between(ref, 0x20, 0x7f) && !ref_beyond_ascii(ref)) {
			return false;
		}
	}
	return true;
}

/* An array or an object. */
static bool ref_items(struct reference *ref, unsigned depth, bool object)
{
	int close = object ? '}' : ']';

	if (depth > JSON_DEPTH)
		return false;
	ref_space(ref);
	if (ref_take(ref, close))
		return true;
	do {
		ref_space(ref);
		if (object) {
			if (!ref_string(ref))
				return false;
			ref_space(ref);
			if (!ref_take(ref, ':'))
				return false;
		}
		if (!ref_value(ref, depth))
			return false;
	} while (ref_take(ref, ','));
	return ref_take(ref, close);
}

static bool ref_value(struct reference *ref, unsigned depth)
{
	bool ok;

	ref_space(ref);
	if (ref_take(ref, '{'))
		ok = ref_items(ref, depth + 1, true);
	else if (ref_take(ref, '['))
		ok = ref_items(ref, depth + 1, false);
	else if (ref_peek(ref) == '"')
		ok = ref_string(ref);
	else if (ref_peek(ref) == 't')
		ok = ref_take_text(ref, "true");
	else if (ref_peek(ref) == 'f')
		ok = ref_take_text(ref, "false");
	else if (ref_peek(ref) == 'n')
		ok = ref_take_text(ref, "null");
	else
		ok = ref_number(ref);
	ref_space(ref);
	return ok;
}

static bool ref_document(const unsigned char *text, size_t len)
{
	struct reference ref = {text, 0, len};

	return ref_value(&ref, 0) && ref.at == len;
}

static bool ref_utf8(const unsigned char *text, size_t len)
{
	struct reference ref = {text, 0, len};

	while (ref.at < len) {
		if (!ref_take_between(&ref, 0, 0x7f) && !ref_beyond_ascii(&ref))
			return false;
	}
	return true;
}

/* The properties. */

static struct json_text text_of(const struct buf *buf)
{
	return (struct json_text){buf->data, buf->len};
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_string(const struct buf *buf)
{
	struct json_error error;
	struct json_text value;

	return json_check(buf->data, buf->len, &value, &error) && value.len == buf->len &&
	       json_kind(value) == JSON_STRING;
}

/* Take one character of valid UTF-8 off *${text}. */
static uint32_t ref_code(const unsigned char **text)
{
	const unsigned char *p = *text;
	unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t code = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	*text += 1 + more;
	while (more-- > 0)
		code = code * 64 + (*++p & 0x3f);
	return code;
}

static void add_unit(struct buf *buf, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *hex = digits + (unit & 16); /* letters of either case */
	char *room = buf_reserve(buf, 6);
	int i;

	MUST(room != NULL);
	room[0] = '\\';
	room[1] = 'u';
	for (i = 5; i > 1; i--, unit >>= 4)
		room[i] = hex[unit & 15];
	buf->len += 6;
}

/* Write each character of ${plain} as an escape: it must mean the same text. */
static void check_escapes(const char *plain, size_t len)
{
	const unsigned char *p = (const unsigned char *)plain, *end = p + len;
	struct buf escaped;

	buf_init(&escaped, CAP);
	MUST(buf_add_byte(&escaped, '"'));
	while (p < end) {
		uint32_t code = ref_code(&p);

		if (code > 0xffff)
			add_unit(&escaped, 0xd800 + (code - 0x10000) / 0x400);
		add_unit(&escaped, code > 0xffff ? 0xdc00 + code % 0x400 : code);
	}
	MUST(buf_add_byte(&escaped, '"'));
	MUST(is_string(&escaped));
	MUST(json_string_is(text_of(&escaped), plain, len));
	buf_free(&escaped);
}

/* Quote ${plain}: a JSON string that decodes to the same text. */
static void check_quote(const char *plain, size_t len)
{
	struct buf quoted, back;

	buf_init(&quoted, CAP);
	buf_init(&back, CAP);
	MUST(json_quote(plain, len, &quoted));
	MUST(is_string(&quoted));
	MUST(json_string_is(text_of(&quoted), plain, len));
	MUST(json_string_decode(text_of(&quoted), &back));
	MUST(back.len == len && (len == 0 || memcmp(back.data, plain, len) == 0));
	buf_free(&quoted);
	buf_free(&back);
}

static void check_string(struct json_text string)
{
	struct buf plain;

	buf_init(&plain, CAP);
	MUST(json_string_decode(string, &plain));
	MUST(ref_utf8((const unsigned char *)plain.data, plain.len));
	MUST(json_string_is(string, plain.len > 0 ? plain.data : "", plain.len));
	check_quote(plain.data, plain.len);
	if (plain.len > 0)
		check_escapes(plain.data, plain.len);
	buf_free(&plain);
}

/* Append the value's compact form, put together from what the walkers find. */
static void rebuild(struct json_text value, struct buf *out)
{
	bool object = json_kind(value) == JSON_OBJECT;
	struct json_text key, item;
	size_t cursor = 0, count = 0;

	if (json_kind(value) == JSON_STRING)
		check_string(value);
	if (!object && json_kind(value) != JSON_ARRAY) {
		MUST(buf_add(out, value.text, value.len));
		return;
	}
	MUST(buf_add_byte(out, object ? '{' : '['));
	while (object ? json_member(value, &cursor, &key, &item)
		      : json_element(value, &cursor, &item)) {
		MUST(cursor < value.len);
		MUST(count++ == 0 || buf_add_byte(out, ','));
		if (object) {
			check_string(key);
			MUST(buf_add(out, key.text, key.len) && buf_add_byte(out, ':'));
		}
		rebuild(item, out);
	}
	MUST(buf_add_byte(out, object ? '}' : ']'));
}

static void check_forms(struct json_text value, unsigned indent, unsigned width)
{
	static const struct json_colours colours = {"", "", "", "", "", ""};
	const struct json_style style = {.colours = &colours, .indent = indent, .width = width};
	const struct json_style line = {.colours = &colours, .width = UINT_MAX};
	struct buf compact, pretty, again;
	struct json_error error;

	buf_init(&compact, CAP);
	buf_init(&pretty, CAP);
	buf_init(&again, CAP);
	MUST(json_compact(value, &compact));
	MUST(json_check(compact.data, compact.len, NULL, &error));
	MUST(json_pretty(value, &line, &pretty));
	MUST(memchr(pretty.data, '\n', pretty.len) == NULL);
	MUST(json_fits(value, pretty.len));
	MUST(!json_fits(value, pretty.len - 1));
	pretty.len = 0;
	MUST(json_pretty(value, &style, &pretty));
	MUST(json_check(pretty.data, pretty.len, NULL, &error));
	MUST(json_compact(text_of(&pretty), &again));
	MUST(same(&compact, &again));
	again.len = 0;
	MUST(json_compact(text_of(&compact), &again));
	MUST(same(&compact, &again));
	again.len = 0;
	rebuild(value, &again);
	MUST(same(&compact, &again));
	buf_free(&compact);
	buf_free(&pretty);
	buf_free(&again);
}

/* Return whether the text is JSON. */
static bool check_input(const unsigned char *data, size_t len)
{
	/* A copy of exactly this size, so that a sanitizer sees a read too far. */
	char *copy = malloc(len > 0 ? len : 1);
	struct json_error error = {SIZE_MAX, NULL};
	struct json_text value;
	bool ok;

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	must_input(data, len);
	ok = json_check(copy, len, &value, &error);
	MUST(ok == ref_document(data, len));
	if (ok)
		check_forms(value, len & 3, (unsigned)(len % 60));
	else
		MUST(error.what != NULL && error.offset <= len);
	if (ref_utf8(data, len)) {
		check_quote(copy, len);
		check_escapes(copy, len);
	}
	free(copy);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("{\"firstname\":\"Ada\",\"lastname\":\"Lovelace\"}"),
	MUTATE_SEED(" [ 1 , -0.5e+10 , true , false , null , \"\" , [] , {} ] "),
	MUTATE_SEED("{\"a\":{\"b\":[{\"c\":[[\"d\"]]},123456789012345678901234567890]},\"a\":1.0}"),
	MUTATE_SEED(
		"\"\\u0041\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83d\\ude00 \\ud800 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
	MUTATE_SEED("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
	MUTATE_SEED("-1e9999"),
};

/* What makes or breaks a document. */
static const char *const pieces[] = {"{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d",
	"\\ude00", "\\\"", "\\\\", "\"a\"", "\"a\":", "\"b\": 1,", "1", "-", "0", ".", "e", "E+",
	"1.0", "1e5", "01", "true", "false", "null", " ", "\n", "\t", "\r", "/", "'",
	"\xef\xbb\xbf", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc0\x80",
	"\xff", "\x7f", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	",[]", ",{}", "{\"\":", "0123456789abcdef"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_BIT, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_json",
	.inputs = "documents",
	.taken = "JSON",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 4096,
	.rounds = 4,
	.kept = 400,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing lib/json/json_pointer.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_pointer SECONDS [SEED]
 *
 * that mutates inputs, the same ones in the same order for the same seed.  An input is a pointer,
 * a line end, and a document.  For each:
 * 1. json_pointer_valid() agrees with RFC 6901's grammar, read byte by byte;
 * 2. json_pointer() finds what a model finds that splits and decodes the pointer first, and
 * compares keys that it decoded and numbers that it wrote;
 * 3. each value of the document is found by the pointer that is made on the way to it, unless a
 *    later member has the same name.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_pointer.h"
#include "parts/must.h"
#include "parts/mutate.h"
#include "sse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)16 << 20)

/* --- the model -------------------------------------------------------------------------------- */

/* Take a part off *${pointer}, decoded; false if it is wrong. */
static bool model_part(const char **pointer, struct buf *part)
{
	const char *p = *pointer;

	part->len = 0;
	if (*p++ != '/')
		return false;
	while (*p != '\0' && *p != '/') {
		char c = *p++;

		if (c == '~' && *p == '0')
			p++;
		else if (c == '~' && *p == '1')
			c = *p++ == '1' ? '/' : c;
		else if (c == '~')
			return false;
		MUST(buf_add_byte(part, c));
	}
	*pointer = p;
	return part->len <= JSON_POINTER_PART;
}

static bool model_valid(const char *pointer)
{
	struct buf part;
	bool valid = sse_utf8_valid(pointer, strlen(pointer)) == strlen(pointer);

	buf_init(&part, CAP);
	while (valid && *pointer != '\0')
		valid = model_part(&pointer, &part);
	buf_free(&part);
	return valid;
}

static bool equal(const struct buf *a, const char *b, size_t len)
{
	return a->len == len && (len == 0 || memcmp(a->data, b, len) == 0);
}

static bool model_step(struct json_text value, const struct buf *part, struct json_text *found)
{
	struct json_text key, item;
	size_t cursor = 0, index = 0;
	bool any = false;
	struct buf plain;
	char number[24];

	if (json_kind(value) == JSON_ARRAY) {
		while (json_element(value, &cursor, &item)) {
			int len = snprintf(number, sizeof(number), "%zu", index++);

			if (equal(part, number, (size_t)len)) {
				*found = item;
				return true;
			}
		}
	}
	if (json_kind(value) != JSON_OBJECT)
		return false;
	buf_init(&plain, CAP);
	while (json_member(value, &cursor, &key, &item)) {
		plain.len = 0;
		MUST(json_string_decode(key, &plain));
		if (equal(part, plain.data, plain.len)) {
			*found = item;
			any = true;
		}
	}
	buf_free(&plain);
	return any;
}

static bool model_find(struct json_text value, const char *pointer, struct json_text *found)
{
	struct buf part;
	bool there = true;

	buf_init(&part, CAP);
	while (there && *pointer != '\0') {
		MUST(model_part(&pointer, &part));
		there = model_step(value, &part, &value);
	}
	buf_free(&part);
	*found = value;
	return there;
}

/* --- the properties --------------------------------------------------------------------------- */

/* Append a part to a pointer, and its NUL behind it; return false if no pointer can hold it. */
static bool add_part(struct buf *pointer, const char *name, size_t len)
{
	if (len > JSON_POINTER_PART || (len > 0 && memchr(name, '\0', len) != NULL))
		return false;
	MUST(buf_add_byte(pointer, '/'));
	for (size_t i = 0; i < len; i++)
		MUST(name[i] == '/'	 ? buf_add_text(pointer, "~1")
			: name[i] == '~' ? buf_add_text(pointer, "~0")
					 : buf_add_byte(pointer, name[i]));
	return true;
}

static void check_place(struct json_text document, struct buf *pointer, struct json_text value)
{
	struct json_text found;

	MUST(buf_add_byte(pointer, '\0'));
	pointer->len--;
	MUST(json_pointer_valid(pointer->data));
	MUST(json_pointer(document, pointer->data, &found));
	/* A later twin, of this member or of one around it, may stand in its place. */
	MUST(found.text == value.text ? found.len == value.len : found.text > value.text);
}

static void check_places(struct json_text document, struct json_text value, struct buf *pointer)
{
	bool object = json_kind(value) == JSON_OBJECT;
	struct json_text key, item, found;
	size_t cursor = 0, index = 0, before = pointer->len;
	struct buf name;

	check_place(document, pointer, value);
	/* Within a value that has a later twin nothing is found. */
	if (!json_pointer(document, pointer->data, &found) || found.text != value.text)
		return;
	if (!object && json_kind(value) != JSON_ARRAY)
		return;
	buf_init(&name, CAP);
	while (object ? json_member(value, &cursor, &key, &item)
		      : json_element(value, &cursor, &item)) {
		name.len = 0;
		if (object)
			MUST(json_string_decode(key, &name));
		else
			MUST(buf_addf(&name, "%zu", index++));
		if (add_part(pointer, name.data, name.len))
			check_places(document, item, pointer);
		pointer->len = before;
	}
	buf_free(&name);
}

/* Return whether the pointer leads somewhere. */
static bool check_input(const unsigned char *data, size_t len)
{
	const unsigned char *end = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t pointer_len = end != NULL ? (size_t)(end - data) : len;
	size_t text_len = len - pointer_len - (end != NULL);
	/* Copies of exactly their size, so that a sanitizer sees a read too far. */
	char *pointer = calloc(1, pointer_len + 1), *text = malloc(text_len > 0 ? text_len : 1);
	struct json_text document, found = {0}, model = {0};
	struct json_error error;
	bool there = false;
	struct buf way;

	if (pointer == NULL || text == NULL)
		abort();
	must_input(data, len);
	if (pointer_len > 0)
		memcpy(pointer, data, pointer_len);
	if (text_len > 0)
		memcpy(text, end + 1, text_len);
	MUST(json_pointer_valid(pointer) == model_valid(pointer));
	if (json_check(text, text_len, &document, &error)) {
		buf_init(&way, CAP);
		check_places(document, document, &way);
		buf_free(&way);
		if (json_pointer_valid(pointer)) {
			there = json_pointer(document, pointer, &found);
			MUST(there == model_find(document, pointer, &model));
			MUST(!there || (found.text == model.text && found.len == model.len));
		}
	}
	free(pointer);
	free(text);
	return there;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("/choices/0/delta/content\n{\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}"),
	MUTATE_SEED("/a~1b/m~0n\n{\"a/b\":{\"m~n\":[1,2,{\"\":0}]}}"),
	MUTATE_SEED("\n[1,[2,[3]]]"),
	MUTATE_SEED("/\n{\"\":1,\"\":2}"),
	MUTATE_SEED("/a/b\n{\"a\":{\"b\":1},\"a\":{\"b\":2}}"),
	MUTATE_SEED("/\xc3\xa9/10\n{\"\\u00e9\":[0,1,2,3,4,5,6,7,8,9,10]}"),
	MUTATE_SEED("/~01\n{\"~1\":3,\"/\":4}"),
};

/* What makes or breaks a pointer or a document. */
static const char *const pieces[] = {"/", "~0", "~1", "~", "~01", "/0", "/1", "/-", "/00", "/10",
	"/a", "/b", "/a/b", "/a~1b", "/18446744073709551616", "/999999999999999999", "\n", "{", "}",
	"[", "]", ",", ":", "\"", "\"a\":", "\"b\":", "\"a\":1,", "\"\\u0061\":", "\"\":",
	"\"~1\":", "\"a\\/b\":", "\"\\u0000\":", "\"\\ud800\":", "{\"a\":", "[0,", "null", "1", " ",
	"\xc3\xa9", "\\u00e9", "\xff", "\xef\xbf\xbd"};

static const enum mutation mutations[] = {
	MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_pointer",
	.inputs = "pointers",
	.taken = "lead somewhere",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 2048,
	.rounds = 3,
	.kept = 300,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif

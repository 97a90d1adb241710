/* SPDX-License-Identifier: MIT */
/*
 * Strict RFC 8259 JSON over text that stays unchanged: numbers are not decoded, so digits and key
 * order are kept.  (cJSON builds and reads objects where a double is enough; it accepts 01, 1., a
 * byte order mark and invalid UTF-8, so it cannot judge what is valid.)  No recursion, no I/O, no
 * allocation but in the buf of the caller; a function that finds no room in it leaves it unchanged.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* The deepest nesting of arrays and objects that is accepted anywhere. */
#define JSON_DEPTH 200

/* What is said of text that may be JSON to others, but is nested deeper. */
#define JSON_TOO_DEEP "nested deeper than 200"

struct json_error {
	size_t offset;	  /* byte offset of the error */
	const char *what; /* a static phrase: "expected a value", "nested deeper than 200", ... */
};

/* A piece of checked JSON text, without white space around it. */
struct json_text {
	const char *text;
	size_t len;
};

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

/*
 * json_check(text, len, value, error):
 * Is ${text} one JSON value (white space around it allowed) in valid UTF-8, without a byte order
 * mark, nested at most JSON_DEPTH deep?  On success store the value without the white space
 * around it in ${value}, on failure fill ${error}; NULL to ignore either.  Escapes of lone
 * surrogates are accepted, as in the RFC's grammar.
 */
bool json_check(const char *text, size_t len, struct json_text *value, struct json_error *error);

/*
 * json_check_wrapper(text, len, value, error):
 * As json_check(), but one level deeper: for an object that wraps a value that may itself be
 * JSON_DEPTH deep.
 */
bool json_check_wrapper(
	const char *text, size_t len, struct json_text *value, struct json_error *error);

/* The functions below take only text that one of these accepted, or a part of it. */

/* json_kind(value): the kind of the value. */
enum json_kind json_kind(struct json_text value);

/*
 * json_member(object, cursor, key, value) / json_element(array, cursor, value):
 * Walk an object or an array: start with *${cursor} = 0; each call stores the next member's key
 * (a string with its quotes) and value, or the next element; false at the end.
 */
bool json_member(
	struct json_text object, size_t *cursor, struct json_text *key, struct json_text *value);
bool json_element(struct json_text array, size_t *cursor, struct json_text *value);

/* json_string_is(string, plain, len): is this JSON string, decoded, equal to the UTF-8 ${plain}? */
bool json_string_is(struct json_text string, const char *plain, size_t len);

/*
 * json_string_decode(string, out):
 * Append the string's decoded UTF-8 text (it may contain NUL; a lone surrogate becomes U+FFFD).
 * False if ${out} is full.
 */
bool json_string_decode(struct json_text string, struct buf *out);

/*
 * json_string_is_unicode(string):
 * Is this JSON string free of lone surrogates, for which json_string_decode() has nothing but
 * U+FFFD?  Of two strings that are not, different ones can be equal when decoded, so that neither
 * can be a key.
 */
bool json_string_is_unicode(struct json_text string);

/*
 * json_quote(text, len, out):
 * Append ${text} (valid UTF-8, NUL allowed) as a JSON string with its quotes, on one line: it
 * escapes only what JSON requires, and U+2028, U+2029 and DEL.  False if ${out} is full.
 */
bool json_quote(const char *text, size_t len, struct buf *out);

/*
 * json_compact(value, out): append the value on one line, without white space between tokens.
 */
bool json_compact(struct json_text value, struct buf *out);

/* Colours for json_pretty(): escape sequences, or empty strings. */
struct json_colours {
	const char *key, *string, *number, *word, *punctuation, *reset;
};

/* How json_pretty() writes. */
struct json_style {
	const struct json_colours *colours;
	/*
	 * Appends its own, terminal-safe form of a string or key, quotes included.  NULL: such a
	 * token is copied, as are all others.
	 */
	bool (*print)(const char *token, size_t len, struct buf *out);
	unsigned indent; /* columns before each line but the first */
	unsigned width;	 /* what fits a line up to this column (in bytes) stays on it; 0: nothing */
};

/*
 * json_pretty(value, style, out):
 * Append the value, each level indented by two columns more.  An array or object that fits its line
 * stays on it, as {"a": [1,2,3], "b": null}; empty ones always do.  Tokens keep their bytes.
 */
bool json_pretty(struct json_text value, const struct json_style *style, struct buf *out);

/* json_fits(value, max): is the value, on a line as above, at most ${max} bytes? */
bool json_fits(struct json_text value, size_t max);

#endif

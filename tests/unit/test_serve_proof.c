/* SPDX-License-Identifier: MIT */
/* Tests of the proofs that come in headers (http/proof.c), and of our own tokens (access/token.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "access/token.h"
#include "http/proof.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A header, and the text that it holds; NULL: none. */
struct row {
	const char *header, *text;
};

static void check(
	const struct row *rows, size_t count, bool (*read)(const char *, struct sse_text *))
{
	for (size_t i = 0; i < count; i++) {
		struct sse_text text = {0};
		bool found = read(rows[i].header, &text);

		if (found != (rows[i].text != NULL))
			fail_msg("'%s': found %d", rows[i].header, found);
		if (!found)
			continue;
		assert_int_equal(text.len, strlen(rows[i].text));
		assert_memory_equal(text.data, rows[i].text, text.len);
	}
}

static void bearer_and_a_token(void **state)
{
	static const struct row rows[] = {
		{"Bearer sse_abc", "sse_abc"},
		{"bearer abc", "abc"},
		{"BEARER   abc \t ", "abc"},
		{"Bearer azAZ09-._~+/==", "azAZ09-._~+/=="},
		{"", NULL},
		{"Bearer", NULL},
		{"Bearer ", NULL},
		{"Bearer   ", NULL},
		{"Bearerabc", NULL},
		{"Bearer\tabc", NULL},
		{" Bearer abc", NULL},
		{"Basic abc", NULL},
		{"Bearer abc def", NULL},
		{"Bearer abc,def", NULL},
		{"Bearer abc, Bearer def", NULL},
		{"Bearer a\"b", NULL},
		{"Bearer a%41", NULL},
		{"Bearer token=abc;", NULL},
		{"Bearer \xc3\xa4", NULL},
		{"Bearer abc\r", NULL},
	};

	(void)state;
	check(rows, COUNT(rows), proof_bearer);
}

static void the_first_of_our_cookies(void **state)
{
	static const struct row rows[] = {
		{"sse-session=abc", "abc"},
		{"a=b; sse-session=abc; c=d", "abc"},
		{"a=b;sse-session=abc;c=d", "abc"},
		{"a=b; \t sse-session=abc \t", "abc"},
		{"sse-session=abc; sse-session=def", "abc"},
		{"; ;;sse-session=abc", "abc"},
		{"sse-session=a=b", "a=b"},
		{"", NULL},
		{";", NULL},
		{"a", NULL},
		{"sse-session", NULL},
		{"sse-session=", NULL},
		{"sse-session=; sse-session=abc", NULL},
		{"sse-session = abc", NULL},
		{"SSE-Session=abc", NULL},
		{"xsse-session=abc", NULL},
		{"x sse-session=abc", NULL},
		{"x=sse-session=abc", NULL},
		{"a=b, sse-session=abc", NULL},
	};

	(void)state;
	check(rows, COUNT(rows), proof_cookie);
}

/* --- tokens --- */

static void tokens_differ_in_all_of_their_digits(void **state)
{
	unsigned seen[TOKEN_TEXT - 1] = {0};
	char one[TOKEN_TEXT], other[TOKEN_TEXT];
	const char *const digits = "abcdefghijklmnopqrstuvwxyz234567";

	(void)state;
	assert_int_equal(token_new(other), 0);
	for (unsigned round = 0; round < 1000; round++) {
		assert_int_equal(token_new(one), 0);
		assert_int_equal(strlen(one), TOKEN_TEXT - 1);
		assert_memory_equal(one, TOKEN_PREFIX, strlen(TOKEN_PREFIX));
		for (size_t i = strlen(TOKEN_PREFIX); i < TOKEN_TEXT - 1; i++) {
			const char *digit = strchr(digits, one[i]);

			assert_non_null(digit);
			seen[i] |= 1u << (digit - digits);
		}
		assert_string_not_equal(one, other);
		memcpy(other, one, sizeof(one));
	}
	/* That one of these is missing has a chance of 10^-11. */
	for (size_t i = strlen(TOKEN_PREFIX); i < TOKEN_TEXT - 1; i++)
		assert_true(seen[i] == UINT32_MAX);
}

static void a_token_is_recognised_in_a_text(void **state)
{
	char token[TOKEN_TEXT], text[100];

	(void)state;
	assert_int_equal(token_new(token), 0);
	assert_non_null(token_find(token));
	snprintf(text, sizeof(text), "sse_sse_a=%s.", token);
	assert_non_null(token_find(text));
	token[TOKEN_TEXT - 2] = '\0';
	assert_null(token_find(token));
	token[TOKEN_TEXT - 2] = '1';
	assert_null(token_find(token));
	assert_null(token_find(""));
}

/* The bytes that scanners and `sha256sum` see. */
static void the_digest_is_that_of_sha256(void **state)
{
	unsigned char digest[TOKEN_DIGEST];
	char hex[TOKEN_HEX + 1];

	(void)state;
	token_digest("abcd", 3, digest);
	token_hex(digest, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	token_digest("", 0, digest);
	token_hex(digest, hex);
	assert_string_equal(
		hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digits_are_read_as_they_are_written(void **state)
{
	unsigned char digest[TOKEN_DIGEST], read[TOKEN_DIGEST];
	char hex[TOKEN_HEX + 1];

	(void)state;
	for (int i = 0; i < TOKEN_DIGEST; i++)
		digest[i] = (unsigned char)(i * 37 + 5);
	token_hex(digest, hex);
	assert_true(token_parse_hex(hex, TOKEN_HEX, read));
	assert_memory_equal(read, digest, TOKEN_DIGEST);
	assert_false(token_parse_hex(hex, TOKEN_HEX - 1, read));
	assert_false(token_parse_hex(hex, TOKEN_HEX + 1, read));
	assert_false(token_parse_hex(hex, 0, read));
}

static void each_digit_is_one(void **state)
{
	unsigned char digest[TOKEN_DIGEST];
	char hex[TOKEN_HEX + 1];

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;

		for (size_t at = 0; at < 2; at++) {
			memset(hex, '0', TOKEN_HEX);
			hex[at] = (char)c;
			if (token_parse_hex(hex, TOKEN_HEX, digest) != digit)
				fail_msg("the byte 0x%02x", (unsigned)c);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bearer_and_a_token),
		cmocka_unit_test(the_first_of_our_cookies),
		cmocka_unit_test(tokens_differ_in_all_of_their_digits),
		cmocka_unit_test(a_token_is_recognised_in_a_text),
		cmocka_unit_test(the_digest_is_that_of_sha256),
		cmocka_unit_test(digits_are_read_as_they_are_written),
		cmocka_unit_test(each_digit_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

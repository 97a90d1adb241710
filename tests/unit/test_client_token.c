/* SPDX-License-Identifier: MIT */
/* Tests of lib/client/client_token.c: what a file has to hold, and what becomes of a changed one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_token.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* A file of its own for each test. */
static char path[] = "/tmp/test_client_token.XXXXXX";

static void put(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void the_first_line_is_the_token(void **state)
{
	static const char *const rows[] = {
		"abc", "abc\n", "abc\r\n", " \tabc \t\n", "abc\nmore\n", "abc\n\n"};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error error = {0};
		struct client_token *token;

		put(rows[i], strlen(rows[i]));
		token = client_token_open(path, &error);
		if (token == NULL || strcmp(client_token_text(token), "abc") != 0)
			fail_msg("row %zu: '%s', %s", i, token ? client_token_text(token) : "",
				error.text);
		client_token_free(token);
	}
}

static void what_is_not_a_token_is_an_error_that_does_not_show_it(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{"", 0},
		{"\n", 1},
		{" \n", 2},
		{"\nhidden\n", 8},
		{"hid den", 7},
		{"hidden\x01", 7},
		{"hidden\0x\n", 9},
		{"hidden\x7f", 7},
		{"hidden\xc3\xa4", 8},
		{"hid\rden\n", 8},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error error = {0};

		put(rows[i].text, rows[i].len);
		if (client_token_open(path, &error) != NULL || error.status != EX_DATAERR)
			fail_msg("row %zu: %d, '%s'", i, error.status, error.text);
		assert_non_null(strstr(error.text, path));
		assert_null(strstr(error.text, "hid"));
	}
}

static void a_token_has_a_longest(void **state)
{
	static char text[2 * CLIENT_TOKEN_MAX];
	struct client_token *token;
	struct error error = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	put(text, CLIENT_TOKEN_MAX);
	token = client_token_open(path, &error);
	assert_non_null(token);
	assert_int_equal(strlen(client_token_text(token)), CLIENT_TOKEN_MAX);
	client_token_free(token);
	for (size_t len = CLIENT_TOKEN_MAX + 1; len < sizeof(text); len += 1000) {
		put(text, len);
		assert_null(client_token_open(path, &error));
		assert_int_equal(error.status, EX_DATAERR);
	}
	text[CLIENT_TOKEN_MAX] = '\0';
	assert_true(client_token_is_valid(text));
	text[CLIENT_TOKEN_MAX] = 'x';
	text[CLIENT_TOKEN_MAX + 1] = '\0';
	assert_false(client_token_is_valid(text));
	assert_false(client_token_is_valid(""));
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
	struct error error = {0};

	(void)state;
	assert_null(client_token_open("/tmp/no/such/file", &error));
	assert_int_equal(error.status, EX_NOINPUT);
	assert_null(client_token_open("/tmp", &error));
	assert_int_equal(error.status, EX_NOINPUT);
}

static void a_changed_file_is_another_token_and_one_that_is_away_leaves_the_last(void **state)
{
	struct client_token *token;
	struct error error = {0};
	unsigned version;

	(void)state;
	put("one\n", 4);
	token = client_token_open(path, &error);
	assert_non_null(token);
	version = client_token_version(token);
	assert_int_equal(client_token_read(token, &error), 0);
	assert_int_equal(client_token_version(token), version);

	put("", 0);
	assert_int_equal(client_token_read(token, &error), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(client_token_read(token, &error), -1);
	assert_int_equal(error.status, EX_NOINPUT);
	/* It must not wait for a writer. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(client_token_read(token, &error), -1);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(client_token_text(token), "one");
	assert_int_equal(client_token_version(token), version);

	put("two\n", 4);
	assert_int_equal(client_token_read(token, &error), 0);
	assert_string_equal(client_token_text(token), "two");
	assert_int_not_equal(client_token_version(token), version);
	client_token_free(token);
}

static void a_pipe_is_read_once(void **state)
{
	struct client_token *token;
	struct error error = {0};
	char name[40];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	token = client_token_open(name, &error);
	assert_non_null(token);
	assert_int_equal(write(ends[1], "three\n", 6), 6);
	assert_int_equal(client_token_read(token, &error), 0);
	assert_string_equal(client_token_text(token), "one");
	client_token_free(token);
	close(ends[0]);
	close(ends[1]);
}

static void who_can_read_the_file_is_told_once(void **state)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} rows[] = {{0600, false}, {0640, false}, {0644, true}, {0604, true}};

	(void)state;
	put("one\n", 4);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error error = {0};
		struct client_token *token;

		assert_int_equal(chmod(path, rows[i].mode), 0);
		token = client_token_open(path, &error);
		assert_non_null(token);
		assert_int_equal(client_token_is_exposed(token), rows[i].exposed);
		assert_false(client_token_is_exposed(token));
		client_token_free(token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_is_the_token),
		cmocka_unit_test(what_is_not_a_token_is_an_error_that_does_not_show_it),
		cmocka_unit_test(a_token_has_a_longest),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(
			a_changed_file_is_another_token_and_one_that_is_away_leaves_the_last),
		cmocka_unit_test(a_pipe_is_read_once),
		cmocka_unit_test(who_can_read_the_file_is_told_once),
	};
	struct CMUnitTest each[ROWS(tests)];

	for (size_t i = 0; i < ROWS(tests); i++) {
		each[i] = tests[i];
		each[i].setup_func = make_file;
		each[i].teardown_func = remove_file;
	}
	return cmocka_run_group_tests(each, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-tail/sign.c: what a file of keys has to hold, and the signatures. */
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

#include "client_run.h"
#include "sign.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The key of the standard's own example, and 24 and 64 bytes of zeros. */
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SHORTEST "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LONGEST                                                                                        \
	"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"=="

static char path[] = "/tmp/test_tail_sign.XXXXXX";

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

static int open_keys(struct sign *sign, const char *text, bool *exposed, struct error *error)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	return sign_open(sign, path, CLIENT_NEVER, exposed, error);
}

/* What is signed with these keys. */
static void is_signed(const char *keys, const char *want)
{
	static const char body[] = "{\"test\": 2432232314}";
	struct error error = {0};
	struct sign sign;
	struct buf out;
	bool exposed;

	buf_init(&out, 1000);
	assert_int_equal(open_keys(&sign, keys, &exposed, &error), 0);
	assert_true(sign_make(&sign, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
		(struct sse_text){body, strlen(body)}, &out));
	if (!buf_is(&out, want, strlen(want)))
		fail_msg("%.*s", (int)out.len, out.data);
	buf_free(&out);
	sign_close(&sign);
}

static void a_signature_is_the_published_one(void **state)
{
	(void)state;
	is_signed(KEY "\n", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void each_key_makes_a_signature(void **state)
{
	(void)state;
	is_signed("\n" SHORTEST "\r\n\n \t" KEY " ",
		"v1,woH/1mJtZGSMCmpFTxRYbStS24eLLD/oXIYr4PYyZ7g= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void data_may_be_missing(void **state)
{
	struct error error = {0};
	struct sign sign;
	struct buf out;
	bool exposed;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(open_keys(&sign, KEY, &exposed, &error), 0);
	assert_true(sign_make(&sign, "1", "2", (struct sse_text){0}, &out));
	assert_true(buf_is(&out, "v1,f1a4tN/lvugewWnGpk9VMCdpOK5/b1FQC3D0+cQXcUA=",
		strlen("v1,f1a4tN/lvugewWnGpk9VMCdpOK5/b1FQC3D0+cQXcUA=")));
	buf_free(&out);
	sign_close(&sign);
}

static void the_standard_bounds_a_key(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {{SHORTEST, 24}, {LONGEST, 64}, {KEY, 24}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error error = {0};
		struct sign sign;
		bool exposed;

		if (open_keys(&sign, rows[i].text, &exposed, &error) != 0 || sign.count != 1 ||
			sign.keys[0].len != rows[i].len)
			fail_msg("row %zu: %s", i, error.text);
		sign_close(&sign);
		assert_int_equal(sign.count, 0);
		assert_int_equal(sign.keys[0].len, 0);
	}
}

static void what_is_not_a_file_of_keys_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"", "is empty; it must hold a key"},
		{"\n \n\t\n", "is empty; it must hold a key"},
		{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 1 of "},
		{"whsec_", "line 1 of "},
		{"whsec_=", "line 1 of "},
		{"whsec_====", "line 1 of "},
		{"whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 1 of "},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", "line 1 of "},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "line 1 of "},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-", "line 1 of "},
		{"whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw", "line 1 of "},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw====", "line 1 of "},
		{LONGEST "AAAA", "line 1 of "},
		{KEY "\n\n# old\n", "line 3 of "},
		{KEY "\n" KEY "\n" KEY "\n" KEY "\n" KEY "\n" KEY "\n" KEY "\n" KEY "\n" KEY,
			"holds more than 8 keys"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error error = {0};
		struct sign sign;
		bool exposed;

		if (open_keys(&sign, rows[i].text, &exposed, &error) != -1 ||
			error.status != EX_DATAERR || strstr(error.text, rows[i].words) == NULL ||
			strstr(error.text, "MfKQ") != NULL)
			fail_msg("row %zu: %d %s", i, error.status, error.text);
		sign_close(&sign);
	}
}

static void a_file_is_not_read_without_end(void **state)
{
	struct error error = {0};
	struct sign sign;
	char text[5000];
	bool exposed;

	(void)state;
	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(open_keys(&sign, text, &exposed, &error), -1);
	assert_int_equal(error.status, EX_DATAERR);
	assert_non_null(strstr(error.text, "larger than 4 KiB"));
	sign_close(&sign);
	assert_int_equal(sign_open(&sign, "/nonexistent/key", CLIENT_NEVER, &exposed, &error), -1);
	assert_int_equal(error.status, EX_NOINPUT);
}

static void a_file_that_others_read_is_noticed(void **state)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} rows[] = {{0600, false}, {0400, false}, {0604, true}, {0644, true}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct error error = {0};
		struct sign sign;
		bool exposed;

		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(open_keys(&sign, KEY, &exposed, &error), 0);
		sign_close(&sign);
		assert_int_equal(chmod(path, rows[i].mode), 0);
		assert_int_equal(sign_open(&sign, path, CLIENT_NEVER, &exposed, &error), 0);
		if (exposed != rows[i].exposed)
			fail_msg("row %zu", i);
		sign_close(&sign);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_signature_is_the_published_one, make_file, remove_file),
		cmocka_unit_test_setup_teardown(each_key_makes_a_signature, make_file, remove_file),
		cmocka_unit_test_setup_teardown(data_may_be_missing, make_file, remove_file),
		cmocka_unit_test_setup_teardown(the_standard_bounds_a_key, make_file, remove_file),
		cmocka_unit_test_setup_teardown(
			what_is_not_a_file_of_keys_is_refused, make_file, remove_file),
		cmocka_unit_test_setup_teardown(
			a_file_is_not_read_without_end, make_file, remove_file),
		cmocka_unit_test_setup_teardown(
			a_file_that_others_read_is_noticed, make_file, remove_file),
	};
	struct error error;

	return client_start(&error) != 0 ? 1
					 : cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}

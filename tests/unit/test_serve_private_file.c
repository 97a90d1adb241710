/* SPDX-License-Identifier: MIT */
/* Which files are believed, and who else could read them. */
#include <errno.h>
#include <fcntl.h>
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

#include "access/private_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/sse_private_XXXXXX";
static char path[sizeof(folder) + 16];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, size_t len, mode_t mode)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void refused(int status, const char *word)
{
	struct error error = {0};
	bool exposed;
	struct buf out;

	assert_int_equal(private_file_read(path, &out, &exposed, &error), -1);
	assert_int_equal(error.status, status);
	assert_non_null(strstr(error.text, word));
	assert_non_null(strstr(error.text, path));
	assert_null(out.data);
}

static void reads_all_of_it(void **state)
{
	static const char text[] = "one\0two\n";
	struct error error = {0};
	bool exposed = true;
	struct buf out;

	(void)state;
	write_file(text, sizeof(text) - 1, 0600);
	assert_int_equal(private_file_read(path, &out, &exposed, &error), 0);
	assert_true(buf_is(&out, text, sizeof(text) - 1));
	assert_false(exposed);
	private_file_wipe(&out);
	assert_null(out.data);
	private_file_wipe(&out);
}

static void tells_who_else_can_read_it(void **state)
{
	const bool root = geteuid() == 0;
	const struct {
		mode_t mode;
		bool exposed;
	} rows[] = {
		{0400, false},
		{0600, false},
		{0700, false},
		{0640, !root}, /* the test's own file */
		{0604, true},
		{0644, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0};
		bool exposed;
		struct buf out;

		write_file("x", 1, rows[i].mode);
		assert_int_equal(private_file_read(path, &out, &exposed, &error), 0);
		if (exposed != rows[i].exposed)
			fail_msg("mode %o: %d", (unsigned)rows[i].mode, exposed);
		private_file_wipe(&out);
	}
}

/* Only root can give a file away. */
static void the_group_of_a_file_of_ours_is_others(void **state)
{
	struct error error = {0};
	bool exposed = false;
	struct buf out;
	int result;

	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("x", 1, 0640);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(chmod(folder, 0711), 0);
	assert_int_equal(seteuid(12345), 0);
	result = private_file_read(path, &out, &exposed, &error);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, 0);
	assert_true(exposed);
	private_file_wipe(&out);
}

static void refuses_a_file_of_somebody_else(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("x", 1, 0600);
	assert_int_equal(chown(path, 12345, 12345), 0);
	refused(EX_NOINPUT, "another user");
}

static void refuses_what_others_can_write(void **state)
{
	static const mode_t modes[] = {0620, 0602, 0664, 0666};

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		write_file("x", 1, modes[i]);
		refused(EX_NOINPUT, "chmod go-w");
	}
}

static void refuses_what_is_not_a_file(void **state)
{
	(void)state;
	unlink(path);
	refused(EX_NOINPUT, strerror(ENOENT));
	assert_int_equal(mkdir(path, 0700), 0);
	refused(EX_NOINPUT, "regular");
	assert_int_equal(rmdir(path), 0);
	/* Nobody writes to it, and nobody waits. */
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(EX_NOINPUT, "regular");
}

static void has_a_largest_size(void **state)
{
	char *text = calloc(1, PRIVATE_FILE_MAX + 1);
	struct error error = {0};
	bool exposed;
	struct buf out;

	(void)state;
	assert_non_null(text);
	write_file(text, PRIVATE_FILE_MAX, 0600);
	assert_int_equal(private_file_read(path, &out, &exposed, &error), 0);
	assert_int_equal(out.len, PRIVATE_FILE_MAX);
	private_file_wipe(&out);
	write_file(text, PRIVATE_FILE_MAX + 1, 0600);
	refused(EX_NOINPUT, "1 MiB");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_of_it),
		cmocka_unit_test(tells_who_else_can_read_it),
		cmocka_unit_test(the_group_of_a_file_of_ours_is_others),
		cmocka_unit_test(refuses_a_file_of_somebody_else),
		cmocka_unit_test(refuses_what_others_can_write),
		cmocka_unit_test(refuses_what_is_not_a_file),
		cmocka_unit_test(has_a_largest_size),
	};

	return cmocka_run_group_tests_name("serve_private_file", tests, set_up, tear_down);
}

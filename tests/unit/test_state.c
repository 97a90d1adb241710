/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/state.c, in a folder of their own. */
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

#include "state.h"

static int enter(void **state)
{
	static char folder[] = "/tmp/test_state.XXXXXX";

	*state = folder;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	unlink("s");
	unlink("link");
	return chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
}

static void put(const char *content, size_t len)
{
	FILE *file = fopen("s", "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *want)
{
	struct error error = {0};
	struct buf id;

	buf_init(&id, 0);
	assert_int_equal(state_load("s", &id, &error), 0);
	assert_int_equal(id.len, strlen(want));
	assert_memory_equal(id.data ? id.data : "", want, id.len);
	buf_free(&id);
}

static void there_is_no_id_without_a_file_and_in_an_empty_one(void **state)
{
	(void)state;
	unlink("s");
	assert_holds("");
	put("", 0);
	assert_holds("");
	put("\n", 1);
	assert_holds("");
}

static void reads_what_it_wrote(void **state)
{
	struct error error = {0};
	struct state file;
	struct stat status;

	(void)state;
	unlink("s");
	assert_int_equal(state_open(&file, "s", &error), 0);
	assert_holds("");
	assert_int_equal(state_save(&file, "Iz6z:1", 6, 5000, &error), 0);
	assert_holds("Iz6z:1");
	assert_int_equal(stat("s", &status), 0);
	assert_int_equal(status.st_size, 7);
	assert_int_equal(state_save(&file, "\xc3\xa9", 2, 5001, &error), 0);
	assert_holds("\xc3\xa9");
	assert_int_equal(access("s.new", F_OK), -1);
	state_close(&file);
}

static void syncs_at_most_once_a_second(void **state)
{
	struct error error = {0};
	struct state file;

	(void)state;
	assert_int_equal(state_open(&file, "s", &error), 0);
	assert_int_equal(state_save(&file, "1", 1, 5000, &error), 0);
	assert_true(state_due(&file) == INT64_MAX);
	assert_int_equal(state_save(&file, "2", 1, 5999, &error), 0);
	assert_true(state_due(&file) == 6000);
	assert_int_equal(state_save(&file, "3", 1, 6000, &error), 0);
	assert_true(state_due(&file) == INT64_MAX);
	assert_int_equal(state_save(&file, "4", 1, 6001, &error), 0);
	assert_int_equal(state_sync(&file, 7000, &error), 0);
	assert_true(state_due(&file) == INT64_MAX);
	assert_holds("4");
	state_close(&file);
}

static void an_id_that_cannot_be_one_leaves_the_file(void **state)
{
	static char large[STATE_ID_MAX + 1];
	struct error error = {0};
	struct state file;

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(state_open(&file, "s", &error), 0);
	assert_int_equal(state_save(&file, "good", 4, 1, &error), 0);
	assert_int_equal(state_save(&file, "a\nb", 3, 1, &error), -1);
	assert_int_equal(error.status, EX_DATAERR);
	assert_int_equal(state_save(&file, "a\0b", 3, 1, &error), -1);
	assert_int_equal(state_save(&file, "\xff", 1, 1, &error), -1);
	assert_int_equal(state_save(&file, large, sizeof(large), 1, &error), -1);
	assert_holds("good");
	assert_int_equal(state_save(&file, large, STATE_ID_MAX, 1, &error), 0);
	state_close(&file);
	put("a\nb\n", 4);
	{
		struct buf id;

		buf_init(&id, 0);
		assert_int_equal(state_load("s", &id, &error), -1);
		assert_int_equal(error.status, EX_DATAERR);
		assert_non_null(strstr(error.text, "s is not a state file"));
		buf_free(&id);
	}
}

static void a_place_that_cannot_be_written_is_known_at_once(void **state)
{
	struct error error = {0};
	struct state file;

	(void)state;
	assert_int_equal(state_open(&file, "missing/s", &error), -1);
	assert_int_equal(error.status, EX_CANTCREAT);
	state_close(&file);
	assert_int_equal(state_open(&file, "/dev/null", &error), -1);
	assert_int_equal(error.status, EX_CANTCREAT);
	state_close(&file);
}

static void one_process_keeps_it_and_its_mode_stays(void **state)
{
	struct error error = {0};
	struct state file, other;
	struct stat status;

	(void)state;
	put("old\n", 4);
	assert_int_equal(chmod("s", 0640), 0);
	assert_int_equal(state_open(&file, "s", &error), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(state_open(&other, "s", &error), -1);
		assert_int_equal(error.status, EX_TEMPFAIL);
		state_close(&other);
		assert_int_equal(state_save(&file, "new", 3, 1, &error), 0);
	}
	assert_int_equal(stat("s", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	state_close(&file);
	assert_int_equal(state_open(&other, "s", &error), 0);
	state_close(&other);
}

static void a_pipe_is_no_state_and_holds_nobody_up(void **state)
{
	struct error error = {0};
	struct state file;
	struct buf id;

	(void)state;
	buf_init(&id, 0);
	unlink("s");
	assert_int_equal(mkfifo("s", 0600), 0);
	assert_int_equal(state_load("s", &id, &error), -1);
	assert_int_equal(error.status, EX_NOINPUT);
	assert_int_equal(state_open(&file, "s", &error), -1);
	assert_int_equal(error.status, EX_CANTCREAT);
	state_close(&file);
	buf_free(&id);
	unlink("s");
}

static void a_link_stays_one(void **state)
{
	struct error error = {0};
	struct state file;
	struct stat status;

	(void)state;
	put("old\n", 4);
	assert_int_equal(symlink("s", "link"), 0);
	assert_int_equal(state_open(&file, "link", &error), 0);
	assert_int_equal(state_save(&file, "new", 3, 1, &error), 0);
	state_close(&file);
	assert_int_equal(lstat("link", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_holds("new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_no_id_without_a_file_and_in_an_empty_one),
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(syncs_at_most_once_a_second),
		cmocka_unit_test(an_id_that_cannot_be_one_leaves_the_file),
		cmocka_unit_test(a_place_that_cannot_be_written_is_known_at_once),
		cmocka_unit_test(one_process_keeps_it_and_its_mode_stays),
		cmocka_unit_test(a_pipe_is_no_state_and_holds_nobody_up),
		cmocka_unit_test(a_link_stays_one),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests of the spool of cmd/sse-post, from durable files to the look at all queues, in a folder of
 * their own.  A process that was killed is one that closes without having told how it went.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
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

#include "file.h"
#include "spool/consumer.h"
#include "spool/dead_letter.h"
#include "spool/durable.h"
#include "spool/queue.h"
#include "spool/queue_count.h"
#include "spool/spool.h"
#include "spool/spool_name.h"

#define URL "http://localhost:8000/api/users"
#define MODE 0640

static const struct queue_limits any = {1000, 1000000, 0};

/* --- set-up ---------------------------------------------------------------------------------- */

static char home[64];

static int enter(void **state)
{
	(void)state;
	strcpy(home, "/tmp/test_post_spool.XXXXXX");
	return mkdtemp(home) != NULL && chdir(home) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static int leave(void **state)
{
	(void)state;
	return chdir("/") == 0 && nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *want)
{
	FILE *file = fopen(path, "r");
	char text[4096];
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	if (strstr(text, want) == NULL)
		fail_msg("%s holds '%s', not '%s'", path, text, want);
}

/* A path within the folder of the queue for URL. */
static const char *in_queue(const char *name)
{
	static char path[SPOOL_NAME_SIZE + 256];
	char queue[SPOOL_NAME_SIZE];

	spool_name_queue(URL, queue);
	snprintf(path, sizeof(path), "spool/%s/%s", queue, name);
	return path;
}

static bool is_in_queue(const char *name)
{
	return access(in_queue(name), F_OK) == 0;
}

static void open_queue(struct queue *queue, const struct queue_limits *limits)
{
	struct error error = {0};

	if (queue_open(queue, "spool", URL, limits, &error) != 0)
		fail_msg("%s", error.text);
}

/* Events with these texts, a letter each, and keys unless ${once}. */
static void make_group(struct group *group, const char *letters, bool once)
{
	group_init(group);
	for (; *letters != '\0'; letters++) {
		struct event event = {.kind = EVENT_TEXT};
		char key[3] = {'k', *letters, '\0'};

		assert_true(group_put(group, letters, 1, &event.data));
		assert_true(group_put(group, key, once ? 0 : 2, &event.key));
		assert_true(group_add(group, &event));
	}
}

static int append(struct queue *queue, const char *letters, size_t *stored, struct error *error)
{
	struct group group;
	int result;

	make_group(&group, letters, false);
	*stored = 0;
	result = queue_append(queue, &group, stored, "away", error);
	group_free(&group);
	return result;
}

static void append_all(struct queue *queue, const char *letters)
{
	struct error error = {0};
	size_t stored;

	if (append(queue, letters, &stored, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(stored, strlen(letters));
}

static void append_once(struct queue *queue, const char *letters)
{
	struct error error = {0};
	struct group group;
	size_t stored = 0;

	make_group(&group, letters, true);
	assert_int_equal(queue_append(queue, &group, &stored, "away", &error), 0);
	group_free(&group);
}

/* A consumer that is the one who delivers. */
static struct consumer *begin(struct queue *queue)
{
	struct consumer *consumer = consumer_new(queue, NULL, NULL);
	struct error error = {0};

	assert_non_null(consumer);
	assert_int_equal(consumer_begin(consumer, &error), 1);
	return consumer;
}

static void end(struct consumer *consumer)
{
	consumer_end(consumer);
	consumer_free(consumer);
}

static void assert_group(const struct group *group, const char *letters)
{
	char got[64] = "";

	for (size_t i = 0; i < group->count; i++)
		got[i] = group_text(group, group->all[i].data).data[0];
	assert_string_equal(got, letters);
}

/* The next events are these; "" if none wait. */
static void take(struct consumer *consumer, struct group *group, size_t max, const char *letters)
{
	struct error error = {0};
	int result;

	group_clear(group);
	result = consumer_take(consumer, group, max, 100000, &error);
	if (result != (letters[0] != '\0'))
		fail_msg("%d for '%s': %s", result, letters, error.text);
	assert_group(group, letters);
}

static void done(struct consumer *consumer, const struct group *group, size_t settled)
{
	struct error error = {0};

	if (consumer_done(consumer, group, settled, &error) != 0)
		fail_msg("%s", error.text);
}

/* All that waits is this, and goes. */
static void drain(struct queue *queue, const char *letters)
{
	struct consumer *consumer = begin(queue);
	struct group group;

	group_init(&group);
	take(consumer, &group, 100, letters);
	done(consumer, &group, group.count);
	take(consumer, &group, 100, "");
	end(consumer);
	group_free(&group);
	assert_true(queue_is_empty(queue));
}

/* --- names ----------------------------------------------------------------------------------- */

static void names_are_read_as_they_are_made(void **state)
{
	static const char *const others[] = {"", "url", "new", ".events", "1.events", "1..events",
		"1.0.events", "1.x.events", "a.1.events", "-1.1.events", "1.1.events.reason",
		"1.1.event", "1.1x.events", "1.1.2.events"};
	char name[SPOOL_NAME_SIZE], other[SPOOL_NAME_SIZE];
	uint64_t number, events;

	(void)state;
	spool_name_file(12, 3, name);
	assert_string_equal(name, "0000000000000012.3.events");
	assert_true(spool_name_read(name, &number, &events));
	assert_int_equal(number, 12);
	assert_int_equal(events, 3);
	spool_name_rest(name, 2, other);
	assert_string_equal(other, "0000000000000012.2.events");
	spool_name_again(name, "-2", 1, other);
	assert_string_equal(other, "0000000000000012-2.1.events");
	assert_true(spool_name_read(other, &number, &events));
	assert_int_equal(number, 12);
	spool_name_file(SPOOL_NAME_NUMBER_MAX, UINT64_MAX, name);
	assert_true(spool_name_read(name, &number, &events));
	assert_true(number == SPOOL_NAME_NUMBER_MAX);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (spool_name_read(others[i], &number, &events))
			fail_msg("'%s'", others[i]);
	}
}

static void each_url_has_a_folder_name_of_its_own(void **state)
{
	char a[SPOOL_NAME_SIZE], b[SPOOL_NAME_SIZE], long_url[600];

	(void)state;
	spool_name_queue(URL, a);
	/* Another version of the program finds what this one has put there. */
	assert_string_equal(a, "localhost_8000_api_users-1fb07c54f4ddcaee");
	spool_name_queue("https://localhost:8000/api/users", b);
	assert_string_not_equal(a, b);
	/* What the slug makes alike, and what it cuts. */
	spool_name_queue("http://localhost:8000/api?users", b);
	assert_string_not_equal(a, b);
	memset(long_url, 'x', sizeof(long_url) - 1);
	long_url[sizeof(long_url) - 1] = '\0';
	spool_name_queue(long_url, a);
	long_url[sizeof(long_url) - 2] = 'y';
	spool_name_queue(long_url, b);
	assert_string_not_equal(a, b);
	assert_true(strlen(a) < SPOOL_NAME_SIZE);
	/* No URL is a hidden file, or leads out of the spool. */
	spool_name_queue("http://../../x", a);
	assert_int_equal(a[0], '_');
	assert_null(strchr(a, '/'));
}

/* --- durable files --------------------------------------------------------------------------- */

static void a_file_takes_the_place_of_another_whole(void **state)
{
	int folder = open(".", O_RDONLY | O_DIRECTORY);
	struct stat status;

	(void)state;
	/* A kill left this; so it is a link, which must not be followed. */
	put("other", "other");
	assert_int_equal(symlink("other", DURABLE_NEW), 0);
	umask(077);
	assert_true(durable_put(folder, "f", MODE, "one", 3));
	umask(022);
	assert_holds("f", "one");
	assert_int_equal(stat("f", &status), 0);
	assert_int_equal(status.st_mode & 07777, MODE);
	assert_true(durable_put(folder, "f", MODE, "two", 3));
	assert_holds("f", "two");
	assert_holds("other", "other");
	/* A folder has the name: nothing is changed, and nothing is left. */
	assert_int_equal(mkdir("d", 0700), 0);
	assert_false(durable_put(folder, "d", MODE, "x", 1));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(access(DURABLE_NEW, F_OK), -1);
	close(folder);
}

static void a_move_takes_no_name_away(void **state)
{
	int folder = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	put("a", "a");
	put("b", "b");
	assert_false(file_move(folder, "a", folder, "b"));
	assert_int_equal(errno, EEXIST);
	assert_holds("a", "a");
	assert_holds("b", "b");
	assert_true(file_move(folder, "a", folder, "c"));
	assert_holds("c", "a");
	assert_int_equal(access("a", F_OK), -1);
	assert_false(file_move(folder, "a", folder, "e"));
	assert_int_equal(errno, ENOENT);
	close(folder);
}

static void assert_not_read(int folder, const char *name, int number)
{
	struct buf text;

	buf_init(&text, 8);
	assert_int_equal(durable_read(folder, name, &text), -1);
	assert_int_equal(errno, number);
	buf_free(&text);
}

static void only_files_are_read_and_only_as_much_as_fits(void **state)
{
	int folder = open(".", O_RDONLY | O_DIRECTORY);
	struct buf text;

	(void)state;
	put("f", "1234567");
	put("large", "123456789");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_not_read(folder, "missing", ENOENT);
	assert_not_read(folder, "pipe", ENXIO);
	assert_not_read(folder, "link", ELOOP);
	assert_not_read(folder, "d", ENXIO);
	assert_not_read(folder, "large", EFBIG);
	buf_init(&text, 8);
	assert_int_equal(durable_read(folder, "f", &text), 0);
	assert_int_equal(text.len, 7);
	assert_memory_equal(text.data, "1234567", 7);
	buf_free(&text);
	close(folder);
}

/* --- order ----------------------------------------------------------------------------------- */

static void what_comes_first_goes_first(void **state)
{
	struct queue queue;
	struct consumer *consumer;
	struct group group;

	(void)state;
	open_queue(&queue, &any);
	assert_true(queue_is_empty(&queue));
	append_all(&queue, "abc");
	append_all(&queue, "d");
	append_all(&queue, "ef");
	assert_false(queue_is_empty(&queue));
	group_init(&group);
	consumer = begin(&queue);
	/* As many files as fit, and one in any case. */
	take(consumer, &group, 2, "abc");
	take(consumer, &group, 3, "def");
	/* What was taken and not settled comes again. */
	take(consumer, &group, 100, "abcdef");
	done(consumer, &group, 0);
	take(consumer, &group, 4, "abcd");
	done(consumer, &group, 4);
	append_all(&queue, "g");
	take(consumer, &group, 100, "ef");
	done(consumer, &group, 2);
	take(consumer, &group, 100, "g");
	done(consumer, &group, 1);
	take(consumer, &group, 100, "");
	end(consumer);
	group_free(&group);
	queue_close(&queue);
}

static void a_part_of_a_file_that_is_settled_does_not_come_again(void **state)
{
	struct queue queue;
	struct consumer *consumer;
	struct group group;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "ab");
	append_all(&queue, "cde");
	append_all(&queue, "f");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "abcdef");
	done(consumer, &group, 3);
	assert_false(is_in_queue("0000000000000001.2.events"));
	assert_false(is_in_queue("0000000000000002.3.events"));
	assert_true(is_in_queue("0000000000000002.2.events"));
	end(consumer);
	group_free(&group);
	drain(&queue, "def");
	queue_close(&queue);
}

static void one_at_a_time_delivers_and_others_append(void **state)
{
	struct queue queue, other;
	struct consumer *first, *second;
	struct error error = {0};

	(void)state;
	open_queue(&queue, &any);
	open_queue(&other, &any);
	append_all(&queue, "a");
	first = begin(&queue);
	second = consumer_new(&other, NULL, NULL);
	assert_int_equal(consumer_begin(second, &error), 0);
	append_all(&other, "b");
	end(first);
	assert_int_equal(consumer_begin(second, &error), 1);
	end(second);
	drain(&other, "ab");
	queue_close(&other);
	queue_close(&queue);
}

static void the_folder_of_another_url_is_not_used(void **state)
{
	struct error error = {0};
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	queue_close(&queue);
	/* A kill amid the first run leaves a part of it, which is mended. */
	put(in_queue("url"), "sse-post sp");
	open_queue(&queue, &any);
	queue_close(&queue);
	assert_holds(in_queue("url"), "sse-post spool 1\nurl: " URL "\n");
	put(in_queue("url"), "sse-post spool 1\nurl: http://other/\n");
	assert_int_equal(queue_open(&queue, "spool", URL, &any, &error), -1);
	assert_int_equal(error.status, EX_IOERR);
	assert_non_null(strstr(error.text, "does not name " URL));
	queue_close(&queue);
}

/* --- limits and their count ------------------------------------------------------------------ */

static void a_full_queue_takes_what_has_room(void **state)
{
	static const struct queue_limits few = {4, 1000000, 0};
	struct error error = {0};
	struct queue queue;
	size_t stored;

	(void)state;
	open_queue(&queue, &few);
	append_all(&queue, "a");
	assert_int_equal(append(&queue, "bcdef", &stored, &error), -1);
	assert_int_equal(error.status, EX_TEMPFAIL);
	assert_int_equal(stored, 3);
	assert_non_null(strstr(error.text, "4 events wait for this URL, and --spool-max allows 4"));
	assert_int_equal(append(&queue, "g", &stored, &error), -1);
	assert_int_equal(stored, 0);
	drain(&queue, "abcd");
	append_all(&queue, "h");
	queue_close(&queue);
}

static void bytes_are_a_limit_too(void **state)
{
	static const struct queue_limits small = {1000, 400, 0};
	struct error error = {0};
	struct queue queue;
	size_t stored, more = 0;

	(void)state;
	open_queue(&queue, &small);
	append_all(&queue, "a");
	while (append(&queue, "b", &stored, &error) == 0 && more < 10)
		more++;
	assert_true(more < 3);
	assert_int_equal(error.status, EX_TEMPFAIL);
	assert_non_null(
		strstr(error.text, "bytes wait for this URL, and --spool-max-size allows 400"));
	queue_close(&queue);
}

static void the_count_is_a_hint(void **state)
{
	static const struct queue_limits few = {3, 1000000, 0};
	static const char *const hints[] = {"", "garbage\n",
		"next 0000000000000099 events 0000000000000099 bytes 0000000000000099\n",
		"next 0000000000000001 events 0000000000000000 bytes 0000000000000000\n"};
	struct error error = {0};
	struct queue queue;
	size_t stored;

	(void)state;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		open_queue(&queue, &few);
		append_all(&queue, "ab");
		queue_close(&queue);
		/* A process that comes counts for itself. */
		put(in_queue("lock"), hints[i]);
		open_queue(&queue, &few);
		assert_int_equal(append(&queue, "cd", &stored, &error), -1);
		assert_int_equal(stored, 1);
		/* One that has counted trusts it, but for a refusal. */
		drain(&queue, "abc");
		append_all(&queue, "a");
		put(in_queue("lock"), hints[2]);
		append_all(&queue, "b");
		drain(&queue, "ab");
		queue_close(&queue);
	}
}

static void the_hint_says_what_waits(void **state)
{
	struct queue_count hint, files;
	struct error error = {0};
	struct consumer *consumer;
	struct group group;
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "abc");
	append_all(&queue, "d");
	group_init(&group);
	for (size_t settled = 0; settled < 3; settled++) {
		consumer = begin(&queue);
		assert_true(queue_count_read(&queue.folder, &hint));
		assert_int_equal(queue_count_files(&queue.folder, &files, &error), 0);
		assert_int_equal(files.events, 4 - settled);
		assert_int_equal(hint.next, 3);
		assert_int_equal(files.next, 3);
		assert_int_equal(hint.events, files.events);
		assert_int_equal(hint.bytes, files.bytes);
		take(consumer, &group, 1, settled == 0 ? "abc" : settled == 1 ? "bc" : "c");
		done(consumer, &group, 1);
		end(consumer);
	}
	group_free(&group);
	queue_close(&queue);
}

static void the_rest_of_a_file_counts_for_the_limit(void **state)
{
	static const struct queue_limits few = {10, 1000000, 0};
	struct error error = {0};
	struct consumer *consumer;
	struct group group;
	struct queue queue;
	size_t stored;

	(void)state;
	open_queue(&queue, &few);
	append_all(&queue, "abcdefghij");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "abcdefghij");
	done(consumer, &group, 4);
	end(consumer);
	group_free(&group);
	assert_int_equal(append(&queue, "klmnopqrst", &stored, &error), -1);
	assert_int_equal(error.status, EX_TEMPFAIL);
	assert_int_equal(stored, 4);
	drain(&queue, "efghijklmn");
	queue_close(&queue);
}

static void no_number_is_used_twice(void **state)
{
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "a");
	append_all(&queue, "b");
	drain(&queue, "ab");
	queue_close(&queue);
	open_queue(&queue, &any);
	append_all(&queue, "c");
	assert_true(is_in_queue("0000000000000003.1.events"));
	queue_close(&queue);
}

/* --- dead letters ---------------------------------------------------------------------------- */

static void tell_text(void *context, const struct error *failure)
{
	strncat(context, strrchr(failure->text, '/') + 1, 100);
	strncat(context, "\n", 2);
}

static void a_refused_event_is_a_copy_with_its_reason(void **state)
{
	struct error error = {0};
	struct consumer *consumer;
	struct group group;
	struct queue queue;
	char told[1024] = "";
	const char *last;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "ab");
	append_all(&queue, "c");
	group_init(&group);
	consumer = consumer_new(&queue, tell_text, told);
	assert_int_equal(consumer_begin(consumer, &error), 1);
	take(consumer, &group, 100, "abc");
	assert_int_equal(consumer_failed(consumer, &last), 0);
	assert_int_equal(consumer_fail(consumer, &group, 1, "no b", &error), 0);
	assert_int_equal(consumer_fail(consumer, &group, 1, "no b again", &error), 0);
	assert_int_equal(consumer_fail(consumer, &group, 2, "no c", &error), 0);
	assert_holds(in_queue("failed/0000000000000001-2.1.events"), "reason: no b\n");
	assert_holds(in_queue("failed/0000000000000001-2.1.events"), "\"text\":\"b\"");
	assert_holds(in_queue("failed/0000000000000001-2-2.1.events"), "no b again");
	assert_holds(in_queue("failed/0000000000000002-1.1.events"), "\"text\":\"c\"");
	assert_int_equal(dead_letter_count(&queue.folder), 3);
	/* Each was told when the next one came; the last is the caller's to tell. */
	assert_string_equal(told, "0000000000000001-2.1.events: no b\n"
				  "0000000000000001-2-2.1.events: no b again\n");
	assert_int_equal(consumer_failed(consumer, &last), 3);
	assert_non_null(strstr(last, "failed/0000000000000002-1.1.events: no c"));
	consumer_tell_last(consumer);
	consumer_tell_last(consumer);
	assert_non_null(strstr(told, "again\n0000000000000002-1.1.events: no c\n"));
	assert_null(strstr(strstr(told, "no c") + 4, "no c"));
	done(consumer, &group, 3);
	end(consumer);
	/* One that never was in the queue has a number of its own. */
	assert_int_equal(queue_refuse(&queue, &group, 0, "not a", &error), 0);
	assert_holds(in_queue("failed/0000000000000003.1.events"), "not a");
	append_all(&queue, "d");
	assert_true(is_in_queue("0000000000000004.1.events"));
	group_free(&group);
	queue_close(&queue);
}

static void what_cannot_be_read_is_put_aside_whole(void **state)
{
	struct queue_count hint;
	struct consumer *consumer;
	struct group group;
	struct queue queue;
	const char *last;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "a");
	put(in_queue("0000000000000002.1.events"), "nothing like an entry\n");
	assert_int_equal(mkfifo(in_queue("0000000000000003.1.events"), 0600), 0);
	queue_close(&queue);
	open_queue(&queue, &any);
	append_all(&queue, "b");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "ab");
	assert_int_equal(consumer_failed(consumer, &last), 2);
	assert_holds(in_queue("failed/0000000000000002.1.events"), "nothing like an entry\n");
	assert_holds(in_queue("failed/0000000000000002.1.events.reason"), "reason: ");
	assert_true(is_in_queue("failed/0000000000000003.1.events"));
	assert_holds(
		in_queue("failed/0000000000000003.1.events.reason"), "it is not a regular file");
	done(consumer, &group, 2);
	end(consumer);
	/* They are not counted any more. */
	assert_true(queue_count_read(&queue.folder, &hint));
	assert_int_equal(hint.events, 0);
	group_free(&group);
	queue_close(&queue);
}

static void of_a_damaged_file_the_healthy_lines_are_taken(void **state)
{
	struct consumer *consumer;
	struct group group;
	struct queue queue;
	const char *last;

	(void)state;
	open_queue(&queue, &any);
	put(in_queue("0000000000000001.3.events"),
		"sse-post spool 1\nurl: " URL "\nspooled: 2026-11-26T03:00:01.123Z\nreason: away\n"
		"events: 3\n\n"
		"{\"key\":\"ka\",\"text\":\"a\"}\n{\"key\":\"kb\",\"te\n{\"key\":\"kc\",\"text\":\"c\"}\n");
	append_all(&queue, "d");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "acd");
	assert_int_equal(consumer_failed(consumer, &last), 1);
	assert_holds(in_queue("failed/0000000000000001.1.events"), "{\"key\":\"kb\",\"te\n");
	assert_holds(in_queue("failed/0000000000000001.1.events"), "cannot be read as events");
	assert_false(is_in_queue("0000000000000001.3.events"));
	assert_holds(in_queue("0000000000000001.2.events"), "2026-11-26T03:00:01.123Z");
	done(consumer, &group, 1);
	end(consumer);
	group_free(&group);
	drain(&queue, "cd");
	queue_close(&queue);
}

static void a_rest_in_the_place_of_its_file_is_counted_once(void **state)
{
	struct queue_count hint, files;
	struct error error = {0};
	struct consumer *consumer;
	struct group group;
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	/* The name says 2: with the rest it stays the same. */
	put(in_queue("0000000000000001.2.events"),
		"sse-post spool 1\nurl: " URL "\nspooled: 2026-11-26T03:00:01.123Z\nreason: away\n"
		"events: 3\n\n"
		"{\"key\":\"ka\",\"text\":\"a\"}\n{\"key\":\"kb\",\"te\n{\"key\":\"kc\",\"text\":\"c\"}\n");
	append_all(&queue, "d");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "acd");
	assert_true(queue_count_read(&queue.folder, &hint));
	assert_int_equal(queue_count_files(&queue.folder, &files, &error), 0);
	assert_int_equal(files.events, 3);
	assert_int_equal(hint.events, files.events);
	assert_int_equal(hint.bytes, files.bytes);
	end(consumer);
	group_free(&group);
	queue_close(&queue);
}

static void what_waited_too_long_is_put_aside(void **state)
{
	static const struct queue_limits young = {1000, 1000000, 3600000};
	struct consumer *consumer;
	struct group group;
	struct queue queue;

	(void)state;
	open_queue(&queue, &young);
	put(in_queue("0000000000000001.1.events"),
		"sse-post spool 1\nurl: " URL "\nspooled: 2001-11-26T03:00:01.123Z\nreason: away\n"
		"events: 1\n\n{\"key\":\"ka\",\"text\":\"a\"}\n");
	append_all(&queue, "b");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "b");
	assert_holds(in_queue("failed/0000000000000001.1.events.reason"),
		"it has waited for longer than --spool-max-age, 1h");
	end(consumer);
	group_free(&group);
	queue_close(&queue);
}

static void a_file_of_a_later_version_stands_in_the_way(void **state)
{
	struct consumer *consumer;
	struct error error = {0};
	struct group group;
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "a");
	put(in_queue("0000000000000002.1.events"), "sse-post spool 2\n\n");
	queue_close(&queue);
	open_queue(&queue, &any);
	append_all(&queue, "b");
	group_init(&group);
	consumer = begin(&queue);
	/* What is before it can go. */
	take(consumer, &group, 100, "a");
	done(consumer, &group, 1);
	group_clear(&group);
	assert_int_equal(consumer_take(consumer, &group, 100, 100000, &error), -1);
	assert_int_equal(error.status, EX_IOERR);
	assert_int_equal(group.count, 0);
	assert_true(is_in_queue("0000000000000002.1.events"));
	end(consumer);
	group_free(&group);
	queue_close(&queue);
}

/* --- at most once ---------------------------------------------------------------------------- */

static void without_a_key_a_file_goes_alone_and_once(void **state)
{
	struct consumer *consumer;
	struct group group;
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "a");
	append_once(&queue, "bc");
	append_once(&queue, "d");
	append_all(&queue, "e");
	group_init(&group);
	consumer = begin(&queue);
	take(consumer, &group, 100, "a");
	assert_false(is_in_queue("sending"));
	done(consumer, &group, 1);
	take(consumer, &group, 100, "bc");
	assert_holds(in_queue("sending"), "0000000000000002.2.events");
	done(consumer, &group, 2);
	assert_false(is_in_queue("sending"));
	take(consumer, &group, 100, "d");
	/* Killed here: nobody knows whether it was stored. */
	end(consumer);
	group_free(&group);
	queue_close(&queue);
	open_queue(&queue, &any);
	drain(&queue, "e");
	assert_holds(
		in_queue("failed/0000000000000003.1.events.reason"), "a run ended while it was");
	assert_false(is_in_queue("sending"));
	queue_close(&queue);
}

/* --- the whole spool ------------------------------------------------------------------------- */

struct seen {
	char urls[256];
	uint64_t events, bytes, failed;
	int64_t oldest;
	size_t left;
};

static bool see(void *context, const struct spool_status *status)
{
	struct seen *seen = context;

	strncat(seen->urls, status->url, 100);
	strncat(seen->urls, " ", 2);
	seen->events += status->events;
	seen->bytes += status->bytes;
	seen->failed += status->failed;
	seen->oldest = status->oldest;
	return --seen->left > 0;
}

static void all_queues_are_seen(void **state)
{
	struct error error = {0};
	struct queue queue, other;
	struct seen seen = {.left = 9};
	struct group group;

	(void)state;
	assert_int_equal(spool_each("spool", see, &seen, &error), 0);
	assert_string_equal(seen.urls, "");
	open_queue(&queue, &any);
	append_all(&queue, "abc");
	make_group(&group, "x", false);
	assert_int_equal(queue_refuse(&queue, &group, 0, "no", &error), 0);
	group_free(&group);
	assert_int_equal(queue_open(&other, "spool", "http://other/", &any, &error), 0);
	append_all(&other, "d");
	assert_int_equal(spool_each("spool", see, &seen, &error), 0);
	assert_string_equal(seen.urls, URL " http://other/ ");
	assert_int_equal(seen.events, 4);
	assert_int_equal(seen.failed, 1);
	assert_true(seen.bytes > 0);
	assert_true(seen.oldest > INT64_C(1700000000000));
	/* It stops when it is told to. */
	seen = (struct seen){.left = 1};
	assert_int_equal(spool_each("spool", see, &seen, &error), 0);
	assert_string_equal(seen.urls, URL " ");
	queue_close(&other);
	queue_close(&queue);
}

static void a_url_that_is_lost_stands_in_the_events(void **state)
{
	struct error error = {0};
	struct seen seen = {.left = 9};
	struct queue queue;

	(void)state;
	open_queue(&queue, &any);
	append_all(&queue, "a");
	queue_close(&queue);
	assert_int_equal(unlink(in_queue("url")), 0);
	assert_int_equal(spool_each("spool", see, &seen, &error), 0);
	assert_string_equal(seen.urls, URL " ");
	/* Nothing says it: that is told after the others were visited. */
	put(in_queue("0000000000000001.1.events"), "damaged");
	seen = (struct seen){.left = 9};
	assert_int_equal(queue_open(&queue, "spool", "http://other/", &any, &error), 0);
	append_all(&queue, "b");
	queue_close(&queue);
	assert_int_equal(spool_each("spool", see, &seen, &error), -1);
	assert_int_equal(error.status, EX_IOERR);
	assert_string_equal(seen.urls, "http://other/ ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_as_they_are_made),
		cmocka_unit_test(each_url_has_a_folder_name_of_its_own),
		TEST(a_file_takes_the_place_of_another_whole),
		TEST(a_move_takes_no_name_away),
		TEST(only_files_are_read_and_only_as_much_as_fits),
		TEST(what_comes_first_goes_first),
		TEST(a_part_of_a_file_that_is_settled_does_not_come_again),
		TEST(one_at_a_time_delivers_and_others_append),
		TEST(the_folder_of_another_url_is_not_used),
		TEST(a_full_queue_takes_what_has_room),
		TEST(bytes_are_a_limit_too),
		TEST(the_count_is_a_hint),
		TEST(the_hint_says_what_waits),
		TEST(the_rest_of_a_file_counts_for_the_limit),
		TEST(no_number_is_used_twice),
		TEST(a_refused_event_is_a_copy_with_its_reason),
		TEST(what_cannot_be_read_is_put_aside_whole),
		TEST(of_a_damaged_file_the_healthy_lines_are_taken),
		TEST(a_rest_in_the_place_of_its_file_is_counted_once),
		TEST(what_waited_too_long_is_put_aside),
		TEST(a_file_of_a_later_version_stands_in_the_way),
		TEST(without_a_key_a_file_goes_alone_and_once),
		TEST(all_queues_are_seen),
		TEST(a_url_that_is_lost_stands_in_the_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

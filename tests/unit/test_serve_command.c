/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/log/command.c: what a node writes to the log that nodes share is what the
 * others read, and bytes that are damaged, cut or of another version do no harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "log/command.h"

#define CAP ((size_t)1 << 20)

static struct sse_text text(const char *string)
{
	return (struct sse_text){string, strlen(string)};
}

/* Events with all that one may have, in groups with each condition. */
static struct store_append appends[] = {
	{.topic = "a", .event = {.type = {"update", 6}, .data = {"", 0}}},
	{.topic = "a/b/c",
		.key = {"k\xc3\xa9y", 4},
		.fingerprint = UINT64_MAX,
		.event = {.json = true, .type = {"n", 1}, .data = {"{\"a\":1}", 7}}},
	{.topic = "users",
		.closes = true,
		.event = {.json = true, .type = {"closed", 6}, .data = {"{}", 2}}},
	{.topic = "users",
		.key = {"\n", 1},
		.fingerprint = 0,
		.event = {.subject = {"w\xc3\xa9"
				      "b 1",
				  6},
			.type = {"update", 6},
			.data = {"two\nlines\n", 10}}},
	{.topic = "chat",
		.event = {.ephemeral = true,
			.type = {"typing", 6},
			.data = {"\xf0\x9f\x98\x80", 4}}},
};

static struct store_group groups[] = {
	{.appends = appends, .count = 2},
	{.appends = appends + 2, .count = 1, .condition = STORE_IF_NEWEST, .expected = UINT64_MAX},
	{.appends = appends + 3, .count = 1, .condition = STORE_IF_ANY},
	{.appends = appends + 4, .count = 1, .condition = STORE_IF_NONE, .expected = 127},
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static void write_groups(struct buf *buf, size_t count)
{
	buf_init(buf, CAP);
	assert_true(command_begin(buf, COMMAND_APPEND, "node-1"));
	for (size_t i = 0; i < count; i++)
		assert_true(command_add_group(buf, &groups[i]));
}

static void write_range(struct buf *buf)
{
	buf_init(buf, CAP);
	assert_true(command_begin(buf, COMMAND_ERASE, "node-2"));
	assert_true(command_add_range(buf, "a/b", 300, INT64_MAX));
}

/* Read a copy of exactly this size, so that a sanitizer sees a read too far.  0, or the status. */
static int read_copy(struct command *command, char **copy, const char *data, size_t len)
{
	struct error error = {0};

	*copy = malloc(len + 1);
	assert_non_null(*copy);
	memcpy(*copy, data, len);
	(*copy)[len] = '\0';
	if (command_read(command, *copy, len, &error) == 0)
		return 0;
	assert_true(error.text[0] != '\0');
	return error.status;
}

/* What was read lies in the bytes: touch all of it.  The number of events. */
static size_t touch(const struct command *command, const char *data, size_t len)
{
	const struct sse_text none = {data, 0};
	size_t count = 0;

	for (size_t i = 0; i < command->count; i++) {
		for (size_t j = 0; j < command->groups[i].count; j++, count++) {
			const struct store_append *append = &command->groups[i].appends[j];
			const struct sse_text texts[] = {append->event.type, append->event.data,
				append->key.len > 0 ? append->key : none,
				append->event.subject.len > 0 ? append->event.subject : none,
				{append->topic, strlen(append->topic) + 1}};

			for (size_t k = 0; k < 5; k++)
				assert_true(texts[k].data >= data &&
					    texts[k].data + texts[k].len <= data + len);
		}
	}
	return count;
}

static void assert_same_text(struct sse_text a, struct sse_text b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void assert_same_append(const struct store_append *a, const struct store_append *b)
{
	assert_string_equal(a->topic, b->topic);
	assert_same_text(a->key, b->key);
	assert_true(a->fingerprint == b->fingerprint);
	assert_int_equal(a->closes, b->closes);
	assert_int_equal(a->event.json, b->event.json);
	assert_int_equal(a->event.ephemeral, b->event.ephemeral);
	assert_same_text(a->event.type, b->event.type);
	assert_same_text(a->event.subject, b->event.subject);
	assert_same_text(a->event.data, b->event.data);
}

static void what_is_written_is_read(void **state)
{
	struct command command;
	struct buf buf;
	char *copy;
	size_t total = 0;

	(void)state;
	write_groups(&buf, GROUPS);
	assert_int_equal(read_copy(&command, &copy, buf.data, buf.len), 0);
	assert_int_equal(command.kind, COMMAND_APPEND);
	assert_same_text(command.id, text("node-1"));
	assert_int_equal(command.count, GROUPS);
	for (size_t i = 0; i < GROUPS; i++) {
		assert_int_equal(command.groups[i].condition, groups[i].condition);
		assert_true(command.groups[i].expected == groups[i].expected);
		assert_int_equal(command.groups[i].count, groups[i].count);
		for (size_t j = 0; j < groups[i].count; j++, total++)
			assert_same_append(&command.groups[i].appends[j], &appends[total]);
	}
	assert_int_equal(command.total, total);
	command_free(&command);
	free(copy);
	buf_free(&buf);
}

static void a_deletion_is_read(void **state)
{
	struct command command;
	struct buf buf;
	char *copy;

	(void)state;
	write_range(&buf);
	assert_int_equal(read_copy(&command, &copy, buf.data, buf.len), 0);
	assert_int_equal(command.kind, COMMAND_ERASE);
	assert_string_equal(command.topic, "a/b");
	assert_int_equal(command.after, 300);
	assert_true(command.upto == INT64_MAX);
	command_free(&command);
	free(copy);
	buf_free(&buf);
}

/* Also as large as the arrays have to grow often. */
static void a_group_of_many_events_is_read(void **state)
{
	enum { MANY = 3000 };
	struct store_append *many = calloc(MANY, sizeof(*many));
	struct store_group group = {.appends = many, .count = MANY};
	struct command command;
	struct buf buf;
	char *copy;

	(void)state;
	assert_non_null(many);
	for (size_t i = 0; i < MANY; i++)
		many[i] = appends[i % 5];
	buf_init(&buf, CAP);
	assert_true(command_begin(&buf, COMMAND_APPEND, ""));
	for (int i = 0; i < 2; i++)
		assert_true(command_add_group(&buf, &group));
	assert_int_equal(read_copy(&command, &copy, buf.data, buf.len), 0);
	assert_int_equal(command.count, 2);
	assert_int_equal(command.id.len, 0);
	for (size_t i = 0; i < 2 * MANY; i++)
		assert_same_append(&command.groups[i / MANY].appends[i % MANY], &many[i % MANY]);
	command_free(&command);
	free(copy);
	buf_free(&buf);
	free(many);
}

/* What does not fit leaves what was there, and that can be read. */
static void a_group_that_does_not_fit_is_left_out(void **state)
{
	struct command command;
	struct buf whole, buf;
	size_t one;
	char *copy;

	(void)state;
	write_groups(&whole, GROUPS);
	write_groups(&buf, 1);
	one = buf.len;
	buf_free(&buf);
	for (size_t cap = one; cap < whole.len; cap++) {
		size_t fitting = 0;

		buf_init(&buf, cap);
		assert_true(command_begin(&buf, COMMAND_APPEND, "node-1"));
		while (fitting < GROUPS && command_add_group(&buf, &groups[fitting]))
			fitting++;
		assert_true(fitting >= 1 && fitting < GROUPS);
		assert_int_equal(read_copy(&command, &copy, buf.data, buf.len), 0);
		assert_int_equal(command.count, fitting);
		command_free(&command);
		free(copy);
		buf_free(&buf);
	}
	buf_free(&whole);
}

/* Cut at any byte: only where a group ends can it be read, as the groups before. */
static void what_is_cut_is_refused(void **state)
{
	struct command command;
	struct buf buf, part;
	size_t ends[GROUPS + 1], read = 0;
	char *copy;

	(void)state;
	for (size_t i = 0; i <= GROUPS; i++) {
		write_groups(&part, i);
		ends[i] = part.len;
		buf_free(&part);
	}
	write_groups(&buf, GROUPS);
	for (size_t len = 0; len <= buf.len; len++) {
		int status = read_copy(&command, &copy, buf.data, len);

		if (status == 0) {
			assert_int_equal(len, ends[read]);
			assert_int_equal(command.count, read++);
			touch(&command, copy, len);
		} else {
			assert_int_equal(status, EX_DATAERR);
		}
		command_free(&command);
		free(copy);
	}
	assert_int_equal(read, GROUPS + 1);
	buf_free(&buf);
	write_range(&buf);
	for (size_t len = 0; len < buf.len; len++) {
		assert_int_equal(read_copy(&command, &copy, buf.data, len), EX_DATAERR);
		command_free(&command);
		free(copy);
	}
	buf_free(&buf);
}

/* Each byte in each other value.  It is refused, or read as a command that is sound. */
static void a_changed_byte_does_no_harm(void **state)
{
	struct command command;
	struct buf buf;
	char *copy;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		if (kind == 0)
			write_groups(&buf, GROUPS);
		else
			write_range(&buf);
		for (size_t i = 0; i < buf.len; i++) {
			char was = buf.data[i];

			for (int other = 0; other < 256; other++) {
				int status;

				buf.data[i] = (char)other;
				status = read_copy(&command, &copy, buf.data, buf.len);
				assert_true(status == 0 || status == EX_DATAERR ||
					    (status == EX_CONFIG && i == 3));
				if (status == 0)
					assert_int_equal(
						touch(&command, copy, buf.len), command.total);
				command_free(&command);
				free(copy);
			}
			buf.data[i] = was;
		}
		buf_free(&buf);
	}
}

/* A newer sse-serve is no damage: a node that left out what it does not know would not agree. */
static void a_newer_version_is_told(void **state)
{
	struct command command;
	struct buf buf;
	char *copy;

	(void)state;
	write_groups(&buf, 1);
	buf.data[3]++;
	assert_int_equal(read_copy(&command, &copy, buf.data, buf.len), EX_CONFIG);
	command_free(&command);
	free(copy);
	buf_free(&buf);
}

/* What no server sends, though each length is right. */
static void what_no_server_sends_is_refused(void **state)
{
#define CASE(bytes)                                                                                \
	{                                                                                          \
		bytes, sizeof(bytes) - 1                                                           \
	}
	static const struct sse_text cases[] = {
		CASE(""),
		CASE("SSE"),
		CASE("SSE\1"),
		CASE("SSF\1\1\1i\0\0\1\0\2a\0\6update\1x"),
		CASE("SSE\1\0\1i"),			       /* no kind */
		CASE("SSE\1\7\1i"),			       /* an unknown one */
		CASE("SSE\1\1\1i\0\0\0"),		       /* a group of nothing */
		CASE("SSE\1\1\1i\4\0\1\0\2a\0\6update\1x"),    /* an unknown condition */
		CASE("SSE\1\1\1i\0\0\1\40\2a\0\6update\1x"),   /* an unknown bit */
		CASE("SSE\1\1\1i\0\0\1\0\1a\6update\1x"),      /* a topic without its NUL */
		CASE("SSE\1\1\1i\0\0\1\0\3a \0\6update\1x"),   /* not a topic */
		CASE("SSE\1\1\1i\0\0\1\0\2a\0\0\1x"),	       /* no type */
		CASE("SSE\1\1\1i\0\0\1\0\2a\0\2a\n\1x"),       /* of two lines */
		CASE("SSE\1\1\1i\0\0\1\0\2a\0\6update\2x\r"),  /* what a stream cannot carry */
		CASE("SSE\1\1\1i\0\0\1\0\2a\0\6update\1\xff"), /* not UTF-8 */
		CASE("SSE\1\1\1i\0\0\1\20\2a\0\0\6update\1x"), /* an empty subject */
		CASE("SSE\1\1\1i\0\0\1\0\2a\0\6update\1x!"),   /* more than there should be */
		CASE("SSE\1\2\1i\2a\0\1\1"),		       /* an empty range */
		CASE("SSE\1\2\1i\2a\0\2\1"),
		CASE("SSE\1\2\1i\2a\0\1\2!"),
		CASE("SSE\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1i"), /* a huge length */
		CASE("SSE\1\1\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"),
	};
#undef CASE
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command command;
		char *copy;
		int status = read_copy(&command, &copy, cases[i].data, cases[i].len);

		if (status != EX_DATAERR)
			fail_msg("case %zu: %d", i, status);
		command_free(&command);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_deletion_is_read),
		cmocka_unit_test(a_group_of_many_events_is_read),
		cmocka_unit_test(a_group_that_does_not_fit_is_left_out),
		cmocka_unit_test(what_is_cut_is_refused),
		cmocka_unit_test(a_changed_byte_does_no_harm),
		cmocka_unit_test(a_newer_version_is_told),
		cmocka_unit_test(what_no_server_sends_is_refused),
	};

	return cmocka_run_group_tests_name("serve_command", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/log/window.c: what is in the window, what fell out, and that nothing tears. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/envelope.h"
#include "log/window.h"

/* Two topics, and a window of 64 KiB for three readers. */
struct fixture {
	struct topics *topics;
	struct topic *a, *b;
	struct topic_set set_a, set_both;
	struct window_view only_a, both, envelopes; /* envelopes: of both */
	struct window *window;
	uint64_t position;
};

static void open_window(struct fixture *f, size_t size, bool is_log)
{
	struct error error = {0, ""};

	f->topics = topics_new();
	f->a = topics_add(f->topics, "a");
	f->b = topics_add(f->topics, "b");
	f->set_a = f->set_both = (struct topic_set){0};
	assert_int_equal(topic_set_add(&f->set_a, f->a), 0);
	assert_int_equal(topic_set_add(&f->set_both, f->a), 0);
	assert_int_equal(topic_set_add(&f->set_both, f->b), 0);
	f->only_a = (struct window_view){.topics = &f->set_a};
	f->both = (struct window_view){.topics = &f->set_both};
	f->envelopes = (struct window_view){.topics = &f->set_both, .form = FORM_ENVELOPE};
	f->position = 0;
	f->window = window_new(size, 3, 0, is_log, &error);
	assert_non_null(f->window);
}

static void close_window(struct fixture *f)
{
	window_free(f->window);
	topic_set_free(&f->set_a);
	topic_set_free(&f->set_both);
	topics_free(f->topics);
}

/* Add an event with this data; it is not visible yet. */
static void add(
	struct fixture *f, struct topic *topic, const char *data, size_t len, bool ephemeral)
{
	struct event event = {
		.topic = topic, .type = {"update", 6}, .data = {data, len}, .ephemeral = ephemeral};
	char id[32];

	if (!ephemeral)
		f->position++;
	event.position = f->position;
	event.time = (int64_t)f->position * 10;
	window_add(f->window, &event, id, (size_t)sprintf(id, "i:%llu", (long long)f->position));
}

static void publish(struct fixture *f, struct topic *topic, const char *data)
{
	add(f, topic, data, strlen(data), false);
	window_publish(f->window);
}

static void a_new_window_is_empty(void **state)
{
	struct fixture f;
	uint64_t entry = 9;

	(void)state;
	open_window(&f, 1, false);
	assert_int_equal(window_head(f.window), 0);
	assert_int_equal(window_position(f.window), 0);
	assert_true(window_seek(f.window, 0, 0, &entry));
	assert_int_equal(entry, 0);
	window_withdraw(f.window, 0);
	assert_int_equal(window_announce_oldest(f.window, 0), 0);
	window_withdraw(f.window, 0);
	close_window(&f);
	window_free(NULL);
}

static void assert_use(const struct fixture *f, uint64_t bytes, uint64_t events)
{
	uint64_t used, held;

	window_use(f->window, &used, &held);
	assert_int_equal(used, bytes);
	assert_int_equal(held, events);
}

/* Also when the oldest leave the window, of the server's own topic or of others. */
static void what_it_holds_is_counted_without_the_servers_own_topic(void **state)
{
	static const char frame[] = "event: update\ndata: one\nid: i:1\n\n";
	struct fixture f;
	struct topic *system;

	(void)state;
	open_window(&f, 4096, false);
	system = topics_add(f.topics, TOPIC_SYSTEM);
	assert_use(&f, 0, 0);
	add(&f, system, "figures", 7, true);
	publish(&f, f.a, "one");
	assert_use(&f, sizeof(frame) - 1, 1);
	for (int i = 0; i < 1000; i++)
		add(&f, system, "figures", 7, true);
	window_publish(f.window);
	assert_use(&f, 0, 0);
	publish(&f, f.a, "two");
	assert_use(&f, sizeof(frame) - 1, 1);
	close_window(&f);
}

static void events_are_frames_in_their_order(void **state)
{
	static const char expected[] = "event: update\ndata: one\nid: i:1\n\n"
				       "event: update\ndata: three\nid: i:3\n\n";
	struct window_chunk chunk;
	char bytes[200];
	struct fixture f;
	uint64_t entry;
	size_t len = 0;

	(void)state;
	open_window(&f, 65536, false);
	add(&f, f.a, "one", 3, false);
	assert_int_equal(window_head(f.window), 0);
	publish(&f, f.b, "two");
	publish(&f, f.a, "three");
	assert_int_equal(window_head(f.window), 3);
	assert_int_equal(window_position(f.window), 3);
	assert_true(window_seek(f.window, 0, 0, &entry));
	assert_int_equal(entry, 0);
	window_gather(f.window, &f.only_a, entry, 3, 0, 0, &chunk);
	for (int i = 0; i < chunk.count; i++) {
		memcpy(bytes + len, chunk.pieces[i].iov_base, chunk.pieces[i].iov_len);
		len += chunk.pieces[i].iov_len;
	}
	assert_int_equal(len, sizeof(expected) - 1);
	assert_int_equal(chunk.len, len);
	assert_memory_equal(bytes, expected, len);
	assert_int_equal(chunk.begin, 0);
	assert_int_equal(chunk.before, 0);
	assert_int_equal(chunk.skip, 0);
	assert_int_equal(chunk.end, 3);
	assert_int_equal(chunk.position, 3);
	/* The rest of a frame that was sent in part. */
	window_gather(f.window, &f.only_a, 2, 3, 1, 7, &chunk);
	assert_int_equal(chunk.count, 1);
	assert_int_equal(chunk.begin, 2);
	assert_int_equal(chunk.before, 1);
	assert_int_equal(chunk.skip, 7);
	assert_memory_equal(
		chunk.pieces[0].iov_base, "update\ndata: three\nid: i:3\n\n", chunk.len);
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void entries_of_one_topic_are_linked(void **state)
{
	struct fixture f;

	(void)state;
	open_window(&f, 65536, false);
	publish(&f, f.a, "0");
	publish(&f, f.b, "1");
	publish(&f, f.b, "2");
	publish(&f, f.a, "3");
	assert_true(window_announce(f.window, 1, 0));
	assert_int_equal(window_first_of(f.window, f.a, 0), 0);
	assert_int_equal(window_first_of(f.window, f.a, 1), 3);
	assert_int_equal(window_first_of(f.window, f.b, 0), 1);
	assert_true(window_first_of(f.window, f.b, 3) == TOPIC_NO_ENTRY);
	assert_int_equal(window_entry(f.window, 0)->next, 3);
	assert_int_equal(window_entry(f.window, 3)->previous, 0);
	assert_true(window_entry(f.window, 3)->next == TOPIC_NO_ENTRY);
	assert_true(window_entry(f.window, 1)->previous == TOPIC_NO_ENTRY);
	window_withdraw(f.window, 1);
	close_window(&f);
}

static void a_view_of_what_is_stored_leaves_out_what_is_ephemeral(void **state)
{
	struct window_chunk chunk;
	struct window_view views[2];
	uint64_t entry = 9;
	struct fixture f;

	(void)state;
	open_window(&f, 65536, false);
	publish(&f, f.a, "0");
	add(&f, f.a, "1", 1, true);
	publish(&f, f.b, "2");
	add(&f, f.b, "3", 1, true);
	add(&f, f.a, "4", 1, true);
	publish(&f, f.a, "5");
	add(&f, f.a, "6", 1, true);
	window_publish(f.window);
	views[0] = f.only_a;
	views[1] = f.both;
	/* None takes a position. */
	assert_int_equal(window_position(f.window), 3);
	assert_true(window_seek(f.window, 0, 1, &entry));
	assert_int_equal(entry, 2);
	assert_true(window_announce(f.window, 0, 0));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(window_next(f.window, &views[i], 0, 7), 1);
		views[i].stored = true;
		assert_int_equal(window_find(f.window, &views[i], 0, 7), 0);
		assert_int_equal(window_find(f.window, &views[i], 1, 7), i == 0 ? 5 : 2);
		assert_int_equal(window_next(f.window, &views[i], 0, 7), i == 0 ? 5 : 2);
		assert_int_equal(window_next(f.window, &views[i], 0, 5), i == 0 ? 5 : 2);
		assert_int_equal(window_next(f.window, &views[i], 5, 7), 7);
		window_gather(f.window, &views[i], 0, 7, 0, 0, &chunk);
		assert_int_equal(chunk.events, i == 0 ? 2 : 3);
		assert_int_equal(chunk.end, 7);
		assert_int_equal(chunk.position, 3);
	}
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void add_typed(struct fixture *f, struct topic *topic, const char *type)
{
	struct event event = {.position = ++f->position,
		.topic = topic,
		.type = {type, strlen(type)},
		.data = {"x", 1}};

	window_add(f->window, &event, "t:1", 3);
	window_publish(f->window);
}

static void a_view_of_types_leaves_out_the_others(void **state)
{
	static const char *const names[] = {"note", "update"};
	static const char *const of_a[] = {"update", "updates", "gone", "message", "note", "updat"};
	struct window_view views[2];
	struct window_chunk chunk;
	struct fixture f;

	(void)state;
	open_window(&f, 8 << 20, false);
	for (size_t i = 0; i < 6; i++)
		add_typed(&f, f.a, of_a[i]);
	add_typed(&f, f.b, "note");
	add_typed(&f, f.b, "other");
	views[0] = f.only_a;
	views[1] = f.envelopes;
	window_want_form(f.window, FORM_ENVELOPE, 1);
	for (int i = 0; i < 2; i++)
		add_typed(&f, f.a, names[i]);
	assert_true(window_announce(f.window, 0, 0));
	views[0].types = (struct event_types){names, 2};
	views[1].types = (struct event_types){names, 1};
	assert_int_equal(window_find(f.window, &views[0], 0, 10), 0);
	assert_int_equal(window_next(f.window, &views[0], 0, 10), 4);
	assert_int_equal(window_next(f.window, &views[0], 4, 10), 8);
	assert_int_equal(window_next(f.window, &views[0], 4, 8), 8);
	assert_int_equal(window_next(f.window, &views[0], 9, 10), 10);
	assert_int_equal(window_find(f.window, &views[1], 0, 10), 4);
	assert_int_equal(window_next(f.window, &views[1], 4, 10), 6);
	assert_int_equal(window_next(f.window, &views[1], 6, 10), 8);
	assert_int_equal(window_next(f.window, &views[1], 8, 10), 10);
	window_gather(f.window, &views[0], 0, 10, 0, 0, &chunk);
	assert_int_equal(chunk.events, 4);
	assert_int_equal(chunk.end, 10);
	/* Also if none is wanted for longer than one look. */
	window_withdraw(f.window, 0);
	for (int i = 0; i < 20000; i++)
		add_typed(&f, f.a, "other");
	add_typed(&f, f.a, "note");
	assert_true(window_announce(f.window, 0, 10));
	window_gather(f.window, &views[0], 10, window_head(f.window), 0, 0, &chunk);
	assert_int_equal(chunk.events, 0);
	assert_in_range(chunk.end, 11, window_head(f.window) - 1);
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void a_view_of_several_topics_takes_what_is_of_them_in_order(void **state)
{
	struct window_chunk chunk;
	struct topic *other;
	struct fixture f;
	uint64_t entry = 4;
	int looks = 0;

	(void)state;
	open_window(&f, 8 << 20, false);
	other = topics_add(f.topics, "other");
	publish(&f, f.a, "0");
	publish(&f, other, "1");
	publish(&f, f.b, "2");
	publish(&f, other, "3");
	assert_true(window_announce(f.window, 0, 0));
	window_gather(f.window, &f.both, 0, 4, 0, 0, &chunk);
	/* The two are not neighbours, and what follows them is passed over. */
	assert_int_equal(chunk.count, 2);
	assert_int_equal(chunk.end, 4);
	assert_int_equal(chunk.position, 3);
	assert_int_equal(window_find(f.window, &f.both, 1, 4), 2);
	assert_int_equal(window_next(f.window, &f.both, 0, 4), 2);
	assert_int_equal(window_next(f.window, &f.both, 2, 4), 4);
	window_withdraw(f.window, 0);
	/* So many of others that one look does not reach the end. */
	for (int i = 0; i < 20000; i++)
		add(&f, other, "x", 1, false);
	window_publish(f.window);
	publish(&f, f.b, "last");
	assert_true(window_announce(f.window, 0, 4));
	do {
		window_gather(f.window, &f.both, entry, window_head(f.window), 0, 0, &chunk);
		assert_true(chunk.end > entry);
		assert_false(chunk.missing);
		entry = chunk.end;
		looks++;
	} while (chunk.count == 0 && entry < window_head(f.window));
	assert_int_equal(chunk.count, 1);
	assert_int_equal(entry, window_head(f.window));
	assert_true(looks > 1);
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void lines_are_there_while_somebody_wants_them(void **state)
{
	static const char one[] =
		"{\"topic\":\"a\",\"id\":\"i:1\",\"time\":"
		"\"1970-01-01T00:00:00.010Z\",\"event\":\"update\",\"data\":\"one\"}\n";
	struct window_chunk chunk;
	struct window_view lines;
	struct fixture f;
	size_t len;

	(void)state;
	open_window(&f, 65536, false);
	lines = f.both;
	lines.form = FORM_LINE;
	window_want_form(f.window, FORM_LINE, 1);
	publish(&f, f.a, "one");
	/* With the other forms before it. */
	window_want_form(f.window, FORM_ENVELOPE, 1);
	publish(&f, f.a, "two");
	window_want_form(f.window, FORM_LINE, -1);
	publish(&f, f.b, "three");
	assert_true(window_announce(f.window, 0, 0));
	window_gather(f.window, &lines, 0, 3, 0, 0, &chunk);
	assert_int_equal(chunk.events, 2);
	assert_int_equal(chunk.end, 2);
	assert_true(chunk.missing);
	assert_int_equal(chunk.pieces[0].iov_len, sizeof(one) - 1);
	assert_memory_equal(chunk.pieces[0].iov_base, one, sizeof(one) - 1);
	assert_memory_equal(window_frame(&lines, window_entry(f.window, 1), &len),
		"{\"topic\":\"a\",\"id\":\"i:2\"", 23);
	assert_int_equal(window_frame(&lines, window_entry(f.window, 1), &len)[len - 1], '\n');
	assert_null(window_frame(&f.envelopes, window_entry(f.window, 0), &len));
	assert_non_null(window_frame(&f.envelopes, window_entry(f.window, 1), &len));
	window_withdraw(f.window, 0);
	close_window(&f);
}

/* Line ends, which JSON has only between tokens, become spaces. */
static void a_line_is_one_line(void **state)
{
	static const char text[] = "{\"a\":\n1\n}";
	char line[sizeof(text)];

	(void)state;
	envelope_write_line((struct sse_text){text, sizeof(text) - 1}, line);
	assert_memory_equal(line, "{\"a\": 1 }\n", sizeof(text));
}

static void envelopes_are_there_while_somebody_wants_them(void **state)
{
	static const char expected[] =
		"event: update\n"
		"data: {\"topic\":\"a\",\"id\":\"i:2\",\"time\":\"1970-01-01T00:00:00.020Z\","
		"\"event\":\"update\",\"data\":\"two\"}\n"
		"id: i:2\n\n";
	struct window_chunk chunk;
	struct fixture f;

	(void)state;
	open_window(&f, 65536, false);
	publish(&f, f.a, "one");
	window_want_form(f.window, FORM_ENVELOPE, 1);
	publish(&f, f.a, "two");
	window_want_form(f.window, FORM_ENVELOPE, -1);
	publish(&f, f.b, "three");
	assert_true(window_announce(f.window, 0, 0));
	window_gather(f.window, &f.envelopes, 0, 3, 0, 0, &chunk);
	assert_int_equal(chunk.count, 0);
	assert_true(chunk.missing);
	assert_int_equal(chunk.end, 0);
	window_gather(f.window, &f.envelopes, 1, 3, 1, 0, &chunk);
	assert_int_equal(chunk.count, 1);
	assert_int_equal(chunk.end, 2);
	assert_true(chunk.missing);
	assert_int_equal(chunk.len, sizeof(expected) - 1);
	assert_memory_equal(chunk.pieces[0].iov_base, expected, chunk.len);
	/* The plain ones are all there. */
	window_gather(f.window, &f.both, 0, 3, 0, 0, &chunk);
	assert_int_equal(chunk.end, 3);
	assert_int_equal(chunk.position, 3);
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void ephemeral_events_have_no_id_and_the_position_before(void **state)
{
	static const char frame[] = "event: update\ndata: tick\n\n";
	const struct window_entry *one;
	struct fixture f;
	uint64_t entry;

	(void)state;
	open_window(&f, 65536, false);
	publish(&f, f.a, "1");
	add(&f, f.a, "tick", 4, true);
	window_publish(f.window);
	publish(&f, f.a, "2");
	assert_true(window_seek(f.window, 0, 1, &entry));
	/* Who had position 1 goes on with what is stored after it. */
	assert_int_equal(entry, 2);
	one = window_entry(f.window, 1);
	assert_true(one->ephemeral);
	assert_int_equal(one->position, 1);
	assert_int_equal(one->len, sizeof(frame) - 1);
	assert_memory_equal(one->frame, frame, one->len);
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void seek_finds_what_is_there_and_refuses_what_is_gone(void **state)
{
	char data[1000];
	struct fixture f;
	uint64_t oldest, entry;

	(void)state;
	memset(data, 'x', sizeof(data));
	open_window(&f, 65536, false);
	for (int i = 0; i < 500; i++) {
		add(&f, i % 3 ? f.a : f.b, data, sizeof(data), false);
		window_publish(f.window);
	}
	oldest = window_announce_oldest(f.window, 0);
	window_withdraw(f.window, 0);
	assert_true(oldest > 400 && oldest < 450);
	assert_false(window_announce(f.window, 0, oldest - 1));
	assert_true(window_announce(f.window, 0, oldest));
	window_withdraw(f.window, 0);
	/* Entry n holds position n + 1. */
	assert_false(window_seek(f.window, 0, oldest - 1, &entry));
	for (uint64_t position = oldest; position <= 500; position++) {
		assert_true(window_seek(f.window, 0, position, &entry));
		assert_int_equal(entry, position);
		window_withdraw(f.window, 0);
	}
	/* Only the log itself marks what fell out. */
	assert_int_equal(f.a->removed, 0);
	close_window(&f);
}

static void a_window_that_is_the_log_marks_what_fell_out(void **state)
{
	char data[1000];
	struct fixture f;
	uint64_t oldest, first;

	(void)state;
	memset(data, 'x', sizeof(data));
	open_window(&f, 65536, true);
	publish(&f, f.b, "early");
	for (int i = 0; i < 300; i++)
		add(&f, f.a, data, sizeof(data), false);
	window_publish(f.window);
	oldest = window_announce_oldest(f.window, 0);
	assert_int_equal(f.b->removed, 1);
	/* The newest that is gone is the one before the oldest that is left. */
	assert_int_equal(f.a->removed, oldest);
	first = window_first_of(f.window, f.a, oldest);
	assert_int_equal(first, oldest);
	assert_int_equal(
		window_entry(f.window, first)->before, window_entry(f.window, first)->position - 1);
	window_withdraw(f.window, 0);
	close_window(&f);
}

static void an_event_larger_than_the_window_is_in_the_log_only(void **state)
{
	size_t size = 100000;
	char *data = malloc(size);
	struct window_chunk chunk;
	struct fixture f;
	uint64_t entry;

	(void)state;
	memset(data, 'x', size);
	open_window(&f, 65536, false);
	publish(&f, f.a, "before");
	add(&f, f.a, data, size, false);
	window_publish(f.window);
	publish(&f, f.a, "after");
	assert_true(window_seek(f.window, 0, 0, &entry));
	assert_null(window_entry(f.window, 1)->frame);
	window_gather(f.window, &f.only_a, 0, 3, 0, 0, &chunk);
	assert_int_equal(chunk.end, 1);
	window_gather(f.window, &f.only_a, 1, 3, 1, 0, &chunk);
	assert_int_equal(chunk.count, 0);
	window_gather(f.window, &f.only_a, 2, 3, 2, 0, &chunk);
	assert_int_equal(chunk.count, 1);
	assert_int_equal(chunk.position, 3);
	window_withdraw(f.window, 0);
	free(data);
	close_window(&f);
}

/* --- a writer and readers at the same time --- */

/* As many as a slow machine with two cores takes in a moment; and what one look of a reader covers.
 */
#define RACE_EVENTS 20000
#define RACE_SLICE 8

struct race {
	struct fixture f;
	_Atomic bool done;
	_Atomic unsigned torn;
	_Atomic uint64_t checked;
};

/* Sizes and letters that the number determines. */
static size_t make_data(uint64_t number, char *data)
{
	uint64_t seed = number * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	size_t len = (size_t)sprintf(data, "%llu ", (unsigned long long)number);
	size_t size = len + seed % 900;

	for (; len < size; len++)
		data[len] = (char)('a' + (seed + len) % 26);
	return size;
}

/* Read the window as a loop does: announce, gather, look, withdraw. */
static void *read_all(void *context)
{
	struct race *race = context;
	static _Atomic unsigned numbers;
	unsigned reader = numbers++ % 3;
	struct window *window = race->f.window;
	char data[1000], frame[1200];

	while (!race->done) {
		uint64_t entry = window_announce_oldest(window, reader), head = window_head(window);

		if (head > entry + RACE_SLICE)
			head = entry + RACE_SLICE;
		for (; entry < head; entry++) {
			const struct window_entry *one = window_entry(window, entry);
			size_t len = make_data(one->position, data);
			int prefix = sprintf(frame, "event: update\ndata: ");

			memcpy(frame + prefix, data, len);
			len += (size_t)prefix;
			if (one->len < len || memcmp(one->frame, frame, len) != 0 ||
				memcmp(one->frame + one->len - 2, "\n\n", 2) != 0)
				race->torn++;
			race->checked++;
		}
		window_withdraw(window, reader);
		sched_yield();
	}
	return NULL;
}

static void readers_never_see_a_torn_frame(void **state)
{
	struct race race = {0};
	pthread_t readers[3];
	char data[1000];

	(void)state;
	open_window(&race.f, 65536, false);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all, &race), 0);
	for (uint64_t number = 1; number <= RACE_EVENTS; number++) {
		add(&race.f, number % 2 ? race.f.a : race.f.b, data, make_data(number, data),
			false);
		if (number % 5 == 0)
			window_publish(race.f.window);
	}
	window_publish(race.f.window);
	race.done = true;
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(race.torn, 0);
	assert_true(race.checked > 0);
	close_window(&race.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_window_is_empty),
		cmocka_unit_test(what_it_holds_is_counted_without_the_servers_own_topic),
		cmocka_unit_test(events_are_frames_in_their_order),
		cmocka_unit_test(entries_of_one_topic_are_linked),
		cmocka_unit_test(a_view_of_what_is_stored_leaves_out_what_is_ephemeral),
		cmocka_unit_test(a_view_of_types_leaves_out_the_others),
		cmocka_unit_test(a_view_of_several_topics_takes_what_is_of_them_in_order),
		cmocka_unit_test(lines_are_there_while_somebody_wants_them),
		cmocka_unit_test(a_line_is_one_line),
		cmocka_unit_test(envelopes_are_there_while_somebody_wants_them),
		cmocka_unit_test(ephemeral_events_have_no_id_and_the_position_before),
		cmocka_unit_test(seek_finds_what_is_there_and_refuses_what_is_gone),
		cmocka_unit_test(a_window_that_is_the_log_marks_what_fell_out),
		cmocka_unit_test(an_event_larger_than_the_window_is_in_the_log_only),
		cmocka_unit_test(readers_never_see_a_torn_frame),
	};

	return cmocka_run_group_tests_name("serve_window", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the replay thread reads for a stream (stream/replay.c and replay_thread.c): the
 * events after a position, a time or an unknown id, in chunks, with the gap that goes first.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts/streams.h"

/* A chunk is about this much, at most so many frames; and what may wait to be sent. */
#define CHUNK_BYTES 262144
#define CHUNK_FRAMES 4096

/* The replays that came back, the newest last. */
static struct replay *came[64];
static size_t came_count;

static void take(struct message *message)
{
	came[came_count++] = (struct replay *)message;
}

static const struct event_types all_types;

static struct selection *select_one(const char *pattern, bool envelope)
{
	struct selection *selection = selection_new(&pattern, 1, &all_types, envelope);

	assert_non_null(selection);
	return selection;
}

/* A replay of "a", to be filled in. */
static struct replay *make(struct streams *streams, uint64_t after)
{
	struct selection *selection = select_one("a", false);
	struct replay *replay = replay_new(streams->shared.replayer, NULL, selection);

	selection_drop(selection);
	assert_non_null(replay);
	replay->job.message.handle = take;
	replay->after = after;
	replay->upto = streams->count;
	return replay;
}

static void wait_for(struct streams *streams, size_t count)
{
	while (came_count < count) {
		struct pollfd wake = {.fd = streams->mailbox.wake, .events = POLLIN};

		assert_int_equal(poll(&wake, 1, 30000), 1);
		mailbox_handle(&streams->mailbox);
	}
}

/* Run it, on the replay thread. */
static struct replay *run(struct streams *streams, struct replay *replay)
{
	came_count = 0;
	replay_submit(replay, &streams->mailbox);
	wait_for(streams, 1);
	assert_ptr_equal(came[0], replay);
	return replay;
}

/* What it has to be sent are the events from ${first} to ${last}. */
static void check_events(const struct replay *replay, uint64_t first, uint64_t last, size_t size)
{
	const struct replay_chunk *chunk = replay->chunk;
	struct buf expected;

	assert_false(replay->failed);
	expect_new(&expected);
	expect_some(&expected, first, last, size);
	assert_int_equal(replay->end - replay->offset, expected.len);
	assert_memory_equal(chunk->frames.data + replay->offset, expected.data, expected.len);
	assert_int_equal(replay->events, last - first + 1);
	assert_int_equal(chunk->marks[replay->first].position, first);
	assert_int_equal(chunk->marks[replay->first + replay->events - 1].position, last);
	assert_int_equal(chunk->marks[replay->first + replay->events - 1].end, replay->end);
	buf_free(&expected);
}

/* Frees ${expected}. */
static void check_prefix(const struct replay *replay, struct buf *expected)
{
	assert_int_equal(replay->prefix.len, expected->len);
	assert_memory_equal(replay->prefix.data, expected->data, expected->len);
	buf_free(expected);
}

static void after_an_id_come_the_events_after_it(void **state)
{
	struct streams f;
	struct replay *replay;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	streams_publish_some(&f, "b", 5, 100);
	replay = run(&f, make(&f, 12));
	check_events(replay, 13, 20, 100);
	assert_int_equal(replay->prefix.len, 0);
	assert_int_equal(replay->after, 12);
	assert_int_equal(replay->reached, 25);
	replay_free(replay);
	/* No event follows. */
	replay = run(&f, make(&f, 20));
	assert_false(replay->failed);
	assert_int_equal(replay->events, 0);
	assert_int_equal(replay->reached, 25);
	replay_free(replay);
	streams_close(&f);
}

static void nothing_after_the_boundary_is_read(void **state)
{
	struct streams f;
	struct replay *replay;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	replay = make(&f, 12);
	replay->upto = 15;
	check_events(run(&f, replay), 13, 15, 100);
	assert_int_equal(replay->reached, 15);
	replay_free(replay);
	streams_close(&f);
}

static void since_a_time_says_where_it_starts(void **state)
{
	struct streams f;
	struct replay *replay;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	replay = make(&f, 0);
	replay->start = (struct start){.kind = START_SINCE, .since = 7500};
	check_events(run(&f, replay), 8, 20, 100);
	expect_new(&expected);
	assert_true(buf_add_text(&expected, "id: " STREAMS_TAG ":7\n\n"));
	check_prefix(replay, &expected);
	assert_int_equal(replay->after, 7);
	replay_free(replay);
	streams_close(&f);
}

static void an_unknown_id_is_told_and_all_that_is_kept_follows(void **state)
{
	struct streams f;
	struct replay *replay;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	for (uint64_t position = 1; position <= 3; position++)
		streams_remove(&f, position);
	replay = make(&f, 0);
	replay->start =
		(struct start){.kind = START_UNKNOWN, .unknown = strdup("else\\where:\"9\"")};
	check_events(run(&f, replay), 4, 20, 100);
	expect_new(&expected);
	expect_gap(&expected, "else\\\\where:\\\"9\\\"", 4, "unknown-log", 3);
	check_prefix(replay, &expected);
	/* What is gone is not told once more. */
	assert_int_equal(replay->told, 3);
	replay_free(replay);
	streams_close(&f);
}

static void a_gap_is_told_once(void **state)
{
	struct streams f;
	struct replay *replay;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	for (uint64_t position = 1; position <= 9; position++)
		streams_remove(&f, position);
	replay = run(&f, make(&f, 5));
	check_events(replay, 10, 20, 100);
	expect_new(&expected);
	expect_gap(&expected, STREAMS_TAG ":5", 10, "expired", 9);
	check_prefix(replay, &expected);
	assert_int_equal(replay->after, 9);
	assert_int_equal(replay->told, 9);
	replay_free(replay);
	/* One that was told reads on from before: its socket took the gap, but no event. */
	replay = make(&f, 5);
	replay->told = 9;
	check_events(run(&f, replay), 10, 20, 100);
	assert_int_equal(replay->prefix.len, 0);
	replay_free(replay);
	/* One that has had all that is gone lacks nothing. */
	replay = run(&f, make(&f, 9));
	check_events(replay, 10, 20, 100);
	assert_int_equal(replay->prefix.len, 0);
	replay_free(replay);
	streams_close(&f);
}

/* Of two topics, one lost an event that is newer than one that the other kept. */
static void a_gap_does_not_pass_the_next_event(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	struct selection *selection = selection_new(patterns, 2, &all_types, false);
	struct streams f;
	struct replay *replay;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 4, 100);
	streams_publish_some(&f, "b", 1, 100);
	streams_publish_some(&f, "a", 1, 100);
	streams_remove(&f, 5);
	replay = replay_new(f.shared.replayer, NULL, selection);
	replay->job.message.handle = take;
	replay->after = 2;
	replay->upto = 6;
	run(&f, replay);
	expect_new(&expected);
	expect_gap(&expected, STREAMS_TAG ":2", 3, "expired", 2);
	check_prefix(replay, &expected);
	assert_int_equal(replay->events, 3);
	replay_free(replay);
	selection_drop(selection);
	streams_close(&f);
}

/* Read chunk after chunk, as a stream does; the number of chunks. */
static unsigned read_all(struct streams *streams, struct buf *got)
{
	uint64_t after = 0;
	unsigned chunks = 0;

	do {
		struct replay *replay = run(streams, make(streams, after));

		assert_false(replay->failed);
		assert_true(replay->reached > after);
		assert_true(replay->events <= CHUNK_FRAMES);
		assert_true(replay->events == 1 || replay->end - replay->offset <= CHUNK_BYTES);
		if (replay->events > 0)
			assert_true(buf_add(got, replay->chunk->frames.data + replay->offset,
				replay->end - replay->offset));
		after = replay->reached;
		replay_free(replay);
		chunks++;
	} while (after < streams->count);
	return chunks;
}

static void what_does_not_fit_into_a_chunk_is_of_the_next(void **state)
{
	static char data[2 * CHUNK_BYTES];
	struct streams f;
	struct buf got, expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 700, 2000);
	/* One that is larger than a chunk is one by itself. */
	memset(data, 'L', sizeof(data));
	streams_publish(&f, "a", data, sizeof(data));
	/* More small ones than a chunk has frames. */
	streams_publish_some(&f, "a", CHUNK_FRAMES + 10, 20);
	expect_new(&got);
	expect_new(&expected);
	assert_int_equal(read_all(&f, &got), 3 + 1 + 2);
	expect_some(&expected, 1, 700, 2000);
	expect_event(&expected, 701, data, sizeof(data));
	expect_some(&expected, 702, 701 + CHUNK_FRAMES + 10, 20);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.data, expected.data, got.len);
	buf_free(&got);
	buf_free(&expected);
	streams_close(&f);
}

static void a_chunk_of_envelopes_has_them(void **state)
{
	static const char expected[] =
		"event: update\ndata: {\"topic\":\"a\",\"id\":\"" STREAMS_TAG ":1\","
		"\"time\":\"1970-01-01T00:00:01.000Z\",\"event\":\"update\",\"data\":\"one\"}\n"
		"id: " STREAMS_TAG ":1\n\n";
	struct selection *selection = select_one("*", true);
	struct streams f;
	struct replay *replay;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_text(&f, "a", "one");
	replay = replay_new(f.shared.replayer, NULL, selection);
	replay->job.message.handle = take;
	replay->upto = 1;
	run(&f, replay);
	assert_int_equal(replay->end, sizeof(expected) - 1);
	assert_memory_equal(replay->chunk->frames.data, expected, replay->end);
	replay_free(replay);
	selection_drop(selection);
	streams_close(&f);
}

static void streams_that_need_the_same_share_a_chunk(void **state)
{
	struct streams f;
	struct replay *first, *second;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	first = run(&f, make(&f, 2));
	second = run(&f, make(&f, 9));
	assert_ptr_equal(first->chunk, second->chunk);
	assert_int_equal(f.reads, 1);
	check_events(second, 10, 20, 100);
	replay_free(second);
	/* One that comes from before it needs another. */
	second = run(&f, make(&f, 1));
	assert_int_equal(f.reads, 2);
	check_events(second, 2, 20, 100);
	replay_free(second);
	/* And one that must be told of what is gone by now. */
	streams_remove(&f, 1);
	streams_remove(&f, 2);
	streams_remove(&f, 3);
	second = run(&f, make(&f, 2));
	assert_int_equal(f.reads, 3);
	check_events(second, 4, 20, 100);
	assert_true(second->prefix.len > 0);
	replay_free(second);
	/* The first has its own as long as it wants. */
	check_events(first, 3, 20, 100);
	replay_free(first);
	streams_close(&f);
}

static void a_cut_event_goes_first_or_the_replay_fails(void **state)
{
	struct streams f;
	struct replay *replay;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	replay = make(&f, 4);
	replay->partial = 5;
	check_events(run(&f, replay), 5, 20, 100);
	replay_free(replay);
	/* There is a gap to tell, but only after the rest of it. */
	streams_remove(&f, 8);
	replay = make(&f, 4);
	replay->partial = 5;
	check_events(run(&f, replay), 5, 5, 100);
	assert_int_equal(replay->prefix.len, 0);
	assert_int_equal(replay->reached, 5);
	assert_int_equal(replay->told, 0);
	replay_free(replay);
	streams_close(&f);
	/* Its rest cannot be made again. */
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	streams_remove(&f, 5);
	replay = make(&f, 4);
	replay->partial = 5;
	assert_true(run(&f, replay)->failed);
	replay_free(replay);
	streams_close(&f);
}

static void a_log_that_cannot_be_read_is_told(void **state)
{
	struct streams f;
	struct replay *replay;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	f.broken = true;
	replay = run(&f, make(&f, 0));
	assert_true(replay->failed);
	replay_free(replay);
	/* A chunk of it is not kept. */
	f.broken = false;
	replay = run(&f, make(&f, 0));
	check_events(replay, 1, 20, 100);
	assert_int_equal(f.reads, 2);
	replay_free(replay);
	streams_close(&f);
}

static unsigned reads_of(struct streams *streams)
{
	unsigned reads;

	pthread_mutex_lock(&streams->lock);
	reads = streams->reads;
	pthread_mutex_unlock(&streams->lock);
	return reads;
}

/* Chunks of a megabyte, which nobody sends: the thread pauses until some are released. */
static void the_thread_holds_no_more_than_its_bound(void **state)
{
	static char data[1 << 20];
	struct streams f;
	size_t held = 0, paused;
	unsigned jobs = 40;

	(void)state;
	streams_open(&f, 4096);
	memset(data, 'L', sizeof(data));
	for (unsigned i = 0; i < jobs; i++)
		streams_publish(&f, "a", data, sizeof(data));
	came_count = 0;
	for (unsigned i = 0; i < jobs; i++)
		replay_submit(make(&f, i), &f.mailbox);
	for (paused = 1; held <= REPLAY_THREAD_HELD; paused++) {
		wait_for(&f, paused);
		held += came[paused - 1]->chunk->held;
	}
	paused--;
	/* A moment in which nothing more is read. */
	assert_int_equal(poll(&(struct pollfd){.fd = f.mailbox.wake, .events = POLLIN}, 1, 50), 0);
	assert_int_equal(came_count, paused);
	assert_int_equal(reads_of(&f), paused);
	/* Each that is released lets it read on. */
	for (size_t i = 0; i < jobs; i++) {
		assert_int_equal(came[i]->chunk->marks[0].position, i + 1);
		replay_free(came[i]);
		if (paused + i < jobs)
			wait_for(&f, paused + i + 1);
	}
	assert_int_equal(came_count, jobs);
	streams_close(&f);
}

static void stopping_runs_what_is_queued(void **state)
{
	struct streams f;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 30, 100);
	came_count = 0;
	for (unsigned i = 0; i < 20; i++)
		replay_submit(make(&f, i), &f.mailbox);
	streams_stop(&f);
	assert_int_equal(came_count, 20);
	for (unsigned i = 0; i < 20; i++) {
		check_events(came[i], i + 1, 30, 100);
		replay_free(came[i]);
	}
	streams_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_an_id_come_the_events_after_it),
		cmocka_unit_test(nothing_after_the_boundary_is_read),
		cmocka_unit_test(since_a_time_says_where_it_starts),
		cmocka_unit_test(an_unknown_id_is_told_and_all_that_is_kept_follows),
		cmocka_unit_test(a_gap_is_told_once),
		cmocka_unit_test(a_gap_does_not_pass_the_next_event),
		cmocka_unit_test(what_does_not_fit_into_a_chunk_is_of_the_next),
		cmocka_unit_test(a_chunk_of_envelopes_has_them),
		cmocka_unit_test(streams_that_need_the_same_share_a_chunk),
		cmocka_unit_test(a_cut_event_goes_first_or_the_replay_fails),
		cmocka_unit_test(a_log_that_cannot_be_read_is_told),
		cmocka_unit_test(the_thread_holds_no_more_than_its_bound),
		cmocka_unit_test(stopping_runs_what_is_queued),
	};

	return cmocka_run_group_tests_name("serve_replay", tests, NULL, NULL);
}

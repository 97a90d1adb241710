/* SPDX-License-Identifier: MIT */
/*
 * Follows a stream in many threads by sse_follow.h, each with a follower of its own.
 *
 *	usage: follow_threads URL THREADS EVENTS
 *
 * It prints "open" when each has a stream.  When each got so many events, the first thread stops
 * them all; the last line is "stopped N".  It fails if an event came twice or not at all: their
 * data are the numbers from 1 on.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sse_follow.h"

#define THREADS_MAX 64

struct reader {
	pthread_t thread;
	struct sse_follow *follow;
	long events;
	enum sse_follow_state end;
};

static atomic_long open_streams, all_events, wrong;

static bool on_item(void *context, const struct sse_item *item)
{
	struct reader *reader = context;
	char number[24];

	if (item->kind == SSE_ITEM_OPEN)
		atomic_fetch_add(&open_streams, 1);
	if (item->kind != SSE_ITEM_EVENT)
		return true;
	snprintf(number, sizeof(number), "%ld", ++reader->events);
	if (item->data.len != strlen(number) || memcmp(item->data.data, number, item->data.len) != 0)
		atomic_fetch_add(&wrong, 1);
	atomic_fetch_add(&all_events, 1);
	return true;
}

static void *run(void *context)
{
	struct reader *reader = context;

	reader->end = sse_follow_run(reader->follow);
	return NULL;
}

static void wait_until(const atomic_long *number, long least)
{
	for (int i = 0; i < 60000 && atomic_load(number) < least; i++)
		usleep(1000);
}

int main(int argc, char **argv)
{
	static struct reader readers[THREADS_MAX];
	long count = argc > 3 ? strtol(argv[2], NULL, 10) : 0, stopped = 0;

	if (count < 1 || count > THREADS_MAX) {
		fprintf(stderr, "usage: follow_threads URL THREADS EVENTS\n");
		return 64;
	}
	for (long i = 0; i < count; i++) {
		readers[i].follow = sse_follow_new(argv[1], on_item, &readers[i]);
		sse_follow_set_number(readers[i].follow, SSE_FOLLOW_DELAY_MS, 10);
		pthread_create(&readers[i].thread, NULL, run, &readers[i]);
	}
	wait_until(&open_streams, count);
	puts("open");
	fflush(stdout);
	wait_until(&all_events, count * strtol(argv[3], NULL, 10));
	for (long i = 0; i < count; i++)
		sse_follow_stop(readers[i].follow);
	for (long i = 0; i < count; i++) {
		pthread_join(readers[i].thread, NULL);
		stopped += readers[i].end == SSE_FOLLOW_STOPPED;
		sse_follow_free(readers[i].follow);
	}
	printf("stopped %ld\n", stopped);
	return stopped == count && atomic_load(&wrong) == 0 ? 0 : 1;
}

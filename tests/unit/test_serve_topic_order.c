/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/log/topic_order.c against a model: one sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/topic.h"
#include "log/topic_order.h"

#define NAMES 4000

static char names[NAMES][16];
static struct topic topics[NAMES];

/* What is in the order, sorted. */
static struct topic *model[NAMES];
static size_t count;

static uint32_t seed = 7;

static uint32_t pick(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Names of which many begin alike, some as another ends. */
static void make_names(void)
{
	static const char *const starts[] = {"", "a/", "a/b/", "b.", "~", "a-"};

	for (size_t i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%x", starts[i % 6], (unsigned)(i / 6 * 7));
		topics[i] = (struct topic){.name = names[i]};
	}
}

/* The first of the model that is not before the name. */
static size_t place_of(const char *name)
{
	size_t place = 0;

	while (place < count && strcmp(model[place]->name, name) < 0)
		place++;
	return place;
}

static void put(struct topic_order *order, struct topic *topic)
{
	size_t place = place_of(topic->name);

	assert_int_equal(topic_order_add(order, topic), 0);
	memmove(model + place + 1, model + place, (count - place) * sizeof(*model));
	model[place] = topic;
	count++;
}

static void take(struct topic_order *order, const struct topic *topic)
{
	size_t place = place_of(topic->name);

	topic_order_remove(order, topic);
	count--;
	memmove(model + place, model + place + 1, (count - place) * sizeof(*model));
}

/* Up to ${max} from the name on are those of the model. */
static void check_from(const struct topic_order *order, const char *name, size_t max)
{
	static struct topic *found[NAMES];
	size_t place = place_of(name), some = count - place < max ? count - place : max;

	assert_int_equal(topic_order_from(order, name, found, max), some);
	assert_memory_equal(found, model + place, some * sizeof(*model));
}

static void check_all(const struct topic_order *order)
{
	check_from(order, "", NAMES);
	for (uint32_t i = 0; i < order->count; i++) {
		assert_true(order->blocks[i].count > 0);
		assert_ptr_equal(order->blocks[i].first, order->blocks[i].topics[0]->name);
	}
}

static void it_is_what_a_sorted_array_is(void **state)
{
	/* The chance of a hundred that a step adds: it grows, stays, and shrinks to nothing. */
	static const uint32_t chances[] = {90, 50, 10, 70, 0};
	struct topic_order order = {0};

	(void)state;
	make_names();
	for (size_t phase = 0; phase < sizeof(chances) / sizeof(chances[0]); phase++) {
		for (int step = 0; step < 12000; step++) {
			struct topic *topic = &topics[pick(NAMES)];
			struct topic *found = topic_order_find(&order, topic->name);

			if (found != NULL)
				assert_ptr_equal(found, topic);
			if (found == NULL && pick(100) < chances[phase])
				put(&order, topic);
			else if (found != NULL && pick(100) >= chances[phase])
				take(&order, topic);
			if (step % 100 == 0) {
				check_from(&order, names[pick(NAMES)], pick(300));
				check_from(&order, "a/", 1);
				check_all(&order);
			}
		}
	}
	while (count > 0)
		take(&order, model[pick((uint32_t)count)]);
	assert_int_equal(order.count, 0);
	assert_null(topic_order_find(&order, "a/"));
	check_from(&order, "", 1);
	topic_order_free(&order);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct topic *const *)a)->name, (*(struct topic *const *)b)->name);
}

/* How many pointers the blocks have room for grows with the number of topics, in any order. */
static void names_in_order_fill_their_blocks(void **state)
{
	struct topic_order order = {0};
	struct topic *sorted[NAMES];
	uint32_t forwards;

	(void)state;
	make_names();
	count = 0;
	for (size_t i = 0; i < NAMES; i++)
		sorted[i] = &topics[i];
	qsort(sorted, NAMES, sizeof(*sorted), by_name);
	for (size_t i = 0; i < NAMES; i++)
		put(&order, sorted[i]);
	check_all(&order);
	forwards = order.count;
	/* One of 32 is left, evenly: the blocks join. */
	for (size_t i = 0; i < NAMES; i++) {
		if (i % 32 != 0)
			take(&order, sorted[i]);
	}
	check_all(&order);
	assert_true(order.count * 8 < forwards);
	topic_order_free(&order);
	count = 0;
	for (size_t i = NAMES; i > 0; i--)
		put(&order, sorted[i - 1]);
	check_all(&order);
	assert_true(order.count <= 3 * forwards);
	topic_order_free(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_a_sorted_array_is),
		cmocka_unit_test(names_in_order_fill_their_blocks),
	};

	return cmocka_run_group_tests_name("serve_topic_order", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/stream/presence_events.c: each change of presence becomes an event,
 * whatever the name.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/store.h"
#include "stream/presence_events.h"

/* Presence events with a log thread; what is told is written down: "topic TYPE DATA;". */
struct fixture {
	struct topics *topics;
	struct store *store;
	struct window *window;
	struct log_thread *log_thread;
	struct presence *presence;
	struct mailbox mailbox, *mailboxes[1];
	struct presence_events *presence_events;
	_Atomic bool draining;
	char told[64 << 10];
};

static void deliver(void *context, const struct event *event)
{
	struct fixture *f = context;
	size_t len = strlen(f->told);

	assert_true(event->ephemeral && event->json);
	snprintf(f->told + len, sizeof(f->told) - len, "%s %.*s %.*s;", event->topic->name,
		(int)event->type.len, event->type.data, (int)event->data.len, event->data.data);
}

static void set_up(struct fixture *f)
{
	struct store_config config = {0};

	*f = (struct fixture){.topics = topics_new(), .presence = presence_new(1000, 0)};
	config.topics = f->topics;
	f->store = store_memory_open(&config, NULL);
	f->window = window_new(1 << 20, 1, 0, true, NULL);
	assert_non_null(f->store);
	assert_non_null(f->window);
	store_memory_attach(f->store, f->window, 0);
	f->log_thread = log_thread_new(f->store, f->window, &f->draining, NULL);
	assert_non_null(f->log_thread);
	f->store->deliver = deliver;
	f->store->deliver_context = f;
	assert_int_equal(mailbox_init(&f->mailbox), 0);
	f->mailboxes[0] = &f->mailbox;
	f->presence_events = presence_events_new(f->presence, f->log_thread, &f->mailbox);
	assert_non_null(f->presence_events);
	assert_int_equal(log_thread_start(f->log_thread, f->mailboxes, 1, NULL), 0);
}

static void tear_down(struct fixture *f)
{
	log_thread_stop(f->log_thread);
	presence_events_free(f->presence_events);
	mailbox_close(&f->mailbox);
	f->store->ops->close(f->store);
	window_free(f->window);
	presence_free(f->presence);
	topics_free(f->topics);
}

/* Run it until it has nothing to tell. */
static void tell(struct fixture *f)
{
	while (presence_events_run(f->presence_events, 0) == -1 &&
		presence_events_busy(f->presence_events)) {
		struct pollfd wake = {.fd = f->mailbox.wake, .events = POLLIN};

		log_thread_wake(f->log_thread);
		assert_int_equal(poll(&wake, 1, 30000), 1);
		mailbox_handle(&f->mailbox);
	}
}

static struct presence_lease *enter(struct fixture *f, const char *topic, const char *name)
{
	bool full;
	struct presence_lease *lease = presence_reserve(f->presence, &topic, 1, name, &full);

	assert_non_null(lease);
	presence_enter(lease);
	return lease;
}

static void tells_joins_and_leaves_in_their_order(void **state)
{
	struct fixture f;
	struct presence_lease *ada, *bob;

	(void)state;
	set_up(&f);
	ada = enter(&f, "chat", "Ada");
	bob = enter(&f, "chat", "Bob");
	tell(&f);
	presence_leave(ada, 0);
	tell(&f);
	assert_string_equal(f.told, "chat join {\"name\":\"Ada\",\"count\":1};"
				    "chat join {\"name\":\"Bob\",\"count\":2};"
				    "chat leave {\"name\":\"Ada\",\"count\":1};");
	presence_leave(bob, 0);
	tell(&f);
	tear_down(&f);
}

/* More than one publish of the longest names, of characters that JSON escapes. */
static void tells_every_one_of_many_long_names(void **state)
{
	struct presence_lease *leases[150];
	char name[NAME_MAX_BYTES + 1], quoted[2 * NAME_MAX_BYTES + 100];
	struct fixture f;

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < 150; i++) {
		memset(name, '"', sizeof(name) - 1);
		snprintf(name + NAME_MAX_BYTES - 3, 4, "%03zu", i);
		leases[i] = enter(&f, "t", name);
	}
	tell(&f);
	for (size_t i = 0; i < 150; i++) {
		size_t len = (size_t)snprintf(quoted, sizeof(quoted), "t join {\"name\":\"");

		for (size_t j = 0; j < NAME_MAX_BYTES - 3; j++, len += 2)
			memcpy(quoted + len, "\\\"", 2);
		snprintf(quoted + len, sizeof(quoted) - len, "%03zu\",\"count\":%zu};", i, i + 1);
		assert_non_null(strstr(f.told, quoted));
		presence_leave(leases[i], 0);
	}
	tear_down(&f);
}

static void tells_nothing_while_the_server_stops(void **state)
{
	struct fixture f;
	struct presence_lease *ada;

	(void)state;
	set_up(&f);
	f.draining = true;
	ada = enter(&f, "chat", "Ada");
	assert_int_equal(presence_events_run(f.presence_events, 0), -1);
	assert_false(presence_events_busy(f.presence_events));
	presence_leave(ada, 0);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_joins_and_leaves_in_their_order),
		cmocka_unit_test(tells_every_one_of_many_long_names),
		cmocka_unit_test(tells_nothing_while_the_server_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/stream/herald.c: each change of the roster becomes an event, whatever the name. */
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

/* A herald with a log thread; what it tells is written down: "topic TYPE DATA;". */
struct fixture {
	struct topics *topics;
	struct store *store;
	struct window *window;
	struct commit *commit;
	struct roster *roster;
	struct mailbox mailbox, *mailboxes[1];
	struct herald *herald;
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

	*f = (struct fixture){.topics = topics_new(), .roster = roster_new(1000, 0)};
	config.topics = f->topics;
	f->store = store_memory_open(&config, NULL);
	f->window = window_new(1 << 20, 1, 0, true, NULL);
	assert_non_null(f->store);
	assert_non_null(f->window);
	store_memory_attach(f->store, f->window, 0);
	f->commit = commit_new(f->store, f->window, &f->draining, NULL);
	assert_non_null(f->commit);
	f->store->deliver = deliver;
	f->store->deliver_context = f;
	assert_int_equal(mailbox_init(&f->mailbox), 0);
	f->mailboxes[0] = &f->mailbox;
	f->herald = herald_new(f->roster, f->commit, &f->mailbox);
	assert_non_null(f->herald);
	assert_int_equal(commit_start(f->commit, f->mailboxes, 1, NULL), 0);
}

static void tear_down(struct fixture *f)
{
	commit_stop(f->commit);
	herald_free(f->herald);
	mailbox_close(&f->mailbox);
	f->store->ops->close(f->store);
	window_free(f->window);
	roster_free(f->roster);
	topics_free(f->topics);
}

/* Run the herald until it has nothing to tell. */
static void tell(struct fixture *f)
{
	while (herald_run(f->herald, 0) == -1 && herald_busy(f->herald)) {
		struct pollfd wake = {.fd = f->mailbox.wake, .events = POLLIN};

		commit_wake(f->commit);
		assert_int_equal(poll(&wake, 1, 30000), 1);
		mailbox_handle(&f->mailbox);
	}
}

static struct roster_stay *enter(struct fixture *f, const char *topic, const char *name)
{
	bool full;
	struct roster_stay *stay = roster_reserve(f->roster, &topic, 1, name, &full);

	assert_non_null(stay);
	roster_enter(stay);
	return stay;
}

static void tells_joins_and_leaves_in_their_order(void **state)
{
	struct fixture f;
	struct roster_stay *ada, *bob;

	(void)state;
	set_up(&f);
	ada = enter(&f, "chat", "Ada");
	bob = enter(&f, "chat", "Bob");
	tell(&f);
	roster_leave(ada, 0);
	tell(&f);
	assert_string_equal(f.told, "chat join {\"name\":\"Ada\",\"count\":1};"
				    "chat join {\"name\":\"Bob\",\"count\":2};"
				    "chat leave {\"name\":\"Ada\",\"count\":1};");
	roster_leave(bob, 0);
	tell(&f);
	tear_down(&f);
}

/* More than one publish of the longest names, of characters that JSON escapes. */
static void tells_every_one_of_many_long_names(void **state)
{
	struct roster_stay *stays[150];
	char name[ROSTER_NAME_MAX + 1], quoted[2 * ROSTER_NAME_MAX + 100];
	struct fixture f;

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < 150; i++) {
		memset(name, '"', sizeof(name) - 1);
		snprintf(name + ROSTER_NAME_MAX - 3, 4, "%03zu", i);
		stays[i] = enter(&f, "t", name);
	}
	tell(&f);
	for (size_t i = 0; i < 150; i++) {
		size_t len = (size_t)snprintf(quoted, sizeof(quoted), "t join {\"name\":\"");

		for (size_t j = 0; j < ROSTER_NAME_MAX - 3; j++, len += 2)
			memcpy(quoted + len, "\\\"", 2);
		snprintf(quoted + len, sizeof(quoted) - len, "%03zu\",\"count\":%zu};", i, i + 1);
		assert_non_null(strstr(f.told, quoted));
		roster_leave(stays[i], 0);
	}
	tear_down(&f);
}

static void tells_nothing_while_the_server_stops(void **state)
{
	struct fixture f;
	struct roster_stay *ada;

	(void)state;
	set_up(&f);
	f.draining = true;
	ada = enter(&f, "chat", "Ada");
	assert_int_equal(herald_run(f.herald, 0), -1);
	assert_false(herald_busy(f.herald));
	roster_leave(ada, 0);
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

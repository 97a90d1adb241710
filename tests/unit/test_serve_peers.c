/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/cluster/peers.c and node_message.c: some nodes that tell each other their
 * names over a network that loses messages, and a peer that tells nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/logger.h"
#include "cluster/peers.h"
#include "stream/presence_nodes.h"

#define NODES 3
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct message {
	struct message *next;
	int from;
	size_t len;
	char data[];
};

struct node {
	int number;
	bool lives, cut; /* it runs; no message from or to it arrives */
	char id[STORE_NODE + 1];
	struct presence *presence;
	struct peers *peers;
	struct message *first, **last; /* on the way to it */
	size_t said;		       /* messages that it told, */
	size_t lists;		       /* and of them those that begin a list */
	struct presence_lease *leases[3000];
	size_t count; /* of these; those that ended are NULL */
};

static struct node nodes[NODES];
static int64_t now;
static int lose; /* of the messages that are told, so many are lost from now on */

static void tell(void *context, const void *data, size_t len)
{
	struct node *from = context;

	assert_true(len <= NODE_MESSAGE_MAX);
	from->said++;
	if (((const char *)data)[1] == NODE_NAMES)
		from->lists += (((const char *)data)[10] & 3) == 3;
	if (lose > 0) {
		lose--;
		return;
	}
	for (int i = 0; i < NODES; i++) {
		struct message *message;

		if (i == from->number || !nodes[i].lives || nodes[i].cut || from->cut)
			continue;
		message = malloc(sizeof(*message) + len);
		assert_non_null(message);
		*message = (struct message){.from = from->number, .len = len};
		memcpy(message->data, data, len);
		*nodes[i].last = message;
		nodes[i].last = &message->next;
	}
}

static void figures(void *context, struct node_figures *figures)
{
	const struct node *node = context;

	*figures = (struct node_figures){.version = "1", .streams = (uint64_t)node->number};
	snprintf(figures->name, sizeof(figures->name), "n%d", node->number);
}

/* Every node turns in settle() anyway. */
static void wake(void *context)
{
	(void)context;
}

/* Another one each time: a node that starts again has a new id. */
static void start(int number, int64_t max, uint32_t grace)
{
	static uint64_t key;
	struct node *node = &nodes[number];
	struct peers_config config = {
		.key = ++key, .tell = tell, .figures = figures, .context = node};

	*node = (struct node){.number = number, .lives = true};
	node->last = &node->first;
	snprintf(node->id, sizeof(node->id), "%016d", (int)key);
	node->presence = presence_new(max, grace);
	assert_non_null(node->presence);
	presence_nodes_share(node->presence, wake, NULL);
	config.presence = node->presence;
	node->peers = peers_new(&config, now);
	assert_non_null(node->peers);
}

static void start_all(int64_t max, uint32_t grace)
{
	lose = 0;
	for (int i = 0; i < NODES; i++)
		start(i, max, grace);
}

static void end(int number)
{
	struct node *node = &nodes[number];

	for (struct message *next; node->first != NULL; node->first = next) {
		next = node->first->next;
		free(node->first);
	}
	for (size_t i = 0; i < node->count; i++) {
		if (node->leases[i] != NULL)
			presence_leave(node->leases[i], (uint32_t)now);
	}
	peers_free(node->peers);
	presence_free(node->presence);
	memset(node, 0, sizeof(*node));
	node->number = number;
}

static void end_all(void)
{
	for (int i = 0; i < NODES; i++)
		end(i);
}

/* What is on the way arrives, until nobody has anything to say. */
static void settle(void)
{
	bool more = true;

	for (int round = 0; round < 1000 && more; round++) {
		more = false;
		for (int i = 0; i < NODES; i++) {
			struct node *node = &nodes[i];
			int64_t wait;

			for (struct message *message;
				node->lives && (message = node->first) != NULL;) {
				node->first = message->next;
				if (node->first == NULL)
					node->last = &node->first;
				peers_hear(node->peers, nodes[message->from].id, message->data,
					message->len, now);
				free(message);
			}
			if (node->lives)
				peers_turn(node->peers, now, &wait);
		}
		for (int i = 0; i < NODES; i++)
			more = more || nodes[i].first != NULL;
	}
	assert_false(more);
}

/* Time passes, in steps. */
static void pass(int64_t ms)
{
	for (int64_t until = now + ms; now < until;) {
		now += until - now < 100 ? until - now : 100;
		settle();
	}
}

static struct presence_lease *enter(int node, const char *topic, const char *name)
{
	bool full;
	struct presence_lease *lease =
		presence_reserve(nodes[node].presence, &topic, 1, name, &full);

	assert_non_null(lease);
	assert_true(nodes[node].count < COUNT(nodes[node].leases));
	nodes[node].leases[nodes[node].count++] = lease;
	presence_enter(lease);
	return lease;
}

static void leave(struct presence_lease *lease)
{
	for (int i = 0; i < NODES; i++) {
		for (size_t j = 0; j < nodes[i].count; j++) {
			if (nodes[i].leases[j] == lease)
				nodes[i].leases[j] = NULL;
		}
	}
	presence_leave(lease, (uint32_t)now);
}

/* The node's readers know these names, with a comma behind each. */
static void sees(int node, const char *topic, const char *expected)
{
	struct presence_change change;
	char text[400] = "";
	struct buf names;
	size_t count;

	while (presence_change(nodes[node].presence, (uint32_t)now, &change))
		;
	buf_init(&names, SIZE_MAX / 2);
	assert_int_equal(presence_names(nodes[node].presence, topic, &names, &count), 0);
	for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s,", names.data + at);
	buf_free(&names);
	assert_string_equal(text, expected);
}

static void all_see(const char *topic, const char *expected)
{
	for (int i = 0; i < NODES; i++) {
		if (nodes[i].lives)
			sees(i, topic, expected);
	}
}

/* How many other nodes this one knows. */
static size_t others(int node)
{
	struct node_figures figures[NODES];

	return peers_list(nodes[node].peers, figures, NODES);
}

/* --- tests --- */

static void all_nodes_know_the_names_of_all(void **state)
{
	struct presence_lease *ada, *ada_too;
	struct node_figures figures[NODES];

	(void)state;
	start_all(100, 1000);
	ada = enter(0, "a", "Ada");
	settle();
	assert_int_equal(peers_list(nodes[0].peers, figures, NODES), 2);
	assert_string_equal(figures[0].name, "n1");
	assert_int_equal(figures[1].streams, 2);
	all_see("a", "Ada,");
	ada_too = enter(2, "a", "Ada");
	enter(1, "a", "Bob");
	enter(1, "b", "Bob");
	settle();
	all_see("a", "Ada,Bob,");
	all_see("b", "Bob,");
	leave(ada);
	pass(2000);
	all_see("a", "Ada,Bob,");
	leave(ada_too);
	pass(900);
	all_see("a", "Ada,Bob,");
	pass(200);
	all_see("a", "Bob,");
	end_all();
}

static void a_node_that_starts_asks_for_what_the_others_have(void **state)
{
	(void)state;
	start_all(100, 0);
	enter(0, "a", "Ada");
	settle();
	end(1);
	pass(PEERS_GONE_MS + 1000);
	nodes[0].lists = 0;
	start(1, 100, 0);
	enter(1, "a", "Bob");
	settle();
	all_see("a", "Ada,Bob,");
	assert_int_equal(nodes[0].lists, 1);
	end_all();
}

static void a_large_list_comes_in_parts(void **state)
{
	char name[32], topic[200];
	size_t count;
	struct buf names;

	(void)state;
	start_all(10000, 0);
	end(1);
	memset(topic, 't', sizeof(topic));
	topic[sizeof(topic) - 1] = '\0';
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		enter(0, topic, name);
	}
	settle();
	start(1, 10000, 0);
	nodes[0].said = 0;
	pass(1000);
	/* More than half a megabyte, in messages of 16 kB. */
	assert_in_range(nodes[0].said, 36, 60);
	buf_init(&names, SIZE_MAX / 2);
	assert_int_equal(presence_names(nodes[1].presence, topic, &names, &count), 0);
	assert_int_equal(count, 3000);
	buf_free(&names);
	end_all();
}

static void the_names_of_a_node_that_dies_leave_after_the_grace(void **state)
{
	(void)state;
	start_all(100, 2000);
	enter(0, "a", "Ada");
	enter(1, "a", "Bob");
	enter(2, "a", "Bob");
	enter(2, "a", "Cy");
	settle();
	end(2);
	pass(PEERS_GONE_MS - 1000);
	assert_int_equal(others(0), 2);
	pass(1100);
	assert_int_equal(others(0), 1);
	pass(1800);
	all_see("a", "Ada,Bob,Cy,");
	pass(300);
	all_see("a", "Ada,Bob,");
	end_all();
}

static void a_node_that_ends_takes_its_names_with_it_at_once(void **state)
{
	(void)state;
	start_all(100, 2000);
	enter(2, "a", "Cy");
	settle();
	peers_leave(nodes[2].peers);
	nodes[2].lives = false;
	settle();
	assert_int_equal(others(0), 1);
	all_see("a", "Cy,");
	pass(2100);
	all_see("a", "");
	end_all();
}

static void a_node_that_comes_back_in_time_loses_nothing(void **state)
{
	struct presence_change change;

	(void)state;
	start_all(100, 2000);
	enter(2, "a", "Cy");
	settle();
	sees(0, "a", "Cy,");
	/* Gone, but for less than its names keep. */
	nodes[2].cut = true;
	pass(PEERS_GONE_MS + 1000);
	assert_int_equal(others(0), 1);
	nodes[2].cut = false;
	pass(3000);
	assert_int_equal(others(0), 2);
	assert_false(presence_change(nodes[0].presence, (uint32_t)now, &change));
	all_see("a", "Cy,");
	end_all();
}

static void this_node_was_stopped_and_the_others_were_not(void **state)
{
	int64_t wait;

	(void)state;
	start_all(100, 0);
	enter(1, "a", "Bob");
	settle();
	/* What they said in the meantime has not arrived yet. */
	now += 60000;
	peers_turn(nodes[0].peers, now, &wait);
	assert_int_equal(others(0), 2);
	sees(0, "a", "Bob,");
	end_all();
}

static void a_lost_message_is_noticed(void **state)
{
	struct presence_lease *ada;

	(void)state;
	start_all(100, 0);
	ada = enter(0, "a", "Ada");
	settle();
	lose = 1;
	leave(ada);
	enter(0, "a", "Bob");
	settle();
	/* Until then nobody can know. */
	sees(1, "a", "Ada,");
	pass(1100);
	all_see("a", "Bob,");
	/* One that a later one shows. */
	pass(2000);
	lose = 1;
	enter(0, "a", "Cy");
	settle();
	enter(0, "a", "Dan");
	settle();
	all_see("a", "Bob,Cy,Dan,");
	end_all();
}

static void a_list_of_which_a_part_is_lost_comes_again(void **state)
{
	char name[32], topic[200];
	struct buf names;
	size_t count;

	(void)state;
	start_all(10000, 0);
	end(1);
	memset(topic, 't', sizeof(topic));
	topic[sizeof(topic) - 1] = '\0';
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		enter(0, topic, name);
	}
	settle();
	for (int lost = 1; lost < 8; lost++) {
		start(1, 10000, 0);
		lose = lost;
		pass(10000);
		buf_init(&names, SIZE_MAX / 2);
		assert_int_equal(presence_names(nodes[1].presence, topic, &names, &count), 0);
		assert_int_equal(count, 500);
		buf_free(&names);
		end(1);
		pass(PEERS_GONE_MS + 1000);
	}
	end_all();
}

/* Streams at random, and any message may be lost: in the end all agree. */
static void all_agree_in_the_end(void **state)
{
	enum { NAMES = 6 };
	static const char *const names[NAMES] = {"A", "B", "C", "D", "E", "F"};
	struct presence_lease *leases[NODES][NAMES] = {{0}};
	unsigned random = 99;

	(void)state;
	start_all(100, 0);
	for (int round = 0; round < 80; round++) {
		char expected[NAMES * 2 + 1] = "";

		for (int step = 0; step < 50; step++) {
			struct presence_lease **lease;
			unsigned node, name;

			random = random * 1103515245 + 12345;
			node = (random >> 8) % NODES;
			name = (random >> 16) % NAMES;
			lease = &leases[node][name];
			if (*lease != NULL)
				leave(*lease);
			*lease = *lease != NULL ? NULL : enter((int)node, "a", names[name]);
			lose = (random >> 20) % 5 == 0 ? 1 : 0;
			if (random % 3 == 0)
				pass(10);
		}
		lose = 0;
		pass(3000);
		for (int i = 0; i < NAMES; i++) {
			if (leases[0][i] != NULL || leases[1][i] != NULL || leases[2][i] != NULL)
				strcat(strcat(expected, names[i]), ",");
		}
		all_see("a", expected);
	}
	end_all();
}

static void names_for_which_there_was_no_place_come_later(void **state)
{
	struct presence_lease *leases[6];
	char name[8];

	(void)state;
	start_all(100, 0);
	end(2);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "N%d", i);
		leases[i] = enter(0, "a", name);
	}
	start(2, 4, 0);
	settle();
	sees(2, "a", "N0,N1,N2,N3,");
	leave(leases[0]);
	leave(leases[1]);
	settle();
	sees(2, "a", "N2,N3,");
	nodes[0].lists = 0;
	pass(55000);
	/* It does not ask for the list all the time. */
	assert_int_equal(nodes[0].lists, 0);
	pass(10000);
	sees(2, "a", "N2,N3,N4,N5,");
	assert_int_equal(nodes[0].lists, 1);
	pass(120000);
	assert_int_equal(nodes[0].lists, 1);
	end_all();
}

static void too_many_nodes_are_left_out(void **state)
{
	struct node_message message = {
		.kind = NODE_ALIVE, .figures = {.name = "crowd", .version = "1"}};
	struct node_figures figures[PRESENCE_NODES + 1];
	struct buf bytes;
	char id[STORE_NODE + 1];

	(void)state;
	start_all(100, 0);
	buf_init(&bytes, NODE_MESSAGE_MAX);
	assert_true(node_message_write(&message, &bytes));
	for (int i = 0; i < PRESENCE_NODES + 10; i++) {
		snprintf(id, sizeof(id), "crowd %10d", i);
		peers_hear(nodes[0].peers, id, bytes.data, bytes.len, now);
	}
	assert_int_equal(peers_list(nodes[0].peers, figures, PRESENCE_NODES + 1), PRESENCE_NODES);
	/* They die, and there is place again. */
	pass(PEERS_GONE_MS + 1100);
	assert_int_equal(others(0), 2);
	buf_free(&bytes);
	end_all();
}

/* Each changed byte and each length of valid messages, and random bytes: nothing that is not a name
 * gets in. */
static void nonsense_is_left_out(void **state)
{
	struct node_message message = {
		.kind = NODE_ALIVE, .number = 1, .figures = {.name = "evil", .version = "1"}};
	struct node_message names = {
		.kind = NODE_NAMES, .number = 1, .list = true, .first = true, .last = true};
	const char *id = "0123456789abcdef";
	static char data[NODE_MESSAGE_MAX + 1];
	struct buf alive, list;
	unsigned random = 7;
	int64_t wait;

	(void)state;
	start_all(100, 0);
	buf_init(&alive, NODE_MESSAGE_MAX);
	buf_init(&list, NODE_MESSAGE_MAX);
	assert_true(node_message_write(&message, &alive));
	assert_true(node_message_write(&names, &list));
	assert_true(node_message_add(&list, "a", "Good", true));
	assert_true(node_message_add(&list, "$sys", "Bad", true));
	assert_true(node_message_add(&list, "a", "After", true));
	peers_hear(nodes[0].peers, id, alive.data, alive.len, now);
	peers_hear(nodes[0].peers, id, list.data, list.len, now);
	/* After something that is not valid, nothing of the message counts. */
	sees(0, "a", "Good,");
	for (size_t i = 0; i < list.len; i++) {
		for (int j = 0; j < 8; j++) {
			memcpy(data, list.data, list.len);
			data[i] = (char)(data[i] ^ 1 << j);
			peers_hear(nodes[0].peers, id, data, list.len, now);
			peers_hear(nodes[0].peers, id, data, i, now);
		}
	}
	for (size_t i = 0; i < alive.len; i++) {
		memcpy(data, alive.data, alive.len);
		data[i] = (char)(data[i] ^ 0x80);
		peers_hear(nodes[0].peers, id, data, alive.len, now);
		peers_hear(nodes[0].peers, id, alive.data, i, now);
	}
	for (int i = 0; i < 20000; i++) {
		size_t len = (random >> 16) % 64;

		for (size_t j = 0; j < len; j++) {
			random = random * 1103515245 + 12345;
			data[j] = (char)(random >> 16);
		}
		data[0] = 1;
		data[1] = (char)(1 + i % 5);
		peers_hear(nodes[0].peers, id, data, len, now);
		random++;
	}
	memset(data, 1, sizeof(data));
	peers_hear(nodes[0].peers, id, data, sizeof(data), now);
	peers_turn(nodes[0].peers, now, &wait);
	sees(0, "$sys", "");
	assert_true(presence_count(nodes[0].presence) <= 100);
	/* The others are known as before. */
	enter(1, "b", "Bob");
	settle();
	sees(0, "b", "Bob,");
	buf_free(&alive);
	buf_free(&list);
	end_all();
}

int main(void)
{
	struct error error;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_nodes_know_the_names_of_all),
		cmocka_unit_test(a_node_that_starts_asks_for_what_the_others_have),
		cmocka_unit_test(a_large_list_comes_in_parts),
		cmocka_unit_test(the_names_of_a_node_that_dies_leave_after_the_grace),
		cmocka_unit_test(a_node_that_ends_takes_its_names_with_it_at_once),
		cmocka_unit_test(a_node_that_comes_back_in_time_loses_nothing),
		cmocka_unit_test(this_node_was_stopped_and_the_others_were_not),
		cmocka_unit_test(a_lost_message_is_noticed),
		cmocka_unit_test(a_list_of_which_a_part_is_lost_comes_again),
		cmocka_unit_test(all_agree_in_the_end),
		cmocka_unit_test(names_for_which_there_was_no_place_come_later),
		cmocka_unit_test(too_many_nodes_are_left_out),
		cmocka_unit_test(nonsense_is_left_out),
	};

	/* What it says of the nodes is not looked at here. */
	if (logger_open("/dev/null", &error) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/log/store_nats.c with two nodes of one log, each with a copy of its own: what
 * one does is so on the other, and what becomes of it when NATS is away, has another log, or was set up
 * by somebody else.  What each store promises is in test_serve_store.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <cmocka.h>

#include "base/ending.h"
#include "log/store.h"
#include "parts/nats.h"
#include "parts/scratch.h"

/* How long to wait for what must happen, in ms. */
#define PATIENCE 30000
#define KEYS 60000

struct node {
	struct topics *topics;
	struct store *store;
	struct store_reader *reader;
	char delivered[4096]; /* "topic=data@position;", an ephemeral event's with "~" */
	char erased[200];     /* what another node deleted: "topic(after,upto];" */
};

static void deliver(void *context, const struct event *event)
{
	struct node *node = context;
	size_t len = strlen(node->delivered);

	snprintf(node->delivered + len, sizeof(node->delivered) - len, "%s%s=%.*s@%d;",
		event->ephemeral ? "~" : "", event->topic->name, (int)event->data.len,
		event->data.data, (int)event->position);
}

static void show(void *context)
{
	(void)context;
}

static void note_erased(void *context, const struct store_deletion *deletion)
{
	struct node *node = context;
	size_t len = strlen(node->erased);

	snprintf(node->erased + len, sizeof(node->erased) - len, "%s(%d,%d];",
		deletion->topic->name, (int)deletion->after, (int)deletion->upto);
}

/* The node of the test is asked all the time. */
static void wake(void *context)
{
	(void)context;
}

static struct store *try_open(
	struct topics *topics, const char *path, int64_t keys, struct error *error)
{
	return store_nats_open(&(struct store_config){.path = path,
				       .topics = topics,
				       .idempotency_window = keys,
				       .servers = nats_servers()},
		error);
}

static void open_node(struct node *node, const char *path)
{
	struct error error = {0};

	*node = (struct node){.topics = topics_new()};
	node->store = try_open(node->topics, path, KEYS, &error);
	if (node->store == NULL)
		fail_msg("%s", error.text);
	node->store->deliver = deliver;
	node->store->deliver_context = node;
	node->store->show = show;
	node->store->erased = note_erased;
	node->store->wake = wake;
	node->reader = node->store->ops->reader_new(node->store, NULL);
	assert_non_null(node->reader);
	node->store->ops->follow(node->store);
}

static void close_node(struct node *node)
{
	node->store->ops->reader_free(node->reader);
	node->store->ops->close(node->store);
	topics_free(node->topics);
}

/* The files of the two copies. */
static const char *path_of(int number)
{
	static char copy[sizeof(scratch_path) + 8];

	snprintf(copy, sizeof(copy), "%s.copy", scratch_path);
	return number == 0 ? scratch_path : copy;
}

/* Two nodes of a new log. */
static void open_nodes(struct node nodes[2])
{
	nats_needed();
	nats_new_log();
	scratch_remove();
	for (int i = 0; i < 2; i++)
		open_node(&nodes[i], path_of(i));
}

static void close_nodes(struct node nodes[2])
{
	for (int i = 0; i < 2; i++)
		close_node(&nodes[i]);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Let the node follow until it is that far. */
static void follow_to(struct node *node, uint64_t head)
{
	for (int ms = 0; node->store->head < head && ms < PATIENCE; ms += 2) {
		node->store->ops->follow(node->store);
		nap();
	}
	assert_int_equal(node->store->head, head);
}

/* Let it follow until it has delivered this. */
static void follow_until(struct node *node, const char *delivered)
{
	for (int ms = 0; strcmp(node->delivered, delivered) != 0 && ms < PATIENCE; ms += 2) {
		node->store->ops->follow(node->store);
		nap();
	}
	assert_string_equal(node->delivered, delivered);
}

static struct store_append event(const char *topic, const char *key, const char *data)
{
	struct store_append one = {.topic = topic,
		.key = {key, strlen(key)},
		.event = {.type = {"update", 6}, .data = {data, strlen(data)}}};

	for (const char *c = data; *c != '\0'; c++)
		one.fingerprint = one.fingerprint * 31 + (unsigned char)*c;
	return one;
}

static struct store_group append_group(struct node *node, struct store_group group)
{
	struct store_group *pointer = &group;
	struct error error = {0};

	if (node->store->ops->append(node->store, &pointer, 1, &error) != 0)
		fail_msg("%s", error.text);
	return group;
}

/* Append one; its position. */
static uint64_t append(struct node *node, const char *topic, const char *data)
{
	struct store_append one = event(topic, "", data);
	struct store_group group =
		append_group(node, (struct store_group){.appends = &one, .count = 1});

	assert_false(store_group_refused(&group));
	return one.event.position;
}

static bool note(void *context, const struct event *one)
{
	char *text = context;
	size_t len = strlen(text);

	snprintf(text + len, 4096 - len, "%s=%.*s@%d:%lld;", one->topic->name, (int)one->data.len,
		one->data.data, (int)one->position, (long long)one->time);
	return true;
}

/* All that the node has of the topic, with the time of each. */
static const char *read_all(struct node *node, const char *topic, char text[4096])
{
	struct topic_set set = {0};
	struct store_query query = {.topics = &set, .upto = node->store->head};

	text[0] = '\0';
	assert_int_equal(topic_set_add(&set, topics_find(node->topics, topic)), 0);
	assert_int_equal(node->store->ops->read(node->reader, &query, note, text, NULL), 0);
	topic_set_free(&set);
	return text;
}

/* Both have the same of the topic, at the same positions, of the same time. */
static void assert_agree(struct node nodes[2], const char *topic)
{
	char ours[4096], theirs[4096];

	assert_string_equal(read_all(&nodes[0], topic, ours), read_all(&nodes[1], topic, theirs));
}

/* --- what one does is so on the other ---------------------------------------------------------- */

static void both_have_all_at_the_same_positions(void **state)
{
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	for (uint64_t i = 1; i <= 20; i++) {
		/* Neither has to have seen what the other did before. */
		assert_int_equal(append(&nodes[i % 3 != 0], "a", i % 2 ? "odd" : "even"), i);
	}
	for (int i = 0; i < 2; i++)
		follow_to(&nodes[i], 20);
	assert_agree(nodes, "a");
	assert_string_equal(nodes[0].delivered, nodes[1].delivered);
	close_nodes(nodes);
}

static void an_id_of_one_is_known_to_the_other(void **state)
{
	char id[IDENTITY_TEXT];
	struct node nodes[2];
	uint64_t position = 0;

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "x");
	identity_format(&nodes[0].store->identity, 1, id);
	follow_to(&nodes[1], 1);
	assert_true(identity_parse(&nodes[1].store->identity, id, 1, &position));
	assert_int_equal(position, 1);
	/* Also after it began anew, without its copy. */
	close_node(&nodes[1]);
	scratch_remove();
	close_node(&nodes[0]);
	open_node(&nodes[1], path_of(1));
	assert_int_equal(nodes[1].store->head, 1);
	assert_true(identity_parse(&nodes[1].store->identity, id, 1, &position));
	close_node(&nodes[1]);
}

static void a_key_is_known_to_both(void **state)
{
	struct store_append first = event("a", "k", "x"), again = event("a", "k", "x"),
			    other = event("a", "k", "y");
	struct store_group group;
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	append_group(&nodes[0], (struct store_group){.appends = &first, .count = 1});
	group = append_group(&nodes[1], (struct store_group){.appends = &again, .count = 1});
	assert_true(again.duplicate && !group.conflict);
	assert_int_equal(again.event.position, 1);
	group = append_group(&nodes[1], (struct store_group){.appends = &other, .count = 1});
	assert_true(group.conflict);
	assert_int_equal(nodes[1].store->head, 1);
	assert_string_equal(nodes[1].delivered, "a=x@1;");
	close_nodes(nodes);
}

static void of_two_that_expect_the_same_one_wins(void **state)
{
	struct store_append one = event("a", "", "1"), two = event("a", "", "2");
	struct store_group group;
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "0");
	group = append_group(&nodes[0],
		(struct store_group){
			.appends = &one, .count = 1, .condition = STORE_IF_NEWEST, .expected = 1});
	assert_false(group.unmet);
	/* It has not even seen the first one yet. */
	group = append_group(&nodes[1],
		(struct store_group){
			.appends = &two, .count = 1, .condition = STORE_IF_NEWEST, .expected = 1});
	assert_true(group.unmet);
	assert_int_equal(group.newest, 2);
	group = append_group(&nodes[1],
		(struct store_group){.appends = &two, .count = 1, .condition = STORE_IF_NONE});
	assert_true(group.unmet);
	assert_agree(nodes, "a");
	close_nodes(nodes);
}

static void what_one_closes_is_closed_on_both(void **state)
{
	struct store_append end = event("a", "", "{}"), late = event("a", "", "late");
	struct store_group group;
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	end.closes = true;
	append_group(&nodes[0], (struct store_group){.appends = &end, .count = 1});
	group = append_group(&nodes[1], (struct store_group){.appends = &late, .count = 1});
	assert_true(group.closed);
	assert_int_equal(topics_find(nodes[1].topics, "a")->closed, 2);
	assert_agree(nodes, "a");
	close_nodes(nodes);
}

/* As the log thread does it. */
static uint64_t erase(struct node *node, const char *topic, uint64_t after, uint64_t upto)
{
	struct store_deletion deletion = {
		.topic = topics_find(node->topics, topic), .after = after, .upto = upto};

	assert_non_null(deletion.topic);
	while (!deletion.ended)
		assert_int_equal(node->store->ops->erase(node->store, &deletion, NULL), 0);
	return deletion.newest;
}

static void what_one_deletes_is_gone_on_both(void **state)
{
	struct node nodes[2];
	char text[4096];

	(void)state;
	open_nodes(nodes);
	for (int i = 0; i < 4; i++)
		append(&nodes[0], i == 3 ? "b" : "a", "x");
	follow_to(&nodes[1], 4);
	assert_int_equal(erase(&nodes[1], "a", 0, 2), 2);
	/* The deletion took a position. */
	follow_to(&nodes[0], 5);
	assert_string_equal(nodes[0].erased, "a(0,2];");
	assert_string_equal(nodes[1].erased, "");
	assert_agree(nodes, "a");
	assert_non_null(strstr(read_all(&nodes[0], "a", text), "a=x@3:"));
	assert_null(strstr(text, "@2:"));
	assert_int_equal(topics_find(nodes[0].topics, "a")->deleted, 2);
	assert_int_equal(append(&nodes[0], "a", "y"), 6);
	close_nodes(nodes);
}

static void a_batch_is_whole_on_both(void **state)
{
	struct store_append batch[50], refused[] = {event("n", "", "new"), event("a", "5", "y")};
	char keys[50][4];
	struct store_group group;
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	for (int i = 0; i < 50; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%d", i);
		batch[i] = event(i % 2 ? "a" : "b", keys[i], "x");
	}
	append_group(&nodes[0], (struct store_group){.appends = batch, .count = 50});
	group = append_group(&nodes[1], (struct store_group){.appends = refused, .count = 2});
	assert_true(group.conflict);
	assert_int_equal(group.conflicted, 1);
	for (int i = 0; i < 2; i++) {
		follow_to(&nodes[i], 50);
		assert_null(strstr(nodes[i].delivered, "n=new"));
	}
	assert_agree(nodes, "a");
	assert_agree(nodes, "b");
	close_nodes(nodes);
}

/* Many groups that are more than a message, and one group that is. */
static void what_is_larger_than_a_message(void **state)
{
	enum { GROUPS = 4, LARGE = 400000 };
	char *large = malloc(4 * LARGE + 1);
	struct store_append appends[GROUPS];
	struct store_group groups[GROUPS], *pointers[GROUPS];
	struct error error = {0};
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	assert_non_null(large);
	memset(large, 'x', 4 * LARGE);
	large[4 * LARGE] = '\0';
	for (int i = 0; i < GROUPS; i++) {
		appends[i] = event("a", "", "");
		appends[i].event.data = (struct sse_text){large, LARGE};
		groups[i] = (struct store_group){.appends = &appends[i], .count = 1};
		pointers[i] = &groups[i];
	}
	assert_int_equal(nodes[0].store->ops->append(nodes[0].store, pointers, GROUPS, NULL), 0);
	assert_int_equal(appends[GROUPS - 1].event.position, GROUPS);
	appends[0].event.data.len = 4 * LARGE;
	groups[0] = (struct store_group){.appends = &appends[0], .count = 1};
	assert_int_equal(nodes[1].store->ops->append(nodes[1].store, pointers, 1, &error), -1);
	assert_int_equal(error.status, EX_DATAERR);
	assert_non_null(strstr(error.text, "too large for one message"));
	follow_to(&nodes[1], GROUPS);
	assert_int_equal(append(&nodes[1], "a", "small"), GROUPS + 1);
	close_nodes(nodes);
	free(large);
}

static void ephemeral_events_reach_both_and_are_not_stored(void **state)
{
	struct store_append typing = event("a", "", "typing"), own = event("a", "", "join");
	struct node nodes[2];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	follow_to(&nodes[1], 1);
	typing.event.ephemeral = own.event.ephemeral = own.own = true;
	/* What a node says itself, each says. */
	append_group(&nodes[0], (struct store_group){.appends = &own, .count = 1});
	append_group(&nodes[0], (struct store_group){.appends = &typing, .count = 1});
	follow_until(&nodes[1], "a=1@1;~a=typing@1;");
	assert_string_equal(nodes[0].delivered, "a=1@1;~a=join@1;~a=typing@1;");
	assert_int_equal(nodes[1].store->head, 1);
	close_nodes(nodes);
}

/* --- what others do to the stream -------------------------------------------------------------- */

static void what_is_no_command_is_left_out_by_all(void **state)
{
	struct node nodes[2];
	char answer[1000];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	nats_ask("@.log", "not a command", answer, sizeof(answer));
	assert_non_null(strstr(answer, "\"seq\":"));
	nats_ask("@.log", "SSE\1\1\1i\1", answer, sizeof(answer));
	assert_int_equal(append(&nodes[1], "a", "2"), 2);
	follow_to(&nodes[0], 2);
	assert_agree(nodes, "a");
	close_nodes(nodes);
}

static void assert_refused(int64_t keys, int status, const char *why)
{
	struct topics *topics = topics_new();
	struct error error = {0};

	assert_null(try_open(topics, path_of(0), keys, &error));
	if (error.status != status || strstr(error.text, why) == NULL)
		fail_msg("%d: %s", error.status, error.text);
	topics_free(topics);
}

/* To go on without what one does not understand would be another log. */
static void a_command_of_a_newer_version_is_not_left_out(void **state)
{
	struct node nodes[2];
	char answer[1000];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	close_nodes(nodes);
	nats_ask("@.log", "SSE\2\1\1i", answer, sizeof(answer));
	assert_refused(KEYS, EX_CONFIG, "upgrade sse-serve");
}

static void a_stream_with_limits_of_others_is_refused(void **state)
{
	static const struct {
		const char *setting, *name;
	} settings[] = {
		{"\"max_msgs\":100", "max_msgs"},
		{"\"max_bytes\":1000000", "max_bytes"},
		{"\"max_age\":3600000000000", "max_age"},
		{"\"max_msgs_per_subject\":10", "max_msgs_per_subject"},
		{"\"storage\":\"memory\"", "storage in memory"},
		{"\"retention\":\"interest\"", "retention policy"},
		{"\"no_ack\":true", "no_ack"},
	};
	char body[300], answer[4000];

	(void)state;
	nats_needed();
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		nats_new_log();
		scratch_remove();
		snprintf(body, sizeof(body), "{\"name\":\"@\",\"subjects\":[\"@.log\"],%s%s}",
			strstr(settings[i].setting, "storage") ? "" : "\"storage\":\"file\",",
			settings[i].setting);
		nats_ask("$JS.API.STREAM.CREATE.@", body, answer, sizeof(answer));
		assert_null(strstr(answer, "\"error\""));
		assert_refused(KEYS, EX_CONFIG, settings[i].name);
	}
}

/* Nor is one without limits a log, if sse-serve did not make it. */
static void a_stream_of_something_else_is_refused(void **state)
{
	char answer[4000];

	(void)state;
	nats_needed();
	nats_new_log();
	scratch_remove();
	nats_ask("$JS.API.STREAM.CREATE.@",
		"{\"name\":\"@\",\"subjects\":[\"@.log\"],\"storage\":\"file\"}", answer,
		sizeof(answer));
	assert_refused(KEYS, EX_CONFIG, "not a log of sse-serve");
}

static void nodes_that_would_keep_keys_for_another_time_are_refused(void **state)
{
	struct topics *topics = topics_new();
	struct node nodes[2];
	struct store *store;

	(void)state;
	open_nodes(nodes);
	close_nodes(nodes);
	assert_refused(KEYS + 1, EX_CONFIG, "keep keys equally long");
	/* Who says nothing does as the others do. */
	store = try_open(topics, path_of(0), STORE_KEYS_DEFAULT, NULL);
	assert_non_null(store);
	store->ops->close(store);
	topics_free(topics);
}

/* A stream that is deleted and made again is another log, for the copies and for the ids. */
static void a_stream_made_again_is_another_log(void **state)
{
	char first[IDENTITY_TEXT], answer[1000];
	struct node nodes[2], node;
	uint64_t position;

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	identity_format(&nodes[0].store->identity, 1, first);
	close_nodes(nodes);
	nats_ask("$JS.API.STREAM.DELETE.@", "", answer, sizeof(answer));
	assert_non_null(strstr(answer, "\"success\":true"));
	assert_refused(KEYS, EX_DATAERR, "not a copy of the log");
	scratch_remove();
	open_node(&node, path_of(0));
	append(&node, "a", "other");
	assert_int_equal(node.store->head, 1);
	assert_false(identity_parse(&node.store->identity, first, 1, &position));
	close_node(&node);
}

/* A node that runs meanwhile asks to be ended, since it shows what is not in the log. */
static void a_node_of_a_stream_that_is_gone_ends(void **state)
{
	struct node nodes[2], other;
	char answer[1000];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	close_node(&nodes[1]);
	scratch_remove();
	assert_int_equal(ending_status(), 0);
	nats_ask("$JS.API.STREAM.DELETE.@", "", answer, sizeof(answer));
	open_node(&other, path_of(1));
	for (int ms = 0; ending_status() == 0 && ms < PATIENCE; ms += 2) {
		nodes[0].store->ops->follow(nodes[0].store);
		nap();
	}
	assert_int_equal(ending_status(), EX_TEMPFAIL);
	close_node(&nodes[0]);
	close_node(&other);
}

/* --- NATS is away ------------------------------------------------------------------------------ */

/* Try to append while NATS is away; why that failed. */
static void append_in_vain(struct node *node, const char *key, struct error *error)
{
	struct store_append one = event("a", key, "in vain");
	struct store_group group = {.appends = &one, .count = 1}, *pointer = &group;

	*error = (struct error){0};
	assert_int_equal(node->store->ops->append(node->store, &pointer, 1, error), -1);
	assert_int_equal(error->status, EX_TEMPFAIL);
}

/* Until it can be published again. */
static void await_nats(struct node *node)
{
	int ms = 0;

	for (; node->store->ops->check(node->store, NULL) != 0 && ms < PATIENCE; ms += 2)
		nap();
	assert_true(ms < PATIENCE);
}

static void without_nats_one_reads_and_nothing_is_stored_and_then_it_goes_on(void **state)
{
	struct store_append again = event("a", "key", "in vain");
	struct node nodes[2];
	struct error error;
	char text[4096];
	int ms = 0;

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	follow_to(&nodes[1], 1);
	nats_kill();
	for (; nodes[0].store->ops->check(nodes[0].store, &error) == 0 && ms < PATIENCE; ms += 2)
		nap();
	assert_int_equal(error.status, EX_TEMPFAIL);
	append_in_vain(&nodes[0], "key", &error);
	if (strstr(error.text, "nothing was stored") == NULL)
		fail_msg("%s", error.text);
	assert_non_null(strstr(read_all(&nodes[0], "a", text), "a=1@1:"));
	nats_start();
	for (int i = 0; i < 2; i++)
		await_nats(&nodes[i]);
	/* It said the truth: the same key stores it now. */
	append_group(&nodes[1], (struct store_group){.appends = &again, .count = 1});
	assert_false(again.duplicate);
	assert_int_equal(again.event.position, 2);
	assert_int_equal(append(&nodes[0], "a", "3"), 3);
	follow_to(&nodes[1], 3);
	assert_agree(nodes, "a");
	assert_string_equal(nodes[0].delivered, "a=1@1;a=in vain@2;a=3@3;");
	assert_string_equal(nodes[1].delivered, nodes[0].delivered);
	close_nodes(nodes);
}

static void a_node_that_was_away_catches_up_in_order(void **state)
{
	struct node nodes[2];
	char text[4096];

	(void)state;
	open_nodes(nodes);
	append(&nodes[0], "a", "1");
	follow_to(&nodes[1], 1);
	close_node(&nodes[1]);
	for (int i = 0; i < 100; i++) {
		nodes[0].delivered[0] = '\0';
		append(&nodes[0], i % 3 ? "a" : "b", "x");
	}
	erase(&nodes[0], "b", 0, 3);
	open_node(&nodes[1], path_of(1));
	assert_int_equal(nodes[1].store->head, 102);
	assert_agree(nodes, "a");
	assert_agree(nodes, "b");
	assert_null(strstr(read_all(&nodes[1], "b", text), "@2:"));
	close_nodes(nodes);
}

static int tear_down(void **state)
{
	return nats_tear_down(state) | scratch_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_have_all_at_the_same_positions),
		cmocka_unit_test(an_id_of_one_is_known_to_the_other),
		cmocka_unit_test(a_key_is_known_to_both),
		cmocka_unit_test(of_two_that_expect_the_same_one_wins),
		cmocka_unit_test(what_one_closes_is_closed_on_both),
		cmocka_unit_test(what_one_deletes_is_gone_on_both),
		cmocka_unit_test(a_batch_is_whole_on_both),
		cmocka_unit_test(what_is_larger_than_a_message),
		cmocka_unit_test(ephemeral_events_reach_both_and_are_not_stored),
		cmocka_unit_test(what_is_no_command_is_left_out_by_all),
		cmocka_unit_test(a_command_of_a_newer_version_is_not_left_out),
		cmocka_unit_test(a_stream_with_limits_of_others_is_refused),
		cmocka_unit_test(a_stream_of_something_else_is_refused),
		cmocka_unit_test(nodes_that_would_keep_keys_for_another_time_are_refused),
		cmocka_unit_test(a_stream_made_again_is_another_log),
		cmocka_unit_test(without_nats_one_reads_and_nothing_is_stored_and_then_it_goes_on),
		cmocka_unit_test(a_node_that_was_away_catches_up_in_order),
		/* The last one: whoever asked to end has asked for good. */
		cmocka_unit_test(a_node_of_a_stream_that_is_gone_ends),
	};

	return cmocka_run_group_tests_name("serve_cluster", tests, scratch_set_up, tear_down);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-post/deliver.c: a group goes to a server on the loopback interface, which this
 * process plays too.  The server answers the requests with the lines of a script, and notes each as
 * "a(ka)": the data, and the key that came with it; a batch as "[a(ka)b(kb)]".
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_run.h"
#include "clock.h"
#include "deliver.h"

/* No test takes as long (ms). */
#define PATIENCE 20000

#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Length: "
#define EMPTY(status) HEAD(status) "0\r\n\r\n"
#define CREATED EMPTY("201 Created")
/* As sse-serve answers. */
#define STORED                                                                                     \
	"HTTP/1.1 201 Created\r\nLast-Event-ID: t:1\r\nLocation: /api/t/event/t:1\r\n"             \
	"Content-Length: 0\r\n\r\n"
#define RESULT "{\"id\":\"t:1\",\"duplicate\":false}\n"
#define RESULTS(count, results) HEAD("201 Created") count "\r\n\r\n" results
#define WRONG_LINE(status, line)                                                                   \
	"HTTP/1.1 " status "\r\nContent-Type: application/problem+json\r\nContent-Length: "        \
	"26\r\n\r\n{\"detail\":\"line " line ": wrong\"}"

/* The connection ends without an answer. */
#define NOTHING ""

/* --- the server ------------------------------------------------------------------------------ */

struct server {
	int epoll, listening, connection; /* connection: -1 if there is none */
	char url[80];
	const char *const *script; /* what is left of it */
	char in[4000];
	size_t len;
	char seen[400];
};

static void watch(struct server *server, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	assert_true(fd >= 0);
	assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void server_open(struct server *server, const char *const *script)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	*server = (struct server){.connection = -1, .script = script};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->listening, 8), 0);
	assert_int_equal(getsockname(server->listening, (struct sockaddr *)&address, &size), 0);
	watch(server, server->listening);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/api/t",
		ntohs(address.sin_port));
}

static void hang_up(struct server *server)
{
	if (server->connection >= 0)
		close(server->connection);
	server->connection = -1;
	server->len = 0;
}

/* From now on nobody listens. */
static void server_close(struct server *server)
{
	hang_up(server);
	if (server->listening >= 0)
		close(server->listening);
	server->listening = -1;
}

/* The value after ${name}, as far as it is letters; "" without one. */
static void find(const char *text, const char *name, char value[8])
{
	const char *at = strcasestr(text, name);
	size_t len = 0;

	if (at != NULL) {
		at += strlen(name);
		while (len < 7 && isalnum((unsigned char)at[len]))
			len++;
		memcpy(value, at, len);
	}
	value[len] = '\0';
}

static void note(struct server *server, const char *data, const char *key)
{
	size_t len = strlen(server->seen);

	snprintf(server->seen + len, sizeof(server->seen) - len, "%s(%s)", data, key);
}

/* Note a whole request. */
static void note_request(struct server *server, char *body)
{
	char key[8], data[8];

	if (strncmp(server->in, "POST ", 5) != 0)
		strcat(server->seen, "not a POST: ");
	if (strncmp(server->in, "POST /api/t", 11) != 0)
		strcat(server->seen, "elsewhere: ");
	if (strcasestr(server->in, "Content-Type: application/x-ndjson") == NULL) {
		find(server->in, "Idempotency-Key: ", key);
		note(server, body, key);
		strcat(server->seen, " ");
		return;
	}
	strcat(server->seen, "[");
	for (char *line = strtok(body, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		find(line, "\"key\":\"", key);
		find(line, "\"data\":\"", data);
		note(server, data, key);
	}
	strcat(server->seen, "] ");
}

/* Note the request and answer it, if it is there whole. */
static void answer(struct server *server)
{
	char *body, *length;
	size_t want;

	server->in[server->len] = '\0';
	body = strstr(server->in, "\r\n\r\n");
	if (body == NULL)
		return;
	body += 4;
	length = strcasestr(server->in, "Content-Length: ");
	want = length != NULL ? strtoul(length + 16, NULL, 10) : 0;
	if (server->len < (size_t)(body - server->in) + want)
		return;
	server->len = 0;
	note_request(server, body);
	if (*server->script == NULL)
		fail_msg("no answer is left: %s", server->seen);
	if (strcmp(*server->script, NOTHING) == 0)
		hang_up(server);
	else
		assert_int_equal(send(server->connection, *server->script, strlen(*server->script),
					 MSG_NOSIGNAL),
			strlen(*server->script));
	server->script++;
}

/* What can be done now. */
static void serve(struct server *server)
{
	struct epoll_event event;
	ssize_t count;

	while (epoll_wait(server->epoll, &event, 1, 0) > 0) {
		if (event.data.fd == server->listening) {
			hang_up(server);
			server->connection = accept4(server->listening, NULL, NULL, SOCK_CLOEXEC);
			watch(server, server->connection);
			continue;
		}
		count = read(server->connection, server->in + server->len,
			sizeof(server->in) - 1 - server->len);
		if (count <= 0) {
			hang_up(server);
			continue;
		}
		server->len += (size_t)count;
		answer(server);
	}
}

/* --- the delivery ---------------------------------------------------------------------------- */

struct delivery {
	struct server server;
	struct options options;
	struct destination to;
	struct deliver deliver;
	struct deliver_listener listener;
	struct group group;
	char told[200]; /* "+ab ": accepted; "-c ": refused */
	bool stops;	/* at an event that is refused */
	bool once;	/* no second attempt */
	bool topics;	/* the events name their topic */
	bool finished;
	enum failure failure;
	struct error error;
};

static void tell(struct delivery *delivery, char sign, size_t from, size_t count)
{
	size_t len = strlen(delivery->told);

	delivery->told[len++] = sign;
	for (size_t i = from; i < from + count; i++)
		delivery->told[len++] =
			group_text(&delivery->group, delivery->group.all[i].data).data[0];
	delivery->told[len++] = ' ';
	delivery->told[len] = '\0';
}

static void on_accepted(void *context, const struct slot *slot, size_t from, size_t count)
{
	(void)slot;
	tell(context, '+', from, count);
}

static bool on_refused(void *context, const struct slot *slot, const struct error *error)
{
	struct delivery *delivery = context;

	assert_int_equal(error->status, EX_DATAERR);
	tell(delivery, '-', slot->at, 1);
	return !delivery->stops;
}

static void on_finished(void *context, const struct slot *slot)
{
	struct delivery *delivery = context;

	assert_false(delivery->finished);
	delivery->finished = true;
	delivery->failure = slot->failure;
	deliver_explain(slot, &delivery->error);
}

/* Events with these texts, a letter each, and keys unless they go once; perhaps with a topic. */
static void make_group(struct group *group, const char *letters, bool once, bool topics)
{
	group_init(group);
	for (; *letters != '\0'; letters++) {
		struct event event = {.kind = EVENT_TEXT};
		char key[3] = {'k', *letters, '\0'};

		assert_true(group_put(group, letters, 1, &event.data));
		assert_true(group_put(group, key, once ? 0 : 2, &event.key));
		assert_true(group_put(group, "t", topics ? 1 : 0, &event.topic));
		assert_true(group_add(group, &event));
	}
}

static void begin(struct delivery *delivery, const char *const *script, enum batching batching)
{
	struct error error = {0};

	*delivery = (struct delivery){
		.options = {.retry_max_time = PATIENCE, .parallel = 1, .batching = (int)batching},
		.listener = {delivery, on_accepted, on_refused, on_finished}};
	delivery->options.client.quiet = true;
	server_open(&delivery->server, script);
	if (destination_open(&delivery->to, delivery->server.url, &delivery->options, &error) !=
			0 ||
		deliver_open(
			&delivery->deliver, "test", &delivery->options, CLIENT_NEVER, &error) != 0)
		fail_msg("%s", error.text);
}

/* Send the letters, and serve, until the group is given back. */
static void deliver(struct delivery *delivery, const char *letters)
{
	struct slot *slot = deliver_free_slot(&delivery->deliver);
	int64_t end = client_after(PATIENCE);

	make_group(&delivery->group, letters, delivery->options.at_most_once, delivery->topics);
	deliver_start(slot, &delivery->group, &delivery->to, delivery->once, &delivery->listener);
	assert_int_equal(deliver_busy(&delivery->deliver), 1);
	while (!deliver_has_finished(&delivery->deliver)) {
		deliver_wait(&delivery->deliver, delivery->server.epoll, end);
		assert_true(clock_now_ms() < end);
		serve(&delivery->server);
	}
	deliver_collect(&delivery->deliver);
	assert_true(delivery->finished);
	assert_int_equal(deliver_busy(&delivery->deliver), 0);
}

/* What the server saw, what the source was told, and how it ended; all of the script was used. */
static void end(struct delivery *delivery, const char *seen, const char *told, enum failure failure)
{
	assert_string_equal(delivery->server.seen, seen);
	assert_string_equal(delivery->told, told);
	assert_int_equal(delivery->failure, failure);
	assert_null(*delivery->server.script);
	deliver_close(&delivery->deliver);
	destination_close(&delivery->to);
	group_free(&delivery->group);
	server_close(&delivery->server);
	close(delivery->server.epoll);
}

static void assert_says(const struct delivery *delivery, int status, const char *text)
{
	assert_int_equal(delivery->error.status, status);
	if (strstr(delivery->error.text, text) == NULL)
		fail_msg("'%s' lacks '%s'", delivery->error.text, text);
}

/* --- what is accepted ------------------------------------------------------------------------ */

static void a_group_is_one_batch(void **state)
{
	static const char *const script[] = {RESULTS("93", RESULT RESULT RESULT), NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_ALWAYS);
	deliver(&delivery, "abc");
	assert_true(delivery.to.batches_seen);
	end(&delivery, "[a(ka)b(kb)c(kc)] ", "+abc ", FAILURE_NONE);
}

/* Events with topics are lines of a batch, also a single one, which tells that batches are known. */
static void an_event_that_names_its_topic_is_a_batch_of_one(void **state)
{
	static const char *const script[] = {
		RESULTS("31", RESULT), RESULTS("62", RESULT RESULT), NULL};
	static const char *const other_script[] = {CREATED, CREATED, NULL};
	static const char *const wrong_script[] = {WRONG_LINE("400 Bad", "1"), NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_AUTO);
	delivery.topics = true;
	deliver(&delivery, "abc");
	assert_int_equal(delivery.to.batching, BATCHING_ALWAYS);
	end(&delivery, "[a(ka)] [b(kb)c(kc)] ", "+a +bc ", FAILURE_NONE);
	begin(&delivery, other_script, BATCHING_AUTO);
	delivery.topics = true;
	deliver(&delivery, "ab");
	assert_int_equal(delivery.to.batching, BATCHING_NEVER);
	end(&delivery, "[a(ka)] [b(kb)] ", "+a +b ", FAILURE_NONE);
	/* It is refused at once, and the line of the input is not the line of the request. */
	begin(&delivery, wrong_script, BATCHING_ALWAYS);
	delivery.topics = delivery.stops = true;
	deliver(&delivery, "a");
	assert_says(&delivery, EX_DATAERR, ": wrong");
	assert_null(strstr(delivery.error.text, "line 1"));
	end(&delivery, "[a(ka)] ", "-a ", FAILURE_REFUSED);
}

static void a_group_goes_one_by_one(void **state)
{
	static const char *const script[] = {CREATED, CREATED, CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "abc");
	end(&delivery, "a(ka) b(kb) c(kc) ", "+a +b +c ", FAILURE_NONE);
}

static void the_first_answer_says_whether_the_rest_is_a_batch(void **state)
{
	static const char *const serve_script[] = {STORED, CREATED, NULL};
	static const char *const other_script[] = {CREATED, CREATED, CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, serve_script, BATCHING_AUTO);
	deliver(&delivery, "abc");
	assert_int_equal(delivery.to.batching, BATCHING_ALWAYS);
	end(&delivery, "a(ka) [b(kb)c(kc)] ", "+a +bc ", FAILURE_NONE);
	begin(&delivery, other_script, BATCHING_AUTO);
	deliver(&delivery, "abc");
	assert_int_equal(delivery.to.batching, BATCHING_NEVER);
	end(&delivery, "a(ka) b(kb) c(kc) ", "+a +b +c ", FAILURE_NONE);
}

static void a_batch_with_fewer_results_than_events_is_the_last(void **state)
{
	static const char *const script[] = {RESULTS("31", RESULT), NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_ALWAYS);
	deliver(&delivery, "abc");
	assert_says(&delivery, EX_PROTOCOL, "accepted 3 events in one request and reported on 1");
	assert_false(delivery.to.batches_seen);
	end(&delivery, "[a(ka)b(kb)c(kc)] ", "+abc ", FAILURE_NO);
}

/* --- what is refused ------------------------------------------------------------------------- */

static void a_409_is_told_and_the_next_one_goes_on_or_not(void **state)
{
	static const char *const script[] = {CREATED, EMPTY("409 Conflict"), CREATED, NULL};
	static const char *const short_script[] = {CREATED, EMPTY("409 Conflict"), NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "abc");
	end(&delivery, "a(ka) b(kb) c(kc) ", "+a -b +c ", FAILURE_NONE);
	begin(&delivery, short_script, BATCHING_NEVER);
	delivery.stops = true;
	deliver(&delivery, "abc");
	end(&delivery, "a(ka) b(kb) ", "+a -b ", FAILURE_REFUSED);
}

static void a_line_that_a_409_names_goes_alone_between_two_batches(void **state)
{
	static const char *const script[] = {WRONG_LINE("409 Conflict", "3"), CREATED,
		WRONG_LINE("409 Conflict", "1"), EMPTY("409 Conflict"), CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_ALWAYS);
	deliver(&delivery, "abcde");
	end(&delivery,
		"[a(ka)b(kb)c(kc)d(kd)e(ke)] [a(ka)b(kb)] [c(kc)d(kd)e(ke)] c(kc) "
		"[d(kd)e(ke)] ",
		"+ab -c +de ", FAILURE_NONE);
}

static void a_batch_that_is_refused_without_a_line_goes_one_by_one(void **state)
{
	static const char *const script[] = {EMPTY("404 Not Found"), CREATED, CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_ALWAYS);
	deliver(&delivery, "ab");
	assert_int_equal(delivery.to.batching, BATCHING_NEVER);
	end(&delivery, "[a(ka)b(kb)] a(ka) b(kb) ", "+a +b ", FAILURE_NONE);
}

static void after_a_413_batches_are_half_as_large(void **state)
{
	static const char *const script[] = {
		EMPTY("413 Too Large"), CREATED, CREATED, CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_ALWAYS);
	deliver(&delivery, "abcde");
	end(&delivery, "[a(ka)b(kb)c(kc)d(kd)e(ke)] [a(ka)b(kb)] [c(kc)d(kd)] e(ke) ",
		"+ab +cd +e ", FAILURE_NONE);
}

static void credentials_that_are_refused_end_the_group(void **state)
{
	static const char *const script[] = {CREATED, EMPTY("401 Unauthorized"), NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "abc");
	assert_int_equal(delivery.error.status, EX_NOPERM);
	end(&delivery, "a(ka) b(kb) ", "+a ", FAILURE_DENIED);
}

/* --- what is tried again --------------------------------------------------------------------- */

static void only_what_is_not_accepted_is_sent_again_with_its_keys(void **state)
{
	static const char *const script[] = {STORED, EMPTY("503 Busy"), NOTHING, CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_AUTO);
	deliver(&delivery, "abc");
	end(&delivery, "a(ka) [b(kb)c(kc)] [b(kb)c(kc)] [b(kb)c(kc)] ", "+a +bc ", FAILURE_NONE);
}

static void a_retry_waits_as_long_as_the_server_asks(void **state)
{
	static const char *const script[] = {
		"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", CREATED, NULL};
	struct delivery delivery;
	int64_t start = clock_now_ms();

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "a");
	assert_in_range(clock_now_ms() - start, 1000, 2500);
	assert_in_range(delivery.to.not_before - start, 1000, 2500);
	end(&delivery, "a(ka) a(ka) ", "+a ", FAILURE_NONE);
}

static void a_server_that_asks_for_more_than_there_is_time_is_away(void **state)
{
	static const char *const script[] = {
		"HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n", NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "ab");
	assert_says(&delivery, EX_TEMPFAIL, "gave up, since the server asked to wait for 1m");
	end(&delivery, "a(ka) ", "", FAILURE_AWAY);
}

static void a_group_that_is_tried_once_is_not_tried_again(void **state)
{
	static const char *const script[] = {CREATED, EMPTY("503 Busy"), NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	delivery.once = true;
	deliver(&delivery, "abc");
	assert_null(strstr(delivery.error.text, "gave up"));
	end(&delivery, "a(ka) b(kb) ", "+a ", FAILURE_AWAY);
}

/* --- what is not answered -------------------------------------------------------------------- */

static void without_an_answer_the_rest_is_for_the_spool(void **state)
{
	/* On a connection that was used before, libcurl itself would send it again. */
	static const char *const script[] = {
		"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", NOTHING,
		NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	delivery.options.retry_max_time = 0;
	deliver(&delivery, "abc");
	assert_says(&delivery, EX_TEMPFAIL, "the event may or may not have been stored");
	end(&delivery, "a(ka) b(kb) ", "+a ", FAILURE_AWAY);
}

static void with_a_spool_a_server_that_is_not_there_is_tried_once(void **state)
{
	static const char *const script[] = {NULL};
	struct delivery delivery;
	int64_t start = clock_now_ms();

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	server_close(&delivery.server);
	delivery.deliver.spools = true;
	deliver(&delivery, "a");
	assert_says(&delivery, EX_UNAVAILABLE, "cannot connect");
	assert_true(clock_now_ms() - start < PATIENCE / 2);
	end(&delivery, "", "", FAILURE_AWAY);
	/* Without one the time for retries passes. */
	begin(&delivery, script, BATCHING_NEVER);
	server_close(&delivery.server);
	delivery.options.retry_max_time = 300;
	deliver(&delivery, "a");
	assert_says(&delivery, EX_TEMPFAIL, "gave up after 300ms: cannot connect");
	end(&delivery, "", "", FAILURE_AWAY);
}

static void at_most_once_an_event_that_is_not_answered_is_not_sent_again(void **state)
{
	static const char *const script[] = {CREATED, NOTHING, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	delivery.options.at_most_once = true;
	deliver(&delivery, "abc");
	assert_says(&delivery, EX_TEMPFAIL, "the event may or may not have been stored");
	end(&delivery, "a() b() ", "+a ", FAILURE_UNKNOWN);
}

static void at_most_once_an_event_that_the_server_did_not_take_is_sent_again(void **state)
{
	static const char *const script[] = {EMPTY("503 Busy"), CREATED, NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	delivery.options.at_most_once = true;
	deliver(&delivery, "a");
	end(&delivery, "a() a() ", "+a ", FAILURE_NONE);
}

/* --- redirects ------------------------------------------------------------------------------- */

static void a_redirect_that_keeps_the_post_is_followed(void **state)
{
	static const char *const script[] = {
		"HTTP/1.1 308 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", CREATED,
		NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "a");
	end(&delivery, "a(ka) elsewhere: a(ka) ", "+a ", FAILURE_NONE);
}

static void a_redirect_that_makes_a_get_is_not_followed(void **state)
{
	static const char *const script[] = {
		"HTTP/1.1 303 See Other\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	deliver(&delivery, "ab");
	end(&delivery, "a(ka) ", "", FAILURE_NO);
}

/* --- an end before the end ------------------------------------------------------------------- */

static void what_is_broken_off_is_given_back(void **state)
{
	static const char *const script[] = {NULL};
	struct delivery delivery;

	(void)state;
	begin(&delivery, script, BATCHING_NEVER);
	make_group(&delivery.group, "ab", false, false);
	deliver_start(deliver_free_slot(&delivery.deliver), &delivery.group, &delivery.to, false,
		&delivery.listener);
	assert_null(deliver_free_slot(&delivery.deliver));
	deliver_wait(&delivery.deliver, -1, clock_now_ms());
	deliver_abort(&delivery.deliver);
	deliver_collect(&delivery.deliver);
	assert_non_null(deliver_free_slot(&delivery.deliver));
	assert_says(&delivery, EX_TEMPFAIL, "the time of --timeout is up");
	end(&delivery, "", "", FAILURE_AWAY);
}

static int start(void **state)
{
	struct error error;

	(void)state;
	setenv("no_proxy", "*", 1);
	return client_start(&error);
}

static int stop(void **state)
{
	(void)state;
	client_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_is_one_batch),
		cmocka_unit_test(an_event_that_names_its_topic_is_a_batch_of_one),
		cmocka_unit_test(a_group_goes_one_by_one),
		cmocka_unit_test(the_first_answer_says_whether_the_rest_is_a_batch),
		cmocka_unit_test(a_batch_with_fewer_results_than_events_is_the_last),
		cmocka_unit_test(a_409_is_told_and_the_next_one_goes_on_or_not),
		cmocka_unit_test(a_line_that_a_409_names_goes_alone_between_two_batches),
		cmocka_unit_test(a_batch_that_is_refused_without_a_line_goes_one_by_one),
		cmocka_unit_test(after_a_413_batches_are_half_as_large),
		cmocka_unit_test(credentials_that_are_refused_end_the_group),
		cmocka_unit_test(only_what_is_not_accepted_is_sent_again_with_its_keys),
		cmocka_unit_test(a_retry_waits_as_long_as_the_server_asks),
		cmocka_unit_test(a_server_that_asks_for_more_than_there_is_time_is_away),
		cmocka_unit_test(a_group_that_is_tried_once_is_not_tried_again),
		cmocka_unit_test(without_an_answer_the_rest_is_for_the_spool),
		cmocka_unit_test(with_a_spool_a_server_that_is_not_there_is_tried_once),
		cmocka_unit_test(at_most_once_an_event_that_is_not_answered_is_not_sent_again),
		cmocka_unit_test(at_most_once_an_event_that_the_server_did_not_take_is_sent_again),
		cmocka_unit_test(a_redirect_that_keeps_the_post_is_followed),
		cmocka_unit_test(a_redirect_that_makes_a_get_is_not_followed),
		cmocka_unit_test(what_is_broken_off_is_given_back),
	};

	return cmocka_run_group_tests(tests, start, stop);
}

/* SPDX-License-Identifier: MIT */
/* Tests of lib/follow/sse_follow_api.c and sse_follow_options.c: what needs no server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sse_follow.h"

/* A URL where nobody listens, as long as the descriptor is open. */
static int nobody(char url[64])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(url, 64, "http://127.0.0.1:%d/x", ntohs(address.sin_port));
	return fd;
}

static bool count(void *context, const struct sse_item *item)
{
	int *items = context;

	items[item->kind]++;
	return true;
}

static bool refuse(void *context, const struct sse_item *item)
{
	count(context, item);
	return false;
}

static void no_follower(void **state)
{
	int timeout = 1;

	(void)state;
	assert_false(sse_follow_set_text(NULL, SSE_FOLLOW_TOKEN, "a"));
	assert_false(sse_follow_set_number(NULL, SSE_FOLLOW_TIME_MS, 1));
	assert_int_equal(sse_follow_step(NULL, 0), SSE_FOLLOW_FAILED);
	assert_int_equal(sse_follow_run(NULL), SSE_FOLLOW_FAILED);
	assert_int_equal(sse_follow_fds(NULL, NULL, 0, &timeout), 0);
	assert_int_equal(timeout, 0);
	assert_int_equal(sse_follow_last_id(NULL).len, 0);
	assert_string_equal(sse_follow_error(NULL), "out of memory");
	assert_int_equal(sse_follow_http_status(NULL), 0);
	sse_follow_stop(NULL);
	sse_follow_free(NULL);
}

static void what_can_be_set(void **state)
{
	static const struct {
		enum sse_follow_option option;
		const char *bad, *good;
	} texts[] = {
		{SSE_FOLLOW_LAST_ID, "a\nb", "t:1"},
		{SSE_FOLLOW_TOKEN, "", "abc"},
		{SSE_FOLLOW_HEADER, "X", "X: 1"},
		{SSE_FOLLOW_HEADER, "X: 1\r\nY: 2", "X: 1"},
		{SSE_FOLLOW_PROXY, "a\n", ""},
		{SSE_FOLLOW_USER_AGENT, "a\n", "a"},
		{SSE_FOLLOW_BODY_TYPE, "a\n", "text/plain"},
		{SSE_FOLLOW_BODY, NULL, "a\nb"},
		{SSE_FOLLOW_SILENCE_MS, "1", NULL},
		{0, "1", NULL},
		{14, "1", NULL},
	};
	static const struct {
		enum sse_follow_option option;
		int64_t bad, good;
	} numbers[] = {
		{SSE_FOLLOW_SILENCE_MS, -1, 0},
		{SSE_FOLLOW_CONNECT_MS, 0, 1},
		{SSE_FOLLOW_DELAY_MS, 9, 10},
		{SSE_FOLLOW_DELAY_MS, 3600001, 3600000},
		{SSE_FOLLOW_ATTEMPTS, -1, 0},
		{SSE_FOLLOW_TIME_MS, INT64_MAX, INT32_MAX},
		{SSE_FOLLOW_RECONNECT, 2, 0},
		{SSE_FOLLOW_TOKEN, 1, -1},
		{107, 1, -1},
	};
	struct sse_follow *follow = sse_follow_new("http://127.0.0.1/", count, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(sse_follow_set_text(follow, texts[i].option, texts[i].bad));
		assert_string_not_equal(sse_follow_error(follow), "");
		if (texts[i].good == NULL)
			continue;
		assert_true(sse_follow_set_text(follow, texts[i].option, texts[i].good));
		assert_string_equal(sse_follow_error(follow), "");
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_false(sse_follow_set_number(follow, numbers[i].option, numbers[i].bad));
		assert_string_not_equal(sse_follow_error(follow), "");
		assert_int_equal(sse_follow_set_number(follow, numbers[i].option, numbers[i].good),
			numbers[i].good >= 0);
	}
	/* The token from above. */
	assert_false(sse_follow_set_text(follow, SSE_FOLLOW_USER, "a:b"));
	assert_false(sse_follow_set_text(follow, SSE_FOLLOW_TOKEN_FILE, "/dev/null"));
	assert_true(sse_follow_set_text(follow, SSE_FOLLOW_TOKEN, "def"));
	sse_follow_free(follow);
}

static void the_first_step_is_the_last_moment(void **state)
{
	char url[64];
	int fd = nobody(url), items[8] = {0};
	struct sse_follow *follow = sse_follow_new(url, count, items);

	(void)state;
	assert_true(sse_follow_set_text(follow, SSE_FOLLOW_LAST_ID, "7"));
	assert_int_equal(sse_follow_last_id(follow).len, 1);
	assert_int_equal(sse_follow_step(follow, 0), SSE_FOLLOW_ON);
	assert_int_equal(sse_follow_last_id(follow).len, 1);
	assert_memory_equal(sse_follow_last_id(follow).data, "7", 1);
	assert_false(sse_follow_set_text(follow, SSE_FOLLOW_LAST_ID, "8"));
	assert_false(sse_follow_set_text(follow, SSE_FOLLOW_HEADER, "X: 1"));
	assert_false(sse_follow_set_number(follow, SSE_FOLLOW_TIME_MS, 1));
	assert_true(sse_follow_set_text(follow, SSE_FOLLOW_TOKEN, "abc"));
	sse_follow_free(follow);
	close(fd);
}

static void it_is_stopped(void **state)
{
	char url[64];
	int fd = nobody(url), items[8] = {0}, timeout;
	struct sse_follow *before = sse_follow_new(url, count, items);
	struct sse_follow *amid = sse_follow_new(url, count, items);
	struct sse_follow *within = sse_follow_new(url, refuse, items);

	(void)state;
	sse_follow_stop(before);
	assert_int_equal(sse_follow_run(before), SSE_FOLLOW_STOPPED);
	assert_string_equal(sse_follow_error(before), "");
	assert_int_equal(items[SSE_ITEM_TROUBLE], 0);
	/* In the pause after an attempt, which is not waited for. */
	sse_follow_set_number(amid, SSE_FOLLOW_DELAY_MS, 3600000);
	while (items[SSE_ITEM_TROUBLE] == 0)
		assert_int_equal(sse_follow_step(amid, -1), SSE_FOLLOW_ON);
	assert_int_equal(sse_follow_fds(amid, NULL, 0, &timeout), 0);
	assert_true(timeout > 1000000);
	assert_string_not_equal(sse_follow_error(amid), "");
	sse_follow_stop(amid);
	sse_follow_fds(amid, NULL, 0, &timeout);
	assert_int_equal(timeout, 0);
	assert_int_equal(sse_follow_run(amid), SSE_FOLLOW_STOPPED);
	assert_int_equal(sse_follow_step(amid, -1), SSE_FOLLOW_STOPPED);
	/* By the callback that is told of trouble. */
	sse_follow_set_number(within, SSE_FOLLOW_DELAY_MS, 3600000);
	assert_int_equal(sse_follow_run(within), SSE_FOLLOW_STOPPED);
	assert_int_equal(items[SSE_ITEM_TROUBLE], 2);
	sse_follow_free(before);
	sse_follow_free(amid);
	sse_follow_free(within);
	close(fd);
}

static void a_url_that_is_none(void **state)
{
	static const char *const urls[] = {
		NULL, "", "x", "ftp://127.0.0.1/", "http://", "http://a b/"};
	int items[8] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct sse_follow *follow = sse_follow_new(urls[i], count, items);

		assert_string_equal(sse_follow_error(follow), "");
		assert_int_equal(sse_follow_run(follow), SSE_FOLLOW_FAILED);
		assert_non_null(strstr(sse_follow_error(follow), "is not a usable URL"));
		assert_int_equal(sse_follow_http_status(follow), 0);
		sse_follow_free(follow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_follower),
		cmocka_unit_test(what_can_be_set),
		cmocka_unit_test(the_first_step_is_the_last_moment),
		cmocka_unit_test(it_is_stopped),
		cmocka_unit_test(a_url_that_is_none),
	};

	return cmocka_run_group_tests_name("client_library", tests, NULL, NULL);
}

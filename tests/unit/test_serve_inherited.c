/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/inherited.c: sockets that are handed over. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/inherited.h"

/* Where they begin. */
#define FIRST 3

static int clear(void **state)
{
	(void)state;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return 0;
}

/* Say that so many are handed over to this process. */
static void hand_over(const char *count, const char *names)
{
	char own[24];

	snprintf(own, sizeof(own), "%ld", (long)getpid());
	setenv("LISTEN_PID", own, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
}

/* Make ${fd} the descriptor of that number, as any process before this one might. */
static void put_at(int number, int fd)
{
	assert_true(fd >= 0);
	if (fd != number) {
		assert_int_equal(dup2(fd, number), number);
		close(fd);
	}
}

static int new_socket(int type, const char *address, bool listens)
{
	struct sockaddr_in place = {.sin_family = AF_INET};
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &place.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	if (listens)
		assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* With an abstract name, so that no file is left. */
static int new_local(void)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int len = snprintf(local.sun_path + 1, sizeof(local.sun_path) - 1, "sse-tools-unit-%ld",
		(long)getpid());

	assert_int_equal(
		bind(fd, (struct sockaddr *)&local,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
		0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void the_number_counts_only_for_the_process_that_is_named(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(inherited_count(&error), 0);
	hand_over("2", NULL);
	assert_int_equal(inherited_count(&error), 2);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(inherited_count(&error), 0);
	unsetenv("LISTEN_PID");
	assert_int_equal(inherited_count(&error), 0);
	hand_over("0", NULL);
	assert_int_equal(inherited_count(&error), 0);
}

static void a_number_that_is_not_valid_is_named(void **state)
{
	static const char *const values[] = {"", "-1", "two", "17", "99999999999999999999"};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		hand_over(values[i], NULL);
		error = (struct error){0};
		assert_int_equal(inherited_count(&error), -1);
		assert_int_equal(error.status, EX_USAGE);
		assert_non_null(strstr(error.text, values[i]));
		assert_non_null(strstr(error.text, "LISTEN_FDS"));
	}
}

static void sockets_of_the_network_and_local_ones_are_taken_over(void **state)
{
	struct listeners listeners = {0};
	struct error error;
	char url[60];

	(void)state;
	put_at(FIRST, new_socket(SOCK_STREAM, "127.0.0.1", true));
	put_at(FIRST + 1, new_local());
	hand_over("2", "web:local");
	assert_int_equal(inherited_add(2, false, false, &listeners, &error), 0);
	assert_int_equal(listeners.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(listeners.fds[i], FIRST + i);
		assert_true(listeners.inherited[i]);
		assert_null(listeners.paths[i]);
		assert_true(fcntl(FIRST + i, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(FIRST + i, F_GETFL) & O_NONBLOCK);
	}
	assert_int_equal(strncmp(listeners.url, "http://127.0.0.1:", 17), 0);
	snprintf(url, sizeof(url), ", unix:@sse-tools-unit-%ld", (long)getpid());
	assert_non_null(strstr(listeners.all, url));
	/* They are for no other process. */
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
	listen_close(&listeners);
}

/* The first is refused, with a sentence that has the words. */
static void check_refused(int fd, const char *words)
{
	struct listeners listeners = {0};
	struct error error = {0};

	put_at(FIRST, fd);
	hand_over("1", "front");
	assert_int_equal(inherited_add(1, false, false, &listeners, &error), -1);
	assert_int_equal(error.status, EX_USAGE);
	assert_non_null(strstr(error.text, words));
	assert_non_null(strstr(error.text, "front"));
	assert_int_equal(listeners.count, 0);
	close(FIRST);
}

static void what_does_not_listen_or_is_no_stream_socket_is_refused(void **state)
{
	int pipes[2];

	(void)state;
	check_refused(new_socket(SOCK_DGRAM, "127.0.0.1", false), "ListenStream=");
	check_refused(new_socket(SOCK_STREAM, "127.0.0.1", false), "Accept=no");
	assert_int_equal(pipe(pipes), 0);
	check_refused(pipes[0], "stream socket");
	close(pipes[1]);
	/* There is none of that number. */
	check_refused(open("/dev/null", O_RDONLY), "stream socket");
}

static void beyond_loopback_needs_a_word(void **state)
{
	struct listeners listeners = {0};
	struct error error;

	(void)state;
	check_refused(new_socket(SOCK_STREAM, "0.0.0.0", true), "--open");
	put_at(FIRST, new_socket(SOCK_STREAM, "0.0.0.0", true));
	hand_over("1", NULL);
	assert_int_equal(inherited_add(1, true, false, &listeners, &error), 0);
	listen_close(&listeners);
}

/* Hand over three sockets of the network and a local one, and have them speak TLS, or not. */
static void hand_over_four(const char *names, bool tls, struct listeners *listeners)
{
	struct error error;

	for (int i = 0; i < 3; i++)
		put_at(FIRST + i, new_socket(SOCK_STREAM, "127.0.0.1", true));
	put_at(FIRST + 3, new_local());
	hand_over("4", names);
	*listeners = (struct listeners){0};
	assert_int_equal(inherited_add(4, false, tls, listeners, &error), 0);
	assert_int_equal(listeners->count, 4);
}

static void check_secure(struct listeners *listeners, bool first, bool second, bool third)
{
	assert_int_equal(listeners->secure[0], first);
	assert_int_equal(listeners->secure[1], second);
	assert_int_equal(listeners->secure[2], third);
	assert_false(listeners->secure[3]);
	listen_close(listeners);
}

static void with_a_certificate_all_but_local_sockets_and_those_called_http_speak_tls(void **state)
{
	struct listeners listeners;

	(void)state;
	hand_over_four("web:http:https:https", true, &listeners);
	assert_int_equal(strncmp(listeners.url, "https://127.0.0.1:", 18), 0);
	assert_non_null(strstr(listeners.all, ", http://127.0.0.1:"));
	assert_true(listeners.secure_port > 0);
	check_secure(&listeners, true, false, true);
	hand_over_four(NULL, true, &listeners);
	check_secure(&listeners, true, true, true);
	hand_over_four("http:web:httpx:x", false, &listeners);
	assert_int_equal(listeners.secure_port, 0);
	check_secure(&listeners, false, false, false);
}

static void https_without_a_certificate_is_refused(void **state)
{
	struct listeners listeners = {0};
	struct error error = {0};

	(void)state;
	put_at(FIRST, new_socket(SOCK_STREAM, "127.0.0.1", true));
	hand_over("1", "https");
	assert_int_equal(inherited_add(1, false, false, &listeners, &error), -1);
	assert_int_equal(error.status, EX_USAGE);
	assert_non_null(strstr(error.text, "--tls-cert"));
	close(FIRST);
}

static void a_certificate_needs_a_socket_that_speaks_tls(void **state)
{
	struct listeners listeners = {0};
	struct error error = {0};

	(void)state;
	put_at(FIRST, new_socket(SOCK_STREAM, "127.0.0.1", true));
	hand_over("1", "http");
	assert_int_equal(inherited_add(1, false, true, &listeners, &error), 0);
	assert_int_equal(listen_check_tls(&listeners, false, &error), 0);
	assert_int_equal(listen_check_tls(&listeners, true, &error), -1);
	assert_int_equal(error.status, EX_USAGE);
	listen_close(&listeners);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_number_counts_only_for_the_process_that_is_named, clear),
		cmocka_unit_test_setup(a_number_that_is_not_valid_is_named, clear),
		cmocka_unit_test_setup(sockets_of_the_network_and_local_ones_are_taken_over, clear),
		cmocka_unit_test_setup(
			what_does_not_listen_or_is_no_stream_socket_is_refused, clear),
		cmocka_unit_test_setup(beyond_loopback_needs_a_word, clear),
		cmocka_unit_test_setup(
			with_a_certificate_all_but_local_sockets_and_those_called_http_speak_tls,
			clear),
		cmocka_unit_test_setup(https_without_a_certificate_is_refused, clear),
		cmocka_unit_test_setup(a_certificate_needs_a_socket_that_speaks_tls, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/notify.c: what the service manager is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

/* Listen as a service manager does, at NOTIFY_SOCKET; with @ for an abstract name. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, name);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void check_told(int fd, const char *message)
{
	char got[600];
	ssize_t len = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(len >= 0);
	got[len] = '\0';
	assert_string_equal(got, message);
}

static int clear(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static void check_messages(const char *name)
{
	struct notify notify;
	struct error error;
	int fd = listen_at(name);

	assert_true(notify_wanted());
	assert_int_equal(notify_open(&notify, &error), 0);
	assert_int_equal(notify.watchdog, 0);
	/* They are for no other process. */
	assert_false(notify_wanted());
	notify_send(&notify, "READY=1\nSTATUS=%d streams\n", 7);
	check_told(fd, "READY=1\nSTATUS=7 streams\n");
	/* A service manager that is gone is no reason to end. */
	close(fd);
	notify_send(&notify, "STOPPING=1\n");
	notify_close(&notify);
	notify_send(&notify, "STOPPING=1\n");
}

static void messages_go_to_a_path(void **state)
{
	char folder[] = "/tmp/notify.XXXXXX", path[40];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	check_messages(path);
	unlink(path);
	rmdir(folder);
}

static void messages_go_to_an_abstract_name(void **state)
{
	char name[60];

	(void)state;
	snprintf(name, sizeof(name), "@sse-tools-unit-%ld", (long)getpid());
	check_messages(name);
}

static void without_a_service_manager_nothing_is_sent(void **state)
{
	struct notify notify;
	struct error error;

	(void)state;
	setenv("WATCHDOG_USEC", "1000000", 1);
	assert_false(notify_wanted());
	assert_int_equal(notify_open(&notify, &error), 0);
	assert_int_equal(notify.fd, -1);
	assert_int_equal(notify.watchdog, 0);
	notify_send(&notify, "READY=1\n");
}

static void an_address_that_is_not_valid_or_where_nobody_listens_is_named(void **state)
{
	static const char *const names[] = {
		"relative", "@", "/", "vsock:2:9", "/nowhere/at/all", "@sse-tools-unit-nobody"};
	struct notify notify;
	struct error error;
	char name[200];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		const char *one = i < sizeof(names) / sizeof(names[0]) ? names[i] : name;

		setenv("NOTIFY_SOCKET", one, 1);
		assert_int_equal(notify_open(&notify, &error), -1);
		assert_int_equal(notify.fd, -1);
		assert_non_null(strstr(error.text, "NOTIFY_SOCKET"));
		one = i < 4 ? "absolute path" : one;
		assert_true(one == name || strstr(error.text, one) != NULL);
	}
}

static void the_watchdog_is_in_ms_and_only_for_the_process_that_it_names(void **state)
{
	static const struct {
		const char *microseconds, *pid;
		int64_t ms;
	} rows[] = {{"30000000", NULL, 30000}, {"30000000", "own", 30000}, {"30000000", "1", 0},
		{"1500", NULL, 1}, {"1", NULL, 1}};
	char name[60], own[24];

	(void)state;
	snprintf(name, sizeof(name), "@sse-tools-unit-%ld", (long)getpid());
	snprintf(own, sizeof(own), "%ld", (long)getpid());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *pid = rows[i].pid;
		struct notify notify;
		struct error error;
		int fd = listen_at(name);

		setenv("WATCHDOG_USEC", rows[i].microseconds, 1);
		if (pid != NULL)
			setenv("WATCHDOG_PID", strcmp(pid, "own") == 0 ? own : pid, 1);
		assert_int_equal(notify_open(&notify, &error), 0);
		assert_int_equal(notify.watchdog, rows[i].ms);
		notify_close(&notify);
		close(fd);
	}
}

static void a_watchdog_that_is_not_a_number_is_named_and_messages_go_on(void **state)
{
	static const char *const values[] = {"0", "-1", "soon", "1e6", "99999999999999999999"};
	char name[60];

	(void)state;
	snprintf(name, sizeof(name), "@sse-tools-unit-%ld", (long)getpid());
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct notify notify;
		struct error error;
		int fd = listen_at(name);

		setenv("WATCHDOG_USEC", values[i], 1);
		assert_int_equal(notify_open(&notify, &error), -1);
		assert_non_null(strstr(error.text, values[i]));
		assert_int_equal(notify.watchdog, 0);
		notify_send(&notify, "READY=1\n");
		check_told(fd, "READY=1\n");
		notify_close(&notify);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(messages_go_to_a_path, clear),
		cmocka_unit_test_setup(messages_go_to_an_abstract_name, clear),
		cmocka_unit_test_setup(without_a_service_manager_nothing_is_sent, clear),
		cmocka_unit_test_setup(
			an_address_that_is_not_valid_or_where_nobody_listens_is_named, clear),
		cmocka_unit_test_setup(
			the_watchdog_is_in_ms_and_only_for_the_process_that_it_names, clear),
		cmocka_unit_test_setup(
			a_watchdog_that_is_not_a_number_is_named_and_messages_go_on, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

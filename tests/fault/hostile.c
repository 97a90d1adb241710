/* SPDX-License-Identifier: MIT */
/*
 * hostile: clients as nobody wants them.
 *
 *   hostile PORT storm COUNT   COUNT connections, one soon after the other, some at a time: closed
 *                              at once, in the middle of a request, behind the request for a
 *                              stream, behind a POST; every third by a reset
 *   hostile PORT reset PATH    opens the stream, waits for its first bytes, and resets
 *   hostile PORT half PATH     opens the stream, closes the sending side, prints what comes until
 *                              the server closes
 *   hostile PORT drip TEXT     sends the text, a byte a second, until the server closes; prints
 * what comes
 *
 * The storm goes out from many loopback addresses, so that no ports run out while the closed ones
 * wait for their time to pass.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parts/random.h"
#include "parts/fail.h"
#include "parts/net.h"

/* Connections of a storm that are open at a time. */
#define AT_ONCE 64

/* A storm leaves from 127.0.0.2 up to this many addresses further. */
#define SOURCES 50

static int port;

/* From one of many addresses. */
static int dial_from(unsigned source)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source % SOURCES)};
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		fail("no socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
		connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("cannot connect: %s", strerror(errno));
	return fd;
}

/* What it closes with: everything that is under way is lost. */
static void reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* Wait for the first bytes of an answer; the server may have closed too. */
static void await(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	if (poll(&ready, 1, NET_PATIENCE_MS) == 0)
		fail("no answer for %d s", NET_PATIENCE_MS / 1000);
}

static void say(int fd, const char *text)
{
	net_send(fd, text, strlen(text));
}

static void storm(uint64_t count)
{
	static const char *const words[] = {"", "GET /api/storm/event HTTP/1.1\r\nHo",
		"GET /api/storm/event HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /api/storm HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
		"Content-Length: 2\r\n\r\nhi",
		"POST /api/storm HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
		"Content-Length: 2000\r\n\r\nhi"};
	struct random random = random_new(1, 1);
	int open[AT_ONCE];

	for (uint64_t i = 0; i < count + AT_ONCE; i++) {
		uint64_t kind = random_below(&random, 5), end = random_below(&random, 3);
		int *fd = &open[i % AT_ONCE];

		if (i >= AT_ONCE && end == 0)
			reset(*fd);
		else if (i >= AT_ONCE)
			close(*fd);
		if (i >= count)
			continue;
		*fd = dial_from((unsigned)i);
		say(*fd, words[kind]);
		/* Some stay for the answer. */
		if ((kind == 2 || kind == 3) && i % 4 == 0)
			await(*fd);
	}
}

static int open_stream(const char *path)
{
	char request[600];
	int fd = net_dial(port);

	if (fd < 0)
		fail("nobody listens");
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	say(fd, request);
	await(fd);
	return fd;
}

static void print_rest(int fd)
{
	char bytes[65536];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		fwrite(bytes, 1, (size_t)got, stdout);
		fflush(stdout);
	}
}

static void drip(const char *text)
{
	int fd = net_dial(port);
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		fail("nobody listens");
	for (; *text != '\0'; text++) {
		if (send(fd, text, 1, MSG_NOSIGNAL) != 1 || poll(&ready, 1, 1000) != 0)
			break;
	}
	print_rest(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: hostile PORT storm|reset|half|drip WHAT\n");
		return 2;
	}
	fail_setup("hostile", NULL, 0);
	port = atoi(argv[1]);
	if (strcmp(argv[2], "storm") == 0) {
		storm(strtoull(argv[3], NULL, 10));
	} else if (strcmp(argv[2], "reset") == 0) {
		reset(open_stream(argv[3]));
	} else if (strcmp(argv[2], "half") == 0) {
		fd = open_stream(argv[3]);
		shutdown(fd, SHUT_WR);
		print_rest(fd);
		close(fd);
	} else if (strcmp(argv[2], "drip") == 0) {
		drip(argv[3]);
	} else {
		fail("there is no %s", argv[2]);
	}
	return 0;
}

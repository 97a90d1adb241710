/* SPDX-License-Identifier: MIT */
/*
 * steady: publishes the numbers 1, 2, 3, ... one after the other, and prints each that the server
 * acknowledged with 201.  One that got no answer, or another, is not tried again.  Goes on through
 * crashes of the server until it gets SIGTERM; then it waits for the answer under way and ends.
 *
 *   steady PORT TOPIC
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Between two tries to connect. */
#define PAUSE_MS 10

static volatile sig_atomic_t stopping;

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

static int dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* True if the answer is 201; then the connection can be used again. */
static bool publish(int fd, const char *topic, unsigned long number)
{
	char request[512], answer[2048], data[32];
	int size = snprintf(data, sizeof(data), "%lu", number);
	int len = snprintf(request, sizeof(request),
		"POST /api/%.200s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %d\r\n\r\n%s",
		topic, size, data);
	size_t have = 0;

	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		return false;
	do {
		ssize_t got = recv(fd, answer + have, sizeof(answer) - 1 - have, 0);

		if (got <= 0)
			return false;
		have += (size_t)got;
		answer[have] = '\0';
	} while (strstr(answer, "\r\n\r\n") == NULL && have < sizeof(answer) - 1);
	return strncmp(answer, "HTTP/1.1 201", 12) == 0;
}

int main(int argc, char **argv)
{
	/* Interrupted calls go on. */
	struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
	unsigned long number = 0;
	int fd = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: steady PORT TOPIC\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	while (!stopping) {
		if (fd < 0 && (fd = dial(atoi(argv[1]))) < 0) {
			nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
			continue;
		}
		if (publish(fd, argv[2], ++number)) {
			printf("%lu\n", number);
			fflush(stdout);
		} else {
			close(fd);
			fd = -1;
		}
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* HTTP for the fault tests; see net.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "random.h"
#include "fail.h"
#include "net.h"

#define LOOPBACK "127.0.0.1"

/* Where net_dial(NET_ANY) goes. */
static const int *spread;
static size_t spread_count;
static _Atomic uint64_t dials;

void net_pause(uint64_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = (time_t)(ms / 1000),
			  .tv_nsec = (long)(ms % 1000) * 1000000L},
		NULL);
}

static struct sockaddr_in place(const char *address, int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = inet_addr(address)};
}

static bool is_free(int port)
{
	struct sockaddr_in address = place(LOOPBACK, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return bound;
}

int net_free_port(void)
{
	static uint64_t calls;
	/* Not by the seed: two runs with one seed may be under way. */
	struct random random =
		random_new((uint64_t)clock_now_ms() + (calls++ << 32), (uint64_t)getpid());
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	int first = 32768;

	if (file != NULL) {
		if (fscanf(file, "%d", &first) != 1 || first < 12000)
			first = 32768;
		fclose(file);
	}
	for (int tries = 0; tries < 1000; tries++) {
		int port = 10240 + (int)random_below(&random, (uint64_t)(first - 10240));

		if (is_free(port))
			return port;
	}
	fail("there is no free port");
}

void net_spread(const int *ports, size_t count)
{
	spread = ports;
	spread_count = count;
}

int net_dial(int port)
{
	if (port == NET_ANY)
		port = spread[random_mix(atomic_fetch_add(&dials, 1)) % spread_count];
	return net_dial_at(LOOPBACK, port);
}

int net_dial_at(const char *host, int port)
{
	struct sockaddr_in address = place(host, port);
	struct timeval patience = {.tv_sec = NET_PATIENCE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

bool net_send(int fd, const void *data, size_t len)
{
	const char *from = data;

	while (len > 0) {
		ssize_t put = send(fd, from, len, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		from += put;
		len -= (size_t)put;
	}
	return true;
}

bool net_fill(int fd, struct net_input *input)
{
	ssize_t got;

	if (input->from < input->upto)
		return true;
	got = recv(fd, input->bytes, sizeof(input->bytes), 0);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !input->silence_ends)
		fail("%s heard nothing for %d s in the middle of something", input->who,
			NET_PATIENCE_MS / 1000);
	input->from = 0;
	input->upto = got > 0 ? (size_t)got : 0;
	return got > 0;
}

int net_head(int fd, struct net_input *input, char *head, size_t size)
{
	char length[30];
	size_t len = 0;
	int status;

	input->from = input->upto = 0;
	do {
		if (len == size - 1 || !net_fill(fd, input))
			return -1;
		head[len++] = input->bytes[input->from++];
		head[len] = '\0';
	} while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0);
	if (sscanf(head, "HTTP/1.%*d %d", &status) != 1)
		fail("this is no answer: %.60s", head);
	input->chunked = strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL;
	input->left = 0;
	if (!input->chunked && net_header(head, "Content-Length", length, sizeof(length)))
		input->left = strtoul(length, NULL, 10);
	return status;
}

/* A chunk's first line, behind the line end of the chunk before; false if it was the last one. */
static bool next_chunk(int fd, struct net_input *input)
{
	char line[20];
	size_t len = 0;

	while (len < sizeof(line) - 1 && net_fill(fd, input)) {
		char byte = input->bytes[input->from++];

		if (byte == '\n' && len > 0)
			break;
		if (byte != '\r' && byte != '\n')
			line[len++] = byte;
	}
	line[len] = '\0';
	if (len == 0)
		fail("%s got an answer that was cut off", input->who);
	input->left = strtoul(line, NULL, 16);
	return input->left > 0;
}

int net_next(int fd, struct net_input *input)
{
	if (input->left == 0 && (!input->chunked || !next_chunk(fd, input)))
		return -1;
	if (!net_fill(fd, input))
		fail("%s got an answer that was cut off", input->who);
	input->left--;
	return (unsigned char)input->bytes[input->from++];
}

bool net_header(const char *head, const char *name, char *value, size_t size)
{
	size_t len = strlen(name), end;

	for (head = strstr(head, "\r\n"); head != NULL; head = strstr(head, "\r\n")) {
		head += 2;
		if (strncasecmp(head, name, len) != 0 || head[len] != ':')
			continue;
		head += len + 1;
		head += strspn(head, " ");
		end = strcspn(head, "\r");
		snprintf(value, size, "%.*s", (int)end, head);
		return true;
	}
	return false;
}

bool net_body(int fd, struct net_input *input, char *out, size_t len)
{
	while (len > 0) {
		size_t piece;

		if (!net_fill(fd, input))
			return false;
		piece = input->upto - input->from < len ? input->upto - input->from : len;
		memcpy(out, input->bytes + input->from, piece);
		input->from += piece;
		out += piece;
		len -= piece;
	}
	return true;
}

int net_ask(int port, const char *method, const char *target, const char *headers, const char *body,
	char *head, size_t size)
{
	struct net_input input = {.who = "a request"};
	char request[2048];
	int fd = net_dial(port), status = -1, len;

	if (fd < 0)
		return -1;
	len = snprintf(request, sizeof(request),
		"%s %s HTTP/1.0\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n%s", method,
		target, headers, strlen(body), body);
	if (net_send(fd, request, (size_t)len))
		status = net_head(fd, &input, head, size);
	close(fd);
	return status;
}

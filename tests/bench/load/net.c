/* SPDX-License-Identifier: MIT */
/* Connections to the server; see net.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "net.h"

#define PORTS_PER_ADDRESS 25000

static int no_socket(size_t number, struct error *error)
{
	struct rlimit files = {0};

	getrlimit(RLIMIT_NOFILE, &files);
	if (errno == EMFILE)
		return error_set(error, EX_OSERR,
			"connection %zu: the limit of open files, %llu, is reached; raise the hard "
			"limit (ulimit -Hn)",
			number, (unsigned long long)files.rlim_cur);
	return error_set(error, EX_OSERR, "connection %zu: %s", number, strerror(errno));
}

static int bind_source(int fd, size_t number)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	int on = 1;

	if (number < PORTS_PER_ADDRESS)
		return 0;
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number / PORTS_PER_ADDRESS));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&source, sizeof(source));
}

int net_dial(uint16_t port, size_t number, struct error *error)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return no_socket(number, error);
	if (bind_source(fd, number) != 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		no_socket(number, error);
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

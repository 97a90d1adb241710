/* SPDX-License-Identifier: MIT */
/* Inherited sockets; see inherited.h. */
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/address.h"
#include "base/logger.h"
#include "inherited.h"
#include "number.h"

/* The first descriptor. */
#define FIRST 3

/* What systemd calls a socket without FileDescriptorName= and without a unit. */
#define NO_NAME "unknown"

union socket_address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_storage room;
};

int inherited_count(struct error *error)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	char own[24];
	int64_t number;

	snprintf(own, sizeof(own), "%ld", (long)getpid());
	/* Those of another process, whose environment this one has. */
	if (count == NULL || pid == NULL || strcmp(pid, own) != 0)
		return 0;
	if (number_count(count, 0, LISTEN_MAX, &number, error) != 0)
		return error_set(error, EX_USAGE,
			"LISTEN_FDS is '%.20s'; it must be the number of sockets that are "
			"passed, 0 to %d",
			count, LISTEN_MAX);
	return (int)number;
}

/* The name of the socket of that number, for messages. */
static void find_name(int number, char *name, size_t size)
{
	const char *names = getenv("LISTEN_FDNAMES");

	for (; names != NULL && number > 0; number--) {
		names = strchr(names, ':');
		if (names != NULL)
			names++;
	}
	snprintf(name, size, "%.*s",
		names != NULL ? (int)strcspn(names, ":") : (int)strlen(NO_NAME),
		names != NULL ? names : NO_NAME);
}

static bool has_option(int fd, int option, int value)
{
	int found = 0;
	socklen_t len = sizeof(found);

	return getsockopt(fd, SOL_SOCKET, option, &found, &len) == 0 && found == value;
}

/* Where it listens.  False if that is neither the network nor a local socket. */
static bool write_url(
	const union socket_address *address, socklen_t len, bool secure, char *url, size_t size)
{
	bool v6 = address->any.sa_family == AF_INET6;
	size_t start = offsetof(struct sockaddr_un, sun_path);
	char host[INET6_ADDRSTRLEN + 40], port[8]; /* numbers; perhaps an interface */

	if (address->any.sa_family == AF_UNIX) {
		bool abstract = len > start && address->local.sun_path[0] == '\0';

		snprintf(url, size, "unix:%s%.*s", abstract ? "@" : "",
			(int)(len > start ? len - start - abstract : 0),
			address->local.sun_path + abstract);
		return true;
	}
	if ((!v6 && address->any.sa_family != AF_INET) ||
		getnameinfo(&address->any, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(url, size, "%s://%s%s%s:%s", listen_scheme(secure), v6 ? "[" : "", host,
		v6 ? "]" : "", port);
	return true;
}

static int add(int fd, const char *name, bool open, bool tls, struct listeners *listeners,
	struct error *error)
{
	union socket_address address = {0};
	socklen_t len = sizeof(address);
	char url[sizeof(listeners->url)];
	bool found = getsockname(fd, &address.any, &len) == 0;
	bool secure = tls && address.any.sa_family != AF_UNIX && strcmp(name, "http") != 0;

	if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) || !found ||
		!write_url(&address, len, secure, url, sizeof(url)))
		return error_set(error, EX_USAGE,
			"descriptor %d (%.60s), which LISTEN_FDS passes, is not a stream socket "
			"that listens; a socket unit needs ListenStream= and Accept=no",
			fd, name);
	if (address.any.sa_family != AF_UNIX && !address_is_loopback(&address.any) && !open)
		return error_set(error, EX_USAGE,
			"%.60s (%.100s) can be reached from other machines: say with --access FILE who may "
			"read and publish, or let everyone do both with --open",
			name, url);
	if (!tls && strcmp(name, "https") == 0)
		return error_set(error, EX_USAGE,
			"the socket %s has the name https, but TLS needs a certificate: --tls-cert and "
			"--tls-key name its files",
			url);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return error_set(error, EX_OSERR, "cannot prepare the socket %.60s", name);
	logger_write(LOGGER_INFO, "took over the socket %s, %s", name, url);
	if (listen_add(listeners, fd, url, secure, error) != 0)
		return -1;
	listeners->inherited[listeners->count - 1] = true;
	return 0;
}

int inherited_add(int count, bool open, bool tls, struct listeners *listeners, struct error *error)
{
	char name[64];
	int result = 0;

	for (int i = 0; i < count && result == 0; i++) {
		find_name(i, name, sizeof(name));
		result = add(FIRST + i, name, open, tls, listeners, error);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return result;
}

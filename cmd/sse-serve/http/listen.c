/* SPDX-License-Identifier: MIT */
/* Listening sockets; see listen.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/address.h"
#include "listen.h"
#include "number.h"

#define DEFAULT_LISTEN "8000"
#define BACKLOG 4096
#define HOST_MAX 253 /* no name in the DNS is longer */

/* Try this often to find one free port for both loopback addresses. */
#define PAIR_TRIES 16

static int add(
	struct listeners *listeners, int fd, bool secure, const char *path, struct error *error)
{
	if (listeners->count == LISTEN_MAX)
		return error_set(
			error, EX_USAGE, "--listen can be given at most %d times", LISTEN_MAX);
	listeners->fds[listeners->count] = fd;
	listeners->secure[listeners->count] = secure;
	listeners->paths[listeners->count] = path != NULL ? strdup(path) : NULL;
	listeners->count++;
	return 0;
}

/* Remember an address for the log; the first is the one that a person sees. */
static void note(struct listeners *listeners, const char *url)
{
	size_t len = strlen(listeners->all);

	snprintf(listeners->all + len, sizeof(listeners->all) - len, "%s%s", len > 0 ? ", " : "",
		url);
	if (listeners->url[0] == '\0')
		snprintf(listeners->url, sizeof(listeners->url), "%s", url);
}

const char *listen_scheme(bool secure)
{
	return secure ? "https" : "http";
}

/* --- local sockets --- */

/* A socket file without a listener is left over from a server that was killed. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (lstat(address->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) &&
		connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int listen_local(struct listeners *listeners, const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char url[200];
	int fd;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
		return error_set(error, EX_USAGE, "unix: takes a path of 1 to %zu bytes",
			sizeof(address.sun_path) - 1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	snprintf(url, sizeof(url), "unix:%s", path);
	if (listeners->check) {
		note(listeners, url);
		return add(listeners, -1, false, NULL, error);
	}
	remove_stale(&address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, BACKLOG) != 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		return error_set(error, why == EADDRINUSE ? EX_UNAVAILABLE : EX_CANTCREAT,
			"cannot listen on unix:%s: %s; it takes a path where a new file can be made",
			path, strerror(why));
	}
	note(listeners, url);
	return add(listeners, fd, false, path, error);
}

/* --- the network --- */

static int port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* A bound and listening socket, or -1 with errno.  Without SO_REUSEPORT: a second server fails. */
static int bind_address(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

static int bind_failed(const char *host, const char *port, struct error *error)
{
	int why = errno;

	if (why == EADDRINUSE)
		return error_set(error, EX_UNAVAILABLE,
			"port %s of %s is taken; --listen 0 finds a free one (a second sse-serve "
			"needs a --db of its own too)",
			port, host);
	if (why == EACCES)
		return error_set(error, EX_NOPERM,
			"port %s needs rights that this user does not have; take one above 1023, or "
			"give the program CAP_NET_BIND_SERVICE",
			port);
	return error_set(error, EX_UNAVAILABLE, "cannot listen on %s port %s: %s", host, port,
		strerror(why));
}

/* Add a socket that is bound to the network. */
static int add_port(struct listeners *listeners, int fd, bool secure, struct error *error)
{
	if (secure && listeners->secure_port == 0)
		listeners->secure_port = fd >= 0 ? port_of(fd) : -1;
	return add(listeners, fd, secure, NULL, error);
}

static int listen_host(bool open, bool secure, struct listeners *listeners, const char *host,
	const char *port, struct error *error)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				.ai_socktype = SOCK_STREAM},
			*found = NULL;
	bool any = strcmp(host, "*") == 0, v6;
	char url[sizeof(listeners->url)];
	int code = getaddrinfo(any ? NULL : host, port, &hints, &found), fd;

	if (code != 0)
		return error_set(error, EX_USAGE,
			"--listen %s: this is not an address to listen on: %s", host,
			gai_strerror(code));
	if (!address_is_loopback(found->ai_addr) && !open) {
		freeaddrinfo(found);
		return error_set(error, EX_USAGE,
			"--listen %s can be reached from other machines: say with --access FILE who may read "
			"and publish, or let everyone do both with --open",
			host);
	}
	fd = listeners->check ? -1 : bind_address(found);
	v6 = found->ai_family == AF_INET6;
	freeaddrinfo(found);
	if (fd < 0 && !listeners->check)
		return bind_failed(host, port, error);
	snprintf(url, sizeof(url), "%s://%s%s%s:%d", listen_scheme(secure), v6 ? "[" : "",
		any ? (v6 ? "::" : "0.0.0.0") : host, v6 ? "]" : "",
		listeners->check ? atoi(port) : port_of(fd));
	note(listeners, url);
	return add_port(listeners, fd, secure, error);
}

/*
 * The loopback addresses that exist, so that `localhost` works whichever it means: one port on
 * both.  Port 0 is one that is free on both.
 */
static int listen_loopback(
	struct listeners *listeners, bool secure, const char *port, struct error *error)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(port))};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct addrinfo a4 = {
		.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&v4, .ai_addrlen = sizeof(v4)};
	struct addrinfo a6 = {
		.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&v6, .ai_addrlen = sizeof(v6)};
	char url[64];

	if (listeners->check) {
		snprintf(url, sizeof(url), "%s://localhost:%s", listen_scheme(secure), port);
		note(listeners, url);
		return add_port(listeners, -1, secure, error);
	}
	for (int i = 0; i < PAIR_TRIES; i++) {
		int fd4 = bind_address(&a4), fd6;

		if (fd4 < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
			return bind_failed("localhost", port, error);
		v6.sin6_port = fd4 >= 0 ? htons((uint16_t)port_of(fd4)) : v4.sin_port;
		fd6 = bind_address(&a6);
		if (fd6 < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) {
			if (fd4 >= 0)
				close(fd4);
			if (v4.sin_port == 0 && errno == EADDRINUSE)
				continue;
			return bind_failed("localhost", port, error);
		}
		if (fd4 < 0 && fd6 < 0)
			break;
		snprintf(url, sizeof(url), "%s://localhost:%d", listen_scheme(secure),
			port_of(fd4 >= 0 ? fd4 : fd6));
		note(listeners, url);
		if (fd4 >= 0 && add_port(listeners, fd4, secure, error) != 0)
			return -1;
		return fd6 >= 0 ? add_port(listeners, fd6, secure, error) : 0;
	}
	return bind_failed("localhost", port, error);
}

const char *listen_without_scheme(const char *place)
{
	static const char *const schemes[] = {"http://", "https://", "http:", "https:"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncasecmp(place, schemes[i], strlen(schemes[i])) == 0)
			return place + strlen(schemes[i]);
	}
	return place;
}

/* ADDR:PORT, [ADDR]:PORT or PORT, perhaps after a scheme. */
static int listen_address(
	bool open, bool secure, struct listeners *listeners, const char *text, struct error *error)
{
	const char *place = listen_without_scheme(text), *colon = strrchr(place, ':');
	const char *port = colon != NULL ? colon + 1 : place;
	size_t len = colon != NULL ? (size_t)(colon - place) : 0;
	char host[HOST_MAX + 1] = "";
	int64_t number;

	if (number_count(port, 0, 65535, &number, error) != 0)
		return error_set(error, EX_USAGE,
			"--listen '%.60s': this is not ADDR:PORT, [IPV6]:PORT, PORT or unix:PATH, with a "
			"port from 0 to 65535; http: or https: may come first",
			text);
	if (len > HOST_MAX)
		return error_set(error, EX_USAGE,
			"--listen '%.60s': an address has at most %d characters", text, HOST_MAX);
	memcpy(host, place, len);
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	} else if (strchr(host, ':') != NULL) {
		return error_set(error, EX_USAGE,
			"--listen '%.60s': a scheme is http: or https:, and an IPv6 address is "
			"in brackets, as in [::1]:8000",
			text);
	}
	if (host[0] == '\0' || strcmp(host, "localhost") == 0)
		return listen_loopback(listeners, secure, port, error);
	return listen_host(open, secure, listeners, host, port, error);
}

static int listen_one(
	bool open, bool tls, struct listeners *listeners, const char *text, struct error *error)
{
	const char *rest = listen_without_scheme(text);
	bool https = strncasecmp(text, "https:", 6) == 0;

	if (strncmp(text, "unix:", 5) == 0)
		return listen_local(listeners, text + 5, error);
	if (strncmp(rest, "unix:", 5) == 0)
		return error_set(error, EX_USAGE,
			"--listen '%.60s': a local socket never has TLS, so write unix:PATH without "
			"a scheme",
			text);
	if (https && !tls)
		return error_set(error, EX_USAGE,
			"--listen '%.60s': TLS needs a certificate: --tls-cert and --tls-key name its "
			"files",
			text);
	return listen_address(open, https || (tls && rest == text), listeners, text, error);
}

static int listen_all(const struct option_list *places, bool open, bool tls,
	struct listeners *listeners, struct error *error)
{
	int result = 0;

	if (places->count == 0)
		result = listen_loopback(listeners, tls, DEFAULT_LISTEN, error);
	for (size_t i = 0; i < places->count && result == 0; i++)
		result = listen_one(open, tls, listeners, places->values[i], error);
	if (result != 0)
		listen_close(listeners);
	return result;
}

int listen_open(const struct option_list *places, bool open, bool tls, struct listeners *listeners,
	struct error *error)
{
	*listeners = (struct listeners){0};
	return listen_all(places, open, tls, listeners, error);
}

int listen_check(const struct option_list *places, bool open, bool tls, struct listeners *listeners,
	struct error *error)
{
	*listeners = (struct listeners){.check = true};
	return listen_all(places, open, tls, listeners, error);
}

int listen_add(
	struct listeners *listeners, int fd, const char *url, bool secure, struct error *error)
{
	note(listeners, url);
	return add_port(listeners, fd, secure, error);
}

int listen_check_tls(const struct listeners *listeners, bool tls, struct error *error)
{
	if (!tls || listeners->secure_port != 0)
		return 0;
	return error_set(error, EX_USAGE,
		"--tls-cert has no effect, because no address has TLS: give a --listen that "
		"does not begin with http: or unix:");
}

void listen_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->fds[i] >= 0)
			close(listeners->fds[i]);
		if (listeners->paths[i] != NULL)
			unlink(listeners->paths[i]);
		free(listeners->paths[i]);
	}
	listeners->count = 0;
}

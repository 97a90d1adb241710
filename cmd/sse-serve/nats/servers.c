/* SPDX-License-Identifier: MIT */
/* The servers of NATS; see servers.h. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "servers.h"

/* The longest host name, with the NUL. */
#define HOST 256

bool servers_are_named(const char *text)
{
	return text != NULL && (strncmp(text, "nats:", 5) == 0 || strncmp(text, "tls:", 4) == 0);
}

static bool is_url(const char *url, size_t len)
{
	size_t scheme = strncmp(url, "nats://", 7) == 0	 ? 7
			: strncmp(url, "tls://", 6) == 0 ? 6
							 : 0;

	return scheme > 0 && len > scheme && memchr(url + scheme, '/', len - scheme) == NULL;
}

static int check_name(const char *name, struct error *error)
{
	size_t len = strlen(name);

	if (len > 0 && len < SERVERS_NAME &&
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
			len)
		return 0;
	return error_set(error, EX_USAGE,
		"--cluster '%.80s': the name may have 1 to %d letters, digits, - and _", name,
		SERVERS_NAME - 1);
}

int servers_check(const struct servers *servers, struct error *error)
{
	const char *url = servers->urls;
	int count = 0;

	do {
		size_t len = strcspn(url, ",");

		if (!is_url(url, len))
			return error_set(error, EX_USAGE,
				"--store: '%.*s' is not the URL of a NATS server; they are like "
				"nats://host:4222 (or tls://), separated by commas without spaces",
				len < 80 ? (int)len : 80, url);
		if (++count > SERVERS_MAX)
			return error_set(error, EX_USAGE,
				"--store: at most %d servers can be named", SERVERS_MAX);
		url += len;
	} while (*url++ != '\0');
	return check_name(servers->name, error);
}

/* The host of a URL of this length: after the user, before the port. */
static void copy_host(const char *url, size_t len, char host[HOST])
{
	const char *start = strstr(url, "://") + 3, *end = url + len, *at, *colon;

	at = memchr(start, '@', (size_t)(end - start));
	if (at != NULL)
		start = at + 1;
	if (*start == '[') {
		colon = memchr(start, ']', (size_t)(end - start));
		start++;
	} else {
		colon = memchr(start, ':', (size_t)(end - start));
	}
	if (colon != NULL)
		end = colon;
	snprintf(host, HOST, "%.*s", (int)(end - start), start);
}

void servers_look_up(const struct servers *servers)
{
	const char *url = servers->urls;

	do {
		size_t len = strcspn(url, ",");
		struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
		char host[HOST];

		copy_host(url, len, host);
		if (getaddrinfo(host, NULL, &hints, &found) == 0)
			freeaddrinfo(found);
		url += len;
	} while (*url++ != '\0');
}

/* SPDX-License-Identifier: MIT */
/* X-Forwarded-For; see forwarded.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "forwarded.h"

int forwarded_proxies_parse(
	const struct option_list *values, struct forwarded_proxies *proxies, struct error *error)
{
	struct error reason = {0};

	*proxies = (struct forwarded_proxies){0};
	if (values->count == 0)
		return 0;
	proxies->ranges = calloc(values->count, sizeof(*proxies->ranges));
	if (proxies->ranges == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < values->count; i++) {
		const char *value = values->values[i];

		if (strcmp(value, "unix") == 0)
			proxies->local = true;
		else if (address_range_parse(value, &proxies->ranges[proxies->count], &reason) == 0)
			proxies->count++;
		else
			return error_set(error, EX_USAGE,
				"--trust-proxy '%.60s': %s; or unix, for proxies on local sockets",
				value, reason.text);
	}
	return 0;
}

void forwarded_proxies_free(struct forwarded_proxies *proxies)
{
	free(proxies->ranges);
	*proxies = (struct forwarded_proxies){0};
}

bool forwarded_trusts(const struct forwarded_proxies *proxies, const struct sockaddr *address)
{
	if (address == NULL)
		return proxies->local;
	for (size_t i = 0; i < proxies->count; i++) {
		if (address_in_range(address, &proxies->ranges[i]))
			return true;
	}
	return false;
}

static bool is_port(const char *text, size_t len)
{
	return len > 1 && len <= 6 && text[0] == ':' && strspn(text + 1, "0123456789") >= len - 1;
}

/* Read 192.0.2.1, 192.0.2.1:8000, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:8000. */
static bool read_entry(const char *text, size_t len, union address *address)
{
	const char *bracket = memchr(text, ']', len), *colon = memchr(text, ':', len);
	size_t inside;

	if (text[0] == '[') {
		inside = bracket != NULL ? (size_t)(bracket - text) - 1 : 0;
		return bracket != NULL && address_parse(text + 1, inside, address) &&
		       address->any.sa_family == AF_INET6 &&
		       (inside + 2 == len || is_port(bracket + 1, len - inside - 2));
	}
	if (address_parse(text, len, address))
		return true;
	return colon != NULL && is_port(colon, len - (size_t)(colon - text)) &&
	       address_parse(text, (size_t)(colon - text), address);
}

static void take_entry(struct forwarded *forwarded, const struct forwarded_proxies *proxies,
	const char *text, size_t len)
{
	union address address;

	if (!read_entry(text, len, &address)) {
		forwarded->found = FORWARDED_WRONG;
		return;
	}
	if (!forwarded_trusts(proxies, &address.any)) {
		forwarded->found = FORWARDED_CLIENT;
		forwarded->address = address;
	} else if (forwarded->found == FORWARDED_NOTHING) {
		forwarded->found = FORWARDED_PROXY;
		forwarded->address = address;
	}
}

void forwarded_look(
	struct forwarded *forwarded, const struct forwarded_proxies *proxies, const char *value)
{
	while (*value != '\0') {
		size_t len = strcspn(value, ","), blank = strspn(value, " \t");
		const char *next = value + len + (value[len] == ',');

		value += blank < len ? blank : len;
		len -= blank < len ? blank : len;
		while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		/* An empty entry means nothing (RFC 9110, section 5.6.1). */
		if (len > 0)
			take_entry(forwarded, proxies, value, len);
		value = next;
	}
}

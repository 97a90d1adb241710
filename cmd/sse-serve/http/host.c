/* SPDX-License-Identifier: MIT */
/* Does a request name this server?  See host.h. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/address.h"
#include "host.h"
#include "listen.h"

#define PORT_MAX 65535

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* The characters of a name in the DNS, or in a network of containers. */
#define NAME_CHARACTERS LETTERS DIGITS "-._"

/* RFC 3986, section 3.2.2, reg-name. */
#define VALID_CHARACTERS NAME_CHARACTERS "~!$&'()*+,;=%"

/* A host, cut out of a text. */
struct host {
	const char *name; /* without the dot that a full name ends with */
	size_t len;
	bool is_address;
	struct sockaddr_in6 address; /* IPv4 is mapped into IPv6 */
};

/* --- addresses --- */

/* Read an address, of IPv6 if it stood in brackets. */
static bool read_address(const char *text, size_t len, bool brackets, struct sockaddr_in6 *v6)
{
	union address address;

	v6->sin6_family = AF_INET6;
	return address_parse(text, len, &address) &&
	       (address.any.sa_family == AF_INET6) == brackets &&
	       address_as_v6(&address.any, &v6->sin6_addr);
}

static bool same_address(const struct host *a, const struct host *b)
{
	return memcmp(&a->address.sin6_addr, &b->address.sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool is_unspecified(const struct in6_addr *address)
{
	static const struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_addr.s_addr = INADDR_ANY};
	struct in6_addr v4;

	address_as_v6((const struct sockaddr *)&any, &v4);
	return IN6_IS_ADDR_UNSPECIFIED(address) || memcmp(address, &v4, sizeof(v4)) == 0;
}

/* Did the connection come in on this address? */
static bool is_local(const struct host *host, const struct sockaddr *local)
{
	struct host own = {0};

	return local != NULL && address_as_v6(local, &own.address.sin6_addr) &&
	       same_address(host, &own);
}

/* --- reading a host --- */

/* Is what follows the host nothing, or a port, which may be empty? */
static bool is_port(const char *text)
{
	unsigned long port = 0;

	if (*text == '\0')
		return true;
	if (*text != ':')
		return false;
	while (isdigit((unsigned char)*++text) && port <= PORT_MAX)
		port = port * 10 + (unsigned long)(*text - '0');
	return *text == '\0' && port <= PORT_MAX;
}

size_t host_length(const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

	return end != NULL ? (size_t)(end + 1 - host) : strcspn(host, ":");
}

/* [ADDRESS] or [ADDRESS%ZONE] */
static bool read_brackets(struct host *host)
{
	const char *zone = memchr(host->name, '%', host->len);
	size_t len = zone != NULL ? (size_t)(zone - host->name) : host->len - 1;

	if (host->len < 2 || host->name[host->len - 1] != ']')
		return false;
	if (zone != NULL && strspn(zone, VALID_CHARACTERS) + len + 1 != host->len)
		return false;
	host->is_address = read_address(host->name + 1, len - 1, true, &host->address);
	return host->is_address;
}

/* Cut the host out of a text that may have a port after it.  False if it is not valid. */
static bool read_host(const char *text, struct host *host)
{
	*host = (struct host){.name = text, .len = host_length(text)};
	if (!is_port(text + host->len))
		return false;
	if (text[0] == '[')
		return read_brackets(host);
	if (host->len == 0 || strspn(text, VALID_CHARACTERS) < host->len)
		return false;
	if (host->len > 1 && text[host->len - 1] == '.')
		host->len--;
	host->is_address = read_address(text, host->len, false, &host->address);
	return true;
}

/* --- whose it is --- */

static bool is_name(const struct host *host, const char *name)
{
	return strlen(name) == host->len && strncasecmp(host->name, name, host->len) == 0;
}

/* ${wild}: are one or more labels before the name? */
static bool matches(const struct host *host, const struct host *own, bool wild)
{
	const char *end;

	if (host->is_address || own->is_address)
		return !wild && host->is_address && own->is_address && same_address(host, own);
	if (host->len < own->len)
		return false;
	end = host->name + host->len - own->len;
	if (strncasecmp(end, own->name, own->len) != 0)
		return false;
	if (!wild)
		return host->len == own->len;
	return end - host->name > 1 && end[-1] == '.' && host->name[0] != '.';
}

/* Is the host one that --listen names: NAME:PORT? */
static bool is_listened(const struct host *host, const char *place)
{
	struct host own;

	place = listen_without_scheme(place);
	return strncmp(place, "unix:", 5) != 0 && strchr(place, ':') != NULL &&
	       read_host(place, &own) && matches(host, &own, false);
}

enum host_verdict host_judge(
	const struct host_names *names, const char *text, const struct sockaddr *local)
{
	struct host host, own;

	if (!read_host(text, &host))
		return HOST_INVALID;
	if (host.is_address &&
		(address_is_loopback((const struct sockaddr *)&host.address) ||
			is_unspecified(&host.address.sin6_addr) || is_local(&host, local)))
		return HOST_OURS;
	if (is_name(&host, "localhost"))
		return HOST_OURS;
	for (size_t i = 0; i < names->hosts->count; i++) {
		const char *name = names->hosts->values[i];
		bool wild = strncmp(name, "*.", 2) == 0;

		if (read_host(wild ? name + 2 : name, &own) && matches(&host, &own, wild))
			return HOST_OURS;
	}
	for (size_t i = 0; i < names->listen->count; i++) {
		if (is_listened(&host, names->listen->values[i]))
			return HOST_OURS;
	}
	return HOST_OTHER;
}

/* --- what the operator and the client write --- */

int host_check_name(const char *name, struct error *error)
{
	bool wild = strncmp(name, "*.", 2) == 0;
	const char *rest = wild ? name + 2 : name;
	struct host host;
	bool valid = read_host(rest, &host) && rest[host_length(rest)] == '\0';

	if (valid && !host.is_address)
		valid = strspn(rest, NAME_CHARACTERS) == strlen(rest) && rest[0] != '.' &&
			strstr(rest, "..") == NULL;
	if (!valid || (wild && host.is_address))
		return error_set(error, EX_USAGE,
			"--host '%.60s': it takes a name without scheme, port or path, as in "
			"events.example.org, *.example.org, 192.0.2.1 or [2001:db8::1]",
			name);
	return 0;
}

const char *host_in_target(const char *target, size_t *len)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t scheme = strlen(schemes[i]);

		if (strncasecmp(target, schemes[i], scheme) == 0) {
			*len = strcspn(target + scheme, "/?#");
			return target + scheme;
		}
	}
	return NULL;
}

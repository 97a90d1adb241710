/* SPDX-License-Identifier: MIT */
/* Addresses of the network; see address.h. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "number.h"

bool address_is_loopback(const struct sockaddr *address)
{
	const struct in6_addr *v6;

	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	if (address->sa_family != AF_INET6)
		return false;
	v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

void address_write(const struct sockaddr *address, char text[ADDRESS_TEXT])
{
	socklen_t len = address != NULL && address->sa_family == AF_INET6
				? sizeof(struct sockaddr_in6)
				: sizeof(struct sockaddr_in);

	snprintf(text, ADDRESS_TEXT, "local");
	if (address != NULL)
		getnameinfo(address, len, text, ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST);
}

bool address_as_v6(const struct sockaddr *address, struct in6_addr *v6)
{
	if (address->sa_family == AF_INET6) {
		*v6 = ((const struct sockaddr_in6 *)address)->sin6_addr;
		return true;
	}
	if (address->sa_family != AF_INET)
		return false;
	memset(v6, 0, sizeof(*v6));
	v6->s6_addr[10] = v6->s6_addr[11] = 0xff;
	memcpy(v6->s6_addr + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
	return true;
}

bool address_key(const struct sockaddr *address, unsigned char key[ADDRESS_KEY])
{
	struct in6_addr v6;

	if (address == NULL || address_is_loopback(address) || !address_as_v6(address, &v6))
		return false;
	memset(key, 0, ADDRESS_KEY);
	memcpy(key, v6.s6_addr, IN6_IS_ADDR_V4MAPPED(&v6) ? 16 : 8);
	return true;
}

bool address_parse(const char *text, size_t len, union address *address)
{
	char copy[INET6_ADDRSTRLEN];

	memset(address, 0, sizeof(*address));
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, &address->v4.sin_addr) == 1)
		address->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, copy, &address->v6.sin6_addr) == 1)
		address->any.sa_family = AF_INET6;
	else
		return false;
	return true;
}

static bool same_bits(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	return memcmp(a, b, bytes) == 0 &&
	       (rest == 0 || (a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest) == 0);
}

/* Are all bits after the first ${bits} 0? */
static bool ends_with_zeros(const struct in6_addr *v6, unsigned bits)
{
	for (unsigned bit = bits; bit < 128; bit++) {
		if ((v6->s6_addr[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	}
	return true;
}

int address_range_parse(const char *text, struct address_range *range, struct error *error)
{
	const char *slash = strchr(text, '/');
	union address address;
	int64_t bits, most;

	if (!address_parse(text, slash != NULL ? (size_t)(slash - text) : strlen(text), &address))
		return error_set(error, EX_USAGE,
			"this is not an address; give one, as in 192.0.2.1 or 2001:db8::1, or a "
			"range, as in 192.0.2.0/24");
	bits = most = address.any.sa_family == AF_INET ? 32 : 128;
	if (slash != NULL && number_count(slash + 1, 0, most, &bits, NULL) != 0)
		return error_set(error, EX_USAGE,
			"the slash must be followed by the number of bits that the addresses "
			"share, 0 to %d",
			(int)most);
	address_as_v6(&address.any, &range->first);
	range->bits = (unsigned)(bits + 128 - most);
	if (!ends_with_zeros(&range->first, range->bits))
		return error_set(error, EX_USAGE,
			"the address has bits after the first %d, which must be 0, as in 192.0.2.0/24",
			(int)bits);
	return 0;
}

bool address_in_range(const struct sockaddr *address, const struct address_range *range)
{
	struct in6_addr v6;

	return address_as_v6(address, &v6) && same_bits(&v6, &range->first, range->bits);
}

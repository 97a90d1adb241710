/* SPDX-License-Identifier: MIT */
/* Network addresses, and ranges of them. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "error.h"

/* An IPv4 or IPv6 address. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Addresses that begin with the same bits.  IPv4 is mapped into IPv6. */
struct address_range {
	struct in6_addr first;
	unsigned bits; /* 0 to 128 */
};

/* Room for an address as text, with its NUL. */
#define ADDRESS_TEXT 64

/* The bytes by which limits tell clients apart. */
#define ADDRESS_KEY 16

/* address_is_loopback(address): is it loopback, of IPv4, IPv6, or IPv4 mapped into IPv6? */
bool address_is_loopback(const struct sockaddr *address);

/* address_write(address, text): as a person reads it; NULL is "local". */
void address_write(const struct sockaddr *address, char text[ADDRESS_TEXT]);

/*
 * address_as_v6(address, v6):
 * The address as IPv6, into which IPv4 is mapped.  False for another family.
 */
bool address_as_v6(const struct sockaddr *address, struct in6_addr *v6);

/*
 * address_key(address, key):
 * Store the bytes by which limits count the client at ${address}: the whole of an IPv4 address; the
 * /64 of an IPv6 address, which usually belongs to one client.  Return false for addresses that are
 * not counted: loopback, since proxies connect from there, and NULL, a local socket.
 */
bool address_key(const struct sockaddr *address, unsigned char key[ADDRESS_KEY]);

/*
 * address_parse(text, len, address):
 * Read an address without a port: 192.0.2.1 or 2001:db8::1.  Return false if it is not an address.
 */
bool address_parse(const char *text, size_t len, union address *address);

/*
 * address_range_parse(text, range, error):
 * Read an address, or ADDRESS/BITS, where the bits after these are 0.  Return 0, or -1 with the
 * reason (EX_USAGE): what is wrong, and what would be right.
 */
int address_range_parse(const char *text, struct address_range *range, struct error *error);

/* address_in_range(address, range): an IPv4 address also counts if it is mapped into IPv6. */
bool address_in_range(const struct sockaddr *address, const struct address_range *range);

#endif

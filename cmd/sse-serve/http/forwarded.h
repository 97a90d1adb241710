/* SPDX-License-Identifier: MIT */
/*
 * Finds the client for which a trusted proxy sends a request, from X-Forwarded-For and the proxies
 * that --trust-proxy names.  Pure: text in, address out.
 *
 * Each proxy appends the address of its own client at the right end.  So the client is the
 * rightmost address that is not a trusted proxy: trusted proxies have written all up to it, and
 * whatever is to the left of it may be forged.
 */
#ifndef FORWARDED_H
#define FORWARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/address.h"
#include "error.h"
#include "option.h"

/* Trusted proxies; all zero: none. */
struct forwarded_proxies {
	struct address_range *ranges; /* owned */
	size_t count;
	bool local; /* trust those that connect to a local socket */
};

/*
 * forwarded_proxies_parse(values, proxies, error):
 * Read the values of --trust-proxy: addresses, ranges, "unix".  Return 0, or -1 with EX_USAGE; call
 * forwarded_proxies_free() after either.
 */
int forwarded_proxies_parse(
	const struct option_list *values, struct forwarded_proxies *proxies, struct error *error);

/* forwarded_proxies_free(proxies): release the ranges. */
void forwarded_proxies_free(struct forwarded_proxies *proxies);

/* forwarded_trusts(proxies, address): is this a trusted proxy?  NULL: a local socket. */
bool forwarded_trusts(const struct forwarded_proxies *proxies, const struct sockaddr *address);

/* The result of the values so far.  Begin with all zero. */
struct forwarded {
	enum { FORWARDED_NOTHING, FORWARDED_PROXY, FORWARDED_CLIENT, FORWARDED_WRONG } found;
	union address address; /* of the client; not set after NOTHING and WRONG */
};

/*
 * forwarded_look(forwarded, proxies, value):
 * Look at the value of one X-Forwarded-For header; call it for all of them, in their order.  After
 * that, the address is the rightmost that is not a trusted proxy (FORWARDED_CLIENT), or the
 * leftmost if all are trusted proxies (FORWARDED_PROXY).  An entry that is not an address, with or
 * without a port, counts as not trusted: if it is the rightmost of these, the client is unknown
 * (FORWARDED_WRONG).
 */
void forwarded_look(
	struct forwarded *forwarded, const struct forwarded_proxies *proxies, const char *value);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Which pages may use the server: Origin and Sec-Fetch-Site against --cors.  Pure functions.  A
 * header that the request does not have is NULL.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>

#include "option.h"

/*
 * origin_cors(allowed, origin):
 * May a page of this Origin read the answer?  Return what Access-Control-Allow-Origin has to be:
 * "*" or ${origin}; NULL if ${allowed} has neither, or without an origin.
 */
const char *origin_cors(const struct option_list *allowed, const char *origin);

/*
 * origin_may_change(allowed, origin, site, host):
 * May the page that sends a request do something that other clients see?  ${site} is its
 * Sec-Fetch-Site.  A page of the server itself may, which Host names; one that ${allowed} has; and a
 * client that is not a page, which sends neither header.
 */
bool origin_may_change(
	const struct option_list *allowed, const char *origin, const char *site, const char *host);

#endif

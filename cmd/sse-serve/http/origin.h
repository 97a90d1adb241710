/* SPDX-License-Identifier: MIT */
/*
 * Which pages may use the server: Origin and Sec-Fetch-Site against --cors.  Pure functions.  A
 * header that the request does not have is NULL.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>

#include "option.h"

/* The value of --cors that allows the pages of any origin. */
#define ORIGIN_ANY "*"

/*
 * origin_cors(allowed, origin):
 * May a page of this Origin read the answer?  Return what Access-Control-Allow-Origin has to be:
 * ${origin} if ${allowed} has it, else ORIGIN_ANY if it has that; NULL if it has neither, or
 * without an origin.
 */
const char *origin_cors(const struct option_list *allowed, const char *origin);

/*
 * origin_is_named(cors):
 * Did origin_cors() return an origin that ${allowed} has by name?  Only pages of such an origin may
 * use what a browser knows of its user (cookies), or reach a private network from the public one.
 */
bool origin_is_named(const char *cors);

/*
 * origin_is_own(origin, site, host):
 * Does the request show that a page of the server itself sends it: by an Origin with the host and
 * port of ${host}, or, without an Origin, by a Sec-Fetch-Site of same-origin?  Origin: null is
 * never the server's.  If the proof of a request is a cookie, it must show this, since a page of
 * any site can make the browser send the cookie.
 */
bool origin_is_own(const char *origin, const char *site, const char *host);

/*
 * origin_may_change(allowed, origin, site, host):
 * May the page that sends a request do something that other clients see?  ${site} is its
 * Sec-Fetch-Site.  A page of the server itself may, which Host names; one that ${allowed} has; and
 * a client that is not a page, which sends neither header.
 */
bool origin_may_change(
	const struct option_list *allowed, const char *origin, const char *site, const char *host);

#endif

/* SPDX-License-Identifier: MIT */
/* Which page sends a request, and what it may do; see request.h. */
#include <strings.h>

#include "connection.h"
#include "origin.h"
#include "request.h"
#include "request_internal.h"

bool request_is_secure(const struct request *request)
{
	return request->socket->secure;
}

const char *request_cors(const struct request *request)
{
	return origin_cors(request->shared->config->cors, request_header(request, "Origin"));
}

const char *request_own_host(const struct request *request)
{
	const char *origin = request_header(request, "Origin");

	/* Anyone on the way could have written a page that came without TLS. */
	return request->socket->secure && origin != NULL && strncasecmp(origin, "https://", 8) != 0
		       ? NULL
		       : request->host;
}

/* Does the request name its page, as one of this server or of an origin that --cors names? */
static bool is_named(const struct request *request)
{
	const char *origin = request_header(request, "Origin");

	return origin_is_own(origin, request_header(request, "Sec-Fetch-Site"),
		       request_own_host(request)) ||
	       origin_is_named(request_cors(request));
}

static bool refuse_origin(struct request *request, const char *what)
{
	const char *origin = request_header(request, "Origin");

	request_problem(request, 403,
		"a page of %.200s may not %s; the operator can allow it with --cors",
		origin != NULL ? origin : "another site", what);
	return false;
}

bool request_check_origin(struct request *request, const char *what)
{
	const char *origin = request_header(request, "Origin");

	/* A browser shows its certificate to any page's requests, too; a program that has one is no page. */
	if (request->proof == PROOF_IS_CERTIFICATE)
		return request_check_page(request, what);
	if (request->proof != PROOF_IS_COOKIE)
		return origin_may_change(request->shared->config->cors, origin,
			       request_header(request, "Sec-Fetch-Site"),
			       request_own_host(request)) ||
		       refuse_origin(request, what);
	/*
	 * A browser adds the cookie to the requests of any page, so the request must name its page.
	 */
	if (is_named(request))
		return true;
	if (origin != NULL)
		return refuse_origin(request, what);
	request_problem(request, 403,
		"a request with a session cookie must say which page sends it (Origin or "
		"Sec-Fetch-Site); a program sends `Authorization: Bearer TOKEN` instead");
	return false;
}

bool request_check_page(struct request *request, const char *what)
{
	bool page = request_header(request, "Origin") != NULL ||
		    request_header(request, "Sec-Fetch-Site") != NULL;

	return !page || is_named(request) || refuse_origin(request, what);
}

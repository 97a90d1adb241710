/* SPDX-License-Identifier: MIT */
/* Redirects to TLS; see redirect.h. */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "buf.h"
#include "connection.h"
#include "host.h"
#include "redirect.h"
#include "request.h"
#include "request_internal.h"

#define HTTPS_PORT 443

static bool is_from_elsewhere(struct request *request)
{
	const struct sockaddr *local = connection_local(request->socket);

	return (local->sa_family == AF_INET || local->sa_family == AF_INET6) &&
	       !address_is_loopback(local);
}

/* The target without the scheme and host that it may begin with. */
static const char *path_of(const char *target)
{
	size_t len = 0;
	const char *host = host_in_target(target, &len), *path = host != NULL ? host + len : target;

	return *path == '/' ? path : "/";
}

static bool write_location(const struct request *request, struct buf *location)
{
	int port = request->shared->config->secure_port;

	return buf_addf(location, "https://%.*s", (int)host_length(request->host), request->host) &&
	       (port == HTTPS_PORT || buf_addf(location, ":%d", port)) &&
	       buf_add_text(location, path_of(request->target)) && buf_add_byte(location, '\0');
}

bool redirect_to_tls(struct request *request)
{
	struct buf location;

	if (request->shared->config->secure_port == 0 || request->socket->secure ||
		!is_from_elsewhere(request))
		return false;
	if (request->host == NULL) {
		request_problem(request, 400,
			"this port only redirects to https://, and the request has no Host header that "
			"says where");
		return true;
	}
	buf_init(&location, SIZE_MAX / 2);
	request_problem(request, 308, "this is served by https:// only");
	if (write_location(request, &location))
		request_add_header(request, "Location", location.data);
	else
		request_problem(request, 503, "out of memory");
	buf_free(&location);
	return true;
}

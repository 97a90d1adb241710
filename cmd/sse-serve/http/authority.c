/* SPDX-License-Identifier: MIT */
/* Which server a request names; see authority.h. */
#include <string.h>
#include <strings.h>

#include "authority.h"
#include "connection.h"
#include "host.h"
#include "request.h"
#include "request_internal.h"

/* How much of a name a sentence repeats. */
#define NAME_SHOWN ((size_t)100)

void authority_look(struct authority *authority, const char *name, const char *value)
{
	if (strcasecmp(name, "Host") != 0)
		return;
	authority->host = value != NULL ? value : "";
	authority->hosts++;
}

static enum host_verdict judge(struct request *request, const char *host)
{
	return host_judge(&request->shared->config->names, host, connection_local(request->socket));
}

/* Reply that the request names another server, or that the name is not valid. */
static void refuse(struct request *request, enum host_verdict verdict)
{
	size_t len;

	if (verdict == HOST_INVALID) {
		request_problem(request, 400,
			"the host in the request is not valid; it must be a name or an address, "
			"with or without a port, as in localhost:8000");
		return;
	}
	len = host_length(request->host);
	request_problem(request, 421,
		"'%.*s' is not a name of this server; its operator can add a name with --host NAME",
		(int)(len < NAME_SHOWN ? len : NAME_SHOWN), request->host);
}

/* False after replying. */
static bool look(struct request *request, const struct authority *authority, const char *version)
{
	enum host_verdict verdict = HOST_OURS;
	size_t len;
	const char *target = host_in_target(request->target, &len);

	if (authority->hosts > 1 || (authority->hosts == 0 && strcmp(version, "HTTP/1.0") != 0)) {
		request_problem(request, 400, "a request must have one Host header");
		return false;
	}
	request->host = authority->host;
	if (request->host != NULL)
		verdict = judge(request, request->host);
	if (verdict != HOST_INVALID && target != NULL) {
		request->authority = strndup(target, len);
		request->host = request->authority;
		if (request->host == NULL) {
			request_problem(request, 503, "out of memory; try again later");
			return false;
		}
		verdict = judge(request, request->host);
	}
	if (verdict == HOST_OURS)
		return true;
	refuse(request, verdict);
	return false;
}

bool authority_check(
	struct request *request, const struct authority *authority, const char *version)
{
	if (look(request, authority, version))
		return true;
	/* The rest of the request was not read, so nobody knows where its body ends. */
	request_add_header(request, "Connection", "close");
	/* Without memory for the problem the request is still refused. */
	if (request->response == NULL)
		request->refused = 503;
	return false;
}

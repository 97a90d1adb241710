/* SPDX-License-Identifier: MIT */
/* Accepted, refused, or to be tried again; see verdict.h. */
#include <string.h>

#include "verdict.h"

/* Statuses that are about the one event, not about us or the server. */
static bool is_refusal(long status)
{
	return status == 400 || status == 409 || (status >= 412 && status <= 413) ||
	       status == 415 || status == 422;
}

/* Statuses that are about the login: the server's, or that of a proxy. */
static bool is_denial(long status)
{
	return status == 401 || status == 403 || status == 407;
}

/* Statuses after which the same request may succeed. */
static bool is_passing(long status)
{
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* With --at-most-once: did the server say that it did not take the request up? */
static bool is_untouched(long status)
{
	return status == 429 || status == 503;
}

/* Statuses of servers, and of proxies before them, that do not accept batches as such. */
static bool is_against_batches(long status)
{
	return is_refusal(status) || status == 404 || status == 405 || status == 411 ||
	       status == 501;
}

/* The server may have all of the request; without a key, the request cannot be repeated. */
static enum verdict unless_unknown(
	const struct verdict_request *request, enum verdict verdict, bool *ambiguous)
{
	if (!request->sent)
		return verdict;
	*ambiguous = true;
	return request->once ? VERDICT_UNKNOWN : verdict;
}

enum verdict verdict_of_answer(
	const struct verdict_request *request, long status, size_t results, bool *ambiguous)
{
	bool again = is_passing(status) && (!request->once || is_untouched(status));

	if (status < 300)
		return results == 0 || results == request->events ? VERDICT_ACCEPTED
								  : VERDICT_DOUBTFUL;
	if (request->batch && is_against_batches(status))
		return VERDICT_OTHERWISE;
	if (is_refusal(status))
		return VERDICT_REFUSED;
	if (again)
		return VERDICT_AGAIN;
	if (is_passing(status) && status != 408)
		return unless_unknown(request, VERDICT_AWAY, ambiguous);
	if (is_denial(status))
		return VERDICT_DENIED;
	return status / 100 == 5 ? VERDICT_AWAY : VERDICT_NO;
}

enum verdict verdict_of_failure(
	const struct verdict_request *request, enum verdict_failure failure, bool *ambiguous)
{
	switch (failure) {
	case VERDICT_BROKEN:
		return unless_unknown(request, VERDICT_AGAIN, ambiguous);
	case VERDICT_USELESS:
		return unless_unknown(request, VERDICT_NO, ambiguous);
	case VERDICT_BARRED:
		return VERDICT_DENIED;
	case VERDICT_STOPPED:
		return unless_unknown(request, VERDICT_AWAY, ambiguous);
	case VERDICT_NOBODY:
		break;
	}
	return VERDICT_AWAY;
}

struct verdict_split verdict_split(
	const struct verdict_request *request, long status, uint64_t line)
{
	struct verdict_split split = {0};

	if (status == 413) {
		split.smaller = true;
		split.limit = request->events > 1 ? request->events / 2 : 1;
	} else if (line > 0 && line <= request->events) {
		/* Send those before it as a batch; then it is the first, and is sent alone. */
		split.limit = line > 1 ? (size_t)line - 1 : 1;
	} else {
		split.singly = true;
	}
	return split;
}

bool verdict_is_sse_serve(const struct client_answer *answer)
{
	size_t id = strlen(answer->id), location = strlen(answer->location);

	return answer->status == 201 && strchr(answer->id, ':') != NULL && location > id &&
	       answer->location[location - id - 1] == '/' &&
	       strcmp(answer->location + location - id, answer->id) == 0;
}

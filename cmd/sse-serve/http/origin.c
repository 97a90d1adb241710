/* SPDX-License-Identifier: MIT */
/* Which pages may use the server; see origin.h. */
#include <string.h>
#include <strings.h>

#include "origin.h"

const char *origin_cors(const struct option_list *allowed, const char *origin)
{
	const char *cors = NULL;

	for (size_t i = 0; origin != NULL && i < allowed->count; i++) {
		if (strcmp(allowed->values[i], ORIGIN_ANY) == 0)
			cors = ORIGIN_ANY;
		else if (strcasecmp(allowed->values[i], origin) == 0)
			return origin;
	}
	return cors;
}

bool origin_is_named(const char *cors)
{
	return cors != NULL && strcmp(cors, ORIGIN_ANY) != 0;
}

/* Is the origin "http://localhost:8000" of the host "localhost:8000"? */
static bool has_host(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return host != NULL && authority != NULL && strcasecmp(authority + 3, host) == 0;
}

bool origin_is_own(const char *origin, const char *site, const char *host)
{
	if (origin != NULL)
		return has_host(origin, host);
	return site != NULL && strcasecmp(site, "same-origin") == 0;
}

bool origin_may_change(
	const struct option_list *allowed, const char *origin, const char *site, const char *host)
{
	if (origin != NULL)
		return origin_cors(allowed, origin) != NULL || has_host(origin, host);
	return site == NULL || strcasecmp(site, "cross-site") != 0;
}

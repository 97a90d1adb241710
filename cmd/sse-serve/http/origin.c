/* SPDX-License-Identifier: MIT */
/* Which pages may use the server; see origin.h. */
#include <string.h>
#include <strings.h>

#include "origin.h"

const char *origin_cors(const struct option_list *allowed, const char *origin)
{
	for (size_t i = 0; origin != NULL && i < allowed->count; i++) {
		if (strcmp(allowed->values[i], "*") == 0)
			return "*";
		if (strcasecmp(allowed->values[i], origin) == 0)
			return origin;
	}
	return NULL;
}

/* The authority of an origin: "http://localhost:8000" gives "localhost:8000". */
static bool is_own(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return host != NULL && authority != NULL && strcasecmp(authority + 3, host) == 0;
}

bool origin_may_change(
	const struct option_list *allowed, const char *origin, const char *site, const char *host)
{
	if (origin != NULL)
		return origin_cors(allowed, origin) != NULL || is_own(origin, host);
	return site == NULL || strcasecmp(site, "cross-site") != 0;
}

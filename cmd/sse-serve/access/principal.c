/* SPDX-License-Identifier: MIT */
/* Somebody who has proven who they are; see principal.h. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "principal.h"

struct principal *principal_new(const char *name, const char *as, struct grants *grants,
	int64_t expires, struct principal *parent)
{
	struct principal *principal = calloc(1, sizeof(*principal));

	if (principal == NULL) {
		grants_free(grants);
		return NULL;
	}
	principal->references = 1;
	principal->grants = *grants;
	*grants = (struct grants){0};
	principal->expires = expires;
	principal->expired = "the token, or the session, has expired";
	principal->parent = principal_hold(parent);
	principal->name = name != NULL ? strdup(name) : NULL;
	principal->as = as != NULL ? strdup(as) : NULL;
	if ((name == NULL || principal->name != NULL) && (as == NULL || principal->as != NULL))
		return principal;
	principal_drop(principal);
	return NULL;
}

struct principal *principal_hold(struct principal *principal)
{
	if (principal != NULL)
		atomic_fetch_add_explicit(&principal->references, 1, memory_order_relaxed);
	return principal;
}

void principal_drop(struct principal *principal)
{
	while (principal != NULL && atomic_fetch_sub(&principal->references, 1) == 1) {
		struct principal *parent = principal->parent;

		principal_drop(principal->authority);
		grants_free(&principal->grants);
		free(principal->name);
		free(principal->as);
		free(principal);
		principal = parent;
	}
}

const struct principal *principal_root(const struct principal *principal)
{
	while (principal->parent != NULL)
		principal = principal->parent;
	return principal;
}

void principal_end(struct principal *principal, const char *reason)
{
	principal->ended = reason;
}

const char *principal_over(const struct principal *principal, int64_t now)
{
	for (; principal != NULL; principal = principal->parent) {
		if (principal->ended != NULL)
			return principal->ended;
		if (principal->authority != NULL && principal->authority->ended != NULL)
			return principal->authority->ended;
		if (now >= principal->expires)
			return principal->expired;
	}
	return NULL;
}

int64_t principal_expires(const struct principal *principal)
{
	int64_t expires = PRINCIPAL_FOREVER;

	for (; principal != NULL; principal = principal->parent) {
		if (principal->expires < expires)
			expires = principal->expires;
	}
	return expires;
}

/* SPDX-License-Identifier: MIT */
/* What a token grants: its claim "sse", which is ours, and Mercure's claim.  Pure. */
#ifndef JWT_GRANTS_H
#define JWT_GRANTS_H

#include "grants.h"
#include "json.h"
#include "jwt_verdict.h"

/*
 * jwt_grants_sse(claim, grants, as, fault):
 * Add what our claim grants:
 *
 *     {"publish": ["news", "users"], "read": "**", "status": true, "as": "Ann"}
 *
 * A single pattern need not be in an array.  If there is an "as", its string is stored in ${as}.  A
 * token with any other member, or with a pattern that is not valid, is refused: otherwise what was
 * meant would be silently lost.
 */
enum jwt_verdict jwt_grants_sse(
	struct json_text claim, struct grants *grants, struct json_text *as, const char **fault);

/*
 * jwt_grants_mercure(claim, grants, fault):
 * Add what Mercure's claim grants: "publish", and "subscribe", which is our read, each an array of
 * topic selectors.  "*" grants every topic.  A topic or pattern of ours, alone or after "/api/" or
 * "https://HOST/api/", grants itself.  In it, an expression of a URI template stands for any one
 * segment: "chat/{room}" grants "chat/lobby", "chat/garden" and so on.  All other selectors and
 * members mean things that we do not have, and grant nothing.
 */
enum jwt_verdict jwt_grants_mercure(
	struct json_text claim, struct grants *grants, const char **fault);

#endif

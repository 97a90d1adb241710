/* SPDX-License-Identifier: MIT */
/*
 * The access file, of --access: who may do what.  It has a line for each token:
 *
 *   # comment
 *   anonymous read=news
 *   ann  sha256:5e88...  publish=chat,news read=** as="Ann B."
 *   ops  sha256:0a1b...  read=** status
 *   sensor7 certificate publish=sensors/7
 *
 * First comes a name; then, in any order and each at most once: the digest of the token, or
 * `certificate` for clients with a TLS certificate of --client-ca whose common name that is; publish=
 * and read= with patterns separated by commas, status, and as= with the name under which its holder
 * is present and chats, or as=* for any name that no line has.  A value with spaces is in double
 * quotes, within which \" and \\ stand for a quote and a backslash.  The line `anonymous` has no
 * digest: it says what everyone may do, and its grants are added to all other lines.  A name may
 * have several lines: to replace a token, the new one is added before the old one is removed.
 *
 * A mistake in one line refuses the whole file.
 */
#ifndef RULES_H
#define RULES_H

#include <stddef.h>

#include "error.h"
#include "principal.h"
#include "token.h"

/* The name of the line for everyone. */
#define RULES_EVERYONE "anonymous"

struct rule {
	unsigned char digest[TOKEN_DIGEST];
	struct principal *principal; /* held */
	unsigned line;
};

struct rules {
	struct rule *rules; /* sorted by their digests */
	size_t count;
	struct principal *everyone; /* of requests without a proof; held, never NULL */
};

/*
 * rules_parse(text, len, error):
 * Return the rules, or NULL with the line and what is wrong with it (EX_DATAERR; EX_OSERR without
 * memory).  Empty text is valid: nobody may do anything.
 */
struct rules *rules_parse(const char *text, size_t len, struct error *error);

/*
 * rules_subject_digest(name, digest):
 * By which rules_find() finds the line, with the word `certificate`, of that name.  No token has it.
 */
void rules_subject_digest(const char *name, unsigned char digest[TOKEN_DIGEST]);

/* rules_find(rules, digest): the principal of a token, not held; or NULL. */
struct principal *rules_find(const struct rules *rules, const unsigned char digest[TOKEN_DIGEST]);

/* rules_has_name(rules, as): does a line prove this name? */
bool rules_has_name(const struct rules *rules, const char *as);

/*
 * rules_check_name(name): can a line have this name?  NULL, or why not, the end of a sentence: "is
 * empty".
 */
const char *rules_check_name(const char *name);

/*
 * rules_open_status(rules): let everyone see the server's figures; before other threads have the
 * rules.
 */
void rules_open_status(struct rules *rules);

/*
 * rules_succeed(rules, old):
 * ${rules} replace ${old}, which the caller still frees.  If a token may do the same as before,
 * both have the same principal; the other principals of ${old} end.  Return whether everyone may do
 * the same as before without a proof.
 */
bool rules_succeed(struct rules *rules, const struct rules *old);

/* rules_free(rules): release them.  Takes NULL. */
void rules_free(struct rules *rules);

#endif

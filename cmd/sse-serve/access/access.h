/* SPDX-License-Identifier: MIT */
/*
 * Who may do what: finds the principal that a proof proves.  Proofs are tokens of the access file,
 * JWTs, session cookies and tickets.
 *
 * All functions may be called on any thread.  A principal that is returned is held for the caller.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "principal.h"
#include "token.h"

struct access;

/* Outlives the struct access.  An option that is not given is NULL. */
struct access_config {
	const char *file;	       /* rules.h */
	const char *jwt_keys;	       /* jwt_keys.h */
	const char *issuer, *audience; /* what JWTs must name */
	int64_t session_lifetime;      /* ms */
	bool open_status;	       /* everyone may see the server's figures */
};

/* The result of checking a proof. */
enum access_answer {
	ACCESS_OK,
	ACCESS_REFUSED, /* the proof is not valid */
	ACCESS_NO_MEMORY,
};

/*
 * access_new(config, error):
 * Read the files.  Return NULL with the file, the line and what is wrong (EX_NOINPUT, EX_DATAERR,
 * EX_OSERR).  If other users can read a file, a warning is logged.
 */
struct access *access_new(const struct access_config *config, struct error *error);

/*
 * access_reload(access, error):
 * Read the files again.  A principal whose grants have changed in any way ends: see
 * principal_over().  Return 0; or -1 with the reason, and the old rules stay in force.
 */
int access_reload(struct access *access, struct error *error);

/*
 * access_changes(access):
 * A counter that grows with each change that may have ended a principal before it expired.  It
 * lives as long as the access.
 */
const _Atomic uint64_t *access_changes(const struct access *access);

/* access_note_change(access): something else has ended a principal. */
void access_note_change(struct access *access);

/* access_everyone(access): the principal of a request without a proof. */
struct principal *access_everyone(struct access *access);

/*
 * access_of_token(access, token, len, now, principal, fault):
 * Find the principal of a token or JWT at ${now} (ms since the epoch).  If it is refused, *${fault}
 * is a constant that says why: "the token has expired".
 */
enum access_answer access_of_token(struct access *access, const char *token, size_t len,
	int64_t now, struct principal **principal, const char **fault);

/*
 * access_of_certificate(access, subject, authority, expires):
 * The principal of a client whose TLS certificate has this common name.  It ends with ${authority},
 * which stands for the CA, and at ${expires}, ms since the epoch.  NULL if no line of the access
 * file is for it, or without memory.
 */
struct principal *access_of_certificate(
	struct access *access, const char *subject, struct principal *authority, int64_t expires);

/*
 * access_start_session(access, principal, now, secret):
 * Start a session of a principal.  It ends with the principal, after the session's lifetime, or by
 * access_end_session().  ${secret} is the value of the cookie.  Return the session's principal, or
 * NULL without memory.
 */
struct principal *access_start_session(
	struct access *access, struct principal *principal, int64_t now, char secret[TOKEN_TEXT]);

/* access_of_session(access, secret, len, now): the principal of a session, or NULL. */
struct principal *access_of_session(
	struct access *access, const char *secret, size_t len, int64_t now);

/* access_end_session(access, secret, len): end a session and the streams that it opened. */
void access_end_session(struct access *access, const char *secret, size_t len);

/*
 * access_new_ticket(access, principal, binding, now, secret):
 * Make a ticket that is valid once, within ACCESS_TICKET_MS, and only with the same ${binding}.
 * Return 0, or -1 without memory.
 */
#define ACCESS_TICKET_MS 30000
int access_new_ticket(struct access *access, struct principal *principal, const char *binding,
	int64_t now, char secret[TOKEN_TEXT]);

/*
 * access_of_ticket(access, secret, len, binding, now):
 * The principal of a ticket, or NULL.  The ticket is used up, even if it has another binding.
 */
struct principal *access_of_ticket(
	struct access *access, const char *secret, size_t len, const char *binding, int64_t now);

/* access_proves_name(access, as): does a line of the access file prove this name? */
bool access_proves_name(struct access *access, const char *as);

/* access_free(access): call it when no thread uses the access.  Takes NULL. */
void access_free(struct access *access);

#endif

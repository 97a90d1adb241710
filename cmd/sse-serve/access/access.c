/* SPDX-License-Identifier: MIT */
/* Who may do what; see access.h. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "access.h"
#include "jwt.h"
#include "jwt_keys.h"
#include "private_file.h"
#include "proofs.h"
#include "rules.h"

/* How many of each are kept; beyond that the oldest go. */
#define SESSIONS_MAX 10000
#define TICKETS_MAX 10000
#define JWTS_MAX 10000
/* Of one token. */
#define SESSIONS_EACH 100
#define TICKETS_EACH 1000

/* A key that has verified a JWT.  The principals that it proved end when the key is removed. */
struct authority {
	unsigned char key[JWT_THUMBPRINT];
	struct principal *principal; /* held; the authority of the principals that it proved */
	struct authority *next;
};

struct access {
	const struct access_config *config;
	_Atomic uint64_t changes;

	/*
	 * Guards what was read from the files.  Taken before proofs_lock, never twice by a thread.
	 */
	pthread_rwlock_t files_lock;
	struct rules *rules;
	struct jwt_keys *keys; /* or NULL */

	pthread_mutex_t proofs_lock; /* guards what follows; a leaf */
	struct proofs sessions, tickets, jwts;
	struct authority *authorities;
};

/* --- the files --- */

/* A file that was cut off may grant more: read=a/b is not read=a/b/c. */
static struct rules *parse_whole(const struct buf *text, struct error *error)
{
	if (text->len == 0 || text->data[text->len - 1] == '\n')
		return rules_parse(text->data, text->len, error);
	error_set(error, EX_DATAERR,
		"the last line does not end with a newline, so the file may have been cut off: "
		"add the newline");
	return NULL;
}

static struct rules *load_rules(const struct access_config *config, struct error *error)
{
	struct error reason = {0};
	struct rules *rules = NULL;
	struct buf text;
	bool readable = false;

	if (config->file == NULL) {
		rules = rules_parse("", 0, error);
	} else if (private_file_read(config->file, &text, &readable, &reason) != 0) {
		error_set(error, reason.status, "--access: %s", reason.text);
	} else {
		rules = parse_whole(&text, &reason);
		private_file_wipe(&text);
		if (rules == NULL)
			error_set(
				error, reason.status, "--access %s: %s", config->file, reason.text);
		private_file_warn("--access", config->file, readable);
	}
	if (rules != NULL && config->open_status)
		rules_open_status(rules);
	return rules;
}

static struct jwt_keys *load_keys(const struct access_config *config, struct error *error)
{
	struct error reason = {0};
	bool readable = false;
	struct jwt_keys *keys = jwt_keys_load(config->jwt_keys, &readable, &reason);

	if (keys == NULL)
		error_set(error, reason.status, "--jwt-keys %s", reason.text);
	else
		private_file_warn("--jwt-keys", config->jwt_keys, readable);
	return keys;
}

static int load(const struct access_config *config, struct rules **rules, struct jwt_keys **keys,
	struct error *error)
{
	*keys = NULL;
	*rules = load_rules(config, error);
	if (*rules == NULL)
		return -1;
	if (config->jwt_keys == NULL)
		return 0;
	*keys = load_keys(config, error);
	if (*keys != NULL)
		return 0;
	rules_free(*rules);
	return -1;
}

/* Constant requests, even with proofs that are not valid, must not delay a reload. */
static void init_files_lock(struct access *access)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	pthread_rwlock_init(&access->files_lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

struct access *access_new(const struct access_config *config, struct error *error)
{
	struct access *access = calloc(1, sizeof(*access));

	if (access == NULL) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	if (load(config, &access->rules, &access->keys, error) != 0) {
		free(access);
		return NULL;
	}
	access->config = config;
	proofs_init(&access->sessions, SESSIONS_MAX, SESSIONS_EACH,
		"newer sessions of the same token replaced this one");
	proofs_init(&access->tickets, TICKETS_MAX, TICKETS_EACH, NULL);
	proofs_init(&access->jwts, JWTS_MAX, 0, NULL);
	init_files_lock(access);
	pthread_mutex_init(&access->proofs_lock, NULL);
	return access;
}

/* End the principals proved by keys that are no longer there; or by all keys, if ${all}. */
static void end_authorities(struct access *access, const struct jwt_keys *keys, bool all)
{
	struct authority **link = &access->authorities;

	while (*link != NULL) {
		struct authority *one = *link;

		if (!all && keys != NULL && jwt_keys_has(keys, one->key)) {
			link = &one->next;
			continue;
		}
		principal_end(one->principal, all ? "what everyone may do has changed"
						  : "the key of the token was withdrawn");
		*link = one->next;
		principal_drop(one->principal);
		free(one);
	}
}

int access_reload(struct access *access, struct error *error)
{
	struct rules *rules;
	struct jwt_keys *keys;
	bool same;

	if (load(access->config, &rules, &keys, error) != 0)
		return -1;
	pthread_rwlock_wrlock(&access->files_lock);
	same = rules_succeed(rules, access->rules);
	pthread_mutex_lock(&access->proofs_lock);
	end_authorities(access, keys, !same);
	pthread_mutex_unlock(&access->proofs_lock);
	rules_free(access->rules);
	jwt_keys_free(access->keys);
	access->rules = rules;
	access->keys = keys;
	pthread_rwlock_unlock(&access->files_lock);
	atomic_fetch_add(&access->changes, 1);
	return 0;
}

void access_note_change(struct access *access)
{
	atomic_fetch_add(&access->changes, 1);
}

const _Atomic uint64_t *access_changes(const struct access *access)
{
	return &access->changes;
}

void access_free(struct access *access)
{
	if (access == NULL)
		return;
	proofs_free(&access->sessions);
	proofs_free(&access->tickets);
	proofs_free(&access->jwts);
	end_authorities(access, NULL, true);
	rules_free(access->rules);
	jwt_keys_free(access->keys);
	pthread_rwlock_destroy(&access->files_lock);
	pthread_mutex_destroy(&access->proofs_lock);
	free(access);
}

/* --- tokens --- */

struct principal *access_everyone(struct access *access)
{
	struct principal *principal;

	pthread_rwlock_rdlock(&access->files_lock);
	principal = principal_hold(access->rules->everyone);
	pthread_rwlock_unlock(&access->files_lock);
	return principal;
}

bool access_proves_name(struct access *access, const char *as)
{
	bool found;

	pthread_rwlock_rdlock(&access->files_lock);
	found = rules_has_name(access->rules, as);
	pthread_rwlock_unlock(&access->files_lock);
	return found;
}

/* Find or make the authority of the principals that the key proves; not held.  NULL without memory.
 * Both locks are held. */
static struct principal *find_authority(
	struct access *access, const unsigned char key[JWT_THUMBPRINT])
{
	struct grants none = {0};
	struct authority *one = access->authorities;

	while (one != NULL && memcmp(one->key, key, JWT_THUMBPRINT) != 0)
		one = one->next;
	if (one != NULL)
		return one->principal;
	one = calloc(1, sizeof(*one));
	if (one == NULL)
		return NULL;
	one->principal = principal_new(NULL, NULL, &none, PRINCIPAL_FOREVER, NULL);
	if (one->principal == NULL) {
		free(one);
		return NULL;
	}
	memcpy(one->key, key, JWT_THUMBPRINT);
	one->next = access->authorities;
	access->authorities = one;
	return one->principal;
}

/* Make the principal of a verified JWT.  NULL without memory. */
static struct principal *make_principal(struct access *access, struct jwt *jwt)
{
	struct principal *authority = find_authority(access, jwt->key), *principal;
	bool any_name = jwt->as != NULL && strcmp(jwt->as, "*") == 0;

	if (authority == NULL ||
		grants_add_all(&jwt->grants, &access->rules->everyone->grants) != 0)
		return NULL;
	principal = principal_new(
		jwt->subject, any_name ? NULL : jwt->as, &jwt->grants, jwt->expires, NULL);
	if (principal != NULL) {
		principal->any_name = any_name;
		principal->authority = principal_hold(authority);
	}
	return principal;
}

/* Note a verified JWT.  proofs_lock is held. */
static struct principal *note_jwt(struct access *access, struct jwt *jwt,
	const unsigned char digest[TOKEN_DIGEST], int64_t now)
{
	/* Another thread may have noted it meanwhile. */
	struct proof *proof = proofs_find(&access->jwts, digest, now);
	struct principal *principal;

	if (proof != NULL)
		return principal_hold(proof->principal);
	principal = make_principal(access, jwt);
	/* If it cannot be noted, that costs only time. */
	if (principal != NULL) {
		struct proof new = {.principal = principal, .expires = jwt->expires};

		memcpy(new.digest, digest, TOKEN_DIGEST);
		proofs_add(&access->jwts, &new, now);
	}
	return principal;
}

static enum access_answer verify(struct access *access, const char *token, size_t len,
	const unsigned char digest[TOKEN_DIGEST], int64_t now, struct principal **principal,
	const char **fault)
{
	const struct jwt_rules rules = {.keys = access->keys,
		.issuer = access->config->issuer,
		.audience = access->config->audience};
	struct jwt jwt = {0};

	switch (jwt_verify(&rules, token, len, now, &jwt, fault)) {
	case JWT_OK:
		pthread_mutex_lock(&access->proofs_lock);
		*principal = note_jwt(access, &jwt, digest, now);
		pthread_mutex_unlock(&access->proofs_lock);
		break;
	case JWT_REFUSED:
		return ACCESS_REFUSED;
	case JWT_NO_MEMORY:
		break;
	}
	jwt_free(&jwt);
	return *principal != NULL ? ACCESS_OK : ACCESS_NO_MEMORY;
}

/* The principal of a proof that was accepted before; held. */
static struct principal *find_proof(struct access *access, struct proofs *proofs,
	const unsigned char digest[TOKEN_DIGEST], int64_t now)
{
	struct principal *principal = NULL;
	struct proof *proof;

	pthread_mutex_lock(&access->proofs_lock);
	proof = proofs_find(proofs, digest, now);
	if (proof != NULL)
		principal = principal_hold(proof->principal);
	pthread_mutex_unlock(&access->proofs_lock);
	return principal;
}

enum access_answer access_of_token(struct access *access, const char *token, size_t len,
	int64_t now, struct principal **principal, const char **fault)
{
	bool is_jwt = memchr(token, '.', len) != NULL;
	unsigned char digest[TOKEN_DIGEST];
	enum access_answer answer = ACCESS_OK;

	token_digest(token, len, digest);
	*fault = "the token is not known";
	pthread_rwlock_rdlock(&access->files_lock);
	if (!is_jwt)
		*principal = principal_hold(rules_find(access->rules, digest));
	else if (access->keys != NULL)
		*principal = find_proof(access, &access->jwts, digest, now);
	else
		*principal = NULL;
	if (*principal == NULL)
		answer = is_jwt && access->keys != NULL
				 ? verify(access, token, len, digest, now, principal, fault)
				 : ACCESS_REFUSED;
	pthread_rwlock_unlock(&access->files_lock);
	return answer;
}

/* Make a principal that may do what its parent may.  NULL without memory. */
static struct principal *make_child(struct principal *parent, int64_t expires)
{
	struct grants grants = {0};
	struct principal *child;

	if (grants_add_all(&grants, &parent->grants) != 0) {
		grants_free(&grants);
		return NULL;
	}
	child = principal_new(parent->name, parent->as, &grants, expires, parent);
	if (child != NULL)
		child->any_name = parent->any_name;
	return child;
}

struct principal *access_of_certificate(
	struct access *access, const char *subject, struct principal *authority, int64_t expires)
{
	unsigned char digest[TOKEN_DIGEST];
	struct principal *rule, *principal = NULL;

	rules_subject_digest(subject, digest);
	pthread_rwlock_rdlock(&access->files_lock);
	rule = rules_find(access->rules, digest);
	if (rule != NULL)
		principal = make_child(rule, expires);
	pthread_rwlock_unlock(&access->files_lock);
	if (principal != NULL) {
		principal->authority = principal_hold(authority);
		principal->expired = "the certificate has expired";
	}
	return principal;
}

/* --- sessions and tickets --- */

/* Make a secret for a proof, and note it.  Return 0, or -1. */
static int issue(struct access *access, struct proofs *proofs, struct proof *proof, int64_t now,
	char secret[TOKEN_TEXT])
{
	uint64_t ended;
	int result;

	if (token_new(secret) != 0)
		return -1;
	token_digest(secret, TOKEN_TEXT - 1, proof->digest);
	pthread_mutex_lock(&access->proofs_lock);
	ended = proofs->ended;
	result = proofs_add(proofs, proof, now);
	ended = proofs->ended - ended;
	pthread_mutex_unlock(&access->proofs_lock);
	if (ended > 0)
		atomic_fetch_add(&access->changes, 1);
	return result;
}

struct principal *access_start_session(
	struct access *access, struct principal *principal, int64_t now, char secret[TOKEN_TEXT])
{
	struct proof proof = {.owner = principal_root(principal),
		.expires = now + access->config->session_lifetime};

	proof.principal = make_child(principal, proof.expires);
	if (proof.principal == NULL)
		return NULL;
	if (issue(access, &access->sessions, &proof, now, secret) != 0) {
		principal_drop(proof.principal);
		return NULL;
	}
	return proof.principal;
}

struct principal *access_of_session(
	struct access *access, const char *secret, size_t len, int64_t now)
{
	unsigned char digest[TOKEN_DIGEST];

	token_digest(secret, len, digest);
	return find_proof(access, &access->sessions, digest, now);
}

void access_end_session(struct access *access, const char *secret, size_t len)
{
	unsigned char digest[TOKEN_DIGEST];
	struct proof *proof;

	token_digest(secret, len, digest);
	pthread_mutex_lock(&access->proofs_lock);
	proof = proofs_find(&access->sessions, digest, 0);
	if (proof != NULL) {
		principal_end(proof->principal, "the session was ended");
		proofs_remove(&access->sessions, proof);
	}
	pthread_mutex_unlock(&access->proofs_lock);
	/*
	 * Each change costs a look at all streams: a session that does not exist must not cost one.
	 */
	if (proof != NULL)
		atomic_fetch_add(&access->changes, 1);
}

int access_new_ticket(struct access *access, struct principal *principal, const char *binding,
	int64_t now, char secret[TOKEN_TEXT])
{
	struct proof proof = {.owner = principal_root(principal),
		.principal = principal,
		.binding = (char *)(uintptr_t)binding,
		.expires = now + ACCESS_TICKET_MS};

	return issue(access, &access->tickets, &proof, now, secret);
}

struct principal *access_of_ticket(
	struct access *access, const char *secret, size_t len, const char *binding, int64_t now)
{
	unsigned char digest[TOKEN_DIGEST];
	struct principal *principal = NULL;
	struct proof *proof;

	token_digest(secret, len, digest);
	pthread_mutex_lock(&access->proofs_lock);
	proof = proofs_find(&access->tickets, digest, now);
	if (proof != NULL) {
		if (strcmp(proof->binding, binding) == 0)
			principal = principal_hold(proof->principal);
		proofs_remove(&access->tickets, proof);
	}
	pthread_mutex_unlock(&access->proofs_lock);
	return principal;
}

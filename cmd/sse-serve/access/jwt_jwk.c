/* SPDX-License-Identifier: MIT */
/* Keys that are written as JSON; see jwt_jwk.h. */
#include <string.h>
#include <sysexits.h>

#include "base64url.h"
#include "jwt_jwk.h"
#include "members.h"
#include "private_file.h"

/* The longest name of a key, and the longest number, in bytes. */
#define KID_MAX 1024
#define NUMBER_MAX ((size_t)4096)

enum outcome {
	WRONG, /* the file has a mistake */
	OTHER, /* a key that is not for us */
	TAKEN
};

static enum outcome wrong(struct error *error, const char *what)
{
	(void)error_set(error, EX_DATAERR, "%s", what);
	return WRONG;
}

static enum outcome other(struct error *error, const char *what)
{
	(void)error_set(error, EX_DATAERR, "%s", what);
	return OTHER;
}

/* Find a member that must be a string if it is there.  False with the reason if it is not one. */
static bool find_string(struct json_text jwk, const char *name, struct json_text *value,
	bool *found, struct error *error)
{
	*found = members_find(jwk, name, value);
	if (!*found || json_kind(*value) == JSON_STRING)
		return true;
	(void)error_set(error, EX_DATAERR, "its %s is not a string", name);
	return false;
}

static bool is(struct json_text string, const char *plain)
{
	return json_string_is(string, plain, strlen(plain));
}

/* Decode a number or a secret into ${out}, which private_file_wipe() frees in any case. */
static bool read_number(
	struct json_text jwk, const char *name, struct buf *out, struct error *error)
{
	struct json_text value;
	bool found;

	buf_init(out, NUMBER_MAX);
	/* All at once: growing would leave copies of a secret behind. */
	if (buf_reserve(out, NUMBER_MAX) == NULL) {
		(void)error_set(error, EX_OSERR, "out of memory");
		return false;
	}
	if (!find_string(jwk, name, &value, &found, error))
		return false;
	if (found && base64url_decode(value.text + 1, value.len - 2, out))
		return true;
	(void)error_set(error, EX_DATAERR,
		found ? "its %s is not base64url, or too long" : "its %s is missing", name);
	return false;
}

/* --- each type -------------------------------------------------------------------------------- */

static enum outcome read_rsa(struct json_text jwk, struct jwt_key *key, struct error *error)
{
	struct buf n = {0}, e = {0};
	bool made = read_number(jwk, "n", &n, error) && read_number(jwk, "e", &e, error) &&
		    jwt_key_rsa(key, &n, &e, error) == 0;

	private_file_wipe(&n);
	private_file_wipe(&e);
	return made ? TAKEN : WRONG;
}

static enum outcome read_ec(struct json_text jwk, struct jwt_key *key, struct error *error)
{
	struct buf x = {0}, y = {0};
	struct json_text name;
	enum jwt_curve curve = 0;
	bool found, made;

	if (!find_string(jwk, "crv", &name, &found, error))
		return WRONG;
	if (!found)
		return wrong(error, "its crv is missing");
	while (curve < JWT_CURVE_COUNT && !is(name, jwt_curve_name(curve)))
		curve++;
	if (curve == JWT_CURVE_COUNT)
		return other(error, "its crv is not P-256, P-384 or P-521");
	made = read_number(jwk, "x", &x, error) && read_number(jwk, "y", &y, error) &&
	       jwt_key_ec(key, curve, &x, &y, error) == 0;
	private_file_wipe(&x);
	private_file_wipe(&y);
	return made ? TAKEN : WRONG;
}

static enum outcome read_oct(struct json_text jwk, struct jwt_key *key, struct error *error)
{
	struct buf secret = {0};
	bool made = read_number(jwk, "k", &secret, error) && jwt_key_oct(key, &secret, error) == 0;

	private_file_wipe(&secret);
	return made ? TAKEN : WRONG;
}

static enum outcome read_type(struct json_text jwk, struct jwt_key *key, struct error *error)
{
	struct json_text kty;
	bool found;

	if (!find_string(jwk, "kty", &kty, &found, error))
		return WRONG;
	if (!found)
		return wrong(error, "its kty is missing");
	if (is(kty, "oct"))
		return read_oct(jwk, key, error);
	if (!is(kty, "RSA") && !is(kty, "EC"))
		return other(error, "its kty is not RSA, EC or oct; Ed25519 is not supported");
	/* The server only verifies, so it should not have a private key that it could lose. */
	if (members_has(jwk, "d"))
		return wrong(error, "it is a private key; only the public half belongs here");
	return is(kty, "RSA") ? read_rsa(jwk, key, error) : read_ec(jwk, key, error);
}

/* --- what each type can have ------------------------------------------------------------------ */

/* Is the key for checking signatures?  TAKEN if it does not say otherwise. */
static enum outcome read_purpose(struct json_text jwk, struct error *error)
{
	struct json_text value, element;
	bool found, verifies = false;
	size_t cursor = 0;

	if (!find_string(jwk, "use", &value, &found, error))
		return WRONG;
	if (found && !is(value, "sig"))
		return other(error, "its use is not sig");
	if (!members_find(jwk, "key_ops", &value))
		return TAKEN;
	if (json_kind(value) != JSON_ARRAY)
		return wrong(error, "its key_ops is not an array");
	while (json_element(value, &cursor, &element)) {
		if (json_kind(element) == JSON_STRING && is(element, "verify"))
			verifies = true;
	}
	return verifies ? TAKEN : other(error, "its key_ops does not include verify");
}

/* The names of the algorithms that the key accepts, for a message. */
static void list_algorithms(const struct jwt_key *key, char text[JWT_ALGORITHM_COUNT * 8])
{
	size_t len = 0;

	for (enum jwt_algorithm i = 0; i < JWT_ALGORITHM_COUNT; i++) {
		if (!jwt_key_fits(key, i))
			continue;
		memcpy(text + len, jwt_algorithm_name(i), 5);
		memcpy(text + len + 5, ", ", 2);
		len += 7;
	}
	text[len > 0 ? len - 2 : 0] = '\0';
}

static enum outcome narrow(struct json_text jwk, struct jwt_key *key, struct error *error)
{
	char names[JWT_ALGORITHM_COUNT * 8];
	struct json_text value;
	bool found;

	if (!find_string(jwk, "alg", &value, &found, error))
		return WRONG;
	if (!found)
		return TAKEN;
	for (enum jwt_algorithm i = 0; i < JWT_ALGORITHM_COUNT; i++) {
		if (jwt_key_fits(key, i) && is(value, jwt_algorithm_name(i))) {
			key->algorithms = 1U << i;
			return TAKEN;
		}
	}
	list_algorithms(key, names);
	(void)error_set(error, EX_DATAERR, "its alg is not one that it supports: %s", names);
	return WRONG;
}

static enum outcome name(struct json_text jwk, struct jwt_key *key, struct error *error)
{
	enum outcome outcome = WRONG;
	struct json_text value;
	struct buf kid;
	bool found;

	if (!find_string(jwk, "kid", &value, &found, error))
		return WRONG;
	if (!found)
		return TAKEN;
	buf_init(&kid, KID_MAX);
	if (!json_string_is_unicode(value) || !json_string_decode(value, &kid) ||
		(kid.len > 0 && memchr(kid.data, '\0', kid.len) != NULL))
		(void)error_set(error, EX_DATAERR, "its kid is too long, or not text");
	else if ((key->kid = strndup(kid.len > 0 ? kid.data : "", kid.len)) == NULL)
		(void)error_set(error, EX_OSERR, "out of memory");
	else
		outcome = TAKEN;
	buf_free(&kid);
	return outcome;
}

/* --- a key, and a set ------------------------------------------------------------------------- */

static enum outcome check(struct json_text jwk, struct error *error)
{
	switch (members_check(jwk)) {
	case MEMBERS_OK:
		return TAKEN;
	case MEMBERS_NO_OBJECT:
		return wrong(error, "it is not an object");
	case MEMBERS_TWICE:
		return wrong(error, "it has a member twice");
	case MEMBERS_TOO_MANY:
		return wrong(error, "it has too many members");
	case MEMBERS_NO_MEMORY:
		break;
	}
	(void)error_set(error, EX_OSERR, "out of memory");
	return WRONG;
}

static enum outcome read_key(struct json_text jwk, struct jwt_keys *keys, struct error *error)
{
	struct jwt_key key = {0};
	enum outcome outcome = check(jwk, error);

	if (outcome == TAKEN)
		outcome = read_purpose(jwk, error);
	if (outcome == TAKEN)
		outcome = read_type(jwk, &key, error);
	if (outcome == TAKEN)
		outcome = narrow(jwk, &key, error);
	if (outcome == TAKEN)
		outcome = name(jwk, &key, error);
	if (outcome == TAKEN && keys->count == JWT_KEYS_MAX)
		outcome = wrong(error, "a file can have at most 64 keys");
	if (outcome == TAKEN)
		keys->keys[keys->count++] = key;
	else
		jwt_key_free(&key);
	return outcome;
}

static int read_set(struct json_text array, struct jwt_keys *keys, struct error *error)
{
	struct error reason = {0};
	struct json_text jwk;
	size_t cursor = 0, taken = 0, number = 0;

	if (json_kind(array) != JSON_ARRAY)
		return error_set(error, EX_DATAERR, "the keys are not an array");
	while (json_element(array, &cursor, &jwk)) {
		enum outcome outcome = read_key(jwk, keys, &reason);

		number++;
		if (outcome == WRONG)
			return error_set(error, reason.status, "key %zu: %s", number, reason.text);
		taken += outcome == TAKEN;
	}
	if (taken > 0)
		return 0;
	if (number == 0)
		return error_set(error, EX_DATAERR, "there is no key in the set");
	return error_set(error, EX_DATAERR, "no key can be used; key %zu: %s", number, reason.text);
}

int jwt_jwk_read(struct json_text text, struct jwt_keys *keys, struct error *error)
{
	struct json_text array;
	struct error reason = {0};

	if (check(text, &reason) != TAKEN)
		return error_set(error, reason.status, "the key or set: %s", reason.text);
	if (members_find(text, "keys", &array))
		return read_set(array, keys, error);
	if (read_key(text, keys, &reason) != TAKEN)
		return error_set(error, reason.status, "the key: %s", reason.text);
	return 0;
}

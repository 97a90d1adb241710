/* SPDX-License-Identifier: MIT */
/* Is this token valid?  See jwt.h. */
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "jwt.h"
#include "jwt_key.h"
#include "members.h"
#include "private_file.h"

#define PARTS 3

/* A part of the token, and what it stands for. */
struct part {
	const char *text;
	size_t len;
	struct buf bytes;
};

struct token {
	const char *text;
	size_t len;
	struct part header, claims, signature;
};

/* --- its form --------------------------------------------------------------------------------- */

static unsigned count_dots(const char *text, size_t len)
{
	unsigned count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '.';
	return count;
}

/* The text up to the next dot, and what follows it. */
static void cut(const char **text, size_t *len, struct part *part)
{
	const char *dot = *len > 0 ? memchr(*text, '.', *len) : NULL;

	part->text = *text;
	part->len = dot != NULL ? (size_t)(dot - *text) : *len;
	*text += part->len + (dot != NULL);
	*len -= part->len + (dot != NULL);
}

static enum jwt_verdict split(struct token *token, const char **fault)
{
	const char *text = token->text;
	size_t len = token->len;
	unsigned dots;

	if (len > JWT_MAX)
		return jwt_refuse(fault, "the token is longer than 8 KiB");
	dots = count_dots(text, len);
	if (dots == 4)
		return jwt_refuse(fault, "the token is encrypted; only signed ones are accepted");
	if (dots != PARTS - 1)
		return jwt_refuse(fault, "the token is not a signed JWT, which has three parts");
	cut(&text, &len, &token->header);
	cut(&text, &len, &token->claims);
	cut(&text, &len, &token->signature);
	return JWT_OK;
}

/* Decode a part; a NUL follows its bytes, which does not count. */
static enum jwt_verdict decode(struct part *part, const char **fault)
{
	buf_init(&part->bytes, JWT_MAX + 1);
	if (buf_reserve(&part->bytes, part->len + 1) == NULL)
		return JWT_NO_MEMORY;
	if (!base64url_decode(part->text, part->len, &part->bytes))
		return jwt_refuse(fault, "a part of the token is not base64url");
	part->bytes.data[part->bytes.len] = '\0';
	return JWT_OK;
}

/* --- its header ------------------------------------------------------------------------------- */

/* What counts of the header. */
struct header {
	enum jwt_algorithm algorithm;
	struct json_text kid; /* text is NULL: it has none */
};

static enum jwt_verdict check_header(
	const struct part *part, struct json_text *object, const char **fault)
{
	static const char phrase[] = "the token's header is not a JSON object";
	struct json_error reason;

	if (!json_check(part->bytes.data, part->bytes.len, object, &reason))
		return jwt_refuse(fault, phrase);
	return jwt_object(*object, phrase, fault);
}

static bool find_algorithm(struct json_text object, enum jwt_algorithm *algorithm)
{
	struct json_text value;

	if (!members_find(object, "alg", &value) || json_kind(value) != JSON_STRING)
		return false;
	for (*algorithm = 0; *algorithm < JWT_ALGORITHM_COUNT; (*algorithm)++) {
		const char *name = jwt_algorithm_name(*algorithm);

		if (json_string_is(value, name, strlen(name)))
			return true;
	}
	return false;
}

static enum jwt_verdict read_header(
	const struct part *part, struct header *header, const char **fault)
{
	struct json_text object;
	enum jwt_verdict verdict = check_header(part, &object, fault);

	header->kid.text = NULL;
	if (verdict != JWT_OK)
		return verdict;
	if (members_has(object, "crit"))
		return jwt_refuse(fault, "the token's header has a crit, which is not supported");
	if (!find_algorithm(object, &header->algorithm))
		return jwt_refuse(fault, "the token's algorithm is not accepted");
	if (members_find(object, "kid", &header->kid) && json_kind(header->kid) != JSON_STRING)
		return jwt_refuse(fault, "the token's kid is not a string");
	return JWT_OK;
}

/* --- its signature ---------------------------------------------------------------------------- */

static bool may_be(const struct jwt_key *key, const struct header *header)
{
	if (header->kid.text == NULL || key->kid == NULL)
		return true;
	return json_string_is(header->kid, key->kid, strlen(key->kid));
}

static enum jwt_verdict find_key(const struct token *token, const struct header *header,
	const struct jwt_keys *keys, const struct jwt_key **found, const char **fault)
{
	bool named = false;
	unsigned tried = 0;

	for (size_t i = 0; i < keys->count; i++) {
		const struct jwt_key *key = &keys->keys[i];

		if (!may_be(key, header))
			continue;
		named = true;
		*found = key;
		switch (jwt_key_verify(key, header->algorithm, token->text, token->len,
			token->signature.bytes.len)) {
		case JWT_SIGNATURE_GOOD:
			return JWT_OK;
		case JWT_SIGNATURE_BAD:
			if (++tried == JWT_TRIES)
				return jwt_refuse(fault,
					"the token fits many keys and was signed by none of the "
					"first; a kid would say which it is");
			break;
		case JWT_SIGNATURE_OTHER:
			break;
		case JWT_SIGNATURE_NO_MEMORY:
			return JWT_NO_MEMORY;
		}
	}
	if (!named)
		return jwt_refuse(fault, "the token's kid names none of the server's keys");
	if (tried == 0)
		return jwt_refuse(fault, "the token's algorithm is not that of the server's key");
	return jwt_refuse(fault, "the token's signature is wrong");
}

static enum jwt_verdict check_signature(struct token *token, const struct jwt_keys *keys,
	const struct jwt_key **key, const char **fault)
{
	enum jwt_verdict verdict = decode(&token->header, fault);
	struct header header;

	if (verdict == JWT_OK)
		verdict = read_header(&token->header, &header, fault);
	if (verdict == JWT_OK)
		verdict = decode(&token->claims, fault);
	if (verdict == JWT_OK)
		verdict = decode(&token->signature, fault);
	if (verdict == JWT_OK)
		verdict = find_key(token, &header, keys, key, fault);
	return verdict;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum jwt_verdict read_claims(const struct part *part, const struct jwt_rules *rules,
	int64_t now_ms, struct jwt *jwt, const char **fault)
{
	struct json_error reason;
	struct json_text claims;

	if (!json_check(part->bytes.data, part->bytes.len, &claims, &reason))
		return jwt_refuse(fault, "the token's claims are not a JSON object");
	return jwt_claims_read(claims, rules->issuer, rules->audience, now_ms, jwt, fault);
}

enum jwt_verdict jwt_verify(const struct jwt_rules *rules, const char *token, size_t len,
	int64_t now_ms, struct jwt *jwt, const char **fault)
{
	struct token parts = {.text = token, .len = len};
	const struct jwt_key *key = NULL;
	enum jwt_verdict verdict = split(&parts, fault);

	*jwt = (struct jwt){0};
	if (verdict == JWT_OK)
		verdict = check_signature(&parts, rules->keys, &key, fault);
	if (verdict == JWT_OK) {
		memcpy(jwt->key, key->thumbprint, sizeof(jwt->key));
		verdict = read_claims(&parts.claims, rules, now_ms, jwt, fault);
	}
	buf_free(&parts.header.bytes);
	buf_free(&parts.claims.bytes);
	private_file_wipe(&parts.signature.bytes);
	if (verdict != JWT_OK)
		jwt_free(jwt);
	return verdict;
}

void jwt_free(struct jwt *jwt)
{
	free(jwt->subject);
	free(jwt->as);
	grants_free(&jwt->grants);
	*jwt = (struct jwt){0};
}

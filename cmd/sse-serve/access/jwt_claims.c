/* SPDX-License-Identifier: MIT */
/* The claims of a token; see jwt_claims.h. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "control.h"
#include "jwt_claims.h"
#include "jwt_grants.h"
#include "members.h"

/* Times are no later than the year 9999, so that sums with them do not overflow. */
#define SECONDS_MAX 253402300799.0

/* --- times ------------------------------------------------------------------------------------ */

/* A NumericDate as ms, with its fraction; one far away is moved to where it can be represented. */
static int64_t to_ms(struct json_text number)
{
	/* What follows the number ends it, and the program never leaves the locale "C". */
	double seconds = strtod(number.text, NULL);

	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	if (seconds < -SECONDS_MAX)
		seconds = -SECONDS_MAX;
	return (int64_t)(seconds * 1000);
}

/* Read a time that may be absent.  False if it is there and not a number. */
static bool find_time(struct json_text claims, const char *name, int64_t *ms, bool *found)
{
	struct json_text value;

	*found = members_find(claims, name, &value);
	if (!*found)
		return true;
	if (json_kind(value) != JSON_NUMBER)
		return false;
	*ms = to_ms(value);
	return true;
}

static enum jwt_verdict check_times(
	struct json_text claims, int64_t now_ms, int64_t *expires, const char **fault)
{
	int64_t exp, nbf, iat;
	bool has_exp, has_nbf, has_iat;

	if (!find_time(claims, "exp", &exp, &has_exp))
		return jwt_refuse(fault, "the token's exp is not a number");
	if (!find_time(claims, "nbf", &nbf, &has_nbf))
		return jwt_refuse(fault, "the token's nbf is not a number");
	if (!find_time(claims, "iat", &iat, &has_iat))
		return jwt_refuse(fault, "the token's iat is not a number");
	if (!has_exp)
		return jwt_refuse(fault, "the token has no exp: it would never expire");
	*expires = exp + JWT_SKEW_MS;
	if (now_ms >= *expires)
		return jwt_refuse(fault, "the token has expired");
	if (has_nbf && now_ms < nbf - JWT_SKEW_MS)
		return jwt_refuse(fault, "the token is not valid yet");
	return JWT_OK;
}

/* --- issuer and audience ---------------------------------------------------------------------- */

static bool is(struct json_text value, const char *plain)
{
	return json_kind(value) == JSON_STRING && json_string_is(value, plain, strlen(plain));
}

static enum jwt_verdict check_issuer(
	struct json_text claims, const char *issuer, const char **fault)
{
	struct json_text value;

	if (issuer == NULL)
		return JWT_OK;
	if (!members_find(claims, "iss", &value))
		return jwt_refuse(fault, "the token names no issuer");
	if (!is(value, issuer))
		return jwt_refuse(fault, "the token is from another issuer");
	return JWT_OK;
}

/* Is the audience the value, or in it if it is an array? */
static bool includes(struct json_text value, const char *audience)
{
	struct json_text element;
	size_t cursor = 0;

	if (json_kind(value) != JSON_ARRAY)
		return is(value, audience);
	while (json_element(value, &cursor, &element)) {
		if (is(element, audience))
			return true;
	}
	return false;
}

/* A token that is meant for certain servers is refused by all others (RFC 7519, section 4.1.3). */
static enum jwt_verdict check_audience(
	struct json_text claims, const char *audience, const char **fault)
{
	struct json_text value;
	bool found = members_find(claims, "aud", &value);

	if (audience == NULL)
		return found ? jwt_refuse(fault, "the token is for an audience, and the server "
						 "has no --jwt-audience to compare it with")
			     : JWT_OK;
	if (!found)
		return jwt_refuse(fault, "the token names no audience");
	if (!includes(value, audience))
		return jwt_refuse(fault, "the token is for another audience");
	return JWT_OK;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Copy a name of 1 to ${max} bytes; what is not one is refused with the phrase. */
static enum jwt_verdict copy_name(
	struct json_text value, size_t max, const char *phrase, char **copy, const char **fault)
{
	enum jwt_verdict verdict = JWT_OK;
	struct buf name;

	/* Lone surrogates would all become the same character, and so the same name. */
	if (json_kind(value) != JSON_STRING || !json_string_is_unicode(value))
		return jwt_refuse(fault, phrase);
	buf_init(&name, value.len);
	if (!json_string_decode(value, &name)) {
		verdict = JWT_NO_MEMORY;
	} else if (name.len == 0 || name.len > max || control_is_in(name.data, name.len)) {
		verdict = jwt_refuse(fault, phrase);
	} else {
		*copy = strndup(name.data, name.len);
		if (*copy == NULL)
			verdict = JWT_NO_MEMORY;
		else if (!name_is_trimmed(*copy))
			verdict = jwt_refuse(fault, phrase);
	}
	buf_free(&name);
	return verdict;
}

static enum jwt_verdict read_subject(struct json_text claims, struct jwt *jwt, const char **fault)
{
	struct json_text value;

	if (members_find(claims, "sub", &value))
		return copy_name(value, JWT_SUBJECT_MAX,
			"the token's sub is not a text of 1 to 255 bytes without control characters",
			&jwt->subject, fault);
	jwt->subject = strdup("jwt");
	return jwt->subject != NULL ? JWT_OK : JWT_NO_MEMORY;
}

/* --- all of them ------------------------------------------------------------------------------ */

static enum jwt_verdict read_grants(struct json_text claims, struct jwt *jwt, const char **fault)
{
	enum jwt_verdict verdict = JWT_OK;
	struct json_text claim, as = {NULL, 0};

	if (members_find(claims, "sse", &claim))
		verdict = jwt_grants_sse(claim, &jwt->grants, &as, fault);
	if (verdict == JWT_OK && as.text != NULL)
		verdict = copy_name(as, NAME_MAX_BYTES,
			"the token's name, its as, is not a text of 1 to 64 bytes without control "
			"characters",
			&jwt->as, fault);
	if (verdict == JWT_OK && members_find(claims, "mercure", &claim))
		verdict = jwt_grants_mercure(claim, &jwt->grants, fault);
	return verdict;
}

enum jwt_verdict jwt_claims_read(struct json_text claims, const char *issuer, const char *audience,
	int64_t now_ms, struct jwt *jwt, const char **fault)
{
	enum jwt_verdict verdict =
		jwt_object(claims, "the token's claims are not a JSON object", fault);

	if (verdict == JWT_OK)
		verdict = check_times(claims, now_ms, &jwt->expires, fault);
	if (verdict == JWT_OK)
		verdict = check_issuer(claims, issuer, fault);
	if (verdict == JWT_OK)
		verdict = check_audience(claims, audience, fault);
	if (verdict == JWT_OK)
		verdict = read_subject(claims, jwt, fault);
	if (verdict == JWT_OK)
		verdict = read_grants(claims, jwt, fault);
	return verdict;
}

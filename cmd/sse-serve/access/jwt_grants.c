/* SPDX-License-Identifier: MIT */
/* What a token grants; see jwt_grants.h. */
#include <string.h>
#include <sysexits.h>

#include "jwt_grants.h"
#include "log/topic_name.h"
#include "members.h"

/* --- our claim -------------------------------------------------------------------------------- */

static enum jwt_verdict add_pattern(
	struct json_text value, enum verb verb, struct grants *grants, const char **fault)
{
	enum jwt_verdict verdict = JWT_OK;
	struct error reason = {0};
	struct buf text;

	if (json_kind(value) != JSON_STRING)
		return jwt_refuse(fault, "a pattern in the token's sse claim is not a string");
	buf_init(&text, value.len);
	if (!json_string_decode(value, &text))
		verdict = JWT_NO_MEMORY;
	else if (grants_add(grants, verb, text.len > 0 ? text.data : "", text.len, &reason) != 0)
		verdict = reason.status == EX_OSERR
				  ? JWT_NO_MEMORY
				  : jwt_refuse(fault, "the token's sse claim has a pattern that "
						      "is not valid");
	buf_free(&text);
	return verdict;
}

static enum jwt_verdict add_patterns(
	struct json_text value, enum verb verb, struct grants *grants, const char **fault)
{
	enum jwt_verdict verdict = JWT_OK;
	struct json_text element;
	size_t cursor = 0;

	if (json_kind(value) != JSON_ARRAY)
		return add_pattern(value, verb, grants, fault);
	while (verdict == JWT_OK && json_element(value, &cursor, &element))
		verdict = add_pattern(element, verb, grants, fault);
	return verdict;
}

static enum jwt_verdict add_member(struct json_text key, struct json_text value,
	struct grants *grants, struct json_text *as, const char **fault)
{
	enum json_kind kind = json_kind(value);

	if (json_string_is(key, "publish", 7))
		return add_patterns(value, VERB_PUBLISH, grants, fault);
	if (json_string_is(key, "read", 4))
		return add_patterns(value, VERB_READ, grants, fault);
	if (json_string_is(key, "delete", 6))
		return add_patterns(value, VERB_DELETE, grants, fault);
	if (json_string_is(key, "status", 6)) {
		if (kind != JSON_TRUE && kind != JSON_FALSE)
			return jwt_refuse(fault, "the status in the token's sse claim is neither "
						 "true nor false");
		grants->status = kind == JSON_TRUE;
		return JWT_OK;
	}
	if (json_string_is(key, "as", 2)) {
		*as = value;
		return JWT_OK;
	}
	return jwt_refuse(fault, "the token's sse claim has a member that is none of publish, "
				 "read, delete, status and as");
}

enum jwt_verdict jwt_grants_sse(
	struct json_text claim, struct grants *grants, struct json_text *as, const char **fault)
{
	enum jwt_verdict verdict =
		jwt_object(claim, "the token's sse claim is not an object", fault);
	struct json_text key, value;
	size_t cursor = 0;

	while (verdict == JWT_OK && json_member(claim, &cursor, &key, &value))
		verdict = add_member(key, value, grants, as, fault);
	return verdict;
}

/* --- Mercure's claim -------------------------------------------------------------------------- */

/* What follows ${prefix} in the text, or NULL if it begins with something else. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The path of a URL whose host is a name or an address, from its slash; NULL if it is none. */
static const char *path_of_url(const char *text)
{
	static const char host[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789.-:[]";
	const char *at = after(text, "https://");
	size_t len;

	if (at == NULL)
		at = after(text, "http://");
	if (at == NULL)
		return NULL;
	len = strspn(at, host);
	return len > 0 && at[len] == '/' ? at + len : NULL;
}

/* The topic of a selector, as it is written there. */
static const char *topic_of(const char *selector)
{
	const char *path = path_of_url(selector), *topic;

	topic = after(path != NULL ? path : selector, "/api/");
	if (topic != NULL)
		return topic;
	return path != NULL ? NULL : selector;
}

/*
 * The length of a segment at the start of the text that is one simple expression, {name}; 0 if it is
 * another.  (Two of them, {a}{b}, must not become `**`.)
 */
static size_t expression(const char *text)
{
	static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_.";
	size_t len = *text == '{' ? strspn(text + 1, name) : 0;

	if (len == 0 || text[len + 1] != '}' || (text[len + 2] != '/' && text[len + 2] != '\0'))
		return 0;
	return len + 2;
}

/* Copy the topic, each expression as `*`; a brace that stays makes it no pattern of ours. */
static bool expand(const char *topic, struct buf *pattern)
{
	while (*topic != '\0') {
		size_t skipped = expression(topic), copied = strcspn(topic + skipped, "/");

		if (skipped > 0 && !buf_add_byte(pattern, '*'))
			return false;
		topic += skipped;
		copied += topic[copied] == '/';
		if (!buf_add(pattern, topic, copied))
			return false;
		topic += copied;
	}
	return true;
}

/* ${text} is decoded, and ends with a NUL. */
static enum jwt_verdict add_selector(const char *text, enum verb verb, struct grants *grants)
{
	const char *topic = strcmp(text, "*") == 0 ? "**" : topic_of(text);
	enum jwt_verdict verdict = JWT_OK;
	struct error reason = {0};
	struct buf pattern;

	if (topic == NULL)
		return JWT_OK;
	buf_init(&pattern, strlen(topic) + 1);
	if (!expand(topic, &pattern))
		verdict = JWT_NO_MEMORY;
	else if (grants_add(grants, verb, pattern.len > 0 ? pattern.data : "", pattern.len,
			 &reason) != 0 &&
		 reason.status == EX_OSERR)
		verdict = JWT_NO_MEMORY;
	buf_free(&pattern);
	return verdict;
}

static enum jwt_verdict add_selectors(
	struct json_text array, enum verb verb, struct grants *grants, const char **fault)
{
	enum jwt_verdict verdict = JWT_OK;
	struct json_text element;
	struct buf text;
	size_t cursor = 0;

	if (json_kind(array) != JSON_ARRAY)
		return jwt_refuse(fault, "the selectors in the token's mercure claim are not an "
					 "array");
	buf_init(&text, array.len + 1);
	while (verdict == JWT_OK && json_element(array, &cursor, &element)) {
		text.len = 0;
		if (json_kind(element) != JSON_STRING)
			verdict = jwt_refuse(
				fault, "a selector in the token's mercure claim is not a string");
		else if (!json_string_decode(element, &text) || !buf_add_byte(&text, '\0'))
			verdict = JWT_NO_MEMORY;
		else if (strlen(text.data) == text.len - 1)
			verdict = add_selector(text.data, verb, grants);
	}
	buf_free(&text);
	return verdict;
}

enum jwt_verdict jwt_grants_mercure(
	struct json_text claim, struct grants *grants, const char **fault)
{
	enum jwt_verdict verdict =
		jwt_object(claim, "the token's mercure claim is not an object", fault);
	struct json_text selectors;

	if (verdict == JWT_OK && members_find(claim, "publish", &selectors))
		verdict = add_selectors(selectors, VERB_PUBLISH, grants, fault);
	if (verdict == JWT_OK && members_find(claim, "subscribe", &selectors))
		verdict = add_selectors(selectors, VERB_READ, grants, fault);
	return verdict;
}

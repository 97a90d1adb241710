/* SPDX-License-Identifier: MIT */
/* The file of --access; see rules.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/name.h"
#include "rules.h"

/* The longest word, in bytes: room for twenty patterns, each of the longest name. */
#define WORD_MAX 4096

#define DIGEST_WORD "sha256:"

/* A line while it is read. */
struct line {
	const char *at, *end; /* what is still to be read */
	unsigned number;
	char word[WORD_MAX + 1]; /* the latest, without its quotes */
	size_t len;

	struct rule rule;
	bool everyone, digested, any_name;
	char name[NAME_MAX_BYTES + 1], as[NAME_MAX_BYTES + 1];
	bool published, read, deleted; /* the verbs that were there */
	struct grants grants;
};

/* What is wrong with the line.  Return -1. */
static int wrong(const struct line *line, struct error *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(const struct line *line, struct error *error, const char *format, ...)
{
	char text[sizeof(error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(error, EX_DATAERR, "line %u: %.480s", line->number, text);
}

/* --- words --- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int put(struct line *line, char c, struct error *error)
{
	if (line->len == WORD_MAX)
		return wrong(line, error, "a word is longer than %d bytes", WORD_MAX);
	line->word[line->len++] = c;
	line->word[line->len] = '\0';
	return 0;
}

/* Read a quoted part, from after its first quote.  Return 0, or -1. */
static int read_quoted(struct line *line, struct error *error)
{
	while (line->at < line->end && *line->at != '"') {
		char c = *line->at++;

		if (c == '\\' && line->at < line->end && (*line->at == '"' || *line->at == '\\'))
			c = *line->at++;
		if (put(line, c, error) != 0)
			return -1;
	}
	if (line->at == line->end)
		return wrong(line, error, "a quote (\") is not closed");
	line->at++;
	return 0;
}

/* Read the next word.  Return 1, 0 if there is none, or -1. */
static int next_word(struct line *line, struct error *error)
{
	while (line->at < line->end && is_space(*line->at))
		line->at++;
	line->len = 0;
	line->word[0] = '\0';
	if (line->at == line->end || *line->at == '#')
		return 0;
	while (line->at < line->end && !is_space(*line->at)) {
		char c = *line->at++;

		if (c == '"' ? read_quoted(line, error) != 0 : put(line, c, error) != 0)
			return -1;
	}
	if (strlen(line->word) != line->len)
		return wrong(line, error, "it contains a NUL");
	return 1;
}

/* The value if the word begins with ${start}, or NULL. */
static const char *value_of(const struct line *line, const char *start)
{
	size_t len = strlen(start);

	return strncmp(line->word, start, len) == 0 ? line->word + len : NULL;
}

/* --- what the words say --- */

const char *rules_check_name(const char *name)
{
	if (name[0] == '\0')
		return "is empty";
	if (strlen(name) > NAME_MAX_BYTES)
		return "is longer than 64 bytes";
	for (; *name != '\0'; name++) {
		bool letter = (*name | 0x20) >= 'a' && (*name | 0x20) <= 'z';

		if (!letter && !(*name >= '0' && *name <= '9') && strchr("._~@+-", *name) == NULL)
			return "has a character other than A-Z a-z 0-9 . _ ~ @ + and -";
	}
	return NULL;
}

static int take_name(struct line *line, struct error *error)
{
	const char *fault = rules_check_name(line->word);

	if (token_find(line->word) != NULL)
		return wrong(line, error,
			"it begins with a token: begin it with a name, and put the token's digest after "
			"it, as sse-serve --new-token NAME prints it");
	if (fault != NULL)
		return wrong(line, error, "the name %s", fault);
	memcpy(line->name, line->word, line->len + 1);
	line->everyone = strcmp(line->name, RULES_EVERYONE) == 0;
	return 0;
}

static int take_digest(struct line *line, const char *hex, struct error *error)
{
	if (line->everyone)
		return wrong(line, error, "anonymous needs no token, so it has no digest");
	if (line->digested)
		return wrong(line, error, "it has two digests: write a line for each token");
	if (!token_parse_hex(hex, strlen(hex), line->rule.digest))
		return wrong(line, error,
			"after sha256: there must be the %d hexadecimal digits of a token's digest",
			TOKEN_HEX);
	line->digested = true;
	return 0;
}

/* It begins with a NUL, which no header can hold. */
void rules_subject_digest(const char *name, unsigned char digest[TOKEN_DIGEST])
{
	char text[1 + NAME_MAX_BYTES + 2] = "";
	size_t len = strnlen(name, NAME_MAX_BYTES + 1);

	memcpy(text + 1, name, len);
	token_digest(text, len + 1, digest);
}

static int take_certificate(struct line *line, struct error *error)
{
	if (line->everyone)
		return wrong(line, error, "anonymous needs no proof, so it has no certificate");
	if (line->digested)
		return wrong(line, error,
			"it has two proofs: write a line for each token, and one for the certificate");
	rules_subject_digest(line->name, line->rule.digest);
	line->digested = true;
	return 0;
}

static int take_patterns(
	struct line *line, enum verb verb, bool *seen, const char *patterns, struct error *error)
{
	struct error reason;

	if (*seen)
		return wrong(line, error, "it has %s= twice: separate the patterns with commas",
			verb_name(verb));
	*seen = true;
	for (;;) {
		size_t len = strcspn(patterns, ",");

		if (grants_add(&line->grants, verb, patterns, len, &reason) != 0)
			return error_set(error, reason.status, "line %u: %s=%.*s: %.200s",
				line->number, verb_name(verb), (int)(len < 100 ? len : 100),
				patterns, reason.text);
		if (patterns[len] == '\0')
			return 0;
		patterns += len + 1;
	}
}

static int take_as(struct line *line, const char *as, struct error *error)
{
	const char *fault = name_fault(as, strlen(as));

	if (line->as[0] != '\0' || line->any_name)
		return wrong(line, error, "it has as= twice");
	if (strcmp(as, "*") == 0) {
		line->any_name = true;
		return 0;
	}
	if (line->everyone)
		return wrong(line, error,
			"anonymous cannot have a name of its own, since everyone would share it: "
			"it takes only as=*, any name that no other line has");
	if (fault == NULL && !name_is_trimmed(as))
		fault = "begins or ends with white space, which pages do not show";
	if (fault != NULL)
		return wrong(line, error, "the name in as= %s", fault);
	memcpy(line->as, as, strlen(as) + 1);
	return 0;
}

static int take_status(struct line *line, struct error *error)
{
	if (line->grants.status)
		return wrong(line, error, "it has status twice");
	line->grants.status = true;
	return 0;
}

static int refuse_token(const struct line *line, struct error *error)
{
	return wrong(line, error,
		"it contains a token; the file takes only digests (sha256:...), as sse-serve "
		"--new-token NAME prints them");
}

static int take_word(struct line *line, struct error *error)
{
	const char *value;

	if (token_find(line->word) != NULL)
		return refuse_token(line, error);
	if ((value = value_of(line, DIGEST_WORD)) != NULL)
		return take_digest(line, value, error);
	if ((value = value_of(line, "publish=")) != NULL)
		return take_patterns(line, VERB_PUBLISH, &line->published, value, error);
	if ((value = value_of(line, "read=")) != NULL)
		return take_patterns(line, VERB_READ, &line->read, value, error);
	if ((value = value_of(line, "delete=")) != NULL)
		return take_patterns(line, VERB_DELETE, &line->deleted, value, error);
	if ((value = value_of(line, "as=")) != NULL)
		return take_as(line, value, error);
	if (strcmp(line->word, "certificate") == 0)
		return take_certificate(line, error);
	if (strcmp(line->word, "status") == 0)
		return take_status(line, error);
	/* It may be a part of a secret, so it is not repeated. */
	if (strstr(line->word, TOKEN_PREFIX) != NULL)
		return refuse_token(line, error);
	return wrong(line, error,
		"'%.40s' is not sha256:DIGEST, certificate, publish=PATTERN,..., read=PATTERN,..., "
		"delete=PATTERN,..., status or as=NAME",
		line->word);
}

/* --- the whole --- */

/* Put the line among the rules.  Return 0, or -1. */
static int add_rule(struct rules *rules, struct line *line, struct error *error)
{
	const char *as = line->as[0] != '\0' ? line->as : NULL;
	struct rule *grown;

	if (line->everyone) {
		if (rules->everyone != NULL)
			return wrong(line, error, "there is an earlier line for anonymous");
		rules->everyone = principal_new(NULL, NULL, &line->grants, PRINCIPAL_FOREVER, NULL);
		if (rules->everyone == NULL)
			return error_set(error, EX_OSERR, "out of memory");
		rules->everyone->any_name = line->any_name;
		return 0;
	}
	if (!line->digested)
		return wrong(line, error,
			"the digest of %s's token is missing: sse-serve --new-token %s prints one",
			line->name, line->name);
	grown = realloc(rules->rules, (rules->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	rules->rules = grown;
	line->rule.line = line->number;
	line->rule.principal =
		principal_new(line->name, as, &line->grants, PRINCIPAL_FOREVER, NULL);
	if (line->rule.principal == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	line->rule.principal->any_name = line->any_name;
	rules->rules[rules->count++] = line->rule;
	return 0;
}

static int read_line(struct rules *rules, struct line *line, struct error *error)
{
	int more = next_word(line, error), result = 0;

	if (more <= 0)
		return more;
	result = take_name(line, error);
	while (result == 0 && (more = next_word(line, error)) > 0)
		result = take_word(line, error);
	if (result == 0 && more == 0)
		result = add_rule(rules, line, error);
	else
		result = -1;
	grants_free(&line->grants);
	return result;
}

static int compare(const void *a, const void *b)
{
	return memcmp(
		((const struct rule *)a)->digest, ((const struct rule *)b)->digest, TOKEN_DIGEST);
}

/* Two people with the same name could not be told apart. */
static int check_names(const struct rules *rules, struct error *error)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *one = &rules->rules[i];

		for (size_t j = 0; j < i && one->principal->as != NULL; j++) {
			const struct rule *other = &rules->rules[j];

			if (other->principal->as == NULL ||
				strcmp(one->principal->as, other->principal->as) != 0 ||
				strcmp(one->principal->name, other->principal->name) == 0)
				continue;
			return error_set(error, EX_DATAERR,
				"lines %u and %u: %s and %s cannot both be present as '%.70s'",
				other->line, one->line, other->principal->name,
				one->principal->name, one->principal->as);
		}
	}
	return 0;
}

static bool is_certificate(const struct rule *rule)
{
	unsigned char digest[TOKEN_DIGEST];

	rules_subject_digest(rule->principal->name, digest);
	return memcmp(digest, rule->digest, TOKEN_DIGEST) == 0;
}

/* Sort the rules, check them together, and add the grants of everyone to each. */
static int complete(struct rules *rules, struct error *error)
{
	struct grants none = {0};

	if (check_names(rules, error) != 0)
		return -1;
	if (rules->count > 0)
		qsort(rules->rules, rules->count, sizeof(*rules->rules), compare);
	if (rules->everyone == NULL)
		rules->everyone = principal_new(NULL, NULL, &none, PRINCIPAL_FOREVER, NULL);
	if (rules->everyone == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *one = &rules->rules[i];

		if (i > 0 && compare(one - 1, one) == 0)
			return error_set(error, EX_DATAERR,
				is_certificate(one)
					? "lines %u and %u are for the same certificate: "
					  "write one line for it"
					: "lines %u and %u have the same digest: each "
					  "token needs its own line",
				one[-1].line, one->line);
		if (grants_add_all(&one->principal->grants, &rules->everyone->grants) != 0)
			return error_set(error, EX_OSERR, "out of memory");
	}
	return 0;
}

struct rules *rules_parse(const char *text, size_t len, struct error *error)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	const char *end = text + len;
	unsigned number = 1;

	if (rules == NULL) {
		error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	for (const char *at = text; at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct line line = {.at = at, .number = number};

		line.end = stop != NULL ? stop : end;
		if (read_line(rules, &line, error) != 0)
			goto err1;
		at = line.end + 1;
	}
	if (complete(rules, error) != 0)
		goto err1;
	return rules;

err1:
	rules_free(rules);
	return NULL;
}

static struct rule *find_rule(const struct rules *rules, const unsigned char digest[TOKEN_DIGEST])
{
	struct rule key;

	if (rules->count == 0)
		return NULL;
	memcpy(key.digest, digest, TOKEN_DIGEST);
	return bsearch(&key, rules->rules, rules->count, sizeof(key), compare);
}

struct principal *rules_find(const struct rules *rules, const unsigned char digest[TOKEN_DIGEST])
{
	const struct rule *found = find_rule(rules, digest);

	return found != NULL ? found->principal : NULL;
}

bool rules_has_name(const struct rules *rules, const char *as)
{
	for (size_t i = 0; i < rules->count; i++) {
		const char *one = rules->rules[i].principal->as;

		if (one != NULL && strcmp(one, as) == 0)
			return true;
	}
	return false;
}

void rules_open_status(struct rules *rules)
{
	rules->everyone->grants.status = true;
	for (size_t i = 0; i < rules->count; i++)
		rules->rules[i].principal->grants.status = true;
}

static bool equal(const char *a, const char *b)
{
	return a != NULL && b != NULL ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct principal *a, const struct principal *b)
{
	return equal(a->name, b->name) && equal(a->as, b->as) && a->any_name == b->any_name &&
	       grants_equal(&a->grants, &b->grants);
}

/* Let the old principal stay if it is the same as the new one, or end it. */
static bool keep(struct principal **new, struct principal *old, const char *reason)
{
	if (!is_same(*new, old)) {
		principal_end(old, reason);
		return false;
	}
	principal_drop(*new);
	*new = principal_hold(old);
	return true;
}

bool rules_succeed(struct rules *rules, const struct rules *old)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct rule *one = &old->rules[i];
		struct rule *found = find_rule(rules, one->digest);

		if (found != NULL)
			keep(&found->principal, one->principal,
				"what the token may do has changed");
		else
			principal_end(one->principal, "the token was withdrawn");
	}
	return keep(&rules->everyone, old->everyone, "what everyone may do has changed");
}

void rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++)
		principal_drop(rules->rules[i].principal);
	principal_drop(rules->everyone);
	free(rules->rules);
	free(rules);
}

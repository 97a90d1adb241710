/* SPDX-License-Identifier: MIT */
/* What the claims of a token say, and which of them refuse it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "access/jwt_claims.h"
#include "base/name.h"
#include "access/jwt.h"
#include "parts/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2023-11-14 */
#define NOW_MS (INT64_C(1700000000) * 1000)
/* Valid for 100 s. */
#define EXP "\"exp\":1700000100"

/* Read the text, which is JSON. */
static enum jwt_verdict read_at(const char *text, const char *issuer, const char *audience,
	int64_t now_ms, struct jwt *jwt, const char **fault)
{
	struct json_error reason;
	struct json_text claims;

	*jwt = (struct jwt){0};
	*fault = "";
	if (!json_check(text, strlen(text), &claims, &reason))
		fail_msg("the test's '%s' is not JSON", text);
	return jwt_claims_read(claims, issuer, audience, now_ms, jwt, fault);
}

static struct jwt taken(const char *text)
{
	const char *fault;
	struct jwt jwt;

	if (read_at(text, NULL, NULL, NOW_MS, &jwt, &fault) != JWT_OK)
		fail_msg("%s: %s", text, fault);
	return jwt;
}

static void refused_at(const char *text, const char *issuer, const char *audience, int64_t now_ms,
	const char *word)
{
	const char *fault;
	struct jwt jwt;
	enum jwt_verdict verdict = read_at(text, issuer, audience, now_ms, &jwt, &fault);

	if (verdict != JWT_REFUSED || strstr(fault, word) == NULL)
		fail_msg("%s: verdict %d, '%s' has no '%s'", text, (int)verdict, fault, word);
	jwt_free(&jwt);
}

static void refused(const char *text, const char *word)
{
	refused_at(text, NULL, NULL, NOW_MS, word);
}

/* --- times ------------------------------------------------------------------------------------ */

static void times(void **state)
{
	static const struct {
		const char *claims, *word; /* NULL: it is taken */
		int64_t expires;
	} rows[] = {
		{"{\"exp\":1700000100}", NULL, NOW_MS + 160000},
		/* 60 s of skew, to the millisecond. */
		{"{\"exp\":1699999941}", NULL, NOW_MS + 1000},
		{"{\"exp\":1699999940.001}", NULL, NOW_MS + 1},
		{"{\"exp\":1699999940}", "expired", 0},
		{"{\"exp\":1699999939.999}", "expired", 0},
		{"{\"exp\":17000001e2}", NULL, NOW_MS + 160000},
		{"{\"exp\":1.7000001E+9}", NULL, NOW_MS + 160000},
		{"{\"exp\":0}", "expired", 0},
		{"{\"exp\":-1700000100}", "expired", 0},
		{"{\"exp\":-1e400}", "expired", 0},
		/* Far away is the year 9999. */
		{"{\"exp\":1e400}", NULL, INT64_C(253402300859000)},
		{"{\"exp\":9223372036854775808}", NULL, INT64_C(253402300859000)},
		{"{\"exp\":9999999999999999999999999999999999999999999999}", NULL,
			INT64_C(253402300859000)},
		{"{}", "no exp", 0},
		{"{\"Exp\":1700000100}", "no exp", 0},
		{"{\"exp\":\"1700000100\"}", "exp is not a number", 0},
		{"{\"exp\":null}", "exp is not a number", 0},
		{"{\"exp\":true}", "exp is not a number", 0},
		{"{\"exp\":[1700000100]}", "exp is not a number", 0},
		{"{\"exp\":1700000100,\"exp\":1700000100}", "duplicate", 0},
		{"{\"exp\":1,\"e\\u0078p\":1700000100}", "duplicate", 0},
		{"{" EXP ",\"nbf\":1700000060}", NULL, NOW_MS + 160000},
		{"{" EXP ",\"nbf\":1700000060.001}", "not valid yet", 0},
		{"{" EXP ",\"nbf\":1700000061}", "not valid yet", 0},
		{"{" EXP ",\"nbf\":1e999}", "not valid yet", 0},
		{"{" EXP ",\"nbf\":-1e999}", NULL, NOW_MS + 160000},
		{"{" EXP ",\"nbf\":\"0\"}", "nbf is not a number", 0},
		{"{" EXP ",\"iat\":1800000000}", NULL, NOW_MS + 160000},
		{"{" EXP ",\"iat\":\"0\"}", "iat is not a number", 0},
		{"[]", "not a JSON object", 0},
		{"\"a.b.c\"", "not a JSON object", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jwt jwt;

		if (rows[i].word != NULL) {
			refused(rows[i].claims, rows[i].word);
			continue;
		}
		jwt = taken(rows[i].claims);
		if (jwt.expires != rows[i].expires)
			fail_msg("%s: %lld", rows[i].claims, (long long)jwt.expires);
		/* That is the first moment at which it is refused. */
		refused_at(rows[i].claims, NULL, NULL, jwt.expires, "expired");
		jwt_free(&jwt);
	}
}

/* --- issuer and audience ---------------------------------------------------------------------- */

static void issuer_and_audience(void **state)
{
	static const struct {
		const char *claims, *issuer, *audience, *word; /* NULL: it is taken */
	} rows[] = {
		{"{" EXP ",\"iss\":\"anybody\"}", NULL, NULL, NULL},
		{"{" EXP ",\"iss\":\"me\"}", "me", NULL, NULL},
		{"{" EXP ",\"iss\":\"m\\u0065\"}", "me", NULL, NULL},
		{"{" EXP ",\"iss\":\"Me\"}", "me", NULL, "another issuer"},
		{"{" EXP ",\"iss\":\"me/\"}", "me", NULL, "another issuer"},
		{"{" EXP ",\"iss\":\"m\"}", "me", NULL, "another issuer"},
		{"{" EXP ",\"iss\":[\"me\"]}", "me", NULL, "another issuer"},
		{"{" EXP ",\"iss\":null}", "me", NULL, "another issuer"},
		{"{" EXP ",\"iss\":1231}", "23", NULL, "another issuer"},
		{"{" EXP ",\"aud\":[1231]}", NULL, "23", "another audience"},
		{"{" EXP "}", "me", NULL, "no issuer"},
		{"{" EXP "}", NULL, NULL, NULL},
		{"{" EXP ",\"aud\":\"sse\"}", NULL, "sse", NULL},
		{"{" EXP ",\"aud\":[\"other\",\"sse\"]}", NULL, "sse", NULL},
		{"{" EXP ",\"aud\":[1,\"sse\"]}", NULL, "sse", NULL},
		{"{" EXP ",\"aud\":\"sse2\"}", NULL, "sse", "another audience"},
		{"{" EXP ",\"aud\":[\"other\",[\"sse\"]]}", NULL, "sse", "another audience"},
		{"{" EXP ",\"aud\":[]}", NULL, "sse", "another audience"},
		{"{" EXP ",\"aud\":{\"sse\":1}}", NULL, "sse", "another audience"},
		{"{" EXP "}", NULL, "sse", "no audience"},
		{"{" EXP ",\"aud\":\"sse\"}", NULL, NULL, "--jwt-audience"},
		{"{" EXP ",\"aud\":[]}", NULL, NULL, "--jwt-audience"},
		{"{" EXP ",\"aud\":null}", NULL, NULL, "--jwt-audience"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *fault;
		struct jwt jwt;

		if (rows[i].word != NULL) {
			refused_at(rows[i].claims, rows[i].issuer, rows[i].audience, NOW_MS,
				rows[i].word);
			continue;
		}
		if (read_at(rows[i].claims, rows[i].issuer, rows[i].audience, NOW_MS, &jwt,
			    &fault) != JWT_OK)
			fail_msg("%s: %s", rows[i].claims, fault);
		jwt_free(&jwt);
	}
}

/* --- names ------------------------------------------------------------------------------------ */

static void names(void **state)
{
	static const char *const bad[] = {"\"\"", "7", "null", "[\"ann\"]", "\"a\\nb\"",
		"\"a\\u0000b\"", "\"a\\u007fb\"", "\"a\\u0085b\"", "\"a\\ud800b\"",
		"\"\\u001b[31m\""};
	struct jwt jwt = taken("{" EXP "}");

	(void)state;
	assert_string_equal(jwt.subject, "jwt");
	assert_null(jwt.as);
	jwt_free(&jwt);
	assert_null(jwt.subject);
	jwt = taken("{" EXP ",\"sub\":\"ann\",\"sse\":{\"as\":\"\\u00c4nn \\ud83d\\ude00\"}}");
	assert_string_equal(jwt.subject, "ann");
	assert_string_equal(jwt.as, "\xc3\x84nn \xf0\x9f\x98\x80");
	jwt_free(&jwt);
	for (size_t i = 0; i < COUNT(bad); i++) {
		char *text = forge_format("{" EXP ",\"sub\":%s}", bad[i]);

		refused(text, "the token's sub");
		free(text);
		text = forge_format("{" EXP ",\"sse\":{\"as\":%s}}", bad[i]);
		refused(text, "its as,");
		free(text);
	}
}

static void the_longest_names(void **state)
{
	char filler[300], *text;
	struct jwt jwt;

	(void)state;
	memset(filler, 'x', sizeof(filler));
	text = forge_format(
		"{" EXP ",\"sub\":\"%.255s\",\"sse\":{\"as\":\"%.64s\"}}", filler, filler);
	jwt = taken(text);
	assert_int_equal(strlen(jwt.subject), JWT_SUBJECT_MAX);
	assert_int_equal(strlen(jwt.as), NAME_MAX_BYTES);
	jwt_free(&jwt);
	free(text);
	text = forge_format("{" EXP ",\"sub\":\"%.256s\"}", filler);
	refused(text, "sub");
	free(text);
	text = forge_format("{" EXP ",\"sse\":{\"as\":\"%.65s\"}}", filler);
	refused(text, "as");
	free(text);
}

/* --- grants ----------------------------------------------------------------------------------- */

static char *join(const struct grants *grants)
{
	char *text = forge_format("%s", "");

	for (enum verb verb = VERB_PUBLISH; verb <= VERB_DELETE; verb++) {
		for (size_t i = 0; i < grants->counts[verb]; i++) {
			char *more = forge_format(
				"%s%s %s\n", text, verb_name(verb), grants->patterns[verb][i]);

			free(text);
			text = more;
		}
	}
	if (grants->status) {
		char *more = forge_format("%sstatus\n", text);

		free(text);
		text = more;
	}
	return text;
}

/* The claims, without exp, grant the lines. */
static void grant(const char *claims, const char *lines)
{
	char *text = forge_format("{" EXP ",%s}", claims), *granted;
	struct jwt jwt = taken(text);

	granted = join(&jwt.grants);
	if (strcmp(granted, lines) != 0)
		fail_msg("%s grants:\n%s", claims, granted);
	free(granted);
	free(text);
	jwt_free(&jwt);
}

static void our_claim(void **state)
{
	static const char *const rows[][2] = {
		{"\"x\":1", ""},
		{"\"sse\":{}", ""},
		{"\"sse\":{\"publish\":[\"chat/*\"],\"read\":[\"chat/**\",\"news\"],\"status\":true}",
			"publish chat/*\nread chat/**\nread news\nstatus\n"},
		{"\"sse\":{\"publish\":\"chat\",\"read\":\"*\",\"status\":false}",
			"publish chat\nread *\n"},
		{"\"sse\":{\"publish\":[],\"read\":[]}", ""},
		{"\"sse\":{\"delete\":[\"chat/*\",\"news\"]}", "delete chat/*\ndelete news\n"},
		{"\"sse\":{\"r\\u0065ad\":\"ch\\u0061t\"}", "read chat\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		grant(rows[i][0], rows[i][1]);
}

static void mistakes_in_our_claim(void **state)
{
	static const char *const rows[][2] = {
		{"null", "not an object"},
		{"\"chat\"", "not an object"},
		{"[\"chat\"]", "not an object"},
		{"{\"reads\":\"chat\"}", "none of publish"},
		{"{\"subscribe\":\"chat\"}", "none of publish"},
		{"{\"Read\":\"chat\"}", "none of publish"},
		{"{\"\":\"chat\"}", "none of publish"},
		{"{\"read\":\"chat\",\"read\":\"**\"}", "duplicate"},
		{"{\"read\":\"\"}", "not valid"},
		{"{\"read\":\"chat/**/x\"}", "not valid"},
		{"{\"read\":\"/chat\"}", "not valid"},
		{"{\"read\":\"chat\\u0000\"}", "not valid"},
		{"{\"read\":\"$sys\"}", "not valid"},
		{"{\"read\":\"chat/{room}\"}", "not valid"},
		{"{\"read\":[\"chat\",\"a b\"]}", "not valid"},
		{"{\"read\":7}", "not a string"},
		{"{\"read\":null}", "not a string"},
		{"{\"read\":[\"chat\",[\"x\"]]}", "not a string"},
		{"{\"publish\":{\"chat\":1}}", "not a string"},
		{"{\"status\":1}", "neither true nor false"},
		{"{\"status\":\"true\"}", "neither true nor false"},
		{"{\"status\":null}", "neither true nor false"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = forge_format("{" EXP ",\"sse\":%s}", rows[i][0]);

		refused(text, rows[i][1]);
		free(text);
	}
}

static void selectors_of_mercure(void **state)
{
	/* The selector, and what it is to us; NULL: nothing. */
	static const char *const rows[][2] = {
		{"*", "**"},
		{"chat", "chat"},
		{"chat/*", "chat/*"},
		{"chat/**", "chat/**"},
		{"chat/{room}", "chat/*"},
		{"{any}", "*"},
		{"{any}/{other}/log", "*/*/log"},
		{"/api/chat/lobby", "chat/lobby"},
		{"/api/chat/{room}", "chat/*"},
		{"https://example.org/api/chat/lobby", "chat/lobby"},
		{"https:\\/\\/example.org:8443\\/api\\/{room}", "*"},
		{"http://[::1]:8000/api/chat", "chat"},
		{"https://example.org/chat", NULL},
		{"https://example.org/books/{id}", NULL},
		{"https://example.org", NULL},
		{"https:///api/chat", NULL},
		{"https://{host}/api/chat", NULL},
		{"https://me@example.org/api/chat", NULL},
		{"https://example.org/x/api/chat", NULL},
		{"https://example.org/api/chat?x=1", NULL},
		{"https://example.org/api/", NULL},
		{"ftp://example.org/api/chat", NULL},
		{"/chat", NULL},
		{"/api/api/chat/event", NULL},
		{"/.well-known/mercure/subscriptions/{topic}/{subscriber}", NULL},
		{"", NULL},
		{"chat\\u0000", NULL},
		{"*\\u0000", NULL},
		{"chat/room{id}", NULL},
		{"chat/{id}x", NULL},
		{"{a}{b}", NULL},
		{"chat/{a}{b}", NULL},
		{"chat/*{a}", NULL},
		{"chat/{a}*", NULL},
		{"{+any}", NULL},
		{"{/any}", NULL},
		{"{#any}", NULL},
		{"{?any}", NULL},
		{"{any*}", NULL},
		{"{any:3}", NULL},
		{"{a,b}", NULL},
		{"{}", NULL},
		{"{any", NULL},
		{"chat/{any", NULL},
		{"$sys", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *claims = forge_format("\"mercure\":{\"subscribe\":[\"%s\"]}", rows[i][0]);
		char *lines = forge_format(rows[i][1] != NULL ? "read %s\n" : "%s",
			rows[i][1] != NULL ? rows[i][1] : "");

		grant(claims, lines);
		free(claims);
		free(lines);
	}
}

static void the_claim_of_mercure(void **state)
{
	static const char *const bad[][2] = {
		{"null", "not an object"},
		{"[\"*\"]", "not an object"},
		{"{\"publish\":\"*\"}", "not an array"},
		{"{\"subscribe\":null}", "not an array"},
		{"{\"publish\":[7]}", "not a string"},
		{"{\"publish\":[\"a\"],\"publish\":[\"*\"]}", "duplicate"},
	};

	(void)state;
	grant("\"mercure\":{\"publish\":[\"*\"],\"subscribe\":[\"a\",\"urn:x\",\"b\"],"
	      "\"payload\":{\"publish\":[\"c\"]}}",
		"publish **\nread a\nread b\n");
	grant("\"mercure\":{\"publish\":[]}", "");
	/* Both together are the sum. */
	grant("\"mercure\":{\"publish\":[\"a\"]},\"sse\":{\"publish\":\"b\",\"status\":true}",
		"publish b\npublish a\nstatus\n");
	for (size_t i = 0; i < COUNT(bad); i++) {
		char *text = forge_format("{" EXP ",\"mercure\":%s}", bad[i][0]);

		refused(text, bad[i][1]);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(issuer_and_audience),
		cmocka_unit_test(names),
		cmocka_unit_test(the_longest_names),
		cmocka_unit_test(our_claim),
		cmocka_unit_test(mistakes_in_our_claim),
		cmocka_unit_test(selectors_of_mercure),
		cmocka_unit_test(the_claim_of_mercure),
	};

	return cmocka_run_group_tests_name("serve_jwt_claims", tests, NULL, NULL);
}

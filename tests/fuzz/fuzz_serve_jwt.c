/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing cmd/sse-serve/access/jwt.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its
 * own,
 *
 *     fuzz_serve_jwt SECONDS [SEED]
 *
 * that mutates tokens, the same ones in the same order for the same seed.  With an odd first byte
 * the rest is a token.  Otherwise it is a header and, after a NUL, claims, which are encoded and
 * signed here, so that they are read.  For each token:
 * 1. one that is taken has three parts and the signature that OpenSSL computes, it has not expired
 * by the exp that cJSON reads, and what it grants are names and patterns;
 * 2. one that is refused gets a phrase, and nothing else is left of it;
 * 3. one that differs from it in a bit of the signature is refused.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "access/base64url.h"
#include "access/jwt.h"
#include "access/jwt_key.h"
#include "base/name.h"
#include "buf.h"
#include "log/topic.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)1 << 16)

/* 2023-11-14 */
#define NOW_MS (INT64_C(1700000000) * 1000)

static char secret[64] = "a secret of 64 bytes, which is more than the 32 that it must ha";

static const struct jwt_rules *rules(void)
{
	static struct jwt_keys keys;
	static struct jwt_rules made = {.keys = &keys};
	const struct buf bytes = {.data = secret, .len = sizeof(secret), .cap = sizeof(secret)};
	struct error error;

	if (keys.count == 0) {
		MUST(jwt_key_oct(&keys.keys[0], &bytes, &error) == 0);
		keys.count = 1;
	}
	return &made;
}

/* Append the signature of what is there, after a dot. */
static void sign(struct buf *token)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	MUST(HMAC(EVP_sha256(), secret, sizeof(secret), (unsigned char *)token->data, token->len,
		     hash, &len) != NULL);
	MUST(buf_add_byte(token, '.') && base64url_encode(hash, len, token));
}

static void make_token(const unsigned char *data, size_t len, struct buf *token)
{
	const unsigned char *nul;

	if (len > 0 && data[0] % 2 != 0) {
		MUST(buf_add(token, data + 1, len - 1));
		return;
	}
	data += len > 0;
	len -= len > 0;
	nul = len > 0 ? memchr(data, '\0', len) : NULL;
	MUST(base64url_encode(data, nul != NULL ? (size_t)(nul - data) : len, token));
	MUST(buf_add_byte(token, '.'));
	if (nul != NULL)
		MUST(base64url_encode(nul + 1, len - (size_t)(nul + 1 - data), token));
	sign(token);
}

/* --- the properties --------------------------------------------------------------------------- */

static void check_grants(const struct grants *grants)
{
	struct error error;

	for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
		for (size_t i = 0; i < grants->counts[verb]; i++) {
			const char *pattern = grants->patterns[verb][i];

			MUST(verb == VERB_PUBLISH || verb == VERB_READ || verb == VERB_DELETE);
			MUST(topic_pattern_check(pattern, strlen(pattern), &error) == 0);
		}
	}
}

/* cJSON ends a name at a NUL, and reads no lone surrogates; then it is not asked. */
static void check_exp(const char *text, size_t len)
{
	cJSON *object = cJSON_ParseWithLength(text, len), *exp;

	if (object != NULL && memmem(text, len, "\\u0000", 6) == NULL) {
		exp = cJSON_GetObjectItemCaseSensitive(object, "exp");
		MUST(cJSON_IsNumber(exp));
		MUST(exp->valuedouble * 1000 + 60000 > (double)NOW_MS);
		MUST(cJSON_GetObjectItemCaseSensitive(object, "aud") == NULL);
	}
	cJSON_Delete(object);
}

/* The parts of a token that was taken, by other means. */
static void check_parts(const char *token, size_t len)
{
	const char *first = memchr(token, '.', len), *last = memrchr(token, '.', len);
	struct buf again, claims;

	MUST(first != NULL && first < last && len <= JWT_MAX);
	MUST(memchr(first + 1, '.', (size_t)(last - first) - 1) == NULL);
	buf_init(&again, CAP);
	MUST(buf_add(&again, token, (size_t)(last - token)));
	/* Signatures by HS384 and HS512 are not made here, and cannot be guessed. */
	sign(&again);
	MUST(buf_is(&again, token, len));
	buf_free(&again);
	buf_init(&claims, CAP);
	MUST(base64url_decode(first + 1, (size_t)(last - first) - 1, &claims));
	check_exp(claims.data, claims.len);
	buf_free(&claims);
}

static void check_taken(const struct jwt *jwt, const char *token, size_t len)
{
	MUST(jwt->subject != NULL && jwt->subject[0] != '\0');
	MUST(strlen(jwt->subject) <= JWT_SUBJECT_MAX);
	MUST(jwt->as == NULL || (jwt->as[0] != '\0' && strlen(jwt->as) <= NAME_MAX_BYTES));
	MUST(jwt->expires > NOW_MS);
	MUST(jwt_keys_has(rules()->keys, jwt->key));
	check_grants(&jwt->grants);
	check_parts(token, len);
}

static bool verify(const char *token, size_t len)
{
	static const struct jwt none;
	const char *fault = NULL;
	struct jwt jwt;
	enum jwt_verdict verdict = jwt_verify(rules(), token, len, NOW_MS, &jwt, &fault);

	MUST(verdict != JWT_NO_MEMORY);
	if (verdict == JWT_OK)
		check_taken(&jwt, token, len);
	else
		MUST(fault != NULL && fault[0] != '\0' && memcmp(&jwt, &none, sizeof(jwt)) == 0);
	jwt_free(&jwt);
	return verdict == JWT_OK;
}

/* Return whether the token was taken. */
static bool check_input(const unsigned char *data, size_t len)
{
	struct buf token;
	bool taken;

	must_input(data, len);
	buf_init(&token, CAP);
	make_token(data, len, &token);
	taken = verify(token.data, token.len);
	/* Not in its last character, some bits of which must be 0. */
	if (taken) {
		token.data[token.len - 2] ^= 1;
		MUST(!verify(token.data, token.len));
	}
	buf_free(&token);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static const struct sse_text seeds[] = {
	MUTATE_SEED("\0" HEADER "\0{\"sub\":\"ann\",\"exp\":1700000100}"),
	MUTATE_SEED("\0" HEADER "\0{\"exp\":1.8e9,\"nbf\":0.5,\"iat\":1,\"iss\":\"me\"}"),
	MUTATE_SEED("\0" HEADER "\0{\"exp\":1800000000,\"sse\":{\"publish\":[\"chat/*\"],"
		    "\"read\":\"chat/**\",\"status\":true,\"as\":\"Ann\"}}"),
	MUTATE_SEED("\0" HEADER "\0{\"exp\":1800000000,\"mercure\":{\"publish\":[\"*\"],"
		    "\"subscribe\":[\"https://a/api/{x}/b\",\"/api/c\",\"{d}\"]}}"),
	MUTATE_SEED("\0{\"kid\":\"x\",\"alg\":\"HS256\"}\0{\"exp\":1800000000,\"aud\":[\"x\"]}"),
	MUTATE_SEED("\1eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4MDAwMDAwMDB9."
		    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
	MUTATE_SEED("\1a.b.c.d.e"),
};

/* What makes or breaks a token; the empty one is a NUL. */
static const char *const pieces[] = {"", ".", "=", "\"", "{", "}", "[", "]", ",", ":", "\\u0000",
	"\\ud800", "\"alg\":\"HS256\"", "\"alg\":\"none\"", "\"crit\":[]", "\"kid\":\"x\"",
	"\"exp\":1700000100", "\"exp\":1e999", "\"nbf\":1800000000", "\"aud\":\"x\"",
	"\"sub\":\"x\"", "\"sse\":{}", "\"read\":[\"*\"]", "\"publish\":\"**\"", "\"status\":true",
	"\"as\":\"x\"", "\"mercure\":{}", "\"subscribe\":[\"*\"]", "{x}", "/", "*", "/api/",
	"https://h", ",\"", "eyJ", "\xff", "\xc2\x85", "-", "_", "1", "e9"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_BIT, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_START, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_jwt",
	.inputs = "tokens",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 1024,
	.rounds = 3,
	.kept = 200,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif

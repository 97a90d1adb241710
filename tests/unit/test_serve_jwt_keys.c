/* SPDX-License-Identifier: MIT */
/* Which key files are taken, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>
#include <openssl/x509.h>
#include <openssl/pem.h>

#include "access/base64url.h"
#include "access/jwt_key.h"
#include "access/jwt_keys.h"
#include "parts/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char secret[64] = "a secret of 64 bytes, which is more than the 32 that it must ha";
static EVP_PKEY *rsa, *p256, *p384, *p521;

static int set_up(void **state)
{
	(void)state;
	rsa = forge_rsa(2048);
	p256 = forge_ec("P-256");
	p384 = forge_ec("P-384");
	p521 = forge_ec("P-521");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	(void)forge_write(NULL, 0, 0);
	return 0;
}

/* Takes the text over. */
static struct jwt_keys *load(char *text)
{
	struct error error = {0};
	bool exposed;
	struct jwt_keys *keys =
		jwt_keys_load(forge_write(text, strlen(text), 0644), &exposed, &error);

	if (keys == NULL)
		fail_msg("%.200s: %s", text, error.text);
	free(text);
	return keys;
}

/* Takes the text over.  The sentence has ${word}. */
static void refused(char *text, const char *word)
{
	struct error error = {0};
	bool exposed;
	struct jwt_keys *keys =
		jwt_keys_load(forge_write(text, strlen(text), 0600), &exposed, &error);

	if (keys != NULL)
		fail_msg("was taken: %.300s", text);
	if (strstr(error.text, word) == NULL || error.status != EX_DATAERR)
		fail_msg("%d '%s' does not say '%s'", error.status, error.text, word);
	assert_non_null(strstr(error.text, forge_write(NULL, 0, 0)));
	free(text);
}

/* The names of its algorithms, one after another. */
static void has(const struct jwt_key *key, const char *algorithms)
{
	char text[200] = "";

	for (enum jwt_algorithm i = 0; i < JWT_ALGORITHM_COUNT; i++) {
		if (jwt_key_fits(key, i))
			strcat(strcat(text, jwt_algorithm_name(i)), " ");
	}
	assert_string_equal(text, algorithms);
}

static void each_type_has_its_algorithms(void **state)
{
	struct jwt_keys *keys;
	char *jwks[] = {forge_jwk(rsa, ",\"kid\":\"r\""), forge_jwk(p256, ""), forge_jwk(p384, ""),
		forge_jwk(p521, ",\"use\":\"sig\",\"alg\":\"ES512\",\"key_ops\":[\"verify\"]"),
		forge_secret_jwk(secret, 32, ""), forge_secret_jwk(secret, 48, ""),
		forge_secret_jwk(secret, 64, ""), forge_jwk(rsa, ",\"alg\":\"PS384\"")};

	(void)state;
	keys = load(forge_format("{\"keys\":[%s,%s,%s,%s,%s,%s,%s,%s]}", jwks[0], jwks[1], jwks[2],
		jwks[3], jwks[4], jwks[5], jwks[6], jwks[7]));
	assert_int_equal(keys->count, 8);
	has(&keys->keys[0], "RS256 RS384 RS512 PS256 PS384 PS512 ");
	assert_string_equal(keys->keys[0].kid, "r");
	has(&keys->keys[1], "ES256 ");
	assert_null(keys->keys[1].kid);
	has(&keys->keys[2], "ES384 ");
	has(&keys->keys[3], "ES512 ");
	has(&keys->keys[4], "HS256 ");
	has(&keys->keys[5], "HS256 HS384 ");
	has(&keys->keys[6], "HS256 HS384 HS512 ");
	has(&keys->keys[7], "PS384 ");
	for (size_t i = 0; i < COUNT(jwks); i++)
		free(jwks[i]);
	jwt_keys_free(keys);
}

static char *certificate_of(EVP_PKEY *pkey)
{
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
	X509_set_pubkey(certificate, pkey);
	assert_true(X509_sign(certificate, pkey, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	BIO_free(bio);
	X509_free(certificate);
	return copy;
}

/* In each form it is the same key. */
static void pem_and_json_are_the_same_key(void **state)
{
	EVP_PKEY *pairs[] = {rsa, p256, p384, p521};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct jwt_keys *one = load(forge_jwk(pairs[i], "")),
				*two = load(forge_pem(pairs[i], false)),
				*three = load(certificate_of(pairs[i]));

		assert_int_equal(one->count, 1);
		assert_int_equal(two->count, 1);
		assert_int_equal(one->keys[0].algorithms, two->keys[0].algorithms);
		assert_true(jwt_keys_has(two, one->keys[0].thumbprint));
		assert_true(jwt_keys_has(three, one->keys[0].thumbprint));
		two->keys[0].thumbprint[31] ^= 1;
		assert_false(jwt_keys_has(one, two->keys[0].thumbprint));
		jwt_keys_free(one);
		jwt_keys_free(two);
		jwt_keys_free(three);
	}
}

static void several_pem_keys(void **state)
{
	char *one = forge_pem(rsa, false), *two = forge_pem(p256, false);
	struct jwt_keys *keys = load(forge_format("a comment\n%s\nand another\n%s\n", one, two));

	(void)state;
	assert_int_equal(keys->count, 2);
	free(one);
	free(two);
	jwt_keys_free(keys);
}

/* The example of RFC 7638, section 3.1; in front of the modulus a zero that it does not need. */
static void the_thumbprint_is_that_of_the_rfc(void **state)
{
	static const char n[] =
		"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L"
		"6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4Qy"
		"Q5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI"
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
		"kEgU8awapJzKnqDKgw";
	struct jwt_keys *keys = load(forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\","
						  "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
		n));
	char *print = forge_base64url(keys->keys[0].thumbprint, 32), *padded;
	struct buf bytes;

	(void)state;
	assert_string_equal(print, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	free(print);
	buf_init(&bytes, 1000);
	assert_true(buf_add_byte(&bytes, '\0') && base64url_decode(n, strlen(n), &bytes));
	padded = forge_base64url(bytes.data, bytes.len);
	{
		struct jwt_keys *same = load(
			forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AAEAAQ\"}", padded));

		assert_true(jwt_keys_has(same, keys->keys[0].thumbprint));
		jwt_keys_free(same);
	}
	free(padded);
	buf_free(&bytes);
	jwt_keys_free(keys);
}

/* What a set has for others is left out; what is left counts. */
static void a_set_may_have_keys_for_others(void **state)
{
	static const char *const others[] = {
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}",
		"{\"kty\":\"new\"}",
		"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}",
		"{\"kty\":\"RSA\",\"use\":\"enc\",\"alg\":\"RSA-OAEP\",\"n\":\"AA\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"key_ops\":[\"encrypt\",7],\"n\":\"AA\",\"e\":\"AQAB\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		char *ours = forge_jwk(p256, ",\"key_ops\":[\"sign\",\"verify\"]");
		struct jwt_keys *keys =
			load(forge_format(" {\"keys\":[%s,%s],\"x\":1}", others[i], ours));

		assert_int_equal(keys->count, 1);
		jwt_keys_free(keys);
		refused(forge_format("{\"keys\":[%s]}", others[i]),
			"no key can be used; key 1: its");
		refused(forge_format("%s", others[i]), "the key: its");
		free(ours);
	}
	refused(forge_format("{\"keys\":[]}"), "no key in the set");
}

/* Put before the last brace of a good EC key. */
static void refuses_members_of_a_key(void **state)
{
	static const struct {
		const char *more, *word;
	} rows[] = {
		{",\"use\":1", "its use is not a string"},
		{",\"alg\":true", "its alg is not a string"},
		{",\"alg\":\"RS256\"", "it supports: ES256"},
		{",\"alg\":\"HS256\"", "it supports: ES256"},
		{",\"alg\":\"ES384\"", "it supports: ES256"},
		{",\"alg\":\"none\"", "it supports: ES256"},
		{",\"kid\":1", "its kid is not a string"},
		{",\"kid\":\"a\\u0000b\"", "not text"},
		{",\"kid\":\"\\ud800\"", "not text"},
		{",\"key_ops\":\"verify\"", "not an array"},
		{",\"kty\":\"EC\"", "twice"},
		{",\"k\\u0074y\":\"EC\"", "twice"},
		{",\"d\":\"AA\"", "private"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *jwk = forge_jwk(p256, rows[i].more);

		refused(forge_format("{\"keys\":[%s]}", jwk), rows[i].word);
		refused(forge_format("{\"keys\":[%s]}", jwk), "key 1: ");
		refused(jwk, rows[i].word);
	}
}

static void refuses_texts(void **state)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{"", "neither PEM"},
		{"secret", "neither PEM"},
		{"[]", "neither PEM"},
		{"{", "not JSON at byte 2"},
		{"{\"keys\":[],\"keys\":[]}", "twice"},
		{"{\"keys\":{}}", "not an array"},
		{"{\"keys\":[1]}", "key 1: it is not an object"},
		{"{}", "kty is missing"},
		{"{\"kty\":7}", "kty is not a string"},
		{"{\"kty\":\"oct\"}", "its k is missing"},
		{"{\"kty\":\"oct\",\"k\":1}", "its k is not a string"},
		{"{\"kty\":\"oct\",\"k\":\"QUFB*\"}", "its k is not base64url"},
		{"{\"kty\":\"oct\",\"k\":\"\"}", "0 bytes"},
		{"{\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}", "its crv is missing"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", "32 bytes each"},
		{"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "its n is missing"},
		{"{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "its e is missing"},
		{"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "has 17 bits"},
		{"{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", "has 0 bits"},
		{"-----BEGIN PUBLIC KEY-----\nAAAA\n", "damaged"},
		{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "key 1"},
		{"-----BEGIN ROSES-----\nAAAA\n-----END ROSES-----\n", "not a public key"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		refused(forge_format("%s", rows[i].text), rows[i].word);
}

static void refuses_weak_keys(void **state)
{
	EVP_PKEY *small = forge_rsa(2047);
	char *n, *jwk;

	(void)state;
	refused(forge_jwk(small, ""), "2047 bits");
	refused(forge_pem(small, false), "key 1: the RSA key has 2047 bits");
	EVP_PKEY_free(small);
	refused(forge_secret_jwk(secret, 31, ""), "31 bytes");
	refused(forge_secret_jwk(secret, 32, ",\"alg\":\"HS512\""), "it supports: HS256");
	/* Exponents with which everybody could sign, or nobody. */
	jwk = forge_jwk(rsa, "");
	n = strstr(jwk, "\"n\":\"") + 5;
	*strchr(n, '"') = '\0';
	refused(forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQ\"}", n), "not an RSA key");
	refused(forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AA\"}", n), "not an RSA key");
	refused(forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"BA\"}", n), "not an RSA key");
	refused(forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n, n),
		"not an RSA key");
	n[strlen(n) - 2] = 'A';
	n[strlen(n) - 1] = 'A'; /* even */
	refused(forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}", n), "not an RSA key");
	free(jwk);
}

static void refuses_a_point_beside_the_curve(void **state)
{
	char zeros[32] = {0}, *zero = forge_base64url(zeros, sizeof(zeros));

	(void)state;
	refused(forge_format(
			"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}", zero, zero),
		"not a key");
	free(zero);
}

static void refuses_private_and_other_pem(void **state)
{
	EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		 *other = EVP_EC_gen("secp256k1");
	char *good = forge_pem(p256, false), *bad = forge_pem(p256, true);

	(void)state;
	refused(forge_format("%s%s", good, bad), "key 2: it is a private key");
	refused(forge_pem(rsa, true), "private");
	refused(forge_pem(ed25519, false), "Ed25519");
	refused(forge_pem(other, false), "curve");
	free(good);
	free(bad);
	EVP_PKEY_free(ed25519);
	EVP_PKEY_free(other);
}

/* One of two coordinates on P-521 begins with a zero. */
static void coordinates_keep_their_zeros(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		EVP_PKEY *pkey = forge_ec("P-521");
		struct jwt_keys *one = load(forge_jwk(pkey, "")),
				*two = load(forge_pem(pkey, false));

		assert_true(jwt_keys_has(two, one->keys[0].thumbprint));
		jwt_keys_free(one);
		jwt_keys_free(two);
		EVP_PKEY_free(pkey);
	}
}

static void refuses_what_follows_a_key(void **state)
{
	unsigned char bytes[1000], *at = bytes;
	BIO *bio = BIO_new(BIO_s_mem());
	int len = i2d_PUBKEY(p256, &at);
	char *text;

	(void)state;
	*at = 0;
	assert_true(len > 0 && PEM_write_bio(bio, "PUBLIC KEY", "", bytes, len + 1) > 0);
	len = (int)BIO_get_mem_data(bio, &text);
	refused(forge_format("%.*s", len, text), "not a public key");
	BIO_free(bio);
}

static void at_most_64_keys(void **state)
{
	char *jwk = forge_jwk(p256, ""), *pem = forge_pem(p256, false);
	char *set = calloc(1, 65 * (strlen(jwk) + 1) + 20), *pems = calloc(1, 65 * strlen(pem) + 1);
	struct jwt_keys *keys;

	(void)state;
	strcpy(set, "{\"keys\":[");
	for (unsigned i = 0; i < 64; i++) {
		strcat(strcat(set, i > 0 ? "," : ""), jwk);
		strcat(pems, pem);
	}
	keys = load(forge_format("%s]}", set));
	assert_int_equal(keys->count, 64);
	jwt_keys_free(keys);
	keys = load(forge_format("%s", pems));
	assert_int_equal(keys->count, 64);
	jwt_keys_free(keys);
	refused(forge_format("%s,%s]}", set, jwk), "key 65: a file can have at most 64 keys");
	refused(forge_format("%s%s", pems, pem), "key 65: a file can have at most 64 keys");
	free(jwk);
	free(pem);
	free(set);
	free(pems);
}

/* Others may read a public key, and nobody may write one. */
static void tells_of_a_secret_that_others_can_read(void **state)
{
	char *public = forge_jwk(p256, ""), *shared = forge_secret_jwk(secret, 32, "");
	const struct {
		const char *text;
		unsigned mode;
		bool exposed;
	} rows[] = {{public, 0644, false}, {shared, 0600, false}, {shared, 0604, true}};
	struct error error = {0};
	bool exposed;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *path = forge_write(rows[i].text, strlen(rows[i].text), rows[i].mode);
		struct jwt_keys *keys = jwt_keys_load(path, &exposed, &error);

		assert_non_null(keys);
		assert_int_equal(exposed, rows[i].exposed);
		jwt_keys_free(keys);
	}
	assert_null(jwt_keys_load(forge_write(public, strlen(public), 0666), &exposed, &error));
	assert_int_equal(error.status, EX_NOINPUT);
	assert_null(jwt_keys_load(forge_write(NULL, 0, 0), &exposed, &error));
	assert_int_equal(error.status, EX_NOINPUT);
	jwt_keys_free(NULL);
	free(public);
	free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_has_its_algorithms),
		cmocka_unit_test(pem_and_json_are_the_same_key),
		cmocka_unit_test(several_pem_keys),
		cmocka_unit_test(the_thumbprint_is_that_of_the_rfc),
		cmocka_unit_test(a_set_may_have_keys_for_others),
		cmocka_unit_test(refuses_members_of_a_key),
		cmocka_unit_test(refuses_texts),
		cmocka_unit_test(refuses_weak_keys),
		cmocka_unit_test(refuses_a_point_beside_the_curve),
		cmocka_unit_test(refuses_private_and_other_pem),
		cmocka_unit_test(coordinates_keep_their_zeros),
		cmocka_unit_test(refuses_what_follows_a_key),
		cmocka_unit_test(at_most_64_keys),
		cmocka_unit_test(tells_of_a_secret_that_others_can_read),
	};

	return cmocka_run_group_tests_name("serve_jwt_keys", tests, set_up, tear_down);
}

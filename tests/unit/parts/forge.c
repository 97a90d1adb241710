/* SPDX-License-Identifier: MIT */
/* Keys and tokens for tests; see forge.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "forge.h"

char *forge_format(const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	assert_true(len >= 0);
	return text;
}

/* --- keys ------------------------------------------------------------------------------------- */

EVP_PKEY *forge_rsa(unsigned bits)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);

	assert_non_null(pkey);
	return pkey;
}

EVP_PKEY *forge_ec(const char *curve)
{
	EVP_PKEY *pkey = EVP_EC_gen(curve);

	assert_non_null(pkey);
	return pkey;
}

/* --- base64url, by other means than the server's ---------------------------------------------- */

char *forge_base64url(const void *bytes, size_t len)
{
	char *text = calloc(1, len * 4 / 3 + 8);
	size_t at;

	assert_non_null(text);
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	for (at = 0; text[at] != '\0' && text[at] != '='; at++) {
		text[at] = text[at] == '+' ? '-' : text[at];
		text[at] = text[at] == '/' ? '_' : text[at];
	}
	text[at] = '\0';
	return text;
}

char *forge_part(const char *text)
{
	return forge_base64url(text, strlen(text));
}

static char *number_of(EVP_PKEY *pkey, const char *name, int size)
{
	BIGNUM *number = NULL;
	unsigned char bytes[1024];
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &number), 1);
	len = size > 0 ? size : BN_num_bytes(number);
	assert_int_equal(BN_bn2binpad(number, bytes, len), len);
	BN_free(number);
	return forge_base64url(bytes, (size_t)len);
}

/* --- signing ---------------------------------------------------------------------------------- */

static const EVP_MD *hash_of(const char *alg)
{
	return strcmp(alg + 2, "256") == 0   ? EVP_sha256()
	       : strcmp(alg + 2, "384") == 0 ? EVP_sha384()
					     : EVP_sha512();
}

/* The bytes of one coordinate. */
static int size_of(EVP_PKEY *pkey)
{
	return (EVP_PKEY_get_bits(pkey) + 7) / 8;
}

static size_t to_raw(EVP_PKEY *pkey, unsigned char *bytes, size_t len)
{
	const unsigned char *at = bytes;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	int size = size_of(pkey);

	assert_non_null(pair);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, size), size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + size, size), size);
	ECDSA_SIG_free(pair);
	return 2 * (size_t)size;
}

static size_t sign_by_pkey(
	const struct forge *forge, const char *input, unsigned char *bytes, size_t room)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context;

	assert_non_null(context);
	assert_int_equal(
		EVP_DigestSignInit(context, &key_context, hash_of(forge->alg), NULL, forge->pkey),
		1);
	if (forge->alg[0] == 'P') {
		EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST);
	}
	assert_int_equal(
		EVP_DigestSign(context, bytes, &room, (const unsigned char *)input, strlen(input)),
		1);
	EVP_MD_CTX_free(context);
	return forge->alg[0] == 'E' ? to_raw(forge->pkey, bytes, room) : room;
}

char *forge_sign(const struct forge *forge, const char *input)
{
	unsigned char bytes[2048];
	unsigned len = 0;

	if (forge->alg == NULL)
		return forge_format("%s", "");
	if (forge->alg[0] != 'H')
		return forge_base64url(bytes, sign_by_pkey(forge, input, bytes, sizeof(bytes)));
	assert_non_null(HMAC(hash_of(forge->alg), forge->secret, (int)forge->secret_len,
		(const unsigned char *)input, strlen(input), bytes, &len));
	return forge_base64url(bytes, len);
}

char *forge_token(const struct forge *forge, const char *header, const char *claims)
{
	char *first = forge_part(header), *second = forge_part(claims);
	char *input = forge_format("%s.%s", first, second);
	char *signature = forge_sign(forge, input);
	char *token = forge_format("%s.%s", input, signature);

	free(first);
	free(second);
	free(input);
	free(signature);
	return token;
}

/* --- files ------------------------------------------------------------------------------------ */

char *forge_jwk(EVP_PKEY *pkey, const char *more)
{
	bool rsa = EVP_PKEY_is_a(pkey, "RSA");
	int size = rsa ? 0 : size_of(pkey);
	char *one = number_of(pkey, rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X, size);
	char *two = number_of(pkey, rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y, size);
	char *jwk;

	if (rsa)
		jwk = forge_format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", one, two, more);
	else
		jwk = forge_format("{\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\",\"y\":\"%s\"%s}",
			EVP_PKEY_get_bits(pkey), one, two, more);
	free(one);
	free(two);
	return jwk;
}

char *forge_secret_jwk(const void *secret, size_t len, const char *more)
{
	char *k = forge_base64url(secret, len);
	char *jwk = forge_format("{\"kty\":\"oct\",\"k\":\"%s\"%s}", k, more);

	free(k);
	return jwk;
}

char *forge_pem(EVP_PKEY *pkey, bool private)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	assert_non_null(bio);
	assert_int_equal(private ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
				 : PEM_write_bio_PUBKEY(bio, pkey),
		1);
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	assert_non_null(copy);
	BIO_free(bio);
	return copy;
}

const char *forge_write(const char *text, size_t len, unsigned mode)
{
	static char path[] = "/tmp/sse_keys_XXXXXX";
	FILE *file;

	if (strchr(path, 'X') != NULL && path[sizeof(path) - 2] == 'X')
		close(mkstemp(path));
	unlink(path);
	if (text == NULL)
		return path;
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

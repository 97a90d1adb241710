/* SPDX-License-Identifier: MIT */
/* Keys that are written as PEM; see jwt_pem.h. */
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "jwt_pem.h"

/* --- the numbers of a key --------------------------------------------------------------------- */

/* Store a number of the key, big-endian, in at least ${size} bytes. */
static int get_number(
	const EVP_PKEY *pkey, const char *name, size_t size, struct buf *out, struct error *error)
{
	BIGNUM *number = NULL;
	int result = -1, len;
	char *space;

	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
		return error_set(error, EX_DATAERR, "its numbers cannot be read");
	len = BN_num_bytes(number);
	if (len < (int)size)
		len = (int)size;
	buf_init(out, (size_t)len);
	space = buf_reserve(out, (size_t)len);
	if (space == NULL || BN_bn2binpad(number, (unsigned char *)space, len) != len) {
		(void)error_set(error, EX_OSERR, "out of memory");
	} else {
		out->len = (size_t)len;
		result = 0;
	}
	BN_free(number);
	return result;
}

static int take_rsa(const EVP_PKEY *pkey, struct jwt_key *key, struct error *error)
{
	struct buf n = {0}, e = {0};
	int result = -1;

	if (get_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, &n, error) == 0 &&
		get_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, &e, error) == 0)
		result = jwt_key_rsa(key, &n, &e, error);
	buf_free(&n);
	buf_free(&e);
	return result;
}

/* OpenSSL's names of the curves. */
static bool find_curve(const EVP_PKEY *pkey, enum jwt_curve *curve)
{
	static const char *const names[JWT_CURVE_COUNT] = {"prime256v1", "secp384r1", "secp521r1"};
	char name[64];

	if (EVP_PKEY_get_utf8_string_param(
		    pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL) != 1)
		return false;
	for (*curve = 0; *curve < JWT_CURVE_COUNT; (*curve)++) {
		if (strcmp(name, names[*curve]) == 0)
			return true;
	}
	return false;
}

static int take_ec(const EVP_PKEY *pkey, struct jwt_key *key, struct error *error)
{
	struct buf x = {0}, y = {0};
	enum jwt_curve curve;
	int result = -1;

	if (!find_curve(pkey, &curve))
		return error_set(error, EX_DATAERR, "its curve is not P-256, P-384 or P-521");
	if (get_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, jwt_curve_size(curve), &x, error) == 0 &&
		get_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, jwt_curve_size(curve), &y, error) == 0)
		result = jwt_key_ec(key, curve, &x, &y, error);
	buf_free(&x);
	buf_free(&y);
	return result;
}

static int take_key(const EVP_PKEY *pkey, struct jwt_keys *keys, struct error *error)
{
	struct jwt_key key = {0};
	int result;

	if (EVP_PKEY_is_a(pkey, "RSA"))
		result = take_rsa(pkey, &key, error);
	else if (EVP_PKEY_is_a(pkey, "EC"))
		result = take_ec(pkey, &key, error);
	else
		return error_set(
			error, EX_DATAERR, "it is neither RSA nor EC; Ed25519 is not supported");
	if (result != 0)
		return -1;
	if (keys->count == JWT_KEYS_MAX) {
		jwt_key_free(&key);
		return error_set(
			error, EX_DATAERR, "a file can have at most %d keys", JWT_KEYS_MAX);
	}
	keys->keys[keys->count++] = key;
	return 0;
}

/* --- the blocks of a file --------------------------------------------------------------------- */

/* The whole of ${data} as one of the kinds that hold a public key, or NULL. */
static EVP_PKEY *decode(const char *kind, const unsigned char *data, long len)
{
	const unsigned char *at = data;
	EVP_PKEY *pkey = NULL;
	X509 *certificate = NULL;

	if (strcmp(kind, PEM_STRING_PUBLIC) == 0)
		pkey = d2i_PUBKEY(NULL, &at, len);
	else if (strcmp(kind, PEM_STRING_RSA_PUBLIC) == 0)
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, len);
	else if (strcmp(kind, PEM_STRING_X509) == 0)
		certificate = d2i_X509(NULL, &at, len);
	if (certificate != NULL)
		pkey = X509_get_pubkey(certificate);
	X509_free(certificate);
	if (pkey != NULL && at == data + len)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

static int take_block(const char *kind, const unsigned char *data, long len, struct jwt_keys *keys,
	struct error *error)
{
	EVP_PKEY *pkey;
	int result;

	if (strstr(kind, "PRIVATE KEY") != NULL)
		return error_set(error, EX_DATAERR,
			"it is a private key; only the public half belongs here: 'openssl pkey "
			"-pubout' writes it");
	pkey = decode(kind, data, len);
	if (pkey == NULL)
		return error_set(error, EX_DATAERR, "it is not a public key or certificate");
	result = take_key(pkey, keys, error);
	EVP_PKEY_free(pkey);
	return result;
}

/* Did reading stop because no block is left? */
static bool at_end(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int read_blocks(BIO *bio, struct jwt_keys *keys, struct error *error)
{
	struct error reason = {0};
	char *kind = NULL, *head = NULL;
	unsigned char *data = NULL;
	int result = 0, number = 1;
	long len;

	for (; result == 0 && PEM_read_bio(bio, &kind, &head, &data, &len) == 1; number++) {
		result = take_block(kind, data, len, keys, &reason);
		OPENSSL_free(kind);
		OPENSSL_free(head);
		OPENSSL_clear_free(data, (size_t)len);
	}
	if (result != 0)
		return error_set(error, reason.status, "key %d: %s", number - 1, reason.text);
	if (!at_end())
		return error_set(error, EX_DATAERR, "key %d: its PEM is damaged", number);
	if (number == 1)
		return error_set(error, EX_DATAERR,
			"it is neither PEM (-----BEGIN PUBLIC KEY-----) nor JSON");
	return 0;
}

int jwt_pem_read(const char *text, size_t len, struct jwt_keys *keys, struct error *error)
{
	BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
	int result;

	if (bio == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	ERR_clear_error();
	result = read_blocks(bio, keys, error);
	ERR_clear_error();
	BIO_free(bio);
	return result;
}

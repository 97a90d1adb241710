/* SPDX-License-Identifier: MIT */
/* A key that verifies tokens; see jwt_key.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cjose/cjose.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base64url.h"
#include "jwt_key.h"
#include "private_file.h"

/* The largest number of a key, in bytes. */
#define NUMBER_MAX (JWT_RSA_MAX / 8)

static const char *const algorithm_names[JWT_ALGORITHM_COUNT] = {"HS256", "HS384", "HS512", "RS256",
	"RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"};

static const struct {
	const char *name;
	size_t size;
	cjose_jwk_ec_curve id;
	enum jwt_algorithm algorithm;
} curves[JWT_CURVE_COUNT] = {
	{"P-256", 32, CJOSE_JWK_EC_P_256, JWT_ES256},
	{"P-384", 48, CJOSE_JWK_EC_P_384, JWT_ES384},
	{"P-521", 66, CJOSE_JWK_EC_P_521, JWT_ES512},
};

const char *jwt_algorithm_name(enum jwt_algorithm algorithm)
{
	return algorithm_names[algorithm];
}

const char *jwt_curve_name(enum jwt_curve curve)
{
	return curves[curve].name;
}

size_t jwt_curve_size(enum jwt_curve curve)
{
	return curves[curve].size;
}

static unsigned bit(enum jwt_algorithm algorithm)
{
	return 1U << algorithm;
}

bool jwt_key_fits(const struct jwt_key *key, enum jwt_algorithm algorithm)
{
	return (key->algorithms & bit(algorithm)) != 0;
}

/* --- thumbprints ------------------------------------------------------------------------------ */

/* The JSON of the members that RFC 7638 names, in its order. */
struct print {
	struct buf json;
	bool full;
};

static void print_start(struct print *print)
{
	/* Room for all at once: growing would leave copies of a secret behind. */
	buf_init(&print->json, 4 * NUMBER_MAX);
	print->full = buf_reserve(&print->json, print->json.cap) == NULL;
}

static void print_text(struct print *print, const char *text)
{
	print->full = print->full || !buf_add_text(&print->json, text);
}

static void print_number(struct print *print, const struct buf *number)
{
	print->full = print->full || !base64url_encode((const unsigned char *)number->data,
					     number->len, &print->json);
}

static int print_end(struct print *print, struct jwt_key *key, struct error *error)
{
	int done = !print->full && EVP_Digest(print->json.data, print->json.len, key->thumbprint,
					   NULL, EVP_sha256(), NULL) == 1;

	private_file_wipe(&print->json);
	return done ? 0 : error_set(error, EX_OSERR, "out of memory");
}

/* --- making a key ----------------------------------------------------------------------------- */

/*
 * Take the key that the library made of the numbers.  For a point that is not on the curve, the
 * library reports a lack of memory.
 */
static int take(struct jwt_key *key, cjose_jwk_t *jwk, struct error *error)
{
	ERR_clear_error();
	key->jwk = jwk;
	return jwk != NULL ? 0 : error_set(error, EX_DATAERR, "its numbers are not a key");
}

static struct buf without_zeros(const struct buf *number)
{
	struct buf view = *number;

	while (view.len > 0 && *view.data == '\0') {
		view.data++;
		view.len--;
	}
	return view;
}

/* ${number} has no zeros before it. */
static size_t bits_of(const struct buf *number)
{
	size_t bits = number->len * 8;

	for (int mask = 0x80; number->len > 0 && (*number->data & mask) == 0; mask >>= 1)
		bits--;
	return bits;
}

static bool is_odd(const struct buf *number)
{
	return number->len > 0 && (number->data[number->len - 1] & 1) != 0;
}

/* With an exponent of 1 anyone could sign. */
static int check_rsa(const struct buf *modulus, const struct buf *exponent, struct error *error)
{
	size_t bits = bits_of(modulus);

	if (bits < JWT_RSA_MIN)
		return error_set(error, EX_DATAERR,
			"the RSA key has %zu bits; a key of fewer than %d can be broken", bits,
			JWT_RSA_MIN);
	if (bits > JWT_RSA_MAX)
		return error_set(error, EX_DATAERR, "the RSA key has %zu bits; %d is the most",
			bits, JWT_RSA_MAX);
	if (!is_odd(modulus) || !is_odd(exponent) || bits_of(exponent) < 2 || exponent->len > 8)
		return error_set(error, EX_DATAERR, "the numbers are not an RSA key");
	return 0;
}

int jwt_key_rsa(struct jwt_key *key, const struct buf *modulus, const struct buf *exponent,
	struct error *error)
{
	struct buf n = without_zeros(modulus), e = without_zeros(exponent);
	cjose_jwk_rsa_keyspec spec = {
		.n = (uint8_t *)n.data, .nlen = n.len, .e = (uint8_t *)e.data, .elen = e.len};
	cjose_err ignored;
	struct print print;

	if (check_rsa(&n, &e, error) != 0)
		return -1;
	print_start(&print);
	print_text(&print, "{\"e\":\"");
	print_number(&print, &e);
	print_text(&print, "\",\"kty\":\"RSA\",\"n\":\"");
	print_number(&print, &n);
	print_text(&print, "\"}");
	key->algorithms = bit(JWT_RS256) | bit(JWT_RS384) | bit(JWT_RS512) | bit(JWT_PS256) |
			  bit(JWT_PS384) | bit(JWT_PS512);
	key->signature_len = n.len;
	if (print_end(&print, key, error) == 0 &&
		take(key, cjose_jwk_create_RSA_spec(&spec, &ignored), error) == 0)
		return 0;
	jwt_key_free(key);
	return -1;
}

int jwt_key_ec(struct jwt_key *key, enum jwt_curve curve, const struct buf *x, const struct buf *y,
	struct error *error)
{
	cjose_jwk_ec_keyspec spec = {.crv = curves[curve].id,
		.x = (uint8_t *)x->data,
		.xlen = x->len,
		.y = (uint8_t *)y->data,
		.ylen = y->len};
	cjose_err ignored;
	struct print print;

	if (x->len != curves[curve].size || y->len != curves[curve].size)
		return error_set(error, EX_DATAERR, "its x and y must have %zu bytes each on %s",
			curves[curve].size, curves[curve].name);
	print_start(&print);
	print_text(&print, "{\"crv\":\"");
	print_text(&print, curves[curve].name);
	print_text(&print, "\",\"kty\":\"EC\",\"x\":\"");
	print_number(&print, x);
	print_text(&print, "\",\"y\":\"");
	print_number(&print, y);
	print_text(&print, "\"}");
	key->algorithms = bit(curves[curve].algorithm);
	key->signature_len = 2 * curves[curve].size;
	if (print_end(&print, key, error) == 0 &&
		take(key, cjose_jwk_create_EC_spec(&spec, &ignored), error) == 0)
		return 0;
	jwt_key_free(key);
	return -1;
}

int jwt_key_oct(struct jwt_key *key, const struct buf *secret, struct error *error)
{
	cjose_err ignored;
	struct print print;

	if (secret->len < JWT_SECRET_MIN)
		return error_set(error, EX_DATAERR,
			"the secret has %zu bytes; a secret of fewer than %d can be guessed",
			secret->len, JWT_SECRET_MIN);
	if (secret->len > NUMBER_MAX)
		return error_set(error, EX_DATAERR, "the secret has %zu bytes; %d is the most",
			secret->len, NUMBER_MAX);
	print_start(&print);
	print_text(&print, "{\"k\":\"");
	print_number(&print, secret);
	print_text(&print, "\",\"kty\":\"oct\"}");
	/* A secret is not shorter than the hash (RFC 7518, section 3.2). */
	key->algorithms = bit(JWT_HS256) | (secret->len >= 48 ? bit(JWT_HS384) : 0) |
			  (secret->len >= 64 ? bit(JWT_HS512) : 0);
	key->secret = true;
	if (print_end(&print, key, error) == 0 &&
		take(key,
			cjose_jwk_create_oct_spec(
				(const uint8_t *)secret->data, secret->len, &ignored),
			error) == 0)
		return 0;
	jwt_key_free(key);
	return -1;
}

void jwt_key_free(struct jwt_key *key)
{
	cjose_err ignored;

	if (key->jwk != NULL && key->secret)
		OPENSSL_cleanse(cjose_jwk_get_keydata(key->jwk, &ignored),
			cjose_jwk_get_keysize(key->jwk, &ignored) / 8);
	if (key->jwk != NULL)
		(void)cjose_jwk_release(key->jwk);
	free(key->kid);
	*key = (struct jwt_key){0};
}

/* --- verifying -------------------------------------------------------------------------------- */

/*
 * The library reads a shorter RSA signature as if zeros preceded it, and two halves of any length
 * as the numbers of an ECDSA signature: the same signature could be written in many ways.
 */
static size_t length_of_signature(const struct jwt_key *key, enum jwt_algorithm algorithm)
{
	static const size_t hashes[] = {[JWT_HS256] = 32, [JWT_HS384] = 48, [JWT_HS512] = 64};

	return key->signature_len > 0 ? key->signature_len : hashes[algorithm];
}

enum jwt_signature jwt_key_verify(const struct jwt_key *key, enum jwt_algorithm algorithm,
	const char *token, size_t len, size_t signature_len)
{
	enum jwt_signature result = JWT_SIGNATURE_BAD;
	cjose_err reason = {0};
	cjose_jws_t *jws;

	if (!jwt_key_fits(key, algorithm))
		return JWT_SIGNATURE_OTHER;
	if (signature_len != length_of_signature(key, algorithm))
		return JWT_SIGNATURE_BAD;
	jws = cjose_jws_import(token, len, &reason);
	if (jws != NULL && cjose_jws_verify(jws, key->jwk, &reason))
		result = JWT_SIGNATURE_GOOD;
	else if (reason.code == CJOSE_ERR_NO_MEMORY)
		result = JWT_SIGNATURE_NO_MEMORY;
	cjose_jws_release(jws);
	/* OpenSSL queues its errors for this thread; the next caller must not find them. */
	ERR_clear_error();
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Attacks on the form, the header and the signature of a token; what it says is tested elsewhere. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "access/base64url.h"
#include "access/jwt.h"
#include "access/jwt_key.h"
#include "parts/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2023-11-14 */
#define NOW_MS (INT64_C(1700000000) * 1000)
#define CLAIMS "{\"sub\":\"ann\",\"exp\":1700000100,\"sse\":{\"read\":\"chat/*\"}}"

static const char secret[64] = "a secret of 64 bytes, which is more than the 32 that it must ha";
static const struct forge hs256 = {.alg = "HS256", .secret = secret, .secret_len = sizeof(secret)};
static EVP_PKEY *rsa, *p256, *p384, *p521, *attacker_rsa, *attacker_ec;

static int set_up(void **state)
{
	(void)state;
	rsa = forge_rsa(2048);
	attacker_rsa = forge_rsa(2048);
	p256 = forge_ec("P-256");
	p384 = forge_ec("P-384");
	p521 = forge_ec("P-521");
	attacker_ec = forge_ec("P-256");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(attacker_rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(attacker_ec);
	(void)forge_write(NULL, 0, 0);
	return 0;
}

/* Load the keys of a file with this text, which is taken over. */
static struct jwt_keys *load(char *text)
{
	struct error error = {0};
	bool exposed;
	struct jwt_keys *keys =
		jwt_keys_load(forge_write(text, strlen(text), 0600), &exposed, &error);

	if (keys == NULL)
		fail_msg("%s", error.text);
	free(text);
	return keys;
}

static struct jwt_keys *load_secret(const char *more)
{
	return load(forge_secret_jwk(secret, sizeof(secret), more));
}

static const char *judge(
	const struct jwt_keys *keys, const char *token, size_t len, enum jwt_verdict *verdict)
{
	const struct jwt_rules rules = {.keys = keys};
	const char *fault = "";
	/* Not after the token, so that reading too far is seen. */
	char *exact = malloc(len > 0 ? len : 1);
	struct jwt jwt;

	assert_non_null(exact);
	memcpy(exact, token, len);
	*verdict = jwt_verify(&rules, exact, len, NOW_MS, &jwt, &fault);
	if (*verdict == JWT_OK)
		assert_string_equal(jwt.subject, "ann");
	else
		assert_null(jwt.subject);
	jwt_free(&jwt);
	free(exact);
	return fault;
}

/* Takes the token over. */
static void taken(const struct jwt_keys *keys, char *token)
{
	enum jwt_verdict verdict;
	const char *fault = judge(keys, token, strlen(token), &verdict);

	if (verdict != JWT_OK)
		fail_msg("%.100s: %s", token, fault);
	free(token);
}

/* Takes the token over; the phrase has ${word}. */
static void refused(const struct jwt_keys *keys, char *token, const char *word)
{
	enum jwt_verdict verdict;
	const char *fault = judge(keys, token, strlen(token), &verdict);

	if (verdict != JWT_REFUSED || strstr(fault, word) == NULL)
		fail_msg("%.100s: verdict %d, '%s' has no '%s'", token, (int)verdict, fault, word);
	free(token);
}

/* --- good ones -------------------------------------------------------------------------------- */

static void each_algorithm(void **state)
{
	const struct {
		const char *alg;
		EVP_PKEY *pkey;
	} rows[] = {{"HS256", NULL}, {"HS384", NULL}, {"HS512", NULL}, {"RS256", rsa},
		{"RS384", rsa}, {"RS512", rsa}, {"PS256", rsa}, {"PS384", rsa}, {"PS512", rsa},
		{"ES256", p256}, {"ES384", p384}, {"ES512", p521}};
	char *jwks[] = {forge_secret_jwk(secret, sizeof(secret), ""), forge_jwk(rsa, ""),
		forge_jwk(p256, ""), forge_jwk(p384, ""), forge_jwk(p521, "")};
	struct jwt_keys *keys = load(forge_format(
		"{\"keys\":[%s,%s,%s,%s,%s]}", jwks[0], jwks[1], jwks[2], jwks[3], jwks[4]));

	(void)state;
	assert_int_equal(COUNT(rows), JWT_ALGORITHM_COUNT);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct forge forge = {rows[i].alg, rows[i].pkey, secret, sizeof(secret)};
		char *header = forge_format("{\"typ\":\"JWT\",\"alg\":\"%s\"}", rows[i].alg);

		taken(keys, forge_token(&forge, header, CLAIMS));
		free(header);
	}
	for (size_t i = 0; i < COUNT(jwks); i++)
		free(jwks[i]);
	jwt_keys_free(keys);
}

/* The tokens of RFC 7515, A.1 and A.3, which expired in 2011. */
static void those_of_the_rfc(void **state)
{
	static const char claims[] = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
				     "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
	struct jwt_keys *shared = load(forge_format(
		"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
		"aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"));
	struct jwt_keys *pair =
		load(forge_format("{\"kty\":\"EC\",\"crv\":\"P-256\","
				  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
				  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"));

	(void)state;
	refused(shared,
		forge_format("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.%s."
			     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
			claims),
		"has expired");
	refused(pair,
		forge_format("eyJhbGciOiJFUzI1NiJ9.%s.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmX"
			     "FCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
			claims),
		"has expired");
	jwt_keys_free(shared);
	jwt_keys_free(pair);
}

/* --- the algorithm ---------------------------------------------------------------------------- */

static void none_is_no_algorithm(void **state)
{
	static const char *const names[] = {"\"none\"", "\"None\"", "\"NONE\"", "\"nOnE\"", "\"\"",
		"null", "[\"HS256\"]", "7", "\"hs256\"", "\"HS256\\u0000\"", "\"HS2567\"",
		"\"HS256 \"", "\"EdDSA\""};
	struct jwt_keys *keys = load_secret("");

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char *header = forge_format("{\"alg\":%s}", names[i]);

		refused(keys, forge_token(&(struct forge){0}, header, CLAIMS), "algorithm");
		refused(keys, forge_token(&hs256, header, CLAIMS), "algorithm");
		free(header);
	}
	refused(keys, forge_token(&hs256, "{\"typ\":\"JWT\"}", CLAIMS), "algorithm");
	refused(keys, forge_token(&(struct forge){0}, "{\"alg\":\"HS256\"}", CLAIMS), "signature");
	jwt_keys_free(keys);
}

/* CVE-2015-9235 and many after it: what everybody knows of a key pair, used as a secret. */
static void a_public_key_is_no_secret(void **state)
{
	EVP_PKEY *pairs[] = {rsa, p256};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char *texts[] = {forge_pem(pairs[i], false), forge_jwk(pairs[i], "")};
		struct jwt_keys *keys = load(forge_pem(pairs[i], false));

		for (size_t j = 0; j < COUNT(texts); j++) {
			struct forge forge = {"HS256", NULL, texts[j], strlen(texts[j])};

			refused(keys, forge_token(&forge, "{\"alg\":\"HS256\"}", CLAIMS),
				"algorithm is not that of");
			/* The kid changes nothing. */
			refused(keys,
				forge_token(&forge, "{\"alg\":\"HS256\",\"kid\":\"x\"}", CLAIMS),
				"algorithm is not that of");
			/* Nor does another header: the signature is too short for it. */
			refused(keys, forge_token(&forge, "{\"alg\":\"RS256\"}", CLAIMS),
				i == 0 ? "signature" : "algorithm");
			free(texts[j]);
		}
		jwt_keys_free(keys);
	}
}

static void the_key_names_its_algorithm(void **state)
{
	struct jwt_keys *narrow = load(forge_jwk(rsa, ",\"alg\":\"PS256\"")),
			*hs512 = load_secret(",\"alg\":\"HS512\""),
			*curve = load(forge_jwk(p384, ""));

	(void)state;
	taken(narrow,
		forge_token(&(struct forge){"PS256", rsa, NULL, 0}, "{\"alg\":\"PS256\"}", CLAIMS));
	refused(narrow,
		forge_token(&(struct forge){"RS256", rsa, NULL, 0}, "{\"alg\":\"RS256\"}", CLAIMS),
		"algorithm");
	/* What is signed by one and says that it is the other. */
	refused(narrow,
		forge_token(&(struct forge){"RS256", rsa, NULL, 0}, "{\"alg\":\"PS256\"}", CLAIMS),
		"signature");
	refused(hs512, forge_token(&hs256, "{\"alg\":\"HS256\"}", CLAIMS), "algorithm");
	refused(curve,
		forge_token(&(struct forge){"ES256", p384, NULL, 0}, "{\"alg\":\"ES256\"}", CLAIMS),
		"algorithm");
	jwt_keys_free(narrow);
	jwt_keys_free(hs512);
	jwt_keys_free(curve);
}

/* --- the header ------------------------------------------------------------------------------- */

/* Signed by the attacker, whose key the header brings or names. */
static void keys_of_the_header_are_not_looked_at(void **state)
{
	struct forge by_rsa = {"RS256", attacker_rsa, NULL, 0},
		     by_ec = {"ES256", attacker_ec, NULL, 0};
	struct jwt_keys *keys[] = {load(forge_pem(rsa, false)), load(forge_pem(p256, false))};
	char *jwk[] = {forge_jwk(attacker_rsa, ""), forge_jwk(attacker_ec, "")};
	static const char *const more[] = {"\"jku\":\"http://127.0.0.1:1/keys\"",
		"\"x5u\":\"file:///etc/passwd\"", "\"x5c\":[\"MIIB\"]", "\"x5t\":\"AA\"",
		"\"jku\":7"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *alg = i == 0 ? "RS256" : "ES256";
		const struct forge *forge = i == 0 ? &by_rsa : &by_ec;
		struct forge ours = {alg, i == 0 ? rsa : p256, NULL, 0};
		char *header = forge_format("{\"alg\":\"%s\",\"jwk\":%s}", alg, jwk[i]);

		refused(keys[i], forge_token(forge, header, CLAIMS), "signature is wrong");
		taken(keys[i], forge_token(&ours, header, CLAIMS));
		free(header);
		for (size_t j = 0; j < COUNT(more); j++) {
			header = forge_format("{\"alg\":\"%s\",%s}", alg, more[j]);
			refused(keys[i], forge_token(forge, header, CLAIMS), "signature is wrong");
			taken(keys[i], forge_token(&ours, header, CLAIMS));
			free(header);
		}
		free(jwk[i]);
		jwt_keys_free(keys[i]);
	}
}

static void a_kid_only_chooses_among_our_keys(void **state)
{
	static const char *const strange[] = {"../../../../dev/null", "/proc/sys/kernel/hostname",
		"' UNION SELECT 'secret' --", "b; sleep 10", "", "A", "a ", "a\\u0000",
		"http://127.0.0.1:1/"};
	char *one = forge_secret_jwk(secret, 64, ",\"kid\":\"a\""),
	     *two = forge_jwk(p256, ",\"kid\":\"b\"");
	struct jwt_keys *keys = load(forge_format("{\"keys\":[%s,%s]}", one, two)),
			*nameless = load_secret("");
	/* What a file that is empty would verify. */
	struct forge empty = {"HS256", NULL, "", 0};

	(void)state;
	taken(keys, forge_token(&hs256, "{\"alg\":\"HS256\",\"kid\":\"a\"}", CLAIMS));
	taken(keys, forge_token(&hs256, "{\"alg\":\"HS256\",\"kid\":\"\\u0061\"}", CLAIMS));
	taken(keys, forge_token(&hs256, "{\"alg\":\"HS256\"}", CLAIMS));
	refused(keys, forge_token(&hs256, "{\"alg\":\"HS256\",\"kid\":\"b\"}", CLAIMS),
		"algorithm is not that of");
	refused(keys, forge_token(&hs256, "{\"alg\":\"HS256\",\"kid\":7}", CLAIMS), "not a string");
	for (size_t i = 0; i < COUNT(strange); i++) {
		char *header = forge_format("{\"alg\":\"HS256\",\"kid\":\"%s\"}", strange[i]);

		refused(keys, forge_token(&hs256, header, CLAIMS), "names none");
		refused(keys, forge_token(&empty, header, CLAIMS), "names none");
		refused(nameless, forge_token(&empty, header, CLAIMS), "signature");
		free(header);
	}
	/* A key without a name may have any in the token. */
	taken(nameless, forge_token(&hs256, "{\"alg\":\"HS256\",\"kid\":\"x\"}", CLAIMS));
	free(one);
	free(two);
	jwt_keys_free(keys);
	jwt_keys_free(nameless);
}

/* Without a kid each key that fits is tried. */
static void any_of_several_keys(void **state)
{
	char *one = forge_jwk(attacker_ec, ",\"kid\":\"1\""), *two = forge_jwk(p256, "");
	struct jwt_keys *keys = load(forge_format("{\"keys\":[%s,%s]}", one, two));
	const struct jwt_rules rules = {.keys = keys};
	char *token =
		forge_token(&(struct forge){"ES256", p256, NULL, 0}, "{\"alg\":\"ES256\"}", CLAIMS);
	const char *fault;
	struct jwt jwt;

	(void)state;
	assert_int_equal(jwt_verify(&rules, token, strlen(token), NOW_MS, &jwt, &fault), JWT_OK);
	assert_memory_equal(jwt.key, keys->keys[1].thumbprint, 32);
	assert_true(jwt_keys_has(keys, jwt.key));
	jwt_free(&jwt);
	free(token);
	refused(keys,
		forge_token(&(struct forge){"ES256", p256, NULL, 0},
			"{\"alg\":\"ES256\",\"kid\":\"1\",\"kid\":\"2\"}", CLAIMS),
		"duplicate");
	free(one);
	free(two);
	jwt_keys_free(keys);
}

static void strange_headers(void **state)
{
	static const struct {
		const char *header, *word;
	} rows[] = {
		{"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "crit"},
		{"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", "crit"},
		{"{\"alg\":\"HS256\",\"crit\":[]}", "crit"},
		{"{\"alg\":\"HS256\",\"crit\":null}", "crit"},
		{"{\"alg\":\"none\",\"alg\":\"HS256\"}", "duplicate"},
		{"{\"alg\":\"HS256\",\"alg\":\"none\"}", "duplicate"},
		{"{\"alg\":\"HS256\",\"a\\u006cg\":\"none\"}", "duplicate"},
		{"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "duplicate"},
		{"", "not a JSON object"},
		{"[\"HS256\"]", "not a JSON object"},
		{"\"HS256\"", "not a JSON object"},
		{"{\"alg\":\"HS256\"", "not a JSON object"},
		{"{\"alg\":\"HS256\"}}", "not a JSON object"},
		{"{\"alg\":\"HS256\"} x", "not a JSON object"},
		{"{\"alg\":\"HS256\",}", "not a JSON object"},
		{"{'alg':'HS256'}", "not a JSON object"},
		{"\xef\xbb\xbf{\"alg\":\"HS256\"}", "not a JSON object"},
		{"{\"alg\":\"HS256\",\"x\":\"\xff\"}", "not a JSON object"},
	};
	struct jwt_keys *keys = load_secret("");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		refused(keys, forge_token(&hs256, rows[i].header, CLAIMS), rows[i].word);
	taken(keys,
		forge_token(&hs256, " {\"x\":[{}], \"alg\" : \"HS\\u0032\\u00356\"}\n", CLAIMS));
	jwt_keys_free(keys);
}

static char *nested(const char *start, const char *open, unsigned depth)
{
	char *text = calloc(1, strlen(start) + depth * (strlen(open) + 1) + 3);

	assert_non_null(text);
	strcpy(text, start);
	for (unsigned i = 0; i < depth; i++)
		strcat(text, open);
	return text;
}

static void much_nesting_and_many_members(void **state)
{
	struct jwt_keys *keys = load_secret("");
	char *deep = nested("{\"alg\":\"HS256\",\"x\":", "[", 3000),
	     *claims = nested("{\"exp\":1700000100,\"x\":", "[", 3000),
	     *many = nested("{\"alg\":\"HS256\"", ",\"\":0", 200);

	(void)state;
	refused(keys, forge_token(&hs256, deep, "{}"), "not a JSON object");
	refused(keys, forge_token(&hs256, "{\"alg\":\"HS256\"}", claims), "not a JSON object");
	/* Before all of them are compared with each other. */
	refused(keys, forge_token(&hs256, strcat(many, "}"), CLAIMS), "duplicate");
	free(deep);
	free(claims);
	free(many);
	many = forge_format("%s", "{\"alg\":\"HS256\"");
	for (unsigned i = 1; i <= 128; i++) {
		char *more = forge_format("%s,\"%u\":0%s", many, i, i == 128 ? "}" : "");

		free(many);
		many = more;
	}
	refused(keys, forge_token(&hs256, many, CLAIMS), "too many");
	free(many);
	jwt_keys_free(keys);
}

/* --- the form --------------------------------------------------------------------------------- */

static char *good(void)
{
	return forge_token(&hs256, "{\"alg\":\"HS256\"}", CLAIMS);
}

static void strange_forms(void **state)
{
	static const char *const texts[] = {
		"", ".", "..", "...", "a", "a.b", "a.b.c.d", "{\"alg\":\"none\"}", "Bearer x"};
	struct jwt_keys *keys = load_secret("");
	char *token = good();

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		refused(keys, forge_format("%s", texts[i]), "the token");
	refused(keys, forge_format("%s.", token), "three parts");
	refused(keys, forge_format(".%s", token), "three parts");
	refused(keys, forge_format("%s.%s", token, token), "three parts");
	/* Five parts are those of a JWE (RFC 7516). */
	refused(keys, forge_format("%s.a.b", token), "encrypted");
	refused(keys, forge_format("%s..", token), "encrypted");
	free(token);
	jwt_keys_free(keys);
}

static void base64url_of_each_length(void **state)
{
	/* NULL: it is refused. */
	static const char *const rows[][2] = {{"", ""}, {"Zg", "f"}, {"Zm8", "fo"}, {"Zm9v", "foo"},
		{"Zm9vYg", "foob"}, {"-_-_", "\xfb\xff\xbf"}, {"A", NULL}, {"Zm9vA", NULL},
		{"Zg==", NULL}, {"Zg=", NULL}, {"Zh", NULL}, {"Zm9", NULL}, {"+_-_", NULL},
		{"-/-_", NULL}, {"Zm9v\n", NULL}, {"Zm\t9v", NULL}, {"Z\xc2\xb5", NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *text = rows[i][0];
		bool valid = rows[i][1] != NULL;
		const char *bytes = valid ? rows[i][1] : "";
		size_t len = strlen(bytes);
		struct buf out;

		buf_init(&out, 100);
		assert_true(buf_add_byte(&out, '>'));
		if (base64url_decode(text, strlen(text), &out) != valid)
			fail_msg("'%s': not %d", text, valid);
		assert_int_equal(out.len, 1 + len);
		assert_memory_equal(out.data + 1, bytes, len);
		out.len = 0;
		assert_true(base64url_encode((const unsigned char *)bytes, len, &out));
		if (valid && !buf_is(&out, text, strlen(text)))
			fail_msg("'%s' is encoded otherwise", text);
		buf_free(&out);
	}
	/* A NUL is no character either, and a full buffer is not overrun. */
	{
		struct buf out;

		buf_init(&out, 2);
		assert_false(base64url_decode("Zm9v", 4, &out));
		assert_false(base64url_decode("Z\0", 2, &out));
		assert_int_equal(out.len, 0);
		buf_free(&out);
	}
}

static void base64url_is_strict(void **state)
{
	static const char *const ends[] = {
		"=", "==", "\n", " ", "A", "AA", "AAA", "AAAA", "%3D", "\xc3\xa9", "*", "+", "/"};
	struct jwt_keys *keys = load_secret("");
	char *token = good(), *dot = strchr(token, '.');

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		refused(keys, forge_format("%s%s", token, ends[i]), "");
		refused(keys, forge_format("%.*s%s%s", (int)(dot - token), token, ends[i], dot),
			"");
		refused(keys, forge_format("%s%s", ends[i], token), "");
	}
	/* 43 characters are 258 bits; the last two are not part of the 32 bytes. */
	for (const char *other = "BDEFHIJL"; *other != '\0'; other++) {
		char *copy = forge_format("%s", token), *last = copy + strlen(copy) - 1;
		const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
		size_t value = (size_t)(strchr(alphabet, *last) - alphabet);

		*last = alphabet[value + 1 + (size_t)(*other % 3)];
		refused(keys, copy, "base64url");
	}
	free(token);
	jwt_keys_free(keys);
}

static void a_long_token_is_not_looked_at(void **state)
{
	struct jwt_keys *keys = load_secret("");
	char *filler = calloc(1, 100 * 1024 + 1), *claims, *token;

	(void)state;
	memset(filler, 'x', 100 * 1024);
	refused(keys, forge_format("%s", filler), "longer than 8 KiB");
	claims = forge_format("{\"exp\":1700000100,\"x\":\"%s\"}", filler);
	refused(keys, forge_token(&hs256, "{\"alg\":\"HS256\"}", claims), "longer than 8 KiB");
	free(claims);
	/* To the byte. */
	claims = forge_format("{\"sub\":\"ann\",\"exp\":1700000100,\"x\":\"%.*s\"}", 6058, filler);
	token = forge_token(&hs256, "{\"alg\":\"HS256\"}", claims);
	assert_int_equal(strlen(token), JWT_MAX);
	taken(keys, token);
	free(claims);
	claims = forge_format("{\"sub\":\"ann\",\"exp\":1700000100,\"x\":\"%.*s\"}", 6059, filler);
	refused(keys, forge_token(&hs256, "{\"alg\":\"HS256\"}", claims), "longer than 8 KiB");
	free(claims);
	free(filler);
	jwt_keys_free(keys);
}

/* --- the signature ---------------------------------------------------------------------------- */

/* Each bit of the token, in each of its parts. */
static void a_bit_less_or_more(void **state)
{
	const struct forge forges[] = {hs256, {"ES256", p256, NULL, 0}, {"PS256", rsa, NULL, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(forges); i++) {
		struct jwt_keys *keys =
			i == 0 ? load_secret("") : load(forge_jwk(forges[i].pkey, ""));
		char *header = forge_format("{\"alg\":\"%s\"}", forges[i].alg);
		char *token = forge_token(&forges[i], header, CLAIMS);
		size_t len = strlen(token);
		enum jwt_verdict verdict;

		for (size_t at = 0; at < len; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				token[at] = (char)(token[at] ^ (1 << bit));
				(void)judge(keys, token, len, &verdict);
				assert_int_equal(verdict, JWT_REFUSED);
				token[at] = (char)(token[at] ^ (1 << bit));
			}
		}
		for (size_t less = 0; less < len; less++) {
			(void)judge(keys, token, less, &verdict);
			assert_int_equal(verdict, JWT_REFUSED);
		}
		taken(keys, token);
		free(header);
		jwt_keys_free(keys);
	}
}

/* The token, with the bytes of its signature replaced. */
static char *resigned(const char *token, const unsigned char *bytes, size_t len)
{
	char *signature = forge_base64url(bytes, len);
	char *other = forge_format("%.*s.%s", (int)(strrchr(token, '.') - token), token, signature);

	free(signature);
	return other;
}

static void decode_signature(const char *token, struct buf *bytes)
{
	const char *signature = strrchr(token, '.') + 1;

	buf_init(bytes, 1000);
	assert_true(base64url_decode(signature, strlen(signature), bytes));
}

/* CVE-2022-21449, and the same numbers written in other ways. */
static void ecdsa_has_one_form(void **state)
{
	struct jwt_keys *keys = load(forge_jwk(p256, ""));
	char *token =
		forge_token(&(struct forge){"ES256", p256, NULL, 0}, "{\"alg\":\"ES256\"}", CLAIMS);
	unsigned char zeros[132] = {0}, other[132] = {0};
	struct buf bytes;

	(void)state;
	decode_signature(token, &bytes);
	assert_int_equal(bytes.len, 64);
	for (size_t len = 0; len <= sizeof(zeros); len += 2)
		refused(keys, resigned(token, zeros, len), "signature");
	for (size_t len = 0; len < 64; len++)
		refused(keys, resigned(token, (unsigned char *)bytes.data, len), "signature");
	/* r alone is 0, and s alone. */
	memcpy(other, bytes.data, 32);
	refused(keys, resigned(token, other, 64), "signature");
	memset(other, 0, sizeof(other));
	memcpy(other + 32, bytes.data + 32, 32);
	refused(keys, resigned(token, other, 64), "signature");
	/* Zeros in front of each. */
	memset(other, 0, sizeof(other));
	memcpy(other + 34, bytes.data, 32);
	memcpy(other + 100, bytes.data + 32, 32);
	refused(keys, resigned(token, other, 132), "signature");
	/* A byte at the end, which the library drops. */
	memcpy(other, bytes.data, 64);
	other[64] = 7;
	refused(keys, resigned(token, other, 65), "signature");
	taken(keys, token);
	buf_free(&bytes);
	jwt_keys_free(keys);
}

/* The first byte of one signature in 256 is 0; it is not left out. */
static void rsa_has_one_form(void **state)
{
	struct jwt_keys *keys = load(forge_jwk(rsa, ""));
	struct buf bytes;
	char *token = NULL;

	(void)state;
	for (unsigned i = 0;; i++) {
		char *claims = forge_format("{\"sub\":\"ann\",\"exp\":1700000100,\"n\":%u}", i);

		assert_true(i < 20000);
		token = forge_token(
			&(struct forge){"PS256", rsa, NULL, 0}, "{\"alg\":\"PS256\"}", claims);
		free(claims);
		decode_signature(token, &bytes);
		if (bytes.data[0] == 0)
			break;
		free(token);
		buf_free(&bytes);
	}
	refused(keys, resigned(token, (unsigned char *)bytes.data + 1, bytes.len - 1), "signature");
	refused(keys, resigned(token, (unsigned char *)bytes.data, bytes.len - 1), "signature");
	taken(keys, token);
	buf_free(&bytes);
	jwt_keys_free(keys);
}

static void another_key_is_another(void **state)
{
	struct jwt_keys *keys = load(forge_jwk(p256, "")), *secrets = load_secret("");
	char other[64];

	(void)state;
	refused(keys,
		forge_token(&(struct forge){"ES256", attacker_ec, NULL, 0}, "{\"alg\":\"ES256\"}",
			CLAIMS),
		"signature is wrong");
	memcpy(other, secret, sizeof(other));
	other[63] ^= 1;
	refused(secrets,
		forge_token(&(struct forge){"HS256", NULL, other, sizeof(other)},
			"{\"alg\":\"HS256\"}", CLAIMS),
		"signature is wrong");
	jwt_keys_free(keys);
	jwt_keys_free(secrets);
}

/* --- threads ---------------------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	const struct jwt_keys *keys;
	const char *good, *bad;
	unsigned wrong;
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	enum jwt_verdict verdict;

	for (unsigned i = 0; i < 50; i++) {
		(void)judge(worker->keys, worker->good, strlen(worker->good), &verdict);
		worker->wrong += verdict != JWT_OK;
		(void)judge(worker->keys, worker->bad, strlen(worker->bad), &verdict);
		worker->wrong += verdict != JWT_REFUSED;
	}
	return NULL;
}

/* With ThreadSanitizer this tells whether somebody writes to a key. */
static void several_threads_share_the_keys(void **state)
{
	char *jwks[] = {forge_jwk(rsa, ""), forge_jwk(p256, ""),
		forge_secret_jwk(secret, sizeof(secret), "")};
	struct jwt_keys *keys =
		load(forge_format("{\"keys\":[%s,%s,%s]}", jwks[0], jwks[1], jwks[2]));
	const struct forge forges[] = {{"RS256", rsa, NULL, 0}, {"ES256", p256, NULL, 0}, hs256};
	const struct forge others[] = {{"RS256", attacker_rsa, NULL, 0},
		{"ES256", attacker_ec, NULL, 0}, {"HS256", NULL, "x", 1}};
	struct worker workers[6];

	(void)state;
	for (size_t i = 0; i < COUNT(workers); i++) {
		char *header = forge_format("{\"alg\":\"%s\"}", forges[i % 3].alg);

		workers[i] = (struct worker){.keys = keys,
			.good = forge_token(&forges[i % 3], header, CLAIMS),
			.bad = forge_token(&others[i % 3], header, CLAIMS)};
		free(header);
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
		free((void *)workers[i].good);
		free((void *)workers[i].bad);
	}
	for (size_t i = 0; i < COUNT(jwks); i++)
		free(jwks[i]);
	jwt_keys_free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm),
		cmocka_unit_test(those_of_the_rfc),
		cmocka_unit_test(none_is_no_algorithm),
		cmocka_unit_test(a_public_key_is_no_secret),
		cmocka_unit_test(the_key_names_its_algorithm),
		cmocka_unit_test(keys_of_the_header_are_not_looked_at),
		cmocka_unit_test(a_kid_only_chooses_among_our_keys),
		cmocka_unit_test(any_of_several_keys),
		cmocka_unit_test(strange_headers),
		cmocka_unit_test(much_nesting_and_many_members),
		cmocka_unit_test(strange_forms),
		cmocka_unit_test(base64url_of_each_length),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(a_long_token_is_not_looked_at),
		cmocka_unit_test(a_bit_less_or_more),
		cmocka_unit_test(ecdsa_has_one_form),
		cmocka_unit_test(rsa_has_one_form),
		cmocka_unit_test(another_key_is_another),
		cmocka_unit_test(several_threads_share_the_keys),
	};

	return cmocka_run_group_tests_name("serve_jwt", tests, set_up, tear_down);
}

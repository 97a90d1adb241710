/* SPDX-License-Identifier: MIT */
/* The signatures of webhooks; see signature.h. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "access/base64url.h"
#include "access/token.h"
#include "number.h"
#include "signature.h"

#define MAC_BYTES TOKEN_DIGEST

/* Room for the text of a MAC in any scheme, and a NUL. */
#define MAC_TEXT (TOKEN_HEX + 1)

/* The longest time, with a NUL: seconds that fit into an int64_t many times. */
#define TIME_TEXT 16

/* What the secrets of Standard Webhooks begin with. */
#define SECRET_PREFIX "whsec_"

#define TOO_MANY "has more than 16 signatures"

/* --- headers --- */

/* Does the text begin so?  *${value} is what follows. */
static bool follows(struct sse_text text, const char *prefix, struct sse_text *value)
{
	size_t len = strlen(prefix);

	if (text.len < len || memcmp(text.data, prefix, len) != 0)
		return false;
	*value = (struct sse_text){text.data + len, text.len - len};
	return true;
}

/* Cut the next item off *${rest}. */
static struct sse_text next_item(const char **rest, const char *separator)
{
	struct sse_text item = {*rest, strcspn(*rest, separator)};

	*rest += item.len + ((*rest)[item.len] != '\0');
	return item;
}

static bool add(struct signature *signature, struct sse_text text)
{
	if (signature->count == SIGNATURES_MAX)
		return false;
	signature->texts[signature->count++] = text;
	return true;
}

/* sha256=HEX */
static const char *read_github(const struct signature_headers *headers, struct signature *signature)
{
	struct sse_text text;

	if (!follows((struct sse_text){headers->signature, strlen(headers->signature)},
		    "sha256=", &text))
		return "has a signature that does not begin with sha256=";
	add(signature, text);
	return NULL;
}

/* t=TIME,v1=HEX,v1=HEX; signatures of other schemes (v0) may follow. */
static const char *read_stripe(const struct signature_headers *headers, struct signature *signature)
{
	const char *rest = headers->signature;

	while (*rest != '\0') {
		struct sse_text item = next_item(&rest, ","), value;

		if (follows(item, "t=", &value)) {
			if (signature->time.data != NULL)
				return "has two times (t=)";
			signature->time = value;
		} else if (follows(item, "v1=", &value) && !add(signature, value)) {
			return TOO_MANY;
		}
	}
	if (signature->time.data == NULL)
		return "has no time (t=)";
	return signature->count == 0 ? "has no signature v1=" : NULL;
}

/* "v1,BASE64 v1,BASE64"; the asymmetric v1a may be among them. */
static const char *read_standard(
	const struct signature_headers *headers, struct signature *signature)
{
	const char *rest = headers->signature;

	if (headers->id == NULL || headers->time == NULL)
		return "has no id or no time";
	/* What is before the first point could be an id, and what follows it a time and a body. */
	if (strchr(headers->id, '.') != NULL)
		return "has a full stop in its id";
	signature->id = (struct sse_text){headers->id, strlen(headers->id)};
	signature->time = (struct sse_text){headers->time, strlen(headers->time)};
	while (*rest != '\0') {
		struct sse_text item = next_item(&rest, " "), value;

		if (follows(item, "v1,", &value) && !add(signature, value))
			return TOO_MANY;
	}
	return signature->count == 0 ? "has no signature v1," : NULL;
}

/* --- keys --- */

static bool holds_control(struct sse_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return true;
	}
	return false;
}

/* The key is the secret as it is shown. */
static const char *add_text(struct sse_text secret, struct buf *out)
{
	if (holds_control(secret))
		return "contains a control character, perhaps a carriage return at its end";
	if (secret.data[0] == '#')
		return "begins with #; a file of secrets has no comments";
	return buf_add(out, secret.data, secret.len) ? NULL : "is too long";
}

static const char *add_standard(struct sse_text secret, struct buf *out)
{
	struct sse_text base64;

	if (!follows(secret, SECRET_PREFIX, &base64) || base64.len == 0 ||
		!base64_decode(base64.data, base64.len, out))
		return "is not " SECRET_PREFIX " and a key in base64";
	return NULL;
}

/* --- schemes --- */

static void write_hex(const unsigned char mac[MAC_BYTES], char text[MAC_TEXT])
{
	token_hex(mac, text);
}

static void write_base64(const unsigned char mac[MAC_BYTES], char text[MAC_TEXT])
{
	EVP_EncodeBlock((unsigned char *)text, mac, MAC_BYTES);
}

static const struct {
	const char *(*read)(const struct signature_headers *headers, struct signature *signature);
	void (*write)(const unsigned char mac[MAC_BYTES], char text[MAC_TEXT]);
	const char *(*add_key)(struct sse_text secret, struct buf *out);
} schemes[] = {
	[SIGNATURE_GITHUB] = {read_github, write_hex, add_text},
	[SIGNATURE_STRIPE] = {read_stripe, write_hex, add_text},
	[SIGNATURE_STANDARD] = {read_standard, write_base64, add_standard},
};

static const char *time_fault(struct sse_text time, int64_t now)
{
	char text[TIME_TEXT];
	int64_t then;

	if (time.len >= sizeof(text))
		return "has a time that is too long";
	memcpy(text, time.data, time.len);
	text[time.len] = '\0';
	if (number_count(text, 0, INT64_MAX / 2, &then, NULL) != 0)
		return "has a time that is not in seconds since 1970";
	if (then < now - SIGNATURE_TOLERANCE)
		return "was signed more than 5 minutes ago";
	return then > now + SIGNATURE_TOLERANCE ? "was signed more than 5 minutes from now" : NULL;
}

const char *signature_read(enum signature_scheme scheme, const struct signature_headers *headers,
	int64_t now, struct signature *signature)
{
	const char *fault;

	*signature = (struct signature){.scheme = scheme};
	if (headers->signature == NULL)
		return "has no signature";
	fault = schemes[scheme].read(headers, signature);
	if (fault == NULL && signature->time.data != NULL)
		fault = time_fault(signature->time, now);
	return fault;
}

const char *signature_add_key(enum signature_scheme scheme, struct sse_text secret, struct buf *out)
{
	return schemes[scheme].add_key(secret, out);
}

/* --- verifying --- */

static bool update(EVP_MAC_CTX *context, struct sse_text text)
{
	return EVP_MAC_update(context, (const unsigned char *)text.data, text.len) == 1;
}

/* What is before the body, with a point after it. */
static bool update_before(EVP_MAC_CTX *context, struct sse_text text)
{
	return text.data == NULL ||
	       (update(context, text) && update(context, (struct sse_text){".", 1}));
}

static bool authenticate(const struct signature *signature, struct sse_text key,
	struct sse_text body, unsigned char mac[MAC_BYTES])
{
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string("digest", (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	size_t len = 0;
	bool done =
		context != NULL &&
		EVP_MAC_init(context, (const unsigned char *)key.data, key.len, parameters) == 1 &&
		update_before(context, signature->id) && update_before(context, signature->time) &&
		update(context, body) && EVP_MAC_final(context, mac, &len, MAC_BYTES) == 1;

	EVP_MAC_CTX_free(context);
	EVP_MAC_free(hmac);
	return done;
}

bool signature_is_by(const struct signature *signature, struct sse_text key, struct sse_text body)
{
	unsigned char mac[MAC_BYTES];
	char text[MAC_TEXT];
	size_t len;
	bool found = false;

	if (!authenticate(signature, key, body, mac))
		return false;
	schemes[signature->scheme].write(mac, text);
	len = strlen(text);
	for (size_t i = 0; i < signature->count; i++) {
		const struct sse_text *one = &signature->texts[i];

		if (one->len == len && CRYPTO_memcmp(one->data, text, len) == 0)
			found = true;
	}
	OPENSSL_cleanse(mac, sizeof(mac));
	OPENSSL_cleanse(text, sizeof(text));
	return found;
}
